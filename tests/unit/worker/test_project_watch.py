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

"""One list tells which of a project's runs go on."""

import pytest

from snapshot_dashboard.cloud import types
from snapshot_dashboard.worker import backoff
from snapshot_dashboard.worker import project_watch
from tests import fakes

_TASK = 'OS-EXT-STS:task_state'


class Queue:
    """What would be done, and when."""

    def __init__(self):
        self.jobs, self.hastened, self.urgent = {}, [], []
        self.delays = []

    def add(self, key, job, delay, owner, urgent):
        assert urgent
        self.jobs.setdefault(key, job)

    def hasten(self, key, urgent=False, delay=0):
        self.hastened.append(key[1])
        self.delays.append(delay)
        self.urgent += [key[1]] if urgent else []

    def list(self):
        """The look at the one project that there is."""
        ((key, job),) = self.jobs.items()
        pause = job()
        if pause is None:
            del self.jobs[key]
        return pause


@pytest.fixture
def queue():
    return Queue()


@pytest.fixture
def failed():
    """The services of which lists have failed."""
    return []


@pytest.fixture
def watch(openstack, queue, failed):
    """A watch; whose trust is called ``none`` has no access."""
    return project_watch.ProjectWatch(
        queue, lambda trust: None if trust == 'none' else openstack.cloud(),
        failed.append, 50)


@pytest.fixture
def later(monkeypatch):
    """Lets time pass."""
    began, passed = project_watch.time.monotonic(), [0.0]
    monkeypatch.setattr(project_watch.time, 'monotonic',
                        lambda: began + passed[0])

    def pass_time(seconds):
        passed[0] += seconds
    return pass_time


def busy(openstack, at=100):
    return openstack.server(**{_TASK: 'image_uploading',
                               'updated': fakes.stamp(at)})


def waits(watch, trust_id, server):
    return watch.waits(trust_id, types.Server.from_api(server))


def goes_on(server, at):
    server.update({_TASK: None, 'updated': fakes.stamp(at)})


def both(watch, openstack, first='first', at=100):
    """Two runs of a project that wait."""
    servers = busy(openstack, at), busy(openstack, at)
    assert not waits(watch, first, servers[0])
    assert waits(watch, 'second', servers[1])
    assert waits(watch, first, servers[0])
    return servers


def test_a_run_that_is_alone_in_its_project_is_not_watched(openstack, watch,
                                                           queue):
    assert not waits(watch, 'only', busy(openstack))
    assert not queue.jobs


def test_one_call_tells_which_of_many_goes_on(openstack, watch, queue):
    servers = [busy(openstack) for _ in range(20)]
    for number, server in enumerate(servers):
        waits(watch, f'trust-{number}', server)
    goes_on(servers[7], 130)
    openstack.calls.clear()
    assert queue.list() == backoff.LIST
    assert queue.hastened == ['trust-7']
    assert len(openstack.calls) == 1


def test_who_is_looked_at_is_told_how_its_server_is(openstack, watch, queue,
                                                    later):
    """That saves the call; but only for a moment."""
    first, second = both(watch, openstack)
    goes_on(first, 130)
    goes_on(second, 130)
    queue.list()
    assert watch.goes_on('first').task_state is None
    assert watch.goes_on('first') is None
    later(backoff.MOMENT)
    assert watch.goes_on('second') is None


def test_a_list_that_took_long_tells_of_no_moment_ago(openstack, watch, queue,
                                                      later):
    first, _ = both(watch, openstack)
    goes_on(first, 130)
    openstack.meanwhile['GET', '/servers/detail'] = lambda: later(5)
    queue.list()
    assert queue.hastened == ['first'] and watch.goes_on('first') is None


def test_a_list_that_is_older_than_a_look_tells_nothing(openstack, watch,
                                                        queue):
    """Somebody has looked meanwhile, and waits for something else by now."""
    first, _ = both(watch, openstack)
    goes_on(first, 130)

    def look():
        openstack.meanwhile.clear()
        watch.goes_on('first')
        first.update({_TASK: 'powering-on', 'updated': fakes.stamp(131)})
        waits(watch, 'first', first)
        goes_on(first, 130)
    openstack.meanwhile['GET', '/servers/detail'] = look
    queue.list()
    assert not queue.hastened
    assert watch.goes_on('first') is None


def test_what_changed_while_nobody_waited_is_listed_after_a_while(
        openstack, watch, queue, later):
    """As by a host whose clock is far behind."""
    first, second = both(watch, openstack)
    watch.goes_on('first')
    waits(watch, 'third', busy(openstack, 100))
    goes_on(second, 300)
    queue.list()
    waits(watch, 'first', first)
    goes_on(first, 120)
    queue.list()
    assert 'first' not in queue.hastened
    later(project_watch._ALL_EVERY)
    queue.list()
    assert 'first' in queue.hastened


