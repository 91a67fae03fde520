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

"""An instance like the original is launched when the original is gone."""

import contextlib

import pytest

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.preflight import instance_facts
from snapshot_dashboard.snapshots import details
from snapshot_dashboard.snapshots import launch
from snapshot_dashboard.snapshots import recipes
from tests.cloud import bootstrap
from tests.cloud import seed
from tests.scenario.clouds import delete_snapshots
from tests.scenario.clouds import is_gone
from tests.scenario.clouds import unique
from tests.scenario.test_details import row_named
from tests.scenario.waiting import until

pytestmark = pytest.mark.usefixtures('tidy')
FLAVOR = 'm1.small'


@pytest.fixture
def seeder(where):
    """Makes what our clouds cannot."""
    return bootstrap.connect(where, 'alice', seed.PROJECT)


@pytest.fixture
def surroundings(seeder):
    """A network, a security group and a key pair, for a test."""
    name = unique('around')
    network = seeder.network.create_network(name=name)
    seeder.network.create_subnet(network_id=network.id, ip_version=4,
                                 cidr='192.0.2.0/24', enable_dhcp=False)
    group = seeder.network.create_security_group(name=name)
    key = seeder.compute.create_keypair(name=name)
    yield network, group, key
    seeder.compute.delete_keypair(name)
    seeder.network.delete_security_group(
        seeder.network.find_security_group(name))
    for port in seeder.network.ports(network_id=network.id):
        seeder.network.delete_port(port)
    seeder.network.delete_network(network)


@contextlib.contextmanager
def original(alice, seeder, surroundings, root):
    """An instance in these surroundings, and how it is."""
    network, group, key = surroundings
    server = seeder.compute.create_server(
        name=unique('original'),
        flavor_id=seeder.compute.find_flavor(FLAVOR).id,
        networks=[{'uuid': network.id}], key_name=key.name,
        security_groups=[{'name': group.name}], **root)
    yield running(alice, server.id)
    delete(alice, server.id)


def running(alice, server_id):
    """A server, once it runs."""
    until(lambda: alice.compute.server(server_id).status == 'ACTIVE',
          'it runs')
    return alice.compute.server(server_id)


def delete(alice, server_id):
    with contextlib.suppress(errors.NotFound):
        alice.nova.servers.delete(server_id)
    until(lambda: is_gone(lambda: alice.compute.server(server_id)),
          'it is gone')


def roots(seeder):
    """What instances of both kinds begin with."""
    image_id = seeder.image.find_image(seed.IMAGE).id
    return {'image': {'image_id': image_id},
            'volume': {'block_device_mapping': [{
                'boot_index': 0, 'uuid': image_id, 'volume_size': 10,
                'source_type': 'image', 'destination_type': 'volume',
                'delete_on_termination': False}]}}


@pytest.mark.parametrize('kind', ['image', 'volume'])
def test_one_like_the_original_is_launched_after_its_deletion(
        alice, seeder, surroundings, kind):
    network, group, key = surroundings
    with original(alice, seeder, surroundings, roots(seeder)[kind]) as server:
        assert server.volume_backed is (kind == 'volume')
        was = recipes.of(alice, server)
        assert was.networks == (network.id,) and was.key == key.name
        run = alice.finish(alice.begin(server, unique('last')))
        assert not run.progress.failure
    found = details.get(alice, f'instance-{run.progress.image_id}')
    assert found.recipe == was
    options = launch.fetch_options(alice, found.snapshot.volume_backed)
    assert not options.problems
    assert not launch.missing(found.recipe, options)
    flavor = options.flavor(found.recipe.flavor)
    assert not launch.obstacles(found, options, flavor)
    new_id = launch.launch(alice, found.snapshot, launch.Choice(
        unique('again'), flavor, was.networks, was.groups, was.key, was.zone))
    new = running(alice, new_id)
    assert recipes.of(alice, new) == was
    for field in ('flavor', 'key', 'zone', 'groups', 'root_gib',
                  'ephemeral_gib', 'swap_mib'):
        assert getattr(new, field) == getattr(server, field), field
    # Nova names an image of one that was launched from a set.
    facts = instance_facts.gather(alice, new_id)
    assert facts.server.volume_backed is server.volume_backed
    if server.volume_backed:
        capture_again(alice, facts)
    assert len(new.volume_ids) == len(server.volume_ids)
    volumes = {*new.volume_ids, *server.volume_ids}
    delete(alice, new_id)
    delete_snapshots(alice, found.snapshot)
    for part in found.snapshot.parts:
        until(lambda part=part: is_gone(
            lambda: alice.volumes.snapshot(part.id)), 'its part is gone')
    for volume_id in volumes:
        with contextlib.suppress(errors.NotFound):
            alice.cinder.volumes.delete(volume_id)


