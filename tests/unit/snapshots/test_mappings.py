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

"""The index of the images that need volume snapshots."""

import json

import pytest

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.snapshots import mappings
from tests import fakes


def lists(openstack):
    """The lists of images that were asked for."""
    return [request.qs for request in openstack.requests
            if request.path == '/v2/images']


def needing(cloud, part):
    return mappings.Index(cloud).candidates(part['id'])


def test_images_of_both_kinds_are_gone_through_once(openstack):
    part, other = openstack.snapshot('a'), openstack.snapshot('b')
    image = openstack.set_image('db', [part])
    hidden = openstack.set_image('hidden', [other], os_hidden=True)
    for number in range(5):
        openstack.image(f'i-{number}')
    openstack.max_limit = 3
    cloud = openstack.cloud()
    index = mappings.Index(cloud)
    assert not index.complete
    index.update(9)
    assert index.fresh and index.complete
    assert needing(cloud, part) == {image['id']}
    assert needing(cloud, other) == {hidden['id']}
    assert mappings.Index(cloud).complete
    assert not mappings.Index(cloud).fresh


def test_from_then_on_only_changes_are_asked_for(openstack):
    for number in range(400):
        openstack.image(f'i-{number}')
    cloud = openstack.cloud()
    mappings.Index(cloud).update(1)
    part = openstack.snapshot('a')
    image = openstack.set_image('db', [part])
    index = mappings.Index(cloud)
    before = len(openstack.requests)
    learnt = index.update(1)
    assert len(openstack.requests) - before == 2
    # Those of the last minutes come again.
    assert len(learnt) <= 302 and image['id'] in {one.id for one in learnt}
    assert needing(cloud, part) == {image['id']}


def test_a_change_that_shows_late_is_seen_all_the_same(openstack):
    """Glance's hosts have clocks of their own, and databases lag."""
    for number in range(50):
        openstack.image(f'i-{number}')
    cloud = openstack.cloud()
    mappings.Index(cloud).update(1)
    part = openstack.snapshot('a')
    image = openstack.set_image('db', [part], updated_at=fakes.stamp(20))
    mappings.Index(cloud).update(1)
    assert needing(cloud, part) == {image['id']}


def test_what_shows_late_while_it_is_not_complete_is_seen_too(openstack):
    for number in range(5):
        openstack.image(f'i-{number}')
    cloud = openstack.cloud()
    openstack.max_limit = 3
    mappings.Index(cloud).update(2)
    part = openstack.snapshot('a')
    image = openstack.set_image('db', [part], updated_at=fakes.stamp(2))
    index = mappings.Index(cloud)
    index.update(9)
    assert index.fresh and needing(cloud, part) == {image['id']}


def test_very_many_changes_at_a_time_are_followed_to_their_end(openstack):
    cloud = openstack.cloud()
    mappings.Index(cloud).update(1)
    for number in range(60):
        openstack.image(f'i-{number}')
    openstack.max_limit = 5
    for _ in range(9):
        index = mappings.Index(cloud)
        index.update(2)
    assert index.fresh


def test_many_images_that_changed_at_the_same_time_are_all_seen(openstack):
    parts = [openstack.snapshot(f'p-{number}') for number in range(7)]
    images = [openstack.set_image(f's-{number}', [part],
                                  updated_at=fakes.stamp(1))
              for number, part in enumerate(parts)]
    openstack.max_limit = 2
    cloud = openstack.cloud()
    mappings.Index(cloud).update(9)
    assert [needing(cloud, part) for part in parts] == [
        {image['id']} for image in images]


def test_what_few_calls_do_not_bring_the_next_ones_do(openstack):
    for number in range(9):
        openstack.set_image(f's-{number}', [openstack.snapshot('p')])
    openstack.max_limit = 4
    cloud = openstack.cloud()
    mappings.Index(cloud).update(1)
    assert not mappings.Index(cloud).complete
    index = mappings.Index(cloud)
    while not index.fresh:
        index.update(2)
    assert mappings.Index(cloud).complete


def test_a_call_that_fails_loses_nothing_and_claims_nothing(openstack):
    part = openstack.snapshot('a')
    image = openstack.set_image('db', [part])
    cloud = openstack.cloud()
    openstack.faults['GET', '/v2/images'] = 504
    with pytest.raises(errors.Unavailable):
        mappings.Index(cloud).update(1)
    assert not mappings.Index(cloud).complete
    openstack.faults.clear()
    mappings.Index(cloud).update(1)
    assert needing(cloud, part) == {image['id']}


def test_a_shelf_that_is_forgotten_is_made_again(openstack):
    part = openstack.snapshot('a')
    image = openstack.set_image('db', [part])
    cloud = openstack.cloud()
    mappings.Index(cloud).update(1)
    cloud.memory._kept.popitem()
    index = mappings.Index(cloud)
    assert not index.complete and not index.candidates(part['id'])
    index.update(1)
    assert needing(cloud, part) == {image['id']}


def test_an_older_shelf_of_another_process_hides_no_change(openstack):
    """Two bring it up to date, and the slower one writes last."""
    part = openstack.snapshot('a')
    slow, quick = openstack.cloud(), openstack.cloud()
    mappings.Index(slow).update(1)
    old = dict(slow.memory._kept)
    quick.memory = slow.memory
    for number in range(400):
        openstack.image(f'i-{number}')
    image = openstack.set_image('db', [part])
    for number in range(400):
        openstack.image(f'j-{number}')
    mappings.Index(quick).update(1)
    shelf = services.memory_key(slow, 'image', 'parts', part['id'][0])
    slow.memory.keep({shelf: old[shelf]}, 9)
    mappings.Index(slow).update(1)
    assert needing(slow, part) == {image['id']}


def test_projects_and_clouds_have_their_own(openstack):
    cloud, other = openstack.cloud(), openstack.cloud()
    part = openstack.snapshot('a')
    openstack.set_image('db', [part])
    mappings.Index(cloud).update(1)
    other.memory, other.project_id = cloud.memory, 'another'
    assert not needing(other, part)
    elsewhere = openstack.cloud({'image': 'http://glance.elsewhere'})
    elsewhere.memory = cloud.memory
    assert not needing(elsewhere, part)


@pytest.mark.parametrize('mapping', [
    '[', '{}', '[1]', 'null', json.dumps([{'snapshot_id': '../x'}]),
    json.dumps([{'source_type': 'image', 'snapshot_id': fakes.new_id()}])])
def test_a_mapping_that_nobody_can_read_needs_nothing(openstack, mapping):
    openstack.image('forged', block_device_mapping=mapping)
    index = mappings.Index(openstack.cloud())
    index.update(1)
    assert index.fresh and not index._images


def test_a_memory_that_keeps_nothing_is_no_error(openstack):
    class Forgetful(services.Memory):
        def keep(self, things, seconds):
            pass
    part = openstack.snapshot('a')
    image = openstack.set_image('db', [part])
    cloud = openstack.cloud()
    cloud.memory = Forgetful()
    index = mappings.Index(cloud)
    index.update(1)
    assert index.fresh and index.candidates(part['id']) == {image['id']}
