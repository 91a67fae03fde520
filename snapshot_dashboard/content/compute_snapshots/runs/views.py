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
from typing import Any

from django.core import exceptions as django_exceptions
from django.http import HttpRequest
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views import generic

from horizon import messages
from horizon.utils import http

from snapshot_dashboard.boot_tests import boot_test
from snapshot_dashboard.boot_tests import testing
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots import fragments
from snapshot_dashboard.content.compute_snapshots import permissions
from snapshot_dashboard.content.compute_snapshots import redirects
from snapshot_dashboard.content.compute_snapshots import refusals
from snapshot_dashboard.content.compute_snapshots.create import sources
from snapshot_dashboard.content.compute_snapshots.create import submission
from snapshot_dashboard.content.compute_snapshots.go_back import beginning
from snapshot_dashboard.content.compute_snapshots.runs import actions
from snapshot_dashboard.content.compute_snapshots.runs import display
from snapshot_dashboard.content.compute_snapshots.runs import (
    wording as runs_wording,
)
from snapshot_dashboard.content.compute_snapshots.switch_over import starting
from snapshot_dashboard.content.compute_snapshots.worker import handoff
from snapshot_dashboard.restores import restoring
from snapshot_dashboard.runs import failures
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import reconcile
from snapshot_dashboard.runs import record
from snapshot_dashboard.switch_overs import switching

#: What went wrong, by the ids of the servers.
Troubles = dict[str, errors.ServiceError]
#: Runs that are dismissed by one click: each takes some fifty calls.
_AT_ONCE = 10


class RunsView(generic.View):
    """The runs as they are, for those who only look."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return fragments.render(request, display.TEMPLATE,
                                display.context(request))


class WriteView(generic.View):
    """A POST by somebody who may bring runs forward; it shows all runs."""

    http_method_names = ['post']
    #: Whether it does something that a user asked for, beyond going on.
    is_wish = True

    def dispatch(self, request: HttpRequest, *args: Any,
                 **kwargs: Any) -> HttpResponse:
        if not self.is_allowed():
            raise django_exceptions.PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def is_allowed(self) -> bool:
        return permissions.can_advance(self.request)

    #: What is known of the runs, where the request has changed nothing.
    unchanged: display.Sight | None = None

    @functools.cached_property
    def refusals(self) -> refusals.Refusals:
        return refusals.Refusals(
            () if 'resume' in self.request.GET
            else self.request.POST.getlist(refusals.FIELD))

    def post(self, request: HttpRequest, server_id: str = '',
             **kwargs: Any) -> HttpResponse:
        try:
            troubles = self.write(connect.cloud(request), str(server_id)) or {}
        except errors.ServiceError as error:
            troubles = {str(server_id): error}
        self.refusals.forget(str(server_id))
        told = {of: runs_wording.refused_before(error)
                for of, error in self.refusals.errors.items()}
        told |= {of: runs_wording.trouble(error, self.is_wish)
                 for of, error in troubles.items()}
        if not http.is_ajax(request):
            for text in told.values():
                messages.error(request, text)
            return redirect(redirects.list_address(request))
        return fragments.render(request, display.TEMPLATE, {
            **display.context(request, told, sight=self.unchanged),
            'refused': self.refusals.fields})

    def write(self, cloud: services.Cloud, server_id: str) -> Troubles | None:
        """Do it; the errors by the ids of the servers that they concern."""
        raise NotImplementedError


class AdvanceView(WriteView):
    """Brings the open runs of the project forward that no worker is at."""

    is_wish = False

    def write(self, cloud: services.Cloud, server_id: str) -> Troubles:
        sight = display.find(self.request)
        if sight.problem is not None:
            raise sight.problem
        found = [run for run in sight.found.open
                 if permissions.can_advance(self.request, run)
                 # Whose instance is off is tried for as long as it takes.
                 and (actions.is_left_off(run)
                      or not self.refusals.believed(run.server.id))
                 and connect.approves(run)
                 and not handoff.is_looked_after(self.request, run)]
        results = cloud.gather_named({
            run.server.id: functools.partial(
                reconcile.advance, cloud, run, approves=connect.approves,
                glimpse=run.server)
            for run in found})
        asked = list(results)
        changed = [run for run in found if results[run.server.id] != run]
        # One at a time, and none of them is news to anybody.
        old = [run for run in sight.found.runs if display.is_no_news(run)
               and permissions.can_advance(self.request, run)]
        cloud.gather(*(functools.partial(_dismiss, cloud, run)
                       for run in old[:1]))
        if not (changed or old or sight.restores or sight.switch_overs
                or sight.found.restored_servers
                or sight.found.switched_servers or sight.found.test_servers):
            self.unchanged = sight
        if permissions.can_restore_any(self.request):
            results |= self._restores(cloud, sight)
        if permissions.can_switch_over(self.request):
            results |= self._switch_overs(cloud, sight)
        if (permissions.can_remove_tests(self.request)
                and not self.refusals.believed(refusals.TESTS)):
            asked.append(refusals.TESTS)
            # What is in the way of one shows on its snapshot's page.
            _left, problems = testing.advance_all(cloud, boot_test.read_all(
                sight.found.test_servers), connect.seal())
            results.update((refusals.TESTS, error) for error in problems
                           if errors.lacks_rights(error))
        troubles = {server_id: result for server_id, result in results.items()
                    if isinstance(result, errors.ServiceError)}
        self.refusals.note(asked, troubles)
        return troubles

    def _restores(self, cloud: services.Cloud,
                  sight: display.Sight) -> dict[str, object]:
        """Likewise, the restores."""
        known = {found.plan.server_id for found in sight.restores}
        tagged = [server for server in sight.found.restored_servers
                  if record.is_being_restored(server)]
        cloud.gather(*(functools.partial(restoring.sweep, cloud, server)
                       for server in tagged if server.id not in known))
        over = {server.id for server in tagged}
        going_on = [found for found in sight.restores
                    if (found.open or found.plan.server_id in over)
                    and beginning.approves(found)
                    and not handoff.is_record_looked_after(
                        self.request, found)]
        results = cloud.gather(*(
            functools.partial(restoring.advance, cloud, found,
                              beginning.approves) for found in going_on))
        return {found.plan.server_id: result for found, result in zip(
            going_on, results, strict=True)}

    def _switch_overs(self, cloud: services.Cloud,
                      sight: display.Sight) -> dict[str, object]:
        """Likewise, the switch-overs."""
        known = {server_id for found in sight.switch_overs if found.open
                 for server_id in (found.plan.copy_id,
                                   found.plan.original_id)}
        cloud.gather(*(
            functools.partial(switching.sweep, cloud, server)
            for server in sight.found.switched_servers
            if record.is_switching(server) and server.id not in known))
        return cloud.gather_named({
            found.plan.home_id: functools.partial(
                switching.advance, cloud, found, starting.approves)
            for found in sight.switch_overs
            if found.open and starting.approves(found)
            and not handoff.is_record_looked_after(self.request, found)})


class _OneRunView(WriteView):
    """Does something with the run of one server."""

    def write(self, cloud: services.Cloud, server_id: str) -> None:
        run = journal.read(cloud.compute.server(server_id))
        if run is None:
            return
        if not permissions.can_advance(self.request, run):
            raise django_exceptions.PermissionDenied
        self.write_run(cloud, run)

    def write_run(self, cloud: services.Cloud, run: record.Run) -> None:
        raise NotImplementedError


class CancelView(_OneRunView):
    """Gives a run up before its capture."""

    def write_run(self, cloud: services.Cloud, run: record.Run) -> None:
        run = lifecycle.cancel(cloud, run)
        if run.progress.failure != failures.Failure.CANCELLED.value:
            raise lifecycle.TooLate('compute', 'It is too late to cancel.')
        if connect.approves(run):
            reconcile.advance(cloud, run, approves=connect.approves)


class AdoptView(_OneRunView):
    """Goes on with a run that somebody else wrote down, on a user's word."""

    def write_run(self, cloud: services.Cloud, run: record.Run) -> None:
        if run.open and not run.lost:
            lifecycle.adopt(cloud, run, connect.seal())


