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

"""The page of one snapshot."""

import functools
from typing import Any

from django.core import exceptions as django_exceptions
from django.http import Http404
from django.http import HttpRequest
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views import generic

from horizon import messages
from horizon import views as horizon_views

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types
from snapshot_dashboard.content.compute_snapshots import cells
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots import fragments
from snapshot_dashboard.content.compute_snapshots import permissions
from snapshot_dashboard.content.compute_snapshots import redirects
from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.content.compute_snapshots.boot_test import (
    wording as boot_test_wording,
)
from snapshot_dashboard.content.compute_snapshots.detail import (
    wording as detail_wording,
)
from snapshot_dashboard.content.compute_snapshots.index import (
    tables as index_tables,
)
from snapshot_dashboard.content.compute_snapshots.runs import display
from snapshot_dashboard.content.compute_snapshots.share import (
    wording as share_wording,
)
from snapshot_dashboard.inspection import check
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import record
from snapshot_dashboard.snapshots import commands
from snapshot_dashboard.snapshots import dependants
from snapshot_dashboard.snapshots import details
from snapshot_dashboard.snapshots import fetch
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.snapshots import statuses


class DetailView(horizon_views.HorizonTemplateView):
    """What was captured and what was not, and all that is known of it."""

    template_name = 'project/compute_snapshots/detail/detail.html'
    page_title = '{{ title }}'

    def get(self, request: HttpRequest, row_id: str) -> HttpResponse:
        with redirects.to_index_on_error(request):
            found = details.get(connect.cloud(request), row_id)
        return self.render_to_response(self.get_context_data(found=found))

    def get_context_data(self, found: details.Details,
                         **kwargs: Any) -> dict[str, Any]:
        snapshot = found.snapshot
        failed = snapshot.motion is statuses.Outcome.FAILED
        table = index_tables.SnapshotsTable(self.request)
        return super().get_context_data(
            title=snapshot.name or snapshot.id,
            details=found, snapshot=snapshot,
            url=redirects.list_address(self.request),
            actions=table.render_row_actions(snapshot),
            kind=wording.KINDS[snapshot.kind],
            status=cells.render_status(snapshot, explained=not failed),
            source=cells.render_source(snapshot, whole=True),
            created=cells.render_created(snapshot),
            size=cells.render_size(snapshot),
            consistency=wording.consistency_of(snapshot),
            lead=detail_wording.lead(snapshot),
            failed=failed,
            status_meaning=wording.STATUS_MEANINGS.get(snapshot.status, ''),
            captured=detail_wording.captured(snapshot),
            checked=found.checked, verdict=found.checked and (
                detail_wording.VERDICTS[found.checked.verdict]),
            can_check=found.can_check and permissions.can_check(self.request),
            can_test=bool(found.boots_from) and snapshot.usable
            and permissions.can_test(self.request, snapshot),
            tested_verdict=found.tested and (
                boot_test_wording.VERDICTS[found.tested.verdict]),
            not_captured=detail_wording.not_captured(snapshot,
                                                     found.volumes),
            bootable=detail_wording.bootable(snapshot),
            members=None if found.members is None else [
                {'id': member.project_id,
                 'status': share_wording.STATUSES.get(member.status,
                                                      member.status)}
                for member in found.members],
            made_by=detail_wording.made_by(found.user_id, self.request.user),
            parts=wording.parts(snapshot, found.volumes),
            pieces=[{'piece': piece, 'commands': [
                {'text': command.text,
                 'label': detail_wording.COMMANDS[command.what]}
                for command in piece.commands]}
                for piece in commands.pieces(found)],
            can_answer=permissions.can_answer(self.request),
            encrypted=[part_id for part_id, value in found.encrypted.items()
                       if value],
            purpose=wording.MEANT_FOR.get(found.purpose, ''),
            old=detail_wording.old(snapshot, timezone.now()),
            expired=snapshot.expired(timezone.localdate()),
            can_create_volume=permissions.can_create_volume(self.request),
            **kwargs)


class CheckView(generic.View):
    """Looks at the bytes of an image, and notes what they say on it."""

    http_method_names = ['post']

    def post(self, request: HttpRequest, row_id: str) -> HttpResponse:
        if not permissions.can_check(request):
            raise django_exceptions.PermissionDenied
        cloud = connect.cloud(request)
        with redirects.to_index_on_error(request):
            image = fetch.entry(cloud, row_id)
        if isinstance(image, types.Image) and check.can_check(image):
            try:
                report = check.check(cloud, image, timezone.now())
                messages.info(request, detail_wording.VERDICTS[report.verdict])
            except errors.ServiceError as error:
                messages.error(request, detail_wording.unchecked(error))
        return redirect('horizon:project:compute_snapshots:detail', row_id)


class HistoryView(generic.View):
    """The run that made a snapshot, and what Cinder says of it."""

    def get(self, request: HttpRequest, row_id: str) -> HttpResponse:
        cloud = connect.cloud(request)
        try:
            entry = fetch.entry(cloud, row_id, shared=True)
        except errors.NotFound:
            raise Http404 from None
        except errors.ServiceError as error:
            return self._show(request, [error])
        run, found = cloud.gather(
            functools.partial(_run_of, cloud, entry),
            functools.partial(details.messages, cloud, model.summary(entry)))
        return self._show(request, errors.among((run, found)), run, found)

    def _show(self, request: HttpRequest, problems: list[errors.ServiceError],
              run: record.Run | errors.ServiceError | None = None,
              found: list[types.Message] | errors.ServiceError | None = None
              ) -> HttpResponse:
        return fragments.render(
            request, 'project/compute_snapshots/detail/_history.html', {
                'run': (display.shown(request, run)
                        if isinstance(run, record.Run) else None),
                'messages': found if isinstance(found, list) else [],
                'problems': [detail_wording.unknown_history(error)
                             for error in problems]})


def _run_of(cloud: services.Cloud, entry: kinds.Entry) -> record.Run | None:
    """The run that made something, if its record is still there."""
    own = model.own_marks(entry)
    if marks.RUN not in own or marks.INSTANCE not in own:
        return None
    try:
        run = journal.read(cloud.compute.server(own[marks.INSTANCE]))
    except errors.NotFound:
        return None
    return run if run and run.plan.run_id == own[marks.RUN] else None


class PartsView(generic.View):
    """The parts of a row with their volumes: loaded when it is opened."""

    def get(self, request: HttpRequest, row_id: str) -> HttpResponse:
        cloud = connect.cloud(request)
        try:
            snapshot = fetch.snapshot(cloud, row_id)
        except errors.NotFound:
            raise Http404 from None
        except errors.ServiceError:
            return HttpResponse(status=503)  # the row keeps what it shows
        return fragments.render(
            request, 'project/compute_snapshots/cells/_part_list.html',
            {'parts': wording.parts(snapshot,
                                    details.volumes(cloud, snapshot))})


class DependantsView(generic.View):
    """What was made from a snapshot: loaded after its page."""

    def get(self, request: HttpRequest, row_id: str) -> HttpResponse:
        cloud = connect.cloud(request)
        try:
            snapshot = fetch.summary(cloud, row_id)
            found = dependants.find(cloud, [snapshot])[snapshot.row_id]
        except errors.NotFound:
            raise Http404 from None
        except errors.ServiceError as error:
            found = dependants.Dependants(problems=(error,))
        return fragments.render(
            request, 'project/compute_snapshots/detail/_dependants.html',
            {'dependants': found, 'most': dependants.MOST,
             'problems': [wording.unknown_dependants(error)
                          for error in found.problems]})
