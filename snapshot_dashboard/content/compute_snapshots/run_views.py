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

"""The runs above the list: shown by GET, brought forward by POST."""

import contextlib
import functools
import logging
import time

from django.core import exceptions as django_exceptions
from django.shortcuts import redirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views import generic

from horizon import messages

from snapshot_dashboard import cloud as clouds
from snapshot_dashboard import settings
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import types
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots import rights
from snapshot_dashboard.content.compute_snapshots import wizard
from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.runs import advance
from snapshot_dashboard.runs import failures
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import phases
from snapshot_dashboard.runs import preflight

LOG = logging.getLogger(__name__)
_TEMPLATE = 'project/compute_snapshots/_runs.html'
#: Seconds after which nobody seems to look after an open run.
_STALLED = 60
#: Runs that one page may remember.
_WATCHED = 20
#: How Horizon draws the buttons that stand out.
_CLASSES = {'advance': 'btn-primary', 'power_on': 'btn-primary',
            'remove': 'btn-danger'}
#: Failures that a second try cannot mend.
_FINAL = {failures.Failure.SERVER_GONE.value,
          failures.Failure.VOLUME_DETACHED.value}
#: Failures after which there may be something to remove.
_BROKEN = {failures.Failure.PART_FAILED.value,
           failures.Failure.IMAGE_EMPTY.value}


def context(request, troubles=None):
    """The template context of all runs, as they are.

    :param troubles: by the server's id, the ``ServiceError`` that the last
        step met; under an empty id one that concerns them all.
    """
    troubles = dict(troubles or {})
    found, unreadable = [], []
    try:
        found, unreadable = advance.runs(connect.cloud(request))
    except errors.ServiceError as error:
        connect.log_out_if_expired(error)
        troubles.setdefault('', error)
    now = int(time.time())
    return {
        'runs': [_shown(request, run, now, troubles.get(run.server.id))
                 for run in found],
        'unreadable': [
            {'server': server, 'buttons': _power_buttons(request, server)}
            for server in unreadable],
        'gone': _gone(request, found, unreadable),
        'runs_open': any(run.open for run in found),
        'runs_problem': (wording.trouble(troubles[''])
                         if '' in troubles else ''),
        'may_advance': rights.can_advance(request),
        'poll_interval_ms': int(settings.get('POLL_INTERVAL') * 1000),
        # When this changes, the list below has changed too.
        'runs_state': ' '.join(
            f'{run.plan.run_id}:{run.progress.image_id}:'
            f'{run.progress.captured}:{run.progress.ended}' for run in found),
    }


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
        'now': wording.PHASES[phase] if phase else (
            _("Failed") if failed else _("Finished")),
        'elapsed': _duration(
            max(0, (progress.ended or now) - plan.began)),
        'expected': wording.about(plan.expected),
        'failure': wording.failure(run),
        'consistency': (wording.MEANINGS.get(progress.consistency, '')
                        if progress.captured and not run.open else ''),
        'trouble': wording.trouble(trouble) if trouble else '',
        'held': run.open and server.locked and not run.tagged,
        'stalled': wording.about(now - last) if stalled else '',
        'is_off': _is_off(server),
        'may_advance': rights.can_advance(request, run),
        'buttons': _buttons(request, run, phase, stalled),
    }


def _is_off(server: types.Server) -> bool:
    return server.status == 'SHUTOFF' and not server.task_state


def _buttons(request, run: journal.Journal, phase: phases.Phase | None,
             stalled: bool) -> list[dict[str, str]]:
    """What can be done about a run by this user, now."""
    progress, server = run.progress, run.server
    if not rights.can_advance(request, run):
        return []
    left = progress.left or (not progress.removed
                             and progress.failure in _BROKEN)
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
        'label': wording.BUTTONS[what],
        'class': _CLASSES.get(what, 'btn-default'),
        'confirm': wording.CONFIRM_REMOVAL if what == 'remove' else '',
    }


