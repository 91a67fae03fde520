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

"""The record of a run on its server."""

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from snapshot_dashboard.cloud import types
from snapshot_dashboard.runs import journal

PLAN = journal.Plan('a' * 32, 'nightly', 'before the upgrade', True, True,
                    1790000000, 'alice')


def server(metadata):
    return types.Server.from_api({'id': 's', 'name': 'web',
                                  'metadata': metadata})


def test_a_plan_is_read_as_it_was_written():
    run = journal.read(server(journal.write_plan(PLAN)))
    assert run.plan == PLAN
    assert run.progress == journal.Progress()
    assert run.open


def test_progress_is_read_as_it_was_written():
    progress = journal.Progress(
        stops=1, off=1790000003, captures=2, image_id='i' * 36,
        captured=1790000100, starts=1, failure='start-refused',
        detail='no', ended=1790000200)
    metadata = {**journal.write_plan(PLAN),
                **journal.write_progress(progress)}
    run = journal.read(server(metadata))
    assert run.progress == progress
    assert not run.open


def test_no_value_is_longer_than_nova_takes():
    plan = dataclasses.replace(PLAN, name='n' * 255, description='d' * 255,
                               by='ü' * 300)
    progress = journal.Progress(
        99, 9999999999, 99, 'i' * 36, 9999999999, 9999999999, 99,
        'started-by-others', 'x' * 1000, 9999999999)
    written = {**journal.write_plan(plan),
               **journal.write_progress(progress)}
    assert set(written) == set(journal.KEYS)
    assert max(map(len, written.values())) <= journal.VALUE_LENGTH


def test_a_server_without_a_record_has_no_run():
    assert journal.read(server({'owner': 'alice'})) is None


@given(st.dictionaries(st.sampled_from(journal.KEYS), st.one_of(
    st.text(max_size=255),
    st.sampled_from(['null', '[]', '{}', '{"v":1}', '{"v":2,"id":"x"}',
                     '{"v":1,"id":5,"off":1,"on":1,"at":0,"by":""}',
                     '{"v":1,"id":"x","off":1,"on":1,"at":"y","by":""}',
                     '{"stops":"many"}', '{"image_id":7}']))))
def test_a_forged_record_is_no_run_or_a_well_typed_one(metadata):
    run = journal.read(server(metadata))
    if run is not None:
        for record in (run.plan, run.progress):
            for field in dataclasses.fields(record):
                value = getattr(record, field.name)
                assert type(value).__name__ == field.type.__name__
