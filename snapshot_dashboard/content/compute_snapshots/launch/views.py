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

"""Launching an instance from a snapshot, with the settings of the original
where they are known.
"""

from typing import Any

from django.core import exceptions as django_exceptions
from django.http import Http404
from django.http import HttpRequest
from django.http import HttpResponse
from django.urls import reverse
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from horizon import forms
from horizon.utils import memoized

from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots import permissions
from snapshot_dashboard.content.compute_snapshots import redirects
from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.content.compute_snapshots.launch import (
    forms as launch_forms,
)
from snapshot_dashboard.content.compute_snapshots.launch import (
    wording as launch_wording,
)
from snapshot_dashboard.snapshots import details
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import launch
from snapshot_dashboard.snapshots import recipes


class LaunchView(forms.ModalFormView):
    """The form, and what the original had that is not there any more."""

    form_class = launch_forms.LaunchForm
    form_id = 'launch_like'
    submit_label = _("Launch Instance")
    success_url = reverse_lazy('horizon:project:instances:index')
    template_name = 'project/compute_snapshots/launch/launch.html'

    def dispatch(self, request: HttpRequest, *args: Any,
                 **kwargs: Any) -> HttpResponse:
        if not permissions.can_launch(request):
            raise django_exceptions.PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    @memoized.memoized_method
    def get_initial(self) -> dict[str, Any]:
        cloud = connect.cloud(self.request)
        with redirects.to_index_on_error(self.request):
            found = details.get(cloud, self.kwargs['row_id'])
        snapshot, source = found.snapshot, found.snapshot.source
        if snapshot.bootable is False:
            raise Http404
        options = launch.fetch_options(
            cloud, snapshot.volume_backed
            or snapshot.kind is kinds.Kind.VOLUME)
        recipe = found.recipe or recipes.Recipe(
            networks=tuple(options.networks) if len(options.networks) == 1
            else ())
        return {
            'details': found, 'options': options,
            'name': source.name if source and found.recipe else snapshot.name,
            'flavor': recipe.flavor, 'networks': list(recipe.networks),
            'groups': list(recipe.groups), 'key': recipe.key,
            'zone': recipe.zone}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        initial = self.get_initial()
        found, options = initial['details'], initial['options']
        snapshot = found.snapshot
        return {
            **super().get_context_data(**kwargs),
            'page_title': (_("Launch with Original Settings") if found.recipe
                           else _("Launch Instance")),
            'snapshot': snapshot, 'has_recipe': found.recipe is not None,
            'missing': [launch_wording.missing(piece, name) for piece, name
                        in launch.missing(found.recipe, options)],
            'obstacles': [launch_wording.obstacle(obstacle) for obstacle
                          in launch.obstacles(found, options)],
            'unknown': [wording.SERVICES[error.service]
                        for error in options.problems],
            'lacks': wording.lacks(snapshot),
            'consistency': wording.consistency(snapshot.consistency),
            'not_captured': launch_wording.not_captured(
                bool(snapshot.parts) and not snapshot.volume_backed,
                snapshot.kind is kinds.Kind.VOLUME),
            'cancel_url': redirects.list_address(self.request),
            'submit_url': reverse('horizon:project:compute_snapshots:launch',
                                  args=[self.kwargs['row_id']])}
