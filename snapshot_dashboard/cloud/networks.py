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

"""Neutron, as far as launching an instance needs it.

Two lists are all that is asked for, so keystoneauth's adapter does.
"""

from typing import Any

from keystoneauth1 import adapter

from snapshot_dashboard.cloud import base


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
