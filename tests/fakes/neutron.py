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

"""Networks, security groups, ports and floating addresses."""

from urllib import parse

from tests.fakes import common


class Neutron(common.Service):

    def answer(self, method, path, query, body):
        kind, _, thing_id = path.removeprefix('/v2.0/').partition('/')
        if kind == 'ports' and method == 'POST':
            return 201, {'port': self._create(body['port'])}
        if method == 'PUT':
            if thing_id not in self._all.floating:
                return 404
            self._all.floating[thing_id].update(body['floatingip'])
            return 200, {'floatingip': self._all.floating[thing_id]}
        if kind in ('ports', 'floatingips'):
            things = (self._all.ports if kind == 'ports'
                      else self._all.floating)
            return 200, {kind: list(filter(self._admitted, things.values()))}
        return 200, self._all.network[kind]

    def _admitted(self, thing):
        """Whether the filters of a list admit a thing: one name may come
        several times.
        """
        filters = parse.parse_qs(parse.urlsplit(
            self._all.requests[-1].url).query)
        return all(thing.get(name) in values
                   for name, values in filters.items())

    def _create(self, asked):
        """Only a network's owner chooses addresses, and none that is there."""
        network = next(one for one in self._all.network['networks']['networks']
                       if one['id'] == asked['network_id'])
        if network['project_id'] != common.PROJECT:
            raise common.Refusal(403, 'rule:create_port:mac_address')
        for port in self._all.ports.values():
            same = port['network_id'] == asked['network_id']
            if same and (port['mac_address'] == asked['mac_address'] or any(
                    fixed in port['fixed_ips']
                    for fixed in asked['fixed_ips'])):
                raise common.Refusal(409, 'The address is in use.')
        return self._all.port(made_by_nova=False, **asked)
