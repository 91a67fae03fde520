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

"""On a real Glance: what has come to match since is there at once."""

import datetime
import time

import pytest

from snapshot_dashboard.cloud import services
from snapshot_dashboard.snapshots import newest
from tests.scenario import clouds
from tests.scenario.clouds import unique
from tests.scenario.waiting import until


@pytest.fixture
def looks(where, monkeypatch):
    """Looks for images of a property, with almost no time for clocks."""
    monkeypatch.setattr(newest, '_CLOCKS_DIFFER',
                        datetime.timedelta(seconds=1))
    cloud = clouds.connect(where, 'alice')
    cloud.memory = services.Memory()
    kind = unique('kind')

    def look(limit=5):
        return [image.name for image in newest.images(
            cloud, limit, {'owner': cloud.project_id, 'image_type': kind})]
    look.kind = kind
    return look


@pytest.fixture
def image(alice):
    """Makes images without data; they are gone afterwards."""
    made = []

    def make(name, **properties):
        made.append(alice.images.create_pointer(name, {
            'block_device_mapping': '[]', **properties}))
        return made[-1]
    yield make
    for one in made:
        alice.images.delete(one)


def a_moment_later():
    """Glance shows no fractions of a second."""
    end = int(time.time()) + 3
    until(lambda: time.time() >= end, 'the clock has moved on')


def test_a_new_image_is_there_at_once(looks, image):
    assert looks() == []
    image('first', image_type=looks.kind)
    assert looks() == ['first']


@pytest.mark.parametrize('change', [
    {'image_type': None}, {'os_hidden': False}])
def test_an_old_image_that_comes_to_match_is_there_at_once(
        alice, looks, image, change):
    old = image('old', image_type=looks.kind)
    before = {'image_type': 'other', 'os_hidden': True}
    (name,) = change
    alice.images.set_properties(old, {name: before[name]})
    a_moment_later()
    assert looks() == looks() == []
    alice.images.set_properties(old, {
        name: looks.kind if name == 'image_type' else change[name]})
    assert looks() == ['old']


def test_the_newest_are_the_same_with_a_bound(alice, looks, image):
    for number in range(4):
        image(f'i{number}', image_type=looks.kind)
    assert sorted(looks(limit=4)) == sorted(looks(limit=4)) == [
        f'i{number}' for number in range(4)]
    newest = looks(limit=2)
    a_moment_later()
    image('newer', image_type=looks.kind)
    assert looks(limit=2) == ['newer', newest[0]]
