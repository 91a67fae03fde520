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

"""How far a run is, as its record says and no further."""

import pytest

from snapshot_dashboard.cloud import types
from snapshot_dashboard.runs import failures
from snapshot_dashboard.runs import phases
from snapshot_dashboard.runs import record
from snapshot_dashboard.runs.phases import State

SERVER = types.Server.from_api({'id': 's', 'name': 'web', 'status': 'ACTIVE'})
OFF_AND_ON = {'power_off': True, 'power_on': True, 'was_running': True}
Failure = failures.Failure


def run(plan=None, tagged=False, **progress):
    plan = OFF_AND_ON if plan is None else plan
    failure = progress.pop('failure', None)
    return record.Run(SERVER, record.Plan('r', began_at=1, **plan),
                      record.Progress(
                          failure=failure.value if failure else '',
                          **progress), tagged=tagged)


def shown(*arguments, **known):
    """The phases as one letter each, in their order."""
    letters = {State.DONE: 'd', State.CURRENT: 'c', State.TODO: 't',
               State.SKIPPED: '-', State.CANCELLED: 'x', State.FAILED: 'f'}
    return ''.join(letters[state] for state in phases.states(
        run(*arguments, **known)).values())


@pytest.mark.parametrize(('progress', 'letters'), [
    ({}, 'cttt'),
    ({'stop_count': 1}, 'cttt'),
    ({'stop_count': 1, 'off_at': 2}, 'dctt'),
    ({'stop_count': 1, 'off_at': 2, 'image_id': 'i'}, 'ddct'),
    ({'stop_count': 1, 'off_at': 2, 'image_id': 'i', 'captured_at': 3},
     'dddc'),
    ({'stop_count': 1, 'off_at': 2, 'image_id': 'i', 'captured_at': 3,
      'start_count': 1, 'ended_at': 4}, 'dddd'),
])
def test_phases_follow_one_another(progress, letters):
    assert shown(**progress) == letters


@pytest.mark.parametrize(('progress', 'letters'), [
    ({'ended_at': 2}, '----'),
    ({'stop_count': 1}, 'x--c'),
    ({'stop_count': 1, 'start_count': 1, 'ended_at': 3}, 'x--d'),
    ({'stop_count': 1, 'off_at': 2}, 'd--c'),
])
def test_what_was_cancelled_did_not_happen(progress, letters):
    assert shown(failure=Failure.CANCELLED, **progress) == letters


@pytest.mark.parametrize(('failure', 'progress', 'letters'), [
    (Failure.STOP_FAILED, {'stop_count': 3, 'ended_at': 4}, 'f---'),
    (Failure.NOT_BEGUN, {'ended_at': 4}, 'f---'),
    (Failure.FORCED_OFF, {'stop_count': 1, 'off_at': 2}, 'f--c'),
    (Failure.CAPTURE_REFUSED, {'stop_count': 1, 'off_at': 2}, 'df-c'),
    (Failure.IMAGE_VANISHED, {'stop_count': 1, 'off_at': 2, 'image_id': 'i',
                              'start_count': 1, 'ended_at': 4}, 'ddfd'),
])
def test_a_failure_stands_at_the_phase_that_failed(failure, progress,
                                                   letters):
    assert shown(failure=failure, **progress) == letters


def test_nothing_is_said_of_a_run_whose_record_was_lost_but_the_power_on():
    lost = {'failure': Failure.RECORD_LOST, 'stop_count': 1}
    assert shown(**lost) == 'c'
    assert shown(start_count=1, ended_at=3, **lost) == 'd'


def test_a_locked_instance_is_being_saved_from_the_beginning():
    assert shown({}, tagged=True, capture_count=3) == 'dc'


def test_volumes_alone_are_saved_once_cinder_was_asked():
    alone = {'captures_image': False, 'volumes': ('v',)}
    assert shown(alone, snapshot_count=1) == 'dc'


def test_an_instance_left_off_by_a_live_capture_is_powered_on_at_last():
    live = {'was_running': True}
    assert shown(live, failure=Failure.IMAGE_VANISHED, image_id='i',
                 start_count=1) == 'dfc'


@pytest.mark.parametrize('failure', [None, *Failure])
def test_a_run_that_is_over_is_in_no_phase(failure):
    assert phases.current(run(failure=failure, ended_at=2,
                              captured_at=0 if failure else 2)) is None


def test_a_run_that_touched_nothing_and_failed_powers_nothing_on():
    assert phases.current(run(failure=Failure.NOT_BEGUN)) is None
