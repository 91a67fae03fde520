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

"""What is said before the button is pressed."""

import pytest

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.preflight import instance_facts
from snapshot_dashboard.preflight import obstacles
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import record
from tests import fakes

Code = obstacles.Code


def look(openstack, server):
    return instance_facts.gather(openstack.cloud(), server['id'],
                                 decides=True)


def codes(openstack, server, **options):
    return [found.code for found in instance_facts.find_obstacles(
        look(openstack, server), **options)]


@pytest.fixture
def database(openstack):
    """A volume-backed instance with two volumes."""
    server = openstack.server('db-1', image='')
    openstack.attach(server, openstack.volume(
        'root', size=10, bootable='true'), '/dev/vda')
    openstack.attach(server, openstack.volume('data', size=8), '/dev/vdb')
    return server


def quota(limit, used=0, reserved=0):
    return {'limit': limit, 'in_use': used, 'reserved': reserved}


def test_an_ordinary_instance_has_no_obstacle(openstack):
    assert codes(openstack, openstack.server()) == []


@pytest.mark.parametrize('status', ['ERROR', 'SHELVED', 'RESCUE', 'BUILD'])
def test_a_wrong_state_is_an_obstacle(openstack, status):
    assert codes(openstack, openstack.server(status=status)) == [Code.STATE]


def test_a_snapshot_in_progress_is_an_obstacle(openstack):
    server = openstack.server(**{'OS-EXT-STS:task_state': 'image_uploading'})
    assert codes(openstack, server) == [Code.BUSY]


def test_an_open_run_is_an_obstacle(openstack):
    server = openstack.server()
    cloud = openstack.cloud()
    lifecycle.begin(cloud, cloud.compute.server(server['id']),
                    lifecycle.new_plan('n', '', power_off=True, power_on=True,
                                       requested_by='bob'))
    assert codes(openstack, server) == [Code.RUN_OPEN]


def test_a_running_instance_can_be_powered_off_unless_locked(openstack):
    assert look(openstack, openstack.server()).can_power_off
    assert not look(openstack, openstack.server(locked=True)).can_power_off
    assert not look(openstack, openstack.server(
        status='SHUTOFF')).can_power_off


def test_a_full_snapshot_quota_is_an_obstacle(openstack, database):
    openstack.quotas = {'snapshots': quota(10, 8, 1)}
    (found,) = instance_facts.find_obstacles(look(openstack, database))
    assert found.code is Code.QUOTA_SNAPSHOTS
    assert found.facts == {'needed': 2, 'left': 1, 'limit': 10, 'type': ''}


def test_a_full_gigabytes_quota_is_an_obstacle(openstack, database):
    openstack.quotas = {'gigabytes': quota(100, 83)}
    (found,) = instance_facts.find_obstacles(look(openstack, database))
    assert found.code is Code.QUOTA_GIGABYTES
    assert (found.facts['needed'], found.facts['left']) == (18, 17)


def test_a_full_quota_of_a_volume_type_is_an_obstacle(openstack, database):
    openstack.quotas = {'gigabytes': quota(-1, 83),
                        'gigabytes___DEFAULT__': quota(20, 10)}
    (found,) = instance_facts.find_obstacles(look(openstack, database))
    assert found.facts['type'] == '__DEFAULT__'


def test_quotas_that_just_suffice_or_are_unlimited_are_no_obstacle(
        openstack, database):
    openstack.quotas = {'snapshots': quota(2), 'gigabytes': quota(-1, 999)}
    openstack.usage = {'image_count_total': {'limit': 10, 'usage': 9},
                       'image_size_total': {'limit': 10, 'usage': 10}}
    assert codes(openstack, database) == []


def test_volume_quotas_do_not_matter_to_an_image_backed_instance(openstack):
    openstack.quotas = {'snapshots': quota(0)}
    assert codes(openstack, openstack.server()) == []


def test_a_full_glance_is_an_obstacle(openstack):
    openstack.usage = {'image_count_total': {'limit': 3, 'usage': 3},
                       'image_size_total': {'limit': 100, 'usage': 120}}
    assert codes(openstack, openstack.server()) == [
        Code.QUOTA_IMAGES, Code.QUOTA_IMAGE_SIZE]


def test_a_volume_in_error_is_an_obstacle(openstack, database):
    next(iter(openstack.volumes.values()))['status'] = 'error'
    assert codes(openstack, database) == [Code.VOLUME_STATE]


@pytest.mark.parametrize('image_is_there', [True, False])
def test_an_instance_launched_from_a_set_is_volume_backed(openstack,
                                                          image_is_there):
    # Nova names the set's image then, as if there were a local root disk.
    image = openstack.set_image('set', [openstack.snapshot('root')])
    server = openstack.server(image={'id': image['id']})
    openstack.attach(server, openstack.volume('root', bootable='true'),
                     '/dev/vda')
    if not image_is_there:
        del openstack.images[image['id']]
    facts = instance_facts.gather(openstack.cloud(), server['id'])
    assert facts.server.volume_backed and not facts.not_captured
    assert not facts.can_choose_volumes


def test_a_local_root_beside_a_mapped_data_disk_is_told_rightly(openstack):
    """An image may hold a root disk and map data: Nova keeps both apart."""
    part = openstack.snapshot('data')
    image = openstack.set_image('both', [part], size=4096)
    image['block_device_mapping'] = image['block_device_mapping'].replace(
        '"boot_index": 0', '"boot_index": null')
    server = openstack.server(image={'id': image['id']})
    openstack.attach(server, openstack.volume('data'), '/dev/vdb')
    facts = look(openstack, server)
    assert not facts.server.volume_backed
    assert [(disk.role.value, disk.fate.value) for disk in facts.disks] == [
        ('root', 'captured'), ('volume', 'not-captured')]


