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

"""The runs above the list, as the page shows them."""

from collections.abc import Iterable
from collections.abc import Mapping
import dataclasses
import functools
import logging
import time
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from snapshot_dashboard import settings
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import types
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots import permissions
from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.content.compute_snapshots.runs import (
    wording as runs_wording,
)
from snapshot_dashboard.runs import failures
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import phases
from snapshot_dashboard.runs import record

LOG = logging.getLogger(__name__)
#: Seconds after which nobody seems to look after an open run.
_STALLED = 60
#: Runs that one page may remember.
_WATCHED = 20
#: How Horizon draws the buttons that stand out.
_CLASSES = {'adopt': 'btn-primary', 'advance': 'btn-primary',
            'power_on': 'btn-primary', 'remove': 'btn-warning'}
#: Failures that a second try cannot mend.
_FINAL = {failures.Failure.SERVER_GONE.value,
          failures.Failure.VOLUME_DETACHED.value,
          failures.Failure.RECORD_LOST.value}


@dataclasses.dataclass(frozen=True)
class Sight:
    """What is known of the runs of a project.

    :ivar gone: the ids and names of those whose server was deleted: their
        record went with it, so the page itself remembers them.
    :ivar problem: why they cannot be had; None if they can.
    """

    found: lifecycle.Found
    gone: tuple[tuple[str, str], ...] = ()
    problem: errors.ServiceError | None = None


def find(request: HttpRequest,
         answer: lifecycle.Found | errors.ServiceError | None = None,
         suspects: Iterable[str] = ()) -> Sight:
    """The runs by their index, and those that it has lost.

    Others may have replaced the tags of a server. A page that shows its run
    remembers that, and an unfinished image tells of one, too.

    :param answer: what the index says, or why not, if that is known already.
    :param suspects: the ids of servers that may have a run.
    """
    cloud = connect.cloud(request)
    if answer is None:
        answer, = cloud.gather(lambda: lifecycle.list_runs(cloud))
    if isinstance(answer, errors.ServiceError):
        return Sight(lifecycle.Found(()), problem=answer)
    there = {run.server.id for run in answer.runs} | {
        server.id for server in answer.unreadable}
    watched = dict(text.partition(' ')[::2] for text in request.POST.getlist(
        'watched')[:_WATCHED])
    lost = [server_id for server_id in {
        **watched, **dict.fromkeys(suspects)} if server_id not in there]
    looked = cloud.gather_named({
        server_id: functools.partial(cloud.compute.server, server_id)
        for server_id in lost})
    again = [run for run in map(journal.read, (
        server for server in looked.values()
        if isinstance(server, types.Server))) if run is not None and run.open]
    return Sight(
        dataclasses.replace(answer, runs=(*again, *answer.runs)),
        tuple((server_id, watched[server_id])
              for server_id, server in looked.items()
              if server_id in watched
              and isinstance(server, errors.NotFound)))


def context(request: HttpRequest,
            troubles: Mapping[str, str] | None = None,
            answer: lifecycle.Found | errors.ServiceError | None = None,
            suspects: Iterable[str] = ()) -> dict[str, Any]:
    """The template context of all runs, as they are.

    :param answer: the runs, or why they cannot be had, if known already.
    :param suspects: the ids of servers that may have one that is not found.
    :param troubles: by the server's id, what was in the way of the last step;
        under an empty id what concerns them all.
    """
    troubles = dict(troubles or {})
    sight = find(request, answer, suspects)
    if sight.problem is not None:
        troubles.setdefault('', runs_wording.trouble(sight.problem))
    found = sight.found.runs
    now = int(time.time())
    return {
        'runs': [_shown(request, run, now, troubles.get(run.server.id, ''))
                 for run in found],
        'unreadable': [
            {'server': server, 'buttons': _power_buttons(request, server)}
            for server in sight.found.unreadable],
        'gone': [{'id': server_id, 'name': name}
                 for server_id, name in sight.gone],
        'runs_open': bool(sight.found.open),
        'runs_more': sight.found.more,
        'runs_problem': troubles.get('', ''),
        'may_advance': permissions.can_advance(request),
        'handed_on': any(run.progress.trust_id for run in sight.found.open),
        'poll_interval_ms': _interval_ms(found),
        # When this changes, the list below has changed too.
        'runs_state': ' '.join(
            f'{run.plan.run_id}:{run.progress.image_id}:'
            f'{run.progress.snapshot_count}:{run.progress.captured_at}:'
            f'{run.progress.ended_at}' for run in found),
    }


def _interval_ms(found: Iterable[record.Run]) -> int:
    """How long the page waits for its next look, in milliseconds.

    Each look that comes late keeps an instance away for longer.
    """
    away = any(run.open and run.plan.power_off for run in found)
    return int(settings.get('POLL_INTERVAL') * (500 if away else 1000))


def shown(request: HttpRequest, run: record.Run) -> dict[str, Any]:
    """One run, as it is."""
    return _shown(request, run, int(time.time()))


