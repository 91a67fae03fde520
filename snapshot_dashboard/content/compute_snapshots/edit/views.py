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

"""Editing a snapshot: what its owner may change of it."""

from typing import Any

from django.core import exceptions as django_exceptions
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from horizon import forms
from horizon.utils import memoized

from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots import permissions
from snapshot_dashboard.content.compute_snapshots import redirects
from snapshot_dashboard.content.compute_snapshots.edit import (
    forms as edit_forms,
)
from snapshot_dashboard.snapshots import editing
from snapshot_dashboard.snapshots import fetch
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model


class EditView(forms.ModalFormView):
    """The form for one snapshot."""

    form_class = edit_forms.EditForm
    form_id = 'edit_snapshot'
    page_title = _("Edit Snapshot")
    submit_label = _("Save")
    template_name = 'project/compute_snapshots/edit/edit.html'

    def get_success_url(self) -> str:
        return redirects.list_address(self.request)

    @memoized.memoized_method
    def get_initial(self) -> dict[str, Any]:
        with redirects.to_index_on_error(self.request):
            found = fetch.entry(connect.cloud(self.request),
                                self.kwargs['row_id'])
        snapshot = model.summary(found)
        if not permissions.can_edit(self.request, snapshot):
            raise django_exceptions.PermissionDenied
        return {'found': found, 'name': snapshot.name,
                'description': editing.description(found),
                'expires': snapshot.expires,
                'protected': snapshot.kind is kinds.Kind.INSTANCE
                and snapshot.protected}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs),
                'cancel_url': self.get_success_url(),
                'submit_url': reverse(
                    'horizon:project:compute_snapshots:edit',
                    args=[self.kwargs['row_id']])}
