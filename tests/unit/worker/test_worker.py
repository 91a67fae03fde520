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

"""The worker: from trusts to runs, and what becomes of either."""

import dataclasses
import functools
import json
import logging
import subprocess
import sys
import threading
import time
from unittest import mock

import pytest

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import identity
from snapshot_dashboard.runs import delegate
from snapshot_dashboard.runs import failures
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import record
from snapshot_dashboard.runs import situation
from snapshot_dashboard.worker import backoff
from snapshot_dashboard.worker import metrics
from snapshot_dashboard.worker import partition
from snapshot_dashboard.worker import trust_sessions
from snapshot_dashboard.worker import worker as workers
from snapshot_dashboard.worker import workqueue
from tests import fakes

WORKER = delegate.Delegation(user_id='worker', trustor_id='alice',
                             role='member', lifetime=3600)

#: What a trust is for whose run was never there.
NOTHING = identity.Errand('r', fakes.new_id(3), 'p')
_TASK = 'OS-EXT-STS:task_state'
#: When the time of the fakes begins, in seconds since the epoch.
START = fakes.seconds(0)


class Access:
    """Tokens for trusts, without the Keystone that gives them."""

    def __init__(self, openstack):
        self.openstack = openstack
        self.tokens = []
        self.refused = None

    def trusts(self):
        return self.openstack.cloud().identity.trusts_to('worker')

    def cloud(self, trust):
        if self.refused is not None:
            raise self.refused
        self.tokens.append(trust.id)
        if trust.uses:
            self.openstack.trusts[trust.id]['remaining_uses'] -= 1
        return self.openstack.cloud()


@pytest.fixture
def access(openstack):
    return Access(openstack)


@pytest.fixture
def worker(access):
    return workers.Worker(access, partition.Share(), metrics.Counters(),
                          interval=0.02)


@pytest.fixture
def at_work(worker):
    """The worker, in threads of its own until the test is over."""
    stop = threading.Event()
    thread = threading.Thread(target=worker.work, args=(stop, 4))
    thread.start()
    yield worker
    stop.set()
    worker.wake()
    thread.join(10)
    assert not thread.is_alive()


def handed_on(openstack, server=None, **options):
    """A server with a run that was handed on."""
    server = server or openstack.server()
    cloud = openstack.cloud()
    run = lifecycle.begin(
        cloud, cloud.compute.server(server['id']),
        lifecycle.new_plan('snap', '', requested_by='alice', **options))
    return server, delegate.hand_on(cloud, run, WORKER)


def recorded(openstack, server):
    return journal.read(openstack.cloud().compute.server(server['id']))


def until(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.01)


def test_a_trust_names_as_little_as_the_work_needs(openstack):
    _server, run = handed_on(openstack)
    (trust,) = openstack.trusts.values()
    assert run.progress.trust_id == trust['id']
    assert trust['roles'] == [{'name': 'member'}]
    assert trust['project_id'] == fakes.PROJECT
    assert trust['impersonation'] and not trust['allow_redelegation']
    expires = identity.Trust.from_api(trust).expires
    assert 3500 < expires - time.time() < 3700


def test_two_trusts_of_one_moment_differ(openstack):
    def moment():
        return 1_800_000_000
    for _ in range(2):
        delegate.probe(openstack.cloud(), WORKER, moment)
    assert len(openstack.trusts) == 2


def test_a_run_that_cannot_be_handed_on_leaves_no_trust(openstack):
    openstack.faults['POST', 'metadata$'] = 409
    cloud = openstack.cloud()
    server = cloud.compute.server(openstack.server()['id'])
    run = record.Run(server, lifecycle.new_plan('n', '', requested_by='alice'),
                     record.Progress())
    with pytest.raises(errors.Conflict):
        delegate.hand_on(cloud, run, WORKER)
    assert openstack.trusts == {}


