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

"""The form that launches an instance."""

from typing import Any

from django.core import exceptions as django_exceptions
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from horizon import forms
from horizon import messages

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.content.compute_snapshots.launch import (
    wording as launch_wording,
)
from snapshot_dashboard.snapshots import launch


def refuse_obstacles(form: forms.SelfHandlingForm, cleaned: dict[str, Any],
                     with_parts: bool = False) -> None:
    """Refuse a form whose snapshot cannot be launched with its flavor.

    :param with_parts: as for ``launch.obstacles``.
    :raises ValidationError: then, with what is in the way.
    """
    options = form.initial['options']
    found = launch.obstacles(
        form.initial['details'], options,
        options.flavor(cleaned.get('flavor', '')), with_parts)
    if found:
        raise django_exceptions.ValidationError(
            [launch_wording.obstacle(obstacle) for obstacle in found])


class LaunchForm(forms.SelfHandlingForm):
    """All pieces, each as it was where that is still there."""

    name = forms.CharField(label=_("Instance Name"), max_length=255)
    flavor = forms.ChoiceField(label=_("Flavor"))
    networks = forms.MultipleChoiceField(
        label=_("Networks"), required=False,
        widget=forms.CheckboxSelectMultiple())
    groups = forms.MultipleChoiceField(
        label=_("Security Groups"), required=False,
        widget=forms.CheckboxSelectMultiple())
    key = forms.ChoiceField(label=_("Key Pair"), required=False)
    zone = forms.ChoiceField(label=_("Availability Zone"), required=False)

    def __init__(self, request: HttpRequest, *args: Any,
                 **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        options = self.initial['options']
        choices = {
            'flavor': [('', _("Choose a flavor")), *(
                (flavor.name, launch_wording.flavor(flavor)) for flavor
                in options.flavors)],
            'networks': [(network, name or network) for network, name
                         in options.networks.items()],
            'groups': [(name, name) for name in options.groups],
            'key': [('', _("None")), *((key, key) for key in options.keys)],
            'zone': [('', _("Any")),
                     *((zone, zone) for zone in options.zones)]}
        for field, known in choices.items():
            self.fields[field].choices = known
            if not known:
                self.fields[field].widget = forms.MultipleHiddenInput()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        refuse_obstacles(self, cleaned)
        return cleaned

    def handle(self, request: HttpRequest, data: dict[str, Any]) -> bool:
        choice = launch.Choice(
            data['name'], self.initial['options'].flavor(data['flavor']),
            tuple(data['networks']), tuple(data['groups']), data['key'],
            data['zone'])
        try:
            launch.launch(connect.cloud(request),
                          self.initial['details'].snapshot, choice)
        except errors.ServiceError as error:
            self.api_error(_("Nothing was launched. Error from %(service)s: "
                             "%(detail)s") % wording.said(error))
            return False
        messages.success(request, _('Launching "%s".')
                         % data['name'])
        return True
