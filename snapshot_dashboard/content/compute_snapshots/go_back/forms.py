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

from collections.abc import Iterable
from typing import Any

from django import forms as django_forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from horizon import forms
from horizon import messages

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.content.compute_snapshots.go_back import beginning
from snapshot_dashboard.content.compute_snapshots.go_back import (
    wording as go_back_wording,
)
from snapshot_dashboard.restores import choices
from snapshot_dashboard.restores import restoring
from snapshot_dashboard.runs import lifecycle


class _Form(forms.SelfHandlingForm):
    """What both ways in place have in common."""

    def refuse(self, found: Iterable[choices.Obstacle]) -> None:
        for obstacle in found:
            self.add_error(None, go_back_wording.obstacle(obstacle))

    def begin(self, request: HttpRequest, **wish: Any) -> bool:
        """Begin it; False where the form is to be shown again."""
        facts = self.initial['facts']
        try:
            text = beginning.submit(request, facts, **wish)
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


class GoBackForm(_Form):
    """How an instance goes back."""

    volumes = forms.MultipleChoiceField(
        label=_("Volumes that go back, too"), required=False,
        widget=forms.CheckboxSelectMultiple(), help_text=_(
            "Each is exchanged for a new volume, made from its snapshot. The "
            "old one is kept."))
    safety = django_forms.BooleanField(
        label=_("Take a snapshot of the present state first"), required=False,
        help_text=_("You can go back to it if something goes wrong."))
    run_again = django_forms.BooleanField(
        label=_("Run the instance afterwards"), required=False)
    confirm = forms.CharField(
        label=_("Type the name of the instance to confirm"))

    def __init__(self, request: HttpRequest, *args: Any,
                 **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        swaps = self.initial['facts'].swaps
        self.fields['volumes'].choices = [
            (swap.volume_id, f'{swap.name or swap.volume_id} ({swap.device})')
            for swap in swaps]
        if not swaps:
            self.fields['volumes'].widget = forms.MultipleHiddenInput()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        facts = self.initial['facts']
        self.refuse(choices.find_obstacles(facts))
        if facts.instance is None or self.errors:
            return cleaned
        server = facts.instance.server
        chosen = [swap for swap in facts.swaps
                  if swap.volume_id in cleaned.get('volumes', ())]
        self.refuse(choices.room_obstacles(facts, chosen))
        if cleaned.get('confirm') != (server.name or server.id).strip():
            self.add_error('confirm', _(
                "This is not the name of the instance."))
        if cleaned.get('safety'):
            for text in go_back_wording.safety_obstacles(facts):
                self.add_error('safety', text)
        return cleaned

    def handle(self, request: HttpRequest, data: dict[str, Any]) -> bool:
        return self.begin(request, safety=data['safety'],
                          run_again=data['run_again'],
                          volumes=data['volumes'])


class SwapForm(_Form):
    """How a volume goes back: a new one comes in its place."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self.refuse(choices.swap_obstacles(self.initial['facts']))
        return cleaned

    def handle(self, request: HttpRequest, data: dict[str, Any]) -> bool:
        facts = self.initial['facts']
        return self.begin(
            request, safety=False, volumes=[facts.volume.id],
            run_again=facts.instance.server.status == 'ACTIVE')
