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

"""The logic of a run: what is to be done in which situation."""

import dataclasses
import datetime
import json

import pytest

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import types
from snapshot_dashboard.runs import failures
from snapshot_dashboard.runs import observation
from snapshot_dashboard.runs import record
from snapshot_dashboard.runs import situation
from snapshot_dashboard.runs import steps

Do, Failure = steps.Do, failures.Failure
NOW = 1790000000
OFF_AND_ON = record.Plan('r', 'name', '', True, True, NOW, 'alice')
LEFT_OFF = dataclasses.replace(OFF_AND_ON, power_on=False)
AS_IT_IS = dataclasses.replace(OFF_AND_ON, power_off=False, power_on=False)
WITH_VOLUME = dataclasses.replace(OFF_AND_ON, volumes=('v',))
BEFORE = record.Progress()
STOPPED = record.Progress(stop_count=1)
CAPTURING = record.Progress(stop_count=1, off_at=NOW, capture_count=1,
                            stop_request='req-stop', consistency='powered-off')
SAVING = dataclasses.replace(CAPTURING, image_id='image')
CAPTURED = dataclasses.replace(SAVING, captured_at=NOW)
STOP = types.Action('stop', 'req-stop', 2.0)
BY_NOVA = types.Action('stop', 'req-nova', 0.1, by_user=False)
CREATED = types.Action('createImage', 'req-image', 1.0)
RUNNING = dataclasses.replace(AS_IT_IS, was_running=True)
FAILED_LIVE = record.Progress(capture_count=1, consistency='live',
                              failure='image-abandoned')
FAILED_OFF = dataclasses.replace(FAILED_LIVE, consistency='off')
PAUSED = types.Action('pause', 'req-pause', 0.1)


def server(status='ACTIVE', task=None, **fields):
    return types.Server.from_api({
        'id': 's', 'status': status, 'OS-EXT-STS:task_state': task,
        'image': {'id': 'base'}, 'os-extended-volumes:volumes_attached': [
            {'id': 'v'}], **fields})


def moment(second=0):
    return datetime.datetime.fromtimestamp(NOW - 60 + second, datetime.UTC)


def image(status='saving', image_id='image', second=0, parts=(), size=1):
    mapping = json.dumps([
        {'source_type': 'snapshot', 'snapshot_id': part_id(number),
         'volume_size': 1, 'boot_index': number}
        for number in range(len(parts))])
    return types.Image(
        image_id, 'name', status, moment(second), size, 'p',
        False, 0, {'checksum': 'c', marks.RUN: 'r',
                   marks.CONSISTENCY: marks.POWERED_OFF,
                   **({'block_device_mapping': mapping} if parts else {})})


def part_id(number):
    return f'00000000-0000-4000-8000-{number:012d}'


def snapshot(status='available', snapshot_id='snapshot', run='r', second=0,
             owner='image'):
    return types.VolumeSnapshot(
        snapshot_id, 'name', status, moment(second), 1, 'v', 'p', None,
        {marks.RUN: run, marks.CONSISTENCY: marks.POWERED_OFF,
         marks.IMAGE: owner} if run else {})


def made_by_nova(statuses, run='r'):
    return tuple(snapshot(status, part_id(number), run)
                 for number, status in enumerate(statuses)
                 if status != 'deleted')


def step(plan, progress, seen_server, *images, now=NOW, snapshots=(),
         actions=(STOP,), unreachable=(), tagged=False):
    return steps.next_step(plan, progress, observation.Observation(
        seen_server, now, images, tuple(snapshots), tuple(actions),
        frozenset(unreachable)), tagged)


def failed(found):
    return Failure(found.note.failure)


def test_a_running_instance_is_powered_off_first():
    found = step(OFF_AND_ON, BEFORE, server())
    assert found.do is Do.POWER_OFF
    assert found.note.stop_count == 1


def test_an_instance_that_powers_off_is_waited_for():
    assert step(OFF_AND_ON, STOPPED,
                server(task='powering-off')).do is Do.WAIT


def test_an_instance_that_is_off_is_captured():
    found = step(OFF_AND_ON, STOPPED, server('SHUTOFF'))
    assert found.do is Do.CAPTURE
    assert (found.note.capture_count, found.note.off_at) == (1, NOW)
    assert found.note.consistency == marks.POWERED_OFF


@pytest.mark.parametrize('status', observation.CAPTURABLE)
def test_as_it_is_means_captured_in_any_state_that_allows_it(status):
    found = step(AS_IT_IS, BEFORE, server(status))
    assert found.do is Do.CAPTURE
    assert bool(found.note.off_at) is (status == 'SHUTOFF')


def test_an_instance_that_is_busy_is_waited_for():
    assert step(AS_IT_IS, BEFORE,
                server(task='image_uploading')).do is Do.WAIT


def test_a_power_off_without_effect_is_tried_again_but_not_for_ever():
    progress = BEFORE
    for _ in range(record.TRIES):
        found = step(OFF_AND_ON, progress, server())
        assert found.do is Do.POWER_OFF
        assert step(OFF_AND_ON, found.note, server()).do is Do.WAIT
        progress = dataclasses.replace(found.note,
                                       asked_at=NOW - situation.START_PAUSE)
    assert failed(step(OFF_AND_ON, progress,
                       server())) is Failure.STOP_FAILED


def test_what_was_put_off_waits_and_does_not_count_as_a_try():
    later = dataclasses.replace(STOPPED, stop_count=record.TRIES,
                                put_off_count=1, not_before=NOW + 2)
    assert step(OFF_AND_ON, later, server()).do is Do.WAIT
    assert step(OFF_AND_ON, later, server(), now=NOW + 2
                ).do is Do.POWER_OFF
    capture = dataclasses.replace(CAPTURING, capture_count=record.TRIES,
                                  put_off_count=1, not_before=NOW + 2)
    off = server('SHUTOFF')
    assert step(OFF_AND_ON, capture, off).do is Do.WAIT
    assert step(OFF_AND_ON, capture, off, now=NOW + 2).do is Do.CAPTURE


def test_a_capture_is_not_put_off_for_ever():
    capture = dataclasses.replace(
        CAPTURING, capture_count=9, put_off_count=9, first_capture_at=NOW,
        hindrance='too many requests')
    late = NOW + OFF_AND_ON.snapshot_timeout
    off = server('SHUTOFF')
    assert step(OFF_AND_ON, capture, off, now=late - 1).do is Do.CAPTURE
    found = step(OFF_AND_ON, capture, off, now=late)
    assert failed(found) is Failure.CAPTURE_FAILED
    assert found.note.detail == 'too many requests'
    assert found.do is Do.POWER_ON


@pytest.mark.parametrize(('progress', 'seen', 'plan', 'failure'), [
    (STOPPED, server(), OFF_AND_ON, Failure.STOP_REFUSED),
    (CAPTURING, server('SHUTOFF'), OFF_AND_ON, Failure.CAPTURE_REFUSED),
    (dataclasses.replace(CAPTURING, capture_count=0, snapshot_count=1),
     server('SHUTOFF'), WITH_VOLUME, Failure.SNAPSHOT_REFUSED)])
def test_a_refusal_is_believed_when_it_was_said_twice(progress, seen, plan,
                                                      failure):
    once = dataclasses.replace(progress, refusal_count=1, not_before=NOW + 5,
                               hindrance='no')
    assert step(plan, once, seen).do is Do.WAIT
    assert step(plan, once, seen, now=NOW + 5).note.failure == ''
    found = step(plan, dataclasses.replace(once, refusal_count=2), seen,
                 now=NOW + 5)
    assert failed(found) is failure and found.note.detail == 'no'