def _dismiss(cloud: services.Cloud, run: record.Run) -> None:
    """Take a run away that is over, and what came late of it."""
    if connect.approves(run):
        lifecycle.tidy(cloud, run)
    lifecycle.dismiss(cloud, run.server.id, run.plan.run_id)


class DismissView(WriteView):
    """Takes a run away that is over, or that cannot be read or go on."""

    def write(self, cloud: services.Cloud, server_id: str) -> None:
        server = cloud.compute.server(server_id)
        run = journal.read(server)
        if run is not None and run.open and not server.locked and (
                connect.approves(run)):
            return
        if run is not None and not run.open:
            _dismiss(cloud, run)
        else:
            lifecycle.dismiss(cloud, server_id)


class DismissAllView(WriteView):
    """Takes runs away that went well, some at a time."""

    def write(self, cloud: services.Cloud, server_id: str) -> Troubles:
        sight = display.find(self.request)
        if sight.problem is not None:
            raise sight.problem
        over = [run for run in sight.found.runs if display.went_well(run)
                and permissions.can_advance(self.request, run)]
        results = cloud.gather_named({
            run.server.id: functools.partial(_dismiss, cloud, run)
            for run in over[:_AT_ONCE]})
        return {server_id: result for server_id, result in results.items()
                if isinstance(result, errors.ServiceError)}


class PowerOnView(WriteView):
    """Powers an instance on that a run has left off."""

    def write(self, cloud: services.Cloud, server_id: str) -> None:
        if not permissions.can_power(self.request):
            raise django_exceptions.PermissionDenied
        run = journal.read(cloud.compute.server(server_id))
        if run is not None and actions.is_left_off(run):
            cloud.compute.start(server_id)


class RemoveView(_OneRunView):
    """Removes what a failed run has left."""

    def write_run(self, cloud: services.Cloud, run: record.Run) -> None:
        if not run.open:
            lifecycle.remove_leftovers(cloud, run)


class RetryView(_OneRunView):
    """Tries a failed run once more, if nothing is in its way."""

    def write_run(self, cloud: services.Cloud, run: record.Run) -> None:
        if run.open or not actions.can_retry(run):
            return
        source = sources.of_run(self.request, run)
        found = source.obstacles(
            run.plan.volumes if run.plan.captures_image else (),
            power_off=run.plan.power_off)
        if not set(run.plan.volumes) <= set(run.server.volume_ids):
            found.append(runs_wording.detached(run.plan))
        if found:
            for text in found:
                messages.error(self.request, text)
            return
        plan = lifecycle.plan_again(
            run, self.request.user.username,
            sources.stamped_anew(run.plan.name), connect.seal())
        try:
            submission.submit(self.request, run.server, plan,
                              after=source.latest_request)
        except lifecycle.Busy:
            pass  # the page shows what is under way
        except lifecycle.Unclear as unclear:
            raise unclear.error from unclear
