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

"""What a snapshot will hold, disk by disk."""

from snapshot_dashboard.cloud import types
from snapshot_dashboard.preflight import disk_facts

Fate, Role = disk_facts.Fate, disk_facts.Role


def server(**fields):
    body = {'id': 's', 'image': {'id': 'i'}, 'flavor': {
        'disk': 10, 'ephemeral': 20, 'swap': 1024}, **fields}
    return types.Server.from_api(body)


def volume(volume_id, bootable=False, size=5):
    return types.Volume(volume_id, f'name of {volume_id}', 'in-use', size,
                        '__DEFAULT__', bootable)


def table(found):
    return [(disk.role, disk.fate, disk.size_mib) for disk in found]


def test_an_image_backed_instance_has_its_root_disk_captured_alone():
    found = disk_facts.list_disks(
        server(), [types.Attachment('v', '/dev/vdb')], {'v': volume('v')})
    assert table(found) == [
        (Role.ROOT, Fate.CAPTURED, 10 * 1024),
        (Role.EPHEMERAL, Fate.NOT_CAPTURED, 20 * 1024),
        (Role.SWAP, Fate.EMPTY, 1024),
        (Role.VOLUME, Fate.NOT_CAPTURED, 5 * 1024)]


def test_a_volume_backed_instance_has_every_volume_captured():
    found = disk_facts.list_disks(
        server(image=''),
        [types.Attachment('data', '/dev/vdb'),
         types.Attachment('root', '/dev/vda')],
        {'root': volume('root', bootable=True, size=8),
         'data': volume('data')})
    assert table(found) == [
        (Role.ROOT, Fate.CAPTURED, 8 * 1024),
        (Role.VOLUME, Fate.CAPTURED, 5 * 1024),
        (Role.EPHEMERAL, Fate.NOT_CAPTURED, 20 * 1024),
        (Role.SWAP, Fate.EMPTY, 1024)]


def test_the_root_volume_is_the_first_bootable_device():
    attached = [types.Attachment('a', '/dev/vda'),
                types.Attachment('b', '/dev/vdb')]
    found = disk_facts.root_volume(attached, {'a': volume('a'),
                                              'b': volume('b', bootable=True)})
    assert found.volume_id == 'b'


def test_without_an_answer_from_cinder_the_first_device_is_the_root():
    attached = [types.Attachment('a', '/dev/vda'),
                types.Attachment('b', '/dev/vdb')]
    assert disk_facts.root_volume(attached, {}).volume_id == 'a'
    found = disk_facts.list_disks(server(image=''), attached, {})
    assert [disk.volume_id for disk in found[:2]] == ['a', 'b']
    assert found[0].size_mib == 0


def test_an_instance_without_extra_disks_shows_its_root_disk_only():
    found = disk_facts.list_disks(server(flavor={'disk': 1}), [], {})
    assert table(found) == [(Role.ROOT, Fate.CAPTURED, 1024)]


def test_a_flavor_of_an_old_nova_that_names_no_swap_means_no_swap():
    # Before 2.71 a flavor without swap showed an empty string.
    assert server(flavor={'disk': 1, 'swap': ''}).swap_mib == 0
