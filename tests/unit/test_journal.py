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

from snapshot_dashboard.cloud import types
from snapshot_dashboard.runs import journal

PLAN = journal.Plan(
    'a' * 32, 'nightly', 'before the upgrade', True, True, 1790000000,
    'alice', tuple(f'00000000-0000-4000-8000-{number:012d}'
                   for number in range(8)), True, 15, 900, True,
    600)
BEFORE = journal.Progress()
DONE = journal.Progress(
    stops=1, off=1790000003, stop_id='req-' + 'r' * 36,
    consistency='powered-off', captures=2, image_id='i' * 36,
    captured=1790000100, starts=1, failure='start-refused', detail='no',
    ended=1790000200)


def server(metadata, tags=(journal.TAG,)):
    return types.Server.from_api({'id': 's', 'name': 'web',
                                  'metadata': metadata, 'tags': list(tags)})


def test_a_plan_is_read_as_it_was_written():
    run = journal.read(server(journal.write_plan(PLAN)))
    assert run.plan == PLAN
    assert run.progress == BEFORE
    assert run.open and not run.tagged


def test_progress_is_read_as_it_was_written():
    run = journal.read(server({**journal.write_plan(PLAN),
                               **journal.changes(BEFORE, DONE)}))
    assert run.progress == DONE
    assert not run.open


def test_only_what_changes_is_written_and_whether_it_has_ended():
    after = dataclasses.replace(DONE, idle=5)
    assert journal.changes(DONE, after) == {
        'snapshot_dashboard.idle': '5',
        'snapshot_dashboard.ended': '1790000200'}


def test_who_powers_off_takes_on_the_duty_to_power_on():
    written = journal.changes(BEFORE, journal.Progress(stops=1))
    assert written == {'snapshot_dashboard.stops': '1',
                       'snapshot_dashboard.starts': '',
                       'snapshot_dashboard.ended': ''}


def test_no_value_is_longer_than_nova_takes():
    plan = dataclasses.replace(PLAN, name='n' * 255, description='d' * 255,
                               by='ü' * 300)
    progress = dataclasses.replace(DONE, detail='x' * 1000, left='y' * 1000)
    written = {**journal.write_plan(plan),
               **journal.changes(BEFORE, progress)}
    assert max(map(len, written.values())) <= journal.VALUE_LENGTH
    assert set(journal.keys(server(written))) == set(written)
    read = journal.read(server(written)).plan
    assert read == dataclasses.replace(plan, by='ü' * 64)


def test_the_record_of_a_locked_server_stands_in_tags():
    plan = journal.Plan('a' * 32, began=1790000000)
    progress = journal.Progress(idle=1790000001,
                                failure='image-abandoned',
                                ended=1790000200)
    tags = journal.tags(plan, progress)
    assert all(len(tag) <= 60 and '/' not in tag and ',' not in tag
               for tag in tags)
    run = journal.read(server({}, {journal.TAG, 'own', *tags}))
    assert run.tagged and run.plan == plan
    assert run.progress == dataclasses.replace(
        progress, captures=journal.TRIES, asked=plan.began)
    assert set(journal.all_tags(run.server)) == {journal.TAG, *tags}


def test_a_server_without_a_record_has_no_run():
    assert journal.read(server({'owner': 'alice'})) is None


def test_a_record_whose_tag_was_taken_away_is_dismissed():
    assert journal.read(server(journal.write_plan(PLAN), tags=())) is None


WRITTEN = {**journal.write_plan(PLAN), **journal.changes(BEFORE, DONE)}


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
    'snapshot-dashboard.run:x', 'snapshot-dashboard.began:²',
    'snapshot-dashboard.began:5', 'snapshot-dashboard.ended:-1']))))
def test_forged_tags_are_no_run_or_a_well_typed_one(tags):
    run = journal.read(server({}, tags))
    if run is not None:
        assert isinstance(run.plan.began, int)
        assert run.progress.ended >= 0
