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

"""No mark claims more than the bytes bear.

Snapshots of real guests, taken through the wizard and seen through by the
worker, are taken apart; the mark and what it means is held against them.
"""

import contextlib
import datetime
import os
import signal

from novaclient import exceptions as nova_errors
import pytest

from snapshot_dashboard import marks
from snapshot_dashboard.inspection import check
from snapshot_dashboard.inspection import console
from snapshot_dashboard.inspection import file_systems
from tests.hypervisor import judge
from tests.hypervisor import lab as labs
from tests.scenario.waiting import until


def judged(lab, taken):
    """What the bytes of an image's root disk say, held against its mark.

    Whatever that is, the file system can be brought in order, and nothing of
    the ephemeral disk is there.
    """
    verdict = judge.image(lab.where, taken.image.id)
    assert verdict.sound
    assert not verdict.mark
    assert verdict.clean or taken.mark != marks.POWERED_OFF
    # What the page of the snapshot finds out of the same bytes.
    report = check.check(lab.alice, taken.image,
                         datetime.datetime.now(datetime.UTC))
    assert report.verdict is (file_systems.State.REPLAY if verdict.replays
                              else file_systems.State.CLEAN)
    return verdict


def test_an_orderly_shutdown_leaves_a_clean_disk(lab, boot):
    guest = boot(flavor='ephemeral')
    taken = guest.take()
    assert taken.mark == marks.POWERED_OFF
    verdict = judged(lab, taken)
    assert verdict.clean
    assert verdict.last >= 20
    assert guest.server.status == 'ACTIVE'
    assert lab.boots(taken.image) is console.Verdict.BOOTED


def test_a_guest_that_is_forced_off_leaves_what_a_power_failure_does(
        lab, boot):
    guest = boot('deaf')
    guest.hear('synced 40')
    taken = guest.take()
    assert taken.mark == marks.FORCED_OFF
    verdict = judged(lab, taken)
    assert verdict.replays
    assert verdict.last >= 40
    # A journal that is replayed is no repair.
    assert lab.boots(taken.image) is console.Verdict.BOOTED


def test_a_guest_that_is_forced_off_is_not_captured_if_that_was_asked(boot):
    guest = boot('deaf')
    taken = guest.take(if_forced='stop')
    assert taken.image is None and taken.run.progress.failure
    until(lambda: guest.server.status == 'ACTIVE', 'it runs again')


@pytest.mark.parametrize(('agent', 'mark'), [
    ('none', marks.LIVE), ('good', marks.LIVE_AGENT),
    ('absent', marks.LIVE_AGENT)])
def test_what_is_taken_of_a_running_guest_claims_no_order(lab, boot, agent,
                                                          mark):
    guest = boot('obedient', agent)
    synced = guest.synced
    taken = guest.take(power_off=False)
    assert taken.mark == mark
    verdict = judged(lab, taken)
    assert verdict.last >= synced
    assert verdict.replays is (agent != 'good')


def test_what_an_agent_froze_needs_no_replay(lab, boot):
    """The mark says that it may have; here it has, and nothing was lost."""
    guest = boot('obedient', 'good')
    verdict = judged(lab, guest.take(power_off=False))
    assert verdict.clean
    now = guest.synced
    until(lambda: guest.synced > now, 'it writes again')


def test_of_a_guest_whose_process_was_killed_nothing_is_claimed(lab, boot):
    guest = boot()
    guest.hear('synced 40')
    os.kill(guest.process, signal.SIGKILL)
    until(lambda: guest.server.status == 'SHUTOFF', 'Nova has noticed',
          labs.NOTICED)
    taken = guest.take(power_off=False)
    assert taken.mark == marks.OFF
    verdict = judged(lab, taken)
    assert verdict.replays and verdict.last >= 40


def test_a_power_off_that_found_the_guest_dead_claims_no_order(lab, boot):
    """Nova says that it runs until it has noticed."""
    guest = boot()
    guest.hear('synced 40')
    os.kill(guest.process, signal.SIGKILL)
    taken = guest.take()
    assert taken.mark == marks.OFF
    verdict = judged(lab, taken)
    assert verdict.replays and verdict.last >= 40


def test_after_its_host_lost_power_no_order_is_claimed(lab, boot):
    guest = boot()
    guest.hear('synced 40')
    with lab.nova_killed():
        os.kill(guest.process, signal.SIGKILL)
    assert guest.server.status == 'ACTIVE'  # it does not know better
    taken = guest.take()
    assert taken.mark == marks.OFF
    verdict = judged(lab, taken)
    assert verdict.replays and verdict.last >= 40


def test_of_a_guest_that_went_off_from_inside_nothing_is_claimed(lab, boot):
    """It may have been an orderly end, or a crash: Nova tells no one."""
    guest = boot('obedient', 'none')
    guest.hear('synced 40')
    guest.press_power_button()
    until(lambda: guest.server.status == 'SHUTOFF', 'Nova has noticed',
          labs.NOTICED)
    taken = guest.take(power_off=False)
    assert taken.mark == marks.OFF
    verdict = judged(lab, taken)
    assert verdict.clean and verdict.last >= 40


