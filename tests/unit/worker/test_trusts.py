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

"""The worker finds its work in trusts, and trusts none too far."""

import dataclasses
import logging
import time

import pytest

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import identity
from snapshot_dashboard.runs import delegate
from snapshot_dashboard.worker import backoff
from snapshot_dashboard.worker import metrics
from snapshot_dashboard.worker import partition
from snapshot_dashboard.worker import worker as workers
from tests import fakes
from tests.unit.worker.handing_on import NOTHING
from tests.unit.worker.handing_on import WORKER
from tests.unit.worker.handing_on import handed_on
from tests.unit.worker.handing_on import looks
from tests.unit.worker.handing_on import recorded
from tests.unit.worker.handing_on import until

_TASK = 'OS-EXT-STS:task_state'
#: When the time of the fakes begins, in seconds since the epoch.
START = fakes.seconds(0)


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


def test_one_trust_without_access_keeps_a_timer_from_no_other(
        openstack, worker, access, caplog):
    lost = delegate.trust(openstack.cloud(), WORKER, time.time, NOTHING, 60)
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


def test_once_is_one_of_each_project_in_turn():
    held = [
        workers._TrackedTrust(identity.Trust(name, 'u', name[0], None, None),
                                  NOTHING)
                                  for name in ('a1', 'a2', 'a3', 'b1', 'c1')]
    assert [one.trust.id for one in workers._in_turns(held)] == [
        'a1', 'b1', 'c1', 'a2', 'a3']


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