@pytest.mark.parametrize('seen', [server(), server('SHUTOFF')])
def test_what_missed_its_time_is_not_begun(seen):
    late = NOW + OFF_AND_ON.begin_within + 1
    assert step(OFF_AND_ON, BEFORE, seen, now=late - 1).note.failure == ''
    found = step(OFF_AND_ON, BEFORE, seen, now=late)
    assert failed(found) is Failure.NOT_BEGUN
    assert found.do is Do.NOTE and found.note.ended_at


def test_an_instance_that_is_off_for_a_capture_too_late_is_powered_on():
    late = NOW + OFF_AND_ON.begin_within + OFF_AND_ON.shutdown_timeout
    off = dataclasses.replace(STOPPED, off_at=NOW, stop_request='req-stop')
    assert step(OFF_AND_ON, off, server('SHUTOFF'), now=late
                ).do is Do.CAPTURE
    found = step(OFF_AND_ON, off, server('SHUTOFF'), now=late + 1)
    assert failed(found) is Failure.NOT_BEGUN
    assert found.do is Do.POWER_ON


def test_a_capture_without_effect_is_tried_again_but_not_for_ever():
    progress = STOPPED
    for _ in range(record.TRIES):
        found = step(OFF_AND_ON, progress, server('SHUTOFF'))
        assert found.do is Do.CAPTURE
        progress = dataclasses.replace(found.note, asked_at=0)
    assert failed(step(OFF_AND_ON, progress,
                       server('SHUTOFF'))) is Failure.CAPTURE_FAILED


def test_an_instance_started_by_others_before_the_capture_is_left_alone():
    off_seen = dataclasses.replace(STOPPED, off_at=NOW)
    assert failed(step(OFF_AND_ON, off_seen,
                       server())) is Failure.STARTED_BY_OTHERS


def test_a_start_before_the_run_is_no_start_by_others():
    earlier = [types.Action('start', 'earlier', 1.0), STOP]
    found = step(OFF_AND_ON, BEFORE, server(), actions=earlier)
    assert (found.do, found.note.baseline_request) == (Do.POWER_OFF, 'earlier')
    again = dataclasses.replace(found.note, asked_at=0)
    assert step(OFF_AND_ON, again, server(),
                actions=earlier).do is Do.POWER_OFF
    since = [types.Action('start', 'by-others', 1.0), STOP, *earlier]
    assert failed(step(OFF_AND_ON, again, server(),
                       actions=since)) is Failure.STARTED_BY_OTHERS


def test_who_starts_it_after_it_was_asked_for_did_not_ask_for_that():
    """It was off for a while before the run had touched it."""
    asked = dataclasses.replace(BEFORE, begin_request='asked')
    earlier = [types.Action('start', 'asked', 1.0), STOP]
    assert step(OFF_AND_ON, asked, server(), actions=earlier).do is (
        Do.POWER_OFF)
    since = [types.Action('start', 'by-others', 1.0),
             types.Action('stop', 'by-others-too', 1.0), *earlier]
    for plan in (OFF_AND_ON, LEFT_OFF):
        assert failed(step(plan, asked, server(),
                           actions=since)) is Failure.STARTED_BY_OTHERS
    assert step(OFF_AND_ON, asked, server('SHUTOFF'),
                actions=since[1:]).do is not Do.POWER_ON


@pytest.mark.parametrize(('name', 'before', 'is_start'), [
    ('reboot', 'stop', True), ('resume', 'suspend', True),
    ('unpause', 'pause', True), ('reboot', 'createImage', False)])
def test_whatever_brings_it_back_after_it_was_asked_for_is_a_start(
        name, before, is_start):
    asked = dataclasses.replace(BEFORE, begin_request='asked')
    actions = [types.Action(name, 'by-others', 1.0),
               types.Action(before, 'by-others-too', 1.0),
               types.Action('start', 'asked', 1.0), STOP]
    found = step(LEFT_OFF, asked, server(), actions=actions)
    assert (found.do is not Do.POWER_OFF) is is_start


@pytest.mark.parametrize('known', ['', 'not among them'])
def test_a_start_of_which_the_time_is_not_known_is_none(known):
    """An old answer, or one that is cut off, lacks what it was begun after.

    And a service that names no requests tells of none.
    """
    asked = dataclasses.replace(BEFORE, begin_request=known)
    actions = [types.Action('start', 'earlier', 1.0),
               types.Action('stop', '', 1.0)]
    assert step(OFF_AND_ON, asked, server(), actions=actions).do is (
        Do.POWER_OFF)


def test_a_start_that_nobody_asked_for_is_none_by_others():
    asked = dataclasses.replace(BEFORE, begin_request='asked')
    actions = [types.Action('start', 'of nova', 1.0, by_user=False),
               types.Action('start', 'asked', 1.0), STOP]
    assert step(OFF_AND_ON, asked, server(), actions=actions).do is (
        Do.POWER_OFF)


@pytest.mark.parametrize('status', ['PAUSED', 'SUSPENDED'])
def test_a_state_in_which_it_cannot_be_powered_off_ends_the_run(status):
    found = step(OFF_AND_ON, STOPPED, server(status))
    assert failed(found) is Failure.WRONG_STATE
    assert found.note.detail == status


@pytest.mark.parametrize('status', ['ERROR', 'SHELVED_OFFLOADED', 'RESCUE',
                                    'VERIFY_RESIZE'])
@pytest.mark.parametrize('progress', [STOPPED, SAVING, CAPTURED])
def test_a_state_in_which_nothing_can_be_noted_is_waited_for(progress,
                                                             status):
    assert step(OFF_AND_ON, progress, server(status)).do is Do.WAIT


def test_an_instance_that_was_shelved_and_came_back_is_not_powered_off():
    actions = [types.Action('unshelve', 'u', 9.0),
               types.Action('shelve', 's', 9.0), STOP]
    assert failed(step(OFF_AND_ON, STOPPED, server(),
                       actions=actions)) is Failure.STARTED_BY_OTHERS


def test_a_deleted_instance_ends_the_run():
    assert failed(step(OFF_AND_ON, STOPPED, None)) is Failure.SERVER_GONE


def test_an_image_whose_id_was_lost_is_found():
    assert step(OFF_AND_ON, CAPTURING, server('SHUTOFF', 'image_uploading'),
                image()).do is Do.WAIT


def test_of_two_images_of_a_run_the_furthest_counts():
    found = step(OFF_AND_ON, SAVING, server('SHUTOFF'),
                 image('queued', 'image'), image('active', 'real', 1))
    assert found.note.image_id == 'real' and found.note.captured_at


def test_a_capture_whose_answer_was_lost_is_given_time():
    asked = dataclasses.replace(CAPTURING, asked_at=NOW)
    almost = NOW + situation.ANSWER_GRACE - 1
    assert step(OFF_AND_ON, asked, server('SHUTOFF'),
                now=almost).do is Do.WAIT
    assert step(OFF_AND_ON, asked, server('SHUTOFF'),
                now=almost + 1).do is Do.CAPTURE


def test_an_image_being_saved_is_waited_for():
    assert step(OFF_AND_ON, SAVING, server('SHUTOFF', 'image_uploading'),
                image()).do is Do.WAIT


def test_an_image_that_vanished_is_a_failure_after_a_while():
    found = step(OFF_AND_ON, SAVING, server('SHUTOFF'))
    assert found.note.unseen_since == NOW and not found.note.failure
    unseen = found.note
    gone = NOW + situation.UNSEEN_GRACE
    assert step(OFF_AND_ON, unseen, server('SHUTOFF'),
                now=gone - 1).do is Do.WAIT
    assert failed(step(OFF_AND_ON, unseen, server('SHUTOFF'),
                       now=gone)) is Failure.IMAGE_VANISHED


