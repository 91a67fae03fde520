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

"""The tab with a volume's snapshots on its own page in Horizon."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from horizon import tabs

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots import permissions
from snapshot_dashboard.content.compute_snapshots.horizon_pages import shown
from snapshot_dashboard.snapshots import by_volume
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model


class SnapshotsTab(tabs.Tab):
    """Those of the volume alone and of instances; how old the newest is.

    Of two tabs with one slug Horizon takes the later one, so this one stands
    in the place of Horizon's.
    """

    name = _("Snapshots")
    slug = 'snapshots_tab'
    template_name = 'project/compute_snapshots/horizon_pages/_volume_tab.html'
    preload = False

    def get_context_data(self, request: HttpRequest) -> dict[str, Any]:
        volume = self.tab_group.kwargs['volume']
        context = {
            'volume_id': volume.id,
            'can_create': permissions.can_snapshot_volumes(request)}
        try:
            found, problems = by_volume.find(
                connect.cloud(request), model.Source(
                    kinds.Kind.VOLUME, volume.id, volume.name or '',
                    exists=True, bootable=volume.bootable == 'true'))
        except errors.ServiceError as error:
            return {**context, 'problems': shown.problems([error])}
        finally:
            connect.log_out_if_expired(request)
        return {
            **context,
            'snapshots': shown.rows(request, found),
            'source_id': model.row_id(kinds.Kind.VOLUME, volume.id),
            'can_thin_out': permissions.can_delete_any(request) and sum(
                row.kind is kinds.Kind.VOLUME for row in found) > 1,
            'last_good': next((
                row for row in found
                if by_volume.is_good(row, volume.id)), None),
            'problems': shown.problems(problems)}
