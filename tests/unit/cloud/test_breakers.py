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

"""A service that hangs is left alone, and no project is for another's sake."""

import concurrent.futures
import threading
import time

from keystoneauth1 import identity
from keystoneauth1 import session
import pytest
import requests

from snapshot_dashboard.cloud import breakers
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from tests import fakes

NOVA = 'http://nova.test/v2.1'
SICK = errors.TimedOut('compute', 'no answer', sick='nova.test')
OF_KEYSTONE = errors.TimedOut('compute', 'no answer', sick='keystone.test')
SLOW = errors.TimedOut('compute', 'no answer')


@pytest.fixture
def breaker():
    return breakers.Breaker()


@pytest.fixture
def clock(monkeypatch):
    """Lets time pass."""
    now = [1000.0]
    monkeypatch.setattr(time, 'monotonic', lambda: now[0])

    def later(seconds):
        now[0] += seconds
    return later


def call(breaker, project='p', error=None, endpoint=NOVA, **options):
    """Whether a call gets through to the service."""
    reached = []
    try:
        with breaker.guarding('compute', endpoint, project, **options):
            reached.append(True)
            if error is not None:
                raise error
    except errors.ServiceError as raised:
        assert error is not None or 'a moment ago' in str(raised)
    return bool(reached)


def test_a_service_that_hung_is_left_alone_for_a_while(breaker, clock):
    assert call(breaker, error=SICK)
    assert not call(breaker)
    clock(breakers.REST + 1)
    assert call(breaker) and call(breaker)


def test_after_the_rest_one_call_finds_out(breaker, clock):
    call(breaker, error=SICK)
    clock(breakers.REST + 1)
    with breaker.guarding('compute', NOVA, 'p'):
        assert not call(breaker)
    assert call(breaker)


def test_a_call_that_finds_nothing_out_lets_the_next_one_try(breaker, clock):
    for project in ('one', 'two', 'three'):
        call(breaker, project, error=SICK)
    clock(breakers.REST + 1)
    assert call(breaker, 'hostile', SLOW)
    assert not call(breaker, 'victim')
    clock(2)
    assert call(breaker, 'victim') and call(breaker, 'one')


def test_who_is_refused_is_told_when_to_come_again(breaker, clock):
    call(breaker, error=SICK)
    clock(5)
    with pytest.raises(errors.Resting) as raised, breaker.guarding(
            'compute', NOVA, 'p'):
        raise AssertionError
    assert raised.value.seconds == breakers.REST - 5


def test_a_keystone_that_gives_no_token_is_not_taken_for_a_sick_nova(
        breaker, clock):
    for project in ('one', 'two', 'three'):
        call(breaker, project, error=OF_KEYSTONE)
    assert call(breaker, 'one') and call(breaker, 'four')


def test_a_write_that_takes_long_proves_nothing(breaker, clock):
    for _ in range(20):
        assert call(breaker, error=SLOW)
    assert call(breaker)


def test_what_one_project_waited_for_keeps_no_other_one_waiting(breaker,
                                                                clock):
    for _ in range(20):
        call(breaker, 'hostile', error=SICK)
        call(breaker, 'hostile too', error=SICK)
    assert call(breaker, 'victim') and not call(breaker, 'hostile')


def test_what_answers_nobody_is_left_alone_by_all(breaker, clock):
    for project in ('one', 'two', 'three'):
        call(breaker, project, error=SICK)
    assert not call(breaker, 'four')
    assert call(breaker, 'four', endpoint='http://elsewhere.test')
    clock(breakers.REST + 1)
    assert call(breaker, 'five') and call(breaker, 'four')


def test_one_answer_shows_that_it_is_not_sick(breaker, clock):
    for project in ('one', 'two', 'three', 'four'):
        call(breaker, project, error=SICK)
        assert call(breaker, 'busy', errors.Conflict('compute', '', 409))
    assert call(breaker, 'five')


def test_an_error_without_a_status_is_no_answer(breaker, clock):
    for project in ('one', 'two', 'three'):
        call(breaker, project, error=SICK)
        call(breaker, 'victim', errors.Unavailable('compute', 'reset'))
    assert not call(breaker, 'four')


def test_a_power_on_always_goes_through(clock):
    breaker = breakers.Breaker(most=1)
    for project in ('one', 'two', 'three'):
        call(breaker, project, error=SICK)
    assert not call(breaker, 'one')
    assert call(breaker, 'one', urgent=True)
    with breaker.guarding('compute', NOVA, 'five', urgent=True):
        assert call(breaker, 'one', urgent=True)


