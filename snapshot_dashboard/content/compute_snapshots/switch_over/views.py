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

"""The page on which an instance takes the addresses of another over."""

from typing import Any

from django.core import exceptions as django_exceptions
from django.http import HttpRequest
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from horizon import forms
from horizon.utils import memoized

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots import permissions
from snapshot_dashboard.content.compute_snapshots import redirects
from snapshot_dashboard.content.compute_snapshots.switch_over import (
    forms as switch_over_forms,
)
from snapshot_dashboard.content.compute_snapshots.switch_over import (
    wording as switch_over_wording,
)
from snapshot_dashboard.snapshots import details
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.switch_overs import choices


class SwitchOverView(forms.ModalFormView):
    """What moves, what is in the way, and the form."""

    form_class = switch_over_forms.SwitchOverForm
    form_id = 'switch_over'
    page_title = _("Switch Over")
    submit_label = _("Switch Over")
    template_name = 'project/compute_snapshots/switch_over/switch_over.html'

    def dispatch(self, request: HttpRequest, *args: Any,
                 **kwargs: Any) -> HttpResponse:
        if not permissions.can_switch_over(request):
            raise django_exceptions.PermissionDenied
        cloud = connect.cloud(request)
        with redirects.to_index_on_error(request):
            found = details.get(cloud, kwargs['row_id'])
            if found.snapshot.kind is not kinds.Kind.INSTANCE:
                raise errors.NotFound('image', 'not of an instance')
            self.facts = choices.gather(cloud, found,
                                        request.POST.get('copy', ''))
        return super().dispatch(request, *args, **kwargs)

    def get_success_url(self) -> str:
        return redirects.list_address(self.request)

    @memoized.memoized_method
    def get_initial(self) -> dict[str, Any]:
        return {'facts': self.facts,
                'copy': self.facts.copy.id if self.facts.copy else ''}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        facts = self.facts
        return {
            **super().get_context_data(**kwargs),
            'snapshot': facts.snapshot,
            'original': facts.original,
            'obstacles': [switch_over_wording.obstacle(obstacle)
                          for obstacle in choices.find_obstacles(facts)],
            'choosable': len(facts.copies) > 1,
            'cards': [{
                'mac': port.mac, 'fixed': port.addresses,
                'floating': [one.address for one in facts.floating
                             if one.port_id == port.id],
                'anew': not facts.keeps(port)} for port in facts.ports],
            'own': [address for port in facts.own_ports
                    for address in port.addresses],
            'keep_days': switch_over_wording.KEEP_DAYS,
            'launch_url': reverse(
                'horizon:project:compute_snapshots:launch',
                args=[facts.snapshot.row_id]) if facts.snapshot.has_recipe
            and permissions.can_launch(self.request) else '',
            'cancel_url': self.get_success_url(),
            'submit_url': reverse(
                'horizon:project:compute_snapshots:switch_over',
                args=[self.kwargs['row_id']])}
