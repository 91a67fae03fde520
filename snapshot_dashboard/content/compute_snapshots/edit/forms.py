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

"""The form for what may be changed of a snapshot."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from horizon import forms
from horizon import messages

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import texts
from snapshot_dashboard.cloud import types
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots import fields
from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.snapshots import editing


class EditForm(forms.SelfHandlingForm):
    """Name, description, date and, of an image, protection."""

    name = forms.CharField(label=_("Snapshot Name"), max_length=255)
    description = forms.CharField(
        label=_("Description"), max_length=255, required=False,
        widget=forms.Textarea(attrs={'rows': 3}))
    expires = fields.keep_until()
    protected = forms.BooleanField(
        label=_("Protected"), required=False,
        help_text=_("It cannot be deleted while it is protected."))

    def __init__(self, request: HttpRequest, *args: Any,
                 **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        if isinstance(self.initial['found'], types.VolumeSnapshot):
            del self.fields['protected']  # Cinder knows no such thing
        # What has no name may stay without one.
        self.fields['name'].required = bool(self.initial['name'])

    def clean_name(self) -> str:
        name = self.cleaned_data['name']
        return name if name == self.initial['name'] else fields.usable(name)

    def clean_description(self) -> str:
        text = self.cleaned_data['description']
        return text if text == self.initial['description'] else (
            fields.usable(texts.one_line(text)))

    def handle(self, request: HttpRequest, data: dict[str, Any]) -> bool:
        found = self.initial['found']
        try:
            editing.edit(connect.cloud(request), found, editing.Edit(**data))
        except errors.ServiceError as error:
            self.api_error(_("Only part of the changes was saved. Error from "
                             "%(service)s: %(detail)s") % wording.said(error))
            return False
        messages.success(request, _('Snapshot "%s" was updated.')
                         % (data['name'] or found.id))
        return True
