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

"""Name, description, date and protection of a snapshot can be changed."""

import datetime

import bs4
from django.test import Client
from django.utils import timezone
import pytest

from snapshot_dashboard import marks
from tests.views.pages import INDEX
from tests.views.pages import row_id
from tests.views.pages import told
from tests.views.pages import words

YESTERDAY = timezone.localdate() - datetime.timedelta(days=1)
TOMORROW = timezone.localdate() + datetime.timedelta(days=1)


def address(body):
    return f'{INDEX}{row_id(body)}/edit/'


def form(client, body):
    response = client.get(address(body))
    assert response.status_code == 200
    page = bs4.BeautifulSoup(response.content, 'html.parser')
    return page.select_one('form#edit_snapshot')


def edit(client, body, **fields):
    return client.post(address(body), {
        'name': 'new', 'description': '', 'expires': '', **fields})


def expiring(body, day):
    return marks.write_expiry(day, body['id'])


def test_the_form_shows_what_is(client, openstack, member):
    body = openstack.image('old', description='words', protected=True)
    body.update(expiring(body, TOMORROW))
    found = form(client, body)
    assert found.select_one('[name=name]')['value'] == 'old'
    assert found.select_one('textarea').get_text().strip() == 'words'
    assert found.select_one('[name=expires]')['value'] == str(TOMORROW)
    assert found.select_one('[name=protected]').has_attr('checked')


def test_all_of_an_image_is_changed_in_one_call(client, openstack, member):
    body = openstack.image('old', os_type='linux')
    edit(client, body, description='words', protected='on',
         expires=str(TOMORROW))
    assert (body['name'], body['description'], body['protected']) == (
        'new', 'words', True)
    assert marks.expiry(body, body['id']) == TOMORROW
    assert body['os_type'] == 'linux'
    assert len(openstack.writes()) == 1
    assert 'Snapshot "new" was updated.' in told(client)


def test_a_volume_snapshot_has_no_protection(client, openstack, member):
    body = openstack.snapshot('old', metadata={'rack': '12'})
    assert not form(client, body).select('[name=protected]')
    edit(client, body, description='words', expires=str(TOMORROW))
    assert (body['name'], body['description']) == ('new', 'words')
    assert marks.expiry(body['metadata'], body['id']) == TOMORROW
    assert body['metadata']['rack'] == '12'


@pytest.mark.parametrize('kind', ['image', 'snapshot'])
def test_the_date_can_be_taken_away(client, openstack, member, kind):
    body = getattr(openstack, kind)('old')
    there = body if kind == 'image' else body['metadata']
    there.update(expiring(body, TOMORROW))
    edit(client, body)
    assert marks.EXPIRES not in there and marks.EXPIRING not in there


def test_the_expired_ones_are_found_and_pointed_out(client, openstack,
                                                    member):
    past, future = openstack.image('past'), openstack.snapshot('future')
    part, clone = openstack.snapshot('past-part'), openstack.image('clone')
    past.update(expiring(past, YESTERDAY))
    future['metadata'].update(expiring(future, TOMORROW))
    part['metadata'].update(expiring(part, YESTERDAY))
    clone.update(expiring(past, YESTERDAY))  # launched from the first one
    page = bs4.BeautifulSoup(client.get(INDEX, {'expired': 'on'}).content,
                             'html.parser')
    assert {link.get_text() for link in page.select('.snapshot-name')} == {
        'past', 'past-part'}
    assert len(page.select('.snapshot-expired')) == 2
    overview = bs4.BeautifulSoup(client.get(f'{INDEX}overview/').content,
                                 'html.parser')
    text = words(overview.select_one('.snapshot-health'))
    assert 'Expired: past , past-part' in text and 'clone' not in text


@pytest.mark.parametrize('fields', [
    {'name': ''}, {'name': 'n' * 256}, {'expires': 'soon'}])
def test_what_makes_no_sense_changes_nothing(client, openstack, member,
                                             fields):
    body = openstack.image('old')
    assert b'has-error' in edit(client, body, **fields).content
    assert openstack.writes() == []


def test_a_refusal_is_told_in_the_form(client, openstack, member):
    body = openstack.image('old')
    openstack.faults['PATCH', '/images/'] = 403
    html = edit(client, body).content
    assert b'Error from Glance' in html and b'as the test wishes' in html
    assert body['name'] == 'old'


def test_a_service_that_is_down_is_told(client, openstack, member):
    body = openstack.image('old')
    openstack.faults['GET', '/images/'] = 503
    assert client.get(address(body)).status_code == 302
    openstack.faults.clear()
    assert 'cannot be shown now' in told(client)


def test_a_reader_changes_nothing(client, openstack, reader):
    for body in (openstack.image('i'), openstack.snapshot('v')):
        assert client.get(address(body)).status_code == 403
        assert edit(client, body).status_code == 403
    assert openstack.writes() == []


def test_another_projects_snapshot_is_out_of_reach(client, openstack,
                                                   member):
    body = openstack.image('i', owner='others')
    assert client.get(address(body)).url == INDEX
    assert edit(client, body).url == INDEX
    assert openstack.writes() == []


def test_without_a_csrf_token_nothing_is_changed(openstack, member):
    body = openstack.image('i')
    assert edit(Client(enforce_csrf_checks=True), body).status_code in (
        302, 403)
    assert openstack.writes() == []


def test_a_volume_is_made_of_the_root_of_a_set(client, openstack, member):
    root = openstack.snapshot('root')
    openstack.set_image('db', [root, openstack.snapshot('data')])
    page = bs4.BeautifulSoup(client.get(INDEX).content, 'html.parser')
    (link,) = page.select('[id$=action_create_volume]')
    assert link['href'].endswith(f'?snapshot_id={root["id"]}')