def test_an_image_that_a_list_lacked_for_a_while_is_no_failure():
    unseen = dataclasses.replace(SAVING, unseen_since=NOW)
    found = step(OFF_AND_ON, unseen, server('SHUTOFF'), image('active'),
                 now=NOW + 29)
    assert found.note.captured_at and not found.note.unseen_since
    assert step(OFF_AND_ON, SAVING,
                server('SHUTOFF', 'image_uploading')).do is Do.WAIT


@pytest.mark.parametrize('status', ['killed', 'deleted', 'pending_delete'])
def test_an_image_that_is_being_removed_is_a_failure(status):
    assert failed(step(OFF_AND_ON, SAVING, server('SHUTOFF'),
                       image(status))) is Failure.IMAGE_VANISHED


def test_an_active_image_without_data_is_a_failure():
    assert failed(step(OFF_AND_ON, SAVING, server('SHUTOFF'),
                       image('active', size=0))) is Failure.IMAGE_EMPTY


@pytest.mark.parametrize('status', ['queued', 'saving'])
def test_an_unfinished_image_of_an_idle_nova_is_given_time(status):
    found = step(OFF_AND_ON, SAVING, server('SHUTOFF'), image(status))
    assert found.note.idle_since == NOW and not found.note.failure
    waiting = found.note
    almost = NOW + situation.IDLE_GRACE - 1
    assert step(OFF_AND_ON, waiting, server('SHUTOFF'), image(status),
                now=almost).do is Do.WAIT
    assert failed(step(OFF_AND_ON, waiting, server('SHUTOFF'), image(status),
                       now=almost + 1)) is Failure.IMAGE_ABANDONED


def test_the_grace_begins_anew_when_nova_works_again():
    idle = dataclasses.replace(SAVING, idle_since=NOW)
    found = step(OFF_AND_ON, idle, server('SHUTOFF', 'image_uploading'),
                 image())
    assert found.note.idle_since == 0


def test_an_active_image_is_captured_and_the_instance_powered_on():
    found = step(OFF_AND_ON, SAVING, server('SHUTOFF'), image('active'))
    assert found.note.captured_at == NOW
    assert found.do is Do.POWER_ON


def test_a_volume_backed_image_waits_for_its_volume_snapshots():
    for last, waits in (('creating', True), ('available', False)):
        found = step(OFF_AND_ON, SAVING, server('SHUTOFF', image=''),
                     image('active', parts='ab', size=0),
                     snapshots=made_by_nova(['available', last]))
        assert (found.do is Do.WAIT) is waits
        assert waits or (found.do is Do.POWER_ON and found.note.captured_at)


@pytest.mark.parametrize('status', ['error', 'deleted'])
def test_a_volume_snapshot_that_failed_is_a_failure(status):
    found = step(OFF_AND_ON, SAVING, server('SHUTOFF', image=''),
                 image('active', parts='ab', size=0),
                 snapshots=made_by_nova(['available', status]))
    assert failed(found) is Failure.PART_FAILED


def test_a_volume_snapshot_that_never_ends_does_not_keep_the_instance_off():
    parts = ('available', 'creating')
    late = NOW + OFF_AND_ON.snapshot_timeout

    def look(progress, status, now=late):
        return step(OFF_AND_ON, progress, server(status, image=''),
                    image('active', parts=parts), now=now,
                    snapshots=made_by_nova(parts))

    assert look(SAVING, 'SHUTOFF', late - 1).do is Do.WAIT
    found = look(SAVING, 'SHUTOFF')
    # It may become whole yet, of an instance that runs again by then.
    assert (found.do, found.consistency) == (Do.MARK, marks.LIVE)
    then = look(marked(found.note), 'SHUTOFF')
    assert failed(then) is Failure.PART_ABANDONED
    assert then.do is Do.POWER_ON
    last = look(then.note, 'ACTIVE')
    assert last.note.ended_at and not last.note.leftover_ids


def marked(progress):
    """It was tried to mark what was made, as often as it is tried at all."""
    return dataclasses.replace(progress, mark_count=record.TRIES)


def test_what_nova_made_unmarked_is_marked_but_not_for_ever():
    def look(progress):
        return step(OFF_AND_ON, progress, server('SHUTOFF', image=''),
                    image('active', parts='a', size=0),
                    snapshots=made_by_nova(['available'], run=''))

    found = look(SAVING)
    assert found.do is Do.MARK and found.snapshot_ids == (part_id(0),)
    assert look(found.note).do is Do.MARK  # nothing came of it
    assert look(marked(found.note)).do is Do.POWER_ON


def test_volumes_captured_live_are_not_at_rest_since_it_went_off_later():
    live = dataclasses.replace(
        record.Progress(), snapshot_count=1, consistency=marks.LIVE)
    found = step(dataclasses.replace(WITH_VOLUME, power_off=False), live,
                 server('SHUTOFF'), snapshots=[snapshot()], actions=[STOP])
    assert found.note.off_at and found.note.consistency == marks.LIVE


def test_a_set_that_somebody_disturbed_is_marked_as_taken_live():
    parts = ('creating', 'available')
    saved = image('active', parts=parts)
    found = step(OFF_AND_ON, SAVING, server(), saved,
                 snapshots=made_by_nova(parts))
    assert found.note.consistency == marks.LIVE
    whole = image('active', parts=('available',) * 2)
    found = step(OFF_AND_ON, found.note, server(), whole,
                 snapshots=made_by_nova(('available',) * 2))
    assert (found.do, found.consistency) == (Do.MARK, marks.LIVE)
    assert found.image_ids == (whole.id,)
    assert set(found.snapshot_ids) == {part_id(0), part_id(1)}
    assert found.taken == whole.created.timestamp()


def test_a_set_is_disturbed_too_when_it_is_off_again():
    parts = ('available', 'available')
    actions = [types.Action('stop', 'y', 1.0),
               types.Action('start', 'x', 1.0), CREATED, STOP]
    found = step(OFF_AND_ON, SAVING, server('SHUTOFF'),
                 image('active', parts=parts),
                 snapshots=made_by_nova(parts), actions=actions)
    assert (found.do, found.consistency) == (Do.MARK, marks.LIVE)


def test_a_set_is_disturbed_too_between_its_volumes_and_its_image():
    actions = [CREATED, types.Action('stop', 'y', 1.0),
               types.Action('start', 'x', 1.0), STOP]
    found = step(WITH_VOLUME, SAVING, server('SHUTOFF'), image('active'),
                 snapshots=[snapshot()], actions=actions)
    assert (found.do, found.consistency) == (Do.MARK, marks.LIVE)


def test_an_image_of_a_local_disk_cannot_be_disturbed():
    found = step(OFF_AND_ON, SAVING, server(), image('active'))
    assert found.note.consistency == marks.POWERED_OFF


def test_chosen_volumes_are_captured_while_the_instance_is_off():
    found = step(WITH_VOLUME, STOPPED, server('SHUTOFF'))
    assert found.do is Do.SNAPSHOT_VOLUMES and found.volume_ids == ('v',)
    then = step(WITH_VOLUME, dataclasses.replace(found.note, asked_at=0),
                server('SHUTOFF'), snapshots=[snapshot('creating')])
    assert then.do is Do.CAPTURE


def test_power_on_waits_for_the_snapshots_of_chosen_volumes():
    for status, expected in (('creating', Do.WAIT),
                             ('available', Do.POWER_ON)):
        assert step(WITH_VOLUME, SAVING, server('SHUTOFF'), image('active'),
                    snapshots=[snapshot(status)]).do is expected


