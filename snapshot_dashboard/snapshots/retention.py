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

"""Which copies of something are kept when they are thinned out, and why.

The rules and their order are those of the pruning that users know from backup
programs (last, hourly, daily, weekly, monthly, yearly). Each rule in turn goes
from the newest copy to older ones and keeps the newest of each period, unless
a rule before it has kept one of that period. Periods without a copy do not
count. So the newest good copy that counts is kept by any rule, and who sees
the newest copies alone keeps rather more of them than who sees all.

Nothing is asked and nothing is deleted here.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import datetime
import enum
import functools
from typing import Any

#: A copy that is younger than now by more than that has a wrong time.
_CLOCKS_DIFFER = datetime.timedelta(minutes=10)


class Period(enum.Enum):
    """What a rule keeps one copy of; in the order of the rules."""

    LAST = 'last'
    HOURLY = 'hourly'
    DAILY = 'daily'
    WEEKLY = 'weekly'
    MONTHLY = 'monthly'
    YEARLY = 'yearly'


#: By what two copies are of the same period, from their local time. An hour
#: that comes twice when the clocks are set back is two hours.
_SAME: Mapping[Period, Callable[[datetime.datetime], tuple[int, ...]]] = {
    Period.HOURLY: lambda at: (at.year, at.month, at.day, at.hour, at.fold),
    Period.DAILY: lambda at: (at.year, at.month, at.day),
    Period.WEEKLY: lambda at: at.isocalendar()[:2],
    Period.MONTHLY: lambda at: (at.year, at.month),
    Period.YEARLY: lambda at: (at.year,),
}


@dataclasses.dataclass(frozen=True)
class Rules:
    """How many copies of each period are kept."""

    last: int = 0
    hourly: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0

    def count(self, period: Period) -> int:
        found: int = getattr(self, period.value)
        return found

    @property
    def any(self) -> bool:
        return any(self.count(period) > 0 for period in Period)


class Hold(enum.Enum):
    """Why a copy is not deleted, whatever the rules say.

    Copies with the first ones do not count: the rules act as if they were not
    there.
    """

    #: It is not certain that it is a copy of this.
    UNCERTAIN = 'uncertain'
    PROTECTED = 'protected'
    UNFINISHED = 'unfinished'
    #: Whether it is whole is not known.
    UNKNOWN = 'unknown'
    #: It is said to be of a time that is yet to come.
    FUTURE = 'future'
    #: Its owner wants it until a day that has not passed.
    WANTED = 'wanted'
    #: It cannot be deleted now.
    BLOCKED = 'blocked'

    @property
    def counts(self) -> bool:
        return self in (Hold.WANTED, Hold.BLOCKED)


@dataclasses.dataclass(frozen=True)
class Copy:
    """One copy, as far as it matters here.

    :ivar at: when it was made, with a time zone.
    :ivar good: whether it could be gone back to.
    :ivar until: when the hold ends, if that is known.
    :ivar thing: whatever the caller knows it by.
    """

    at: datetime.datetime
    key: str
    good: bool = True
    hold: Hold | None = None
    until: datetime.datetime | None = None
    thing: Any = dataclasses.field(default=None, compare=False)

    @property
    def counts(self) -> bool:
        """Whether the rules see it."""
        return self.hold is None or self.hold.counts


class Reason(enum.Enum):
    """Why a copy is kept or deleted."""

    #: Kept: there are no rules; a rule wants it; something holds it.
    NO_RULES = 'no-rules'
    RULE = 'rule'
    HELD = 'held'
    #: Kept: it failed, and no newer one is good.
    NO_NEWER_GOOD = 'no-newer-good'
    #: Deleted: another one is kept of its period; it is older than all that
    #: the rules keep; it failed, and a newer one is good.
    REPLACED = 'replaced'
    BEYOND = 'beyond'
    FAILED = 'failed'


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What becomes of a copy.

    :ivar period: of the rule that keeps it, or by which another one does.
    :ivar number: which one of that rule it is, from 1.
    :ivar by: the one that is kept instead.
    """

    copy: Copy
    keep: bool
    reason: Reason
    period: Period | None = None
    number: int = 0
    by: Copy | None = None


def judge(copies: Iterable[Copy], rules: Rules, zone: datetime.tzinfo,
          now: datetime.datetime) -> list[Verdict]:
    """What becomes of each copy, the newest one first.

    :param zone: where days begin.
    """
    ordered = [_with_hold(one, now) for one in sorted(
        copies, key=lambda one: (one.at, one.key), reverse=True)]
    if not rules.any:
        return [Verdict(one, True, Reason.NO_RULES) for one in ordered]
    periods = [period for period in Period if rules.count(period)]
    places = [_places(one, periods, zone) for one in ordered]
    wanted = _wanted([number for number, one in enumerate(ordered)
                      if one.good and one.counts],
                     places, periods, rules)
    # The newest one that is kept of each period.
    instead: dict[tuple[Period, object], Copy] = {}
    for number in wanted:
        for period in periods:
            instead.setdefault((period, places[number][period]),
                               ordered[number])
    found = []
    good_is_newer = False
    for number, one in enumerate(ordered):
        if number in wanted:
            found.append(Verdict(one, True, Reason.RULE, *wanted[number]))
        else:
            found.append(_of_unwanted(one, places[number], instead,
                                      good_is_newer))
        good_is_newer = good_is_newer or number in wanted
    return found


def _with_hold(one: Copy, now: datetime.datetime) -> Copy:
    if one.at > now + _CLOCKS_DIFFER and one.counts:
        return dataclasses.replace(one, hold=Hold.FUTURE)
    return one


def _places(one: Copy, periods: Iterable[Period],
            zone: datetime.tzinfo) -> dict[Period, object]:
    """What a copy shares with others of each period; it is a last one of its
    own.
    """
    return {period: (one.at, one.key) if period is Period.LAST
            else _place(one.at, period, zone) for period in periods}


@functools.lru_cache(maxsize=100_000)
def _place(at: datetime.datetime, period: Period,
           zone: datetime.tzinfo) -> object:
    return _SAME[period](at.astimezone(zone))


def _wanted(counting: Sequence[int],
            places: Sequence[Mapping[Period, object]],
            periods: Iterable[Period],
            rules: Rules) -> dict[int, tuple[Period, int]]:
    """The copies that rules keep, with by which and as which one of it.

    One that a rule has passed over for another one of its period is not
    looked at by later rules: a week of two months counts once.

    :param counting: the numbers of the copies that count, the newest first.
    """
    wanted: dict[int, tuple[Period, int]] = {}
    replaced: set[int] = set()
    for period in periods:
        before = {places[number][period] for number in wanted}
        chosen: set[object] = set()
        for number in counting:
            place = places[number][period]
            if number in wanted or number in replaced or place in before:
                continue
            if place in chosen:
                replaced.add(number)
            elif len(chosen) == rules.count(period):
                break
            else:
                chosen.add(place)
                wanted[number] = period, len(chosen)
    return wanted


def _of_unwanted(one: Copy, places: Mapping[Period, object],
                 instead: Mapping[tuple[Period, object], Copy],
                 good_is_newer: bool) -> Verdict:
    """Of a copy that no rule keeps."""
    if one.hold is not None:
        return Verdict(one, True, Reason.HELD)
    if not good_is_newer:
        return Verdict(one, True, Reason.NO_NEWER_GOOD)
    if not one.good:
        return Verdict(one, False, Reason.FAILED)
    for period, place in places.items():
        if (period, place) in instead:
            return Verdict(one, False, Reason.REPLACED, period,
                           by=instead[period, place])
    return Verdict(one, False, Reason.BEYOND)
