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

"""Glance counts all images for each answer: it is asked where that matters."""

import time

import pytest

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.snapshots import deletion
from snapshot_dashboard.snapshots import fetch
from snapshot_dashboard.snapshots import usage


@pytest.fixture
def glance(openstack):
    """What Glance says, and how often it was asked."""
    return Glance(openstack)


class Glance:

    def __init__(self, openstack):
        self._openstack = openstack
        self.cloud = openstack.cloud()
        self.cloud.memory = services.Memory()

    def says(self, limit, used):
        self._openstack.usage = {
            'image_count_total': {'limit': limit, 'usage': used}}

    @property
    def asked(self):
        return sum(path == '/v2/info/usage'
                   for _, path, _ in self._openstack.calls)


def test_what_is_only_shown_does_not_wait_for_the_count(glance):
    glance.says(10, 10)
    assert usage.of_images(glance.cloud, decides=False) == {}
    assert not glance.asked


def test_what_decides_waits_for_the_count(glance):
    glance.says(10, 10)
    found = usage.of_images(glance.cloud, decides=True)
    assert found['image_count_total'].left == 0


def test_much_room_is_believed_for_what_is_shown(glance):
    glance.says(1000, 800)
    usage.of_images(glance.cloud, decides=True)
    assert usage.of_images(glance.cloud, decides=False)[
        'image_count_total'].left == 200
    assert glance.asked == 1


@pytest.mark.parametrize(('limit', 'used'), [
    (1000, 801), (20, 11), (5, 0), (5, 9)])
def test_little_room_is_looked_at_again_each_time(glance, limit, used):
    glance.says(limit, used)
    usage.of_images(glance.cloud, decides=True)
    glance.says(limit, used - 1)
    found = usage.of_images(glance.cloud, decides=False)
    assert found['image_count_total'].used == used - 1
    assert glance.asked == 2


def test_what_decides_asks_a_quick_glance_each_time(glance):
    glance.says(1000, 1)
    usage.of_images(glance.cloud, decides=True)
    glance.says(1000, 1000)
    assert usage.of_images(glance.cloud, decides=True)[
        'image_count_total'].left == 0


@pytest.mark.parametrize(('passed', 'asked'), [(59, 1), (61, 2)])
def test_what_decides_takes_a_count_that_takes_long_for_a_minute(
        glance, monkeypatch, passed, asked):
    monkeypatch.setattr(usage, '_LONG', 0)
    glance.says(1000, 1)
    usage.of_images(glance.cloud, decides=True)
    now = time.time()
    monkeypatch.setattr(usage.time, 'time', lambda: now + passed)
    usage.of_images(glance.cloud, decides=True)
    assert glance.asked == asked


def test_no_limit_is_much_room(glance):
    glance.says(-1, 10 ** 6)
    usage.of_images(glance.cloud, decides=True)
    usage.of_images(glance.cloud, decides=False)
    assert glance.asked == 1


def test_after_a_deletion_it_is_counted_anew(openstack, glance, monkeypatch):
    monkeypatch.setattr(usage, '_LONG', 0)
    image = openstack.image('i')
    glance.says(1000, 2)
    assert shown(glance) == (2, False)
    found = fetch.snapshot(glance.cloud, f'instance-{image["id"]}')
    deletion.carry_out(glance.cloud, deletion.plan(glance.cloud, [found]))
    glance.says(1000, 1)
    assert shown(glance) == (1, False)


def test_no_answer_is_not_taken_for_no_limit(
        openstack, glance):
    glance.says(10, 10)
    openstack.faults['GET', '/v2/info/usage'] = 503
    with pytest.raises(errors.ServiceError):
        usage.of_images(glance.cloud, decides=True)
    openstack.faults.clear()
    assert usage.of_images(glance.cloud, decides=True)[
        'image_count_total'].left == 0


def shown(glance):
    found = usage.of_project(glance.cloud)
    return found.quotas['image_count_total'].used, bool(found.counted_at)


def test_what_is_shown_as_used_is_asked_anew(glance):
    for used in (1, 2):
        glance.says(1000, used)
        assert shown(glance) == (used, False)


def test_a_count_that_takes_long_is_not_made_for_each_look(glance,
                                                           monkeypatch):
    monkeypatch.setattr(usage, '_LONG', 0)
    before = time.time()
    for used in (1, 2):
        glance.says(1000, used)
        assert shown(glance) == (1, used == 2)
    assert before <= usage.of_project(glance.cloud).counted_at <= time.time()
    assert glance.asked == 1


def test_where_room_is_scarce_what_is_shown_is_counted_anew(glance,
                                                            monkeypatch):
    monkeypatch.setattr(usage, '_LONG', 0)
    for used in (85, 1):
        glance.says(100, used)
        assert shown(glance) == (used, False)


def test_what_another_release_has_kept_is_not_read(glance):
    glance.says(10, 1)
    usage.of_images(glance.cloud, decides=True)
    (key,) = glance.cloud.memory._kept
    glance.cloud.memory.keep({key: {'image_count_total': 'old'}}, 60)
    assert shown(glance) == (1, False)


def test_what_the_list_has_asked_the_wizard_knows(glance):
    glance.says(10, 10)
    usage.of_project(glance.cloud)
    assert usage.of_images(glance.cloud, decides=False)[
        'image_count_total'].left == 0


def test_another_project_has_limits_of_its_own(openstack, glance):
    glance.says(1000, 1)
    usage.of_images(glance.cloud, decides=True)
    other = openstack.cloud()
    other.memory, other.project_id = glance.cloud.memory, 'other'
    assert usage.of_images(other, decides=False) == {}
