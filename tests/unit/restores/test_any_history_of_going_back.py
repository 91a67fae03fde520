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

"""Whatever happens to a restore, it ends well.

Hypothesis makes up histories: looks of several advancers that come between
each other's calls, crashes before and after each call, lost answers, refusals,
and people who interfere. Then everybody leaves it alone, somebody looks until
it is over, and what was promised is checked.
"""

import contextlib
import os

import hypothesis
from hypothesis import strategies as st
import pytest

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.restores import restore
from snapshot_dashboard.restores import restoring
from snapshot_dashboard.restores import sight
from tests import fakes
from tests.unit.restores import test_restoring as promises
from tests.unit.restores import world

SEED = os.environ.get('SNAPSHOT_SEED')
#: Each takes a hundred calls over HTTP, so there are fewer than of those in
#: memory.
HISTORIES = max(1, int(os.environ.get('SNAPSHOT_HISTORIES', '10000')) // (
    10 if SEED else 100))
#: After these nothing was overwritten.
_UNTOUCHED = {failure.value for failure in (
    restore.Failure.CANCELLED, restore.Failure.NOT_BEGUN,
    restore.Failure.SAFETY_FAILED, restore.Failure.STOP_FAILED,
    restore.Failure.STARTED_BY_OTHERS, restore.Failure.WRONG_STATE)}


class Crash(BaseException):
    """The end of a process."""


class History:
    """A restore, and all that can happen to it."""

    def __init__(self, openstack, kind, safety, run_again, status):
        safety = safety and kind != 'alone'
        self.here = world.World(openstack, kind == 'volumes', status,
                                2 if kind in ('chosen', 'alone') else 0)
        self.kind, self.wanted = kind, (safety, run_again, status)
        self.other = openstack.image('other')
        self.here.snapshot_of[self.other['id']] = 'X'
        self.people, self.written, self.met = set(), False, False
        self.here.begin(safety, run_again, root=kind != 'alone')

    def look(self, fate, number):
        """One advance, of which a call meets with a fate."""
        with self.here.openstack.meeting(
                number, fate, {'crash before': self._crash,
                               'another before': self._another},
                {'crash after': self._crash, 'another after': self._another}):
            self._quietly()

    def _another(self):
        self.met = True
        self._quietly()

    def _crash(self):
        raise Crash

    def _quietly(self):
        with contextlib.suppress(errors.ServiceError, Crash):
            self.here.advance()

    def tick(self, seconds):
        self.here.tick(seconds)

    def interferes(self, what):
        """Somebody does what the services allow."""
        getattr(self, f'_{what}')(self.here.server)

    def _idle(self, server, *statuses):
        return (not server['OS-EXT-STS:task_state'] and not server['locked']
                and server['status'] in statuses)

    def _did(self, server, action):
        self.people.add(action)
        self.here.openstack.did(server, action, at=self.here.after)

    def _start(self, server):
        if self._idle(server, 'SHUTOFF'):
            self._did(server, 'start')
            server['status'] = 'ACTIVE'

    def _stop(self, server):
        if self._idle(server, 'ACTIVE'):
            self._did(server, 'stop')
            server['status'] = 'SHUTOFF'

    def _write(self, server):
        """Programs in the guest do, while it runs."""
        if self._idle(server, 'ACTIVE'):
            self.written = True
            self.here.write('C')

    def _rebuild(self, server):
        if not self.here.volumes and self._idle(server, 'ACTIVE', 'SHUTOFF'):
            self._did(server, 'rebuild')
            server['image'] = {'id': self.other['id']}
            self.here.holds[server['id']] = 'X'

    def _unshelve(self, server):
        if self._idle(server, 'SHELVED_OFFLOADED') and all(
                volume['status'] == 'reserved'
                for volume in self.here.volumes):
            self._did(server, 'unshelve')
            server['status'] = 'ACTIVE'
            self.here._volumes('in-use')

    def _lock(self, server):
        server['locked'] = True

    def _unlock(self, server):
        server['locked'] = False

    def _replace_tags(self, server):
        if self._idle(server, 'ACTIVE', 'SHUTOFF'):
            self.people.add('tags')
            server['tags'][:] = ['production']

    def _cancel(self, server):
        with contextlib.suppress(errors.ServiceError):
            restoring.cancel(self.here.cloud, self.here.recorded(),
                             self.here.clock)

    def _unprotect(self, server):
        self.here.image['protected'] = False

    def _shelve(self, server):
        if self._idle(server, 'ACTIVE', 'SHUTOFF') and self.here.volumes:
            self._did(server, 'shelve')
            server['status'] = 'SHELVED_OFFLOADED'
            self.here._volumes('reserved')

    def _delete_safety(self, server):
        for image in list(self.here.openstack.images.values()):
            if image['name'] == 'safety' and image['status'] == 'active':
                self.people.add('safety')
                del self.here.openstack.images[image['id']]

    def check(self):
        """Everybody leaves it alone; what was promised is so then."""
        here, (safety, run_again, status) = self.here, self.wanted
        self._unlock(here.server)
        found = here.finish(looks=500)
        for _ in range(3):
            here.tick()
        ours = [one for one in here.overwritten
                if one[1] != self.other['id']]
        code = found.progress.failure
        attached = [one['id'] for one in here.server[
            'os-extended-volumes:volumes_attached']]
        exchanged = [volume for volume in here.data
                     if volume['id'] not in attached]
        if code in _UNTOUCHED:
            assert not (ours or exchanged), code
        if safety and 'safety' not in self.people:
            assert all(before in (*here.safety_holds(found), 'A')
                       for _disk, _image, before in ours)
        # What was exchanged is kept.
        assert all(here.holds[volume['id']] != 'A' for volume in exchanged)
        assert len(attached) == len(here.data) + len(here.volumes)
        if not code and not self.written and 'rebuild' not in self.people:
            assert set(here.content()) <= {'A'} or self.kind == 'alone'
            assert len(exchanged) == len(here.data)
        if not self.people - {'safety'}:
            ran = status == 'ACTIVE'
            runs = run_again and (ran or not code)
            untouched = code and not run_again and (
                here.server['status'] == status)
            assert untouched or here.server['status'] == (
                'ACTIVE' if runs else 'SHUTOFF'), code
        if 'shelve' not in self.people:
            assert here.server['status'] not in sight.SHELVED
            promises.left_nothing(here)


