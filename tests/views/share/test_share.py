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

from snapshot_dashboard import marks
from tests import fakes
from tests.views.pages import INDEX
from tests.views.pages import row_id
from tests.views.pages import told
from tests.views.pages import words

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
    assert 'must now accept it' in told(client)
    shown = page(client, body)
    assert f'{OTHERS} not accepted yet' in words(shown)
    assert shown.select_one('pre').get_text() == (
        f'openstack image set --accept {body["id"]}')


def test_a_project_that_keystone_does_not_know_is_refused(client, openstack,
                                                          admin):
    openstack.keeps_projects_secret = False
    body = openstack.image('i', visibility='private')
    html = share(client, body).content
    assert b'There is no project with this ID.' in html
    assert openstack.writes() == [] and body['visibility'] == 'private'
    openstack.projects[OTHERS] = 'others'
    share(client, body)
    assert openstack.members[body['id']] == {OTHERS: 'pending'}


def test_whatever_a_project_is_called_its_share_is_taken_back(
        client, openstack, member):
    body = openstack.image('i', visibility='shared')
    openstack.members[body['id']] = {'nonsense': 'pending'}
    share(client, body, '../x', remove='1')
    assert 'It is not shared with' in told(client)
    share(client, body, 'nonsense', remove='1')
    assert openstack.members[body['id']] == {}


def test_an_id_is_taken_as_keystone_writes_it(client, openstack, member):
    body = openstack.image('i', visibility='private')
    typed = fakes.new_id(171).upper()
    share(client, body, typed)
    assert list(openstack.members[body['id']]) == [
        typed.replace('-', '').lower()]
    own = f'{fakes.PROJECT[:8]}-{fakes.PROJECT[8:12]}-{fakes.PROJECT[12:16]}' \
          f'-{fakes.PROJECT[16:20]}-{fakes.PROJECT[20:]}'
    assert b'your own project' in share(client, body, own.upper()).content


def test_one_does_not_share_with_oneself(client, openstack, member):
    body = openstack.image('i', visibility='private')
    assert b'This is your own project.' in share(
        client, body, fakes.PROJECT).content
    assert openstack.writes() == []


def test_it_is_taken_back(client, openstack, member):
    body = openstack.image('i', visibility='shared')
    openstack.members[body['id']] = {OTHERS: 'accepted'}
    (button,) = page(client, body).select('.snapshot-members button')
    assert OTHERS in button['aria-label']
    share(client, body, remove='1')
    assert openstack.members[body['id']] == {}
    assert body['visibility'] == 'private'  # nobody is left
    share(client, body, remove='1')
    assert 'It is not shared with' in told(client)


def test_it_stays_shared_with_the_others(client, openstack, member):
    body = openstack.image('i', visibility='shared')
    openstack.members[body['id']] = {OTHERS: 'accepted', 'c' * 32: 'pending'}
    share(client, body, remove='1')
    assert body['visibility'] == 'shared'


@pytest.fixture
def offered(openstack):
    """What another project shares, and nobody has answered to."""
    body = openstack.image('<i>theirs', owner=OTHERS, visibility='shared',
                           instance_uuid=fakes.new_id())
    openstack.members[body['id']] = {fakes.PROJECT: 'pending'}
    return body


def overview(client):
    return bs4.BeautifulSoup(client.get(f'{INDEX}overview/').content,
                             'html.parser')


def listed(client):
    page = bs4.BeautifulSoup(client.get(INDEX).content, 'html.parser')
    return {words(row.select_one('.snapshot-name')): row
            for row in page.select('tr[data-object-id]')}


def answer(client, body, **fields):
    return client.post(f'{INDEX}{row_id(body)}/answer/', fields)


def test_what_is_shared_is_offered_above_the_list(client, openstack, member,
                                                  offered):
    openstack.image('own', visibility='shared')
    (line,) = overview(client).select('.snapshot-offered li')
    assert f'The project {OTHERS} shares its snapshot <i>theirs' in words(
        line)
    assert 'its size is 4 MiB.' in words(line)
    assert {button['value'] for button in line.select('button')} == {
        'accepted', 'rejected'}
    assert set(listed(client)) == {'own'}


def test_what_is_accepted_is_in_the_list_and_can_be_launched(
        client, openstack, member, offered):
    answer(client, offered, answer='accepted')
    assert openstack.members[offered['id']] == {fakes.PROJECT: 'accepted'}
    assert 'is now in the list' in told(client)
    assert not overview(client).select('.snapshot-offered')
    row = listed(client)['<i>theirs']
    assert f'Shared by the project {OTHERS}' in words(row)
    actions = words(row.select_one('td.actions_column'))
    assert 'Launch' in actions
    for action in ('Delete', 'Edit', 'Share'):
        assert action not in actions
    page = client.get(f'{INDEX}{row_id(offered)}/detail/')
    assert page.status_code == 200 and b'Decline' in page.content
    for what in ('edit', 'share'):
        assert client.get(f'{INDEX}{row_id(offered)}/{what}/').status_code in (
            302, 403, 404)
    client.post(f'{INDEX}delete/', {'row': row_id(offered)})
    assert offered['id'] in openstack.images