def test_no_more_calls_at_a_time_than_a_service_is_to_bear():
    breaker, under_way, most = breakers.Breaker(most=4), [], []

    def work(number):
        with breaker.guarding('compute', f'{NOVA}/{number}', str(number % 5)):
            under_way.append(1)
            most.append(len(under_way))
            threading.Event().wait(0.01)
            under_way.pop()
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        list(pool.map(work, range(40)))
    assert max(most) == 4


def test_the_next_call_is_of_who_has_the_fewest_under_way():
    breaker, order = breakers.Breaker(most=2), []
    hold = [threading.Event() for _ in range(2)]
    begun = threading.Semaphore(0)

    def holding(project, number):
        with breaker.guarding('compute', NOVA, project):
            begun.release()
            hold[number].wait(10)

    def brief(project):
        with breaker.guarding('compute', NOVA, project):
            order.append(project)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        try:
            pool.submit(holding, 'one', 0)
            pool.submit(holding, 'two', 1)
            assert begun.acquire(timeout=5) and begun.acquire(timeout=5)
            done = [pool.submit(brief, project)
                    for project in ('one', 'one', 'one', 'victim')]
            gate = breaker._gates['compute nova.test']
            while len(gate._waiting) < 4:
                threading.Event().wait(0.01)
            hold[1].set()
            concurrent.futures.wait(done[3:], 5)
            assert order == ['victim']
        finally:
            for event in hold:
                event.set()


def test_one_project_gets_half_of_the_calls_at_the_most():
    breaker, over = breakers.Breaker(most=4), threading.Event()
    begun = threading.Semaphore(0)

    def endless():
        with breaker.guarding('compute', NOVA, 'hostile'):
            begun.release()
            over.wait(10)
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        for _ in range(10):
            pool.submit(endless)
        try:
            assert begun.acquire(timeout=5) and begun.acquire(timeout=5)
            assert not begun.acquire(timeout=0.1)
            assert call(breaker, 'victim')
        finally:
            over.set()


_ID = fakes.new_id()
_CALLS = {
    'server': lambda cloud: cloud.compute.server(_ID),
    'image': lambda cloud: cloud.images.image(_ID),
    'snapshot': lambda cloud: cloud.volumes.snapshot(_ID),
    'networks': lambda cloud: cloud.networks.names(),
    'trust': lambda cloud: cloud.identity.is_gone('t'),
    'createImage': lambda cloud: cloud.compute.create_image(_ID, 'snap', {}),
    'share': lambda cloud: cloud.images.add_member(_ID, _ID),
    'create snapshot': lambda cloud: cloud.volumes.create_snapshot(
        _ID, 'snap', '', {}),
    'create trust': lambda cloud: cloud.identity.create_trust(
        'a', 'b', 'c', 'member', 1e9, services.identity.Errand()),
}


@pytest.mark.parametrize('timeout', [requests.ReadTimeout,
                                     requests.ConnectTimeout])
@pytest.mark.parametrize('call', _CALLS)
def test_a_question_without_an_answer_shows_that_a_service_is_sick(
        openstack, call, timeout):
    writes = call.startswith(('create', 'share'))
    openstack.faults['POST' if writes else 'GET', ''] = timeout
    with pytest.raises(errors.TimedOut) as raised:
        _CALLS[call](openstack.cloud())
    asked = not writes or timeout is requests.ConnectTimeout
    assert raised.value.sick.endswith('.test') is asked
    assert bool(raised.value.sick) is asked


def test_who_asks_for_a_token_in_vain_shows_that_keystone_is_sick(
        requests_mock):
    auth = identity.V3Password('http://keystone.test/v3', 'u', 'p',
                               user_domain_id='default')
    requests_mock.get('http://keystone.test/v3', status_code=404)

    def hang(request, context):
        raise requests.ReadTimeout('no answer', request=request._request)
    requests_mock.post('http://keystone.test/v3/auth/tokens', json=hang)
    cloud = services.Cloud(session.Session(auth=auth), fakes.ENDPOINTS, 'p')
    with pytest.raises(errors.TimedOut) as raised:
        cloud.compute.server(_ID)
    assert raised.value.sick == 'keystone.test'


def test_a_guest_that_never_answers_delays_no_others_power_on(openstack):
    """A createImage that waits for it is no reason to leave Nova alone."""
    breaker = breakers.Breaker(most=2)

    def of(project):
        cloud = openstack.cloud()
        return services.Cloud(cloud._session, cloud._endpoints, project,
                              breaker)
    openstack.faults['POST', '/action$'] = requests.ReadTimeout
    for number in range(9):
        with pytest.raises(errors.TimedOut):
            of(f'hostile-{number}').compute.create_image('s', 'snap', {})
    openstack.faults.clear()
    server = openstack.server(status='SHUTOFF')
    assert of(fakes.PROJECT).compute.server(server['id'])
    of(fakes.PROJECT).compute.start(server['id'])
    assert openstack.actions()[-1] == 'os-start'
