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

"""Runs on real Nova, Glance and Cinder."""

import time

import pytest

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import reconcile
from snapshot_dashboard.runs import situation
from snapshot_dashboard.snapshots import fetch
from tests.cloud import site
from tests.scenario import advancer
from tests.scenario.clouds import delete_snapshots
from tests.scenario.clouds import image_of
from tests.scenario.clouds import is_gone
from tests.scenario.clouds import powered_off
from tests.scenario.clouds import unique
from tests.scenario.waiting import until

pytestmark = pytest.mark.usefixtures('tidy')


def images_of(cloud, run):
    return cloud.images.images(10, {marks.RUN: run.plan.run_id})


def test_an_image_backed_instance_is_off_while_captured_and_runs_again(
        alice, drivers):
    name = unique('story')
    with drivers.turned('server.upload', hold=True):
        run, _ = alice.advance_until(
            alice.begin(alice.find('web-1'), name),
            lambda run: run.progress.image_id and image_of(
                alice, run).status == 'saving', 'the image is being saved')
        server = alice.compute.server(run.server.id)
        assert server.status == 'SHUTOFF'
        # Nova refuses it until the upload has ended.
        with pytest.raises(errors.Conflict):
            alice.compute.start(server.id)
    run = alice.finish(run)
    assert not run.progress.failure
    assert alice.compute.server(run.server.id).status == 'ACTIVE'
    (image,) = images_of(alice, run)
    assert (image.name, image.status) == (name, 'active')
    assert image.size_bytes > 0
    assert image.properties[marks.CONSISTENCY] == marks.POWERED_OFF
    assert image.properties[marks.DESCRIPTION] == 'a scenario'


def test_a_volume_backed_instance_is_captured_with_all_its_volumes(alice):
    run = alice.finish(alice.begin(alice.find('db-1'), unique('set')))
    assert not run.progress.failure
    assert alice.compute.server(run.server.id).status == 'ACTIVE'
    row = fetch.snapshot(alice, f'instance-{run.progress.image_id}')
    assert [part.status for part in row.parts] == ['available'] * 2
    assert row.source.name == 'db-1' and row.source.exists
    assert row.size_bytes == 18 * 1024 ** 3
    image = image_of(alice, run)
    assert image.properties[marks.IMAGE_TYPE] == 'snapshot'
    assert image.properties[marks.INSTANCE_ID] == run.server.id


def test_power_on_waits_for_the_last_volume_snapshot(alice, drivers):
    with drivers.turned('volume.snapshot', hold=True):
        run, _ = alice.advance_until(
            alice.begin(alice.find('db-2'), unique('set')),
            lambda run: run.progress.image_id, 'the image is there')
        assert image_of(alice, run).status == 'active'
        run = reconcile.advance(alice, run)
        assert not run.progress.captured_at
        assert alice.compute.server(run.server.id).status == 'SHUTOFF'
    assert not alice.finish(run).progress.failure


def test_an_instance_that_is_off_stays_off(alice):
    run = alice.finish(alice.begin(alice.find('batch-1'), unique('off'),
                                   power_off=False))
    assert alice.compute.server(run.server.id).status == 'SHUTOFF'
    assert image_of(alice, run).properties[marks.CONSISTENCY] == (
        marks.POWERED_OFF)


def test_a_paused_instance_is_captured_and_stays_paused(alice):
    run = alice.finish(alice.begin(alice.find('paused-1'), unique('paused'),
                                   power_off=False))
    assert not run.progress.failure
    assert alice.compute.server(run.server.id).status == 'PAUSED'
    assert image_of(alice, run).properties[marks.CONSISTENCY] == marks.LIVE


def test_a_locked_instance_is_captured_and_recorded_in_tags(alice):
    server = alice.find('locked-1')
    run = alice.finish(alice.begin(server, unique('locked'),
                                   power_off=False))
    assert run.tagged and not run.progress.failure
    (image,) = images_of(alice, run)
    assert image.status == 'active'
    assert alice.compute.server(server.id).metadata == server.metadata


