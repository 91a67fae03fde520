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

import logging
import time
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from snapshot_dashboard import settings
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import types
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots import rights
from snapshot_dashboard.content.compute_snapshots import run_wording
from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.runs import advance
from snapshot_dashboard.runs import failures
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import phases

LOG = logging.getLogger(__name__)
#: Seconds after which nobody seems to look after an open run.
_STALLED = 60
#: Runs that one page may remember.
_WATCHED = 20
#: How Horizon draws the buttons that stand out.
_CLASSES = {'advance': 'btn-primary', 'power_on': 'btn-primary',
            'remove': 'btn-warning'}
#: Failures that a second try cannot mend.
_FINAL = {failures.Failure.SERVER_GONE.value,
          failures.Failure.VOLUME_DETACHED.value}


def context(request, troubles=None, answer=None):
    """The template context of all runs, as they are.

    :param answer: the runs, or why they cannot be had, if known already.
    :param troubles: by the server's id, the ``ServiceError`` that the last
        step met; under an empty id one that concerns them all.
    """
    troubles = dict(troubles or {})
    found, unreadable = [], []
    if answer is None:
        answer, = connect.cloud(request).together(
            lambda: advance.runs(connect.cloud(request)))
    if isinstance(answer, errors.ServiceError):
        connect.log_out_if_expired(answer)
        troubles.setdefault('', answer)
    else:
        found, unreadable = answer
    now = int(time.time())
    return {
        'runs': [_shown(request, run, now, troubles.get(run.server.id))
                 for run in found],
        'unreadable': [
            {'server': server, 'buttons': _power_buttons(request, server)}
            for server in unreadable],
        'gone': _gone(request, found, unreadable),
        'runs_open': any(run.open for run in found),
        'runs_problem': (run_wording.trouble(troubles[''])
                         if '' in troubles else ''),
        'may_advance': rights.can_advance(request),
        'handed_on': any(run.open and run.progress.trust for run in found),
        'poll_interval_ms': _interval_ms(found),
        # When this changes, the list below has changed too.
        'runs_state': ' '.join(
            f'{run.plan.run_id}:{run.progress.image_id}:'
            f'{run.progress.snapshots}:{run.progress.captured}:'
            f'{run.progress.ended}' for run in found),
    }


def _interval_ms(found) -> int:
    """How long the page waits for its next look, in milliseconds.

    Each look that comes late keeps an instance away for longer.
    """
    away = any(run.open and run.plan.power_off for run in found)
    return int(settings.get('POLL_INTERVAL') * (500 if away else 1000))


def _gone(request, found, unreadable) -> list[dict[str, str]]:
    """Runs that the page shows and whose server was deleted.

    Their record went with it, so the page itself remembers them.
    """
    there = {run.server.id for run in found} | {
        server.id for server in unreadable}
    gone = []
    for text in request.POST.getlist('watched')[:_WATCHED]:
        server_id, _sep, name = text.partition(' ')
        if server_id in there:
            continue
        try:
            connect.cloud(request).compute.server(server_id)
        except errors.NotFound:
            gone.append({'id': server_id, 'name': name})
        except errors.ServiceError as error:
            LOG.info('Is server %s gone? %s', server_id, error)
    return gone


def shown(request, run: journal.Journal) -> dict[str, Any]:
    """One run, as it is."""
    return _shown(request, run, int(time.time()), None)


def _shown(request, run: journal.Journal, now: int, trouble):
    progress, plan, server = run.progress, run.plan, run.server
    phase = phases.current(run)
    failed = bool(progress.failure)
    last = max(progress.at, plan.began)
    stalled = (run.open and now - last > _STALLED and not server.task_state)
    return {
        'run': run,
        'name': plan.name or _("without a name"),
        'failed': failed,
        'phases': [] if failed and not run.open else _phases(plan, phase),
        'now': run_wording.PHASES[phase] if phase else (
            _("Failed") if failed else _("Finished")),
        'elapsed': _duration(
            max(0, (progress.ended or now) - plan.began)),
        'expected': wording.about(plan.expected),
        'failure': run_wording.failure(run),
        'consistency': (wording.MEANINGS.get(progress.consistency, '')
                        if progress.captured and not run.open else ''),
        'older_url': _older_url(request, run),
        'trouble': run_wording.trouble(trouble) if trouble else '',
        'held': run_wording.held(run) if run.open else '',
        'stalled': wording.about(now - last) if stalled else '',
        'is_off': _is_off(server),
        'may_advance': rights.can_advance(request, run),
        'buttons': _buttons(request, run, phase, stalled),
    }


def _older_url(request, run: journal.Journal) -> str:
    """Where the user is offered what the plan does not keep; else empty."""
    if not run.plan.keep or not run.progress.captured or not (
            rights.can_delete_any(request)):
        return ''
    address = reverse('horizon:project:compute_snapshots:older',
                      args=[run.server.id])
    return f'{address}?{urlencode({"keep": run.plan.keep})}'


def _is_off(server: types.Server) -> bool:
    return server.status == 'SHUTOFF' and not server.task_state


def _buttons(request, run: journal.Journal, phase: phases.Phase | None,
             stalled: bool) -> list[dict[str, str]]:
    """What can be done about a run by this user, now."""
    progress, server = run.progress, run.server
    if not rights.can_advance(request, run):
        return []
    left = progress.left or (not progress.removed
                             and progress.failure in failures.KEEPING)
    possible = {
        'advance': stalled,
        'cancel': run.open and advance.can_cancel(run),
        'power_on': (_is_off(server) and run.plan.to_run_again
                     and not server.locked and rights.can_power(request)
                     and phase is not phases.Phase.POWER_OFF),
        'retry': (progress.failure and not run.open and not run.tagged
                  and progress.failure not in _FINAL),
        'remove': not run.open and left,
        'dismiss': not run.open or server.locked,
    }
    return [_button(what, server) for what in possible if possible[what]]


def _power_buttons(request, server: types.Server) -> list[dict[str, str]]:
    """What can be done about a run whose record cannot be read."""
    if not rights.can_advance(request):
        return []
    may = (server.status == 'SHUTOFF' and not server.locked
           and rights.can_power(request))
    return [_button(what, server)
            for what in ('power_on', 'dismiss') if what == 'dismiss' or may]


def _button(what: str, server: types.Server) -> dict[str, str]:
    place = () if what == 'advance' else (server.id,)
    return {
        'what': what.replace('_', '-'),
        'url': reverse(f'horizon:project:compute_snapshots:{what}',
                       args=place),
        'label': run_wording.BUTTONS[what],
        'class': _CLASSES.get(what, 'btn-default'),
        'confirm': run_wording.CONFIRM_REMOVAL if what == 'remove' else '',
    }


def _phases(plan: journal.Plan, now: phases.Phase | None):
    order = phases.phases(plan)
    place = order.index(now) if now else len(order)
    return [{'label': run_wording.PHASES[phase],
             'state': ('done' if number < place else
                       'current' if number == place else 'todo')}
            for number, phase in enumerate(order)]


def _duration(seconds: int) -> str:
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return (f'{hours}:{minutes:02}:{seconds:02}' if hours
            else f'{minutes}:{seconds:02}')