def test_an_undisturbed_run_costs_few_calls(openstack, access, request):
    server, _run = handed_on(openstack, power_off=True, power_on=True,
                             was_running=True)
    before = len(openstack.calls)
    request.getfixturevalue('at_work')
    until(lambda: server[_TASK] == 'powering-off')
    openstack.did(server, 'stop')
    server.update({'status': 'SHUTOFF', _TASK: None})
    until(lambda: server[_TASK] == 'image_snapshot_pending')
    (image,) = openstack.images.values()
    fakes.finish(image)
    server[_TASK] = None
    until(lambda: server[_TASK] == 'powering-on')
    openstack.did(server, 'start')
    server.update({'status': 'ACTIVE', _TASK: None})
    until(lambda: not openstack.trusts)
    assert not recorded(openstack, server).open
    calls = openstack.calls[before:]
    writes = [call for call in calls if call[0] != 'GET']
    # Its own record five times, what is owed and the index three times, what
    # it is about three times, the trust.
    assert len(writes) <= 12
    # And one token, and no list of runs.
    assert access.tokens == [recorded(openstack, server).progress.trust_id]
    assert not [path for method, path, _ in calls
                if path.endswith('/servers/detail')]


def looks(worker, monkeypatch, trust_id, *, number, seconds):
    """Let a worker look for what a trust is for, over some time."""
    now = time.monotonic()
    worker._list_trusts()
    for look in range(number):
        monkeypatch.setattr(time, 'monotonic', lambda look=look: (
            now + seconds * look / (number - 1)))
        worker._find_run(trust_id)
    monkeypatch.undo()


@pytest.mark.parametrize('change', [
    lambda openstack, server: openstack.servers.clear(),
    lambda openstack, server: (server['metadata'].clear(),
                               server['tags'].clear())])
def test_a_trust_whose_run_is_not_to_be_seen_is_taken_back_after_a_while(
        openstack, worker, monkeypatch, change):
    server, run = handed_on(openstack)
    change(openstack, server)
    looks(worker, monkeypatch, run.progress.trust_id, number=4, seconds=50)
    assert openstack.trusts
    looks(worker, monkeypatch, run.progress.trust_id, number=4, seconds=61)
    assert not openstack.trusts


def test_a_trust_whose_run_is_over_is_taken_back_at_once(openstack, worker):
    server, run = handed_on(openstack)
    server['metadata']['snapshot_dashboard.ended_at'] = '1'
    worker.once()
    assert not openstack.trusts


def test_a_run_that_is_not_seen_for_a_moment_is_followed_afterwards(
        openstack, worker, monkeypatch):
    """A look may be older than the record, or go to a cell that is down."""
    server, run = handed_on(openstack)
    kept = dict(server)
    server['metadata'], server['tags'] = {}, []
    looks(worker, monkeypatch, run.progress.trust_id, number=3, seconds=40)
    server.update(kept)
    looks(worker, monkeypatch, run.progress.trust_id, number=2, seconds=40)
    assert openstack.trusts
    assert worker._queue._jobs['run', run.progress.trust_id]() is not None
    assert openstack.actions() == ['createImage']


def test_a_record_of_a_later_version_keeps_its_trust(openstack, worker,
                                                     monkeypatch, caplog):
    server, run = handed_on(openstack)
    server['metadata']['snapshot_dashboard.plan'] = '{"v":99}'
    looks(worker, monkeypatch, run.progress.trust_id, number=9, seconds=9999)
    assert openstack.trusts and openstack.actions() == []
    assert 'another version' in caplog.text


def test_a_cell_that_is_down_keeps_its_trust(openstack, worker, monkeypatch):
    server, run = handed_on(openstack)
    for name in ('metadata', 'tags', 'flavor', 'image'):
        del server[name]
    server['status'] = 'UNKNOWN'
    looks(worker, monkeypatch, run.progress.trust_id, number=9, seconds=9999)
    assert openstack.trusts