def test_a_chosen_volume_that_fails_before_the_image_leaves_nothing():
    found = step(WITH_VOLUME, dataclasses.replace(CAPTURING, capture_count=0),
                 server('SHUTOFF'), snapshots=[snapshot('error')])
    assert failed(found) is Failure.SNAPSHOT_FAILED
    assert found.do is Do.POWER_ON
    then = step(WITH_VOLUME, found.note, server(),
                snapshots=[snapshot('error')])
    assert then.do is Do.REMOVE and then.snapshot_ids == ('snapshot',)


def test_a_chosen_volume_that_was_detached_ends_the_run():
    found = step(WITH_VOLUME, STOPPED, server('SHUTOFF', **{
        'os-extended-volumes:volumes_attached': []}))
    assert failed(found) is Failure.VOLUME_DETACHED


def test_of_two_snapshots_of_a_chosen_volume_one_is_removed():
    found = step(WITH_VOLUME, dataclasses.replace(CAPTURED, start_count=1),
                 server(), image('active'),
                 snapshots=[snapshot(snapshot_id='late', second=1),
                            snapshot()])
    assert found.do is Do.REMOVE and found.snapshot_ids == ('late',)


def test_a_forced_power_off_is_marked_so():
    forced = types.Action('stop', 'req', 60.5)
    found = step(OFF_AND_ON, STOPPED, server('SHUTOFF'), actions=[forced])
    assert found.do is Do.CAPTURE
    assert found.note.consistency == marks.FORCED_OFF


def test_a_forced_power_off_ends_the_run_if_so_wished():
    careful = dataclasses.replace(OFF_AND_ON, stop_if_forced=True)
    forced = types.Action('stop', 'req', 60.5)
    found = step(careful, STOPPED, server('SHUTOFF'), actions=[forced])
    assert failed(found) is Failure.FORCED_OFF and found.do is Do.POWER_ON
    assert step(careful, STOPPED, server('SHUTOFF')).do is Do.CAPTURE


def test_a_locked_instance_is_waited_for():
    for progress in (BEFORE, STOPPED, SAVING, CAPTURED):
        assert step(OFF_AND_ON, progress, server('SHUTOFF', locked=True),
                    image('active')).do is Do.WAIT


def test_a_run_recorded_in_tags_goes_on_while_locked():
    tagged = record.Progress(capture_count=record.TRIES)
    found = step(AS_IT_IS, tagged, server(locked=True), image('active'),
                 tagged=True)
    assert found.note.captured_at and found.note.ended_at


def test_a_dark_glance_stops_nothing_from_being_powered_on_for_long():
    found = step(OFF_AND_ON, SAVING, server('SHUTOFF'), unreachable=['image'])
    assert found.note.idle_since == NOW
    assert step(OFF_AND_ON, found.note, server('SHUTOFF'),
                unreachable=['image'],
                now=NOW + situation.IDLE_GRACE).do is Do.POWER_ON


def test_nothing_is_begun_while_glance_is_dark():
    for progress in (BEFORE, STOPPED):
        assert step(OFF_AND_ON, progress, server('SHUTOFF'),
                    unreachable=['image']).do in (Do.WAIT, Do.NOTE)


def test_an_instance_that_somebody_powers_off_again_stays_off():
    progress = dataclasses.replace(CAPTURED, start_count=1)
    by_others = types.Action('stop', 'req-other', 1.0)
    found = step(OFF_AND_ON, progress, server('SHUTOFF'), image('active'),
                 actions=[by_others, types.Action('start', 'x', 1.0), STOP])
    assert found.do is Do.NOTE and found.note.ended_at
    assert not found.note.failure


def test_a_crash_before_it_was_seen_to_run_again_is_no_stop_by_others():
    done = dataclasses.replace(CAPTURED, start_count=1)
    actions = [BY_NOVA, types.Action('start', 'x', 1.0), CREATED, STOP]
    assert step(OFF_AND_ON, done, server('SHUTOFF'), image('active'),
                actions=actions).do is Do.POWER_ON
    actions[0] = dataclasses.replace(BY_NOVA, by_user=True)
    assert step(OFF_AND_ON, done, server('SHUTOFF'), image('active'),
                actions=actions).note.ended_at == NOW


def test_a_start_by_others_after_our_stop_is_not_undone():
    found = step(OFF_AND_ON, STOPPED, server(), actions=[
        types.Action('start', 'req-other', 1.0), STOP])
    assert failed(found) is Failure.STARTED_BY_OTHERS


def test_a_snapshot_taken_just_after_a_start_by_others_is_not_kept():
    found = step(OFF_AND_ON, SAVING, server(), image('active'), actions=[
        types.Action('createImage', 'c', 1.0),
        types.Action('start', 'req-other', 1.0), STOP])
    assert failed(found) is Failure.STARTED_BY_OTHERS
    assert found.do is Do.REMOVE and found.image_ids == ('image',)


def test_a_captured_instance_is_powered_on_again():
    found = step(OFF_AND_ON, CAPTURED, server('SHUTOFF'), image('active'))
    assert found.do is Do.POWER_ON
    assert found.note.start_count == 1


@pytest.mark.parametrize('failure', [
    Failure.IMAGE_VANISHED, Failure.CAPTURE_REFUSED, Failure.PART_FAILED,
    Failure.FORCED_OFF, Failure.SNAPSHOT_REFUSED,
    Failure.CAPTURE_FAILED, Failure.IMAGE_ABANDONED, Failure.CANCELLED])
def test_a_failed_capture_still_leads_to_power_on(failure):
    progress = dataclasses.replace(SAVING, failure=failure.value)
    assert step(OFF_AND_ON, progress, server('SHUTOFF')).do is Do.POWER_ON


def test_an_instance_that_powers_on_is_waited_for():
    assert step(OFF_AND_ON, CAPTURED,
                server('SHUTOFF', 'powering-on')).do is Do.WAIT


def test_a_run_is_closed_when_the_instance_runs_again():
    started = dataclasses.replace(CAPTURED, start_count=1)
    found = step(OFF_AND_ON, started, server(), image('active'))
    assert found.note.ended_at == NOW
    assert not found.note.failure


def test_that_it_runs_is_believed_at_once_where_somebody_started_it():
    found = step(OFF_AND_ON, CAPTURED, server(), image('active'),
                 actions=[types.Action('start', 'req-theirs', 2.0), STOP])
    assert found.note.ended_at == NOW


@pytest.mark.parametrize('failure', ['', 'not-begun', 'stop-failed',
                                     'cancelled'])
def test_that_it_runs_though_nobody_started_it_is_believed_the_second_time(
        failure):
    """An old answer says so, too, and lacks what was noted since."""
    progress = dataclasses.replace(
        CAPTURED if not failure else STOPPED, failure=failure)
    seen = [image('active')] if not failure else []
    found = step(OFF_AND_ON, progress, server(), *seen)
    assert found.note.idle_since == NOW and not found.note.ended_at
    almost = NOW + situation.POWER_GRACE - 1
    assert step(OFF_AND_ON, found.note, server(), *seen,
                now=almost).do is Do.WAIT
    assert step(OFF_AND_ON, found.note, server(), *seen,
                now=almost + 1).note.ended_at
    assert step(OFF_AND_ON, found.note, server('SHUTOFF'), *seen,
                now=almost).do is Do.POWER_ON


def test_no_power_on_while_an_earlier_power_off_may_still_arrive():
    progress = dataclasses.replace(SAVING, stop_count=2, captured_at=NOW,
                                   off_at=NOW)
    for later, do in ((situation.ANSWER_GRACE - 1, Do.WAIT),
                      (situation.ANSWER_GRACE, Do.POWER_ON)):
        assert step(OFF_AND_ON, progress, server('SHUTOFF'), image('active'),
                    now=NOW + later).do is do


