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

"""Whatever happens to a switch-over, no address is lost.

Hypothesis makes up histories: looks of several advancers that come between
each other's calls, crashes, lost answers, refusals, users who change their
minds, and people who power the instances on and off. Then somebody looks until
it is over, and what was promised is checked.
"""

import contextlib
import os

import hypothesis
from hypothesis import strategies as st

from snapshot_dashboard.cloud import errors
from tests import fakes
from tests.unit.switch_overs import world

SEED = os.environ.get('SNAPSHOT_SEED')
HISTORIES = max(1, int(os.environ.get('SNAPSHOT_HISTORIES', '10000')) // (
    10 if SEED else 100))


class Crash(BaseException):
    """The end of a process."""


class History:
    """A switch-over, and all that can happen to it."""

    def __init__(self, openstack, made_by_nova):
        self.here = world.World(openstack, made_by_nova)
        self.here.begin()

    def look(self, fate, number):
        """One advance, of which a call meets with a fate."""
        with self.here.openstack.meeting(number, fate, {
                'crash before': self._crash, 'another': self._another,
                'turn': self.turn}, {'crash after': self._crash}):
            with contextlib.suppress(errors.ServiceError, Crash):
                self.here.advance()

    @staticmethod
    def _crash():
        raise Crash

    def _another(self):
        with contextlib.suppress(errors.ServiceError):
            self.here.advance()
        self.here.settle(0)

    def settle(self, seconds, detaches=True):
        self.here.settle(seconds, detaches)

    def turn(self):
        with contextlib.suppress(errors.ServiceError):
            self.here.turn()

    def power(self, which):
        """Somebody powers an instance on or off."""
        server = (self.here.copy, self.here.original)[which]
        if not server['OS-EXT-STS:task_state']:
            server['OS-EXT-STS:task_state'] = (
                'powering-off' if server['status'] == 'ACTIVE'
                else 'powering-on')

    def delete_free_port(self):
        """Somebody takes a port that is attached to nothing for garbage."""
        for port in list(self.here.openstack.ports.values()):
            if not port['device_id']:
                self.here.openstack.delete_port(port)


EVENTS = st.one_of(
    st.tuples(st.just('look'), st.sampled_from(
        ['ok', 'ok', 'ok', 'lost', 'crash before', 'crash after', 'another',
         'turn', 409, 500, 403, 504]), st.integers(0, 14)),
    st.tuples(st.just('settle'), st.sampled_from([0, 5, 20, 90]),
              st.booleans()),
    st.tuples(st.just('settle'), st.sampled_from([5, 20])),
    st.tuples(st.just('turn')),
    st.tuples(st.just('power'), st.integers(0, 1)),
    st.tuples(st.just('delete_free_port')))


@hypothesis.settings(max_examples=HISTORIES, deadline=None,
                     derandomize=SEED is None, database=None,
                     suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.seed(int(SEED or 0))
@hypothesis.given(st.booleans(), st.lists(EVENTS, max_size=40))
def test_whatever_happens_no_address_is_lost(made_by_nova, events):
    with fakes.faked() as openstack:
        history = History(openstack, made_by_nova)
        for name, *arguments in events:
            getattr(history, name)(*arguments)
        here = history.here
        found = here.recorded()
        if found.open:
            found = here.finish()
        assert found.progress.failure in ('', 'start-failed', 'not-all')
        if found.progress.failure != 'not-all':
            settled(here, found.taker)


def settled(here, taker):
    """All cards are at the one that was wanted last, and at no other."""
    here.settle()
    assert here.cards(here.server(taker)) >= here.identity
    macs = [port['mac_address'] for port in here.openstack.ports.values()]
    assert len(macs) == len(set(macs))


def test_an_end_that_was_noted_late_ends_nothing_that_was_asked_for_since():
    with fakes.faked() as openstack:
        history = History(openstack, False)
        history.turn()
        history.look('turn', 2)
        found = history.here.finish()
        settled(history.here, found.taker)


def test_what_another_has_done_during_a_look_ends_nothing_too_early():
    with fakes.faked() as openstack:
        history = History(openstack, False)
        for which in (0, 1):
            history.power(which)
        history.settle(5)
        history.look('another', 0)
        history.turn()
        history.settle(5)
        history.delete_free_port()
        history.look('another', 2)
        found = history.here.finish()
        assert found.progress.failure == ''
        settled(history.here, found.taker)
