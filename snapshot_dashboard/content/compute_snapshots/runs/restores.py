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

"""The buttons on the cards of restores."""

from django.core import exceptions as django_exceptions

from horizon import messages

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.content.compute_snapshots import permissions
from snapshot_dashboard.content.compute_snapshots.go_back import beginning
from snapshot_dashboard.content.compute_snapshots.go_back import (
    wording as go_back_wording,
)
from snapshot_dashboard.content.compute_snapshots.runs import (
    views as runs_views,
)
from snapshot_dashboard.restores import choices
from snapshot_dashboard.restores import restore
from snapshot_dashboard.restores import restoring
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.snapshots import details
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model


class _RestoreView(runs_views.WriteView):
    """Does something with the restore of one instance."""

    def is_allowed(self) -> bool:
        return permissions.can_restore_any(self.request)


def _recorded(cloud: services.Cloud,
              server_id: str) -> restore.Restore | None:
    """The restore of an instance, if it is what its user asked for."""
    found = restoring.of_server(cloud, cloud.compute.server(server_id))
    return found if found and beginning.approves(found) else None


class CancelView(_RestoreView):
    """Gives a restore up before anything is overwritten."""

    def write(self, cloud: services.Cloud, server_id: str) -> None:
        found = _recorded(cloud, server_id)
        if found is None:
            return
        cancelled = restoring.cancel(cloud, found)
        restoring.advance(cloud, cancelled, beginning.approves)


class DismissView(_RestoreView):
    """Takes the record of a restore away that is over."""

    def write(self, cloud: services.Cloud, server_id: str) -> None:
        restoring.dismiss(cloud, server_id, beginning.approves)


class UndoView(_RestoreView):
    """Goes back to what was saved before a restore that is over."""

    def write(self, cloud: services.Cloud, server_id: str) -> None:
        found = _recorded(cloud, server_id)
        if found is None or found.open or not found.progress.safety_id:
            return
        facts = beginning.gather(self.request, details.get(
            cloud, model.row_id(kinds.Kind.INSTANCE,
                                found.progress.safety_id)))
        image, instance = facts.image, facts.instance
        # The record says which snapshot it is, and anybody may have written
        # that: it counts if it is of this instance and of this restore.
        if image is None or instance is None or (
                instance.server.id != server_id
                or image.properties.get(marks.RUN) != found.plan.safety_run):
            raise errors.NotFound('image', 'there is no safety snapshot')
        if not permissions.can_go_back(self.request, facts.snapshot):
            raise django_exceptions.PermissionDenied
        obstacles = choices.find_obstacles(facts)
        if obstacles:
            for obstacle in obstacles:
                messages.error(self.request,
                               go_back_wording.obstacle(obstacle))
            return
        try:
            beginning.submit(self.request, facts, safety=False,
                              run_again=found.plan.run_again)
        except (restoring.Busy, lifecycle.Busy):
            pass  # the page shows what is under way
