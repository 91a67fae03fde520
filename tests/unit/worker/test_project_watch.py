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

from snapshot_dashboard.worker import backoff
from snapshot_dashboard.worker import project_watch
from tests import fakes

_TASK = 'OS-EXT-STS:task_state'


class Queue:
    """What would be done, and when."""

    def __init__(self):
        self.jobs, self.hastened, self.urgent = {}, [], []

    def add(self, key, job, delay, owner, urgent):
        assert urgent
        self.jobs.setdefault(key, job)

    def hasten(self, key, urgent):
        self.hastened.append(key[1])
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
def watch(openstack, queue):
    """A watch; whose trust is called ``none`` has no access."""
    return project_watch.ProjectWatch(
        queue, lambda trust: None if trust == 'none' else openstack.cloud(),
        50)


def busy(openstack, at=100):
    return openstack.server(**{_TASK: 'image_uploading',
                               'updated': fakes.stamp(at)})


def waits(watch, openstack, trust_id, server):
    return watch.waits(trust_id,
                       openstack.cloud().compute.server(server['id']))


def goes_on(server, at):
    server.update({_TASK: None, 'updated': fakes.stamp(at)})


def both(watch, openstack, first='first', at=100):
    """Two runs of a project that wait."""
    servers = busy(openstack, at), busy(openstack, at)
    assert not waits(watch, openstack, first, servers[0])
    assert waits(watch, openstack, 'second', servers[1])
    assert waits(watch, openstack, first, servers[0])
    return servers


def test_a_run_that_is_alone_in_its_project_is_not_watched(openstack, watch,
                                                           queue):
    assert not waits(watch, openstack, 'only', busy(openstack))
    assert not queue.jobs


def test_one_call_tells_which_of_many_goes_on(openstack, watch, queue):
    servers = [busy(openstack) for _ in range(20)]
    for number, server in enumerate(servers):
        waits(watch, openstack, f'trust-{number}', server)
    goes_on(servers[7], 130)
    openstack.calls.clear()
    assert queue.list() == backoff.LIST
    assert queue.hastened == ['trust-7']
    assert len(openstack.calls) == 1


def test_who_is_looked_at_is_told_how_its_server_is(openstack, watch, queue,
                                                    monkeypatch):
    """That saves the call; but only for a moment."""
    first, second = both(watch, openstack)
    goes_on(first, 130)
    goes_on(second, 130)
    queue.list()
    assert watch.goes_on('first').task_state is None
    assert watch.goes_on('first') is None
    now = project_watch.time.monotonic()
    monkeypatch.setattr(project_watch.time, 'monotonic',
                        lambda: now + backoff.MOMENT)
    assert watch.goes_on('second') is None


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
    waits(watch, openstack, 'third', busy(openstack, 200))
    queue.list()
    goes_on(second, 205)
    queue.list()
    assert queue.hastened == ['first', 'second']


def test_a_host_whose_clock_is_behind_is_heard(openstack, watch, queue):
    first, second = both(watch, openstack)
    goes_on(first, 200)
    queue.list()
    watch.goes_on('first')
    waits(watch, openstack, 'third', busy(openstack, 200))
    goes_on(second, 195)
    queue.list()
    assert queue.hastened == ['first', 'second']


def test_a_server_that_is_gone_is_looked_at(openstack, watch, queue):
    """Nova lists those that were deleted, too, when asked for changes."""
    first, _ = both(watch, openstack)
    first.update(status='DELETED', updated=fakes.stamp(130))
    queue.list()
    assert queue.hastened == ['first'] and watch.goes_on('first') is None


def test_all_are_looked_at_where_the_list_does_not_hold_all(
        openstack, watch, queue, monkeypatch):
    monkeypatch.setattr(project_watch, '_MOST', 1)
    both(watch, openstack)
    queue.list()
    assert sorted(queue.hastened) == ['first', 'second']


def test_a_list_that_fails_leaves_each_to_its_own_looks(openstack, watch,
                                                        queue, monkeypatch):
    first, _ = both(watch, openstack)
    openstack.faults['GET', '/servers/detail$'] = 503
    assert queue.list() is None
    assert sorted(queue.hastened) == ['first', 'second']
    assert not waits(watch, openstack, 'first', first)
    openstack.faults.clear()
    now = project_watch.time.monotonic()
    monkeypatch.setattr(project_watch.time, 'monotonic', lambda: now + 61)
    assert waits(watch, openstack, 'first', first)
    assert queue.list() == backoff.LIST


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