def test_a_gateways_404_keeps_run_and_trust(openstack, worker, monkeypatch):
    server, run = handed_on(openstack)
    openstack.faults['GET', '/servers/'] = (404, '<h1>Not here</h1>')
    looks(worker, monkeypatch, run.progress.trust_id, number=9, seconds=9999)
    assert openstack.trusts


def test_what_a_deleted_server_left_is_removed_when_that_is_certain(
        openstack, worker, monkeypatch):
    server, run = handed_on(openstack)
    worker._list_trusts()
    worker._find_run(run.progress.trust_id)
    job = worker._queue._jobs['run', run.progress.trust_id]
    job()
    (image,) = openstack.images.values()
    del openstack.servers[server['id']]
    job()
    job()
    assert image['id'] in openstack.images and openstack.trusts
    # What was asked for before it went may still have come about.
    for grace in ('ANSWER_GRACE', 'IDLE_GRACE'):
        monkeypatch.setattr(situation, grace, 1)
    later = time.monotonic() + 61
    monkeypatch.setattr(time, 'monotonic', lambda: later)
    while job() is not None:
        assert openstack.trusts
    assert openstack.images == {} and not openstack.trusts


def test_trusts_of_others_are_left_alone(openstack, worker):
    body = {'trustor_user_id': 'alice', 'trustee_user_id': 'worker',
            'project_id': fakes.PROJECT, 'expires_at': None,
            'remaining_uses': None, 'id': 't'}
    for number, extra in enumerate((
            {}, {'snapshot_dashboard': 'x'},
            {'snapshot_dashboard': {'run_id': 7}},
            {'snapshot_dashboard': {'run_id': 'x' * 65}})):
        openstack.trusts[f't{number}'] = {**body, **extra}
    worker.once()
    assert len(openstack.trusts) == 4
    assert openstack.calls[-1][1].endswith('/OS-TRUST/trusts')


def test_a_worker_follows_the_run_alone_that_its_trust_was_made_for(
        openstack, worker):
    """Whoever else begins one, and whatever trust that names."""
    server, run = handed_on(openstack)
    cloud = openstack.cloud()
    other = openstack.server('other')
    lifecycle.begin(cloud, cloud.compute.server(other['id']),
                    lifecycle.new_plan('theirs', '', requested_by='mallory'))
    other['metadata']['snapshot_dashboard.trust_id'] = run.progress.trust_id
    worker.once()
    assert [path for method, path, _ in openstack.calls
            if path.endswith('/action')] == [
                f'/v2.1/servers/{server["id"]}/action']


@pytest.mark.parametrize('status', ['ACTIVE', 'SHUTOFF'])
def test_a_plan_that_somebody_changed_is_not_carried_out(openstack, worker,
                                                         status):
    server, run = handed_on(openstack, power_on=True, power_off=True,
                            was_running=True)
    server['metadata']['snapshot_dashboard.name'] = 'something else'
    server['status'] = status
    if status == 'SHUTOFF':
        server['metadata']['snapshot_dashboard.stop_count'] = '1'
    worker.once()
    # But what it took away comes back.
    assert openstack.actions() == (
        ['os-start'] if status == 'SHUTOFF' else [])
    assert recorded(openstack, server).progress.failure == 'record-lost'


def test_one_trust_without_access_keeps_a_timer_from_no_other(
        openstack, worker, access, caplog):
    lost = delegate._trust(openstack.cloud(), WORKER, 60, time.time, NOTHING)
    handed_on(openstack)
    cloud = access.cloud

    def some(trust):
        if trust.id == lost.id:
            raise errors.Forbidden('identity', 'Trustor is disabled', 403)
        return cloud(trust)
    access.cloud = some
    worker.once()
    assert openstack.actions() == ['createImage']
    assert 'Trustor is disabled' in caplog.text


