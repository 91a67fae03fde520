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

"""The whole logic of a run: a table from situations to steps.

``next_step`` looks at what the user asked for, at how far it went and at
what the cloud shows now, and says the one thing to do next. It remembers
nothing, so whoever asks, and however often, gets the same answer. What is
written down beforehand saves a second try; what counts is what is seen.
"""

from collections.abc import Callable
import dataclasses
import enum
from typing import Any

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import types
from snapshot_dashboard.runs import consistency
from snapshot_dashboard.runs import journal
from snapshot_dashboard.snapshots import statuses

#: createImage is allowed in these states (Nova API, Create Image).
CAPTURABLE = ('ACTIVE', 'SHUTOFF', 'PAUSED', 'SUSPENDED')
#: Seconds that an unfinished image may be left alone by Nova before it
#: counts as abandoned. Every snapshot begins so, for less than a second.
IDLE_GRACE = 30
#: Seconds after which a write whose answer is not known is sent again. It
#: is more than a call may take, so that it is not under way any more.
ANSWER_GRACE = 30
#: The same for powering off and on, which show at once when Nova answers:
#: time enough for several who look at the same moment not to use up all
#: tries before the first one has had its effect.
POWER_GRACE = 5


class Failure(enum.Enum):
    """Why a run did not do all that was asked for."""

    SERVER_GONE = 'server-gone'
    STOP_REFUSED = 'stop-refused'
    STOP_FAILED = 'stop-failed'
    FORCED_OFF = 'forced-off'
    STARTED_BY_OTHERS = 'started-by-others'
    WRONG_STATE = 'wrong-state'
    VOLUME_DETACHED = 'volume-detached'
    SNAPSHOT_REFUSED = 'snapshot-refused'
    SNAPSHOT_FAILED = 'snapshot-failed'
    CAPTURE_REFUSED = 'capture-refused'
    CAPTURE_FAILED = 'capture-failed'
    IMAGE_VANISHED = 'image-vanished'
    IMAGE_ABANDONED = 'image-abandoned'
    IMAGE_EMPTY = 'image-empty'
    PART_FAILED = 'part-failed'
    START_REFUSED = 'start-refused'
    START_FAILED = 'start-failed'
    CANCELLED = 'cancelled'


class Do(enum.Enum):
    """The kinds of steps."""

    WAIT = 'wait'
    NOTE = 'note'
    POWER_OFF = 'power-off'
    SNAPSHOT_VOLUMES = 'snapshot-volumes'
    CAPTURE = 'capture'
    MARK = 'mark'
    REMOVE = 'remove'
    POWER_ON = 'power-on'
    NOTHING = 'nothing'


@dataclasses.dataclass(frozen=True)
class Step:
    """One thing to do.

    :ivar note: what the journal is to say before it is done.
    :ivar volume_ids: what to take snapshots of.
    :ivar image_ids: what to remove.
    :ivar snapshot_ids: the volume snapshots to mark or to remove.
    """

    do: Do
    note: journal.Progress | None = None
    volume_ids: tuple[str, ...] = ()
    image_ids: tuple[str, ...] = ()
    snapshot_ids: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Observation:
    """What the cloud shows of a run.

    :ivar server: None when it is gone.
    :ivar now: seconds since the epoch.
    :ivar images: those that the run made.
    :ivar snapshots: the volume snapshots that the run made: marked with its
        id, or made by Nova for an image of the run, finished or not.
    :ivar actions: what was done to the server, the latest first; asked for
        only where it matters.
    :ivar dark: the services that do not answer, of ``image``, ``volume``.
    """

    server: types.Server | None
    now: int
    images: tuple[types.Image, ...] = ()
    snapshots: tuple[types.VolumeSnapshot, ...] = ()
    actions: tuple[types.Action, ...] = ()
    dark: frozenset[str] = frozenset()


