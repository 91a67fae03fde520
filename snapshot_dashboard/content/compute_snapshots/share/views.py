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

"""Sharing an instance snapshot with other projects."""

from typing import Any

from django.core import exceptions as django_exceptions
from django.http import Http404
from django.http import HttpRequest
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from django.views import generic

from horizon import messages
from horizon import views as horizon_views
from horizon.forms import views as form_views

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import types
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots import permissions
from snapshot_dashboard.content.compute_snapshots import redirects
from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.content.compute_snapshots.share import (
    forms as share_forms,
)
from snapshot_dashboard.content.compute_snapshots.share import (
    wording as share_wording,
)
from snapshot_dashboard.snapshots import commands
from snapshot_dashboard.snapshots import fetch
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.snapshots import sharing


def _tell_refusal(request: HttpRequest, error: errors.ServiceError) -> None:
    messages.error(request, _(
        "Nothing was changed. Error from %(service)s: %(detail)s")
        % wording.said(error))


class AnswerView(generic.View):
    """Accepts or declines what another project shares."""

    http_method_names = ['post']

    def post(self, request: HttpRequest, row_id: str) -> HttpResponse:
        answer = request.POST.get('answer')
        if answer not in share_wording.ANSWERED:
            return redirect(redirects.list_address(request))
        if not permissions.can_answer(request):
            raise django_exceptions.PermissionDenied
        cloud = connect.cloud(request)
        try:
            image = fetch.entry(cloud, row_id, shared=True)
            if not sharing.is_offer(cloud, image):
                raise errors.NotFound('image', image.id)
            cloud.images.answer(image.id, cloud.project_id, answer)
            messages.success(request, share_wording.ANSWERED[answer] % (
                image.name or image.id))
        except errors.NotFound:
            messages.info(request, _("It is no longer shared with this "
                                     "project."))
        except errors.ServiceError as error:
            _tell_refusal(request, error)
        return redirect(redirects.list_address(request))


class ShareView(form_views.ModalFormMixin, horizon_views.HorizonTemplateView):
    """Shows with whom by GET; shares and takes back by POST."""

    template_name = 'project/compute_snapshots/share/share.html'
    page_title = _("Share Snapshot")

    def dispatch(self, request: HttpRequest, *args: Any,
                 **kwargs: Any) -> HttpResponse:
        if not permissions.can_share(request):
            raise django_exceptions.PermissionDenied
        with redirects.to_index_on_error(request):
            entry = fetch.entry(connect.cloud(request), kwargs['row_id'])
            if not isinstance(entry, types.Image):
                raise Http404
            self.image = entry
            return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        refusal = sharing.refusal(self.image)
        members = [] if refusal else sharing.members(
            connect.cloud(self.request), self.image)
        return super().get_context_data(**{
            'form': share_forms.ProjectForm(), **kwargs,
            'snapshot': model.summary(self.image),
            'refusal': share_wording.UNSHARABLE[refusal] if refusal else '',
            'members': [{'id': member.project_id,
                         'status': share_wording.STATUSES.get(member.status,
                                                              member.status)}
                        for member in members],
            'accept': commands.accept(self.image.id)})

    def _problem(self, project: str) -> str:
        """Why nothing can be shared with a project; empty if it can.

        Most users may not look up others' projects: then Glance takes any.
        """
        cloud = connect.cloud(self.request)
        if project == cloud.project_id:
            return _("This is your own project.")
        if cloud.has('identity'):
            answer, = cloud.gather(lambda: cloud.identity.project_name(
                project))
            if isinstance(answer, errors.NotFound):
                return _("There is no project with this ID.")
        return ''

    def _remove(self, project: str, row_id: str) -> HttpResponse:
        """Take back a share, whatever its project's id looks like."""
        cloud = connect.cloud(self.request)
        try:
            sharing.stop_sharing(cloud, self.image, project)
            messages.success(self.request, _(
                "It is no longer shared with %s.") % project)
        except errors.NotFound:
            messages.info(self.request,
                          _("It is not shared with %s.") % project)
        except errors.ServiceError as error:
            _tell_refusal(self.request, error)
        return redirect('horizon:project:compute_snapshots:share', row_id)

    def post(self, request: HttpRequest, row_id: str) -> HttpResponse:
        cloud = connect.cloud(request)
        if 'remove' in request.POST:
            return self._remove(request.POST.get('project', ''), row_id)
        form = share_forms.ProjectForm(request.POST)
        if sharing.refusal(self.image) or not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form))
        project = form.cleaned_data['project']
        problem = self._problem(project)
        if problem:
            form.add_error('project', problem)
            return self.render_to_response(self.get_context_data(form=form))
        try:
            sharing.share(cloud, self.image, project)
            messages.success(request, _(
                "It is shared with %s. A member of that project must now "
                "accept it.") % project)
        except errors.Conflict:
            messages.info(request, _("It is already shared with %s.")
                          % project)
        except errors.ServiceError as error:
            _tell_refusal(request, error)
        return redirect('horizon:project:compute_snapshots:share', row_id)