def test_a_rebuild_that_shows_it_running_for_a_moment_is_waited_for():
    rebuilt = [types.Action('rebuild', 'x', None), STOP]
    asked = dataclasses.replace(STOPPED, asked_at=NOW)
    off = dataclasses.replace(STOPPED, off_at=NOW, asked_at=0)
    for progress in (asked, off):
        assert step(OFF_AND_ON, progress, server(),
                    actions=rebuilt).do is Do.WAIT
    # But not for ever, where it was not seen off, nor when it was started.
    assert failed(step(OFF_AND_ON, asked, server(), actions=rebuilt,
                       now=NOW + situation.ANSWER_GRACE)
                  ) is Failure.STARTED_BY_OTHERS
    started = [rebuilt[0], types.Action('start', 'y', 1.0), STOP]
    assert failed(step(OFF_AND_ON, off, server(), actions=started)
                  ) is Failure.STARTED_BY_OTHERS


VOLUMES_ONLY = dataclasses.replace(WITH_VOLUME, captures_image=False)
TAKEN = dataclasses.replace(
    record.Progress(), stop_count=1, off_at=NOW, snapshot_count=1,
    consistency=marks.POWERED_OFF)


def test_a_volume_alone_is_not_called_at_rest_while_somebody_powers_on():
    assert step(VOLUMES_ONLY, TAKEN, server('SHUTOFF', task='powering-on'),
                snapshots=[snapshot()]).do is Do.WAIT
    actions = [types.Action('stop', 'y', 1.0), types.Action('start', 'x', 1.0),
               STOP]
    found = step(VOLUMES_ONLY, TAKEN, server('SHUTOFF'),
                 snapshots=[snapshot()], actions=actions)
    assert (found.do, found.consistency) == (Do.MARK, marks.LIVE)


@pytest.mark.parametrize(('plan', 'progress', 'failure'), [
    (VOLUMES_ONLY, TAKEN, Failure.PART_ABANDONED),
    (WITH_VOLUME, TAKEN, Failure.SNAPSHOT_FAILED),
    (WITH_VOLUME, dataclasses.replace(SAVING, idle_since=NOW),
     Failure.PART_ABANDONED)])
def test_no_instance_stays_off_for_a_cinder_that_does_not_come_back(
        plan, progress, failure):
    late = NOW + plan.snapshot_timeout

    def look(now):
        images = [image('active')] if progress.image_id else []
        return step(plan, progress, server('SHUTOFF'), *images, now=now,
                    unreachable={'volume'})

    assert look(late - 1).do is not Do.POWER_ON
    found = look(late)
    assert failed(found) is failure and found.do is Do.POWER_ON


def test_no_instance_is_powered_off_for_a_volume_that_is_not_there():
    found = step(VOLUMES_ONLY, record.Progress(), server(
        **{'os-extended-volumes:volumes_attached': []}))
    assert failed(found) is Failure.VOLUME_DETACHED
    assert found.do is not Do.POWER_OFF


def test_the_snapshot_that_was_seen_whole_stays_the_one():
    older = dataclasses.replace(snapshot(), metadata={marks.RUN: 'r'})
    found = step(VOLUMES_ONLY, dataclasses.replace(
                     TAKEN, captured_at=NOW, start_count=1),
                 server(), snapshots=[older, snapshot(snapshot_id='marked',
                                                      second=1)])
    assert (found.do, found.snapshot_ids) == (Do.REMOVE, (older.id,))


@pytest.mark.parametrize(('between', 'expected'), [
    ([], Do.POWER_ON), ([types.Action('start', 'req-start', 1.0)], Do.NOTE),
    ([types.Action('reboot', 'req-boot', 1.0)], Do.NOTE)])
def test_two_power_offs_at_the_same_moment_are_both_the_runs(between,
                                                             expected):
    """Nova records both, in either order; only one of them is noted."""
    progress = dataclasses.replace(CAPTURED, start_count=1)
    second = types.Action('stop', 'req-second', 2.0)
    found = step(OFF_AND_ON, progress, server('SHUTOFF'), image('active'),
                 actions=[CREATED, second, *between, STOP])
    assert found.do is expected
    assert step(OFF_AND_ON, progress, server('SHUTOFF'), image('active'),
                actions=[CREATED, STOP, second]).do is Do.POWER_ON


def test_a_mark_that_cannot_be_set_ends_no_run_of_volumes_alone():
    wrong = dataclasses.replace(snapshot(), metadata={marks.RUN: 'r'})
    tried = dataclasses.replace(TAKEN, mark_count=record.TRIES - 1)
    assert step(VOLUMES_ONLY, tried, server('SHUTOFF'),
                snapshots=[wrong]).do is Do.MARK
    found = step(VOLUMES_ONLY, dataclasses.replace(
        TAKEN, mark_count=record.TRIES), server('SHUTOFF'), snapshots=[wrong])
    assert found.do is Do.POWER_ON and found.note.captured_at


def test_a_power_off_that_may_be_on_its_way_is_waited_for_at_the_end():
    progress = record.Progress(stop_count=1, asked_at=NOW,
                               failure='cancelled', idle_since=NOW)
    assert step(OFF_AND_ON, progress, server(), actions=(),
                now=NOW + situation.ANSWER_GRACE - 1).do is Do.WAIT
    assert step(OFF_AND_ON, progress, server(), actions=(),
                now=NOW + situation.ANSWER_GRACE).note.ended_at


def test_a_run_does_not_end_while_it_is_not_known_what_it_left():
    back = dataclasses.replace(CAPTURED, start_count=1)
    for seen in ({'unreachable': {'image'}}, {'unreachable': {'volume'}}):
        assert step(OFF_AND_ON, back, server(), image('active'),
                    **seen).do is Do.WAIT
    alone = dataclasses.replace(TAKEN, captured_at=NOW, start_count=1)
    assert step(VOLUMES_ONLY, alone, server(), snapshots=[
        snapshot(), snapshot('creating', 'second', second=1)]
        ).do is Do.WAIT


@pytest.mark.parametrize('hindrance', [
    {'task': 'powering-off'}, {'capture_count': 1}, {'stop_unfinished': True}])
def test_that_it_is_off_is_noted_without_glance_unless_it_is_not_sure(
        hindrance):
    """Each of these alone leaves it open."""
    progress = dataclasses.replace(
        STOPPED, asked_at=NOW, capture_count=hindrance.get('capture_count', 0))
    stop = dataclasses.replace(STOP, seconds=None) if (
        'stop_unfinished' in hindrance) else STOP

    def look(progress, task, stop):
        return step(OFF_AND_ON, progress, server('SHUTOFF', task=task),
                    actions=[stop], unreachable={'image'})

    assert look(progress, hindrance.get('task'), stop).do is Do.WAIT
    certain = dataclasses.replace(STOPPED, asked_at=NOW)
    assert look(certain, None, STOP).note.off_at == NOW


def test_how_a_power_off_went_is_waited_for_as_long_as_a_guest_may_take():
    stop = dataclasses.replace(STOP, seconds=None)
    asked = dataclasses.replace(STOPPED, asked_at=NOW)
    last = NOW + OFF_AND_ON.shutdown_timeout + situation.ANSWER_GRACE
    assert step(OFF_AND_ON, asked, server('SHUTOFF'), actions=[stop],
                now=last - 1).do is Do.WAIT
    assert step(OFF_AND_ON, asked, server('SHUTOFF'), actions=[stop],
                now=last).do is Do.CAPTURE


@pytest.mark.parametrize('asked_for', ['capture_count', 'snapshot_count'])
def test_what_is_being_captured_has_not_missed_its_time(asked_for):
    progress = record.Progress(**{asked_for: 1})
    found = step(AS_IT_IS, progress, server(),
                 now=NOW + AS_IT_IS.begin_within + 1)
    assert found.do is Do.CAPTURE