def test_what_is_off_comes_first(openstack, watch, queue):
    """It is away meanwhile, and the other one is back."""
    first, second = both(watch, openstack)
    goes_on(first, 130)
    goes_on(second, 130)
    second['status'] = 'SHUTOFF'
    queue.list()
    assert sorted(queue.hastened) == ['first', 'second']
    assert queue.urgent == ['second']


def test_nobody_is_looked_at_while_nothing_goes_on(openstack, watch, queue):
    both(watch, openstack)
    queue.list()
    queue.list()
    assert not queue.hastened


def test_what_changed_long_ago_is_not_listed_again(openstack, watch, queue,
                                                   monkeypatch):
    """However many servers there are: they would be more than one list."""
    monkeypatch.setattr(project_watch, '_MOST', 3)
    for at in range(50):
        openstack.server(updated=fakes.stamp(at))
    first, second = both(watch, openstack, at=100)
    goes_on(first, 200)
    queue.list()
    watch.goes_on('first')
    waits(watch, 'third', busy(openstack, 200))
    queue.list()
    goes_on(second, 205)
    queue.list()
    assert queue.hastened == ['first', 'second']


def test_a_host_whose_clock_is_behind_is_heard(openstack, watch, queue):
    first, second = both(watch, openstack)
    goes_on(first, 200)
    queue.list()
    watch.goes_on('first')
    waits(watch, 'third', busy(openstack, 200))
    goes_on(second, 195)
    queue.list()
    assert queue.hastened == ['first', 'second']


def test_a_server_that_is_gone_is_looked_at(openstack, watch, queue):
    """Nova lists those that were deleted, too, when asked for changes."""
    first, _ = both(watch, openstack)
    first.update(status='DELETED', updated=fakes.stamp(130))
    queue.list()
    assert queue.hastened == ['first'] and watch.goes_on('first') is None


def test_those_are_looked_at_that_a_list_had_no_room_for(
        openstack, watch, queue, monkeypatch):
    monkeypatch.setattr(project_watch, '_MOST', 1)
    both(watch, openstack)
    queue.list()
    assert queue.hastened == ['second']


def test_a_list_that_fails_leaves_each_to_its_own_looks(openstack, watch,
                                                        queue, failed, later):
    first, _ = both(watch, openstack)
    openstack.faults['GET', '/servers/detail$'] = 503
    assert queue.list() is None
    assert sorted(queue.hastened) == ['first', 'second']
    assert queue.delays == [0, 0.02] and failed == ['compute']
    assert not waits(watch, 'first', first)
    openstack.faults.clear()
    later(61)
    assert waits(watch, 'first', first)
    assert queue.list() == backoff.LIST


def test_who_begins_to_wait_while_a_list_fails_is_not_listed_soon(
        openstack, watch, queue):
    first, _ = both(watch, openstack)
    openstack.faults['GET', '/servers/detail$'] = 429
    (job,) = queue.jobs.values()
    assert job() is None
    openstack.calls.clear()
    assert job() is None  # it was added while it was in hand
    assert not openstack.calls
    assert queue.hastened.count('first') == 2


def test_a_project_whose_list_failed_is_forgotten(openstack, watch, queue,
                                                  later):
    """It would be counted among those that are to be listed."""
    both(watch, openstack)
    openstack.faults['GET', '/servers/detail$'] = 403
    queue.list()
    for trust in ('first', 'second'):
        watch.goes_on(trust)
    openstack.faults.clear()
    later(61)
    for name in ('third', 'fourth'):
        waits(watch, name, openstack.server(
            tenant_id='another', **{_TASK: 'image_uploading'}))
    queue.jobs.pop(('project', fakes.PROJECT), None)
    queue.list()
    assert list(watch._projects) == ['another']


def test_a_trust_without_access_leaves_the_list_to_anothers(openstack, watch,
                                                            queue):
    first, _ = both(watch, openstack, first='none')
    goes_on(first, 130)
    queue.list()
    assert queue.hastened == ['none']


def test_who_is_left_alone_is_looked_at(openstack, watch, queue):
    both(watch, openstack)
    watch.goes_on('first')
    assert queue.list() is None
    assert queue.hastened == ['second']


def test_nothing_is_kept_of_a_project_whose_runs_all_went_on(openstack, watch,
                                                             queue):
    both(watch, openstack)
    for trust in ('first', 'second', 'none of ours'):
        watch.goes_on(trust)
    assert not watch._projects and not watch._project_ids
    assert queue.list() is None
