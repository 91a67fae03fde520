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

"""The snapshots on a tab of Horizon's own pages."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.content.compute_snapshots import cells
from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.content.compute_snapshots.index import (
    tables as index_tables,
)
from snapshot_dashboard.snapshots import model


def rows(request: HttpRequest,
         found: Iterable[model.Snapshot]) -> list[dict[str, Any]]:
    """The rows of a tab's table, for its template."""
    table = index_tables.SnapshotsTable(request)
    return [{'row': row, 'kind': wording.KINDS[row.kind],
             'status': cells.render_status(row),
             'lacks': wording.lacks(row),
             'consistency': cells.render_consistency(row),
             'created': cells.render_created(row),
             'size': cells.render_size(row),
             'actions': table.render_row_actions(row)} for row in found]


def problems(found: Iterable[errors.ServiceError]) -> list[str]:
    """Why not all snapshots may be there, each reason once."""
    return list(dict.fromkeys(
        _("Some snapshots cannot be shown now. Error from %(service)s: "
          "%(detail)s") % wording.said(error) for error in found))
