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

"""What the page says of the worker, and when it hands a run on."""

import time
import types

import bs4
from django.core import cache
import pytest

from snapshot_dashboard.content.compute_snapshots.worker import handoff
from snapshot_dashboard.content.compute_snapshots.worker import (
    views as worker_views,
)
from snapshot_dashboard.runs import journal
from tests import fakes
from tests.views.pages import CREATE
from tests.views.pages import INDEX
from tests.views.pages import told

URL = INDEX + 'worker/'


@pytest.fixture
def configured(settings):
    settings.SNAPSHOT_DASHBOARD = {'WORKER_USER_ID': 'worker'}


def ask(client):
    said = client.post(URL).json()
    assert said['state'] == 'asked'
    return {'asked': said['asked']}


def answer(openstack):
    """What a worker does: it takes back what only asks for it."""
    for trust in list(openstack.trusts.values()):
        if trust['remaining_uses']:
            del openstack.trusts[trust['id']]


def later(monkeypatch, seconds):
    now = time.time() + seconds
    monkeypatch.setattr(time, 'time', lambda: now)


def submit(client, server, **fields):
    return client.post(CREATE, {
        'source': f'instance-{server["id"]}', 'name': 'snap',
        'seen_status': server['status'], 'if_forced': 'go-on', **fields})


def record(openstack, server):
    return journal.read(openstack.cloud().compute.server(server['id']))


def of_user(user_id):
    """A request of a user."""
    return types.SimpleNamespace(user=types.SimpleNamespace(
        id=user_id, services_region='RegionOne'))


@pytest.mark.usefixtures('member')
def test_without_a_worker_nothing_is_asked_or_handed_on(client, openstack):
    assert client.post(URL).status_code == 403
    server = openstack.server(status='SHUTOFF')
    submit(client, server)
    assert not record(openstack, server).progress.trust_id
    assert openstack.trusts == {}
    assert 'Keep Compute > Snapshots open' in told(client)
    page = bs4.BeautifulSoup(client.get(INDEX).content, 'html.parser')
    assert page.select('[data-snapshot-worker]') == []


@pytest.mark.usefixtures('configured', 'member')
def test_a_worker_that_answers_is_believed_for_a_while(
        client, openstack, monkeypatch):
    asked = ask(client)
    assert client.get(URL, asked).json()['state'] == 'asked'
    answer(openstack)
    said = client.get(URL, asked).json()
    assert said['state'] == 'alive' and 'in the background' in said['text']
    openstack.calls.clear()
    assert client.post(URL).json()['state'] == 'alive'
    assert openstack.calls == []


@pytest.mark.usefixtures('configured', 'member')
def test_a_page_that_asks_each_minute_keeps_a_worker_alive(
        client, openstack, monkeypatch):
    request = of_user('alice')
    for _ in range(5):
        asked = ask(client)
        later(monkeypatch, 8)
        answer(openstack)
        assert client.get(URL, asked).json()['state'] == 'alive'
        later(monkeypatch, 52)
        assert handoff.is_alive(request)


@pytest.mark.usefixtures('configured')
def test_who_cannot_hand_on_is_promised_nothing_by_anothers_answer(
        client, openstack, sign_in):
    sign_in('member', 'reader')
    asked = ask(client)
    answer(openstack)
    assert client.get(URL, asked).json()['state'] == 'alive'
    cache.cache.delete(handoff._ABLE + 'alice.' + fakes.PROJECT)
    openstack.faults['POST', 'OS-TRUST'] = 403
    assert client.post(URL).json()['state'] == 'refused'


@pytest.mark.usefixtures('configured', 'member')
@pytest.mark.parametrize('task, seconds, goes_on', [
    (None, 60, False), (None, handoff.LAG + 1, True),
    ('image_uploading', handoff.LAG + 1, False)])
def test_a_page_goes_on_where_a_worker_that_is_there_does_not(
        client, openstack, monkeypatch, task, seconds, goes_on):
    """The trust is gone, or its user has lost the role."""
    server = openstack.server(status='SHUTOFF')
    submit(client, server)
    openstack.calls.clear()
    run = record(openstack, server)
    assert run.progress.trust_id and not run.progress.captured_at
    fakes.finish(next(iter(openstack.images.values())))
    server['OS-EXT-STS:task_state'] = task
    later(monkeypatch, seconds)
    asked = ask(client)
    answer(openstack)
    assert client.get(URL, asked).json()['state'] == 'alive'
    client.post(INDEX + 'runs/advance/')
    assert bool(record(openstack, server).progress.captured_at) == goes_on


