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

"""What will be there in a month and in a year."""

import datetime

import pytest

from snapshot_dashboard.schedules import forecast
from snapshot_dashboard.schedules import rhythms
from snapshot_dashboard.snapshots import retention

UTC = datetime.UTC
NOW = datetime.datetime(2026, 1, 1, tzinfo=UTC)
DAILY = rhythms.Rhythm(UTC, datetime.time(2))
HOURLY = rhythms.Rhythm(UTC, every_hours=1)
Rules = retention.Rules


def foresee(rules, made=DAILY, copies=(), days=(30, 365)):
    return forecast.foresee(copies, rules, made, NOW, days)


def test_the_last_ones_are_as_many_as_are_kept():
    month, year = foresee(Rules(last=5))
    assert (len(month.copies), len(year.copies)) == (5, 5)
    assert year.oldest == datetime.datetime(2026, 12, 27, 2, tzinfo=UTC)


def test_a_year_of_daily_copies_has_all_that_the_rules_keep():
    month, year = foresee(Rules(last=3, daily=7, weekly=4, monthly=6))
    assert len(year.copies) == 20
    assert len(month.copies) < len(year.copies)
    assert year.oldest < datetime.datetime(2026, 7, 1, tzinfo=UTC)


def test_without_rules_all_stay():
    month, year = foresee(Rules())
    assert (len(month.copies), len(year.copies)) == (30, 365)
    assert year.most == 365


def test_hours_are_thinned_out_at_the_end_of_their_day():
    (month,) = foresee(Rules(hourly=6, daily=3), HOURLY, days=[30])
    assert len(month.copies) == 9
    assert 9 < month.most <= 9 + 24


def test_at_the_moment_that_is_asked_for_it_is_thinned_out():
    """Also in the middle of a day."""
    middle = NOW + datetime.timedelta(hours=12)
    (found,) = forecast.foresee([], Rules(last=2), HOURLY, middle, [1])
    assert len(found.copies) == 2


def test_what_is_there_is_thinned_out_too_and_what_is_held_stays():
    old = [retention.Copy(NOW - datetime.timedelta(days=number), str(number),
                          hold=hold)
           for number, hold in enumerate([None, retention.Hold.PROTECTED])]
    (month,) = foresee(Rules(last=2), copies=old, days=[30])
    assert len(month.copies) == 3
    assert month.oldest == old[1].at


@pytest.mark.parametrize('days', [(0,), (365, 30)])
def test_the_fewest_days_come_first(days):
    found = foresee(Rules(last=1), days=days)
    assert [one.at for one in found] == sorted(one.at for one in found)


def test_before_anything_is_due_there_is_what_is_there():
    (found,) = foresee(Rules(last=1), days=[0])
    assert (found.copies, found.most, found.oldest) == ((), 0, None)


def test_what_is_wanted_until_a_day_goes_after_it():
    wanted = retention.Copy(NOW - datetime.timedelta(days=9), 'wanted',
                            hold=retention.Hold.WANTED,
                            until=NOW + datetime.timedelta(days=40))
    month, year = foresee(Rules(last=2), copies=[wanted])
    assert wanted in month.copies and len(month.copies) == 3
    assert wanted not in year.copies and len(year.copies) == 2


@pytest.mark.parametrize('hold', [retention.Hold.UNFINISHED, None])
def test_what_is_being_made_is_taken_for_made(hold):
    making = retention.Copy(NOW, 'making', hold=hold)
    (month,) = foresee(Rules(last=2), copies=[making], days=[30])
    assert len(month.copies) == 2


def test_a_wrong_clock_is_wrong_until_then():
    ahead = retention.Copy(NOW + datetime.timedelta(days=60), 'ahead')
    month, year = foresee(Rules(last=2), copies=[ahead])
    assert ahead in month.copies and ahead not in year.copies


def test_what_would_take_long_is_refused():
    with pytest.raises(ValueError):
        foresee(Rules(hourly=300, daily=101), HOURLY)