def test_a_failed_snapshot_of_a_locked_instance_is_told(alice, drivers):
    with drivers.turned('server.snapshot', error='disk gone',
                        only='locked-1'):
        run = alice.begin(alice.find('locked-1'), unique('locked'),
                          power_off=False)
        until(lambda: not images_of(alice, run), 'the image is gone')
    until(lambda: not alice.compute.server(run.server.id).task_state, 'idle')
    later = run.plan.began_at + situation.ANSWER_GRACE + 1
    run = reconcile.advance(alice, run, lambda: later)
    assert run.progress.failure == 'capture-failed' and not run.open


def test_chosen_volumes_are_captured_in_the_same_power_off(alice, drivers):
    server = alice.find('web-1')
    (volume_id,) = server.volume_ids
    with drivers.turned('volume.snapshot', hold=True):
        run, _ = alice.advance_until(
            alice.begin(server, unique('both'), volumes=(volume_id,)),
            lambda run: run.progress.image_id and image_of(
                alice, run).status == 'active', 'the image is saved')
        run = reconcile.advance(alice, run)
        assert alice.compute.server(server.id).status == 'SHUTOFF'
    run = alice.finish(run)
    assert not run.progress.failure
    assert alice.compute.server(server.id).status == 'ACTIVE'
    (snapshot,) = alice.volumes.snapshots(
        10, {'metadata': {marks.RUN: run.plan.run_id}})
    assert (snapshot.volume_id, snapshot.status) == (volume_id, 'available')
    assert snapshot.metadata[marks.CONSISTENCY] == marks.POWERED_OFF


def test_a_chosen_volume_that_fails_leaves_nothing_behind(alice, drivers):
    server = alice.find('web-1')
    with drivers.turned('volume.snapshot', error='full'):
        run = alice.finish(alice.begin(server, unique('torn'),
                                       volumes=server.volume_ids))
    assert run.progress.failure in ('snapshot-failed', 'part-failed')
    assert alice.compute.server(server.id).status == 'ACTIVE'
    if run.progress.failure == 'part-failed':
        # The image had begun before Cinder told: it is kept, and named.
        lifecycle.remove_leftovers(alice, run)
    assert images_of(alice, run) == []
    until(lambda: not alice.volumes.snapshots(
        10, {'metadata': {marks.RUN: run.plan.run_id}}), 'nothing is left')


@pytest.mark.parametrize('careful', [False, True])
def test_a_forced_power_off_is_recognised(alice, drivers, careful):
    with drivers.turned('server.stop', deaf=True, only='web-1'):
        run = alice.finish(alice.begin(
            alice.find('web-1'), unique('deaf'), stop_if_forced=careful,
            shutdown_timeout=site.SHUTDOWN_TIMEOUT))
    assert alice.compute.server(run.server.id).status == 'ACTIVE'
    if careful:
        assert run.progress.failure == 'forced-off'
        assert images_of(alice, run) == []
    else:
        (image,) = images_of(alice, run)
        assert image.properties[marks.CONSISTENCY] == marks.FORCED_OFF


def test_marks_are_not_believed_when_others_inherited_them(alice):
    run = alice.finish(alice.begin(alice.find('batch-1'), unique('first'),
                                   power_off=False))
    first = image_of(alice, run)
    assert marks.trusted(first.properties, first.created)
    nova = alice.nova
    clone = nova.servers.create(
        unique('clone'), first.id,
        max(nova.flavors.list(), key=lambda flavor: flavor.disk),
        nics='none')
    try:
        until(lambda: alice.compute.server(
            clone.id).status in ('ACTIVE', 'ERROR'), 'the clone runs')
        second = alice.images.image(
            alice.compute.create_image(clone.id, unique('by-hand'), {}))
        assert second.properties[marks.RUN] == run.plan.run_id
        assert not marks.trusted(second.properties, second.created)
        until(lambda: not alice.compute.server(clone.id).task_state, 'idle')
        alice.images.delete(second.id)
    finally:
        nova.servers.delete(clone.id)


def test_a_locked_run_waits_and_goes_on_when_unlocked(alice, drivers):
    server = alice.find('web-1')
    run = powered_off(alice, server, drivers)
    alice.nova.servers.lock(server.id)
    run = reconcile.advance(alice, run)
    assert run.open and alice.compute.server(server.id).status == 'SHUTOFF'
    alice.nova.servers.unlock(server.id)
    run = alice.finish(run)
    assert not run.progress.failure
    assert alice.compute.server(server.id).status == 'ACTIVE'