@pytest.mark.usefixtures('configured', 'member')
def test_a_worker_that_does_not_answer_is_not_promised(
        client, openstack, monkeypatch):
    asked = ask(client)
    openstack.trusts.clear()  # it has expired
    later(monkeypatch, worker_views.PATIENCE + 1)
    said = client.get(URL, asked).json()
    assert said['state'] == 'silent'
    assert 'No background worker has answered' in said['text']


@pytest.mark.usefixtures('configured', 'member')
def test_who_takes_the_own_question_back_fools_nobody_else(client,
                                                           openstack):
    asked = ask(client)
    openstack.trusts.clear()  # by Keystone's API, as its trustor may
    client.get(URL, asked)
    assert not handoff.is_alive(of_user('bob'))


@pytest.mark.usefixtures('configured', 'member')
def test_nobody_makes_a_worker_up(client, openstack):
    """A trust that does not exist is no answer to a question never asked."""
    assert client.get(URL, {'asked': 'made-up'}).json()['state'] == 'silent'
    assert openstack.calls == []


@pytest.mark.usefixtures('configured', 'member')
@pytest.mark.parametrize('status, state', [
    (403, 'refused'), (404, 'silent'), (500, 'silent')])
def test_who_cannot_hand_on_is_told_before_the_button(client, openstack,
                                                      status, state):
    openstack.faults['POST', 'OS-TRUST'] = status
    said = client.post(URL).json()
    assert said['state'] == state
    assert 'Keep Compute > Snapshots open' in said['text']


@pytest.mark.usefixtures('member')
@pytest.mark.parametrize('region, worker', [
    ('RegionOne', 'here'), ('RegionTwo', None)])
def test_a_region_has_its_own_worker_or_none(client, openstack, settings,
                                             region, worker):
    """The test's user is in RegionOne."""
    settings.SNAPSHOT_DASHBOARD = {'WORKER_USER_ID': {region: 'here'}}
    server = openstack.server(status='SHUTOFF')
    submit(client, server)
    assert [trust['trustee_user_id'] for trust in openstack.trusts.values()
            ] == [worker] * bool(worker)
    assert client.post(URL).status_code == (200 if worker else 403)


@pytest.mark.usefixtures('member')
def test_one_worker_does_not_answer_for_another(client, openstack, settings):
    settings.SNAPSHOT_DASHBOARD = {'WORKER_USER_ID': {'RegionOne': 'one'}}
    asked = ask(client)
    answer(openstack)
    assert client.get(URL, asked).json()['state'] == 'alive'
    settings.SNAPSHOT_DASHBOARD = {'WORKER_USER_ID': {'RegionOne': 'two'}}
    assert client.post(URL).json()['state'] == 'asked'


@pytest.mark.usefixtures('configured', 'reader')
def test_a_reader_asks_nothing(client, openstack):
    assert client.post(URL).status_code == 403
    assert client.get(URL).status_code == 403
    assert openstack.trusts == {}


@pytest.mark.usefixtures('configured', 'member')
def test_asking_needs_the_token_of_the_form(openstack):
    from django import test
    strict = test.Client(enforce_csrf_checks=True)
    assert strict.post(URL).status_code == 403
    assert openstack.trusts == {}


@pytest.mark.usefixtures('configured', 'member')
def test_a_run_is_handed_on_and_the_user_may_leave(client, openstack):
    asked = ask(client)
    answer(openstack)
    client.get(URL, asked)
    openstack.trusts.clear()
    server = openstack.server(status='SHUTOFF')
    submit(client, server)
    (trust,) = openstack.trusts.values()
    assert record(openstack, server).progress.trust_id == trust['id']
    assert trust['trustor_user_id'] == 'alice'
    assert trust['trustee_user_id'] == 'worker'
    assert 'in the background' in told(client)
    # The page leaves it to the worker, for as long as there is one.
    client.post(INDEX + 'runs/advance/')
    assert openstack.actions() == []
    cache.cache.clear()
    client.post(INDEX + 'runs/advance/')
    assert openstack.actions() == ['createImage']
    page = bs4.BeautifulSoup(client.get(INDEX).content, 'html.parser')
    assert page.select_one('[data-runs]')['data-handed-on'] == 'true'
    assert page.select_one('[data-snapshot-worker]')['data-url'] == URL


@pytest.mark.usefixtures('configured', 'member')
def test_a_run_that_nobody_may_see_through_is_begun_all_the_same(
        client, openstack):
    openstack.faults['POST', 'OS-TRUST'] = 403
    server = openstack.server(status='SHUTOFF')
    submit(client, server)
    run = record(openstack, server)
    assert run.open and not run.progress.trust_id
    assert run.progress.capture_count
    assert 'Keep Compute > Snapshots open' in told(client)
