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

"""A worker, and the trusts that it works with."""

import threading

import pytest

from snapshot_dashboard.worker import metrics
from snapshot_dashboard.worker import partition
from snapshot_dashboard.worker import worker as workers
from tests.unit.worker.handing_on import Access


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
