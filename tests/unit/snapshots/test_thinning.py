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

from snapshot_dashboard.snapshots import deletion
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import retention
from snapshot_dashboard.snapshots import thinning

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
