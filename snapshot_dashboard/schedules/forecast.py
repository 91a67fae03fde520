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

"""What will be there if copies are made in a rhythm, and thinned out."""

from collections.abc import Iterable
from collections.abc import Mapping
import dataclasses
import datetime

from snapshot_dashboard.schedules import rhythms
from snapshot_dashboard.snapshots import retention

#: More than that are not thinned out day by day for a forecast.
MOST_KEPT = 400


@dataclasses.dataclass(frozen=True)
class Forecast:
    """What there is at a moment to come.

    :ivar copies: those that are kept; what the new ones are is not known.
    :ivar most: how many there were at once until then, before they were
        thinned out.
    """

    at: datetime.datetime
    copies: tuple[retention.Copy, ...]
    most: int

    @property
    def oldest(self) -> datetime.datetime | None:
        return min((one.at for one in self.copies), default=None)


def foresee(copies: Iterable[retention.Copy], rules: retention.Rules,
            rhythm: rhythms.Rhythm, now: datetime.datetime,
            days: Iterable[int]) -> list[Forecast]:
    """What there will be after so many days, the fewest first.

    It is thinned out at the end of each day that has brought a copy. What is
    being made or deleted now is taken for made.

    :param copies: those that are there.
    :raises ValueError: when the rules keep more than ``MOST_KEPT``.
    """
    if sum(map(rules.count, retention.Period)) > MOST_KEPT:
        raise ValueError('that would take too long')
    there = {one.key: dataclasses.replace(one, hold=None)
             if one.hold is retention.Hold.UNFINISHED else one
             for one in copies}
    most = len(there)
    slots = rhythm.slots(now)
    due = next(slots)
    found = []
    for end in sorted(now + datetime.timedelta(days=number)
                      for number in days):
        while due <= end:
            there[due.isoformat()] = retention.Copy(due, due.isoformat())
            most = max(most, len(there))
            made, due = due, next(slots)
            if rules.any and (_day(made, rhythm) != _day(due, rhythm)
                              or due > end):
                there = _thinned(there, rules, rhythm, made)
        found.append(Forecast(end, tuple(there.values()), most))
    return found


def _thinned(there: Mapping[str, retention.Copy], rules: retention.Rules,
             rhythm: rhythms.Rhythm, now: datetime.datetime
             ) -> dict[str, retention.Copy]:
    """What is left; with its hold, unless that has ended."""
    free = {key: dataclasses.replace(one, hold=None, until=None)
            if one.until and one.until <= now else one
            for key, one in there.items()}
    return {one.copy.key: free[one.copy.key] for one in retention.judge(
        free.values(), rules, rhythm.zone, now) if one.keep}


def _day(moment: datetime.datetime,
         rhythm: rhythms.Rhythm) -> datetime.date:
    return moment.astimezone(rhythm.zone).date()
