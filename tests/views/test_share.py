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

"""An instance snapshot is shared with other projects, and taken back."""

import bs4
from django.test import Client
import pytest

from tests import fakes
from tests.views.conftest import INDEX
from tests.views.conftest import row_id
from tests.views.conftest import told
from tests.views.conftest import words

OTHERS = fakes.new_id().replace('-', '')


def address(body):
    return f'{INDEX}{row_id(body)}/share/'


def page(client, body):
    response = client.get(address(body))
    assert response.status_code == 200
    return bs4.BeautifulSoup(response.content, 'html.parser').select_one(
        '.snapshot-share')


def share(client, body, project=OTHERS, **fields):
    return client.post(address(body), {'project': project, **fields})


def test_a_private_image_is_made_one_that_can_be_shared(client, openstack,
                                                        member):
    body = openstack.image('i', visibility='private')
    share(client, body)
    assert body['visibility'] == 'shared'
    assert openstack.members[body['id']] == {OTHERS: 'pending'}
    assert 'now to accept it' in told(client)
    shown = page(client, body)
    assert f'{OTHERS} has not answered yet' in words(shown)
    assert shown.select_one('pre').get_text() == (
        f'openstack image set --accept {body["id"]}')


def test_it_is_taken_back(client, openstack, member):
    body = openstack.image('i', visibility='shared')
    openstack.members[body['id']] = {OTHERS: 'accepted'}
    (button,) = page(client, body).select('[name=remove]')
    assert OTHERS in button['aria-label']
    share(client, body, remove='1')
    assert openstack.members[body['id']] == {}
    share(client, body, remove='1')
    assert 'It is not shared with' in told(client)


def test_sharing_twice_is_no_error(client, openstack, member):
    body = openstack.image('i', visibility='shared')
    share(client, body)
    share(client, body)
    assert 'already' in told(client)


@pytest.mark.parametrize(('make', 'why'), [
    (lambda cloud: cloud.set_image('db', [cloud.snapshot('root')]),
     'volume snapshots, which stay in their project'),
    (lambda cloud: cloud.image('i', visibility='public'),
     'can use this snapshot already'),
    (lambda cloud: cloud.image('i', status='saving'), 'not finished')])
def test_what_cannot_be_shared_is_told_why(client, openstack, member, make,
                                           why):
    body = make(openstack)
    shown = page(client, body)
    assert why in words(shown) and not shown.select('form')
    share(client, body)
    assert openstack.writes() == []


def test_of_a_set_with_chosen_volumes_only_the_root_is_shared(
        client, openstack, member):
    server, part = openstack.server(), openstack.snapshot('part')
    body = openstack.image(
        'web', instance_uuid=server['id'], visibility='private',
        snapshot_dashboard_instance=server['id'],
        snapshot_dashboard_taken='1772366400',
        snapshot_dashboard_parts=part['id'])
    assert 'Only the root disk can be shared' in words(page(client, body))


@pytest.mark.parametrize('project', ['', '../x', 'a b', '<img>', 'x' * 65])
def test_what_is_no_project_is_refused(client, openstack, member, project):
    body = openstack.image('i', visibility='private')
    assert b'has-error' in share(client, body, project).content
    assert openstack.writes() == []


def test_a_refusal_is_told(client, openstack, member):
    body = openstack.image('i', visibility='private')
    openstack.faults['POST', '/members$'] = 403
    share(client, body)
    assert 'Nothing was changed. Glance said' in told(client)
    assert body['visibility'] == 'private'


def test_without_glance_the_page_says_so(client, openstack, member):
    body = openstack.image('i', visibility='shared')
    openstack.faults['GET', '/members$'] = 503
    assert client.get(address(body)).status_code == 302
    assert 'cannot be shown now' in told(client)


def test_a_volume_snapshot_has_no_such_page(client, openstack, member):
    assert client.get(address(openstack.snapshot('v'))).status_code == 404


def test_a_reader_shares_nothing(client, openstack, reader):
    body = openstack.image('i', visibility='private')
    assert client.get(address(body)).status_code == 403
    assert share(client, body).status_code == 403
    assert openstack.writes() == []


def test_another_projects_image_is_out_of_reach(client, openstack, member):
    body = openstack.image('i', visibility='shared', owner='others')
    assert share(client, body).status_code == 404
    assert openstack.writes() == []


def test_without_a_csrf_token_nothing_is_shared(openstack, member):
    body = openstack.image('i', visibility='private')
    assert share(Client(enforce_csrf_checks=True), body).status_code in (
        302, 403)
    assert openstack.writes() == []
