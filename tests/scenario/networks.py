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

"""A project's own network, with a way out, and what has addresses there."""

import contextlib
import dataclasses

from tests.cloud import bootstrap
from tests.cloud import seed
from tests.scenario.clouds import unique


@contextlib.contextmanager
def routed(where):
    """A network with addresses, and a router to one outside; they go."""
    neutron = bootstrap.connect(where, 'alice', seed.PROJECT).network
    admin = bootstrap.connect(where, 'admin', 'admin').network
    outside = admin.create_network(name=unique('outside'),
                                   is_router_external=True)
    admin.create_subnet(network_id=outside.id, ip_version=4,
                        cidr='203.0.113.0/24', is_dhcp_enabled=False)
    made = neutron.create_network(name=unique('inside'))
    inside = neutron.create_subnet(network_id=made.id, ip_version=4,
                                   cidr='10.77.0.0/24')
    router = neutron.create_router(
        name=unique('router'),
        external_gateway_info={'network_id': outside.id})
    neutron.add_interface_to_router(router, subnet_id=inside.id)
    yield Network(made, outside, neutron)
    for address in neutron.ips(floating_network_id=outside.id):
        neutron.delete_ip(address)
    neutron.remove_interface_from_router(router, subnet_id=inside.id)
    neutron.delete_router(router)
    for port in neutron.ports(network_id=made.id):
        neutron.delete_port(port)
    neutron.delete_network(made)
    admin.delete_network(outside)


@dataclasses.dataclass
class Network:
    """A network, the one outside of it, and Neutron for its user."""

    inside: object
    outside: object
    neutron: object

    def float(self, server):
        """Give an instance an address on the outside."""
        port = next(self.neutron.ports(device_id=server.id))
        self.neutron.create_ip(floating_network_id=self.outside.id,
                               port_id=port.id)

    def of(self, server):
        """The ports of an instance: IDs, MACs, addresses, floating ones."""
        return sorted(
            (port.id, port.mac_address, str(port.fixed_ips), *sorted(
                address.floating_ip_address
                for address in self.neutron.ips(port_id=port.id)))
            for port in self.neutron.ports(device_id=server.id))
