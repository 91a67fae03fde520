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

"""What is known of the copies that could be thinned out."""

import datetime

import pytest

from snapshot_dashboard import marks
from snapshot_dashboard.snapshots import deletion
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import retention
from snapshot_dashboard.snapshots import thinning
from tests import fakes

TODAY = datetime.date(2026, 6, 1)
Hold = retention.Hold


@pytest.fixture
def volume(openstack):
    return openstack.volume('data')


def holds(openstack, volume, allowed=lambda row: True):
    """Of each snapshot of a volume, by its name."""
    found = thinning.find(openstack.cloud(), kinds.Kind.VOLUME, volume['id'],
                          TODAY, allowed)
    return {one.thing.snapshot.name: one.hold for one in found.copies}


def test_every_hindrance_of_a_deletion_is_a_hold():
    assert set(thinning.HOLDS) == set(deletion.Hindrance)


def test_what_can_be_deleted_is_not_held(openstack, volume):
    openstack.snapshot('old', volume_id=volume['id'])
    assert holds(openstack, volume) == {'old': None}


@pytest.mark.parametrize(('fields', 'expected'), [
    ({'status': 'creating'}, Hold.UNFINISHED),
    ({'status': 'deleting'}, Hold.UNFINISHED),
    ({'status': 'backing-up'}, Hold.BLOCKED),
    ({'status': 'of-a-later-release'}, Hold.UNKNOWN),
    ({'group_snapshot_id': 'a group'}, Hold.BLOCKED),
    ({'status': 'error'}, None)])
def test_a_state_may_hold_a_snapshot(openstack, volume, fields, expected):
    openstack.snapshot('v', volume_id=volume['id'], **fields)
    assert holds(openstack, volume) == {'v': expected}


def test_a_failed_one_is_not_good(openstack, volume):
    openstack.snapshot('v', volume_id=volume['id'], status='error')
    (found,) = thinning.find(openstack.cloud(), kinds.Kind.VOLUME,
                             volume['id'], TODAY, lambda row: True).copies
    assert not found.good


@pytest.mark.parametrize(('status', 'expected'), [
    ('creating', Hold.UNFINISHED), ('deleting', Hold.UNFINISHED),
    ('of-a-later-release', Hold.UNKNOWN), ('available', Hold.BLOCKED),
    ('error', Hold.BLOCKED)])
def test_what_cannot_be_deleted_does_not_count_unless_it_is_whole(
        openstack, volume, status, expected):
    openstack.snapshot('v', volume_id=volume['id'], status=status,
                       group_snapshot_id='a group')
    assert holds(openstack, volume) == {'v': expected}


@pytest.mark.parametrize(('status', 'expected'), [
    ('available', None), ('backing-up', None), ('creating', Hold.UNFINISHED),
    ('deleting', Hold.UNKNOWN), ('unmanaging', Hold.UNKNOWN),
    ('of-a-later-release', Hold.UNKNOWN)])
def test_a_set_counts_while_all_its_parts_are_there(openstack, status,
                                                    expected):
    server = openstack.server('db', image='')
    root = openstack.volume(bootable='true')
    openstack.attach(server, root, '/dev/vda')
    openstack.set_image('whole', [openstack.snapshot(
        'snapshot for whole', volume_id=root['id'], status=status)], at=0, **{
            marks.TAKEN: str(int(fakes.seconds(0))),
            marks.INSTANCE: server['id'], marks.INSTANCE_ID: server['id']})
    found = thinning.find(openstack.cloud(), kinds.Kind.INSTANCE,
                          server['id'], TODAY, lambda row: True)
    assert [one.hold for one in found.copies] == [expected]


@pytest.mark.parametrize('name', ['part', 'snapshot for whole'])
def test_a_part_of_a_set_is_none_of_the_volumes_own(openstack, volume, name):
    """However it is called, and whatever is known of it already."""
    openstack.snapshot('own', 1, volume_id=volume['id'])
    openstack.set_image('whole', [openstack.snapshot(
        name, 2, volume_id=volume['id'])], at=2)
    cloud = openstack.cloud()
    for _ in range(2):
        found = thinning.find(cloud, kinds.Kind.VOLUME, volume['id'], TODAY,
                              lambda row: True)
        assert [one.thing.snapshot.name for one in found.copies] == ['own']


def test_what_is_wanted_until_a_day_is_held_until_its_end(openstack, volume):
    one = openstack.snapshot('v', volume_id=volume['id'])
    one['metadata'] = {
        'snapshot_dashboard_expires': f'2026-06-01 {one["id"]}',
        'snapshot_dashboard_expiring': 'True'}
    (found,) = thinning.find(openstack.cloud(), kinds.Kind.VOLUME,
                             volume['id'], TODAY, lambda row: True).copies
    assert found.hold is Hold.WANTED
    assert found.until == datetime.datetime(2026, 6, 2, tzinfo=datetime.UTC)


def test_what_is_not_certain_is_so_without_an_end(openstack):
    """Though it bears a day until which it is wanted."""
    server = openstack.server()
    image = openstack.image('i', instance_uuid=server['id'])
    image.update({'snapshot_dashboard_expires': f'2026-06-01 {image["id"]}',
                  'snapshot_dashboard_expiring': 'True'})
    (found,) = thinning.find(openstack.cloud(), kinds.Kind.INSTANCE,
                             server['id'], TODAY, lambda row: True).copies
    assert (found.hold, found.until) == (Hold.UNCERTAIN, None)


def test_what_the_user_may_not_delete_is_held(openstack, volume):
    openstack.snapshot('v', volume_id=volume['id'])
    assert holds(openstack, volume, lambda row: False) == {'v': Hold.BLOCKED}


def test_without_glance_no_volume_snapshot_is_free(openstack, volume):
    """An instance snapshot may need it."""
    openstack.snapshot('v', volume_id=volume['id'])
    openstack.faults['GET', '/v2/images'] = 503
    found = thinning.find(openstack.cloud(), kinds.Kind.VOLUME, volume['id'],
                          TODAY, lambda row: True)
    assert all(one.hold for one in found.copies)


def test_with_a_part_of_a_set_that_cannot_be_looked_at_nothing_is_known(
        openstack):
    server = openstack.server('db', image='')
    root = openstack.volume(bootable='true')
    openstack.attach(server, root, '/dev/vda')
    openstack.did(server, 'createImage', at=0)
    openstack.set_image('whole', [openstack.snapshot(
        'snapshot for whole', volume_id=root['id'])], at=0)
    openstack.faults['GET', '/snapshots'] = 503
    found = thinning.find(openstack.cloud(), kinds.Kind.INSTANCE,
                          server['id'], TODAY, lambda row: True)
    assert found.problems and not found.copies
