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

"""The tab with an instance's snapshots on its own page in Horizon."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from horizon import tabs

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots import permissions
from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.content.compute_snapshots.horizon_pages import shown
from snapshot_dashboard.content.compute_snapshots.runs import display
from snapshot_dashboard.runs import journal
from snapshot_dashboard.snapshots import by_instance
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model


class SnapshotsTab(tabs.Tab):
    """Its snapshots, the run on it, and how old the last good one is."""

    name = _("Snapshots")
    slug = 'snapshots'
    template_name = (
        'project/compute_snapshots/horizon_pages/_instance_tab.html')
    preload = False

    def get_context_data(self, request: HttpRequest) -> dict[str, Any]:
        cloud = connect.cloud(request)
        server_id = self.tab_group.kwargs['instance'].id
        try:
            server = cloud.compute.server(server_id)
            found, problems = by_instance.find(cloud, server)
        except errors.ServiceError as error:
            return {'problems': shown.problems([error])}
        finally:
            connect.log_out_if_expired(request)
        run = journal.read(server)
        last_good = next((row for row in found if row.usable
                          and by_instance.is_of(row, server)), None)
        return {
            'server': server,
            'snapshots': shown.rows(request, found),
            'source_id': model.row_id(kinds.Kind.INSTANCE, server.id),
            'can_thin_out': permissions.can_delete_any(request) and sum(
                row.kind is kinds.Kind.INSTANCE for row in found) > 1,
            'last_good': last_good,
            'last_good_consistency': wording.consistency_of(last_good)[
                'label'] if last_good else '',
            'last_probable': next(
                (row for row in found if row.usable
                 and by_instance.is_probably_of(row, server)), None),
            'run': display.shown(request, run) if run else None,
            'can_create': permissions.can_create(request,
                                                 server.volume_backed),
            'problems': shown.problems(problems),
        }
