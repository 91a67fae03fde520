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
before and after each call, lost answers, any status, slow and failing
services, old answers, clocks that differ, no room, other tools, and people who
interfere. Then everybody leaves it alone, somebody advances it to its end, and
the invariants are checked.

The test command plays a fixed set. ``tox -e histories`` draws new ones, more
of them, and says by which seed they come again.
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
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.runs import failures
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import record
from tests import model

HISTORIES = int(os.environ.get('SNAPSHOT_HISTORIES', '10000'))
SEED = os.environ.get('SNAPSHOT_SEED')
_MOST_ADVANCERS = 4
#: Calls that one advance may take: ten steps, each with a look of a few
#: calls for a run of two volumes.
_MOST_CALLS = 120
TALLY: collections.Counter = collections.Counter()

FATE = st.sampled_from(('ok',) * 12 + model.FATES)
SKEW = st.sampled_from([0, 0, 0, 0, 60, -60, 3599, -3599])


class Histories(stateful.RuleBasedStateMachine):
    """One run, and all that can happen to it."""

    @stateful.initialize(
        kind=st.sampled_from(['image', 'volume', 'chosen', 'alone']),
        power_off=st.sampled_from([True, True, True, False]),
        power_on=st.sampled_from([True, True, False]), stop=st.booleans(),
        forced=st.booleans(),
        broken=st.sampled_from([False] * 9 + [True]),
        deaf=st.sampled_from([False] * 9 + [True]),
        begins=st.sampled_from(['ACTIVE', 'ACTIVE', 'SHUTOFF']),
        locked=st.sampled_from([False] * 9 + [True]),
        room=st.sampled_from([128] * 8 + [0, 16, 30, 38, 45]),
        others_tags=st.sampled_from([0] * 6 + [40, 47, 50]),
        keep_until=st.sampled_from(['', '2026-12-31']), protect=st.booleans(),
        fates=st.one_of(st.just([]), st.just([]), st.lists(FATE,
                                                           max_size=8)))
    def begin(self, kind, power_off, power_on, stop, forced, broken, deaf,
              begins, locked, room, others_tags, keep_until, protect, fates):
        self.world = world = model.World(
            volumes=() if kind == 'image' else ('v1', 'v2'),
            volume_backed=kind == 'volume', room=room,
            others_tags=others_tags)
        world.forced, world.broken, world.deaf = forced, broken, deaf
        self.room = room
        world.status, world.locked = begins, locked
        self.advancers = []
        self.exempt_power = self.mangled = self.wiped = False
        self.replaced = self.cramped = False
        self.image_deleted = False
        self.cancelled: list[model.Canceller] = []
        before = (dict(world.metadata), set(world.tags), world.status)
        beginner = model.Beginner(
            world, power_off=power_off and begins == 'ACTIVE',
            power_on=power_on, was_running=begins == 'ACTIVE',
            stop_if_forced=stop, captures_image=kind != 'alone',
            keep_until=keep_until, protect=protect and kind != 'alone',
            volumes=world.volumes if kind in ('chosen', 'alone') else ())
        for fate in fates:
            beginner.step(fate)
        beginner.finish()
        self.plan, self.error = beginner.plan, beginner.error
        self.run = beginner.run
        self.crashed = self.run is None and self.error is None
        TALLY['not begun'] += self.run is None
        if isinstance(self.error, errors.OverQuota) and not fates:
            TALLY['no room'] += 1
            assert before == (world.metadata, world.tags, world.status)
        if self.run is not None:
            self._come(0)

    def _come(self, skew):
        """Somebody takes up the run, if there is one to be found."""
        run = self.run
        if run is None and self.world.status is not None and (
                self.world.tags & {record.TAG, record.OPEN_TAG}):
            run = model.read(self.world)
        if run is not None and len(self.advancers) < _MOST_ADVANCERS:
            self.advancers.append(model.Advancer(self.world, run, skew))

    @stateful.rule(skew=SKEW)
    def somebody_comes(self, skew):
        self._come(skew)

    @stateful.rule(number=st.integers(0, 3), fate=FATE,
                   more=st.integers(0, 12))
    def calls_happen(self, number, fate, more):
        if not self.advancers:
            self._come(0)
            return
        advancer = self.advancers[number % len(self.advancers)]
        for _ in range(more):
            advancer.step()
        advancer.step(fate)
        if not advancer.alive:
            self.advancers.remove(advancer)
        assert advancer.calls <= _MOST_CALLS

    @stateful.rule(number=st.integers(0, 3))
    def somebody_goes_on(self, number):
        if self.advancers:
            advancer = self.advancers.pop(number % len(self.advancers))
            advancer.finish()
            assert advancer.calls <= _MOST_CALLS

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
            self.exempt_power = True
        if which == 'cinder':
            self.world.cinder_dies()

    @stateful.rule(seconds=st.sampled_from([1, 5, 31, 600, 4000]))
    def time_passes(self, seconds):
        # Nobody stands before a write for longer than a call may take.
        for advancer in (*self.advancers, *self.cancelled):
            while advancer.alive and advancer.writes and (
                    self.world.now + seconds - advancer.since > model.LATEST):
                advancer.step()
        self.world.pass_time(seconds)

    @stateful.rule(quota=st.sampled_from([0, 1, 99]))
    def the_quota_changes(self, quota):
        self.world.quota = quota

    @stateful.rule(room=st.sampled_from([0, 38, 128]),
                   really=st.sampled_from([True, False, False]))
    def the_room_changes(self, room, really):
        if really:
            self.world.room = room
            self.cramped = True

    @stateful.rule(
        what=st.sampled_from(
            ['start', 'reboot', 'stop', 'lock', 'lock', 'pause', 'shelve',
             'delete', 'delete_image', 'snapshot', 'cut', 'forge', 'cancel',
             'cancel', 'crash', 'inherits', 'copies', 'captures_by_hand',
             'retag', 'replaces_metadata']),
        really=st.sampled_from([True, False, False]))
    def people_interfere(self, what, really):
        if not really:
            return  # now and then only, or no run would ever get far
        with contextlib.suppress(errors.Conflict, errors.NotFound):
            getattr(self, f'_{what}')(self.world)

    def _progress(self):
        run = model.read(self.world)
        return run.progress if run else None

    def _start(self, world):
        world.start()
        world.will = 'on'

    def _reboot(self, world):
        ran = world.status == 'ACTIVE'
        world.reboot()
        if not ran:  # else it says nothing of what is to be afterwards
            world.will = 'on'

    def _stop(self, world):
        progress = self._progress()
        world.stop()
        owed = any(tag.startswith(f'{record.TAG}.owed')
                   for tag in world.tags)
        # In the middle it cannot be told from the run's own; that is also
        # where somebody has just seen it run, and is about to power it off.
        looking = any(advancer.alive and advancer.calls > 1
                      for advancer in self.advancers)
        sure = progress is None or bool(progress.start_count) or not (
            owed or progress.stop_count or progress.off_at or looking)
        world.will = 'off' if sure else 'unsure'

    def _lock(self, world):
        world.locked = not world.locked

    def _pause(self, world):
        if world.status == 'ACTIVE' and not world.task:
            world.remember()
            world.status = 'PAUSED'
            world.will = 'unsure'

    def _shelve(self, world):
        if world.status and not world.task:
            world.remember()
            world.status = 'SHELVED_OFFLOADED'
            world.will = 'unsure'

    def _crash(self, world):
        run = model.read(world)
        world.crash()
        # What goes off before the run has touched it is not the run's, and
        # neither is what does when the run is over, or when somebody has it
        # on again.
        touched = run is not None and run.open and (
            run.progress.stop_count or run.progress.off_at)
        if world.will == 'on' or not (self.plan.power_off and touched):
            self.exempt_power = True

    def _delete(self, world):
        world.remember()
        world.status = world.task = None
        world.jobs = [job for job in world.jobs if job[0] == 'snapshot']

    def _delete_image(self, world):
        if world.images:
            self.image_deleted = True
            world.remember()
            world.images.popitem()

    def _snapshot(self, world):
        world.create_image('by hand', {}, made=False)

    def _inherits(self, world):
        world.inherits()

    def _copies(self, world):
        world.copies()

    def _captures_by_hand(self, world):
        world.captures_by_hand()

    def _retag(self, world):
        self.replaced = True
        world.retag()
        self._see_whether_wiped()

    def _replaces_metadata(self, world):
        self.replaced = True
        world.replaces_metadata()
        self._see_whether_wiped()

    def _see_whether_wiped(self):
        """Whether nothing on the server tells of the run any more."""
        if self.world.status is not None:
            self.wiped = self.wiped or model.read(self.world) is None

    def _cancel(self, world):
        self.cancelled.append(model.Canceller(world))

    @stateful.rule(fate=FATE, more=st.integers(0, 4))
    def a_cancel_goes_on(self, fate, more):
        for canceller in self.cancelled[-1:]:
            for _ in range(more):
                canceller.step()
            canceller.step(fate)

    def _cut(self, world):
        key = self._some_key(world)
        world.metadata = {name: value for name, value
                          in world.metadata.items() if name != key}

    def _forge(self, world):
        key = self._some_key(world)
        if key:
            world.metadata = {**world.metadata, key: '17'}

    def _some_key(self, world):
        keys = sorted(key for key in world.metadata
                      if key.startswith('snapshot_dashboard')
                      and not key.endswith(('plan', 'name')))
        self.mangled = self.mangled or bool(keys)
        return keys[world.numbers % len(keys)] if keys else ''

    def teardown(self):
        if not hasattr(self, 'world'):
            return
        for actor in (*self.advancers, *self.cancelled):
            actor.drop()
        TALLY['histories'] += 1
        self.settle()
        self.check()

    def settle(self):
        """Everything works for an hour, and somebody looks now and then."""
        world = self.world
        world.locked = False
        world.unshelve()
        world.quota, world.room = 99, self.room
        pause = 11
        for _ in range(120):
            self._somebody_looks()
            world.work(0)
            world.pass_time(pause)
            pause = 11 if world.jobs else min(pause * 1.2, 120)
            run = model.read(world)
            if not world.jobs and not world.late and (
                    run is None or not run.open):
                break
        self._somebody_looks()

    def _somebody_looks(self):
        self.advancers = []
        self._come(0)
        for advancer in self.advancers:
            advancer.finish()
            assert advancer.calls <= _MOST_CALLS

    def check(self):
        world, run = self.world, model.read(self.world)
        self.check_others(run)
        if world.status is None:
            TALLY['server gone'] += 1
            return
        if self.run is None and run is None:
            return  # it was never begun
        if self.error is not None and not isinstance(
                self.error, lifecycle.Unclear):
            # The user was told that nothing was begun.
            assert run is None or not (run.progress.stop_count
                                       or run.progress.capture_count)
            return
        if self.wiped:
            TALLY['wiped'] += 1
            return
        if self.mangled and run is None:
            return  # which volumes was cut away: the page says so
        if run is None and (self.cramped
                            or world.lacks_room_for(self.plan)):
            TALLY['no room to tell'] += 1
            assert journal.is_there(world.server()), 'it vanished'
            self.check_power(self.plan)
            return
        assert run is not None, 'it vanished'
        if run.open and not run.indexed and self.run is None:
            return  # the button's process died before it could be found
        assert not run.open, 'it goes on for ever'
        TALLY[run.progress.failure or 'done'] += 1
        made = [image for image in world.images.values() if image.made
                and image.properties.get(marks.RUN) == run.plan.run_id]
        if self.mangled:
            # Whoever edits the record may have what he wrote; but neither
            # two snapshots nor an instance that is away.
            assert len(made) <= 1
            return
        lost = run.progress.failure == failures.Failure.RECORD_LOST.value
        if lost:
            # Or the user was told that it is not known whether it was begun,
            # and what takes the record back then was late.
            assert self.replaced or isinstance(
                self.error, lifecycle.Unclear), 'it lost its record by itself'
        else:
            self.check_snapshot(run, made)
        self.check_power(run.plan)
        for canceller in self.cancelled:
            if canceller.told:
                assert run.progress.failure, 'the cancel was lost'
        self.check_dismissed(run, made)

    def check_others(self, run):
        """What is others' is left alone."""
        theirs = [thing for thing in self.world.removed.values()
                  if not thing.made]
        assert not theirs, f'removed what others made: {theirs}'
        assert not self.world.removed_after_end, 'removed after the end'

    def check_power(self, plan):
        world = self.world
        if self.exempt_power or world.will == 'unsure':
            return
        if world.will == 'off':
            assert world.status == 'SHUTOFF', 'a power-off was undone'
        elif world.will == 'on' or plan.to_run_again:
            assert world.status == 'ACTIVE', 'left off'

    def check_snapshot(self, run, made):
        progress, world = run.progress, self.world
        assert len(made) <= 1 or progress.ended_at, 'two snapshots'
        left = progress.leftover_ids.split()
        ours = [snapshot for snapshot in world.snapshots.values()
                if snapshot.properties.get(marks.RUN) == run.plan.run_id]
        per_volume = collections.Counter(
            snapshot.volume_id for snapshot in ours
            if snapshot.id not in left)
        assert not per_volume or max(per_volume.values()) == 1
        if progress.captured_at:
            assert made or self.image_deleted or not run.plan.captures_image
        else:
            assert progress.failure, 'a silent end'
            failures.Failure(progress.failure)
            if progress.failure not in failures.KEEPING:
                # What came about after it was given up is its owner's.
                late = {image.id for image in made
                        if image.status == 'active'}
                assert {image.id for image in made} <= {*left, *late}
                if not late:
                    assert {snapshot.id for snapshot in ours
                            if not world.is_needed(snapshot.id)} <= set(left)
        for thing in (*made, *ours):
            if thing.status in ('active', 'available'):
                claimed = thing.properties.get(marks.CONSISTENCY)
                assert claimed in (thing.truth, marks.LIVE, marks.OFF) or (
                    # Marking failed, or nobody got so far.
                    claimed is None and (
                        progress.failure
                        or progress.mark_count >= record.TRIES)
                ), f'it says {claimed}, and was {thing.truth}'
        if progress.captured_at and progress.mark_count < record.TRIES:
            self.check_wishes(run, made, ours)
        if progress.captured_at:
            named = {part for image in made if image.status == 'active'
                     for part in marks.ids_named(marks.PARTS,
                                                 image.properties)}
            assert named <= world.snapshots.keys(), 'the image lacks a part'
        if progress.captured_at and run.plan.volumes and (
                not self.image_deleted or not run.plan.captures_image):
            assert set(per_volume) == set(run.plan.volumes)

    def check_wishes(self, run, made, ours):
        """What was asked for with it is on what was made."""
        if run.tagged:
            return  # there was no room to note it
        plan = run.plan
        whole = [image for image in made if image.status == 'active']
        alone = [] if plan.captures_image else [
            snapshot for snapshot in ours if snapshot.status == 'available'
            and snapshot.id not in run.progress.leftover_ids.split()]
        for thing in whole or alone:
            assert plan.expiry(thing.id).items() <= thing.properties.items()
        for image in whole:
            assert bool(image.properties.get('protected')) is plan.protect

    def check_dismissed(self, run, made):
        """Dismissing takes the record away, and no snapshot."""
        self.world.pass_time(600)
        good = {image.id for image in made if image.status == 'active'}
        dismisser = model.Dismisser(self.world).begin()
        while dismisser.alive:
            dismisser.step()
            server = self.world.server()
            assert journal.read(server) or not journal.is_there(server), (
                'it looks damaged meanwhile')
        assert model.read(self.world) is None
        assert good <= self.world.images.keys()
        self.check_others(None)


@pytest.mark.no_cover
def test_any_history_ends_well(caplog):
    TALLY.clear()
    caplog.set_level(logging.CRITICAL, 'snapshot_dashboard')
    machine = hypothesis.seed(int(SEED))(Histories) if SEED else Histories
    stateful.run_state_machine_as_test(machine, settings=hypothesis.settings(
        max_examples=HISTORIES, stateful_step_count=40, deadline=None,
        database=None, derandomize=SEED is None,
        suppress_health_check=list(hypothesis.HealthCheck)))
    assert TALLY['histories'] >= HISTORIES * 0.9
    print(dict(TALLY))
    if HISTORIES < 10000:
        return
    # It would prove little if none of these ever came about.
    for end in ('done', 'not-begun', 'stop-failed',
                'started-by-others', 'capture-refused',
                'capture-failed', 'image-vanished', 'image-abandoned',
                'part-failed', 'part-abandoned', 'forced-off', 'cancelled',
                'record-lost', 'no room', 'wiped'):
        assert TALLY[end], f'no history ended as {end}'
