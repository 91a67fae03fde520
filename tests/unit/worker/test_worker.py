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

"""The worker goes on with runs, and what becomes of them."""

import json
import time

import pytest

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.runs import failures
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import situation
from snapshot_dashboard.worker import backoff
from snapshot_dashboard.worker import worker as workers
from snapshot_dashboard.worker import workqueue
from tests import fakes
from tests.unit.worker.handing_on import handed_on
from tests.unit.worker.handing_on import looks
from tests.unit.worker.handing_on import recorded
from tests.unit.worker.handing_on import until

_TASK = 'OS-EXT-STS:task_state'


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
    # At a look while Nova is at work it asks for no images.
    assert [path for _, path, _ in calls].count('/v2/images') <= 6
    # And one token, and no list of runs.
    assert access.tokens == [recorded(openstack, server).progress.trust_id]
    assert not [path for method, path, _ in calls
                if path.endswith('/servers/detail')]


def test_runs_of_a_project_that_wait_cost_one_call_together(openstack, worker):
    servers = [handed_on(openstack)[0] for _ in range(5)]
    worker._list_trusts()
    jobs = []
    for trust in list(openstack.trusts):
        worker._find_run(trust)
        jobs.append(worker._queue._jobs['run', trust])
    for job in jobs:
        job()
    assert [job() for job in jobs] == [backoff.LISTED] * 5
    openstack.calls.clear()
    (project,) = {server['tenant_id'] for server in servers}
    assert worker._queue._jobs['project', project]() == backoff.LIST
    assert len(openstack.calls) == 1


def test_a_trust_that_vanishes_while_its_run_is_looked_at_is_not_watched(
        openstack, worker, monkeypatch):
    handed_on(openstack)
    _, run = handed_on(openstack)
    trust_id = run.progress.trust_id
    worker._list_trusts()
    worker._find_run(trust_id)
    job = worker._queue._jobs['run', trust_id]
    job()
    look = worker._advance

    def vanishes(*arguments):
        worker._forget(trust_id)
        return look(*arguments)
    monkeypatch.setattr(worker, '_advance', vanishes)
    job()
    assert worker._queue._jobs['run', trust_id] is job
    assert job() is None
    assert not worker._watch._project_ids


def test_a_run_whose_trust_comes_back_is_looked_at_at_once(openstack, worker):
    _, run = handed_on(openstack)
    trust_id = run.progress.trust_id
    worker._list_trusts()
    held = worker._tracked[trust_id]
    worker._find_run(trust_id)
    key = 'run', trust_id
    with worker._queue._changed:
        worker._queue._plan(key, worker._queue._jobs[key], backoff.LISTED)
    worker._forget(trust_id)
    worker._tracked[trust_id] = held
    worker._find_run(trust_id)
    assert worker._queue._plans[key].at <= time.monotonic()


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


def test_who_follows_much_is_looked_at_less_often_not_the_others():
    queue = workqueue.WorkQueue()
    queue.add('trusts', lambda: None)
    for number in range(1000):
        queue.add(number, lambda: None, owner='hostile')
    queue.add('run', lambda: None, owner='victim')
    assert (queue.crowd('hostile'), queue.crowd('victim')) == (2000, 2)
    queue.drop('run')
    assert queue.crowd('hostile') == 1000


def test_what_was_not_asked_for_is_no_problem_of_a_run(openstack, worker,
                                                       access, monkeypatch):
    _server, run = handed_on(openstack)
    worker._list_trusts()
    worker._find_run(run.progress.trust_id)
    look = worker._queue._jobs['run', run.progress.trust_id]

    def rest(*_, **__):
        raise errors.Resting('compute', 7.0)
    monkeypatch.setattr(workers, '_server', rest)
    look()  # as its server was found
    assert [look() for _ in range(5)] == [7.0] * 5
