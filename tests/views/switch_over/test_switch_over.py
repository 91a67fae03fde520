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

"""The page of a switch-over, and its card."""

import time

import bs4
import pytest

from snapshot_dashboard.runs import record
from snapshot_dashboard.switch_overs import switch_over
from snapshot_dashboard.switch_overs import switching
from tests import fakes
from tests.unit.switch_overs import world
from tests.unit.switch_overs.world import SIDES
from tests.views.pages import INDEX
from tests.views.pages import told
from tests.views.pages import words


@pytest.fixture
def here(openstack):
    made = world.World(openstack)
    made.after = time.time() - fakes.seconds(0)
    return made


def soup(response):
    return bs4.BeautifulSoup(response.content, 'html.parser')


def address(here):
    return f'{INDEX}{here.row_id}/switch-over/'


def card(client):
    return soup(client.get(INDEX)).select_one('.snapshot-switch-over')


def post(client, path):
    return soup(client.post(f'{INDEX}{path}',
                            headers={'x-requested-with': 'XMLHttpRequest'}))


def finish(client, here):
    for _ in range(60):
        page = post(client, 'runs/advance/')
        if page.select_one('[data-runs]')['data-open'] == 'false':
            return page
        here.settle()
    raise AssertionError('it does not end')


def click(client, shown, what):
    form = next(form for form in shown.select('form')
                if form.select_one(f'button[id*="switch-{what}"]'))
    return post(client, form['action'].removeprefix(INDEX))


def test_a_member_switches_over_and_back(client, here, member):
    page = soup(client.get(address(here)))
    shown = words(page.select_one('#switch_over'))
    assert '10.0.0.1' in shown and '203.0.113.9' in shown
    assert 'loses its own addresses: 10.0.0.3.' in shown
    assert not page.select('#switch_over .alert-danger')

    client.post(address(here), {'copy': here.copy['id']})
    assert 'is taking the addresses over' in told(client)
    assert 'Powering off' in words(card(client))
    finish(client, here)

    here.check(SIDES.COPY)
    shown = card(client)
    assert '“web-2” has got the addresses 10.0.0.1, 10.0.0.2.' in words(shown)
    assert '“web” keeps its disks.' in words(shown)
    click(client, shown, 'turn')
    finish(client, here)
    here.check(SIDES.ORIGINAL)
    shown = card(client)
    assert 'Switching over: web-2 to web' in words(shown)
    click(client, shown, 'dismiss')
    assert card(client) is None
    assert switch_over.PLAN not in here.image


def test_the_page_of_going_back_leads_there(client, here, member):
    page = client.get(f'{INDEX}{here.row_id}/go-back/').content.decode()
    assert f'{here.row_id}/switch-over/' in page


def test_without_a_copy_it_says_what_to_do(client, here, openstack, member):
    del openstack.servers[here.copy['id']]

    page = soup(client.get(address(here)))

    assert 'Launch one, see that it works' in words(page)
    assert not page.select('#switch_over [type=submit]')


def test_what_came_in_the_way_since_is_told_and_nothing_is_done(
        client, here, openstack, member):
    here.original['status'] = 'PAUSED'

    page = soup(client.post(address(here), {'copy': here.copy['id']}))

    assert 'The status of the instance web is' in words(page)
    assert openstack.writes() == []


def test_no_instance_that_was_not_launched_from_it_is_taken(
        client, here, openstack, member):
    other = openstack.server('other')

    client.post(address(here), {'copy': other['id']})

    assert openstack.writes() == []


def test_who_only_looks_may_not(client, here, openstack, reader):
    assert client.get(address(here)).status_code == 403
    here.begin()
    openstack.calls.clear()
    for what in ('to-copy', 'dismiss'):
        answer = client.post(
            f'{INDEX}switch-overs/{here.image["id"]}/{what}/')
        assert answer.status_code == 403
    assert not card(client).select('form')
    assert openstack.writes() == []


