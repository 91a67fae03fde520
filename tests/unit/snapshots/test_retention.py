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

"""Which copies are kept by which rules, and why."""

import datetime
import zoneinfo

import hypothesis
from hypothesis import strategies
import pytest

from snapshot_dashboard.snapshots import retention
from tests.unit import examples

UTC = datetime.UTC
HELSINKI = zoneinfo.ZoneInfo('Europe/Helsinki')
NOW = datetime.datetime(2030, 1, 1, tzinfo=UTC)
Hold, Period, Reason, Rules = (retention.Hold, retention.Period,
                               retention.Reason, retention.Rules)


def at(text, zone=UTC):
    return datetime.datetime.fromisoformat(text).replace(tzinfo=zone)


def copy(text, **fields):
    return retention.Copy(at(text), text, **fields)


def judge(copies, rules, zone=UTC, now=NOW):
    return retention.judge(copies, rules, zone, now)


def kept(copies, zone=UTC, **rules):
    return [one.copy.key for one in judge(copies, Rules(**rules), zone)
            if one.keep]


HOURS = ['2019-11-15 09:39', '2019-11-15 10:49', '2019-11-15 10:59',
         '2019-11-15 11:39', '2019-11-15 11:49', '2019-11-15 11:59']
YEARS = ['2018-11-15 12:00', '2019-11-15 12:00', '2019-11-21 12:00',
         '2019-11-22 12:00', '2019-11-29 12:00', '2019-12-01 12:00',
         '2019-12-02 12:00', '2019-12-03 12:00', '2019-12-04 12:00']
WEEK = ['2019-12-02 12:00', '2019-12-03 12:00', '2019-12-04 12:00',
        '2019-12-04 13:00']


@pytest.mark.parametrize(('copies', 'rules', 'expected'), [
    (HOURS, {'hourly': 3}, [5, 2, 0]),
    (HOURS, {'hourly': 2}, [5, 2]),
    (YEARS, {'daily': 1}, [8]),
    (YEARS, {'last': 1, 'daily': 1}, [8, 7]),
    # The week of the newest one is kept by its day.
    (YEARS, {'daily': 1, 'weekly': 1}, [8, 5]),
    # That of the 1st of December, a Sunday, has covered the 29th of November.
    (YEARS, {'daily': 1, 'weekly': 1, 'monthly': 1}, [8, 5, 3]),
    (YEARS, {'monthly': 1, 'yearly': 1}, [8, 0]),
    (WEEK, {'last': 4}, [3, 2, 1, 0]),
    (WEEK, {'last': 3}, [3, 2, 1]),
    (WEEK, {'last': 1}, [3]),
    (WEEK, {'last': 2, 'daily': 2}, [3, 2, 1, 0]),
    (WEEK, {'daily': 3}, [3, 1, 0]),
    (WEEK, {'daily': 2}, [3, 1]),
    (WEEK, {'weekly': 5}, [3]),
    (WEEK, {'daily': 1, 'weekly': 5}, [3]),
    (WEEK, {'monthly': 6}, [3]),
    (WEEK, {'yearly': 7}, [3]),
    (WEEK, {'weekly': 5, 'monthly': 6, 'yearly': 7}, [3])])
def test_the_rules_keep_what_proxmox_backup_server_keeps(copies, rules,
                                                         expected):
    """Its own cases, of ``tests/prune.rs``."""
    assert kept(map(copy, copies), **rules) == [
        copies[number] for number in expected]


def test_without_a_rule_all_are_kept():
    found = judge(map(copy, WEEK), Rules())
    assert {one.reason for one in found} == {Reason.NO_RULES}
    assert all(one.keep for one in found)


def test_each_is_told_by_which_rule_it_is_kept():
    found = {one.copy.key: one for one in judge(
        map(copy, YEARS), Rules(last=1, daily=2, monthly=1))}
    assert [(found[key].period, found[key].number) for key in YEARS[:4:-1]
            if found[key].keep] == [
                (Period.LAST, 1), (Period.DAILY, 1), (Period.DAILY, 2)]
    assert found[YEARS[4]].period is Period.MONTHLY


def test_what_is_not_kept_is_told_what_is_kept_instead():
    found = {one.copy.key: one for one in judge(
        map(copy, [*HOURS, '2018-01-01 00:00']), Rules(hourly=1, daily=1))}
    early = found[HOURS[4]]
    assert (early.reason, early.period, early.by.key) == (
        Reason.REPLACED, Period.HOURLY, HOURS[5])
    # The hour before is of the same day.
    assert (found[HOURS[0]].period, found[HOURS[0]].by.key) == (
        Period.DAILY, HOURS[5])
    assert found['2018-01-01 00:00'].reason is Reason.RULE
    found = judge(map(copy, YEARS), Rules(daily=1))
    assert found[-1].reason is Reason.BEYOND


def test_days_begin_where_the_user_is():
    evening = ['2026-01-10 21:59', '2026-01-10 22:01', '2026-01-11 10:00']
    assert kept(map(copy, evening), daily=9) == [evening[2], evening[1]]
    assert kept(map(copy, evening), HELSINKI, daily=9) == [
        evening[2], evening[0]]


