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

"""Deleting: the plan is shown before, and told truthfully afterwards."""

import bs4
import pytest

from tests import fakes
from tests.views.pages import INDEX
from tests.views.pages import row_id
from tests.views.pages import told
from tests.views.pages import words

DELETE = INDEX + 'delete/'


def ask(client, *row_ids):
    """The plan, as the page shows it."""
    response = client.get(DELETE, {'row': row_ids})
    assert response.status_code == 200
    return bs4.BeautifulSoup(response.content, 'html.parser').select_one(
        'form[action$="delete/"]')


def delete(client, *row_ids, **extra):
    """Press the button under the plan."""
    plan = bs4.BeautifulSoup(
        client.get(DELETE, {'row': row_ids}).content, 'html.parser')
    going = [box['value'] for box in plan.select('input[name=going]')]
    return client.post(DELETE, {'row': row_ids, 'going': going}, **extra)


def test_a_member_deletes_a_snapshot(client, openstack, member):
    image = openstack.image('i')
    assert 'i' in words(ask(client, row_id(image)))
    assert openstack.writes() == []
    assert delete(client, row_id(image)).status_code == 302
    assert openstack.images == {}
    assert 'Deleting 1 snapshot: i.' in told(client)


def test_the_plan_names_the_parts_of_a_set_and_they_go_with_it(
        client, openstack, member):
    part = openstack.snapshot('part')
    image = openstack.set_image('db', [part])
    assert 'With the volume snapshots that belong to it:' in words(
        ask(client, row_id(image)))
    delete(client, row_id(image))
    assert openstack.images == {} and part['status'] == 'deleting'


@pytest.mark.parametrize('fault', [None, 503])
def test_the_plan_says_which_projects_lose_it(client, openstack, member,
                                              fault):
    body = openstack.image('i', visibility='shared')
    openstack.members[body['id']] = {'b' * 32: 'accepted'}
    if fault:
        openstack.faults['GET', '/members$'] = fault
    said = words(ask(client, row_id(body)).select_one(
        '.snapshot-plan-shared'))
    assert (f'These projects lose it, because it is shared with them: '
            f'{"b" * 32}' == said) is not bool(fault)
    assert ('it is not known now with which' in said) is bool(fault)
    alone = openstack.image('alone', visibility='shared')
    openstack.faults.clear()
    assert not ask(client, row_id(alone)).select('.snapshot-plan-shared')


def test_the_plan_says_how_large_and_how_old_each_is(client, openstack,
                                                     member):
    text = words(ask(client, row_id(openstack.snapshot('v', size=7))))
    assert '7 GiB' in text and 'ago' in text


def test_both_kinds_go_at_once_and_are_told_in_one_message(client, openstack,
                                                           member):
    ids = [row_id(openstack.image('i')), row_id(openstack.snapshot('v'))]
    assert len(ask(client, *ids).select('input[name=row]')) == 2
    delete(client, *ids)
    assert told(client).count('Deleting') == 1
    assert openstack.images == {}


def test_the_chosen_rows_of_the_list_lead_to_the_plan(client, openstack,
                                                      member):
    ids = [row_id(openstack.image('i')), row_id(openstack.snapshot('v'))]
    response = client.post(INDEX, {
        'action': 'compute_snapshots__delete_chosen', 'object_ids': ids})
    assert openstack.writes() == []
    plan = bs4.BeautifulSoup(response.content, 'html.parser')
    assert plan.select_one('form[method=post][action$="delete/"]')
    assert {box['value'] for box in plan.select('input[name=row]')} == set(
        ids)


@pytest.mark.parametrize(('make', 'why'), [
    (lambda cloud: cloud.image('i', protected=True), 'It is protected'),
    (lambda cloud: cloud.snapshot('v', group_snapshot_id='g'),
     'It belongs to a group snapshot'),
    (lambda cloud: cloud.snapshot('v', status='deleting'),
     'It is already being deleted'),
    (lambda cloud: cloud.snapshot('v', status='backing-up'),
     'A backup of it is being made'),
])
def test_what_cannot_go_is_told_before_and_stays(client, openstack, member,
                                                 make, why):
    body = make(openstack)
    plan = ask(client, row_id(body))
    assert why in words(plan)
    assert not plan.select('[type=submit], input[name=row]')
    delete(client, row_id(body))
    assert openstack.writes() == []
    assert f'was not deleted. {why}' in told(client)


def test_what_was_made_from_it_is_shown_before_it_goes(client, openstack,
                                                       member):
    image, other = openstack.image('i'), openstack.image('other')
    openstack.server('copy', image={'id': image['id']})
    part = openstack.snapshot('part')
    openstack.volume('from-part', snapshot_id=part['id'],
                     created_at=fakes.stamp(9)[:-1] + '.500000')
    plan = ask(client, row_id(image), row_id(part), row_id(other))
    first, second, third = plan.select('.snapshot-plan > li')
    assert 'Instance copy' in words(first)
    assert 'will be kept. Some clouds' in words(first)
    assert 'Volume from-part' in words(second)
    assert 'will be kept. Some clouds' not in words(third)