def test_a_run_that_follows_another_on_its_server_is_followed_too(
        openstack, worker, monkeypatch):
    server, first = handed_on(openstack)
    worker._list_trusts()
    worker._find_run(first.progress.trust_id)
    lifecycle.dismiss(openstack.cloud(), server['id'])
    _server, second = handed_on(openstack, server)
    worker._list_trusts()
    worker._find_run(second.progress.trust_id)
    jobs = worker._queue._jobs
    assert jobs['run', first.progress.trust_id]() is None
    assert jobs['run', second.progress.trust_id]() is not None
    looks(worker, monkeypatch, first.progress.trust_id, number=4, seconds=61)
    assert list(openstack.trusts) == [second.progress.trust_id]


def test_a_question_is_answered_by_taking_its_trust_back(openstack, worker):
    server, run = handed_on(openstack)
    asked = delegate.probe(openstack.cloud(), WORKER)
    assert not openstack.cloud().identity.is_gone(asked)
    worker.once()
    assert openstack.cloud().identity.is_gone(asked)
    assert run.progress.trust_id in openstack.trusts


@pytest.mark.parametrize('fault', [('GET', '/servers/detail'),
                                   ('GET', '/v2/images')])
def test_a_worker_that_reaches_no_service_answers_nothing(openstack, worker,
                                                          fault):
    asked = delegate.probe(openstack.cloud(), WORKER)
    openstack.faults[fault] = 503
    worker.once()
    assert not openstack.cloud().identity.is_gone(asked)
    del openstack.faults[fault]
    worker.once()
    assert openstack.cloud().identity.is_gone(asked)


def test_many_that_look_in_the_wrong_place_do_not_use_a_question_up(
        openstack, access):
    asked = delegate.probe(openstack.cloud(), WORKER)
    openstack.faults['GET', '/servers/detail'] = 503
    for _ in range(50):
        workers.Worker(access, partition.Share(), metrics.Counters()).once()
    assert access.tokens.count(asked) == 50
    assert not openstack.cloud().identity.is_gone(asked)


def test_a_wrong_password_is_tried_more_and_more_seldom(access, worker,
                                                        monkeypatch):
    right = access.trusts

    def refused():
        raise errors.Unauthorized('identity', 'wrong', 401)
    monkeypatch.setattr(access, 'trusts', refused)
    assert [worker._list_trusts() for _ in range(3)] == [10, 20, 40]
    monkeypatch.setattr(access, 'trusts', right)
    assert worker._list_trusts() < 10
    monkeypatch.setattr(access, 'trusts', refused)
    assert worker._list_trusts() == 10


def test_a_user_who_has_lost_the_role_is_told_and_may_get_it_back(
        openstack, at_work, caplog, monkeypatch):
    monkeypatch.setattr(backoff, '_LOCKED_OUT', (0.05, 600))
    server, run = handed_on(openstack)
    until(lambda: openstack.images)
    openstack.faults['GET', server['id']] = 403
    until(lambda: 'gives no access any more' in caplog.text)
    assert run.progress.trust_id in caplog.text
    del openstack.faults['GET', server['id']]
    fakes.finish(next(iter(openstack.images.values())))
    server[_TASK] = None
    until(lambda: not openstack.trusts)
    assert not recorded(openstack, server).open


def test_a_trust_that_was_taken_back_is_not_tried_again(openstack, access,
                                                        worker, caplog):
    """An older list still has it."""
    server, run = handed_on(openstack)
    server['metadata']['snapshot_dashboard.ended_at'] = '1'
    listed = access.trusts()
    worker._list_trusts()
    worker._find_run(run.progress.trust_id)
    assert openstack.trusts == {}
    access.trusts = lambda: listed
    worker._list_trusts()
    assert worker._tracked == {}
    access.trusts = lambda: []
    worker._list_trusts()
    assert worker._taken_back == set()


