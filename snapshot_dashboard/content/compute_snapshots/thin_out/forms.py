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

"""How many snapshots of an instance or volume are kept."""

from collections.abc import Mapping
import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from snapshot_dashboard.schedules import rhythms
from snapshot_dashboard.snapshots import retention

#: What is suggested.
_SUGGESTED = retention.Rules(last=3, daily=7, weekly=4, monthly=6)
#: The most of each.
_MOST = 999
_LABELS = {
    retention.Period.LAST: _("Last"),
    retention.Period.HOURLY: _("Hourly"),
    retention.Period.DAILY: _("Daily"),
    retention.Period.WEEKLY: _("Weekly"),
    retention.Period.MONTHLY: _("Monthly"),
    retention.Period.YEARLY: _("Yearly"),
}
#: How often one may suppose that a snapshot is taken; of days at this time.
_EVERY: Mapping[str, tuple[Any, Mapping[str, Any]]] = {
    '': (_("No more snapshots"), {}),
    'hour': (_("One every hour"), {'every_hours': 1}),
    'six-hours': (_("One every six hours"), {'every_hours': 6}),
    'day': (_("One every day"), {}),
    'week': (_("One every week"), {'weekdays': frozenset({0})}),
    'month': (_("One every month"), {'day': 1}),
}
_AT = datetime.time(2)


class RulesForm(forms.Form):
    """One number for each rule; an address without any has those that are
    suggested.
    """

    def __init__(self, data: Any) -> None:
        given = any(period.value in data for period in retention.Period)
        super().__init__(data if given else {
            **{period.value: _SUGGESTED.count(period)
               for period in retention.Period},
            'every': data.get('every', '')}, auto_id='snapshot-keep-%s')
        for period in retention.Period:
            self.fields[period.value] = forms.IntegerField(
                label=_LABELS[period], required=False, min_value=0,
                max_value=_MOST, widget=forms.NumberInput(
                    attrs={'class': 'form-control'}))
        self.fields['every'] = forms.ChoiceField(
            label=_("Suppose from now on"), required=False,
            choices=[(name, label) for name, (label, _rhythm)
                     in _EVERY.items()],
            widget=forms.Select(attrs={'class': 'form-control'}))

    def rules(self) -> retention.Rules | None:
        """What is asked for; None if that cannot be read."""
        if not self.is_valid():
            return None
        return retention.Rules(**{
            period.value: self.cleaned_data[period.value] or 0
            for period in retention.Period})

    def rhythm(self, zone: datetime.tzinfo) -> rhythms.Rhythm | None:
        """How often a snapshot is supposed to be taken; None for never."""
        every = self.cleaned_data['every']
        if not every:
            return None
        return rhythms.Rhythm(zone, _AT, **_EVERY[every][1])
