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

"""The runs above the list."""

import re
import time

import bs4
from django.test import Client
import pytest

from snapshot_dashboard.cloud import types
from snapshot_dashboard.content.compute_snapshots.runs import (
    wording as runs_wording,
)
from snapshot_dashboard.runs import failures
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import record
from tests import fakes
from tests.views.pages import INDEX
from tests.views.pages import begin
from tests.views.pages import words

#: When the time of the fakes begins, in seconds since the epoch.
START = fakes.seconds(0)
#: Every address that writes.
ALL = ('advance', '{}/adopt', '{}/cancel', '{}/dismiss', '{}/power-on',
       '{}/remove', '{}/retry')


@pytest.fixture
def server(openstack):
    """An instance with a run that has just begun."""
    body = openstack.server('web-1')
    begin(openstack, body)
    return body


def post(client, what, server=None, **form):
    """What the page's script sends, and what it gets."""
    middle = f'{server["id"]}/' if server else ''
    response = client.post(f'{INDEX}runs/{middle}{what}/', form,
                           headers={'X-Requested-With': 'XMLHttpRequest'})
    assert response.status_code == 200
    return bs4.BeautifulSoup(response.content, 'html.parser')


def settle(server, status):
    server['status'], server['OS-EXT-STS:task_state'] = status, None


def now(soup):
    return soup.select_one('[data-run-now]')['data-run-now']


def test_the_page_shows_the_runs_of_all_members(client, openstack, member,
                                                server):
    soup = bs4.BeautifulSoup(client.get(INDEX).content, 'html.parser')
    (article,) = soup.select('.snapshot-runs article')
    assert 'nightly' in article.get_text() and 'web-1' in article.get_text()
    assert openstack.writes() == []


def test_a_post_brings_the_runs_forward_to_the_end(client, openstack,
                                                   member, server):
    assert now(post(client, 'advance')) == 'Powering off'
    settle(server, 'SHUTOFF')
    assert now(post(client, 'advance')) == 'Saving the snapshot'
    settle(server, 'SHUTOFF')
    fakes.finish(next(iter(openstack.images.values())))
    assert now(post(client, 'advance')) == 'Powering on'
    settle(server, 'ACTIVE')
    soup = post(client, 'advance')
    assert now(soup) == 'Finished'
    assert 'the instance is running again' in soup.get_text()
    assert soup.select_one('[data-runs]')['data-open'] == 'false'


def test_a_get_changes_nothing(client, openstack, member, server):
    assert client.get(f'{INDEX}runs/').status_code == 200
    for what in ALL:
        what = what.format(server['id'])
        assert client.get(f'{INDEX}runs/{what}/').status_code == 405
    assert openstack.writes() == []


def test_a_reader_sees_the_run_and_changes_nothing(client, openstack, reader,
                                                   server):
    soup = bs4.BeautifulSoup(client.get(f'{INDEX}runs/').content,
                             'html.parser')
    assert soup.select('article') and not soup.select('button')
    assert soup.select_one('[data-runs]')['data-may-advance'] == 'false'
    for what in ALL:
        what = what.format(server['id'])
        response = client.post(f'{INDEX}runs/{what}/')
        assert response.status_code in (302, 403)
    assert openstack.writes() == []


def test_without_a_csrf_token_nothing_changes(openstack, member, server):
    client = Client(enforce_csrf_checks=True)
    for what in ALL:
        client.post(f'{INDEX}runs/{what.format(server["id"])}/')
    assert openstack.writes() == []


def test_without_a_script_a_button_leads_back_to_the_page(client, openstack,
                                                          member, server):
    response = client.post(f'{INDEX}runs/advance/')
    assert (response.status_code, response.url) == (302, INDEX)
    assert openstack.actions() == ['os-stop']


def test_a_run_is_cancelled_before_its_capture(client, openstack, member,
                                               server):
    assert 'Cancelled' in post(client, 'cancel', server).get_text()
    assert openstack.actions() == []
    assert openstack.images == {}


def test_a_cancelled_run_has_not_failed(client, openstack, member, server):
    soup = post(client, 'cancel', server)
    (article,) = soup.select('article')
    assert now(soup) == 'Cancelled' and 'Failed' not in words(article)
    assert 'panel-default' in article['class']
    assert not article.select('.snapshot-phase')


def test_a_run_that_is_cancelled_on_its_way_ticks_nothing_that_was_not_done(
        client, openstack, member, server):
    post(client, 'advance')
    soup = post(client, 'cancel', server)
    assert [words(phase) for phase in soup.select('.snapshot-phase')] == [
        'Powering off (cancelled)', 'Starting the snapshot (skipped)',
        'Saving the snapshot (skipped)', 'Powering on']