class Situation:
    """A plan, a progress and an observation, in the words of the table."""

    def __init__(self, plan: journal.Plan, progress: journal.Progress,
                 seen: Observation, tagged: bool):
        self.plan, self.progress, self.seen = plan, progress, seen
        self.tagged = tagged
        server = seen.server
        self.gone = server is None
        self.status = server.status if server else ''
        self.busy = bool(server and server.task_state)
        #: A locked server takes no note but in its tags.
        self.held = bool(server and server.locked) and not tagged
        self.image = best_image(seen.images)
        #: By volume, the best of the snapshots that the plan asks for.
        self.chosen = _chosen(plan, seen)
        self.parts = self._parts()

    def _parts(self) -> list[str]:
        """The statuses of all volume snapshots that belong to the run."""
        found = {snapshot.id: snapshot.status
                 for snapshot in self.seen.snapshots}
        mapped = self.image.disks if self.image else ()
        return [found.get(disk.snapshot_id, 'deleted')
                for disk in mapped] + [
                    snapshot.status for snapshot in self.chosen.values()]

    # Before the capture.

    @property
    def unanswered(self) -> bool:
        """Whether a capture may still be on its way."""
        progress = self.progress
        return bool(progress.asked
                    and (progress.captures or progress.snapshots)
                    and self.seen.now - progress.asked < ANSWER_GRACE)

    @property
    def power_unanswered(self) -> bool:
        return bool(self.progress.asked) and (
            self.seen.now - self.progress.asked < POWER_GRACE)

    @property
    def to_power_off(self) -> bool:
        return self.plan.power_off and self.status == 'ACTIVE'

    @property
    def started_by_others(self) -> bool:
        """Whether it was off for the capture, and somebody started it."""
        return self.to_power_off and bool(
            self.progress.off or self.progress.stops
            and self._latest('start', 'stop') == ['start', 'stop'])

    def _latest(self, *names: str) -> list[str]:
        """Those of these actions that were done, the latest first."""
        return list(dict.fromkeys(
            action.name for action in self.seen.actions
            if action.name in names))

    @property
    def wrong_state(self) -> bool:
        if self.plan.power_off:
            return self.status not in ('ACTIVE', 'SHUTOFF')
        return self.status not in CAPTURABLE

    @property
    def newly_off(self) -> bool:
        return self.status == 'SHUTOFF' and not self.progress.off

    @property
    def detached(self) -> bool:
        server = self.seen.server
        return server is not None and not (
            set(self.plan.volumes) <= set(server.volume_ids))

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(volume_id for volume_id in self.plan.volumes
                     if volume_id not in self.chosen)

    # During the capture.

    @property
    def finished(self) -> bool:
        return self.image is not None and self.image.status == 'active'

    @property
    def idle_for(self) -> int:
        """Seconds since Nova has been doing nothing, as far as is known."""
        return (self.seen.now - self.progress.idle
                if self.progress.idle else 0)

    @property
    def captured_running(self) -> bool:
        """Whether somebody powered it on just before Nova was asked."""
        order = self._latest('createImage', 'start', 'stop')
        return (bool(self.progress.off) and not self.progress.starts
                and order[:2] == ['createImage', 'start'])

    @property
    def part_failed(self) -> bool:
        return any(statuses.motion(status) is statuses.Motion.FAILED
                   for status in self.parts)

    @property
    def part_moving(self) -> bool:
        return any(statuses.motion(status) is statuses.Motion.MOVING
                   for status in self.parts)

    @property
    def unmarked(self) -> tuple[str, ...]:
        """Volume snapshots that Nova made, and could not mark."""
        mapped = {disk.snapshot_id
                  for disk in (self.image.disks if self.image else ())}
        return tuple(snapshot.id for snapshot in self.seen.snapshots
                     if snapshot.id in mapped
                     and snapshot.metadata.get(marks.RUN) != self.plan.run_id)

    # After the capture, whether it came to a snapshot or not.

    @property
    def over(self) -> bool:
        return bool(self.progress.captured or self.progress.failure)

    @property
    def to_power_on(self) -> bool:
        """Whether the instance is to be brought back, and may be."""
        touched = self.progress.stops or self.progress.off
        return bool(self.plan.power_on and touched and not self.gone
                    and self.progress.failure not in (
                        Failure.START_REFUSED.value,
                        Failure.START_FAILED.value))

    @property
    def stopped_by_others(self) -> bool:
        """Whether somebody powered it off after the run had it on again."""
        stop = consistency.last_stop(self.seen.actions)
        return bool(self.progress.starts and stop is not None
                    and stop.request_id != self.progress.stop_id)

    def _useless(self) -> tuple[list[types.Image],
                                list[types.VolumeSnapshot]]:
        """What the run made and nobody needs.

        A snapshot that is kept though something of it failed may still be
        worth much: its owner decides. And what somebody took away after it
        was whole is no reason to take away more.
        """
        if self.progress.captured and self.image is None:
            return [], []
        keep = self.image if self.finished and (
            self.progress.captured or not self.progress.failure
            or self.progress.failure in _KEEPING) else None
        kept = {disk.snapshot_id for disk in (keep.disks if keep else ())}
        if keep:
            kept |= {snapshot.id for snapshot in self.chosen.values()}
        return ([image for image in self.seen.images
                 if image is not keep and image.status not in _GOING],
                [snapshot for snapshot in self.seen.snapshots
                 if snapshot.id not in kept
                 and snapshot.status not in _GOING])

    @property
    def refuse(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The ids of images and of volume snapshots to be removed now."""
        images, snapshots = self._useless()
        return (tuple(image.id for image in images),
                tuple(snapshot.id for snapshot in snapshots
                      if snapshot.status != 'creating'))

    @property
    def settling(self) -> bool:
        """Whether Cinder still makes what is to be removed then."""
        return any(snapshot.status == 'creating'
                   for snapshot in self._useless()[1])

    @property
    def growing(self) -> bool:
        """Whether Nova may still be at a call that was given up here."""
        return any(self.seen.now - snapshot.created.timestamp() < ANSWER_GRACE
                   for snapshot in self._useless()[1])

    @property
    def hollow(self) -> bool:
        return self.image is not None and not self.image.whole


#: Failures after which what there is of the snapshot is left to its owner.
_KEEPING = (Failure.PART_FAILED.value, Failure.IMAGE_EMPTY.value,
            Failure.START_REFUSED.value, Failure.START_FAILED.value)
#: Statuses of what is being removed already.
_GOING = ('deleted', 'deleting', 'pending_delete')


def best_image(images: tuple[types.Image, ...]) -> types.Image | None:
    """The one of the run's images that is its snapshot.

    Two who ask Nova at the same moment make two images, one of which stays
    ``queued`` for ever. The furthest counts, then the first.
    """
    ranks = {'active': 0, 'saving': 1, 'queued': 2}
    usable = [image for image in images if image.status in ranks]
    return min(usable, default=None, key=lambda image: (
        ranks[image.status], image.created, image.id))


def _chosen(plan: journal.Plan, seen: Observation
            ) -> dict[str, types.VolumeSnapshot]:
    ranks = {'available': 0, 'creating': 1}
    best: dict[str, types.VolumeSnapshot] = {}
    for snapshot in sorted(seen.snapshots, key=lambda snapshot: (
            ranks.get(snapshot.status, 2), snapshot.created, snapshot.id)):
        if snapshot.volume_id in plan.volumes and (
                snapshot.metadata.get(marks.RUN) == plan.run_id
                and snapshot.status not in _GOING):
            best.setdefault(snapshot.volume_id, snapshot)
    return best


# What to do in a situation. Those that learn something go on with it.

def _wait(s: Situation) -> Step:
    return Step(Do.WAIT)


def _nothing(s: Situation) -> Step:
    return Step(Do.NOTHING)


def _knowing(s: Situation, **learnt: Any) -> Step:
    """Go on with what was learnt; the next write notes it."""
    progress = dataclasses.replace(s.progress, **learnt)
    step = next_step(s.plan, progress, s.seen, s.tagged)
    if step.note is not None:
        return step
    if step.do in (Do.WAIT, Do.NOTHING):
        return Step(Do.NOTE, progress)
    return dataclasses.replace(step, note=progress)


def _failed(failure: Failure) -> Callable[[Situation], Step]:
    return lambda s: _knowing(s, failure=failure.value)


def _fail_wrong_state(s: Situation) -> Step:
    return _knowing(s, failure=Failure.WRONG_STATE.value, detail=s.status)


def _note_off(s: Situation) -> Step:
    stop = consistency.last_stop(s.seen.actions)
    return _knowing(
        s, off=s.seen.now, asked=0, stop_id=stop.request_id if stop else '',
        consistency=consistency.mark(s.status, stop, s.plan.shutdown_timeout,
                                     s.plan.agent))


def _power_off(s: Situation) -> Step:
    return Step(Do.POWER_OFF, dataclasses.replace(
        s.progress, stops=s.progress.stops + 1, starts=0,
        asked=s.seen.now))


def _snapshot_volumes(s: Situation) -> Step:
    return Step(Do.SNAPSHOT_VOLUMES, dataclasses.replace(
        s.progress, snapshots=s.progress.snapshots + 1, asked=s.seen.now,
        consistency=s.progress.consistency or _now_mark(s)),
        volume_ids=s.missing)


def _capture(s: Situation) -> Step:
    return Step(Do.CAPTURE, dataclasses.replace(
        s.progress, captures=s.progress.captures + 1, asked=s.seen.now,
        consistency=s.progress.consistency or _now_mark(s)))


def _now_mark(s: Situation) -> str:
    return consistency.mark(s.status, None, s.plan.shutdown_timeout,
                            s.plan.agent)


def _note_idle(s: Situation) -> Step:
    return _knowing(s, idle=s.seen.now)


def _note_busy(s: Situation) -> Step:
    return _knowing(s, idle=0)


def _mark(s: Situation) -> Step:
    return Step(Do.MARK, dataclasses.replace(
        s.progress, marked=s.seen.now), snapshot_ids=s.unmarked)


def _note_captured(s: Situation) -> Step:
    return _knowing(s, captured=s.seen.now, idle=0, asked=0,
                    image_id=s.image.id if s.image else '')


def _power_on(s: Situation) -> Step:
    return Step(Do.POWER_ON, dataclasses.replace(
        s.progress, starts=s.progress.starts + 1, asked=s.seen.now))


def _remove(s: Situation) -> Step:
    images, snapshots = s.refuse
    return Step(Do.REMOVE, dataclasses.replace(
        s.progress, removals=s.progress.removals + 1),
        image_ids=images, snapshot_ids=snapshots)


def _end(s: Situation) -> Step:
    images, snapshots = s.refuse
    return Step(Do.NOTE, dataclasses.replace(
        s.progress, ended=s.seen.now, left=' '.join(images + snapshots)))


def _tidy_after_end(s: Situation) -> Step:
    images, snapshots = s.refuse
    return Step(Do.REMOVE, image_ids=images, snapshot_ids=snapshots)


#: The first row whose condition holds says what to do.
Row = tuple[Callable[[Situation], object], Callable[[Situation], Step]]

#: Nothing is asked for yet that must be waited for.
BEFORE: tuple[Row, ...] = (
    (lambda s: s.gone, _failed(Failure.SERVER_GONE)),
    (lambda s: s.busy or s.unanswered, _wait),
    (lambda s: s.started_by_others,
     _failed(Failure.STARTED_BY_OTHERS)),
    (lambda s: s.to_power_off and s.power_unanswered, _wait),
    (lambda s: s.to_power_off and s.progress.stops >= journal.TRIES,
     _failed(Failure.STOP_FAILED)),
    (lambda s: s.to_power_off, _power_off),
    (lambda s: s.wrong_state, _fail_wrong_state),
    (lambda s: s.newly_off, _note_off),
    (lambda s: s.plan.power_off and s.plan.stop_if_forced
     and s.progress.consistency == marks.FORCED_OFF,
     _failed(Failure.FORCED_OFF)),
    (lambda s: s.detached, _failed(Failure.VOLUME_DETACHED)),
    (lambda s: s.part_failed, _failed(Failure.SNAPSHOT_FAILED)),
    (lambda s: s.missing and s.progress.snapshots >= journal.TRIES,
     _failed(Failure.CAPTURE_FAILED)),
    (lambda s: s.missing, _snapshot_volumes),
    (lambda s: s.progress.captures >= journal.TRIES,
     _failed(Failure.CAPTURE_FAILED)),
    (lambda s: not s.plan.volumes and (s.settling or s.growing), _wait),
    (lambda s: any(s.refuse) and not s.plan.volumes
     and s.progress.removals < journal.TRIES, _remove),
    (lambda s: True, _capture),
)

#: There is an image of the run, or there was one.
DURING: tuple[Row, ...] = (
    (lambda s: s.image is None, _failed(Failure.IMAGE_VANISHED)),
    (lambda s: s.captured_running, _failed(Failure.STARTED_BY_OTHERS)),
    (lambda s: s.finished and s.part_moving, _wait),
    (lambda s: s.finished and s.part_failed, _failed(Failure.PART_FAILED)),
    (lambda s: s.finished and s.hollow,
     _failed(Failure.IMAGE_EMPTY)),
    (lambda s: s.finished and s.unmarked and not s.progress.marked, _mark),
    (lambda s: s.finished, _note_captured),
    (lambda s: s.busy and s.progress.idle, _note_busy),
    (lambda s: s.busy, _wait),
    (lambda s: not s.progress.idle, _note_idle),
    (lambda s: s.idle_for < IDLE_GRACE, _wait),
    (lambda s: True, _failed(Failure.IMAGE_ABANDONED)),
)

#: Glance or Cinder does not answer, so what the run made is not known.
DARK: tuple[Row, ...] = (
    # Nova has long been done with the image: nothing is gained by waiting.
    (lambda s: 'volume' not in s.seen.dark and s.progress.image_id
     and s.to_power_on and s.status == 'SHUTOFF' and not s.busy
     and not s.part_moving and s.idle_for >= IDLE_GRACE
     and s.progress.starts < journal.TRIES, _power_on),
    (lambda s: s.progress.image_id and not s.busy and not s.progress.idle,
     _note_idle),
    (lambda s: True, _wait),
)

#: There is a snapshot, or there will be none.
AFTER: tuple[Row, ...] = (
    (lambda s: s.to_power_on and (s.busy or s.part_moving), _wait),
    (lambda s: s.to_power_on and s.status == 'SHUTOFF'
     and s.progress.starts and s.power_unanswered, _wait),
    (lambda s: s.to_power_on and s.status == 'SHUTOFF'
     and not s.stopped_by_others and s.progress.starts < journal.TRIES,
     _power_on),
    (lambda s: s.to_power_on and s.status == 'SHUTOFF'
     and not s.stopped_by_others, _failed(Failure.START_FAILED)),
    (lambda s: s.seen.dark or s.part_moving or s.settling, _wait),
    (lambda s: any(s.refuse) and s.progress.removals < journal.TRIES,
     _remove),
    (lambda s: True, _end),
)

#: The run is over. Somebody's last call may have come after that.
ENDED: tuple[Row, ...] = (
    (lambda s: any(s.refuse) and not s.progress.left and not s.seen.dark,
     _tidy_after_end),
    (lambda s: True, _nothing),
)


def next_step(plan: journal.Plan, progress: journal.Progress,
              seen: Observation, tagged: bool = False) -> Step:
    """What to do next about a run.

    :param tagged: whether the record stands in the server's tags.
    """
    situation = Situation(plan, progress, seen, tagged)
    if progress.ended:
        table = ENDED
    elif situation.held:
        return Step(Do.WAIT)  # until it is unlocked, as somebody wished
    elif situation.over:
        table = AFTER
    elif seen.dark:
        table = DARK
    elif situation.image is not None or progress.image_id:
        table = DURING
    else:
        table = BEFORE
    return next(act(situation) for holds, act in table if holds(situation))
