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

import functools
import hashlib
import time

from cinderclient import exceptions as cinder_errors
import pytest

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.restores import choices
from snapshot_dashboard.restores import restoring
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import seals
from snapshot_dashboard.snapshots import details
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model
from tests.scenario.clouds import is_gone
from tests.scenario.clouds import unique
from tests.scenario.waiting import until

pytestmark = pytest.mark.usefixtures('tidy')
SEAL = seals.Seal('a scenario')


class Disks:
    """What is on the disks of an instance, below the services."""

    def __init__(self, where, server):
        self.paths = [where.state / 'cinder' / 'volumes' / volume_id
                      for volume_id in server.volume_ids]
        if not server.volume_backed:
            self.paths.append(
                where.state / 'nova' / 'instances' / server.id / 'disk')

    def write(self, word, *, mib=1):
        for path in self.paths:
            with open(path, 'r+b') as disk:
                disk.seek(mib * 1024 ** 2)
                disk.write(word.encode() * 4096)

    def sums(self):
        """Of the first 16 MiB; empty of a disk that is just being made."""
        return [self._sum(path) for path in self.paths]

    def _sum(self, path):
        try:
            with open(path, 'rb') as disk:
                return hashlib.sha256(disk.read(16 * 1024 ** 2)).hexdigest()
        except FileNotFoundError:
            return ''


@pytest.fixture
def volumes(alice):
    """Names of volumes that are to go when their instances are gone, with
    those that came in their place.
    """
    names = []
    yield names
    remove_volumes(alice, names)


def remove_volumes(cloud, names):
    """Delete the volumes whose names begin like one of these."""
    for volume in cloud.volumes.volumes(100):
        if volume.name.startswith(tuple(names)):
            until(functools.partial(is_deleted, cloud, volume.id),
                  'it is gone')


@pytest.fixture
def instance(alice, volumes, network):
    """Makes an instance with an address; it goes after the test."""
    made = []

    def make(volume_backed):
        nova, source = alice.nova, alice.find('batch-1').image_id
        options = {'block_device_mapping_v2': [{
            'boot_index': 0, 'uuid': source, 'source_type': 'image',
            'destination_type': 'volume', 'volume_size': 1,
            'delete_on_termination': True}]} if volume_backed else {}
        server = nova.servers.create(
            unique('back'), None if volume_backed else source,
            next(flavor for flavor in nova.flavors.list()
                 if flavor.name == 'm1.tiny'),
            nics=[{'net-id': network.inside.id}], **options)
        made.append(server)
        until(lambda: alice.compute.server(server.id).status == 'ACTIVE',
              'the instance runs')
        if volume_backed:
            volumes.append(attach_new(alice, server).name)
        return alice.compute.server(server.id)
    yield make
    for server in made:
        nova = alice.nova
        nova.servers.delete(server.id)
        until(functools.partial(is_gone, functools.partial(
            alice.compute.server, server.id)), 'it is gone')


def row(image_id):
    return model.row_id(kinds.Kind.INSTANCE, image_id)


def facts_of(cloud, image_id):
    facts = choices.gather(cloud, details.get(cloud, row(image_id)), ['*'])
    assert choices.find_obstacles(facts) == []
    return facts


def begin(cloud, image_id, safety=True):
    facts = facts_of(cloud, image_id)
    server = facts.instance.server
    plan = lifecycle.new_plan(
        unique('safety'), '', requested_by='alice', server_id=server.id,
        seal=SEAL, power_off=server.status == 'ACTIVE',
        volume_backed=server.volume_backed) if safety else None
    return restoring.begin(cloud, server, restoring.Wish(
        facts.image, facts.disks, facts.swaps, True, 'alice', 3600,
        facts.instance.latest_request, plan), SEAL)


def advance(cloud, found, clock=time.time):
    return restoring.advance(
        cloud, found, lambda one: restoring.approves(SEAL, one), clock)


def finish(cloud, found):
    def over():
        nonlocal found
        try:
            found = advance(cloud, found)
        except errors.Unavailable:
            return False
        return not found.open
    until(over, 'the instance is back')
    return found


def addresses(cloud, server):
    shown = cloud.nova.servers.get(server.id)
    return {name: sorted((one['addr'], one['OS-EXT-IPS-MAC:mac_addr'])
                         for one in there
                         if one['OS-EXT-IPS:type'] == 'fixed')
            for name, there in shown.addresses.items()}


@pytest.mark.parametrize('volume_backed', [False, True],
                         ids=['image', 'volumes'])
