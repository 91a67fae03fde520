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

from django import forms as django_forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from horizon import forms
from horizon import messages

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.content.compute_snapshots import permissions
from snapshot_dashboard.content.compute_snapshots.go_back import beginning
from snapshot_dashboard.content.compute_snapshots.go_back import (
    wording as go_back_wording,
)
from snapshot_dashboard.restores import choices
from snapshot_dashboard.restores import restoring
from snapshot_dashboard.runs import lifecycle


class GoBackForm(forms.SelfHandlingForm):
    """How an instance goes back."""

    safety = django_forms.BooleanField(
        label=_("Take a snapshot of the present state first"), required=False,
        help_text=_("You can go back to it if something goes wrong."))
    run_again = django_forms.BooleanField(
        label=_("Run the instance afterwards"), required=False)
    confirm = forms.CharField(
        label=_("Type the name of the instance to confirm"))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        facts = self.initial['facts']
        for found in choices.find_obstacles(facts):
            self.add_error(None, go_back_wording.obstacle(found))
        if facts.instance is None or self.errors:
            return cleaned
        server = facts.instance.server
        if cleaned.get('confirm') != (server.name or server.id).strip():
            self.add_error('confirm', _(
                "This is not the name of the instance."))
        if cleaned.get('safety'):
            for text in go_back_wording.safety_obstacles(facts):
                self.add_error('safety', text)
        return cleaned

    def handle(self, request: HttpRequest, data: dict[str, Any]) -> bool:
        facts = self.initial['facts']
        if not permissions.can_restore(request, facts.snapshot.volume_backed):
            self.api_error(_("You are not allowed to put this instance back."))
            return False
        try:
            text = beginning.submit(request, facts, safety=data['safety'],
                                     run_again=data['run_again'])
        except (restoring.Busy, lifecycle.Busy):
            messages.info(request, _(
                "The instance is being put back, or a snapshot of it is being "
                "taken. Nothing was begun."))
            return True
        except lifecycle.Unclear as unclear:
            self.api_error(go_back_wording.not_begun(unclear.error))
            return False
        except errors.ServiceError as error:
            self.api_error(go_back_wording.not_begun(error))
            return False
        messages.success(request, text % facts.instance.server.name)
        return True
