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

"""Whatever happens to a run, and in which order, it ends well.

Hypothesis makes up histories: several advancers whose calls mingle, crashes
before and after each call, lost answers, faults, slow and failing services,
and people who interfere. Then everybody leaves it alone, somebody advances
it to its end, and the invariants are checked.
"""

import collections
import contextlib
import logging
import os

import hypothesis
from hypothesis import stateful
from hypothesis import strategies as st
import pytest

from snapshot_dashboard import marks
from snapshot_dashboard.runs import failures
from snapshot_dashboard.runs import journal
from tests import model

HISTORIES = int(os.environ.get('SNAPSHOT_HISTORIES', '10000'))
_MOST_ADVANCERS = 4
TALLY: collections.Counter = collections.Counter()

FATE = st.sampled_from(('ok',) * 4 + model.FATES)


class Histories(stateful.RuleBasedStateMachine):
    """One run, and all that can happen to it."""

    @stateful.initialize(kind=st.sampled_from(['image', 'volume', 'chosen',
                                               'alone']),
                         power_off=st.sampled_from([True, True, True, False]),
                         power_on=st.booleans(), stop=st.booleans(),
                         forced=st.booleans(),
                         broken=st.sampled_from([False] * 9 + [True]),
                         deaf=st.sampled_from([False] * 9 + [True]),
                         begins=st.sampled_from(
                             ['ACTIVE', 'ACTIVE', 'SHUTOFF']))
    def begin(self, kind, power_off, power_on, stop, forced, broken, deaf,
              begins):
        self.world = model.World(
            volumes=() if kind == 'image' else ('v1', 'v2'),
            volume_backed=kind == 'volume')
        self.world.forced, self.world.broken = forced, broken
        self.world.deaf = deaf
        self.world.status = begins
        self.run = model.new_run(
            self.world, power_off=power_off and begins == 'ACTIVE',
            power_on=power_on, running=begins == 'ACTIVE',
            stop_if_forced=stop,
            image=kind != 'alone', volumes=self.world.volumes
            if kind in ('chosen', 'alone') else ())
        self.advancers = [model.Advancer(self.world, self.run)]
        self.powered_by_user = False
        self.image_deleted = self.mangled = False

    @stateful.rule()
    def somebody_comes(self):
        if len(self.advancers) < _MOST_ADVANCERS:
            self.advancers.append(model.Advancer(self.world, self.run))

    @stateful.rule(number=st.integers(0, 3), fate=FATE,
                   more=st.integers(0, 12))
    def calls_happen(self, number, fate, more):
        if not self.advancers:
            self.somebody_comes()
        else:
            advancer = self.advancers[number % len(self.advancers)]
            for _ in range(more):
                advancer.step()
            advancer.step(fate)
            if not advancer.alive:
                self.advancers.remove(advancer)

    @stateful.rule(number=st.integers(0, 3))
    def somebody_goes_on(self, number):
        if self.advancers:
            self.advancers.pop(number % len(self.advancers)).finish()

    @stateful.rule(number=st.integers(0, 3),
                   good=st.sampled_from([True, True, True, False]))
    def a_service_works(self, number, good):
        self.world.work(number, good)

    @stateful.rule()
    def a_late_call_is_done(self):
        self.world.arrive()

    @stateful.rule(which=st.sampled_from(['nova', 'cinder', '', '']))
    def a_service_dies_and_comes_back(self, which):
        if which == 'nova' and self.world.nova_dies():
            self.powered_by_user = True
        if which == 'cinder':
            self.world.cinder_dies()

    @stateful.rule(seconds=st.sampled_from([1, 5, 31, 600]))
    def time_passes(self, seconds):
        # Nobody stands before a write for longer than a call may take.
        for advancer in self.advancers:
            if advancer.writes and (self.world.now + seconds
                                    - advancer.since > model.LATEST):
                advancer.step()
        self.world.pass_time(seconds)

    @stateful.rule(quota=st.sampled_from([0, 1, 99]))
    def the_quota_changes(self, quota):
        self.world.quota = quota

    @stateful.rule(what=st.sampled_from(
        ['start', 'stop', 'lock', 'lock', 'pause', 'shelve', 'delete',
         'delete_image', 'snapshot', 'cut', 'forge']),
        really=st.sampled_from([True, False, False]))
    def people_interfere(self, what, really):
        if not really:
            return  # now and then only, or no run would ever get far
        with contextlib.suppress(model.errors.Conflict):
            getattr(self, f'_{what}')(self.world)

    def _start(self, world):
        world.start()
        self.powered_by_user = True

    def _stop(self, world):
        world.stop()
        self.powered_by_user = True

    def _lock(self, world):
        world.locked = not world.locked

    def _pause(self, world):
        if world.status == 'ACTIVE' and not world.task:
            world.status = 'PAUSED'
            self.powered_by_user = True

    def _shelve(self, world):
        if world.status and not world.task:
            world.status = 'SHELVED_OFFLOADED'
            self.powered_by_user = True

    def _delete(self, world):
        world.status = world.task = None
        world.jobs = [job for job in world.jobs if job[0] == 'snapshot']

    def _delete_image(self, world):
        if world.images:
            self.image_deleted = True
            world.images.popitem()

    def _snapshot(self, world):
        world.create_image('by hand', {})

    def _cut(self, world):
        world.metadata.pop(self._some_key(world), None)

    def _forge(self, world):
        key = self._some_key(world)
        if key:
            world.metadata[key] = '17'

    def _some_key(self, world):
        keys = sorted(key for key in world.metadata
                      if not key.endswith(('plan', 'name')))
        self.mangled = self.mangled or bool(keys)
        return keys[world.numbers % len(keys)] if keys else ''

    def teardown(self):
        if not hasattr(self, 'world'):
            return
        for advancer in self.advancers:
            advancer.drop()
        self.settle()
        self.check()

    def settle(self):
        """Everything works, and somebody looks now and then."""
        world = self.world
        world.locked = False
        world.unshelve()
        world.quota = 99
        for _ in range(120):
            model.Advancer(world, self.run).finish()
            world.work(0)
            world.pass_time(11)
            run = model.read(world)
            if not world.jobs and not world.late and (
                    run is None or not run.open):
                break
        model.Advancer(world, self.run).finish()

    def check(self):
        world, run = self.world, model.read(self.world)
        TALLY['histories'] += 1
        made = [image for image in world.images.values()
                if image.properties.get(marks.RUN) == self.run.plan.run_id]
        if world.status is None:
            TALLY['server gone'] += 1
            return
        if run is None and self.mangled:
            return  # which volumes was cut away: the page says so
        assert run is not None and not run.open, 'it goes on for ever'
        progress = run.progress
        TALLY[progress.failure or 'done'] += 1
        if self.mangled:
            # Whoever edits the record may have what he wrote; but neither
            # two snapshots nor an instance that is away.
            assert len(made) <= 1
            return
        self.check_snapshot(run, made)
        if run.plan.to_run_again and not self.powered_by_user and (
                progress.failure not in ('start-refused', 'start-failed')):
            assert world.status == 'ACTIVE', 'left off'

    def check_snapshot(self, run, made):
        progress, world = run.progress, self.world
        assert len(made) <= 1, 'two snapshots'
        left = progress.left.split()
        ours = [snapshot for snapshot in world.snapshots.values()
                if snapshot.properties.get(marks.RUN) == run.plan.run_id]
        per_volume = collections.Counter(
            snapshot.volume_id for snapshot in ours
            if snapshot.id not in left)
        assert not per_volume or max(per_volume.values()) == 1
        if progress.captured:
            assert made or self.image_deleted or not run.plan.image
        else:
            assert progress.failure, 'a silent end'
            failures.Failure(progress.failure)
            if progress.failure not in failures.KEEPING:
                assert {image.id for image in made} <= set(left)
                assert {snapshot.id for snapshot in ours} <= set(left)
        for thing in (*made, *ours):
            if thing.status in ('active', 'available'):
                claimed = thing.properties.get(marks.CONSISTENCY)
                assert claimed in (thing.truth, marks.LIVE) or (
                    # Marking failed, or nobody got so far.
                    claimed is None and (
                        progress.failure or progress.marked >= journal.TRIES)
                ), f'it says {claimed}, and was {thing.truth}'
        if progress.captured and run.plan.volumes and (
                not self.image_deleted or not run.plan.image):
            assert set(per_volume) == set(run.plan.volumes)


# Counting lines would take four times as long.
@pytest.mark.no_cover
def test_any_history_ends_well(caplog):
    TALLY.clear()
    caplog.set_level(logging.CRITICAL, 'snapshot_dashboard')
    stateful.run_state_machine_as_test(Histories, settings=hypothesis.settings(
        max_examples=HISTORIES, stateful_step_count=40, deadline=None,
        database=None, derandomize='SNAPSHOT_SEED' not in os.environ,
        suppress_health_check=list(hypothesis.HealthCheck)))
    assert TALLY['histories'] >= HISTORIES * 0.9
    # It would prove little if none of these ever came about.
    for end in ('done', 'stop-failed', 'started-by-others', 'wrong-state',
                'capture-refused', 'capture-failed', 'image-vanished',
                'image-abandoned', 'part-failed', 'part-abandoned',
                'forced-off'):
        assert TALLY[end], f'no history ended as {end}'
    print(dict(TALLY))