def test_an_instance_boots_from_a_snapshot_of_a_bootable_volume(
        alice, seeder, surroundings):
    with original(alice, seeder, surroundings,
                  roots(seeder)['volume']) as server:
        root, = server.volume_ids
        snapshot = alice.cinder.volume_snapshots.create(
            root, name=unique('alone'), force=True)
        until(lambda: alice.volumes.snapshot(snapshot.id).status
              == 'available', 'it is there')
    found = details.get(alice, f'volume-{snapshot.id}')
    assert found.snapshot.bootable and found.recipe is None
    options = launch.fetch_options(alice, True)
    flavor = options.flavor(FLAVOR)
    assert not launch.obstacles(found, options, flavor)
    new = running(alice, launch.launch(
        alice, found.snapshot, launch.Choice(unique('again'), flavor)))
    assert new.volume_backed
    volume_id, = new.volume_ids
    assert alice.volumes.volume(volume_id).size_gib == 10
    delete(alice, new.id)
    # Like all that users launch from volumes, it leaves its disk behind.
    alice.cinder.volumes.delete(volume_id)
    until(lambda: is_gone(lambda: alice.volumes.volume(volume_id)),
          'its disk is gone')
    alice.cinder.volume_snapshots.delete(snapshot.id)
    until(lambda: is_gone(lambda: alice.volumes.snapshot(snapshot.id)),
          'the snapshot is gone')
    alice.cinder.volumes.delete(root)


def capture_again(alice, facts):
    """A set of an instance that came of a set is one, too."""
    run = alice.finish(alice.begin(facts.server, unique('third'),
                                   volume_backed=True))
    assert not run.progress.failure
    found = details.get(alice, f'instance-{run.progress.image_id}')
    assert found.snapshot.usable and len(found.snapshot.parts) == 1
    assert found.snapshot.consistency == marks.POWERED_OFF
    delete_snapshots(alice, found.snapshot)
    (part,) = found.snapshot.parts
    until(lambda: is_gone(lambda: alice.volumes.snapshot(part.id)),
          'its part is gone')


def test_what_is_gone_by_then_is_named(alice, seeder, surroundings):
    network, group, key = surroundings
    with original(alice, seeder, surroundings,
                  roots(seeder)['image']) as server:
        was = recipes.of(alice, server)
    options = launch.fetch_options(alice, volumes=False)
    assert not launch.missing(was, options)
    seeder.compute.delete_keypair(key)
    seeder.network.delete_security_group(group)
    gone = launch.missing(was, launch.fetch_options(
        alice, volumes=False))
    assert gone == [(launch.Piece.KEY, key.name),
                    (launch.Piece.GROUP, group.name)]
    seeder.network.create_security_group(name=group.name)
    seeder.compute.create_keypair(name=key.name)


def test_a_flavor_that_is_too_small_is_refused_by_nova_as_well(alice):
    found = details.get(
        alice, row_named(alice, 'web-1-2026-01-15').row_id)
    options = launch.fetch_options(alice, volumes=False)
    small = min(options.flavors, key=lambda flavor: flavor.disk_gib or 999)
    assert small.disk_gib < found.min_disk_gib
    assert [obstacle.code for obstacle in launch.obstacles(
        found, options, small)] == [launch.Code.DISK]
    with pytest.raises(errors.Refused):
        launch.launch(alice, found.snapshot,
                      launch.Choice(unique('no'), small))


def test_a_reader_launches_nothing(alice, rita):
    found = details.get(
        alice, row_named(alice, 'web-1-2026-01-15').row_id)
    flavor = launch.fetch_options(alice, volumes=False).flavor(FLAVOR)
    with pytest.raises(errors.Forbidden):
        launch.launch(rita, found.snapshot,
                      launch.Choice(unique('no'), flavor))
