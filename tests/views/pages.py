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

"""Addresses of the panel, and what its pages say."""

from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.runs import lifecycle

INDEX = '/project/compute_snapshots/'
CREATE = INDEX + 'create/'


def begin(openstack, body, name='nightly', **changed):
    """A run as the wizard begins it, by another member."""
    cloud, seal = openstack.cloud(), connect.seal()
    run = lifecycle.begin(
        cloud, cloud.compute.server(body['id']), lifecycle.new_plan(
            name, '', requested_by='bob', server_id=body['id'], seal=seal,
            **{'power_off': True, 'power_on': True, **changed}), seal=seal)
    openstack.calls.clear()
    return run


def row_id(body):
    """The id of the row of what the fake services hold."""
    kind = 'volume' if 'volume_id' in body else 'instance'
    return f'{kind}-{body["id"]}'


def words(soup):
    return ' '.join(soup.get_text(' ').split())


def told(client):
    """The messages that the next page shows."""
    return ' '.join(str(message)
                    for message in client.get(INDEX).context['messages'])
