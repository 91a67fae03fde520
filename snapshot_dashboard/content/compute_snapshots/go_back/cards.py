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

"""The restores that are under way or just over, for a template."""

from collections.abc import Iterable
from collections.abc import Mapping
import time
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from snapshot_dashboard.cloud import types
from snapshot_dashboard.content.compute_snapshots import cells
from snapshot_dashboard.content.compute_snapshots import permissions
from snapshot_dashboard.content.compute_snapshots.go_back import beginning
from snapshot_dashboard.content.compute_snapshots.go_back import (
    wording as go_back_wording,
)
from snapshot_dashboard.restores import restore
from snapshot_dashboard.restores import sight
from snapshot_dashboard.restores import stages
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model

_PANEL = 'horizon:project:compute_snapshots:'


def context(request: HttpRequest, found: Iterable[restore.Restore],
            servers: Mapping[str, types.Server],
            troubles: Mapping[str, str]) -> dict[str, Any]:
    """The template context of restores, as they are.

    :param servers: by their ids.
    :param troubles: likewise, what was in the way of the last step.
    """
    may = permissions.can_restore_any(request)
    return {'restores': [
        _shown(one, servers.get(one.plan.server_id),
               troubles.get(one.plan.server_id, ''), may) for one in found]}


def _shown(found: restore.Restore, server: types.Server | None, trouble: str,
           may: bool) -> dict[str, Any]:
    plan, progress, at = found.plan, found.progress, int(time.time())
    approved = beginning.approves(found)
    failed = bool(progress.failure) and not found.cancelled
    unshelves = bool(found.open and server and server.status in sight.SHELVED
                 and progress.unshelve_count > 1 and not server.task_state)
    return {
        'restore': found,
        'server': server,
        'name': (server.name if server else plan.server_name)
        or plan.server_id,
        'id': plan.server_id,
        'class': ('danger' if failed and not found.open else 'warning'
                  if trouble or not approved or failed else 'info'
                  if found.open else 'success'),
        'now': go_back_wording.now(found, unshelves),
        'stages': [{'state': state.value,
                    'label': go_back_wording.STAGES[stage]}
                   for stage, state in stages.states(found).items()]
        if found.open or failed else [],
        **cells.times(plan.began_at, progress.ended_at, found.open, at),
        'failure': go_back_wording.failure(found),
        'hindrance': go_back_wording.hindrance(found, at),
        'trouble': trouble,
        'unsealed': not approved,
        'row_id': model.row_id(kinds.Kind.INSTANCE, plan.image_id)
        if plan.image_id else '',
        'safety_row_id': model.row_id(
            kinds.Kind.INSTANCE, progress.safety_id)
        if progress.safety_id else '',
        # They find it by the tags of the instance.
        'buttons': _buttons(found, may, approved) if server else []}


def _buttons(found: restore.Restore, may: bool,
             approved: bool) -> list[dict[str, str]]:
    if not may:
        return []
    possible = {
        'cancel': found.can_cancel and approved,
        'undo': not found.open and bool(
            found.progress.safety_id and found.progress.overwrite_at),
        'dismiss': not found.open or not approved}
    return [{'what': f'restore-{what}', 'class': 'btn-default',
             'url': reverse(f'{_PANEL}{what}_restore',
                            args=[found.plan.server_id]),
             'label': go_back_wording.BUTTONS[what],
             'confirm': go_back_wording.CONFIRM_UNDO if what == 'undo' else ''}
            for what in possible if possible[what]]


def state(found: Iterable[restore.Restore]) -> str:
    """When this changes, the list below has changed too."""
    return ' '.join(
        f'{one.plan.run_id}:{one.progress.safety_id}:'
        f'{one.progress.ended_at}' for one in found)
