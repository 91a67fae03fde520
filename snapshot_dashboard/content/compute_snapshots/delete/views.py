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

"""Deleting snapshots: what goes, in which order, and what came of it."""

import functools
from typing import Any

from django.core import exceptions as django_exceptions
from django.http import Http404
from django.http import HttpRequest
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from horizon import messages
from horizon import views as horizon_views
from horizon.forms import views as form_views

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.content.compute_snapshots import cells
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots import permissions
from snapshot_dashboard.content.compute_snapshots import redirects
from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.content.compute_snapshots.delete import (
    wording as delete_wording,
)
from snapshot_dashboard.snapshots import deletion
from snapshot_dashboard.snapshots import dependants
from snapshot_dashboard.snapshots import fetch
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.snapshots import sharing

#: Snapshots that one request may delete: as many as a large page shows.
MOST = 200


class DeleteView(form_views.ModalFormMixin, horizon_views.HorizonTemplateView):
    """Shows the plan, and carries it out by POST.

    A row's button asks for the plan by GET. The list posts what is chosen in
    it, for that may be too much for an address.
    """

    template_name = 'project/compute_snapshots/delete/delete.html'
    page_title = _("Delete Snapshots")

    def dispatch(self, request: HttpRequest, *args: Any,
                 **kwargs: Any) -> HttpResponse:
        if not permissions.can_delete_any(request):
            raise django_exceptions.PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, *args: Any,
            **kwargs: Any) -> HttpResponse:
        found, lost = self._look(request.GET.getlist('row'))
        if not found and not lost:
            raise Http404
        return self.show(found, delete_wording.not_found_out(lost))

    def post(self, request: HttpRequest, *args: Any,
             **kwargs: Any) -> HttpResponse:
        """:param chosen: what the list's user has chosen in it."""
        if 'chosen' in kwargs:
            found, lost = self._look(kwargs['chosen'])
            return self.show(found, delete_wording.not_found_out(lost))
        return self.carry_out(request, request.POST.getlist('row'))

    def action(self) -> str:
        """Where the plan is confirmed."""
        return reverse('horizon:project:compute_snapshots:delete')

    def carry_out(self, request: HttpRequest,
                  row_ids: list[str]) -> HttpResponse:
        """Delete these, by a plan that is made anew."""
        found, lost = self._look(row_ids)
        if any(not permissions.can_delete(request, row) for row in found):
            raise django_exceptions.PermissionDenied
        cloud = connect.cloud(request)
        results = deletion.carry_out(cloud, deletion.plan(cloud, found),
                                     _agreed(request),
                                     request.POST.getlist('going'))
        self._tell(request, results, lost)
        return redirect(redirects.list_address(request))

    def show(self, found: list[model.Snapshot],
             notes: list[str]) -> HttpResponse:
        """The plan for some snapshots."""
        cloud = connect.cloud(self.request)
        made = dependants.find(cloud, found)
        shared = sharing.members_of(cloud, found)
        plan = deletion.plan(cloud, found, functools.partial(
            permissions.can_delete, self.request))
        entries = [{
            'entry': entry, 'snapshot': entry.snapshot,
            'kind': wording.KINDS[entry.snapshot.kind],
            'stays': [(part, owners) for part in entry.snapshot.parts
                      if (owners := entry.needed.get(part.id))],
            'dependants': made[entry.snapshot.row_id],
            'size': cells.render_size(entry.snapshot),
            'age': cells.render_age(entry.snapshot),
            'members': shared.get(entry.snapshot.row_id, []),
            'members_unknown': entry.snapshot.row_id not in shared,
            'problems': [wording.unknown_dependants(error) for error
                         in made[entry.snapshot.row_id].problems],
            'blocked': (delete_wording.HINDRANCES[entry.hindrance]
                        if entry.hindrance else ''),
        } for entry in plan.entries]
        return self.render_to_response(self.get_context_data(
            going=[entry for entry in entries if not entry['blocked']],
            staying=[entry for entry in entries if entry['blocked']],
            most=dependants.MOST, notes=notes, action=self.action()))

    def _look(self, row_ids: list[str]
              ) -> tuple[list[model.Snapshot], list[errors.ServiceError]]:
        """The snapshots as they are now; one that is gone is left out."""
        return fetch.several(connect.cloud(self.request), row_ids[:MOST])

    def _tell(self, request: HttpRequest,
              results: list[tuple[deletion.Entry, deletion.Outcome]],
              lost: list[errors.ServiceError]) -> None:
        """One message of what was done, and one of what was not."""
        done = [entry.snapshot for entry, kept in results
                if isinstance(kept, list)]
        if done:
            messages.success(request, ngettext(
                "Deleting %(count)d snapshot: %(names)s.",
                "Deleting %(count)d snapshots: %(names)s.",
                len(done)) % {'count': len(done),
                              'names': wording.names(done)})
        kept = [delete_wording.kept(entry.snapshot, answer)
                for entry, answer in results if answer]
        kept += delete_wording.not_found_out(lost)
        if kept:
            messages.error(request, ' '.join(kept))
        elif not done:
            messages.info(request, _("Nothing was deleted."))


def _agreed(request: HttpRequest) -> set[tuple[str, str]]:
    """Which volume snapshot may go though which image needs it."""
    pairs = (value.partition(' ') for value
             in request.POST.getlist('agreed'))
    return {(part_id, image_id) for part_id, _, image_id in pairs}
