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

"""What several forms ask of their fields."""

from django import forms
from django.core import exceptions
from django.utils.translation import gettext_lazy as _

from snapshot_dashboard.cloud import texts


def usable(text: str) -> str:
    """A name or description that every service takes.

    :raises ValidationError: with the characters that one of them refuses.
    """
    refused = texts.unusable(text)
    if refused:
        raise exceptions.ValidationError(
            _("These characters are not allowed: %s"),
            params=' '.join(
                character if character.isprintable()
                else f'U+{ord(character):04X}' for character in refused))
    return text


def keep_until() -> forms.DateField:
    """The last day on which a snapshot is wanted."""
    return forms.DateField(
        label=_("Keep Until"), required=False,
        widget=forms.DateInput(attrs={'type': 'date'}, format='%Y-%m-%d'),
        help_text=_("Only a reminder: after this day it is listed as expired. "
                    "Nothing is deleted automatically."))