def test_shares_and_a_virtual_tpm_are_not_captured(openstack):
    server = openstack.server(flavor={
        'disk': 10, 'extra_specs': {'hw:tpm_version': '2.0'}})
    openstack.shares[server['id']] = ['homes']
    facts = look(openstack, server)
    assert [(disk.role.value, disk.device) for disk
            in facts.not_captured] == [('share', 'homes'), ('tpm', '')]


def test_a_nova_without_shares_has_none(openstack):
    openstack.faults['GET', '/shares$'] = 404
    facts = look(openstack, openstack.server())
    assert not facts.not_captured and not facts.unknown


def test_that_shares_are_not_known_is_said(openstack):
    openstack.faults['GET', '/shares$'] = 503
    facts = look(openstack, openstack.server())
    assert [error.service for error in facts.unknown] == ['compute']


def test_a_silent_cinder_is_an_obstacle_to_volume_backed_ones_only(
        openstack, database):
    openstack.faults['GET', '/v3/'] = 503
    assert codes(openstack, database) == [Code.NO_VOLUME_SERVICE]
    server = openstack.server()
    openstack.attach(server, openstack.volume(), '/dev/vdb')
    facts = look(openstack, server)
    assert instance_facts.find_obstacles(facts) == []
    assert [error.service for error in facts.unknown] == ['volume']


def test_the_image_tells_how_long_a_shutdown_may_take(openstack):
    server = openstack.server()
    openstack.image('base', id=server['image']['id'],
                    os_shutdown_timeout='300')
    assert look(openstack, server).shutdown_timeout == 300


@pytest.mark.parametrize('text', ['soon', '-5', ''])
def test_a_meaningless_shutdown_timeout_is_ignored(openstack, text):
    server = openstack.server()
    openstack.image('base', id=server['image']['id'],
                    os_shutdown_timeout=text)
    assert look(openstack, server).shutdown_timeout is None


def test_an_instance_whose_image_was_deleted_can_be_looked_at(openstack):
    facts = look(openstack, openstack.server())
    assert facts.shutdown_timeout is None
    assert facts.unknown == ()


def test_an_instance_that_is_gone_is_not_found(openstack):
    with pytest.raises(errors.NotFound):
        instance_facts.gather(openstack.cloud(), 'gone')


def test_how_long_earlier_snapshots_took_is_what_nova_recorded(openstack):
    server = openstack.server()
    assert look(openstack, server).expected == 0
    openstack.did(server, 'createImage', took=1)  # it failed
    openstack.did(server, 'createImage', took=240)
    openstack.did(server, 'stop', took=600)
    # That it was edited later says nothing.
    openstack.image('snap', instance_uuid=server['id'],
                    updated_at='2030-01-01T00:00:00Z')
    assert look(openstack, server).expected == 240


def test_no_room_for_the_record_is_an_obstacle_where_it_needs_metadata(
        openstack):
    needed = journal.items_needed(0)
    server = openstack.server(metadata={'owner': 'others'})
    openstack.metadata_items = needed
    assert codes(openstack, server, power_off=True) == [Code.QUOTA_METADATA]
    assert codes(openstack, server) == []
    found = instance_facts.find_obstacles(look(openstack, server),
                                          power_off=True)
    assert found[0].facts == {'lacking': 1, 'limit': needed}
    openstack.metadata_items = needed + 1
    assert codes(openstack, server, power_off=True) == []
    # What an earlier run has left is written over.
    server['metadata'].update(journal.write(record.Plan('a' * 32)))
    server['metadata']['snapshot_dashboard.ended_at'] = '1'
    assert codes(openstack, server, power_off=True) == []


def test_no_room_for_tags_is_an_obstacle(openstack):
    server = openstack.server(tags=[f'other-{n}' for n in range(46)])
    assert codes(openstack, server) == [Code.QUOTA_TAGS]
    server['tags'].pop()
    assert codes(openstack, server) == []


def test_a_cloud_that_allows_too_few_marks_is_an_obstacle(openstack):
    openstack.metadata_items = 5
    assert codes(openstack, openstack.server()) == [
        Code.QUOTA_IMAGE_METADATA]


def test_a_limit_that_nova_does_not_tell_is_none(openstack):
    openstack.faults['GET', '/limits$'] = 503
    assert codes(openstack, openstack.server(), power_off=True) == []


@pytest.mark.parametrize(('properties', 'obstacle', 'recipe'), [
    (0, [], True), (101, [], True), (102, [], False), (117, [], False),
    (118, [Code.QUOTA_PROPERTIES], False)])
def test_the_room_for_properties_is_known(openstack, properties, obstacle,
                                          recipe):
    server = openstack.server(image={'id': fakes.new_id(1), 'properties': {
        f'hw_{number}': 'x' for number in range(properties)}})
    assert codes(openstack, server) == obstacle
    assert look(openstack, server).has_room_for_recipe() is recipe


def test_what_the_image_said_at_the_launch_counts_and_not_what_it_says_now(
        openstack):
    image = openstack.image('base', os_shutdown_timeout='5',
                            hw_qemu_guest_agent='yes')
    server = openstack.server(image={'id': image['id'], 'properties': {
        'os_shutdown_timeout': '300'}})
    facts = look(openstack, server)
    assert (facts.shutdown_timeout, facts.agent) == (300, False)


def test_an_instance_that_was_made_of_no_known_image_tells_nothing(openstack):
    server = openstack.server(image={'id': fakes.new_id(1),
                                     'properties': {}})
    facts = look(openstack, server)
    assert (facts.shutdown_timeout, facts.agent) == (None, False)
