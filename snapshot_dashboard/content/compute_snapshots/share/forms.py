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

"""The form that shares a snapshot."""

from django import forms
from django.utils.translation import gettext_lazy as _


class ProjectForm(forms.Form):
    """Which project; its id, for members cannot look up others' names."""

    # Keystone makes them of 32 hexadecimal digits (Identity API v3).
    project = forms.RegexField(
        r'^[0-9A-Fa-f]{8}(-?)([0-9A-Fa-f]{4}\1){3}[0-9A-Fa-f]{12}$',
        label=_("Project ID"), error_messages={'invalid': _(
            "This is not the ID of a project: that has 32 characters, 0 to 9 "
            "and a to f.")},
        widget=forms.TextInput(attrs={'class': 'form-control'}),
        help_text=_("Members of that project find its ID under Identity > "
                    "Projects."))

    def clean_project(self) -> str:
        """As Keystone writes it, for Glance compares the text."""
        return str(self.cleaned_data['project']).replace('-', '').lower()