def finished(openstack, server, ago=60, **noted):
    """Let a run have ended well; how long ago in seconds."""
    then = int(time.time()) - ago
    server['metadata'].update({
        f'snapshot_dashboard.{name}': str(value) for name, value in {
            'capture_count': 1, 'image_id': fakes.new_id(77),
            'captured_at': then, 'ended_at': then, **noted}.items()})
    server['tags'].remove('snapshot-dashboard.open')


def test_a_finished_run_is_a_line_that_leads_to_its_snapshot(
        client, openstack, member, server):
    finished(openstack, server, ago=600)
    soup = bs4.BeautifulSoup(client.get(INDEX + 'runs/').content,
                             'html.parser')
    (article,) = soup.select('article')
    assert 'snapshot-run-over' in article['class']
    assert '10\xa0minutes ago' in article.get_text()
    links = {link.get_text(): link['href'] for link in article.select('a')}
    page = f'{INDEX}instance-{fakes.new_id(77)}/'
    assert links == {'View Snapshot': page + 'detail/',
                     'Launch': page + 'launch/',
                     'Go Back to This Snapshot': page + 'go-back/'}


def test_what_went_well_a_day_ago_is_no_news(client, openstack, member,
                                             server):
    finished(openstack, server, ago=24 * 3600 + 60)
    assert not post(client, 'advance').select('article')
    assert server['metadata'] == {} and server['tags'] == []
    # It is, where it failed.
    begin(openstack, server)
    finished(openstack, server, ago=24 * 3600 + 60, start_count=1)
    server['metadata']['snapshot_dashboard.failure'] = 'image-vanished'
    (article,) = post(client, 'advance').select('article')
    assert 'Failed' in words(article)


def test_what_could_not_be_noted_on_a_snapshot_is_told(client, openstack,
                                                       member, server):
    finished(openstack, server, mark_count=record.TRIES)
    soup = post(client, 'advance')
    assert 'Notes on the snapshot may be missing' in words(soup)
    server['metadata']['snapshot_dashboard.mark_count'] = '1'
    assert 'may be missing' not in words(post(client, 'advance'))


def test_who_powers_an_instance_off_afterwards_is_not_told_to_power_it_on(
        client, openstack, member, server):
    finished(openstack, server, start_count=1)
    settle(server, 'SHUTOFF')
    (article,) = post(client, 'advance').select('article')
    assert 'The instance is off now.' in words(article)
    assert not article.select(f'#snapshot-run-power-on-{server["id"]}')


def test_an_offer_to_delete_older_ones_stays_until_it_is_dismissed(
        client, openstack, member):
    body = openstack.server('web-1')
    begin(openstack, body, keep_count=3)
    finished(openstack, body, ago=3 * 24 * 3600)
    assert post(client, 'advance').select('.snapshot-older')
    assert not post(client, 'dismiss', body).select('article')


def test_a_run_that_began_meanwhile_is_not_dismissed_with_the_others(
        openstack, member, server):
    old = journal.read(types.Server.from_api(server))
    finished(openstack, server)
    lifecycle.dismiss(openstack.cloud(), server['id'], 'f' * 32)
    assert server['metadata']
    begin(openstack, server)
    lifecycle.dismiss(openstack.cloud(), server['id'], old.plan.run_id)
    assert journal.read(types.Server.from_api(server)).open


def test_a_time_that_is_none_breaks_no_page(client, openstack, member,
                                            server):
    """Somebody wrote milliseconds, or worse, and copied it elsewhere."""
    plan = server['metadata']['snapshot_dashboard.plan']
    copy = openstack.server('copy', tags=list(server['tags']), metadata={
        **server['metadata'], 'snapshot_dashboard.plan': re.sub(
            '"at":[0-9]+', '"at":100000000000000', plan)})
    soup = bs4.BeautifulSoup(client.get(INDEX).content, 'html.parser')
    assert 'Unreadable record' in words(soup.select_one(
        f'#snapshot-run-{copy["id"]}'))


def test_a_forced_power_off_is_no_plain_success(client, openstack, member,
                                                server):
    finished(openstack, server, consistency='forced-off')
    soup = post(client, 'advance')
    assert now(soup) == 'Finished, but the instance was forced off'
    assert 'panel-warning' in soup.select_one('article')['class']


def test_all_that_went_well_leave_with_one_click(client, openstack, member,
                                                 server):
    others = [openstack.server(f'web-{number}') for number in (2, 3)]
    for other in others:
        begin(openstack, other)
    finished(openstack, server)
    soup = bs4.BeautifulSoup(client.get(INDEX + 'runs/').content,
                             'html.parser')
    assert not soup.select('#snapshot-runs-dismiss-all')
    finished(openstack, others[0])
    soup = post(client, 'advance')
    (form,) = (button.parent for button in soup.select(
        '#snapshot-runs-dismiss-all'))
    soup = post(client, form['action'].removeprefix(f'{INDEX}runs/')[:-1])
    (article,) = soup.select('article')
    assert 'web-3' in words(article)
    assert server['metadata'] == others[0]['metadata'] == {}


