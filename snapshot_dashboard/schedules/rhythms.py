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

"""When something that recurs is due.

Times are those of a place: an hour that does not exist when the clocks are
set forward is due at the next minute that does, one that comes twice is due
the first time.
"""

from collections.abc import Iterator
import dataclasses
import datetime
import hashlib
import itertools

_MINUTE = datetime.timedelta(minutes=1)
_DAY = datetime.timedelta(days=1)
#: The longest that clocks have been set forward by: a whole day, when Samoa
#: crossed the date line.
_LONGEST_GAP = 1440
_EVERY_DAY = frozenset(range(7))


@dataclasses.dataclass(frozen=True)
class Rhythm:
    """Every so many hours, or at a time on some days.

    :ivar zone: whose time it is.
    :ivar at: the time of day; with hours, the first time of each day.
    :ivar every_hours: 0 for once a day; else a part of a day.
    :ivar weekdays: on which days of the week, from 0 for Monday.
    :ivar day: on which day of the month, 0 for each; in a month that is
        shorter, on its last one.
    :ivar window: minutes in which it may begin.
    """

    zone: datetime.tzinfo
    at: datetime.time = datetime.time()
    every_hours: int = 0
    weekdays: frozenset[int] = _EVERY_DAY
    day: int = 0
    window: int = 0

    def __post_init__(self) -> None:
        """:raises ValueError: for what would never be due, or unevenly."""
        if self.every_hours < 0 or (
                self.every_hours and 24 % self.every_hours):
            raise ValueError(f'{self.every_hours} hours are no part of a day')
        if not self.weekdays or not self.weekdays <= _EVERY_DAY:
            raise ValueError(f'no days of a week: {self.weekdays}')
        if not 0 <= self.day <= 31 or self.window < 0:
            raise ValueError('a day or a window that cannot be')

    def slots(self, after: datetime.datetime,
              key: str = '') -> Iterator[datetime.datetime]:
        """When it is due after a moment, in UTC, without end.

        :param after: with a time zone.
        :param key: of what; each has a minute of its own in the window,
            which is the same each time.
        """
        late = _MINUTE * _minute(key, self.window)
        last = after.astimezone(datetime.UTC)
        first = last.astimezone(self.zone).date() - _DAY
        for number in itertools.count():
            date = first + number * _DAY
            if not self._is_on(date):
                continue
            for time in self._times():
                due = _moment(date, time, self.zone) + late
                if due > last:  # two may be due at the end of a gap
                    last = due
                    yield due

    def _is_on(self, date: datetime.date) -> bool:
        last_of_month = (date + _DAY).day == 1
        return date.weekday() in self.weekdays and (
            not self.day or date.day == self.day
            or last_of_month and date.day < self.day)

    def _times(self) -> Iterator[datetime.time]:
        if not self.every_hours:
            yield self.at
            return
        for hour in range(self.at.hour % self.every_hours, 24,
                          self.every_hours):
            yield self.at.replace(hour=hour)


def _minute(key: str, window: int) -> int:
    """One that is the key's own, from 0 to below the window."""
    digest = hashlib.sha256(key.encode()).digest()
    return int.from_bytes(digest[:8]) % window if window else 0


def _moment(date: datetime.date, time: datetime.time,
            zone: datetime.tzinfo) -> datetime.datetime:
    """A local time in UTC, or that of the first later one that exists."""
    local = datetime.datetime.combine(date, time)
    for minutes in range(_LONGEST_GAP + 1):
        wanted = local + minutes * _MINUTE
        found = wanted.replace(tzinfo=zone).astimezone(datetime.UTC)
        if found.astimezone(zone).replace(tzinfo=None) == wanted:
            return found
    raise ValueError(f'{local} is nowhere near a time of {zone}')