def test_what_anybody_wrote_into_a_record_makes_no_label_and_no_line(
        openstack):
    assert failures.known('made up\nnow') == 'other'
    assert failures.known('stop-failed') == 'stop-failed'
    assert failures.known('') == ''
    server, _run = handed_on(openstack)
    plan = json.loads(server['metadata']['snapshot_dashboard.plan'])
    server['metadata']['snapshot_dashboard.plan'] = json.dumps(
        {**plan, 'id': 'x\nERROR all is lost'})
    assert recorded(openstack, server) is None


def test_an_expired_trust_is_not_used(openstack, access, worker):
    delegate.probe(openstack.cloud(), WORKER, lambda: time.time() - 3600)
    worker.once()
    assert access.tokens == []


@pytest.mark.parametrize('error', [
    errors.Unauthorized('identity', 'gone', 401),
    errors.Forbidden('identity', 'Trustor is disabled', 403),
    errors.NotFound('identity', 'no such trust', 404)])
def test_a_trust_that_gives_no_access_is_logged_and_left_for_a_while(
        openstack, access, at_work, caplog, error):
    access.refused = error
    caplog.set_level(logging.INFO)
    _server, run = handed_on(openstack)
    until(lambda: 'gives no access' in caplog.text)
    assert run.progress.trust_id in caplog.text and error.detail in caplog.text
    assert openstack.actions() == []
    # Until it goes, with its user or project, or when it expires.
    openstack.trusts.clear()
    until(lambda: 'is gone' in caplog.text)


def test_a_run_that_was_dismissed_is_let_go(openstack, at_work, monkeypatch):
    monkeypatch.setattr(workers, '_DOUBT', 0.1)
    monkeypatch.setattr(backoff, 'AFTER_ABSENCE', 0.05)
    server, run = handed_on(openstack)
    until(lambda: server[_TASK] == 'image_snapshot_pending')
    server['tags'].clear()
    server['metadata'].clear()
    server[_TASK] = None
    until(lambda: run.progress.trust_id not in openstack.trusts)


def test_a_service_that_is_down_is_asked_again(openstack, at_work, caplog):
    openstack.faults['POST', 'action$'] = 503
    server, _run = handed_on(openstack)
    until(lambda: '503' in caplog.text)
    openstack.faults.clear()
    until(lambda: recorded(openstack, server).progress.capture_count)


def test_the_pause_is_a_share_of_the_wait():
    server = object()
    away = record.Run(server, record.Plan('r'), record.Progress(
        stop_count=1, off_at=5))
    there = record.Run(server, record.Plan('r'), record.Progress())
    # What it adds to the time away is small, from the first second on.
    assert backoff.after_look(away, 0) <= 0.2
    for seconds in (10, 60, 600):
        assert backoff.after_look(away, seconds) <= 0.05 * seconds
    assert backoff.after_look(away, 1e6) <= 30
    assert backoff.after_look(there, 0) >= 1
    assert backoff.after_look(there, 1e6) <= 60
    # A thousand runs share the looks.
    assert backoff.after_look(away, 0, others=999) >= 999 / backoff.RATE
    assert [backoff.after_error(number) for number in (1, 2, 3, 99)] == [
        1, 2, 4, 60]
    assert backoff.after_lockout(99) == 600


def test_a_job_is_in_one_hand_only_and_again_after_its_delay():
    queue, stop = workqueue.WorkQueue(), threading.Event()
    hands, most, times = [], [], []

    def job():
        hands.append(1)
        most.append(len(hands))
        threading.Event().wait(0.01)
        hands.pop()
        times.append(time.monotonic())
        if len(times) == 5:
            stop.set()
        return 0.02

    queue.add('key', job)
    queue.add('key', job)
    queue.work(stop, 4)
    assert set(most) == {1}
    assert all(later - earlier >= 0.02
               for earlier, later in zip(times, times[1:]))


