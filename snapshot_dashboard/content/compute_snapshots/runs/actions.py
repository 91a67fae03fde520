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

"""What a user can do about a run: buttons and links."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from snapshot_dashboard.cloud import types
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots import permissions
from snapshot_dashboard.content.compute_snapshots.runs import (
    wording as runs_wording,
)
from snapshot_dashboard.runs import failures
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import record
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model

_PANEL = 'horizon:project:compute_snapshots:'
_CLASSES = {'adopt': 'btn-primary', 'advance': 'btn-primary',
            'remove': 'btn-warning'}
#: What a run cannot be tried again after, or would only meet again.
_FINAL = {failures.Failure.FORCED_OFF.value,
          failures.Failure.SERVER_GONE.value,
          failures.Failure.VOLUME_DETACHED.value,
          failures.Failure.RECORD_LOST.value}


def buttons(request: HttpRequest, run: record.Run,
            stalled: bool) -> list[dict[str, str]]:
    """What can be done about a run by this user, now.

    :param stalled: whether nobody seems to look after it.
    """
    progress, server = run.progress, run.server
    if not permissions.can_advance(request, run):
        return []
    left = progress.leftover_ids or (not progress.removed_at
                                     and progress.failure in failures.KEEPING)
    unsealed = run.open and not connect.approves(run)
    possible = {
        'adopt': unsealed and not (run.lost or run.tagged),
        'advance': stalled and not unsealed,
        'cancel': run.open and lifecycle.can_cancel(run),
        'power_on': is_left_off(run) and permissions.can_power(request),
        'retry': not run.open and can_retry(run),
        'remove': not run.open and left,
        'dismiss': not run.open or server.locked or unsealed,
    }
    return [_button(what, run) for what in possible if possible[what]]


def dismiss_button(request: HttpRequest,
                   server: types.Server) -> list[dict[str, str]]:
    """What can be done about a run whose record cannot be read.

    Whether the run has powered its instance off is not known, so no power-on
    is offered.
    """
    return ([_button('dismiss', record.Run(server, record.Plan(''),
                                           record.Progress()))]
            if permissions.can_advance(request) else [])


def is_off(server: types.Server) -> bool:
    return server.status == 'SHUTOFF' and not server.task_state


def is_left_off(run: record.Run) -> bool:
    """Whether an instance is off that is to run again, and can be started.

    Before its capture a run is cancelled instead. One that ended well had it
    running, or saw that somebody else had powered it off.
    """
    return (is_off(run.server) and run.plan.to_run_again
            and not run.server.locked
            and bool(run.open or run.progress.failure)
            and not (run.open and lifecycle.can_cancel(run)))


def can_retry(run: record.Run) -> bool:
    """Whether a run that is over can be tried again as it was asked for."""
    failure = run.progress.failure
    return bool(failure) and failure not in _FINAL and not (
        run.tagged or run.copied) and connect.approves(run)


def _button(what: str, run: record.Run) -> dict[str, str]:
    place = () if what == 'advance' else (run.server.id,)
    whole = run.progress.failure not in failures.KEEPING
    style = _CLASSES.get(what, 'btn-default')
    label, question = runs_wording.BUTTONS[what], ''
    if what == 'remove':
        question = (runs_wording.CONFIRM_LEFTOVERS if whole
                    else runs_wording.CONFIRM_REMOVAL)
        label = label if whole else runs_wording.REMOVE_ALL
    elif what == 'power_on' and run.open and not (
            run.progress.captured_at or run.progress.failure):
        question = runs_wording.CONFIRM_POWER_ON
    elif what == 'retry' and run.plan.power_off and (
            run.server.status == 'ACTIVE'):
        question = runs_wording.CONFIRM_RETRY
    elif what == 'power_on' and not run.open:
        style = 'btn-primary'
    url = reverse(f'{_PANEL}{what}', args=place)
    return {'what': what.replace('_', '-'),
            # What was refused is then asked for again.
            'url': f'{url}?resume=1' if what == 'advance' else url,
            'label': label, 'class': style, 'confirm': question}


def view_url(run: record.Run, image_id: str) -> str:
    """Where what a run has made can be seen; empty if it made nothing.

    :param image_id: of the run's image, if it is known.
    """
    if run.open or not run.progress.captured_at:
        return ''
    if image_id:
        return reverse(f'{_PANEL}detail',
                       args=[model.row_id(kinds.Kind.INSTANCE, image_id)])
    if run.plan.captures_image or not run.plan.name:
        return ''
    return f'{reverse(_PANEL + "index")}?' + urlencode({
        'kind': kinds.Kind.VOLUME.value, 'name': run.plan.name,
        'exact': 'on'})


def launch_url(request: HttpRequest, run: record.Run, image_id: str) -> str:
    """Where an instance like the original is launched; else empty."""
    if run.open or not (run.progress.captured_at and image_id) or (
            run.tagged or run.plan.without_recipe
            or not permissions.can_launch(request)):
        return ''
    return reverse(f'{_PANEL}launch',
                   args=[model.row_id(kinds.Kind.INSTANCE, image_id)])


def go_back_url(request: HttpRequest, run: record.Run, image_id: str) -> str:
    """Where the instance is put back to what a run has made; else empty."""
    if run.open or run.progress.failure or not (
            run.progress.captured_at and image_id
            and permissions.can_restore(request, run.plan.volume_backed)):
        return ''
    return reverse(f'{_PANEL}go_back',
                   args=[model.row_id(kinds.Kind.INSTANCE, image_id)])


def older_url(request: HttpRequest, run: record.Run) -> str:
    """Where the user is offered what the plan does not keep; else empty."""
    if not run.plan.keep_count or not run.progress.captured_at or not (
            permissions.can_delete_any(request)):
        return ''
    source_id = model.row_id(kinds.Kind.INSTANCE, run.server.id)
    return f'{reverse(_PANEL + "review", args=[source_id])}?' + urlencode({
        'last': run.plan.keep_count})


def create_url(request: HttpRequest, run: record.Run) -> str:
    """Where the wizard asks anew for what a run has failed to do; else empty.

    That is for a run that cannot be tried again as it was asked for.
    """
    if run.open or not run.progress.failure or not (
            permissions.can_create_any(request)) or can_retry(run):
        return ''
    plan = run.plan
    volume = connect.approves(run) and not plan.captures_image
    source = (model.row_id(kinds.Kind.VOLUME, plan.volumes[0]) if volume
              else model.row_id(kinds.Kind.INSTANCE, run.server.id))
    return f'{reverse(_PANEL + "create")}?{urlencode({"source": source})}'


def context(request: HttpRequest, run: record.Run, stalled: bool,
            image_id: str) -> dict[str, Any]:
    """All of it, for a template."""
    return {'buttons': buttons(request, run, stalled),
            'may_power_on': is_left_off(run),
            'view_url': view_url(run, image_id),
            'launch_url': launch_url(request, run, image_id),
            'go_back_url': go_back_url(request, run, image_id),
            'older_url': older_url(request, run),
            'create_url': create_url(request, run)}
