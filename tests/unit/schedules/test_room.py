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

"""Quotas that are too small for what there will be."""

import pytest

from snapshot_dashboard.preflight import obstacles
from snapshot_dashboard.schedules import room
from snapshot_dashboard.snapshots import fetch

Code = obstacles.Code


def quota(limit, used=0):
    return {'limit': limit, 'in_use': used, 'reserved': 0}


@pytest.fixture
def cloud(openstack):
    return openstack.cloud()


@pytest.fixture
def a_set(openstack, cloud):
    """A snapshot of an instance with two volumes, of 5 GiB each."""
    image = openstack.set_image('set', [
        openstack.snapshot('p', size=5), openstack.snapshot('q', size=5)])
    return fetch.snapshot(cloud, f'instance-{image["id"]}')


@pytest.fixture
def image(openstack, cloud):
    image = openstack.image('i', size=3 * 1024 ** 3)
    return fetch.snapshot(cloud, f'instance-{image["id"]}')


def needs(cloud, example, count):
    return [(found.code, found.facts['needed'], found.facts['left'])
            for found in room.find_obstacles(cloud, example, count)]


def test_a_set_takes_volume_snapshots_and_an_image(openstack, cloud, a_set):
    openstack.quotas = {'snapshots': quota(7, 2), 'gigabytes': quota(25)}
    openstack.usage = {'image_count_total': {'limit': 4, 'usage': 2},
                       'image_size_total': {'limit': 1, 'usage': 1}}
    assert needs(cloud, a_set, 3) == [
        (Code.QUOTA_SNAPSHOTS, 6, 5), (Code.QUOTA_GIGABYTES, 30, 25),
        (Code.QUOTA_IMAGES, 3, 2)]
    assert needs(cloud, a_set, 2) == []


def test_an_image_takes_its_size_and_no_volume_snapshot(openstack, cloud,
                                                        image):
    openstack.quotas = {'snapshots': quota(0)}
    openstack.usage = {'image_size_total': {'limit': 6000, 'usage': 0}}
    assert needs(cloud, image, 1) == []
    assert needs(cloud, image, 2) == [(Code.QUOTA_IMAGE_SIZE, 6144, 6000)]


@pytest.mark.parametrize('count', [0, -3])
def test_fewer_than_there_are_take_nothing(openstack, cloud, a_set, count):
    openstack.quotas = {'snapshots': quota(0)}
    before = len(openstack.calls)
    assert needs(cloud, a_set, count) == []
    assert len(openstack.calls) == before


def test_what_is_not_known_is_no_obstacle(openstack, cloud, a_set):
    openstack.faults['GET', '/os-quota-sets'] = 503
    assert needs(cloud, a_set, 3) == []