def test_what_was_made_from_it_may_be_unknown_and_that_is_said(
        client, openstack, member):
    image = openstack.image('i')
    openstack.faults['GET', '/servers'] = 503
    plan = ask(client, row_id(image))
    assert 'not known whether instances were launched' in words(plan)
    assert plan.select('input[name=row]')


def test_the_plan_says_which_snapshot_is_broken_and_asks(client, openstack,
                                                         member):
    part = openstack.snapshot('data')
    image = openstack.set_image('<b>renamed', [openstack.snapshot('root'),
                                               part])
    plan = ask(client, row_id(part))
    assert ('part of the instance snapshot <b>renamed , which cannot be '
            'launched without it') in words(plan)
    assert plan.select_one(f'a[href*="{row_id(image)}"]')
    (box,) = plan.select('input[name=agreed]')
    assert box['value'] == f'{part["id"]} {image["id"]}'
    assert not box.has_attr('checked')
    delete(client, row_id(part))
    assert openstack.writes() == []
    assert 'you have not confirmed' in told(client)
    client.post(DELETE, {'row': row_id(part), 'agreed': box['value']})
    assert part['status'] == 'deleting'


def test_the_plan_names_what_stays_for_another_snapshot(client, openstack,
                                                        member):
    part = openstack.snapshot('shared')
    image = openstack.set_image('db', [part])
    openstack.set_image('copy', [part])
    plan = ask(client, row_id(image))
    assert 'other instance snapshots need them' in words(plan)
    assert 'shared : copy' in words(plan).replace('shared:', 'shared :')
    delete(client, row_id(image))
    assert part['status'] == 'available'


def test_what_needs_it_may_be_unknown_and_then_it_stays(client, openstack,
                                                        member):
    part = openstack.snapshot('data')
    openstack.faults['GET', '/v2/images'] = 504
    plan = ask(client, row_id(part))
    assert 'not known which instance snapshots need it' in words(plan)
    assert not plan.select('[type=submit]')
    delete(client, row_id(part))
    assert openstack.writes() == []


def test_very_many_chosen_rows_need_no_long_address(client, openstack,
                                                    member):
    ids = [row_id(openstack.image(f'i-{number}')) for number in range(150)]
    response = client.post(INDEX, {
        'action': 'compute_snapshots__delete_chosen', 'object_ids': ids})
    plan = bs4.BeautifulSoup(response.content, 'html.parser')
    assert len(plan.select('input[name=row]')) == 150


def test_a_part_that_stays_is_named(client, openstack, member):
    part = openstack.snapshot('part')
    image = openstack.set_image('db', [part])
    openstack.faults['DELETE', '/snapshots/'] = 400
    delete(client, row_id(image))
    assert ('1 of its volume snapshots was not, and is now in the list: '
            'part') in told(client)


def test_a_reader_deletes_nothing(client, openstack, reader):
    image = openstack.image('i')
    assert client.get(DELETE, {'row': row_id(image)}).status_code == 403
    assert delete(client, row_id(image)).status_code == 403
    assert openstack.writes() == []


def test_a_snapshot_of_another_project_is_out_of_reach(client, openstack,
                                                       member):
    image = openstack.image('i', owner='others')
    assert client.get(DELETE, {'row': row_id(image)}).status_code == 404
    delete(client, row_id(image))
    assert openstack.writes() == []


def test_without_a_csrf_token_nothing_is_deleted(openstack, member):
    from django.test import Client
    image = openstack.image('i')
    client = Client(enforce_csrf_checks=True)
    assert delete(client, row_id(image)).status_code in (302, 403)
    assert openstack.writes() == []


def test_a_refusal_is_told_with_the_words_of_the_service(client, openstack,
                                                         member):
    snapshot = openstack.snapshot('v')
    openstack.faults['DELETE', '/snapshots/'] = 400
    delete(client, row_id(snapshot))
    text = told(client)
    assert '"v" was not deleted' in text and 'as the test wishes' in text


def test_what_cannot_be_looked_at_is_left_as_it_is(client, openstack,
                                                   member):
    image, snapshot = openstack.image('i'), openstack.snapshot('v')
    openstack.faults['GET', '/snapshots/'] = 503
    delete(client, row_id(image), row_id(snapshot))
    text = told(client)
    assert 'Deleting 1 snapshot: i.' in text
    assert 'could not be loaded, and are left unchanged' in text


@pytest.mark.parametrize('gone', ['instance-gone', 'nonsense'])
def test_a_row_that_is_gone_is_no_error(client, openstack, member, gone):
    assert delete(client, gone).status_code == 302
    assert openstack.writes() == []
