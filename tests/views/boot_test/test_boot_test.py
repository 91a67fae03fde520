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

import time

import bs4
import pytest

from snapshot_dashboard.boot_tests import boot_test
from snapshot_dashboard.inspection import boot_reports
from snapshot_dashboard.runs import record
from tests import fakes
from tests.views.pages import INDEX
from tests.views.pages import row_id
from tests.views.pages import told
from tests.views.pages import words


@pytest.fixture
def image(openstack):
    return openstack.image('web', os_hash_value='a' * 128)


@pytest.fixture(autouse=True)
def today(openstack):
    """Nova's clock tells the time."""
    openstack.now = time.time() - fakes.seconds(0)


def soup(response):
    return bs4.BeautifulSoup(response.content, 'html.parser')


def page(client, body):
    return soup(client.get(f'{INDEX}{row_id(body)}/detail/'))


def start(client, body, **fields):
    return client.post(f'{INDEX}{row_id(body)}/boot-test/',
                       {'flavor': 'm1.small', **fields})


def progress(client, body, method='post'):
    return getattr(client, method)(
        f'{INDEX}{row_id(body)}/boot-test/progress/')


def instance(openstack):
    (server,) = openstack.servers.values()
    return server


def comes_up(openstack, said='web login: '):
    server = instance(openstack)
    server.update({'status': 'ACTIVE', 'OS-SRV-USG:launched_at':
                   fakes.stamp(openstack.now)})
    openstack.consoles[server['id']] = said
    return server


def test_a_test_is_started_watched_and_its_verdict_shown(client, openstack,
                                                         member, image):
    assert page(client, image).select_one('#snapshot-boot-test')
    assert words(soup(progress(client, image))) == 'Not tested.'
    form = soup(client.get(f'{INDEX}{row_id(image)}/boot-test/'))
    assert form.select_one('option[selected]')['value'] == 'm1.small'
    assert not form.select('.alert:not(.javascript-disabled)')
    assert start(client, image).url == f'{INDEX}{row_id(image)}/detail/'
    assert 'Testing "web"' in told(client)
    assert 'Launching the test instance' in words(soup(
        progress(client, image)))
    comes_up(openstack, '')
    assert 'Waiting for it to boot' in words(soup(progress(client, image)))
    comes_up(openstack)
    text = words(soup(progress(client, image)))
    assert text.startswith('Boots: an instance of it came up by itself.')
    assert 'Tested 0 minutes ago' in text
    assert openstack.servers == {}
    assert 'Boots:' in words(page(client, image).select_one(
        '.snapshot-tested'))


def test_who_only_looks_changes_nothing(client, openstack, member, image):
    start(client, image)
    comes_up(openstack)
    openstack.calls.clear()
    assert 'Waiting for it' in words(soup(progress(client, image, 'get')))
    assert openstack.writes() == []


def test_a_page_asks_no_more_for_what_a_service_refuses(client, openstack,
                                                        member, image):
    start(client, image)
    comes_up(openstack)
    openstack.faults['DELETE', '/servers/'] = 403
    address, may, refused = f'{INDEX}{row_id(image)}/boot-test/', 'true', []
    asked = []
    for _ in range(6):  # as the page's script does
        openstack.calls.clear()
        response = (client.post if may == 'true' else client.get)(
            f'{address}progress/', {'refused': refused})
        asked.append(bool(openstack.writes()))
        shown = soup(response)
        may = shown.select_one('[data-runs]')['data-may-advance']
        refused = [field['value'] for field in shown.select('[name=refused]')]
    assert asked == [True, True, False, False, False, False]
    # Whoever opens the page anew tries anew.
    openstack.faults.clear()
    assert soup(progress(client, image)).select_one('[data-runs]')
    assert openstack.servers == {}


def test_the_list_asks_no_more_for_tests_that_a_service_refuses(
        client, openstack, member, image):
    start(client, image)
    comes_up(openstack)
    openstack.faults['DELETE', '/servers/'] = 403
    refused = []
    for _ in range(3):
        openstack.calls.clear()
        shown = soup(client.post(
            f'{INDEX}runs/advance/', {'refused': refused},
            headers={'X-Requested-With': 'XMLHttpRequest'}))
        refused = [field['value'] for field in shown.select('[name=refused]')]
    assert openstack.writes() == []


def test_the_list_shows_tests_and_goes_on_with_them(client, openstack, member,
                                                    image):
    start(client, image)
    shown = soup(client.get(INDEX)).select_one('.snapshot-boot-test')
    assert 'Launching the test instance' in words(shown)
    assert soup(client.get(INDEX)).select_one(
        '[data-runs]')['data-open'] == 'true'
    comes_up(openstack)
    client.post(f'{INDEX}runs/advance/')
    assert openstack.servers == {}
    assert image[boot_reports.TESTED].startswith('booted ')


def test_its_instance_is_no_source_of_snapshots(client, openstack, member,
                                                image):
    start(client, image)
    assert instance(openstack)['id'] not in client.get(
        f'{INDEX}create/').content.decode()