def test_nothing_that_another_project_says_is_believed(client, openstack,
                                                       member, offered):
    """Its marks, its parts, and that it is of one of our instances."""
    mine = openstack.snapshot('mine')
    server = openstack.server('web-1')
    offered.update({
        **marks.name_parts([mine['id'], *(fakes.new_id()
                                          for _ in range(500))]),
        'instance_uuid': server['id'], marks.INSTANCE: server['id'],
        marks.TAKEN: str(int(fakes.seconds(0))),
        marks.CONSISTENCY: marks.POWERED_OFF, marks.FLAVOR: 'm1.tiny'})
    openstack.members[offered['id']] = {fakes.PROJECT: 'accepted'}
    rows = listed(client)
    assert set(rows) == {'<i>theirs', 'mine'}
    assert 'Powered off' not in words(rows['<i>theirs'])
    assert 'probably web-1' in words(rows['<i>theirs'])
    before = len(openstack.calls)
    page = client.get(f'{INDEX}{row_id(offered)}/detail/').content.decode()
    assert 'Original Instance' not in page
    assert len(openstack.calls) - before < 10


@pytest.mark.parametrize('status', ['queued', 'saving', 'deactivated'])
def test_what_is_not_whole_is_neither_offered_nor_listed(
        client, openstack, member, offered, status):
    server = fakes.new_id()
    offered.update({'status': status, 'instance_uuid': server,
                    marks.INSTANCE: server, marks.CONSISTENCY: 'live',
                    marks.TAKEN: str(int(fakes.seconds(0)))})
    assert not overview(client).select('.snapshot-offered')
    openstack.members[offered['id']] = {fakes.PROJECT: 'accepted'}
    assert not listed(client)


def test_an_administrator_is_offered_nothing_of_others(client, openstack,
                                                       admin, offered):
    """Glance shows an administrator all, offered or not."""
    openstack.administrator = True
    assert not overview(client).select('.snapshot-offered')
    assert not listed(client)


def test_very_many_offers_are_not_all_shown(client, openstack, member):
    for number in range(30):
        body = openstack.image(f'n-{number}', owner=OTHERS,
                               visibility='shared')
        openstack.members[body['id']] = {fakes.PROJECT: 'pending'}
    found = overview(client).select_one('.snapshot-offered')
    assert len(found.select('li')) == 10 and 'and 20 more' in words(found)


def test_a_set_of_another_project_cannot_be_launched(client, openstack,
                                                     member):
    body = openstack.set_image('set', [openstack.snapshot('p')],
                               owner=OTHERS, visibility='shared',
                               image_type='snapshot')
    openstack.members[body['id']] = {fakes.PROJECT: 'accepted'}
    row = listed(client)['set']
    assert 'Launch' not in words(row) and 'Incomplete' not in words(row)


def test_what_is_no_snapshot_is_not_answered_to(client, openstack, member,
                                                offered):
    offered['image_type'] = 'other'
    answer(client, offered, answer='accepted')
    assert openstack.members[offered['id']] == {fakes.PROJECT: 'pending'}


def test_what_is_declined_is_not_shown_any_more(client, openstack, member,
                                                offered):
    answer(client, offered, answer='rejected')
    assert openstack.members[offered['id']] == {fakes.PROJECT: 'rejected'}
    assert not overview(client).select('.snapshot-offered')
    assert not listed(client)


def test_what_an_administrator_took_of_an_instance_names_it(
        client, openstack, member, offered):
    offered['instance_uuid'] = openstack.server('web-1')['id']
    openstack.members[offered['id']] = {fakes.PROJECT: 'accepted'}
    assert 'probably web-1' in words(listed(client)['<i>theirs'])


def test_a_reader_answers_nothing(client, openstack, reader, offered):
    assert not overview(client).select('.snapshot-offered button')
    assert answer(client, offered, answer='accepted').status_code == 403
    assert openstack.members[offered['id']] == {fakes.PROJECT: 'pending'}


@pytest.mark.parametrize('said', ['', 'pending', '../x'])
def test_no_other_answer_is_passed_on(client, openstack, member, offered,
                                      said):
    answer(client, offered, answer=said)
    assert openstack.writes() == []


def test_an_offer_that_was_taken_back_is_told(client, openstack, member,
                                              offered):
    openstack.images.clear()
    answer(client, offered, answer='accepted')
    assert 'no longer shared with this project' in told(client)


def test_sharing_twice_is_no_error(client, openstack, member):
    body = openstack.image('i', visibility='shared')
    share(client, body)
    share(client, body)
    assert 'already' in told(client)


@pytest.mark.parametrize(('make', 'why'), [
    (lambda cloud: cloud.set_image('db', [cloud.snapshot('root')]),
     'volume snapshots, which cannot leave this project'),
    (lambda cloud: cloud.image('i', visibility='public'),
     'can already use this snapshot'),
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


@pytest.mark.parametrize('project', [
    '', '../x', 'a b', '<img>', 'nonsense', 'x' * 32, 'a' * 31, 'a' * 33])
def test_what_is_no_project_is_refused(client, openstack, member, project):
    body = openstack.image('i', visibility='private')
    assert b'has-error' in share(client, body, project).content
    assert openstack.writes() == []


def test_a_refusal_is_told(client, openstack, member):
    body = openstack.image('i', visibility='private')
    openstack.faults['POST', '/members$'] = 403
    share(client, body)
    assert 'Nothing was changed. Error from Glance' in told(client)
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
    assert share(client, body).url == INDEX
    assert openstack.writes() == []


def test_without_a_csrf_token_nothing_is_shared(openstack, member):
    body = openstack.image('i', visibility='private')
    assert share(Client(enforce_csrf_checks=True), body).status_code in (
        302, 403)
    assert openstack.writes() == []