def test_many_leave_some_at_a_time(client, openstack, member):
    bodies = [openstack.server(f'web-{number}') for number in range(13)]
    for body in bodies:
        begin(openstack, body)
        finished(openstack, body)
    left = [len(post(client, 'dismiss-all').select('article'))
            for _ in range(2)]
    assert left == [3, 0]


def test_a_locked_instances_run_is_called_by_its_snapshots_name(
        client, openstack, member):
    body = openstack.server('vault', locked=True, status='SHUTOFF')
    openstack.did(body, 'stop')
    begin(openstack, body, power_off=False)
    (image,) = openstack.images.values()
    fakes.finish(image)
    image['created_at'] = fakes.stamp(
        int(image['snapshot_dashboard_taken']) - START)
    settle(body, 'SHUTOFF')
    post(client, 'advance')
    soup = post(client, 'advance')
    (article,) = soup.select('article')
    assert 'Snapshot “nightly” of vault' in words(article)
    assert now(soup) == 'Finished'
    assert 'nothing was writing' in words(article)
    assert 'It is not known how' not in words(article)
    links = [link['href'] for link in article.select('a')]
    assert f'{INDEX}instance-{image["id"]}/detail/' in links


def test_of_many_locked_instances_some_are_asked_what_they_made(
        client, openstack, member):
    for number in range(14):
        body = openstack.server(f'vault-{number}', locked=True,
                                status='SHUTOFF')
        begin(openstack, body, power_off=False)
    openstack.calls.clear()
    client.get(INDEX + 'runs/')
    asked = [path for _, path, _ in openstack.calls if '/v2/images' in path]
    assert len(asked) == 10


@pytest.mark.parametrize(('noted', 'offered', 'asked'), [
    ({'off_at': 5}, False, False),  # Cancel does it
    ({'off_at': 5, 'capture_count': 1}, True, True),
    ({'off_at': 5, 'snapshot_count': 1, 'capture_count': 1,
      'image_id': 'x'}, True, True),
    ({'off_at': 5, 'capture_count': 1, 'captured_at': 6}, True, False),
])
def test_a_power_on_that_would_harm_is_not_offered_or_asked_for(
        client, openstack, member, server, noted, offered, asked):
    settle(server, 'SHUTOFF')
    server['metadata'].update({f'snapshot_dashboard.{name}': str(value)
                               for name, value in noted.items()})
    soup = bs4.BeautifulSoup(client.get(INDEX + 'runs/').content,
                             'html.parser')
    button = soup.select_one(f'#snapshot-run-power-on-{server["id"]}')
    assert bool(button) is offered
    if button:
        assert 'btn-default' in button['class']
        assert ('fails or is marked as live' in button.parent.get(
            'data-confirm', '')) is asked


def test_a_power_on_that_is_tried_again_says_so(client, openstack, member,
                                                server):
    settle(server, 'SHUTOFF')
    server['metadata'].update({
        'snapshot_dashboard.off_at': '5',
        'snapshot_dashboard.captured_at': '6',
        'snapshot_dashboard.start_count': '2'})
    soup = bs4.BeautifulSoup(client.get(INDEX + 'runs/').content,
                             'html.parser')
    assert 'did not power on yet. 2 attempts' in words(soup)
    settle(server, 'ACTIVE')
    soup = bs4.BeautifulSoup(client.get(INDEX + 'runs/').content,
                             'html.parser')
    assert 'did not power on' not in words(soup)


def test_a_cancelled_run_says_that_it_waits_for_the_power_off(
        client, openstack, member, server):
    server['OS-EXT-STS:task_state'] = 'powering-off'
    server['metadata'].update({
        'snapshot_dashboard.failure': 'cancelled',
        'snapshot_dashboard.stop_count': '1'})
    page = bs4.BeautifulSoup(client.get(INDEX + 'runs/').content,
                             'html.parser')
    assert now(page) == 'Waiting for the power-off to end'


def test_saving_is_held_against_the_last_time(client, openstack, member):
    body = openstack.server('web-1')
    begin(openstack, body, expected_seconds=600)
    settle(body, 'SHUTOFF')
    body['metadata'].update({
        'snapshot_dashboard.off_at': '5', 'snapshot_dashboard.image_id': 'x',
        'snapshot_dashboard.first_capture_at': str(int(time.time()) - 200)})
    soup = bs4.BeautifulSoup(client.get(INDEX + 'runs/').content,
                             'html.parser')
    (bar,) = soup.select('progress')
    assert bar['max'] == '600' and 200 <= int(bar['value']) <= 210
    told = words(soup.find(id=bar['aria-labelledby']))
    assert 'took about 10 minutes' in told and 'longer' not in told
    assert 'can no longer be cancelled' in words(soup)
    # A bar that is full says that it is done.
    body['metadata']['snapshot_dashboard.first_capture_at'] = str(
        int(time.time()) - 700)
    soup = bs4.BeautifulSoup(client.get(INDEX + 'runs/').content,
                             'html.parser')
    (bar,) = soup.select('progress')
    assert 'value' not in bar.attrs
    assert 'longer this time' in words(soup.find(id=bar['aria-labelledby']))


