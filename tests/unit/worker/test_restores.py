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

import pytest

from snapshot_dashboard.restores import restore
from snapshot_dashboard.restores import restoring
from tests import fakes
from tests.unit.restores import world
from tests.unit.worker.handing_on import WORKER


@pytest.fixture
def here(openstack):
    """An instance that is being put back, handed on to the worker."""
    made = world.World(openstack, volume_backed=True)
    made.after = time.time() - fakes.seconds(0)
    restoring.hand_on(made.cloud, made.begin(), WORKER, made.clock)
    return made


def test_a_restore_that_was_handed_on_is_seen_through(here, worker,
                                                      monkeypatch):
    now = time.time()
    for look in range(60):
        if not here.openstack.trusts:
            break
        monkeypatch.setattr(time, 'time', lambda look=look: now + 3 * look)
        worker.once()
        here.tick()
    found = here.recorded()
    assert not found.open and not found.progress.failure
    assert set(here.content()) == {'A'}
    assert here.server['status'] == 'ACTIVE'
    assert here.openstack.trusts == {}


def test_no_trust_brings_a_restore_forward_that_it_was_not_made_for(
        here, worker):
    (trust,) = here.openstack.trusts.values()
    trust['snapshot_dashboard']['plan'] = 'x' * 64
    for _ in range(5):
        worker.once()
        here.tick()
    assert here.openstack.actions() == []


@pytest.mark.parametrize('lose', [
    lambda here: [here.image.pop(name) for name in restore.keys(here.image)],
    lambda here: here.openstack.images.clear()])
def test_the_trust_of_one_that_is_recorded_no_more_is_taken_back(
        here, worker, monkeypatch, lose):
    lose(here)
    here.server['tags'].clear()
    worker._list_trusts()
    (trust_id,) = here.openstack.trusts
    now = time.monotonic()
    for look in range(3):
        monkeypatch.setattr(time, 'monotonic',
                            lambda look=look: now + 40 * look)
        worker._find_run(trust_id)
    assert here.openstack.trusts == {}
