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

"""A run's record on its server: written and read, cut and forged."""

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from snapshot_dashboard.cloud import limits
from snapshot_dashboard.cloud import types
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import record

PLAN = record.Plan(
    'a' * 32, 'nightly', 'before the upgrade', True, True, 1790000000,
    'alice', tuple(f'00000000-0000-4000-8000-{number:012d}'
                   for number in range(8)), True, 15, 900, True,
    600)
BEFORE = record.Progress()
DONE = record.Progress(
    stop_count=1, off_at=1790000003, stop_request='req-' + 'r' * 36,
    consistency='powered-off', capture_count=2, image_id='i' * 36,
    captured_at=1790000100, start_count=1, failure='part-failed', detail='no',
    ended_at=1790000200)


def server(metadata, tags=(record.TAG,), **fields):
    return types.Server.from_api({'id': 's', 'name': 'web',
                                  'metadata': metadata, 'tags': list(tags),
                                  **fields})


def test_a_plan_is_read_as_it_was_written():
    run = journal.read(server(journal.write(PLAN)))
    assert run.plan == PLAN
    assert run.progress == BEFORE
    assert run.open and not run.tagged


def test_progress_is_read_as_it_was_written():
    run = journal.read(server({**journal.write(PLAN),
                               **journal.changes(BEFORE, DONE)}))
    assert run.progress == DONE
    assert not run.open


def test_only_what_changes_is_written_and_whether_it_has_ended():
    open_run = dataclasses.replace(DONE, ended_at=0)
    after = dataclasses.replace(open_run, idle_since=5)
    assert journal.changes(open_run, after) == {
        'snapshot_dashboard.idle_since': '5',
        'snapshot_dashboard.ended_at': ''}


def test_who_closes_a_run_says_how_it_ended():
    """What was noted of that may have been undone meanwhile."""
    open_run = dataclasses.replace(DONE, ended_at=0)
    assert journal.changes(open_run, DONE) == {
        'snapshot_dashboard.captured_at': '1790000100',
        'snapshot_dashboard.failure': 'part-failed',
        'snapshot_dashboard.detail': 'no',
        'snapshot_dashboard.ended_at': '1790000200'}


def test_who_powers_off_takes_on_the_duty_to_power_on():
    written = journal.changes(BEFORE, record.Progress(stop_count=1))
    assert written == {'snapshot_dashboard.stop_count': '1',
                       'snapshot_dashboard.start_count': '',
                       'snapshot_dashboard.ended_at': ''}


def test_no_value_is_longer_than_nova_takes():
    plan = dataclasses.replace(
        PLAN, name='n' * 255, description='d' * 255, requested_by='"' * 255,
        server_id='s' * 36, shutdown_timeout=10 ** 9, began_at=10 ** 10 - 1,
        snapshot_timeout=10 ** 9, begin_within=10 ** 9,
        expected_seconds=10 ** 9, **dict.fromkeys(journal._FLAGS, True))
    progress = dataclasses.replace(DONE, detail='x' * 1000,
                                   leftover_ids='y' * 1000)
    written = {**journal.write(plan),
               **journal.changes(BEFORE, progress)}
    assert max(map(len, written.values())) <= limits.VALUE_LENGTH
    assert set(journal.keys(server(written))) == set(written)
    read = journal.read(server(written, id='s' * 36)).plan
    assert read == dataclasses.replace(plan, **dict.fromkeys(
        ('shutdown_timeout', 'snapshot_timeout', 'begin_within',
         'expected_seconds'),
        99_999))


def test_all_items_are_there_from_the_beginning():
    """So the quota of items is met then or never."""
    begun = journal.write(PLAN)
    assert set(journal.changes(BEFORE, DONE)) <= set(begun)
    assert len(begun) == journal.items_needed(len(PLAN.volumes))


def test_ids_that_are_too_many_lose_whole_ones():
    ids = [f'00000000-0000-4000-8000-{number:012d}' for number in range(9)]
    progress = dataclasses.replace(DONE, leftover_ids=' '.join(ids))
    written = journal.changes(
        BEFORE, progress)['snapshot_dashboard.leftover_ids']
    assert written.split() == ids[:6]