def test_a_finished_run_leaves_with_a_click(client, openstack, member,
                                            server):
    post(client, 'cancel', server)
    assert not post(client, 'dismiss', server).select('article')
    assert server['metadata'] == {} and server['tags'] == []


def test_an_open_run_cannot_be_dismissed(client, openstack, member, server):
    assert post(client, 'dismiss', server).select('article')


def test_a_failed_run_says_why_and_what_was_left(client, openstack, member,
                                                 server, no_pauses):
    post(client, 'advance')
    settle(server, 'SHUTOFF')
    post(client, 'advance')
    openstack.images.clear()
    settle(server, 'SHUTOFF')
    post(client, 'advance')
    settle(server, 'ACTIVE')
    soup = post(client, 'advance')
    assert now(soup) == 'Failed'
    text = ' '.join(soup.get_text(' ').split())
    assert 'its image is gone' in text
    assert 'The instance was powered on again.' in text


def test_what_the_service_said_is_an_addition_to_our_sentence(
        client, openstack, member, server, no_pauses):
    openstack.faults['POST', '/action$'] = 403
    text = post(client, 'advance').get_text(' ')
    assert 'refused to power the instance off' in text
    assert 'Error from the cloud: as the test wishes' in ' '.join(text.split())


def test_a_service_that_is_down_loses_nothing(client, openstack, member,
                                              server):
    openstack.faults['GET', '/servers/00|/servers/[0-9a-f]{8}-'] = 503
    soup = post(client, 'advance')
    assert 'Nothing is lost' in soup.get_text()
    assert soup.select('article')
    openstack.faults.clear()
    assert now(post(client, 'advance')) == 'Powering off'


def test_a_look_at_a_run_that_waits_costs_two_calls(client, openstack,
                                                    member, server):
    for number in range(30):  # others, which nobody looks at
        openstack.server(f'other-{number}')
        openstack.image(f'other-{number}')
    post(client, 'advance')
    openstack.calls.clear()
    assert now(post(client, 'advance')) == 'Powering off'
    assert [path for _, path, _ in openstack.calls] == [
        '/v2.1/servers/detail', '/v2/images']
    settle(server, 'SHUTOFF')
    post(client, 'advance')
    openstack.calls.clear()
    assert now(post(client, 'advance')).startswith('Saving')
    assert len(openstack.calls) == 2
    openstack.calls.clear()
    client.get(f'{INDEX}runs/')
    assert len(openstack.calls) == 1


def looks(client, times, resume=False):
    """What the page's script does, again and again."""
    refused = []
    for _ in range(times):
        response = client.post(
            f'{INDEX}runs/advance/{"?resume=1" if resume else ""}',
            {'refused': refused},
            headers={'X-Requested-With': 'XMLHttpRequest'})
        soup = bs4.BeautifulSoup(response.content, 'html.parser')
        refused = [field['value'] for field in soup.select('[name=refused]')]
    return soup, refused


def test_what_a_service_refuses_twice_is_not_asked_again_until_a_user_does(
        client, openstack, member, server):
    other = openstack.server('web-2')
    begin(openstack, other)
    openstack.faults['POST', f'/servers/{server["id"]}/'] = 403
    soup, refused = looks(client, 2)
    assert refused == [f'{server["id"]} compute 2']
    openstack.calls.clear()
    soup = post(client, 'advance', refused=refused)
    assert not [call for call in openstack.writes() if server['id'] in call[1]]
    assert 'does not try again by itself' in words(soup.select_one(
        f'#snapshot-run-{server["id"]}'))
    # The other one goes on, and this one does at a wish.
    settle(other, 'SHUTOFF')
    post(client, 'advance', refused=refused)
    assert other['OS-EXT-STS:task_state'].startswith('image_snapshot')
    openstack.faults.clear()
    assert not post(client, 'adopt', server, refused=refused).select(
        '[name=refused]')
    response = client.post(f'{INDEX}runs/advance/?resume=1',
                           {'refused': refused})
    assert response.status_code == 302
    assert server['OS-EXT-STS:task_state'] == 'powering-off'


def test_one_refusal_is_not_believed(client, openstack, member, server):
    openstack.faults['POST', f'/servers/{server["id"]}/'] = 403
    _, refused = looks(client, 1)
    assert refused == [f'{server["id"]} compute 1']
    openstack.faults.clear()
    soup = post(client, 'advance', refused=refused)
    assert now(soup) == 'Powering off'
    assert not soup.select('[name=refused]')


