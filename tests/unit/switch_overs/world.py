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

"""Two instances, services that take their time, and what was promised."""

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.restores import sight
from snapshot_dashboard.runs import seals
from snapshot_dashboard.snapshots import details
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.switch_overs import choices
from snapshot_dashboard.switch_overs import switch_over
from snapshot_dashboard.switch_overs import switching
from tests import fakes

SEAL = seals.Seal('secret')
SIDES = switch_over.Side


class World:
    """An original, a copy of it, and a switch-over between them.

    :param made_by_nova: whether Nova made the original's ports.
    """

    def __init__(self, openstack, made_by_nova=True, cards=2):
        self.openstack, self.after = openstack, 1000.0
        openstack.now = 500
        self.original = openstack.server('web', created=fakes.stamp(500))
        self.image = openstack.image(
            'before', instance_uuid=self.original['id'], at=600)
        self.copy = openstack.server(
            'web-2', created=fakes.stamp(700),
            image={'id': self.image['id']})
        self.ports = [openstack.port(
            self.original, made_by_nova,
            created_at=fakes.stamp(500 if made_by_nova else 100))
            for _ in range(cards)]
        for port in self.ports:
            port['dns_name'] = 'web'  # as Nova names it
        self.own = openstack.port(self.copy)
        self.floating = openstack.float(self.ports[0])
        self.identity = self.cards(self.original)

    def clock(self):
        return fakes.seconds(self.after)

    @property
    def cloud(self):
        """One after the other, for somebody else may look in between."""
        cloud = self.openstack.cloud()
        cloud.gather = lambda *calls: list(map(services._attempt, calls))
        return cloud

    @property
    def row_id(self):
        return model.row_id(kinds.Kind.INSTANCE, self.image['id'])

    def server(self, side):
        return self.copy if side is SIDES.COPY else self.original

    def cards(self, server):
        """What the world sees of a server."""
        return {(port['mac_address'], str(port['fixed_ips']),
                 str(port['security_groups']), *(
                     address['floating_ip_address']
                     for address in self.openstack.floating.values()
                     if address['port_id'] == port['id']))
                for port in self.openstack.ports.values()
                if port['device_id'] == server['id']}

    def facts(self):
        cloud = self.cloud
        return choices.gather(cloud, details.get(cloud, self.row_id),
                              self.copy['id'])

    def begin(self):
        facts = self.facts()
        assert choices.find_obstacles(facts) == []
        return switching.begin(self.cloud, choices.wish(facts, 'alice'), SEAL,
                               self.clock)

    def recorded(self):
        return switching.read(self.cloud, self.image['id'])

    def advance(self):
        found = self.recorded()
        return switching.advance(self.cloud, found, approves, self.clock)

    def turn(self, side=None):
        """A user wishes the other one to have them, or this one."""
        found = self.recorded()
        return switching.turn(self.cloud, found, side or found.taker.other,
                              self.clock)

    def settle(self, seconds=20, detaches=True):
        """Time passes, and Nova does what it was asked for."""
        self.after += seconds
        if detaches:
            self.openstack.finish_detaching()
        for server in self.openstack.servers.values():
            task = server['OS-EXT-STS:task_state']
            if task in ('powering-off', 'powering-on'):
                server.update({'OS-EXT-STS:task_state': None, 'status': (
                    'SHUTOFF' if task == 'powering-off' else 'ACTIVE')})

    def finish(self, looks=60):
        """Look until it is over, as an open page does."""
        for _ in range(looks):
            try:
                found = self.advance()
                if not found.open:
                    return found
            except (errors.ServiceError, sight.Superseded):
                pass
            self.settle()
        raise AssertionError(f'not over: {self.recorded()}')

    def check(self, taker):
        """What is promised of one that went well."""
        there, other = self.server(taker), self.server(taker.other)
        assert self.cards(there) == self.identity
        assert self.cards(other) == set() or taker is SIDES.ORIGINAL
        assert there['status'] == 'ACTIVE'
        for server in self.openstack.servers.values():
            assert 'snapshot-dashboard-switching' not in server['tags']
        assert not self.openstack.images[self.image['id']]['protected']


def approves(found):
    return switching.approves(SEAL, found)