def test_an_instance_goes_back_byte_by_byte_and_forth_again(
        alice, where, instance, network, volume_backed):
    server = instance(volume_backed)
    disks = Disks(where, server)
    disks.write('A')
    before = disks.sums()
    run = alice.finish(alice.begin(server, unique('before')))
    assert not run.progress.failure
    disks.write('B')
    # Also where the snapshot has nothing: that has to be empty again.
    disks.write('B', mib=8)
    said = [what_it_says(alice, volume_id) for volume_id in server.volume_ids]
    network.float(server)
    after, known = disks.sums(), addresses(alice, server)
    ports = network.of(server)
    assert after != before and known and '203.0.113.' in ports[0][-1]
    found = finish(alice, begin(alice, run.progress.image_id))
    assert not found.progress.failure
    assert disks.sums() == before
    now = alice.compute.server(server.id)
    assert (now.status, now.volume_ids) == ('ACTIVE', server.volume_ids)
    assert addresses(alice, server) == known
    assert network.of(server) == ports
    again = finish(alice, begin(alice, found.progress.safety_id,
                                safety=False))
    assert not again.progress.failure
    assert disks.sums() == after
    assert alice.compute.server(server.id).status == 'ACTIVE'
    assert addresses(alice, server) == known
    assert network.of(server) == ports
    restoring.dismiss(alice, server.id, lambda one: True)
    for image in alice.images.images(100, {'owner': alice.project_id}):
        assert 'pointer' not in ' '.join(image.properties)
    assert said == [what_it_says(alice, volume_id)
                    for volume_id in server.volume_ids]


def what_it_says(cloud, volume_id):
    """What a volume says of its image, and whether it can be booted from."""
    volume = cloud.volumes.volume(volume_id)
    return volume.bootable, volume.image_properties


def attached(alice, where, server):
    """What is on the volumes of an instance, by their devices."""
    return {one.device: content(where, one.volume_id)
            for one in alice.compute.attachments(server.id)}


def content(where, volume_id):
    with open(where.state / 'cinder' / 'volumes' / volume_id, 'rb') as file:
        file.seek(1024 ** 2)
        return file.read(1)


@pytest.fixture
def with_volume(alice, where, volumes, instance):
    """An image-backed instance with a data volume, and A on both."""
    server = instance(volume_backed=False)
    old = attach_new(alice, server)
    volumes.append(old.name)
    server = alice.compute.server(server.id)
    Disks(where, server).write('A')
    return server, old


def is_deleted(alice, volume_id):
    """Delete a volume as soon as it can be."""
    try:
        alice.cinder.volumes.delete(volume_id, cascade=True)
    except cinder_errors.NotFound:
        return True
    except cinder_errors.BadRequest:
        return False
    return False


def attach_new(alice, server):
    volume = alice.cinder.volumes.create(1, name=unique('data'))
    until(lambda: alice.volumes.volume(volume.id).status == 'available',
          'the volume is there')
    alice.nova.volumes.create_server_volume(server.id, volume.id)
    until(lambda: alice.volumes.volume(volume.id).status == 'in-use'
          and volume.id in alice.compute.server(server.id).volume_ids,
          'the volume is attached')
    return volume


def test_a_volume_goes_back_alone_and_the_old_one_is_kept(
        alice, where, with_volume):
    server, old = with_volume
    taken = alice.volumes.create_snapshot(old.id, unique('part'), '', {})
    until(lambda: alice.volumes.snapshot(taken).status == 'available',
          'the snapshot is there')
    Disks(where, server).write('B')
    before = attached(alice, where, server)
    facts = choices.gather(alice, details.get(alice, model.row_id(
        kinds.Kind.VOLUME, taken)))
    assert choices.swap_obstacles(facts) == []
    found = finish(alice, restoring.begin(
        alice, facts.instance.server, restoring.Wish(
            None, (), facts.swaps, True, 'alice', 3600,
            facts.instance.latest_request), SEAL))
    assert not found.progress.failure
    after = attached(alice, where, server)
    assert set(before.values()) == {b'B'} and set(after.values()) == {b'A'}
    assert before.keys() == after.keys()
    kept = alice.volumes.volume(old.id)
    assert kept.status == 'available' and '(until ' in kept.name
    assert content(where, old.id) == b'B'
    assert alice.compute.server(server.id).status == 'ACTIVE'
    restoring.dismiss(alice, server.id, lambda one: True)
    assert is_gone(lambda: alice.images.image(found.plan.home_id))


def test_the_root_disk_and_a_chosen_volume_go_back_together(
        alice, where, with_volume):
    server, old = with_volume
    run = alice.finish(alice.begin(server, unique('before'),
                                   volumes=(old.id,)))
    assert not run.progress.failure
    lifecycle.dismiss(alice, server.id)
    Disks(where, server).write('B')
    found = finish(alice, begin(alice, run.progress.image_id))
    assert not found.progress.failure
    assert set(attached(alice, where, server).values()) == {b'A'}
    disk = where.state / 'nova' / 'instances' / server.id / 'disk'
    assert disk.read_bytes()[1024 ** 2:1024 ** 2 + 1] == b'A'
    assert content(where, old.id) == b'B'
    restoring.dismiss(alice, server.id, lambda one: True)
