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

"""Snapshots of single volumes, on a real cloud."""

import datetime
import time

import pytest

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.preflight import obstacles
from snapshot_dashboard.preflight import volume_facts
from snapshot_dashboard.runs import reconcile
from snapshot_dashboard.runs import volume_snapshot
from snapshot_dashboard.snapshots import fetch
from tests.scenario.clouds import unique
from tests.scenario.waiting import until

pytestmark = pytest.mark.usefixtures('tidy')


def take(cloud, facts, name, **more):
    """Take a snapshot at once; its id."""
    return volume_snapshot.create(
        cloud, facts.volume, facts.server, name, 'by a test',
        at_rest=facts.at_rest, now=int(time.time()), shutdown_timeout=60,
        **more)


def taken(cloud, volume, name):
    """A snapshot that was taken at once, when it is whole."""
    facts = volume_facts.gather(cloud, volume.id)
    assert not volume_facts.find_obstacles(facts)
    snapshot_id = take(cloud, facts, name)
    until(lambda: cloud.volumes.snapshot(snapshot_id).status == 'available',
          'it is whole')
    snapshot = cloud.volumes.snapshot(snapshot_id)
    assert marks.trusted(snapshot.metadata, snapshot.created)
    return snapshot


def test_an_instance_is_off_while_its_volume_is_captured(alice, drivers):
    server = alice.find('web-1')
    (volume_id,) = server.volume_ids
    images = {image.id for image in alice.images.images(
        100, {'owner': alice.project_id})}
    with drivers.turned('volume.snapshot', hold=True):
        run, _ = alice.advance_until(
            alice.begin(server, unique('upgrade'), captures_image=False,
                        volumes=(volume_id,)),
            lambda run: run.progress.snapshot_count, 'Cinder is asked')
        run = reconcile.advance(alice, run)
        assert alice.compute.server(server.id).status == 'SHUTOFF'
    run = alice.finish(run)
    assert not run.progress.failure
    assert alice.compute.server(server.id).status == 'ACTIVE'
    (snapshot,) = alice.volumes.snapshots(
        10, {'metadata': {marks.RUN: run.plan.run_id}})
    assert (snapshot.volume_id, snapshot.status) == (volume_id, 'available')
    assert snapshot.metadata[marks.CONSISTENCY] == marks.POWERED_OFF
    assert {image.id for image in alice.images.images(
        100, {'owner': alice.project_id})} == images


def test_a_volume_that_fails_alone_leaves_nothing_behind(alice, drivers):
    server = alice.find('web-1')
    with drivers.turned('volume.snapshot', error='full'):
        run = alice.finish(alice.begin(
            server, unique('torn'), captures_image=False,
            volumes=server.volume_ids))
    assert run.progress.failure == 'snapshot-failed'
    assert alice.compute.server(server.id).status == 'ACTIVE'
    until(lambda: not alice.volumes.snapshots(
        10, {'metadata': {marks.RUN: run.plan.run_id}}), 'it is gone')


def test_a_volume_root_and_all_is_captured_alone(alice):
    server = alice.find('db-1')
    volume_id = server.volume_ids[0]
    run = alice.finish(alice.begin(
        server, unique('root'), captures_image=False, volumes=(volume_id,)))
    assert not run.progress.failure
    (snapshot,) = alice.volumes.snapshots(
        10, {'metadata': {marks.RUN: run.plan.run_id}})
    assert snapshot.volume_id == volume_id


def test_a_volume_in_use_is_captured_without_more_ado(alice):
    volume = alice.find_volume('web-data')
    facts = volume_facts.gather(alice, volume.id)
    assert facts.instance.server.name == 'web-1' and not facts.at_rest
    snapshot = taken(alice, volume, unique('live'))
    assert snapshot.metadata[marks.CONSISTENCY] == marks.LIVE


def test_the_end_date_of_a_volume_snapshot_outlasts_its_creation(alice):
    """What is noted meanwhile does not: Cinder writes back what there was."""
    facts = volume_facts.gather(alice, alice.find_volume('scratch').id)
    day = datetime.date(2999, 12, 31)
    snapshot_id = take(alice, facts, unique('dated'), keep_until=day)
    until(lambda: alice.volumes.snapshot(snapshot_id).status == 'available',
          'it is whole')
    found = fetch.snapshot(alice, f'volume-{snapshot_id}')
    assert found.expires == day


def test_a_volume_of_no_instance_is_captured_at_rest(alice):
    snapshot = taken(alice, alice.find_volume('archive'), unique('rest'))
    assert snapshot.metadata[marks.CONSISTENCY] == marks.DETACHED


def test_a_volume_quota_that_is_used_up_is_said_before(alice, admin):
    volume = alice.find_volume('archive')
    used = alice.volumes.quotas()['snapshots'].used
    before = admin.get_volume_quotas(alice.project_id).snapshots
    admin.set_volume_quotas(alice.project_id, snapshots=used)
    try:
        facts = volume_facts.gather(alice, volume.id)
        (obstacle,) = volume_facts.find_obstacles(facts)
        assert obstacle.code is obstacles.Code.QUOTA_SNAPSHOTS
        # And what Cinder then says itself is an error with its words.
        with pytest.raises(errors.ServiceError) as caught:
            take(alice, facts, unique('full'))
        assert 'exceed' in caught.value.detail.lower()
    finally:
        admin.set_volume_quotas(alice.project_id, snapshots=before)


def test_a_reader_may_look_but_not_take(rita):
    facts = volume_facts.gather(rita, rita.find_volume('archive').id)
    with pytest.raises(errors.Forbidden):
        take(rita, facts, unique('no'))