def _shown(request: HttpRequest, run: record.Run, now: int,
           trouble: str = '') -> dict[str, Any]:
    progress, plan, server = run.progress, run.plan, run.server
    phase = phases.current(run)
    failed = bool(progress.failure)
    last = min(now, max(progress.updated_at, plan.began_at))
    stalled = (run.open and now - last > _STALLED and not server.task_state)
    return {
        'run': run,
        'name': plan.name or _("unnamed"),
        'failed': failed,
        'phases': [] if failed and not run.open else _phases(plan, phase),
        'now': runs_wording.PHASES[phase] if phase else (
            _("Failed") if failed else _("Finished")),
        'elapsed': _duration(
            max(0, (progress.ended_at or now) - plan.began_at)),
        'expected': wording.about(plan.expected_seconds),
        'failure': runs_wording.failure(run),
        'left': runs_wording.left(run),
        'unsealed': run.open and not connect.approves(run),
        'hindrance': runs_wording.hindrance(run, now) if run.open else '',
        'consistency': (wording.MEANINGS.get(progress.consistency, '')
                        if progress.captured_at and not run.open else ''),
        'older_url': _older_url(request, run),
        'create_url': _create_url(request, run),
        'trouble': trouble,
        'held': runs_wording.held(run) if run.open else '',
        'stalled': wording.about(now - last) if stalled else '',
        'is_off': _is_off(server),
        'may_advance': permissions.can_advance(request, run),
        'buttons': _buttons(request, run, phase, stalled),
    }


def _older_url(request: HttpRequest, run: record.Run) -> str:
    """Where the user is offered what the plan does not keep; else empty."""
    if not run.plan.keep_count or not run.progress.captured_at or not (
            permissions.can_delete_any(request)):
        return ''
    address = reverse('horizon:project:compute_snapshots:older',
                      args=[run.server.id])
    return f'{address}?{urlencode({"keep": run.plan.keep_count})}'


def _create_url(request: HttpRequest, run: record.Run) -> str:
    """Where the wizard asks anew for what a run has failed to do; else empty.

    That is for a run that cannot be tried again as it was asked for, and for
    one whose user may wish it otherwise now.
    """
    forced_off = run.progress.failure == failures.Failure.FORCED_OFF.value
    if run.open or not run.progress.failure or not (
            permissions.can_create_any(request)) or (
            can_retry(run) and not forced_off):
        return ''
    plan = run.plan
    volume = connect.approves(run) and not plan.captures_image
    source = (f'volume-{plan.volumes[0]}' if volume
              else f'instance-{run.server.id}')
    address = reverse('horizon:project:compute_snapshots:create')
    return f'{address}?{urlencode({"source": source})}'


def _is_off(server: types.Server) -> bool:
    return server.status == 'SHUTOFF' and not server.task_state


def _buttons(request: HttpRequest, run: record.Run, phase: phases.Phase | None,
             stalled: bool) -> list[dict[str, str]]:
    """What can be done about a run by this user, now."""
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
        'power_on': (_is_off(server) and run.plan.to_run_again
                     and not server.locked and permissions.can_power(request)
                     and phase is not phases.Phase.POWER_OFF),
        'retry': not run.open and can_retry(run),
        'remove': not run.open and left,
        'dismiss': not run.open or server.locked or unsealed,
    }
    whole = progress.failure not in failures.KEEPING
    return [_button(what, server, whole) for what in possible
            if possible[what]]


def _power_buttons(request: HttpRequest,
                   server: types.Server) -> list[dict[str, str]]:
    """What can be done about a run whose record cannot be read."""
    if not permissions.can_advance(request):
        return []
    may = (server.status == 'SHUTOFF' and not server.locked
           and permissions.can_power(request))
    return [_button(what, server)
            for what in ('power_on', 'dismiss') if what == 'dismiss' or may]


def can_retry(run: record.Run) -> bool:
    """Whether a run that is over can be tried again as it was asked for."""
    failure = run.progress.failure
    return bool(failure) and failure not in _FINAL and not (
        run.tagged or run.copied) and connect.approves(run)


def _button(what: str, server: types.Server,
            whole: bool = True) -> dict[str, str]:
    """A button; it removes what is left beside a snapshot that is whole, or
    all there is of one that is not.
    """
    place = () if what == 'advance' else (server.id,)
    return {
        'what': what.replace('_', '-'),
        'url': reverse(f'horizon:project:compute_snapshots:{what}',
                       args=place),
        'label': (runs_wording.BUTTONS[what] if what != 'remove' or whole
                  else runs_wording.REMOVE_ALL),
        'class': _CLASSES.get(what, 'btn-default'),
        'confirm': '' if what != 'remove' else (
            runs_wording.CONFIRM_LEFTOVERS if whole
            else runs_wording.CONFIRM_REMOVAL),
    }


def _phases(plan: record.Plan,
            now: phases.Phase | None) -> list[dict[str, Any]]:
    order = phases.phases(plan)
    place = order.index(now) if now else len(order)
    return [{'label': runs_wording.PHASES[phase],
             'state': ('done' if number < place else
                       'current' if number == place else 'todo')}
            for number, phase in enumerate(order)]


def _duration(seconds: int) -> str:
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return (f'{hours}:{minutes:02}:{seconds:02}' if hours
            else f'{minutes}:{seconds:02}')