FATES = st.sampled_from(['ok'] * 6 + [
    503, 500, 504, 429, 409, 403, 'lost', 'crash before', 'crash after',
    'another before', 'another after'])
EVENTS = st.one_of(
    st.tuples(st.just('look'), FATES, st.integers(0, 40)),
    st.tuples(st.just('look'), FATES, st.integers(0, 40)),
    st.tuples(st.just('tick'), st.sampled_from([1, 3, 3, 10, 40])),
    st.tuples(st.just('interferes'), st.sampled_from([
        'start', 'stop', 'write', 'rebuild', 'unshelve', 'lock', 'unlock',
        'replace_tags', 'cancel', 'unprotect', 'shelve', 'delete_safety'])))


@hypothesis.seed(int(SEED)) if SEED else lambda test: test
@hypothesis.settings(
    max_examples=HISTORIES, derandomize=not SEED, deadline=None,
    suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(
    kind=st.sampled_from(['image', 'volumes', 'chosen', 'alone']),
    safety=st.booleans(),
    run_again=st.sampled_from([True, True, False]),
    status=st.sampled_from(['ACTIVE', 'ACTIVE', 'SHUTOFF']),
    events=st.lists(EVENTS, max_size=30))
def test_any_history_of_going_back_ends_well(kind, safety, run_again, status,
                                             events):
    with fakes.faked() as openstack:
        history = History(openstack, kind, safety, run_again, status)
        for what, *how in events:
            getattr(history, what)(*how)
        history.check()


@pytest.mark.parametrize('looks', range(5))
@pytest.mark.parametrize('kind', ['image', 'volumes', 'chosen', 'alone'])
def test_what_another_one_did_during_a_look_is_not_what_others_do(kind, looks):
    calls = 0
    while _met_at(kind, looks, calls):
        calls += 1
    assert calls > 2


def _met_at(kind, looks, call):
    """Let another advancer go on at one call of a look; whether that came."""
    with fakes.faked() as openstack:
        history = History(openstack, kind, False, True, 'ACTIVE')
        for _ in range(looks):
            history.look('ok', 0)
            history.tick(1)
        history.look('another before', call)
        history.check()
        assert not history.here.recorded().progress.failure, call
    return history.met