def test_an_hour_that_comes_twice_is_two_hours():
    """In Helsinki 03:00 to 04:00 of 2026-10-25 comes twice."""
    twice = ['2026-10-25 00:30', '2026-10-25 01:30']
    assert kept(map(copy, twice), HELSINKI, hourly=9) == twice[::-1]
    assert len(kept(map(copy, twice), HELSINKI, daily=9)) == 1


def test_weeks_are_those_of_iso_over_the_turn_of_the_year():
    turn = ['2024-12-29 12:00', '2024-12-30 12:00', '2025-01-05 12:00']
    assert kept(map(copy, turn), weekly=9) == [turn[2], turn[0]]


def test_periods_without_a_copy_do_not_count():
    sparse = ['2020-01-01 00:00', '2023-06-01 00:00', '2026-01-01 00:00']
    assert len(kept(map(copy, sparse), daily=3)) == 3


@pytest.mark.parametrize('hold', [
    one for one in Hold if not one.counts and one is not Hold.FUTURE])
def test_what_does_not_count_neither_goes_nor_takes_a_place(hold):
    copies = [copy(WEEK[3], hold=hold), *map(copy, WEEK[:3])]
    assert kept(copies, last=1) == [WEEK[3], WEEK[2]]


@pytest.mark.parametrize('hold', [Hold.WANTED, Hold.BLOCKED])
def test_what_is_wanted_or_blocked_counts_and_does_not_go(hold):
    copies = [copy(WEEK[3], hold=hold), *map(copy, WEEK[:3])]
    assert kept(copies, last=1) == [WEEK[3]]
    copies = [*map(copy, WEEK[1:]), copy(WEEK[0], hold=hold)]
    assert kept(copies, last=1) == [WEEK[3], WEEK[0]]


def test_a_wrong_clock_takes_no_place():
    ahead = copy('2030-01-02 00:00')
    little = copy('2030-01-01 00:09')
    assert kept([ahead, little, *map(copy, WEEK)], last=1) == [
        ahead.key, little.key]


def test_failed_ones_go_once_a_newer_one_is_good():
    copies = [copy(WEEK[0], good=False), copy(WEEK[1]),
              copy(WEEK[2], good=False), copy(WEEK[3], good=False)]
    found = judge(copies, Rules(last=3))
    assert [(one.keep, one.reason) for one in found] == [
        (True, Reason.NO_NEWER_GOOD), (True, Reason.NO_NEWER_GOOD),
        (True, Reason.RULE), (False, Reason.FAILED)]


def test_one_that_is_not_certain_lets_no_failed_one_go():
    copies = [copy(WEEK[0], good=False),
              copy(WEEK[1], hold=Hold.UNCERTAIN)]
    assert len(kept(copies, last=1)) == 2


MINUTES = 10 * 366 * 24 * 60
HISTORIES = strategies.lists(strategies.tuples(
    strategies.integers(0, MINUTES) | strategies.integers(0, 5000),
    strategies.booleans() | strategies.just(True),
    strategies.none() | strategies.sampled_from(Hold)), max_size=30)
RULES = strategies.builds(Rules, *[
    strategies.integers(0, 1) | strategies.integers(0, 5)] * len(Period))
ZONES = strategies.sampled_from([
    UTC, HELSINKI, zoneinfo.ZoneInfo('America/New_York'),
    zoneinfo.ZoneInfo('Australia/Lord_Howe'),
    zoneinfo.ZoneInfo('Pacific/Apia')])


def made(history):
    return [retention.Copy(NOW - datetime.timedelta(minutes=minutes),
                           f'{number}', good, hold)
            for number, (minutes, good, hold) in enumerate(history)]


@hypothesis.settings(max_examples=examples.EXAMPLES, deadline=None)
@hypothesis.given(HISTORIES, RULES, ZONES)
def test_whatever_there_is_the_last_good_copy_stays(history, rules, zone):
    copies = made(history)
    found = judge(copies, rules, zone)
    assert sorted(one.copy.key for one in found) == sorted(
        one.key for one in copies)
    for verdict in found:
        if not verdict.keep:
            assert verdict.copy.hold is None
    good = [one for one in found if one.copy.good and (
        one.copy.hold is None or one.copy.hold.counts)]
    assert not good or good[0].keep
    for number, one in enumerate(found):
        if not one.keep:  # a newer good one is kept
            assert any(newer.keep and newer.copy.good
                       for newer in found[:number])
    if good and rules.any:
        assert len([one for one in found if one.reason is Reason.RULE]) <= sum(
            rules.count(period) for period in Period)


@hypothesis.settings(max_examples=examples.EXAMPLES, deadline=None)
@hypothesis.given(HISTORIES, RULES, ZONES)
def test_what_was_kept_is_kept_when_one_looks_again(history, rules, zone):
    """Thinning out twice is thinning out once."""
    rest = [one.copy for one in judge(made(history), rules, zone) if one.keep]
    assert all(one.keep for one in judge(rest, rules, zone))


@hypothesis.settings(max_examples=examples.EXAMPLES, deadline=None)
@hypothesis.given(HISTORIES, RULES, ZONES, strategies.integers(0, 30))
def test_who_sees_the_newest_ones_alone_lets_nothing_more_go(
        history, rules, zone, count):
    """A week's copy may be of a month, too, that needs no other one then."""
    found = judge(made(history), rules, zone)[:count]
    some = judge([one.copy for one in found], rules, zone)
    assert {one.copy for one in found if one.keep} <= {
        one.copy for one in some if one.keep}
