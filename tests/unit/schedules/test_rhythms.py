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

"""When something is due, also where clocks are set forward or back."""

import datetime
import itertools
import zoneinfo

import hypothesis
from hypothesis import strategies
import pytest

from snapshot_dashboard.schedules import rhythms
from tests.unit import examples

UTC = datetime.UTC
HELSINKI = zoneinfo.ZoneInfo('Europe/Helsinki')
Rhythm = rhythms.Rhythm


def at(hour, minute=0):
    return datetime.time(hour, minute)


def after(text, zone=UTC):
    return datetime.datetime.fromisoformat(text).replace(tzinfo=zone)


def local(made, since, count, key=''):
    """The next times where the rhythm is at home."""
    return [f'{due.astimezone(made.zone):%a %m-%d %H:%M}' for due
            in itertools.islice(made.slots(since, key), count)]


def test_daily_is_at_that_time_each_day():
    assert local(Rhythm(UTC, at(2, 30)), after('2026-02-27 02:30'), 3) == [
        'Sat 02-28 02:30', 'Sun 03-01 02:30', 'Mon 03-02 02:30']


def test_what_is_due_at_this_moment_was_due():
    (due,) = itertools.islice(Rhythm(UTC, at(2)).slots(
        after('2026-01-01 01:59')), 1)
    assert due == after('2026-01-01 02:00')


@pytest.mark.parametrize(('hours', 'expected'), [
    (1, [3, 4, 5]), (6, [6, 12, 18]), (8, [8, 16, 0]), (12, [12, 0, 12])])
def test_hours_are_counted_from_midnight(hours, expected):
    found = Rhythm(UTC, every_hours=hours).slots(after('2026-01-01 02:10'))
    assert [due.hour for due in itertools.islice(found, 3)] == expected


def test_hours_may_begin_at_another_time():
    assert local(Rhythm(UTC, at(2, 15), every_hours=8),
                 after('2026-01-01 02:15'), 3) == [
                     'Thu 01-01 10:15', 'Thu 01-01 18:15', 'Fri 01-02 02:15']


def test_weekly_is_on_those_days():
    assert local(Rhythm(UTC, at(2), weekdays=frozenset({0, 4})),
                 after('2026-01-01 00:00'), 3) == [
                     'Fri 01-02 02:00', 'Mon 01-05 02:00', 'Fri 01-09 02:00']


def test_monthly_is_on_the_last_day_of_a_shorter_month():
    assert local(Rhythm(UTC, at(2), day=31), after('2028-01-01 00:00'), 4) == [
        'Mon 01-31 02:00', 'Tue 02-29 02:00', 'Fri 03-31 02:00',
        'Sun 04-30 02:00']


def test_what_does_not_exist_is_due_at_the_next_minute_that_does():
    """On 2026-03-29 clocks go from 03:00 to 04:00."""
    assert local(Rhythm(HELSINKI, at(3, 30)),
                 after('2026-03-28 00:00', HELSINKI), 3) == [
                     'Sat 03-28 03:30', 'Sun 03-29 04:00', 'Mon 03-30 03:30']


def test_what_comes_twice_is_due_the_first_time():
    """On 2026-10-25 clocks go from 04:00 back to 03:00."""
    found = Rhythm(HELSINKI, at(3, 30)).slots(after('2026-10-24 12:00'))
    assert list(itertools.islice(found, 2)) == [
        after('2026-10-25 00:30'), after('2026-10-26 01:30')]


def test_an_hour_that_is_left_out_is_not_due_twice():
    assert local(Rhythm(HELSINKI, every_hours=1),
                 after('2026-03-29 01:30', HELSINKI), 3) == [
                     'Sun 03-29 02:00', 'Sun 03-29 04:00', 'Sun 03-29 05:00']


def test_half_an_hour_that_is_left_out():
    """On Lord Howe Island, on 2026-10-04, from 02:00 to 02:30."""
    zone = zoneinfo.ZoneInfo('Australia/Lord_Howe')
    assert local(Rhythm(zone, at(2, 10)),
                 after('2026-10-03 12:00', zone), 1) == ['Sun 10-04 02:30']


def test_a_day_that_is_left_out():
    """Samoa had no 30th of December 2011."""
    zone = zoneinfo.ZoneInfo('Pacific/Apia')
    assert local(Rhythm(zone, at(12)), after('2011-12-29 13:00', zone), 2) == [
        'Sat 12-31 00:00', 'Sat 12-31 12:00']


def test_each_thing_has_a_minute_of_its_own_that_stays():
    made = Rhythm(UTC, at(2), window=45)
    minutes = {key: {due.minute for due in itertools.islice(
        made.slots(after('2026-01-01 00:00'), key), 5)}
        for key in map(str, range(50))}
    assert all(len(found) == 1 for found in minutes.values())
    found = set.union(*minutes.values())
    assert len(found) > 20 and max(found) < 45


@pytest.mark.parametrize('fields', [
    {'every_hours': 5}, {'every_hours': -1}, {'weekdays': frozenset()},
    {'weekdays': frozenset({7})}, {'day': 32}, {'day': -1}, {'window': -1}])
def test_what_would_never_be_due_is_refused(fields):
    with pytest.raises(ValueError):
        Rhythm(UTC, **fields)


ZONES = strategies.sampled_from(sorted(zoneinfo.available_timezones()))
RHYTHMS = strategies.builds(
    Rhythm, ZONES.map(zoneinfo.ZoneInfo),
    strategies.times().map(lambda time: time.replace(second=0,
                                                     microsecond=0)),
    strategies.sampled_from([0, 0, 1, 2, 3, 4, 6, 8, 12]),
    strategies.frozensets(strategies.integers(0, 6), min_size=1),
    strategies.just(0) | strategies.integers(1, 31),
    strategies.integers(0, 60))
MOMENTS = strategies.datetimes(
    datetime.datetime(1990, 1, 1), datetime.datetime(2037, 1, 1),
    timezones=strategies.just(UTC))


@hypothesis.settings(max_examples=examples.EXAMPLES, deadline=None)
@hypothesis.given(RHYTHMS, MOMENTS)
def test_nothing_is_due_twice_and_each_at_its_time(made, since):
    hypothesis.assume(not made.day or len(made.weekdays) == 7)
    found = list(itertools.islice(made.slots(since, 'key'), 40))
    assert all(first < second for first, second
               in itertools.pairwise([since, *found]))
    late = found[0] - next(Rhythm(
        made.zone, made.at, made.every_hours, made.weekdays, made.day
    ).slots(found[0] - datetime.timedelta(minutes=made.window), 'key'))
    for due in found:
        due -= late
        there = due.astimezone(made.zone)
        earlier = (due - datetime.timedelta(minutes=1)).astimezone(made.zone)
        left_out = there.utcoffset() > earlier.utcoffset()
        assert left_out or there.minute == made.at.minute


@hypothesis.settings(max_examples=examples.EXAMPLES, deadline=None)
@hypothesis.given(RHYTHMS, MOMENTS, strategies.integers(0, 20))
def test_whoever_begins_to_look_later_finds_the_same(made, since, number):
    hypothesis.assume(not made.day or len(made.weekdays) == 7)
    found = list(itertools.islice(made.slots(since), 30))
    assert list(itertools.islice(made.slots(found[number]), 5)) == (
        found[number + 1:number + 6])