def test_a_job_that_is_added_while_the_old_one_ends_is_done():
    queue, stop = workqueue.WorkQueue(), threading.Event()

    def old():
        queue.add('key', stop.set)

    queue.add('key', old)
    timer = threading.Timer(5, stop.set)
    timer.start()
    queue.work(stop, 2)
    assert timer.is_alive()  # it was the job that ended it
    timer.cancel()


def test_a_trust_that_comes_back_has_its_run_followed_again(openstack,
                                                            access):
    class Fickle(partition.Share):
        gives = True

        def of(self, trust_ids):
            return set(trust_ids) if self.gives else set()

    fickle = Fickle()
    worker = workers.Worker(access, fickle, metrics.Counters(), 0.02)
    server, run = handed_on(openstack)
    trust_id = run.progress.trust_id
    worker._list_trusts()
    worker._find_run(trust_id)
    followed = worker._queue._jobs['run', trust_id]
    fickle.gives = False
    worker._list_trusts()
    fickle.gives = True
    worker._list_trusts()
    # While there is no token yet, it is waited for.
    assert followed() == 0.02
    worker._find_run(trust_id)
    assert followed() is not None
    assert openstack.actions() == ['createImage']


def test_what_is_late_for_want_of_threads_is_counted_and_dropped_at_the_end():
    late, done, stop = [], [], threading.Event()
    queue = workqueue.WorkQueue(lambda seconds, by_share: late.append(seconds))

    def slow(number):
        time.sleep(0.1)
        done.append(number)
        if len(done) == 3:
            stop.set()
            queue.wake()

    for number in range(10):
        queue.add(number, functools.partial(slow, number))
    queue.work(stop, 1)
    assert max(late) > 0.15
    assert len(done) < 5


def test_who_waits_for_its_own_share_is_counted_apart():
    begun, stop, full = [], threading.Event(), threading.Event()
    queue = workqueue.WorkQueue(
        lambda seconds, by_share: begun.append(by_share))

    def job():
        if len(begun) >= 4:  # all threads have something
            full.set()
        full.wait(10)
        if len(begun) == 8:
            stop.set()
            queue.wake()
    for number in range(6):
        queue.add(number, job, owner='busy')
    for number in range(2):
        queue.add(f'other-{number}', job, owner='other')
    queue.work(stop, 4)
    assert begun == 4 * [False] + 4 * [True]


def test_one_owners_endless_jobs_leave_threads_for_the_others():
    queue, stop = workqueue.WorkQueue(), threading.Event()
    over = threading.Event()
    begun, seen = [], []

    def endless():
        begun.append(1)
        over.wait(10)

    def brief():
        if len(begun) < 2:
            return 0.01
        seen.append(len(begun))
        stop.set()
        over.set()
        return None

    for number in range(20):
        queue.add(number, endless, owner='hostile')
    queue.add('brief', brief, owner='victim')
    queue.work(stop, 4)
    assert seen == [2]  # as many as may be were in hand, and no more


def test_the_next_job_is_of_the_owner_who_has_the_fewest_in_hand():
    queue, stop = workqueue.WorkQueue(), threading.Event()
    over = threading.Event()
    done, first = [], threading.Event()

    def job(owner):
        done.append(owner)
        if len(done) == 2:  # all threads have something
            queue.add('victim', victim, owner='victim')
            first.set()
        (over if len(done) < 2 else first).wait(10)

    def victim():
        done.append('victim')
        over.set()
        stop.set()

    for number in range(9):
        for owner in ('one', 'two'):
            queue.add((owner, number), functools.partial(job, owner),
                       owner=owner)
    queue.work(stop, 2)
    assert done.index('victim') <= 3