def test_what_was_only_put_off_is_no_try_of_a_volume_snapshot():
    tried = dataclasses.replace(
        STOPPED, off_at=NOW, first_capture_at=NOW,
        snapshot_count=record.TRIES, put_off_count=1)
    assert step(WITH_VOLUME, tried,
                server('SHUTOFF')).do is Do.SNAPSHOT_VOLUMES
    assert failed(step(WITH_VOLUME, dataclasses.replace(
        tried, put_off_count=0), server('SHUTOFF'))) is Failure.CAPTURE_FAILED


@pytest.mark.parametrize('other', [
    {'run': 'another'}, {'status': 'deleting'}])
def test_what_is_another_runs_or_goes_away_is_no_part(other):
    found = step(WITH_VOLUME, dataclasses.replace(STOPPED, off_at=NOW),
                 server('SHUTOFF'), snapshots=[snapshot(**other)])
    assert found.do is Do.SNAPSHOT_VOLUMES
    strange = dataclasses.replace(snapshot(), volume_id='not-chosen')
    found = step(WITH_VOLUME, dataclasses.replace(STOPPED, off_at=NOW),
                 server('SHUTOFF'), snapshots=[strange])
    assert found.volume_ids == ('v',)


def test_a_guest_that_went_off_by_itself_before_the_run_could_is_powered_on():
    """Its user had asked for a running one, and nobody for a stop."""
    crashed = dataclasses.replace(CAPTURED, stop_count=0, stop_request='')
    assert step(OFF_AND_ON, crashed, server('SHUTOFF'), image('active'),
                actions=[CREATED, BY_NOVA]).do is Do.POWER_ON
    assert step(OFF_AND_ON, crashed, server('SHUTOFF'), image('active'),
                actions=[CREATED, STOP]).note.ended_at


@pytest.mark.parametrize('rested', ['pause', 'suspend'])
def test_who_paused_it_last_has_it_so_whatever_ran_before(rested):
    actions = [types.Action(rested, 'x', 0.1), types.Action(
        'unpause', 'y', 0.1), CREATED]
    found = step(RUNNING, dataclasses.replace(FAILED_LIVE, consistency=''),
                 server('SHUTOFF'), actions=[BY_NOVA, *actions])
    assert found.do is not Do.POWER_ON


def test_an_image_that_is_seen_tells_that_a_capture_was_asked_for():
    progress = record.Progress(failure='capture-failed')
    asked = {'actions': [BY_NOVA, CREATED]}
    assert step(RUNNING, progress, server('SHUTOFF'), image('queued'),
                **asked).do is Do.POWER_ON
    assert step(RUNNING, progress, server('SHUTOFF'),
                **asked).do is not Do.POWER_ON


def test_a_rebuild_that_began_while_it_was_off_is_waited_for():
    """Nova shows it running for a moment, and powers it off again."""
    actions = [types.Action('rebuild', 'z', None), types.Action(
        'stop', 'y', 1.0), types.Action('start', 'x', 1.0), STOP]
    off = dataclasses.replace(STOPPED, off_at=NOW,
                              baseline_request='req-stop')
    assert step(OFF_AND_ON, off, server(), actions=actions).do is Do.WAIT


def test_of_two_snapshots_of_a_volume_the_one_that_is_whole_is_the_one():
    younger = snapshot('available', 'younger', second=2)
    found = step(WITH_VOLUME, dataclasses.replace(STOPPED, off_at=NOW),
                 server('SHUTOFF'), snapshots=[
                     snapshot('creating', 'older', second=1), younger])
    assert found.do is Do.CAPTURE and found.snapshot_ids == ('younger',)


@pytest.mark.parametrize('strange', [
    {'metadata': {marks.RUN: 'r'}},  # no call of the run's has made it
    {'metadata': {marks.RUN: 'r', marks.CALL: 'c'}, 'volume_id': 'other'}])
def test_what_an_image_maps_and_the_run_did_not_make_is_not_removed(strange):
    old = dataclasses.replace(snapshot(), id=part_id(0),
                              created=moment(-9999), **strange)
    found = step(WITH_VOLUME, dataclasses.replace(
        SAVING, failure='image-abandoned', start_count=1), server(),
        image('queued', parts=['x']), snapshots=[old])
    assert found.do is Do.REMOVE
    assert (found.image_ids, found.snapshot_ids) == (('image',), ())


def test_an_instance_that_was_to_be_left_off_is_left_off():
    found = step(LEFT_OFF, CAPTURED, server('SHUTOFF'), image('active'))
    assert found.do is Do.NOTE and found.note.ended_at


def test_an_instance_that_was_off_before_is_not_powered_on():
    captured = dataclasses.replace(CAPTURED, stop_count=0)
    found = step(AS_IT_IS, captured, server('SHUTOFF'), image('active'))
    assert found.do is Do.NOTE and found.note.ended_at


def test_a_power_on_that_is_owed_is_tried_for_as_long_as_it_takes():
    progress, now, pauses = CAPTURED, NOW, []
    for _ in range(50):
        found = step(OFF_AND_ON, progress, server('SHUTOFF'), now=now)
        assert found.do is Do.POWER_ON
        progress, pause = found.note, 0
        while step(OFF_AND_ON, progress, server('SHUTOFF'),
                   now=now + pause).do is Do.WAIT:
            pause += 1
        pauses.append(pause)
        now += pause
    assert pauses[:5] == [5, 10, 20, 40, 60]
    assert set(pauses[5:]) == {situation.START_PAUSE}


def test_a_power_on_that_was_refused_is_tried_again_later():
    refused = dataclasses.replace(CAPTURED, start_count=1, refusal_count=9,
                                  not_before=NOW + 600)
    off = server('SHUTOFF')
    assert step(OFF_AND_ON, refused, off, now=NOW + 599).do is Do.WAIT
    assert step(OFF_AND_ON, refused, off, now=NOW + 600).do is Do.POWER_ON


BY_OTHERS = types.Action('stop', 'req-others', 2.0, began=NOW + 3600)


@pytest.mark.parametrize('progress', [
    dataclasses.replace(CAPTURED, stop_count=0, stop_request='req-others'),
    dataclasses.replace(CAPTURED, start_count=1),
    CAPTURED])
def test_an_instance_that_somebody_powered_off_is_left_off(progress):
    found = step(OFF_AND_ON, progress, server('SHUTOFF'), image('active'),
                 actions=(BY_OTHERS, types.Action('start', 'r', 1.0),
                          types.Action('stop', 'req-stop', 2.0, began=NOW)))
    assert found.do is Do.NOTE and found.note.ended_at


def test_a_state_that_somebody_else_made_is_not_fought_with():
    found = step(OFF_AND_ON, CAPTURED, server('PAUSED'))
    assert found.do is Do.NOTE and found.note.ended_at


def test_an_instance_deleted_after_its_capture_ends_the_run_well():
    found = step(OFF_AND_ON, CAPTURED, None, image('active'))
    assert found.note.ended_at and not found.note.failure


def test_left_over_images_of_the_run_are_removed():
    found = step(OFF_AND_ON, CAPTURED, server(), image('active'),
                 image('queued', 'orphan'))
    assert found.do is Do.REMOVE
    assert found.image_ids == ('orphan',)


def test_a_closed_run_needs_nothing_more():
    closed = dataclasses.replace(CAPTURED, ended_at=NOW)
    assert step(OFF_AND_ON, closed, server('SHUTOFF')).do is Do.NOTHING