def test_an_upload_that_fails_is_told_and_the_instance_runs_again(
        alice, drivers):
    with drivers.turned('server.snapshot', error='disk gone',
                        only='web-1'):
        run = alice.finish(alice.begin(alice.find('web-1'), unique('bad')),
                           advancer.clock(time.time()))
    assert run.progress.failure == 'image-vanished'
    assert alice.compute.server(run.server.id).status == 'ACTIVE'
    assert images_of(alice, run) == []


def test_an_image_deleted_by_others_is_told_and_the_instance_runs_again(
        alice, bob, drivers):
    with drivers.turned('server.snapshot', hold=True):
        run, _ = alice.advance_until(
            alice.begin(alice.find('web-1'), unique('deleted')),
            lambda run: run.progress.image_id, 'there is an image')
        bob.images.delete(run.progress.image_id)
    run = alice.finish(run, advancer.clock(time.time()))
    assert run.progress.failure == 'image-vanished'
    assert alice.compute.server(run.server.id).status == 'ACTIVE'


def test_a_power_off_that_fails_takes_no_snapshot(alice, drivers):
    with drivers.turned('server.stop', error='deaf', only='web-1'):
        run = alice.finish(alice.begin(alice.find('web-1'), unique('deaf')),
                           advancer.clock(time.time()))
    assert run.progress.failure == 'stop-failed'
    server = alice.compute.server(run.server.id)
    assert server.status == 'ACTIVE'
    assert images_of(alice, run) == []


def test_a_volume_snapshot_that_fails_is_told(alice, drivers):
    with drivers.turned('volume.snapshot', error='full', only='db-data'):
        run = alice.finish(alice.begin(alice.find('db-1'), unique('torn')))
    assert run.progress.failure == 'part-failed'
    assert alice.compute.server(run.server.id).status == 'ACTIVE'
    row = fetch.snapshot(alice, f'instance-{run.progress.image_id}')
    assert row.status == 'incomplete'
    delete_snapshots(alice, row)
    assert is_gone(lambda: alice.images.image(row.id))
    for part in row.parts:
        until(lambda part=part: is_gone(
            lambda: alice.volumes.snapshot(part.id)), 'the part is gone')


def test_a_volume_snapshot_that_takes_too_long_is_not_waited_for(
        alice, drivers):
    with drivers.turned('volume.snapshot', hold=True, only='db-data'):
        run = alice.finish(alice.begin(alice.find('db-1'), unique('slow'),
                                       snapshot_timeout=3))
        assert run.progress.failure == 'part-abandoned'
        assert alice.compute.server(run.server.id).status == 'ACTIVE'
    # It becomes whole after all, of an instance that ran again by then.
    row = until(lambda: whole(alice, f'instance-{run.progress.image_id}'),
                'the set is whole')
    assert row.consistency == marks.LIVE


def whole(cloud, row_id):
    row = fetch.snapshot(cloud, row_id)
    return row if row.usable else None


def test_another_member_brings_a_run_to_its_end(alice, bob):
    run = alice.begin(alice.find('web-1'), unique('shared'))
    reconcile.advance(alice, run)
    (found,) = [other for other in lifecycle.list_runs(bob).runs
                if other.plan.run_id == run.plan.run_id]
    assert not bob.finish(found).progress.failure


def test_a_dismissed_run_leaves_no_trace_on_the_server(alice):
    before = alice.find('web-1')
    alice.finish(alice.begin(before, unique('gone'), power_off=False))
    lifecycle.dismiss(alice, before.id)
    after = alice.compute.server(before.id)
    assert after.metadata == {} and after.tags == ()


def test_a_cancelled_run_takes_no_snapshot(alice, drivers):
    run = powered_off(alice, alice.find('web-1'), drivers)
    run = lifecycle.cancel(alice, run)
    run = alice.finish(run)
    assert run.progress.failure == 'cancelled'
    assert alice.compute.server(run.server.id).status == 'ACTIVE'
    assert images_of(alice, run) == []