def test_it_is_stopped_at_a_wish(client, openstack, member, image):
    start(client, image)
    server = comes_up(openstack, '')
    answer = client.post(f'{INDEX}boot-tests/{server["id"]}/stop/')
    assert answer.url == f'{INDEX}{row_id(image)}/detail/'
    assert openstack.servers == {}
    assert boot_reports.TESTED not in image
    assert 'No verdict was noted' in told(client)


def test_only_instances_of_tests_are_removed(client, openstack, member):
    server = openstack.server('production')
    assert client.post(f'{INDEX}boot-tests/{server["id"]}/stop/'
                       ).status_code == 404
    assert server['id'] in openstack.servers


def test_what_this_dashboard_did_not_begin_is_left_alone(
        client, openstack, member, image):
    start(client, image)
    server = comes_up(openstack)
    server['metadata'][boot_test.SEAL] = 'forged'
    text = words(soup(progress(client, image)))
    assert 'was not written by this dashboard' in text
    assert 'Stop Test' not in text
    assert client.post(f'{INDEX}boot-tests/{server["id"]}/stop/'
                       ).status_code == 404
    assert server['id'] in openstack.servers


def test_who_stops_what_is_over_is_told_so(client, openstack, member):
    answer = client.post(f'{INDEX}boot-tests/{fakes.new_id(4)}/stop/')
    assert answer.url == INDEX
    assert 'The test is over' in told(client)


def test_nova_away_while_it_is_stopped_is_told(client, openstack, member,
                                               image):
    start(client, image)
    server = comes_up(openstack)
    openstack.faults['GET', '/servers/'] = 503
    assert client.post(f'{INDEX}boot-tests/{server["id"]}/stop/').url == INDEX
    assert 'could not be removed' in told(client)


def test_what_was_known_is_said_beside_what_tells_nothing(
        client, openstack, member, image):
    start(client, image)
    comes_up(openstack)
    progress(client, image)
    start(client, image)
    instance(openstack)['status'] = 'ERROR'
    text = words(soup(progress(client, image)))
    assert text.startswith('Unknown: Nova did not launch the test instance.')
    assert 'The test before, 0 minutes ago: Boots:' in text


@pytest.mark.parametrize(('state', 'text'), [
    (lambda cloud, image: image.update(status='deactivated'),
     'This snapshot is not complete'),
    (lambda cloud, image: image.update(min_disk=100), 'is too small'),
    (lambda cloud, image: cloud.choices['limits']['limits']['absolute'].update(
        totalInstancesUsed=10), 'The instance quota is used up')])
def test_what_is_in_the_way_is_told_before_anything_is_launched(
        client, openstack, member, image, state, text):
    state(openstack, image)
    assert text in words(soup(start(client, image)))
    assert openstack.servers == {}


def test_the_volumes_of_a_set_count_against_the_quota(client, openstack,
                                                      member):
    openstack.quotas = {'volumes': {'limit': 10, 'in_use': 9, 'reserved': 0},
                        'gigabytes': {'limit': -1, 'in_use': 0,
                                      'reserved': 0}}
    body = openstack.set_image('db', [openstack.snapshot('a'),
                                      openstack.snapshot('b')])
    assert 'Not enough quota for volumes: needed 2, left 1' in words(soup(
        start(client, body)))
    assert openstack.servers == {}


def test_a_second_click_launches_nothing(client, openstack, member, image):
    start(client, image)
    start(client, image)
    assert len(openstack.servers) == 1
    assert 'is being tested already' in told(client)


def test_a_refusal_is_told_in_the_form(client, openstack, member, image):
    openstack.faults['POST', '/servers$'] = 403
    assert 'No test was started, as far as is known' in words(soup(
        start(client, image)))


def test_nova_away_is_told_and_the_verdict_of_before_shown(
        client, openstack, member, image):
    image.update(boot_reports.write(
        boot_reports.console.Verdict.BOOTED, 1_772_366_400, 'a' * 16))
    openstack.faults['GET', '/servers/detail'] = 503
    text = words(soup(progress(client, image)))
    assert 'could not be continued' in text and 'Boots:' in text


def test_nobody_is_offered_what_they_may_not(client, openstack, reader,
                                             image):
    assert page(client, image).select_one('#snapshot-boot-test') is None
    assert start(client, image).status_code == 403
    assert progress(client, image).status_code == 403
    assert openstack.servers == {}
    server = openstack.server('x', tags=[record.TEST_TAG])
    assert client.post(f'{INDEX}boot-tests/{server["id"]}/stop/'
                       ).status_code == 403


@pytest.mark.parametrize('make', [
    lambda cloud: cloud.snapshot('v'),
    lambda cloud: cloud.image('theirs', owner='another',
                              visibility='public')])
def test_volume_snapshots_and_others_are_not_tested(client, openstack, member,
                                                    make):
    body = make(openstack)
    assert page(client, body).select_one('.snapshot-tested') is None
    start(client, body)
    assert openstack.servers == {}


def test_a_name_is_text(client, openstack, member, image):
    image['name'] = '<script>alert(1)</script>'
    start(client, image)
    assert b'<script>alert' not in client.get(
        f'{INDEX}{row_id(image)}/boot-test/').content
    assert b'<script>alert' not in client.get(INDEX).content
    assert len(instance(openstack)['name']) <= 255