def test_an_instance_that_is_off_is_tried_for_as_long_as_it_takes(
        client, openstack, member, server):
    post(client, 'advance')
    settle(server, 'SHUTOFF')
    post(client, 'advance')
    settle(server, 'SHUTOFF')
    for image in openstack.images.values():
        fakes.finish(image)
    openstack.faults['POST', f'/servers/{server["id"]}/'] = 403
    _, refused = looks(client, 5)
    openstack.faults.clear()
    post(client, 'advance', refused=refused)
    assert server['OS-EXT-STS:task_state'] == 'powering-on'


def test_the_button_resume_asks_again_for_what_was_refused(
        client, openstack, member):
    server = openstack.server('web-1')
    begin(openstack, server, clock=lambda: time.time() - 600)
    post(client, 'advance')
    settle(server, 'SHUTOFF')
    server['metadata']['snapshot_dashboard.updated_at'] = '1000000000'
    page = bs4.BeautifulSoup(client.get(INDEX).content, 'html.parser')
    button = page.select_one(f'#snapshot-run-advance-{server["id"]}')
    response = client.post(
        button.find_parent('form')['action'],
        {'refused': f'{server["id"]} compute 2'})
    assert response.status_code == 302
    assert server['OS-EXT-STS:task_state'].startswith('image_')


def test_a_refusal_that_a_page_makes_up_harms_nobody_else(
        client, openstack, member, server):
    soup = post(client, 'advance', refused=[
        'nonsense', f'{server["id"]} "><b> 2', ' compute 2', 'x compute 9',
        'x compute 2'])
    assert now(soup) == 'Powering off'
    assert [field['value'] for field in soup.select('[name=refused]')] == [
        'x compute 2']


def test_a_run_of_a_strangers_instance_cannot_be_reached(client, openstack,
                                                         member):
    body = openstack.server('theirs')
    begin(openstack, body)
    body['tenant_id'] = 'another-project'
    openstack.calls.clear()
    for what in ('cancel', 'dismiss', 'power-on', 'remove', 'retry'):
        assert 'The instance no longer exists' in str(
            post(client, what, body)) or (
            not openstack.writes())
    assert openstack.writes() == []


def test_a_forged_record_is_told_and_can_be_dismissed(client, openstack,
                                                      member):
    body = openstack.server('odd', tags=['snapshot-dashboard'], metadata={
        'snapshot_dashboard.plan': '{"v":1,"id":[]}'}, status='SHUTOFF')
    soup = post(client, 'advance')
    assert 'Unreadable record' in soup.select_one('article').get_text()
    # Whether it was the run that had powered it off is not known.
    assert not soup.select(f'#snapshot-run-power-on-{body["id"]}')
    post(client, 'power-on', body)
    assert openstack.actions() == []
    assert not post(client, 'dismiss', body).select('article')
    assert body['metadata'] == {} and body['tags'] == []


def test_an_instance_deleted_meanwhile_is_told_once_more(client, openstack,
                                                         member, server):
    soup = post(client, 'advance')
    watched = soup.select_one('[name=watched]')['value']
    del openstack.servers[server['id']]
    soup = post(client, 'advance', watched=watched)
    assert now(soup) == 'The instance was deleted'
    assert 'nightly' in soup.get_text()
    # and stays until the page is opened anew
    assert soup.select_one('[name=watched]')['value'] == watched


def test_a_run_that_nobody_looked_after_says_so(client, openstack, member):
    server = openstack.server('web-1')
    begin(openstack, server, clock=lambda: time.time() - 600)
    post(client, 'advance')
    settle(server, 'SHUTOFF')
    server['metadata']['snapshot_dashboard.updated_at'] = '1000000000'
    soup = bs4.BeautifulSoup(client.get(INDEX).content, 'html.parser')
    text = ' '.join(soup.select_one('.snapshot-runs').get_text(' ').split())
    assert 'No progress for about' in text
    assert 'The instance is still off.' in text
    assert soup.select_one(f'#snapshot-run-advance-{server["id"]}')


def test_a_locked_instance_holds_its_run_and_says_so(client, openstack,
                                                     member, server):
    server['locked'] = True
    soup = post(client, 'advance')
    assert 'Somebody locked the instance' in soup.get_text()
    assert openstack.actions() == []
    assert not post(client, 'dismiss', server).select('article')


def test_a_failed_run_is_tried_again(client, openstack, member, server):
    post(client, 'cancel', server)
    before = server['metadata']['snapshot_dashboard.plan']
    openstack.did(server, 'start')
    latest = openstack.done[server['id']][0]['request_id']
    assert now(post(client, 'retry', server)) == 'Powering off'
    assert server['metadata']['snapshot_dashboard.plan'] != before
    assert server['metadata']['snapshot_dashboard.begin_request'] == latest
    assert openstack.actions() == ['os-stop']


