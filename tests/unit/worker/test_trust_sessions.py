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

"""Sessions by trusts."""

from unittest import mock

from keystoneauth1 import session as keystone_session
import pytest

from snapshot_dashboard.cloud import identity
from snapshot_dashboard.worker import trust_sessions

KEYSTONE = 'http://keystone.test/v3'


@pytest.fixture
def reach(requests_mock):
    """The worker's reach into a cloud with compute and image services."""
    catalogue = [{'type': service, 'endpoints': [{
        'interface': 'public', 'region': 'one', 'region_id': 'one',
        'url': f'http://{service}.test'}]} for service in ('compute', 'image')]
    requests_mock.post(
        f'{KEYSTONE}/auth/tokens', headers={'X-Subject-Token': 'by-trust'},
        json={'token': {'catalog': catalogue, 'methods': ['token'],
                        'expires_at': '2126-01-01T00:00:00.000000Z'}})
    own = mock.Mock(keystone_session.Session, verify=True, cert=None)
    own.get_token.return_value = 'own'
    return trust_sessions.Access(trust_sessions.Keystone(own, KEYSTONE), 4,
                                 5.0)


@pytest.fixture
def cloud(reach):
    return reach.cloud(mock.Mock(identity.Trust, id='t', project_id='p'))


def test_the_addresses_are_those_of_the_trusts_catalogue(cloud):
    assert cloud.address('image') == 'http://image.test'


def test_the_catalogue_is_not_kept_and_the_token_is(cloud, requests_mock):
    """With a thousand trusts it would be most of the worker's memory."""
    auth = cloud._session.auth
    assert not auth.auth_ref.has_service_catalog()
    requests_mock.get('http://image.test/v2/info/usage', json={})
    cloud.images.usage()
    assert requests_mock.last_request.headers['X-Auth-Token'] == 'by-trust'
    assert [call.method for call in requests_mock.request_history] == [
        'POST', 'GET']


def test_no_service_sets_a_cookie_for_all_users(requests_mock):
    reach = trust_sessions.Access(mock.Mock(), 4, 5.0)
    requests_mock.get('http://nova.test/', headers={
        'Set-Cookie': 'session=of-another; Path=/'})
    for _ in range(2):
        reach._http.get('http://nova.test/')
    assert not reach._http.cookies
    assert 'Cookie' not in requests_mock.last_request.headers


def test_nor_does_the_next_token_bring_one(cloud, requests_mock):
    cloud._session.auth.invalidate()
    cloud._session.get_token()
    assert requests_mock.last_request.query == 'nocatalog'