def test_the_record_of_a_locked_server_stands_in_tags():
    plan = record.Plan('a' * 32, began_at=1790000000)
    progress = record.Progress(idle_since=1790000001,
                               failure='image-abandoned',
                               ended_at=1790000200)
    tags = journal.tags(plan, progress)
    assert all(len(tag) <= 60 and '/' not in tag and ',' not in tag
               for tag in tags)
    run = journal.read(server({}, {record.TAG, 'own', *tags}))
    assert run.tagged and run.plan == plan
    assert run.progress == dataclasses.replace(
        progress, capture_count=record.TRIES, asked_at=plan.began_at)
    assert set(journal.all_tags(run.server)) == {record.TAG, *tags}


def test_half_a_record_in_tags_is_none():
    """The index comes last."""
    plan = record.Plan('a' * 32, began_at=1790000000)
    tags = journal.tags(plan, BEFORE)
    assert journal.read(server({}, tags)) is None
    assert journal.read(server({}, [*tags, record.TAG])) is not None


def test_room_for_tags_is_that_of_nova():
    others = [f'other-{number}' for number in range(45)]
    assert journal.has_room(server({}, others), tagged=False)
    assert not journal.has_room(server({}, others), tagged=True)
    assert not journal.has_room(server({}, [*others, 'x']), tagged=False)
    old = [record.TAG, f'{record.TAG}.owed:x']
    assert journal.has_room(server({}, [*others, *old]), tagged=False)


def test_a_plan_has_one_fingerprint():
    read = journal.read(server(journal.write(PLAN))).plan
    assert read.fingerprint == PLAN.fingerprint
    for name, value in {'name': 'x', 'server_id': 'x',
                        'requested_by': 'mallory',
                        'power_on': False, 'volumes': ()}.items():
        other = dataclasses.replace(PLAN, **{name: value})
        assert other.fingerprint != PLAN.fingerprint


def test_a_server_without_a_record_has_no_run():
    assert journal.read(server({'owner': 'alice'})) is None
    assert not journal.is_there(server({'owner': 'alice'}, ()))


def test_a_record_whose_tags_were_taken_away_is_still_the_record():
    run = journal.read(server(journal.write(PLAN), tags=()))
    assert run.plan == PLAN and run.open and not run.indexed


def test_tags_without_a_record_tell_that_a_power_on_is_owed():
    tags = [record.TAG, record.OPEN_TAG, f'{record.TAG}.owed:{PLAN.run_id}']
    run = journal.read(server({'theirs': 'yes'}, tags))
    assert run.lost and run.open
    assert run.plan.run_id == PLAN.run_id and run.plan.to_run_again
    assert run.progress.failure == 'record-lost'


def test_a_note_that_somebody_undid_does_not_undo_what_is_owed():
    tags = [record.TAG, f'{record.TAG}.owed:{PLAN.run_id}']
    run = journal.read(server(journal.write(PLAN), tags))
    assert run.progress.stop_count == 1


def test_a_run_that_still_owes_a_power_on_is_not_over():
    """Who closed it did not know of the power-off."""
    tags = [record.TAG, f'{record.TAG}.owed:{PLAN.run_id}']
    closed = {**journal.write(PLAN), **journal.changes(BEFORE, DONE)}
    assert journal.read(server(closed, tags)).open
    assert not journal.read(server(closed)).open


def test_a_cancel_stands_whatever_the_notes_say():
    tags = [record.TAG, f'{record.TAG}.cancel:{PLAN.run_id}']
    run = journal.read(server({**journal.write(PLAN), **journal.changes(
        BEFORE, dataclasses.replace(BEFORE, capture_count=1))}, tags))
    assert run.progress.failure == 'cancelled'
    done = journal.read(server({**journal.write(PLAN), **journal.changes(
        BEFORE, dataclasses.replace(BEFORE, captured_at=1790000001))}, tags))
    assert not done.progress.failure
    other = f'{record.TAG}.cancel:{"b" * 32}'
    run = journal.read(server(journal.write(PLAN), [record.TAG, other]))
    assert not run.progress.failure


