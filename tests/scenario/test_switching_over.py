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

"""A copy takes the addresses of its original over, and gives them back."""

import contextlib
import dataclasses
import signal
import time

import pytest

from snapshot_dashboard import marks
from snapshot_dashboard.runs import seals
from snapshot_dashboard.snapshots import details
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import launch
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.switch_overs import choices
from snapshot_dashboard.switch_overs import course
from snapshot_dashboard.switch_overs import switch_over
from snapshot_dashboard.switch_overs import switching
from tests.cloud import bootstrap
from tests.cloud import seed
from tests.scenario import networks
from tests.scenario.clouds import delete_snapshots
from tests.scenario.clouds import is_gone
from tests.scenario.clouds import unique
from tests.scenario.waiting import PATIENCE
from tests.scenario.waiting import until

pytestmark = pytest.mark.usefixtures('tidy')
SEAL = seals.Seal('a scenario')


@dataclasses.dataclass
class Pair:
    """An instance, and one that was launched from its snapshot."""

    cloud: object
    network: object
    original: str
    copy: str
    row_id: str

    def facts(self):
        return choices.gather(self.cloud,
                              details.get(self.cloud, self.row_id), self.copy)

    def begin(self):
        facts = self.facts()
        assert choices.find_obstacles(facts) == []
        return switching.begin(self.cloud, choices.wish(facts, 'alice'), SEAL)

    def finish(self, found):
        def over():
            nonlocal found
            found = switching.advance(
                self.cloud, found, lambda one: switching.approves(SEAL, one))
            return not found.open
        until(over, 'it is over')
        return found

    def cards(self, server_id):
        """What the world sees of an instance: MACs, fixed addresses, groups,
        floating ones.
        """
        neutron = self.network.neutron
        return sorted(
            (port.mac_address, str(port.fixed_ips),
             str(sorted(port.security_group_ids)), *sorted(
                 address.floating_ip_address
                 for address in neutron.ips(port_id=port.id)))
            for port in neutron.ports(device_id=server_id))

    def status(self, server_id):
        return self.cloud.compute.server(server_id).status


def running(cloud, server_id):
    until(lambda: cloud.compute.server(server_id).status == 'ACTIVE',
          'it runs')


@contextlib.contextmanager
def launched(cloud, network, ports, floats=True):
    """An instance, its snapshot, and a copy of it beside."""
    source = cloud.images.images(1, {'name': seed.IMAGE})[0]
    flavor = next(flavor for flavor in cloud.nova.flavors.list()
                  if flavor.name == 'm1.tiny')
    server = cloud.nova.servers.create(
        unique('original'), source.id, flavor,
        nics=[{'port-id': port} for port in ports]
        or [{'net-id': network.inside.id}])
    made = [server.id]
    running(cloud, server.id)
    if floats:
        network.float(server)
    found = cloud.finish(cloud.begin(cloud.compute.server(server.id),
                                     unique('before')))
    row_id = model.row_id(kinds.Kind.INSTANCE, found.progress.image_id)
    snapshot = details.get(cloud, row_id).snapshot
    made.append(launch.launch(cloud, snapshot, launch.Choice(
        unique('copy'), next(one for one in cloud.compute.flavors()
                             if one.name == 'm1.tiny'),
        (network.inside.id,))))
    running(cloud, made[1])
    try:
        yield Pair(cloud, network, *made, row_id)
    finally:
        for server_id in made:
            cloud.compute.delete_server(server_id)
            until(lambda server_id=server_id: is_gone(
                lambda: cloud.compute.server(server_id)), 'it is gone')
        found = switching.read(cloud, snapshot.id)
        if found is not None:
            switching.dismiss(cloud, snapshot.id, lambda one: False)
        delete_snapshots(cloud, snapshot)


@pytest.mark.parametrize('made_by', ['nova', 'a user'])
def test_a_copy_takes_all_addresses_over_and_gives_them_back(
        alice, network, made_by):
    ports = [] if made_by == 'nova' else [network.neutron.create_port(
        network_id=network.inside.id, name=unique('card')).id]
    with launched(alice, network, ports) as pair:
        before = pair.cards(pair.original)
        assert len(before) == 1 and len(before[0]) == 4
        own = pair.cards(pair.copy)

        found = pair.finish(pair.begin())

        assert found.progress.failure == ''
        assert pair.cards(pair.copy) == before
        assert pair.cards(pair.original) == []
        assert pair.status(pair.copy) == 'ACTIVE'
        assert pair.status(pair.original) == 'SHUTOFF'
        image = alice.images.image(found.plan.home_id)
        assert not image.protected
        assert not {card[0] for card in own} & {
            port.mac_address for port in network.neutron.ports(
                network_id=network.inside.id)}

        back = pair.finish(switching.turn(
            alice, found, switch_over.Side.ORIGINAL))

        assert back.progress.failure == ''
        assert pair.cards(pair.original) == before
        assert pair.cards(pair.copy) == []
        assert pair.status(pair.original) == 'ACTIVE'
        assert pair.status(pair.copy) == 'SHUTOFF'

        switching.dismiss(alice, back.plan.home_id,
                          lambda one: switching.approves(SEAL, one))
        for server_id in (pair.original, pair.copy):
            assert switch_over.all_tags(alice.compute.server(server_id)) == []
        assert marks.SWITCH_OVER not in alice.images.image(
            back.plan.home_id).properties


@pytest.mark.parametrize('ends', ['is left alone', 'is killed'])
def test_a_worker_sees_it_through_without_its_user(alice, network, workers,
                                                   ends):
    with launched(alice, network, []) as pair:
        before = pair.cards(pair.original)
        worker = workers.start()
        switching.hand_on(alice, pair.begin(), workers.of(alice))
        if ends == 'is killed':
            until(lambda: pair.status(pair.original) == 'SHUTOFF',
                  'it is under way')
            workers.end(worker, signal.SIGKILL)
            workers.start()

        until(lambda: not switching.read(
            alice, pair.row_id.removeprefix('instance-')).open, 'it is over',
            2 * course.PATIENCE['attach'] + PATIENCE)

        assert pair.cards(pair.copy) == before
        assert pair.status(pair.copy) == 'ACTIVE'


@pytest.fixture
def everybodys(where, network):
    """A network of another project that everybody may use."""
    admin = bootstrap.connect(where, 'admin', 'admin').network
    shared = admin.create_network(name=unique('everybodys'), is_shared=True)
    admin.create_subnet(network_id=shared.id, ip_version=4,
                        cidr='10.78.0.0/24')
    yield networks.Network(shared, network.outside, network.neutron)
    for port in admin.ports(network_id=shared.id):
        admin.delete_port(port)
    admin.delete_network(shared)


def test_a_network_of_others_is_told_before_anything_is_touched(
        alice, everybodys):
    with launched(alice, everybodys, [], floats=False) as pair:
        assert [one.code for one in choices.find_obstacles(
            pair.facts())] == [choices.Code.NETWORK]


def test_on_a_network_of_others_a_port_of_ones_own_moves(
        alice, everybodys, monkeypatch):
    port = everybodys.neutron.create_port(network_id=everybodys.inside.id)
    monkeypatch.setattr(choices, 'BEFORE', 0)
    # Services count in whole seconds.
    made = time.time()
    until(lambda: time.time() - made > 1, 'the port is older')
    with launched(alice, everybodys, [port.id], floats=False) as pair:
        before = pair.cards(pair.original)
        pair.finish(pair.begin())
        assert pair.cards(pair.copy) == before