def test_a_record_that_another_wrote_is_shown_and_not_followed(
        client, here, openstack, member):
    here.begin()  # sealed by another key than Horizon's
    openstack.calls.clear()

    page = post(client, 'runs/advance/')

    shown = page.select_one('.snapshot-switch-over')
    assert 'was not written by this dashboard' in words(shown)
    assert openstack.writes() == []
    assert not shown.select('[id*=switch-turn]')
    click(client, shown, 'dismiss')
    assert card(client) is None


def test_what_it_waits_for_stands_on_its_card(client, here, openstack,
                                              member):
    client.post(address(here), {'copy': here.copy['id']})
    other = openstack.server('<b>other</b>')
    here.ports[1]['device_id'] = other['id']
    for _ in range(6):
        post(client, 'runs/advance/')
        here.settle()

    assert ('It waits for the port with the address 10.0.0.2, which belongs '
            'to another instance') in words(card(client))


def test_a_service_that_is_down_is_told_on_its_card(client, here, openstack,
                                                    member):
    client.post(address(here), {'copy': here.copy['id']})
    openstack.faults['GET', '/v2.0/ports'] = 503

    page = post(client, 'runs/advance/')

    assert 'network' in words(page.select_one(
        '.snapshot-switch-over .alert-warning')).lower()


def test_names_are_shown_as_text(client, here, member):
    here.copy['name'] = '<script>alert(1)</script>'
    client.post(address(here), {'copy': here.copy['id']})

    assert not card(client).select('script')
    assert '<script>alert(1)</script>' in card(client).get_text()


def test_a_tag_that_stayed_for_nothing_goes_with_the_next_look(
        client, here, member):
    here.original['tags'] += [record.SWITCH_TAG, record.SWITCHING]

    post(client, 'runs/advance/')

    assert record.SWITCHING not in here.original['tags']


def test_the_list_asks_once_more_for_each_switch_over(client, here,
                                                      openstack, member):
    client.get(INDEX)
    openstack.calls.clear()
    client.get(INDEX)
    before = len(openstack.calls)
    here.begin()
    openstack.calls.clear()

    client.get(INDEX)

    assert len(openstack.calls) == before + 1


def test_one_without_tags_is_found_by_the_image_that_records_it(
        client, here, openstack, member):
    client.post(address(here), {'copy': here.copy['id']})
    openstack.servers.clear()

    shown = card(client)

    assert 'Switching over: web to web-2' in words(shown)


def test_the_button_of_an_old_card_turns_nothing_round_again(
        client, here, member):
    client.post(address(here), {'copy': here.copy['id']})
    finish(client, here)
    shown = card(client)

    click(client, shown, 'turn')
    click(client, shown, 'turn')
    finish(client, here)

    here.check(SIDES.ORIGINAL)


def test_nobody_else_is_on_the_other_side(client, here, member):
    client.post(address(here), {'copy': here.copy['id']})

    assert client.post(f'{INDEX}switch-overs/{here.image["id"]}/to-moon/'
                       ).status_code == 404


def test_what_could_not_be_moved_can_be_tried_again(client, here, openstack,
                                                    member):
    client.post(address(here), {'copy': here.copy['id']})
    openstack.faults['PUT', '/v2.0/floatingips'] = 403
    found = switching.read(here.cloud, here.image['id'])
    while found.open:
        found = switching.advance(here.cloud, found, lambda one: True,
                                  here.clock)
        here.settle()

    shown = card(client)
    assert 'The service said: as the test wishes' in words(shown)
    openstack.faults.clear()
    click(client, shown, 'again')
    finish(client, here)
    here.check(SIDES.COPY)


def test_another_copy_can_be_chosen_when_the_first_is_not_ready(
        client, here, openstack, member):
    other = openstack.server('web-3', created=fakes.stamp(900),
                             image={'id': here.image['id']})
    here.copy['locked'] = other['locked'] = True
    page = soup(client.get(address(here)))

    assert {option['value'] for option in page.select('#id_copy option')} == {
        here.copy['id'], other['id']}
    assert page.select('#switch_over [type=submit]')
