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

import functools
import time

from django.core import exceptions as django_exceptions
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views import generic

from snapshot_dashboard import cloud as clouds
from snapshot_dashboard import settings
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots import rights
from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.runs import advance
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import phases

_TEMPLATE = 'project/compute_snapshots/_runs.html'


def context(request):
    """The template context of all runs, as they are."""
    try:
        found = advance.runs(connect.cloud(request))
    except errors.ServiceError as error:
        connect.log_out_if_expired(error)
        return _context(request, [], error)
    return _context(request, found, None)


def _context(request, runs: list[journal.Journal],
             problem: errors.ServiceError | None):
    may_advance = rights.can_advance(request)
    return {
        'runs': [_shown(run, may_advance) for run in runs],
        'runs_open': any(run.open for run in runs),
        'runs_problem': problem and wording.SERVICES[problem.service],
        'may_advance': may_advance,
        'poll_interval_ms': int(settings.get('POLL_INTERVAL') * 1000),
        # When this changes, the list below has changed too.
        'runs_state': ' '.join(
            f'{run.plan.run_id}:{run.progress.image_id}:'
            f'{run.progress.captured}:{run.progress.ended}' for run in runs),
    }


def _shown(run: journal.Journal, may_advance: bool):
    progress = run.progress
    now = phases.current(run)
    order = phases.phases(run.plan)
    failed = bool(progress.failure)
    shown = []
    for phase in order:
        if now is None:
            state = 'done'
        elif phase is now:
            state = 'current'
        else:
            state = ('done' if order.index(phase) < order.index(now)
                     else 'todo')
        shown.append({'label': wording.PHASES[phase], 'state': state})
    end = progress.ended or int(time.time())
    return {
        'run': run,
        'phases': [] if failed and progress.ended else shown,
        'now': wording.PHASES[now] if now else (
            _("Failed") if failed else _("Finished")),
        'elapsed': _duration(max(0, end - run.plan.began)),
        'failure': wording.failure(run),
        'can_cancel': (may_advance and run.open and not progress.captures
                       and not failed),
        'can_dismiss': may_advance and not run.open,
    }


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

    def post(self, request, **kwargs):
        try:
            self.write(connect.cloud(request), **kwargs)
        except errors.ServiceError as error:
            connect.log_out_if_expired(error)
            return render(request, _TEMPLATE, {
                **context(request),
                'runs_problem': wording.SERVICES[error.service]})
        return render(request, _TEMPLATE, context(request))

    def write(self, cloud: clouds.Cloud, **kwargs):
        raise NotImplementedError


class AdvanceView(_WriteView):
    """Brings all open runs of the project forward."""

    def write(self, cloud, **kwargs):
        results = cloud.together(*(
            functools.partial(advance.advance, cloud, run)
            for run in advance.runs(cloud) if run.open))
        for result in results:
            if isinstance(result, errors.ServiceError):
                raise result


class CancelView(_WriteView):
    """Gives a run up before its capture."""

    def write(self, cloud, server_id, **kwargs):
        run = journal.read(cloud.compute.server(str(server_id)))
        if run is not None:
            advance.advance(cloud, advance.cancel(cloud, run))


class DismissView(_WriteView):
    """Takes a finished run away."""

    def write(self, cloud, server_id, **kwargs):
        run = journal.read(cloud.compute.server(str(server_id)))
        if run is not None and not run.open:
            advance.dismiss(cloud, run)