def test_jobs_that_are_dropped_while_they_wait_take_nobodys_turn():
    queue, stop = workqueue.WorkQueue(), threading.Event()
    over = threading.Event()
    begun = []

    def endless():
        begun.append(1)
        if len(begun) == 2:
            for number in range(8):
                queue.drop(f'waits-{number}')
            queue.add('power on', stop.set, owner='p')
            over.set()
        over.wait(10)

    for number in range(2):
        queue.add(number, endless, owner='p')
    for number in range(8):
        queue.add(f'waits-{number}', functools.partial(begun.append, 'no'),
                   owner='p')
    timer = threading.Timer(5, lambda: (stop.set(), queue.wake()))
    timer.start()
    queue.work(stop, 4)
    assert timer.is_alive() and 'no' not in begun
    timer.cancel()


def test_what_waited_for_its_owners_share_is_done_in_turn():
    queue, stop, done = workqueue.WorkQueue(), threading.Event(), []

    def job(number):
        done.append(number)
        if len(done) == 20:
            stop.set()
    for number in range(20):
        queue.add(number, functools.partial(job, number), owner='one')
    queue.work(stop, 2)
    assert done == list(range(20)) and len(queue._jobs) == 0


def test_who_follows_much_is_looked_at_less_often_not_the_others():
    queue = workqueue.WorkQueue()
    queue.add('trusts', lambda: None)
    for number in range(1000):
        queue.add(number, lambda: None, owner='hostile')
    queue.add('run', lambda: None, owner='victim')
    assert (queue.crowd('hostile'), queue.crowd('victim')) == (2000, 2)
    queue.drop('run')
    assert queue.crowd('hostile') == 1000


@pytest.mark.parametrize('expires', [
    None, '2199-01-01T00:00:00.000000Z', 25 * 3600])
def test_a_trust_that_lasts_too_long_is_not_acted_on(
        openstack, worker, access, caplog, expires):
    _server, run = handed_on(openstack)
    (trust,) = openstack.trusts.values()
    trust['expires_at'] = expires if isinstance(
        expires, str | None) else fakes.stamp(
            time.time() - START + expires)
    for _ in range(3):
        worker._list_trusts()
        assert worker._tracked == {} and access.tokens == []
    assert caplog.text.count('lasts longer than 24 hours') == 1
    # It is not ours to delete.
    assert run.progress.trust_id in openstack.trusts


def test_a_trust_of_a_clock_that_is_ahead_a_little_is_acted_on(openstack,
                                                              worker):
    handed_on(openstack)
    (trust,) = openstack.trusts.values()
    trust['expires_at'] = fakes.stamp(time.time() - START + 24.1 * 3600)
    worker._list_trusts()
    assert len(worker._tracked) == 1


def test_who_would_hand_on_for_too_long_is_promised_nothing(openstack, worker,
                                                            access, caplog):
    delegate.probe(openstack.cloud(), dataclasses.replace(
        WORKER, lifetime=48 * 3600))
    worker._list_trusts()
    assert worker._tracked == {} and len(openstack.trusts) == 1
    assert 'lasts longer than 24 hours' in caplog.text
    delegate.probe(openstack.cloud(), WORKER)
    worker._list_trusts()
    assert len(worker._tracked) == 1


def test_what_was_not_asked_for_is_no_problem_of_a_run(openstack, worker,
                                                       access, monkeypatch):
    _server, run = handed_on(openstack)
    worker._list_trusts()
    worker._find_run(run.progress.trust_id)
    look = worker._queue._jobs['run', run.progress.trust_id]

    def rest(*_, **__):
        raise errors.Resting('compute', 7.0)
    monkeypatch.setattr(workers, '_server', rest)
    assert [look() for _ in range(5)] == [7.0] * 5


def test_once_is_one_of_each_project_in_turn():
    held = [
        workers._TrackedTrust(identity.Trust(name, 'u', name[0], None, None),
                                  NOTHING)
                                  for name in ('a1', 'a2', 'a3', 'b1', 'c1')]
    assert [one.trust.id for one in workers._in_turns(held)] == [
        'a1', 'b1', 'c1', 'a2', 'a3']


