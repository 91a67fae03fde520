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

from typing import Any

from django.core import exceptions as django_exceptions
from django.http import HttpRequest
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from horizon import forms
from horizon.utils import memoized

from snapshot_dashboard.content.compute_snapshots import cells
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots import permissions
from snapshot_dashboard.content.compute_snapshots import redirects
from snapshot_dashboard.content.compute_snapshots.create import (
    wording as create_wording,
)
from snapshot_dashboard.content.compute_snapshots.go_back import beginning
from snapshot_dashboard.content.compute_snapshots.go_back import (
    forms as go_back_forms,
)
from snapshot_dashboard.content.compute_snapshots.go_back import (
    wording as go_back_wording,
)
from snapshot_dashboard.preflight import disk_facts
from snapshot_dashboard.restores import choices
from snapshot_dashboard.snapshots import details
from snapshot_dashboard.snapshots import kinds


class GoBackView(forms.ModalFormView):
    """The ways back, what each does to which disk, and the form."""

    form_class = go_back_forms.GoBackForm
    form_id = 'go_back'
    page_title = _("Go Back to This Snapshot")
    submit_label = _("Go Back")
    template_name = 'project/compute_snapshots/go_back/go_back.html'

    def dispatch(self, request: HttpRequest, *args: Any,
                 **kwargs: Any) -> HttpResponse:
        cloud = connect.cloud(request)
        with redirects.to_index_on_error(request):
            found = details.get(cloud, kwargs['row_id'])
            self.facts = beginning.gather(request, found)
        if not permissions.can_go_back(request, found.snapshot):
            raise django_exceptions.PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    @property
    def swaps_alone(self) -> bool:
        """Whether it is about the snapshot of one volume."""
        return self.facts.snapshot.kind is kinds.Kind.VOLUME

    def get_form_class(self) -> type[forms.SelfHandlingForm]:
        return (go_back_forms.SwapForm if self.swaps_alone
                else go_back_forms.GoBackForm)

    def get_success_url(self) -> str:
        return redirects.list_address(self.request)

    @memoized.memoized_method
    def get_initial(self) -> dict[str, Any]:
        instance = self.facts.instance
        runs = instance is not None and instance.server.status == 'ACTIVE'
        if self.swaps_alone:
            return {'facts': self.facts}
        return {'facts': self.facts, 'run_again': runs, 'safety': bool(
            instance and not choices.safety_obstacles(self.facts)),
            'volumes': [swap.volume_id for swap in self.facts.swaps]}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        facts, snapshot = self.facts, self.facts.snapshot
        instance = facts.instance
        found = (choices.swap_obstacles(facts) if self.swaps_alone
                 else choices.find_obstacles(facts))
        may_create = permissions.can_create_volume(self.request)
        things: list[Any] = [snapshot] if self.swaps_alone else [
            part for part in snapshot.parts if part.status == 'available']
        return {
            **super().get_context_data(**kwargs),
            'snapshot': snapshot,
            'server': instance.server if instance else None,
            'swaps_alone': self.swaps_alone,
            'volume': facts.volume,
            'obstacles': [go_back_wording.obstacle(obstacle)
                          for obstacle in found],
            'disks': [
                {'disk': disk, 'role': create_wording.ROLES[disk.role],
                 'fate': go_back_wording.FATES[facts.fate(disk)],
                 'lost': facts.fate(disk) in (choices.Fate.OVERWRITTEN,
                                              choices.Fate.EMPTIED),
                 'size': cells.size_text(disk.size_mib * 1024 ** 2)
                 if disk.size_mib else ''}
                for disk in (instance.disks if instance else ())],
            'ephemeral': instance and any(
                disk.role is disk_facts.Role.EPHEMERAL
                for disk in instance.disks),
            'safety_obstacles': go_back_wording.safety_obstacles(facts),
            'safety_days': beginning.SAFETY_DAYS,
            'launch_url': reverse(
                'horizon:project:compute_snapshots:launch',
                args=[snapshot.row_id]) if snapshot.usable and (
                    snapshot.has_recipe
                    and permissions.can_launch(self.request)) else '',
            'switch_over_url': reverse(
                'horizon:project:compute_snapshots:switch_over',
                args=[snapshot.row_id]) if snapshot.usable and (
                    permissions.can_switch_over(self.request)) else '',
            'volumes': [
                {'thing': thing, 'url': reverse(
                    'horizon:project:volumes:create')
                    + f'?snapshot_id={thing.id}'}
                for thing in things] if may_create else [],
            'cancel_url': self.get_success_url(),
            'submit_url': reverse('horizon:project:compute_snapshots:go_back',
                                  args=[self.kwargs['row_id']])}