def test_who_tries_again_is_asked_before_an_instance_is_powered_off(
        client, openstack, member, server):
    post(client, 'cancel', server)

    def question():
        soup = bs4.BeautifulSoup(client.get(INDEX + 'runs/').content,
                                 'html.parser')
        return soup.select_one('form[action$="/retry/"]').get('data-confirm')
    settle(server, 'ACTIVE')
    assert 'powered off again' in question()
    settle(server, 'SHUTOFF')
    assert not question()


def test_a_name_that_ends_with_the_time_gets_the_time_of_the_retry(
        client, openstack, member, server):
    server['metadata'].clear()
    begin(openstack, server, name='web-1-2026-01-15-0107')
    post(client, 'cancel', server)
    post(client, 'retry', server)
    name = server['metadata']['snapshot_dashboard.name']
    assert re.fullmatch(r'web-1-\d{4}-\d\d-\d\d-\d{4}', name)
    assert name != 'web-1-2026-01-15-0107'


def test_leftovers_of_a_failed_run_are_removed(client, openstack, member):
    body = openstack.server('db', image='')
    openstack.attach(body, openstack.volume('root'), '/dev/vda')
    begin(openstack, body, power_off=False)
    post(client, 'advance')
    next(iter(openstack.snapshots.values()))['status'] = 'error'
    soup = post(client, 'advance')
    assert 'incomplete' in soup.get_text() and openstack.images
    soup = post(client, 'remove', body)
    assert not openstack.images
    assert [one['status'] for one in openstack.snapshots.values()] == [
        'deleting']
    assert not soup.select_one(f'#snapshot-run-remove-{body["id"]}')
    assert 'has been deleted' in words(soup)
    assert 'was kept' not in words(soup) and 'Remove it' not in words(soup)


def test_an_instance_left_off_by_a_live_snapshot_is_powered_on_by_a_click(
        client, openstack, member, no_pauses):
    server = openstack.server('web-1')
    begin(openstack, server, power_off=False, was_running=True)
    post(client, 'advance')
    openstack.images.clear()
    settle(server, 'ACTIVE')
    assert now(post(client, 'advance')) == 'Failed'
    # Nova finds the guest off when the run has been over for long.
    settle(server, 'SHUTOFF')
    soup = bs4.BeautifulSoup(client.get(INDEX).content, 'html.parser')
    assert 'The instance is off.' in soup.select_one(
        '.snapshot-runs').get_text(' ')
    assert soup.select_one(f'#snapshot-run-power-on-{server["id"]}')
    post(client, 'power-on', server)
    assert openstack.actions() == ['createImage', 'os-start']


@pytest.mark.parametrize(('power_off', 'interval'), [(True, '1000'),
                                                     (False, '2000')])
def test_a_page_looks_twice_as_often_while_an_instance_is_away(
        client, openstack, member, power_off, interval):
    begin(openstack, openstack.server('web-1'), power_off=power_off)
    soup = post(client, 'advance')
    assert soup.select_one('[data-runs]')['data-interval'] == interval


def test_a_reason_that_nobody_knows_is_shown_as_a_failure(client, openstack,
                                                          member, server):
    server['metadata'].update({'snapshot_dashboard.failure': 'from-later',
                               'snapshot_dashboard.ended_at': '1790000000'})
    soup = post(client, 'advance')
    assert now(soup) == 'Failed'
    assert 'panel-danger' in soup.select_one('article')['class']
    assert 'unknown reason' in soup.get_text()


def test_every_failure_has_words():
    assert set(runs_wording.FAILURES) == set(failures.Failure)


def test_hostile_text_in_a_record_is_text(client, openstack, member):
    body = openstack.server('<b>web</b>')
    begin(openstack, body)
    body['metadata']['snapshot_dashboard.name'] = '<script>alert(1)</script>'
    html = client.get(INDEX).content
    assert b'<script>alert(1)' not in html and b'<b>web' not in html


def test_a_run_that_this_dashboard_did_not_write_waits_for_a_users_word(
        client, openstack, member):
    body = openstack.server('web-1')
    cloud = openstack.cloud()
    lifecycle.begin(
        cloud, cloud.compute.server(body['id']), lifecycle.new_plan(
            'forged', '', requested_by='mallory', power_off=True,
            power_on=True))
    soup = post(client, 'advance')
    assert 'was not written by this dashboard' in words(soup)
    assert openstack.actions() == []
    assert not soup.select_one(f'#snapshot-run-advance-{body["id"]}')
    post(client, 'adopt', body)
    assert now(post(client, 'advance')) == 'Powering off'
    assert openstack.actions() == ['os-stop']


@pytest.mark.parametrize('key', ['name', 'requested_by', 'plan'])
def test_a_plan_that_somebody_changed_waits_for_a_users_word(
        client, openstack, member, server, key):
    item = f'snapshot_dashboard.{key}'
    server['metadata'][item] = server['metadata'][item].replace(
        'power_on ', '') if key == 'plan' else 'mallory'
    soup = post(client, 'advance')
    assert 'was changed since' in words(soup)
    assert openstack.actions() == []
    assert not post(client, 'dismiss', server).select('article')