def test_an_instance_that_the_run_never_touched_is_not_powered_on():
    cancelled = record.Progress(failure=Failure.CANCELLED.value)
    found = step(OFF_AND_ON, cancelled, server('SHUTOFF'))
    assert found.do is Do.NOTE and found.note.ended_at


def test_a_failed_live_snapshot_that_left_the_instance_off_powers_it_on():
    found = step(RUNNING, FAILED_LIVE, server('SHUTOFF'),
                 actions=[BY_NOVA, CREATED])
    assert found.do is Do.POWER_ON
    assert step(RUNNING, found.note, server(),
                actions=[BY_NOVA, CREATED]).note.ended_at == NOW


@pytest.mark.parametrize('off', [0, NOW])
def test_that_holds_for_what_was_off_first_and_ran_when_it_was_captured(off):
    found = step(AS_IT_IS, dataclasses.replace(FAILED_LIVE, off_at=off),
                 server('SHUTOFF'), actions=[BY_NOVA, CREATED])
    assert found.do is Do.POWER_ON


@pytest.mark.parametrize(('plan', 'progress', 'actions'), [
    (RUNNING, FAILED_LIVE, [STOP, CREATED]),
    (RUNNING, FAILED_LIVE, []),  # the cloud hides what was done
    (AS_IT_IS, FAILED_OFF, [BY_NOVA, CREATED]),
    (RUNNING, dataclasses.replace(FAILED_LIVE, capture_count=0,
                                  failure='capture-refused'), [BY_NOVA]),
    (RUNNING, dataclasses.replace(FAILED_OFF, off_at=NOW), [BY_NOVA, CREATED]),
    (RUNNING, FAILED_LIVE, [BY_NOVA, CREATED, PAUSED]),
], ids=['a user stopped it', "Unknown", 'it never ran',
        'nothing was captured', 'it was off for the capture',
        'it was paused for the capture'])
def test_otherwise_an_instance_that_is_off_stays_off(plan, progress, actions):
    assert step(plan, progress, server('SHUTOFF'),
                actions=actions).note.ended_at == NOW


def test_a_run_is_not_closed_while_a_power_off_may_be_on_its_way():
    late = dataclasses.replace(CAPTURED, stop_count=2, asked_at=NOW,
                               idle_since=NOW, attempt='late')
    almost = NOW + situation.ANSWER_GRACE - 1
    assert step(OFF_AND_ON, late, server(), image('active'),
                now=almost).do is Do.WAIT
    found = step(OFF_AND_ON, late, server(), image('active'), now=almost + 1)
    assert (found.note.ended_at, found.note.closed_attempt) == (
        almost + 1, 'late')


def test_a_running_instance_that_went_off_is_not_captured_off_instead():
    asked = record.Progress(capture_count=1, consistency='live')
    found = step(RUNNING, asked, server('SHUTOFF'),
                 actions=[BY_NOVA, CREATED])
    assert (found.do, failed(found)) == (Do.POWER_ON, Failure.CAPTURE_FAILED)


def test_a_second_capture_does_not_hide_what_the_first_one_did():
    done = record.Progress(capture_count=1, consistency='live',
                           captured_at=NOW)
    assert step(RUNNING, done, server('SHUTOFF'), image('active'),
                actions=[CREATED, BY_NOVA, CREATED]).do is Do.POWER_ON
    # But a guest that shuts itself down later is left alone.
    assert step(RUNNING, done, server('SHUTOFF'), image('active'),
                actions=[BY_NOVA, CREATED]).note.ended_at == NOW


def test_a_note_from_the_future_is_one_of_now():
    ahead = dataclasses.replace(STOPPED, asked_at=NOW + 3600)
    found = step(OFF_AND_ON, ahead, server())
    assert found.do is Do.NOTE and found.note.asked_at == NOW
    assert step(OFF_AND_ON, found.note, server()).do is Do.WAIT
    assert step(OFF_AND_ON, found.note, server(),
                now=NOW + situation.POWER_GRACE).do is Do.POWER_OFF
    idle = dataclasses.replace(SAVING, idle_since=NOW + 3600)
    found = step(OFF_AND_ON, idle, server('SHUTOFF'), image('queued'))
    assert found.note.idle_since == NOW
    later = dataclasses.replace(CAPTURED, start_count=1,
                                not_before=NOW + 86400)
    found = step(OFF_AND_ON, later, server('SHUTOFF'))
    assert found.note.not_before == NOW + situation.START_REFUSED_PAUSE


def test_a_capture_that_is_asked_for_again_claims_no_more_than_the_first():
    """It was noted while off, and not made before somebody had it on."""
    noted = dataclasses.replace(CAPTURING, stop_count=0)
    plan = dataclasses.replace(AS_IT_IS, agent_announced=True)
    found = step(plan, noted, server('ACTIVE'), actions=())
    assert found.do is Do.CAPTURE and found.note.consistency == marks.LIVE


@pytest.mark.parametrize(('stop', 'mark'), [
    (STOP, marks.POWERED_OFF),
    (types.Action('stop', 'req-stop', 60.0), marks.FORCED_OFF),
    # It found the guest off already: whoever shuts down takes a while, and a
    # database without fractions of seconds may add one.
    (types.Action('stop', 'req-stop', 0.4), marks.OFF),
    (types.Action('stop', 'req-stop', 1.0), marks.OFF),
    (BY_NOVA, marks.OFF), (None, marks.OFF)])
def test_the_mark_says_no_more_than_what_powered_it_off(stop, mark):
    found = step(AS_IT_IS, BEFORE, server('SHUTOFF'),
                 actions=(stop,) if stop else ())
    assert found.note.consistency == mark


def test_where_guests_get_no_time_each_power_off_is_forced():
    plan = dataclasses.replace(AS_IT_IS, shutdown_timeout=0)
    found = step(plan, BEFORE, server('SHUTOFF'),
                 actions=(types.Action('stop', 'req-stop', 0.3),))
    assert found.note.consistency == marks.FORCED_OFF


def test_a_power_off_is_believed_when_it_is_finished():
    going_on = types.Action('stop', 'req-stop', None)
    asked = dataclasses.replace(STOPPED, asked_at=NOW)
    off = server('SHUTOFF')
    assert step(OFF_AND_ON, asked, off, actions=[going_on]).do is Do.WAIT
    long_ago = NOW + OFF_AND_ON.shutdown_timeout + situation.ANSWER_GRACE
    found = step(OFF_AND_ON, asked, off, actions=[going_on], now=long_ago)
    assert found.note.consistency == marks.OFF


@pytest.mark.parametrize('status', ['active', 'saving', 'deactivated'])
def test_after_the_end_no_image_is_removed_that_may_be_whole(status):
    ended = dataclasses.replace(CAPTURED, ended_at=NOW,
                                failure='capture-failed',
                                captured_at=0)
    found = step(OFF_AND_ON, ended, server(), image(status),
                 image(status, 'second'), now=NOW + 3600)
    assert found.do is Do.NOTHING


def test_after_the_end_what_was_begun_and_abandoned_is_removed():
    ended = dataclasses.replace(CAPTURED, ended_at=NOW)
    seen = image('active'), image('queued', 'orphan')
    young = image('active'), image('queued', 'orphan', second=120)
    assert step(OFF_AND_ON, ended, server(), *seen,
                now=NOW + 31).image_ids == ('orphan',)
    for others in (
            step(OFF_AND_ON, ended, server(), *young, now=NOW + 31),
            step(OFF_AND_ON, ended, server(), *seen, now=NOW + 5),
            step(OFF_AND_ON, ended, server(task='image_snapshot'), *seen,
                 now=NOW + 31)):
        assert others.do is Do.NOTHING