def test_trusts_that_do_not_change_are_looked_for_less_often():
    assert backoff.after_list(2, 0, 0.1) == 2
    assert backoff.after_list(2, 60, 0.1) == 3
    # A user who asks whether a worker is there must hear in time.
    assert backoff.after_list(2, 1e6, 0.1) == 5
    assert backoff.after_list(2, 0, 1) == 4
    assert backoff.after_list(2, 0, 30) == 5


def test_new_trusts_are_looked_for_quickly_again(openstack, worker,
                                                 monkeypatch):
    now = [time.monotonic()]
    monkeypatch.setattr(time, 'monotonic', lambda: now[0])
    worker._interval = 2
    worker._list_trusts()
    now[0] += 600
    assert worker._list_trusts() == 5
    handed_on(openstack)
    assert worker._list_trusts() == 2


def test_no_service_sets_a_cookie_for_all_users(requests_mock):
    reach = trust_sessions.Access(mock.Mock(), 4, 5.0)
    requests_mock.get('http://nova.test/', headers={
        'Set-Cookie': 'session=of-another; Path=/'})
    for _ in range(2):
        reach._http.get('http://nova.test/')
    assert not reach._http.cookies
    assert 'Cookie' not in requests_mock.last_request.headers


def test_a_fault_in_a_job_does_not_end_the_others(caplog):
    queue, stop = workqueue.WorkQueue(), threading.Event()

    def faulty():
        raise ZeroDivisionError

    queue.add('faulty', faulty)
    queue.add('good', stop.set, 0.05)
    queue.work(stop, 1)
    assert 'Unhandled error in job' in caplog.text
    assert len(queue._jobs) == 1


def test_a_coordinator_that_is_not_there_leaves_everything_to_everyone():
    shared = partition.Shared('redis://127.0.0.1:1')
    # At once: to find out that it is not there may take a minute.
    assert shared.of({'a', 'b'}) == {'a', 'b'}


@pytest.mark.parametrize('url', ['redis', 'pigeon://loft', 'zookeeper://z'])
def test_a_coordinator_that_cannot_be_is_told(url):
    """The last one's client is not installed."""
    with pytest.raises(ValueError, match=url):
        partition.Shared(url)


def test_a_coordinators_password_is_not_told(monkeypatch, caplog):
    with pytest.raises(ValueError, match='pigeon') as raised:
        partition.Shared('pigeon://keeper:s3%40cret@loft')
    assert 's3' not in str(raised.value)

    def refuse(url, name):
        if threading.current_thread() is not threading.main_thread():
            raise OSError(f'{url}: s3@cret is wrong')
        return mock.Mock()
    monkeypatch.setattr(partition.coordination, 'get_coordinator', refuse)
    shared = partition.Shared('redis://:s3%40cret@127.0.0.1:1')
    until(lambda: 'does not answer' in caplog.text)
    shared.leave()
    assert 's3' not in caplog.text and '127.0.0.1:1' in caplog.text


def test_two_on_one_machine_share_by_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr(partition, '_INTERVAL', 0.05)
    trusts = {f'trust-{number}' for number in range(40)}
    both = [partition.Shared(f'file://{tmp_path}') for _ in range(2)]
    until(lambda: not both[0].of(trusts) & both[1].of(trusts))
    first, second = (one.of(trusts) for one in both)
    assert first | second == trusts and first and second
    both[0].leave()
    until(lambda: both[1].of(trusts) == trusts)
    both[1].leave()


def test_log_lines_for_machines_name_run_server_and_step():
    code = (
        'import logging; from snapshot_dashboard.worker import main;'
        'main._log(True);'
        'logging.getLogger("x").info("Run %s", "r", extra={"run": "r"})')
    done = subprocess.run([sys.executable, '-c', code], capture_output=True,
                          text=True, check=True)
    line = json.loads(done.stderr)
    assert (line['message'], line['run']) == ('Run r', 'r')
    assert (line['level'], line['logger']) == ('INFO', 'x')
    assert line['time']
