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

"""Neutron, as far as launching an instance and moving ports need it.

Few calls are made, so keystoneauth's adapter does.
"""

from collections.abc import Collection
from collections.abc import Mapping
from typing import Any

from keystoneauth1 import adapter

from snapshot_dashboard.cloud import base
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import types

#: What owns the ports of servers.
_SERVERS = ('compute:', 'baremetal:')


class Networks(base.Service):
    """The calls to Neutron. Every one may raise a ``ServiceError``."""

    name = 'network'

    def _connect(self) -> Any:
        # Catalogues name the endpoint with and without the version.
        root = self._endpoint.rstrip('/').removesuffix('/v2.0')
        return adapter.Adapter(self._session,
                               endpoint_override=f'{root}/v2.0')

    def names(self) -> dict[str, str]:
        """The names of the networks that the project may use, by id.

        Its own and those shared with it; external ones, which Neutron also
        lists, are for routers (Networking API v2.0, List networks).
        """
        with self._calling() as neutron:
            body = neutron.get('/networks', params={'fields': [
                'id', 'name', 'project_id', 'shared']}).json()
            return {network['id']: network.get('name') or ''
                    for network in body['networks']
                    if network.get('shared')
                    or network.get('project_id') == self._project_id}

    def security_groups(self) -> list[str]:
        """The names of the project's security groups."""
        with self._calling() as neutron:
            body = neutron.get('/security-groups', params={
                'fields': ['name'],
                'project_id': self._project_id}).json()
            return sorted({group['name'] for group in body['security_groups']})

    def owners(self, network_ids: Collection[str]) -> dict[str, str]:
        """The projects that networks are of, by the networks' ids."""
        return {found['id']: found.get('project_id') or ''
                for found in self._list('networks', id=network_ids,
                                        fields=('id', 'project_id'))}

    def ports_of(self, server_id: str) -> list[types.Port]:
        """The project's ports that a server was given by Nova, oldest first.
        Anybody can say of a port that it is a server's.
        """
        return [port for port in self._ports(device_id=(server_id,))
                if port.owner.startswith(_SERVERS)]

    def ports_with(self, macs: Collection[str]) -> list[types.Port]:
        """The project's ports with one of these MAC addresses, which are
        unique in a network.
        """
        return self._ports(mac_address=macs)

    def _ports(self, **filters: Collection[str]) -> list[types.Port]:
        return sorted(map(types.Port.from_api, self._list(
            'ports', project_id=(self._project_id,), **filters)),
            key=lambda port: (port.created, port.id))

    def create_port(self, body: Mapping[str, Any]) -> None:
        """Create a port (Networking API v2.0, Create port).

        A MAC address and fixed addresses of one's own choice take the right
        of the network's owner.
        """
        with self._calling() as neutron:
            neutron.post('/ports', json={'port': dict(body)})

    def floating_of(self, port_ids: Collection[str]
                    ) -> list[types.FloatingAddress]:
        """The floating addresses that are associated with ports."""
        return self._floating(port_id=port_ids)

    def floating(self, ids: Collection[str]) -> list[types.FloatingAddress]:
        """Floating addresses by their ids, without those that are gone."""
        return self._floating(id=ids)

    def _floating(self, **filters: Collection[str]
                  ) -> list[types.FloatingAddress]:
        if not all(filters.values()):
            return []
        try:
            return [types.FloatingAddress.from_api(found) for found
                    in self._list('floatingips', **filters)]
        except errors.NotFound:  # a cloud without routers has none
            return []

    def associate(self, floating_id: str, port_id: str, fixed: str) -> None:
        """Let a floating address lead to a fixed one of a port, wherever it
        led before.
        """
        with self._calling() as neutron:
            neutron.put(f'/floatingips/{floating_id}', json={'floatingip': {
                'port_id': port_id, 'fixed_ip_address': fixed}})

    def _list(self, what: str,
              **filters: Collection[str]) -> list[dict[str, Any]]:
        with self._calling() as neutron:
            body = neutron.get(f'/{what}', params={
                name: list(values) for name, values in filters.items()}).json()
            return list(body[what])