def test_what_an_operator_took_out_of_use_is_kept():
    found = step(OFF_AND_ON, SAVING, server('SHUTOFF'), image('deactivated'))
    assert found.note.captured_at and found.do is Do.POWER_ON
    twice = step(OFF_AND_ON, dataclasses.replace(CAPTURED, start_count=1),
                 server(), image('active'), image('deactivated', 'other', 1))
    assert twice.do is Do.NOTE and twice.note.ended_at


def test_what_could_not_be_removed_is_named_as_long_as_it_is_there():
    ended = dataclasses.replace(CAPTURED, ended_at=NOW, leftover_ids='image x')
    found = step(OFF_AND_ON, ended, server(), image('active'))
    assert found.do is Do.NOTE and found.note.leftover_ids == 'image'


def test_removals_are_spread_over_time():
    seen = image('active'), image('queued', 'orphan')
    progress, now = dataclasses.replace(CAPTURED, start_count=1), NOW
    for number in range(record.TRIES):
        assert number == 0 or step(OFF_AND_ON, progress, server(), *seen,
                                   now=now - 1).do is Do.WAIT
        found = step(OFF_AND_ON, progress, server(), *seen, now=now)
        assert found.do is Do.REMOVE
        progress = found.note
        now = progress.not_before
    found = step(OFF_AND_ON, progress, server(), *seen, now=now)
    assert found.note.ended_at and found.note.leftover_ids == 'orphan'


def test_a_run_whose_record_was_lost_removes_nothing():
    lost = dataclasses.replace(STOPPED, failure=Failure.RECORD_LOST.value)
    found = step(OFF_AND_ON, lost, server('SHUTOFF'), image('active'))
    assert found.do is Do.POWER_ON
    found = step(OFF_AND_ON, found.note, server(), image('active'),
                 image('queued', 'orphan'))
    assert found.do is Do.NOTE and found.note.ended_at


# Found by faults that were made in the rules and that no test noticed.

def test_what_a_step_counts_and_when_it_began_is_noted():
    off = server('SHUTOFF')
    found = step(WITH_VOLUME, STOPPED, off)
    assert (found.note.snapshot_count, found.note.first_capture_at) == (1, NOW)
    later = dataclasses.replace(found.note, asked_at=0)
    again = step(WITH_VOLUME, later, off, now=NOW + 60)
    assert (again.note.snapshot_count, again.note.first_capture_at) == (2, NOW)
    assert (again.note.refusal_count, again.note.put_off_count) == (0, 0)
    marked = dataclasses.replace(SAVING, consistency=marks.LIVE)
    found = step(OFF_AND_ON, marked, off, image('active'))
    assert found.do is Do.MARK and found.note.mark_count == 1
    captured = step(LEFT_OFF, SAVING, off, image('active')).note
    assert (captured.captured_at, captured.idle_since,
            captured.asked_at) == (NOW, 0, 0)


def test_who_powers_off_anew_has_not_yet_powered_on():
    found = step(OFF_AND_ON, dataclasses.replace(STOPPED, start_count=3),
                 server(), actions=())
    assert found.do is Do.POWER_OFF and found.note.start_count == 0


def test_powering_on_keeps_what_had_powered_it_off():
    off = server('SHUTOFF')
    assert step(OFF_AND_ON, CAPTURED, off, actions=(
        types.Action('stop', 'req-late', 1.0),
    )).note.stop_request == 'req-stop'
    unknown = dataclasses.replace(CAPTURED, stop_request='')
    assert step(OFF_AND_ON, unknown, off).note.stop_request == 'req-stop'


@pytest.mark.parametrize('other', ['saving', 'uploading', 'importing',
                                   'queued'])
def test_the_furthest_image_counts_however_old(other):
    found = step(OFF_AND_ON, SAVING, server('SHUTOFF'),
                 image(other, 'older', 0), image('active', 'image', 5))
    assert found.note.captured_at and found.note.image_id == 'image'
    if other != 'queued':
        found = step(OFF_AND_ON, SAVING, server('SHUTOFF', 'image_uploading'),
                     image('queued', 'older', 0), image(other, 'image', 5))
        assert found.do is Do.WAIT


def test_a_power_off_of_ours_that_was_late_is_not_somebody_elses():
    first = types.Action('stop', 'req-stop', 2.0, began=NOW)
    start = types.Action('start', 'req-start', 1.0, began=NOW + 1)
    for seconds, by_others in ((situation.ANSWER_GRACE, False),
                               (2 * situation.ANSWER_GRACE + 1, True)):
        late = types.Action('stop', 'req-late', 2.0, began=NOW + seconds)
        found = step(OFF_AND_ON, CAPTURED, server('SHUTOFF'),
                     image('active'), actions=(late, start, first))
        assert (found.do is Do.POWER_ON) is not by_others


def test_without_glance_a_power_on_that_had_no_effect_is_tried_again():
    asked = dataclasses.replace(SAVING, idle_since=NOW - situation.IDLE_GRACE,
                                start_count=1, asked_at=NOW)
    off = server('SHUTOFF')
    assert step(OFF_AND_ON, asked, off, unreachable=['image']).do is Do.WAIT
    assert step(OFF_AND_ON, asked, off, unreachable=['image'],
                now=NOW + situation.POWER_GRACE).do is Do.POWER_ON


@pytest.mark.parametrize(('status', 'agent', 'mark'), [
    ('ACTIVE', True, marks.LIVE_AGENT), ('ACTIVE', False, marks.LIVE),
    ('PAUSED', True, marks.LIVE), ('SUSPENDED', True, marks.LIVE)])
def test_only_a_guest_that_runs_can_bring_its_disks_to_rest(status, agent,
                                                            mark):
    plan = dataclasses.replace(AS_IT_IS, agent_announced=agent)
    assert step(plan, BEFORE, server(status)).note.consistency == mark


def test_a_power_off_on_its_way_is_waited_for_whatever_has_failed():
    failed_run = dataclasses.replace(STOPPED, asked_at=NOW, idle_since=NOW,
                                     failure=Failure.VOLUME_DETACHED.value)
    assert step(OFF_AND_ON, failed_run, server()).do is Do.WAIT
    found = step(OFF_AND_ON, failed_run, server(),
                 now=NOW + situation.ANSWER_GRACE)
    assert found.do is Do.NOTE and found.note.ended_at


def test_what_nova_has_left_of_a_failed_call_goes_before_the_next_one():
    stray = snapshot('available', 'stray', run='')
    again = dataclasses.replace(CAPTURING, capture_count=1)
    off = server('SHUTOFF')
    late = NOW + situation.ANSWER_GRACE
    found = step(OFF_AND_ON, again, off, snapshots=[stray], now=late)
    assert found.do is Do.REMOVE and found.snapshot_ids == ('stray',)
    # It is still being made, or Nova may still be at it.
    assert step(OFF_AND_ON, again, off, now=late, snapshots=[
        snapshot('creating', 'stray', run='')]).do is Do.WAIT
    young = snapshot('available', 'stray', run='', second=55)
    assert step(OFF_AND_ON, again, off, snapshots=[young]).do is Do.WAIT


def test_a_held_run_is_not_written_to_though_a_clock_was_ahead():
    ahead = dataclasses.replace(STOPPED, asked_at=NOW + 3600)
    assert step(OFF_AND_ON, ahead, server('SHELVED')).do is Do.WAIT


def test_a_mark_whose_note_was_lost_claims_the_least():
    plan = dataclasses.replace(WITH_VOLUME, captures_image=False)
    unknown = dataclasses.replace(STOPPED, snapshot_count=1)
    made = dataclasses.replace(snapshot(), metadata={marks.RUN: 'r'})
    found = step(plan, unknown, server('SHUTOFF'), snapshots=[made])
    assert found.do is Do.MARK and found.consistency == marks.LIVE
