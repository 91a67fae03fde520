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

"""What the address of a page says about which snapshots to list."""

import datetime
from typing import Any
from urllib import parse

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.content.compute_snapshots.index import (
    wording as index_wording,
)
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots.listing import queries

_ANY = ('', _("Any"))
#: Characters that a name may take in an address: 255 of three bytes each.
_ROOM = 2300


class FilterForm(forms.Form):
    """The filters above the list."""

    name = forms.CharField(
        label=_("Search by name or ID"), required=False, max_length=255,
        widget=forms.TextInput(attrs={'type': 'search'}))
    kind = forms.ChoiceField(label=_("Kind"), required=False, choices=[
        _ANY, *((kind.value, label)
                for kind, label in wording.KINDS.items())])
    state = forms.ChoiceField(label=_("Status"), required=False, choices=[
        _ANY, *((state.value, label)
                for state, label in index_wording.STATES.items())])
    consistency = forms.ChoiceField(
        label=_("Consistency"), required=False, choices=[
            _ANY, *((mark, label)
                    for mark, label in wording.CONSISTENCIES.items()
                    if mark)])
    since = forms.DateField(
        label=_("Created since"), required=False,
        widget=forms.DateInput(attrs={'type': 'date'}))
    launchable = forms.BooleanField(label=_("Can be launched"),
                                    required=False)
    expired = forms.BooleanField(label=_("Expired"), required=False)
    # Set by links, not by hand.
    sort = forms.ChoiceField(
        required=False, widget=forms.HiddenInput(),
        choices=[(sort.value, sort.value) for sort in queries.Sort])
    exact = forms.BooleanField(required=False, widget=forms.HiddenInput())
    instance = forms.UUIDField(required=False, widget=forms.HiddenInput())
    volume = forms.UUIDField(required=False, widget=forms.HiddenInput())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # The wizard on the same page has a name, too.
        super().__init__(*args, auto_id='snapshot-filter-%s', **kwargs)
        for field in self.visible_fields():
            if not isinstance(field.field, forms.BooleanField):
                field.field.widget.attrs['class'] = 'form-control'
        name = self.fields['name']
        name.widget.attrs['placeholder'] = name.label

    def clean(self) -> dict[str, Any]:
        """What no address has room for is the name of nothing."""
        cleaned = super().clean() or {}
        if cleaned.get('exact') and len(
                parse.quote_plus(cleaned.get('name', ''))) > _ROOM:
            self.add_error('name', _("This is too long for a name."))
        return cleaned

    def query(self) -> queries.Query:
        """What is asked for; a field that cannot be read asks nothing."""
        self.is_valid()
        given = {name: value for name, value in self.cleaned_data.items()
                 if value}
        since, name = given.get('since'), given.get('name', '')
        return queries.Query(
            kind=kinds.Kind(given['kind']) if 'kind' in given else None,
            name=name if 'exact' in given else '',
            text='' if 'exact' in given else name,
            state=(queries.State(given['state']) if 'state' in given
                   else None),
            instance_id=str(given.get('instance', '')),
            volume_id=str(given.get('volume', '')),
            consistency=given.get('consistency', ''),
            since=timezone.make_aware(datetime.datetime.combine(
                since, datetime.time())) if since else None,
            expired_on=timezone.localdate() if 'expired' in given else None,
            launchable='launchable' in given,
            sort=queries.Sort(given.get('sort', 'newest')))

    def address(self, *without: str, **changed: str) -> str:
        """The part of a page's address that says the same.

        :param without: names of fields to be left out.
        :param changed: other values for some.
        """
        return parse.urlencode({
            name: value for name, value in {**self.data, **changed}.items()
            if name in self.fields and name not in self.errors and value
            and name not in without})

    def chips(self, source_name: str) -> list[dict[str, str]]:
        """What is asked for, each with the address without it.

        :param source_name: of the instance or volume that is asked for;
            empty if it is not known.
        """
        self.is_valid()
        found = []
        for field in self:
            value = self.cleaned_data.get(field.name)
            if value and field.name not in ('sort', 'exact'):
                found.append({
                    'text': index_wording.chip(
                        field, value, source_name,
                        bool(self.cleaned_data.get('exact'))),
                    'address': self.address(field.name, *(
                        ['exact'] if field.name == 'name' else ()))})
        return found
