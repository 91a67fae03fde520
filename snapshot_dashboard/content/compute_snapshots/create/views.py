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

"""The wizard, and the facts that it shows of what is chosen."""

import datetime
from typing import Any

from django.core import exceptions as django_exceptions
from django.http import Http404
from django.http import HttpRequest
from django.http import HttpResponse
from django.utils import timezone
from django.views import generic

from horizon import workflows

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.content.compute_snapshots import fragments
from snapshot_dashboard.content.compute_snapshots import permissions
from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.content.compute_snapshots.create import sources
from snapshot_dashboard.content.compute_snapshots.create import workflow

#: How long one may want to go back after a change.
_CHANGE_TAKES = datetime.timedelta(days=14)


class CreateView(workflows.WorkflowView):
    """The wizard that takes a snapshot."""

    workflow_class = workflow.CreateSnapshot

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs),
                'page_title': self.workflow_class.name}

    def dispatch(self, request: HttpRequest, *args: Any,
                 **kwargs: Any) -> HttpResponse:
        if not permissions.can_create_any(request):
            raise django_exceptions.PermissionDenied
        return super().dispatch(request, *args, **kwargs)


class FactsView(generic.View):
    """What the wizard shows once something is chosen."""

    def get(self, request: HttpRequest) -> HttpResponse:
        if not permissions.can_create_any(request):
            raise django_exceptions.PermissionDenied
        try:
            source = sources.find(request, request.GET.get('source', ''))
        except errors.NotFound:
            raise Http404 from None
        except errors.ServiceError as error:
            return fragments.render(
                request, 'project/compute_snapshots/create/_no_facts.html',
                {'service': wording.SERVICES[error.service]})
        return fragments.render(request, source.template, {
            'source': source,
            'change_until': (timezone.localdate() + _CHANGE_TAKES
                             ).isoformat(),
            'obstacles': source.obstacles(),
            'unknown': [wording.SERVICES[error.service]
                        for error in source.facts.unknown],
            'may_not_power': source.facts.can_power_off
            and not source.can_power_off,
            **source.template_context()})
