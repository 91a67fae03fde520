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

"""The form by which an instance takes the addresses of another over."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from horizon import forms
from horizon import messages

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.content.compute_snapshots.switch_over import starting
from snapshot_dashboard.content.compute_snapshots.switch_over import (
    wording as switch_over_wording,
)
from snapshot_dashboard.switch_overs import choices
from snapshot_dashboard.switch_overs import switching


class SwitchOverForm(forms.SelfHandlingForm):
    """Which instance takes them over."""

    copy = forms.ChoiceField(label=_("New Instance"))

    def __init__(self, request: HttpRequest, *args: Any,
                 **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.fields['copy'].choices = [
            (server.id, server.name or server.id)
            for server in self.initial['facts'].copies]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        for obstacle in choices.find_obstacles(self.initial['facts']):
            self.add_error(None, switch_over_wording.obstacle(obstacle))
        return cleaned

    def handle(self, request: HttpRequest, data: dict[str, Any]) -> bool:
        facts = self.initial['facts']
        try:
            text = starting.submit(request, facts)
        except switching.Busy:
            messages.info(request, _(
                "Something else is under way at one of the two instances. "
                "Nothing was begun."))
            return True
        except errors.ServiceError as error:
            self.api_error(switch_over_wording.not_begun(error))
            return False
        messages.success(request, text % (facts.copy.name or facts.copy.id))
        return True
