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

"""The form that starts a boot test."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from horizon import forms
from horizon import messages

from snapshot_dashboard import settings
from snapshot_dashboard.boot_tests import testing
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots.boot_test import (
    wording as boot_test_wording,
)
from snapshot_dashboard.content.compute_snapshots.launch import (
    forms as launch_forms,
)
from snapshot_dashboard.content.compute_snapshots.launch import (
    wording as launch_wording,
)
from snapshot_dashboard.content.compute_snapshots.worker import handoff


class BootTestForm(forms.SelfHandlingForm):
    """What the test instance is to be like."""

    flavor = forms.ChoiceField(
        label=_("Flavor"), help_text=_(
            "A guest that needs more memory than this may fail to boot for "
            "that reason alone."))

    def __init__(self, request: HttpRequest, *args: Any,
                 **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.fields['flavor'].choices = [
            ('', _("Choose a flavor")), *(
                (flavor.name, launch_wording.flavor(flavor))
                for flavor in self.initial['options'].flavors)]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        launch_forms.refuse_obstacles(self, cleaned, with_parts=True)
        return cleaned

    def handle(self, request: HttpRequest, data: dict[str, Any]) -> bool:
        found = self.initial['details']
        name = found.snapshot.name or found.snapshot.id
        worker = (handoff.delegation(request) if handoff.user_id(request)
                  else None)
        try:
            handed_on = testing.begin(
                connect.cloud(request), found,
                self.initial['options'].flavor(data['flavor']),
                settings.get('BOOT_TEST_TIMEOUT'), request.user.username,
                str(_("Boot test of %s") % name), connect.seal(), worker)
        except testing.Busy:
            messages.info(request, _('"%s" is being tested already.') % name)
            return True
        except errors.ServiceError as error:
            self.api_error(boot_test_wording.not_begun(error))
            return False
        messages.success(request, (
            _('Testing "%s". You need not keep this page open.')
            if handed_on and handoff.is_alive(request) else
            _('Testing "%s". Keep this page open until the test is over. If '
              'you leave, it continues when you or another member of the '
              'project opens Compute > Snapshots.')) % name)
        return True