def test_volumes_that_are_taken_live_are_of_several_moments(lab, boot):
    """Each can be brought in order; together they are not of one time."""
    guest = boot(data=True)
    guest.hear('synced 60')
    synced = guest.synced
    volume, = guest.server.volume_ids
    taken = guest.take(power_off=False, volumes=[volume])
    assert taken.mark == marks.LIVE
    part, = taken.parts
    data = judge.volume_snapshot(lab.where, part)
    assert data.sound and data.last >= synced
    assert judged(lab, taken).last >= synced


@pytest.mark.parametrize(('power_off', 'mark'), [
    (True, marks.POWERED_OFF), (False, marks.LIVE)])
def test_the_set_of_an_instance_without_a_local_disk_keeps_its_word(
        lab, boot, power_off, mark):
    guest = boot(flavor='volume-backed')
    synced = guest.synced
    taken = guest.take(power_off=power_off)
    assert taken.mark == mark
    disk, = taken.image.disks
    verdict = judge.volume_snapshot(lab.where, disk.snapshot_id)
    assert verdict.sound and verdict.last >= synced
    assert verdict.clean is power_off
    if power_off:
        assert lab.boots(taken.image) is console.Verdict.BOOTED


def test_volumes_that_are_taken_while_off_are_of_one_moment(lab, boot):
    guest = boot(data=True)
    guest.hear('synced 60')
    volume, = guest.server.volume_ids
    taken = guest.take(volumes=[volume])
    assert taken.mark == marks.POWERED_OFF
    root = judged(lab, taken)
    part, = taken.parts
    data = judge.volume_snapshot(lab.where, part)
    assert root.clean and data.clean
    # Each record goes to the root disk first.
    assert root.last - data.last in (0, 1)


def test_a_guest_that_is_saved_for_its_snapshot_claims_no_order(lab, boot):
    """Nova suspends it where live snapshots are turned off."""
    with lab.nova_with('workarounds', disable_libvirt_livesnapshot='true'):
        guest = boot()
        guest.hear('synced 40')
        synced = guest.synced
        taken = guest.take(power_off=False)
        assert taken.mark == marks.LIVE
        verdict = judged(lab, taken)
        assert verdict.replays and verdict.last >= synced
        assert guest.server.status == 'ACTIVE'


def test_one_that_somebody_starts_at_once_claims_no_more_than_there_is(
        lab, boot):
    guest = boot()
    with lab.held('starts'):
        guest.begin()
        until(lambda: guest.server.status == 'SHUTOFF', 'it is off')
        with contextlib.suppress(nova_errors.Conflict):  # the run was faster
            lab.alice.nova.servers.start(guest.id)
    taken = guest.finish()
    assert taken.image or taken.run.progress.failure
    if taken.image:
        judged(lab, taken)
    until(lambda: guest.server.status == 'ACTIVE', 'it runs')


@pytest.mark.parametrize(('kind', 'held', 'task'), [
    ('deaf', 'nothing', 'powering-off'), ('obedient', 'images', 'image_'),
    ('obedient', 'starts', 'powering-on')])
def test_wherever_nova_dies_the_mark_is_true_and_the_guest_runs(
        lab, boot, kind, held, task):
    guest = boot(kind)
    guest.hear('synced 40')
    with contextlib.ExitStack() as death:
        with lab.held(held):  # what is too short to be met otherwise
            guest.begin()
            guest.until_task(task)
            death.enter_context(lab.nova_killed())
    taken = guest.finish()
    assert taken.image or taken.run.progress.failure
    if taken.image:
        assert judged(lab, taken).last >= 40
    until(lambda: guest.server.status == 'ACTIVE', 'it runs', labs.NOTICED)


def test_an_agent_that_keeps_silent_is_waited_for_and_nothing_is_claimed(
        lab, boot):
    """Nova waits for it without end, until nova-compute is restarted."""
    guest = boot('obedient', 'silent')
    guest.begin(power_off=False)
    guest.hear('guest-fsfreeze-freeze')
    assert guest.run.open
    assert guest.server.task_state == 'image_pending_upload'
    with lab.nova_killed():
        pass
    taken = guest.finish()
    assert taken.run.progress.failure and taken.image is None
    assert guest.server.status == 'ACTIVE'


@pytest.mark.parametrize(('kind', 'verdict'), [
    ('panicking', console.Verdict.PANICKED),
    ('breaking', console.Verdict.REPAIRED)])
def test_what_does_not_boot_by_itself_is_found_out(lab, boot, kind, verdict):
    """Their disks are clean by their own word when they are captured."""
    taken = boot(kind).take()
    assert taken.mark == marks.POWERED_OFF
    assert lab.boots(taken.image) is verdict