def test_a_record_that_was_copied_to_another_instance_does_nothing(
        client, openstack, member, server):
    copy = openstack.server('copy', metadata=dict(server['metadata']),
                            tags=list(server['tags']))
    soup = post(client, 'advance')
    assert openstack.actions() == ['os-stop']
    assert 'copied here from another instance' in words(soup.select_one(
        f'#snapshot-run-{copy["id"]}'))
    post(client, 'dismiss', copy)
    assert copy['metadata'] == {} and copy['tags'] == []


def test_a_run_is_found_among_more_than_a_page_of_finished_ones(
        client, openstack, member):
    mine = openstack.server('mine')
    openstack.max_limit = 40
    for number in range(130):
        openstack.servers = {**{body['id']: body for body in [
            openstack.server(f'done-{number}')]}, **openstack.servers}
    for body in openstack.servers.values():
        if body is not mine:
            body['tags'] = ['snapshot-dashboard']
            body['metadata'] = dict(FINISHED)
    begin(openstack, mine)
    assert 'nightly' in words(post(client, 'advance'))
    assert openstack.actions() == ['os-stop']
    settle(mine, 'SHUTOFF')
    soup = post(client, 'advance')
    assert openstack.actions() == ['os-stop', 'createImage']
    assert soup.select_one('[data-runs]')['data-open'] == 'true'
    # None of them is news, and each look takes one away.
    assert 'more finished snapshots' not in words(soup)
    left = [body for body in openstack.servers.values() if body['tags']]
    assert len(left) == 131 - 2


FINISHED = {**journal.write(record.Plan('f' * 32, 'done', began_at=1)),
            'snapshot_dashboard.captured_at': '2',
            'snapshot_dashboard.ended_at': '2'}


def test_a_page_finds_a_run_again_whose_tags_others_have_replaced(
        client, openstack, member, server):
    soup = post(client, 'advance')
    watched = soup.select_one('[name=watched]')['value']
    server['tags'][:] = ['theirs']
    settle(server, 'SHUTOFF')
    soup = post(client, 'advance', watched=watched)
    assert now(soup) == 'Saving the snapshot'
    assert {'snapshot-dashboard', 'snapshot-dashboard.open',
            'theirs'} <= set(server['tags'])
    owed = [tag for tag in server['tags'] if '.owed:' in tag]
    assert len(owed) == 1


def test_the_list_finds_a_run_again_by_its_unfinished_image(client, openstack,
                                                            member, server):
    post(client, 'advance')
    openstack.did(server, 'stop')
    settle(server, 'SHUTOFF')
    post(client, 'advance')
    server['tags'].clear()
    (image,) = openstack.images.values()
    image['created_at'] = fakes.stamp(
        int(image['snapshot_dashboard_taken']) - START)
    soup = bs4.BeautifulSoup(client.get(INDEX).content, 'html.parser')
    assert 'nightly' in words(soup.select_one('.snapshot-runs'))
    assert soup.select_one('[data-runs]')['data-open'] == 'true'


def test_metadata_that_others_have_replaced_leave_no_instance_off(
        client, openstack, member, server):
    post(client, 'advance')
    settle(server, 'SHUTOFF')
    server['metadata'].clear()
    soup = post(client, 'advance')
    assert openstack.actions() == ['os-stop', 'os-start']
    settle(server, 'ACTIVE')
    soup = post(client, 'advance')
    assert now(soup) == 'Failed'
    assert 'record of this snapshot on the instance was removed' in words(soup)
    assert 'powered on again' in words(soup)


@pytest.mark.parametrize(('status', 'words_of_it'), [
    (503, 'not known whether this was done'), (429, 'Try again a little'),
    (409, 'locked or busy')])
def test_a_button_that_meets_a_fault_promises_nothing(
        client, openstack, member, server, status, words_of_it):
    """Nobody asks again for what a user asked for."""
    server['status'] = 'SHUTOFF'
    server['metadata']['snapshot_dashboard.capture_count'] = '1'
    openstack.faults['POST', '/action$'] = status
    text = words(post(client, 'power-on', server))
    assert words_of_it in text and 'Nothing is lost' not in text
    openstack.faults = {('POST', '/metadata$'): status}
    text = words(post(client, 'advance'))
    assert 'not known whether this was done' not in text


def test_a_power_on_is_not_called_done_before_it_is(client, openstack, member,
                                                    server):
    server['metadata'].update({
        'snapshot_dashboard.failure': 'wrong-state',
        'snapshot_dashboard.detail': 'PAUSED',
        'snapshot_dashboard.off_at': '1790000000',
        'snapshot_dashboard.start_count': '1'})
    server.update({'status': 'SHUTOFF',
                   'OS-EXT-STS:task_state': 'powering-on'})
    text = words(bs4.BeautifulSoup(client.get(INDEX + 'runs/').content,
                                   'html.parser'))
    assert 'is being powered on again' in text
    assert 'Its status was Paused.' in text