def _phases(plan: journal.Plan, now: phases.Phase | None):
    order = phases.phases(plan)
    place = order.index(now) if now else len(order)
    return [{'label': wording.PHASES[phase],
             'state': ('done' if number < place else
                       'current' if number == place else 'todo')}
            for number, phase in enumerate(order)]


def _duration(seconds: int) -> str:
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return (f'{hours}:{minutes:02}:{seconds:02}' if hours
            else f'{minutes}:{seconds:02}')


class RunsView(generic.View):
    """The runs as they are, for those who only look."""

    def get(self, request):
        return render(request, _TEMPLATE, context(request))


class _WriteView(generic.View):
    """A POST by somebody who may bring runs forward; it shows all runs."""

    http_method_names = ['post']

    def dispatch(self, request, *args, **kwargs):
        if not rights.can_advance(request):
            raise django_exceptions.PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def post(self, request, server_id='', **kwargs):
        try:
            troubles = self.write(connect.cloud(request), str(server_id))
        except errors.ServiceError as error:
            troubles = {str(server_id): error}
        connect.log_out_if_expired(*(troubles or {}).values())
        if request.headers.get('X-Requested-With') != 'XMLHttpRequest':
            for error in (troubles or {}).values():
                messages.error(request, wording.trouble(error))
            return redirect('horizon:project:compute_snapshots:index')
        return render(request, _TEMPLATE, context(request, troubles))

    def write(self, cloud: clouds.Cloud, server_id: str):
        """Do it; the errors by the ids of the servers that they concern."""
        raise NotImplementedError


class AdvanceView(_WriteView):
    """Brings all open runs of the project forward."""

    def write(self, cloud, server_id):
        found = [run for run in advance.runs(cloud)[0]
                 if run.open and rights.can_advance(self.request, run)]
        results = cloud.together(*(
            functools.partial(advance.advance, cloud, run)
            for run in found))
        return {run.server.id: result
                for run, result in zip(found, results)
                if isinstance(result, errors.ServiceError)}


class _OneRunView(_WriteView):
    """Does something with the run of one server."""

    def write(self, cloud, server_id):
        run = journal.read(cloud.compute.server(server_id))
        if run is None:
            return
        if not rights.can_advance(self.request, run):
            raise django_exceptions.PermissionDenied
        self.write_run(cloud, run)

    def write_run(self, cloud: clouds.Cloud, run: journal.Journal):
        raise NotImplementedError


class CancelView(_OneRunView):
    """Gives a run up before its capture."""

    def write_run(self, cloud, run):
        advance.advance(cloud, advance.cancel(cloud, run))


class DismissView(_WriteView):
    """Takes a run away that is over, or that cannot be read or go on."""

    def write(self, cloud, server_id):
        server = cloud.compute.server(server_id)
        run = journal.read(server)
        if run is not None and run.open and not server.locked:
            return
        if run is not None and not run.open:
            advance.tidy(cloud, run)
        advance.forget(cloud, server_id)


class PowerOnView(_WriteView):
    """Powers an instance on that a run has left off."""

    def write(self, cloud, server_id):
        if not rights.can_power(self.request):
            raise django_exceptions.PermissionDenied
        if journal.all_tags(cloud.compute.server(server_id)):
            cloud.compute.start(server_id)


class RemoveView(_OneRunView):
    """Removes what a failed run has left."""

    def write_run(self, cloud, run):
        if not run.open:
            advance.remove(cloud, run)


class RetryView(_OneRunView):
    """Tries a failed run once more, if nothing is in its way."""

    def write_run(self, cloud, run):
        if run.open or run.tagged:
            return
        facts = preflight.look(cloud, run.server.id)
        found = wizard.obstacles(self.request, facts, run.plan.volumes)
        if found:
            for text in found:
                messages.error(self.request, text)
            return
        plan = advance.again(run, self.request.user.username)
        with contextlib.suppress(advance.Busy):
            advance.advance(cloud, advance.begin(cloud, facts.server, plan))
