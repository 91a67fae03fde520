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

"""A worker sees switch-overs through that were handed on."""

import time

import pytest

from snapshot_dashboard.switch_overs import switching
from tests import fakes
from tests.unit.switch_overs import world
from tests.unit.switch_overs.world import SIDES
from tests.unit.worker.handing_on import WORKER


@pytest.fixture
def here(openstack):
    """A switch-over that was handed on to the worker."""
    made = world.World(openstack)
    made.after = time.time() - fakes.seconds(0)
    switching.hand_on(made.cloud, made.begin(), WORKER, made.clock)
    return made


def see_through(here, worker, monkeypatch):
    now = time.time()
    for look in range(60):
        if not here.openstack.trusts:
            return
        monkeypatch.setattr(time, 'time', lambda look=look: now + 20 * look)
        worker.once()
        here.settle()
    raise AssertionError('it does not end')


def test_one_that_was_handed_on_is_seen_through(here, worker, monkeypatch):
    see_through(here, worker, monkeypatch)

    assert here.recorded().progress.failure == ''
    here.check(SIDES.COPY)


def test_so_is_one_that_was_turned_round(here, worker, monkeypatch):
    worker.once()
    here.settle()
    here.turn()

    see_through(here, worker, monkeypatch)

    here.check(SIDES.ORIGINAL)


def test_no_trust_brings_one_forward_that_it_was_not_made_for(here, worker):
    (trust,) = here.openstack.trusts.values()
    trust['snapshot_dashboard']['plan'] = 'x' * 64
    for _ in range(5):
        worker.once()
        here.settle()

    assert here.openstack.actions() == []