def test_what_nova_puts_off_is_told_with_the_next_try(client, openstack,
                                                      member, server):
    openstack.faults['POST', '/action$'] = 429
    soup = post(client, 'advance')
    assert re.search(r'did not accept the next step \(as the test wishes '
                     r'\[req-[0-9a-f-]{36}\]\)\.', words(soup))
    record = server['metadata']
    noted, again = (int(record[f'snapshot_dashboard.{name}'])
                    for name in ('updated_at', 'not_before'))
    assert again - noted == 2
    record['snapshot_dashboard.not_before'] = str(int(time.time()) + 500)
    told = re.search(r'Next attempt in (\d+) seconds', words(
        post(client, 'advance')))
    assert told and 400 < int(told[1]) <= 500
    assert openstack.actions() == ['os-stop']


def test_a_cancel_that_comes_too_late_says_so(client, openstack, member,
                                              server):
    post(client, 'advance')
    settle(server, 'SHUTOFF')
    post(client, 'advance')
    assert 'too late to cancel' in words(post(client, 'cancel', server))


def test_after_a_success_leftovers_alone_are_removed(client, openstack,
                                                     member):
    body = openstack.server('web-1')
    begin(openstack, body, power_off=False, power_on=False)
    post(client, 'advance')
    (image,) = openstack.images.values()
    fakes.finish(image)
    twin = openstack.image('nightly', status='queued', **{
        name: value for name, value in image.items()
        if name.startswith(('snapshot_dashboard', 'instance'))})
    twin['snapshot_dashboard_call'] = 'another'
    twin['created_at'] = fakes.stamp(5 * 365 * 86400)
    image['created_at'] = fakes.stamp(0)
    body['metadata']['snapshot_dashboard.leftover_ids'] = twin['id']
    body['metadata']['snapshot_dashboard.removal_count'] = '3'
    settle(body, 'ACTIVE')
    soup = post(client, 'advance')
    assert now(soup) == 'Finished' and twin['id'] in words(soup)
    post(client, 'remove', body)
    assert image['id'] in openstack.images


@pytest.mark.parametrize('change', ['forged', 'copied', 'lost'])
def test_what_nobody_here_asked_for_is_not_tried_again(client, openstack,
                                                       member, change):
    body, target = openstack.server('web-1'), openstack.server('web-2')
    begin(openstack, body)
    body['metadata'].update({'snapshot_dashboard.failure': 'capture-failed',
                             'snapshot_dashboard.ended_at': '1'})
    if change == 'forged':
        body['metadata']['snapshot_dashboard.name'] = 'mine'
        target = body
    elif change == 'copied':
        target.update(metadata=dict(body['metadata']), tags=body['tags'])
    else:
        target = body
        body['metadata']['snapshot_dashboard.failure'] = 'record-lost'
    soup = post(client, 'advance')
    assert not soup.select_one(f'#snapshot-run-retry-{target["id"]}')
    assert soup.select(
        f'#snapshot-run-{target["id"]} '
        f'a[href$="create/?source=instance-{target["id"]}"]')
    post(client, 'retry', target)
    assert openstack.actions() == []


def test_dismissing_a_record_that_somebody_changed_removes_no_snapshot(
        client, openstack, member):
    body = openstack.server('web-1')
    begin(openstack, body, power_off=False)
    post(client, 'advance')
    (image,) = openstack.images.values()
    fakes.finish(image)
    settle(body, 'ACTIVE')
    post(client, 'advance')
    body['metadata'].update({
        'snapshot_dashboard.name': 'forged',
        'snapshot_dashboard.failure': 'snapshot-failed'})
    post(client, 'dismiss', body)
    assert image['id'] in openstack.images


def test_the_wizard_lets_a_run_be_found_again(client, openstack, member,
                                              server):
    server['tags'].clear()
    assert not post(client, 'advance').select('article')
    client.post(f'{INDEX}create/', {
        'source': f'instance-{server["id"]}', 'name': 'another',
        'seen_status': 'ACTIVE'})
    assert now(post(client, 'advance')) == 'Powering off'
    assert openstack.actions() == ['os-stop']


def test_a_note_from_a_clock_that_is_ahead_leaves_no_run_to_a_worker(
        client, openstack, member, server):
    server['metadata']['snapshot_dashboard.updated_at'] = str(
        int(time.time()) + 9999)
    assert now(post(client, 'advance')) == 'Powering off'


def test_a_run_that_was_dismissed_meanwhile_is_no_error(client, openstack,
                                                        member, server):
    openstack.meanwhile['POST', '/metadata$'] = server['metadata'].clear
    assert post(client, 'cancel', server)
