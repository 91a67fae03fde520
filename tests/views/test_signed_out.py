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
"""A token that a service no longer knows leads to the login."""

import pytest

from snapshot_dashboard.content.compute_snapshots import urls
from tests import fakes
from tests.views.pages import INDEX
from tests.views.pages import begin
from tests.views.pages import row_id

#: What some pages need to ask a service at all.
_ASKS = {
    'answer': {'answer': 'accepted'},
    'facts': {'source': f'instance-{fakes.new_id(3)}'},
}
#: They ask a service when something is sent to them.
_SENT = ('worker',)


@pytest.fixture
def things(openstack, settings):
    """Something for each page, and then no service knows the token."""
    settings.SNAPSHOT_DASHBOARD = {'WORKER_USER_ID': fakes.new_id(9)}
    server = openstack.server('web')
    begin(openstack, server)
    image = openstack.image('i', instance_uuid=server['id'])
    for method in ('GET', 'POST', 'PUT', 'PATCH', 'DELETE'):
        openstack.faults[method, '/'] = 401
    return {'server_id': server['id'], 'row_id': row_id(image),
            'image_id': image['id'], 'side': 'copy',
            'source_id': f'instance-{server["id"]}'}


def _address(page, things):
    route = str(page.pattern)
    for name, value in things.items():
        for kind in ('uuid', 'slug', 'str'):
            route = route.replace(f'<{kind}:{name}>', value)
    return INDEX + route


def _leads_to_login(response):
    return response.status_code == 302 and '/auth/' in response['Location']


@pytest.mark.parametrize('page', urls.urlpatterns,
                         ids=lambda page: page.name)
def test_every_page_leads_to_the_login(client, member, things, page):
    address = _address(page, things)
    asks = {'row': things['row_id'], **_ASKS.get(page.name, {})}
    response = client.get(address, asks)
    if response.status_code == 405 or page.name in _SENT:
        response = client.post(address, asks)
    assert _leads_to_login(response)


@pytest.mark.parametrize(('path', 'page'), [
    ('/os-quota-sets', 'usage/'), ('/v2/images', ''),
    ('/snapshots/detail', ''), ('/servers/detail', '')])
def test_one_service_is_enough(client, openstack, member, path, page):
    openstack.image('i')
    openstack.snapshot('v')
    begin(openstack, openstack.server('web'))
    openstack.faults['GET', path] = 401
    assert _leads_to_login(client.get(INDEX + page))


def test_so_does_a_write_whose_failure_would_only_be_told(
        client, openstack, member):
    image = openstack.image('i')
    openstack.faults['DELETE', '/v2/images'] = 401
    assert _leads_to_login(client.post(
        INDEX + 'delete/', {'row': row_id(image), 'going': image['id']}))