def test_a_record_of_another_server_is_told_and_is_over():
    plan = dataclasses.replace(PLAN, server_id='origin')
    run = journal.read(server(journal.write(plan)))
    assert run.copied and not run.open
    assert run.progress.failure == 'not-begun'
    assert journal.read(server(journal.write(plan), id='origin')).open


def test_a_day_that_is_none_makes_no_plan():
    """Whoever wrote it did not mean to have it kept for ever."""
    plan = dataclasses.replace(PLAN, keep_until='2026-12-31', protect=True)
    written = journal.write(plan)
    assert all(len(value) <= 255 for value in written.values())
    assert journal.as_recorded(plan) == plan
    for day in ('2026-13-31', 'tomorrow', '<b>'):
        forged = {**written, journal.PLAN: written[journal.PLAN].replace(
            '2026-12-31', day)}
        assert not journal.same_run(forged, plan)


def test_a_dismissed_record_on_a_locked_server_counts_no_more():
    tags = [f'{record.TAG}.gone:{PLAN.run_id}']
    locked = server(journal.write(PLAN), tags, locked=True)
    assert journal.read(locked) is None
    assert journal.all_tags(locked) == []


def test_of_an_older_version_counts_what_its_tags_say():
    old = {'snapshot_dashboard.plan': '{"v":5}'}
    there = server(old, [record.TAG, record.OPEN_TAG])
    assert journal.read(there) is None and journal.is_there(there)
    run = journal.read(server(old, [
        record.TAG, record.OPEN_TAG, f'{record.TAG}.owed:{"a" * 32}']))
    assert run.plan.power_on and run.lost and run.open


def test_tags_of_another_version_are_no_run_but_there():
    tags = journal.tags(PLAN, record.Progress())
    assert journal.read(server({}, [*tags, record.TAG])) is not None
    other = [tag.replace('.run7:', '.run6:') for tag in tags]
    assert other != tags
    there = server({}, [*other, record.TAG])
    assert journal.read(there) is None and journal.is_there(there)


def test_a_newer_version_is_no_run_but_there():
    newer = server({'snapshot_dashboard.plan': '{"v":99}'}, [
        record.TAG, record.OPEN_TAG, f'{record.TAG}.owed:{"a" * 32}'])
    assert journal.read(newer) is None
    assert journal.is_there(newer)


WRITTEN = {**journal.write(PLAN), **journal.changes(BEFORE, DONE)}


@given(st.dictionaries(st.sampled_from(sorted(WRITTEN)), st.one_of(
    st.none(), st.text(max_size=255), st.integers().map(str),
    st.sampled_from(['null', '[]', '{}', '{"v":2}', '{"v":1,"id":"x"}', '²',
                     WRITTEN['snapshot_dashboard.plan'].replace(
                         '1790000000', 'Infinity'),
                     WRITTEN['snapshot_dashboard.plan'].replace(
                         '"' + 'a' * 32 + '"', '7')]))))
def test_a_forged_record_is_no_run_or_a_well_typed_one(forged):
    metadata = {key: value for key, value in {**WRITTEN, **forged}.items()
                if value is not None}
    run = journal.read(server(metadata))
    if run is not None:
        for record in (run.plan, run.progress):
            for field in dataclasses.fields(record):
                value = getattr(record, field.name)
                assert type(value) is type(
                    field.default if field.name != 'run_id' else '')


@given(st.lists(st.one_of(st.text(max_size=60), st.sampled_from([
    'snapshot-dashboard.run7:x', 'snapshot-dashboard.began:²',
    'snapshot-dashboard.began:5', 'snapshot-dashboard.ended:-1']))))
def test_forged_tags_are_no_run_or_a_well_typed_one(tags):
    run = journal.read(server({}, tags))
    if run is not None:
        assert isinstance(run.plan.began_at, int)
        assert run.progress.ended_at >= 0
