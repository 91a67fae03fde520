# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""The buttons on the cards of switch-overs."""

from django.http import Http404

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.content.compute_snapshots import permissions
from snapshot_dashboard.content.compute_snapshots.runs import (
    views as runs_views,
)
from snapshot_dashboard.content.compute_snapshots.switch_over import starting
from snapshot_dashboard.switch_overs import switch_over
from snapshot_dashboard.switch_overs import switching


class _SwitchOverView(runs_views.WriteView):
    """Does something with the switch-over that an image records."""

    def is_allowed(self) -> bool:
        return permissions.can_switch_over(self.request)


class TurnView(_SwitchOverView):
    """Lets one of the two instances have the addresses."""

    def write(self, cloud: services.Cloud, server_id: str) -> None:
        try:
            side = switch_over.Side(self.kwargs['side'])
        except ValueError:
            raise Http404 from None
        found = switching.read(cloud, str(self.kwargs['image_id']))
        if found is None or not starting.approves(found):
            return
        try:
            turned = switching.turn(cloud, found, side)
        except switching.Busy:
            raise errors.Conflict(
                'compute', 'Something else is under way at one of the two '
                'instances.') from None
        starting.go_on(self.request, turned)


class DismissView(_SwitchOverView):
    """Takes the record of a switch-over away that is over."""

    def write(self, cloud: services.Cloud, server_id: str) -> None:
        switching.dismiss(cloud, str(self.kwargs['image_id']),
                          starting.approves)
