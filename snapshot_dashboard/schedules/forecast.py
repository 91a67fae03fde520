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
import dataclasses
import datetime

from snapshot_dashboard.schedules import rhythms
from snapshot_dashboard.snapshots import retention


@dataclasses.dataclass(frozen=True)
class Forecast:
    """What there is at a moment to come.

    :ivar kept: how many copies.
    :ivar most: how many there were at once until then, before they were
        thinned out.
    :ivar oldest: when the oldest of them was made.
    """

    at: datetime.datetime
    kept: int
    most: int
    oldest: datetime.datetime


def foresee(copies: Iterable[retention.Copy], rules: retention.Rules,
            rhythm: rhythms.Rhythm, now: datetime.datetime,
            days: Iterable[int]) -> list[Forecast]:
    """What there will be after so many days, the fewest first.

    Copies of several hours of a day are thinned out at its end, others each
    time. Those that are there and cannot go now stay.

    :param copies: those that are there.
    """
    there = list(copies)
    most = len(there)
    slots = rhythm.slots(now)
    due = next(slots)
    found = []
    for end in sorted(now + datetime.timedelta(days=number)
                      for number in days):
        while due <= end:
            there.append(retention.Copy(due, due.isoformat()))
            most = max(most, len(there))
            made, due = due, next(slots)
            if _day(made, rhythm) != _day(due, rhythm) or due > end:
                there = [one.copy for one in retention.judge(
                    there, rules, rhythm.zone, made) if one.keep]
        found.append(Forecast(end, len(there), most, min(
            (one.at for one in there), default=end)))
    return found


def _day(moment: datetime.datetime,
         rhythm: rhythms.Rhythm) -> datetime.date:
    return moment.astimezone(rhythm.zone).date()
