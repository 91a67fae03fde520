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

The tables keep these promises, whatever fails between:

1. A run ends with one finished snapshot at the most. What it made is found by
   its id, and what is too many of that is removed.
2. An instance that ran when the run began runs at its end, unless its user
   wished otherwise. A power-on that is owed is never given up.
3. What somebody else does meanwhile wins, and is never undone.
4. A crash between any two lines, a lost answer or several callers at once
   lead to the same end.
5. A run never vanishes: it ends as done, or as failed with a reason.
6. A mark claims what was seen, not what was wished.
7. Nothing is removed that no call of the run made, and no finished image once
   the run has ended.
8. Nothing is touched before all is known to be acceptable that can be known,
   and there is room for the whole record.
9. "Later" is not "no", and a "no" is believed when it was said twice.
10. No answer is no evidence of absence. What cannot be undone needs to be
    seen, twice where one reading may be old.
11. What missed its time is not begun.
"""

from collections.abc import Callable
import dataclasses
import enum
from typing import Any

from snapshot_dashboard import marks
from snapshot_dashboard.runs import consistency
from snapshot_dashboard.runs import failures
from snapshot_dashboard.runs import observation
from snapshot_dashboard.runs import record
from snapshot_dashboard.runs import situation


class Do(enum.Enum):
    """The kinds of steps."""

    WAIT = 'wait'
    NOTE = 'note'
    POWER_OFF = 'power-off'
    SNAPSHOT_VOLUMES = 'snapshot-volumes'
    CAPTURE = 'capture'
    MARK = 'mark'
    PROTECT = 'protect'
    REMOVE = 'remove'
    POWER_ON = 'power-on'
    NOTHING = 'nothing'


@dataclasses.dataclass(frozen=True)
class Step:
    """One thing to do.

    :ivar note: what the journal is to say before it is done.
    :ivar volume_ids: what to take snapshots of.
    :ivar image_ids: the images to mark or to remove.
    :ivar snapshot_ids: the volume snapshots to mark or to remove, or to name
        as parts of an image.
    :ivar consistency: the mark to put on them.
    :ivar owner: the image that the volume snapshots belong to, if any.
    :ivar taken: when they were made, in seconds since the epoch.
    """

    do: Do
    note: record.Progress | None = None
    volume_ids: tuple[str, ...] = ()
    image_ids: tuple[str, ...] = ()
    snapshot_ids: tuple[str, ...] = ()
    consistency: str = ''
    owner: str = ''
    taken: int = 0


#: What to do in a situation.
Act = Callable[[situation.Situation], Step]


# What to do in a situation. Those that learn something go on with it.

def _wait(s: situation.Situation) -> Step:
    return Step(Do.WAIT)


def _nothing(s: situation.Situation) -> Step:
    return Step(Do.NOTHING)


#: What a service said of the step before, and for how long nothing has
#: happened, does not hold for the next one.
_HEARD: dict[str, Any] = {'put_off_count': 0, 'refusal_count': 0,
                          'not_before': 0, 'hindrance': '', 'idle_since': 0}


def _with_progress(s: situation.Situation, **learnt: Any) -> Step:
    """Go on with what was learnt; the next write notes it."""
    progress = dataclasses.replace(s.progress, **learnt)
    step = next_step(s.plan, progress, s.seen, s.tagged)
    if step.note is not None:
        return step
    if step.do in (Do.WAIT, Do.NOTHING):
        return Step(Do.NOTE, progress)
    return dataclasses.replace(step, note=progress)


def _failed(failure: failures.Failure) -> Act:
    return lambda s: _with_progress(s, failure=failure.value, **_HEARD)


def _fail_as_said(failure: failures.Failure) -> Act:
    """It failed for what a service said."""
    return lambda s: _with_progress(
        s, failure=failure.value,
        **{**_HEARD, 'detail': s.progress.hindrance})


def _fail_wrong_state(s: situation.Situation) -> Step:
    return _with_progress(s, failure=failures.Failure.WRONG_STATE.value,
                          detail=s.status, **_HEARD)


def _note_off(s: situation.Situation) -> Step:
    stop = consistency.last_stop(s.seen.actions)
    return _with_progress(
        s, off_at=s.seen.now, asked_at=0, baseline_request=_before(s),
        **_HEARD, stop_request=stop.request_id if stop else '',
        # What was captured before that was not at rest.
        consistency=s.progress.consistency or consistency.classify(
            s.status, stop, s.plan.shutdown_timeout, s.plan.agent_announced))


def _power_off(s: situation.Situation) -> Step:
    return Step(Do.POWER_OFF, dataclasses.replace(
        s.progress, stop_count=s.progress.stop_count + 1, start_count=0,
        baseline_request=_before(s), asked_at=s.seen.now))


def _before(s: situation.Situation) -> str:
    """The request from which on it matters what others do."""
    return s.progress.baseline_request or (
        s.seen.actions[0].request_id if s.seen.actions else '')


def _snapshot_volumes(s: situation.Situation) -> Step:
    return Step(Do.SNAPSHOT_VOLUMES, dataclasses.replace(
        _asking(s), snapshot_count=s.progress.snapshot_count + 1),
        volume_ids=s.missing)


def _capture(s: situation.Situation) -> Step:
    return Step(Do.CAPTURE, dataclasses.replace(
        _asking(s), capture_count=s.progress.capture_count + 1),
        snapshot_ids=tuple(sorted(
            part.id for part in s.chosen.values())))


def _asking(s: situation.Situation) -> record.Progress:
    """The progress when something is about to be captured.

    What was noted for an earlier try may not hold for this one.
    """
    return dataclasses.replace(
        s.progress, asked_at=s.seen.now,
        first_capture_at=s.progress.first_capture_at or s.seen.now,
        consistency=consistency.weaker(s.progress.consistency, _now_mark(s)))


def _now_mark(s: situation.Situation) -> str:
    # Nova asks the guest's agent for an image, Cinder never does.
    return consistency.classify(
        s.status, consistency.last_stop(s.seen.actions),
        s.plan.shutdown_timeout, s.plan.agent_announced and not s.plan.volumes)


def _note_unseen(s: situation.Situation) -> Step:
    return _with_progress(s, unseen_since=s.seen.now)


def _note_seen(s: situation.Situation) -> Step:
    return _with_progress(s, unseen_since=0)


def _note_idle(s: situation.Situation) -> Step:
    return _with_progress(s, idle_since=s.seen.now)


def _note_busy(s: situation.Situation) -> Step:
    return _with_progress(s, idle_since=0)


def _note_powered_on(s: situation.Situation) -> Step:
    return _with_progress(s, consistency=marks.LIVE)


def _mark(s: situation.Situation) -> Step:
    images, snapshots = s.wrongly_marked
    made = [s.image] if s.image else s.chosen.values()
    return Step(Do.MARK, dataclasses.replace(
        s.progress, mark_count=s.progress.mark_count + 1), image_ids=images,
        snapshot_ids=snapshots, consistency=s.consistency,
        owner=s.image.id if s.image else '',
        taken=int(min(thing.created for thing in made).timestamp()))


def _protect(s: situation.Situation) -> Step:
    return Step(Do.PROTECT, dataclasses.replace(
        s.progress, mark_count=s.progress.mark_count + 1),
        image_ids=(s.image.id,) if s.image else ())


def _note_captured(s: situation.Situation) -> Step:
    return _with_progress(s, captured_at=s.seen.now, asked_at=0, **_HEARD,
                          image_id=s.image.id if s.image else '')


def _power_on(s: situation.Situation) -> Step:
    stop = consistency.last_stop(s.seen.actions)
    return Step(Do.POWER_ON, dataclasses.replace(
        s.progress, start_count=s.progress.start_count + 1,
        asked_at=s.seen.now,
        stop_request=s.progress.stop_request
        or (stop.request_id if stop else '')))


def _remove(s: situation.Situation) -> Step:
    images, snapshots = s.leftovers
    tries = s.progress.removal_count + 1
    return Step(Do.REMOVE, dataclasses.replace(
        s.progress, removal_count=tries, removed_calls=s.removed_calls,
        not_before=s.seen.now + 5 * tries), image_ids=images,
        snapshot_ids=snapshots)


def _end(s: situation.Situation) -> Step:
    images, snapshots = s.leftovers
    return Step(Do.NOTE, dataclasses.replace(
        s.progress, ended_at=s.seen.now, closed_attempt=s.progress.attempt,
        leftover_ids=' '.join(images + snapshots)))


def _tidy_after_end(s: situation.Situation) -> Step:
    images, snapshots = s.leftovers
    return Step(Do.REMOVE, image_ids=images, snapshot_ids=snapshots)


def _note_left(s: situation.Situation) -> Step:
    return Step(Do.NOTE, dataclasses.replace(
        s.progress, leftover_ids=' '.join(s.still_left)))


#: The first row whose condition holds says what to do.
Row = tuple[Callable[[situation.Situation], object], Act]

#: Nothing is asked for yet that must be waited for.
BEFORE: tuple[Row, ...] = (
    (lambda s: s.gone, _failed(failures.Failure.SERVER_GONE)),
    (lambda s: s.busy or s.unanswered, _wait),
    (lambda s: s.rebuilding, _wait),
    (lambda s: s.started_by_others,
     _failed(failures.Failure.STARTED_BY_OTHERS)),
    (lambda s: s.too_late, _fail_as_said(failures.Failure.NOT_BEGUN)),
    (lambda s: s.detached and not s.progress.stop_count,
     _failed(failures.Failure.VOLUME_DETACHED)),
    (lambda s: s.to_power_off and s.refused,
     _fail_as_said(failures.Failure.STOP_REFUSED)),
    (lambda s: s.to_power_off and (s.power_unanswered or s.put_off), _wait),
    (lambda s: s.to_power_off and s.stop_tries >= record.TRIES,
     _failed(failures.Failure.STOP_FAILED)),
    (lambda s: s.to_power_off, _power_off),
    (lambda s: s.wrong_state, _fail_wrong_state),
    (lambda s: s.powered_off_during_capture,
     _failed(failures.Failure.CAPTURE_FAILED)),
    (lambda s: s.first_seen_off and s.stop_unfinished, _wait),
    (lambda s: s.first_seen_off, _note_off),
    (lambda s: s.plan.power_off and s.plan.stop_if_forced
     and s.progress.consistency == marks.FORCED_OFF,
     _failed(failures.Failure.FORCED_OFF)),
    (lambda s: s.detached, _failed(failures.Failure.VOLUME_DETACHED)),
    (lambda s: s.part_failed, _failed(failures.Failure.SNAPSHOT_FAILED)),
    (lambda s: s.missing and s.refused,
     _fail_as_said(failures.Failure.SNAPSHOT_REFUSED)),
    (lambda s: s.refused, _fail_as_said(failures.Failure.CAPTURE_REFUSED)),
    (lambda s: s.put_off_too_long,
     _fail_as_said(failures.Failure.CAPTURE_FAILED)),
    (lambda s: s.put_off, _wait),
    (lambda s: s.missing and s.snapshot_tries >= record.TRIES,
     _failed(failures.Failure.CAPTURE_FAILED)),
    (lambda s: s.missing, _snapshot_volumes),
    (lambda s: s.capture_tries >= record.TRIES,
     _failed(failures.Failure.CAPTURE_FAILED)),
    (lambda s: not s.plan.volumes and (s.leftovers_in_creation
                                       or s.late_capture_possible), _wait),
    (lambda s: any(s.leftovers) and not s.plan.volumes
     and s.removals_left, _remove),
    (lambda s: True, _capture),
)

#: There is an image of the run, or there was one.
DURING: tuple[Row, ...] = (
    (lambda s: s.removed, _failed(failures.Failure.IMAGE_VANISHED)),
    (lambda s: s.image is None and s.busy, _wait),
    (lambda s: s.image is None and not s.progress.unseen_since, _note_unseen),
    (lambda s: s.image is None and s.unseen_for < situation.UNSEEN_GRACE,
     _wait),
    (lambda s: s.image is None, _failed(failures.Failure.IMAGE_VANISHED)),
    (lambda s: s.progress.unseen_since and not s.part_gone, _note_seen),
    (lambda s: s.finished and s.busy, _wait),
    (lambda s: s.captured_running,
     _failed(failures.Failure.STARTED_BY_OTHERS)),
    (lambda s: s.powered_on_during_capture, _note_powered_on),
    (lambda s: s.finished and s.part_moving, _wait),
    (lambda s: s.finished and any(s.wrongly_marked)
     and s.progress.mark_count < record.TRIES, _mark),
    (lambda s: s.finished and s.part_gone and not s.progress.unseen_since,
     _note_unseen),
    (lambda s: s.finished and s.part_gone
     and s.unseen_for < situation.UNSEEN_GRACE, _wait),
    (lambda s: s.finished and s.part_stuck,
     _failed(failures.Failure.PART_ABANDONED)),
    (lambda s: s.finished and (s.part_failed or s.part_gone),
     _failed(failures.Failure.PART_FAILED)),
    (lambda s: s.finished and s.image_is_empty,
     _failed(failures.Failure.IMAGE_EMPTY)),
    (lambda s: s.finished and s.unprotected
     and s.progress.mark_count < record.TRIES, _protect),
    (lambda s: s.finished, _note_captured),
    (lambda s: s.busy and s.progress.idle_since, _note_busy),
    (lambda s: s.busy, _wait),
    (lambda s: not s.progress.idle_since, _note_idle),
    (lambda s: s.idle_for < situation.IDLE_GRACE, _wait),
    (lambda s: True, _failed(failures.Failure.IMAGE_ABANDONED)),
)

#: Of a run that captures volumes alone: there are the snapshots.
VOLUMES_ONLY: tuple[Row, ...] = (
    (lambda s: s.busy, _wait),  # somebody may just be powering it on
    (lambda s: s.powered_on_during_capture, _note_powered_on),
    (lambda s: s.part_moving, _wait),
    (lambda s: any(s.wrongly_marked) and s.progress.mark_count < record.TRIES,
     _mark),
    (lambda s: s.part_stuck, _failed(failures.Failure.PART_ABANDONED)),
    (lambda s: s.part_failed, _failed(failures.Failure.SNAPSHOT_FAILED)),
    (lambda s: True, _note_captured),
)

#: Glance or Cinder does not answer, so what the run made is not known.
WHILE_UNREACHABLE: tuple[Row, ...] = (
    # From then on it counts how long the instance is off for that.
    (lambda s: s.first_seen_off and not (s.busy or s.progress.capture_count
                                         or s.stop_unfinished), _note_off),
    # Nova has long been done with the image: nothing is gained by waiting.
    (lambda s: 'volume' not in s.seen.unreachable and s.progress.image_id
     and s.to_power_on and s.status == 'SHUTOFF' and not s.busy
     and not s.part_moving and s.idle_for >= situation.IDLE_GRACE
     and not s.put_off and not (s.progress.start_count and s.power_unanswered),
     _power_on),
    (lambda s: s.progress.image_id and not s.busy
     and not s.progress.idle_since,
     _note_idle),
    (lambda s: s.cinder_gone_too_long and (
        s.progress.image_id or not s.plan.captures_image),
     _failed(failures.Failure.PART_ABANDONED)),
    (lambda s: s.cinder_gone_too_long,
     _failed(failures.Failure.SNAPSHOT_FAILED)),
    (lambda s: s.glance_gone_too_long,
     _failed(failures.Failure.CAPTURE_FAILED)),
    (lambda s: True, _wait),
)

#: There is a snapshot, or there will be none.
AFTER: tuple[Row, ...] = (
    (lambda s: s.return_unproven and not s.progress.idle_since, _note_idle),
    (lambda s: s.stop_unanswered, _wait),
    (lambda s: s.to_power_on and (s.busy or s.part_moving
                                  or s.late_stop_possible), _wait),
    (lambda s: s.owed and (s.put_off or s.progress.start_count
                           and s.power_unanswered), _wait),
    (lambda s: s.owed, _power_on),
    (lambda s: s.seen.unreachable or s.part_moving
     or s.leftovers_in_creation, _wait),
    (lambda s: any(s.leftovers) and s.removals_left and s.put_off, _wait),
    (lambda s: any(s.leftovers) and s.removals_left, _remove),
    (lambda s: s.return_unproven and s.idle_for < situation.POWER_GRACE,
     _wait),
    (lambda s: True, _end),
)

#: The run is over. Somebody's last call may have come after that.
ENDED: tuple[Row, ...] = (
    (lambda s: s.seen.unreachable, _nothing),
    (lambda s: any(s.leftovers), _tidy_after_end),
    (lambda s: s.left_gone, _note_left),
    (lambda s: True, _nothing),
)


def next_step(plan: record.Plan, progress: record.Progress,
              seen: observation.Observation, tagged: bool = False) -> Step:
    """What to do next about a run.

    :param tagged: whether the record stands in the server's tags.
    """
    state = situation.Situation(plan, progress, seen, tagged)
    step = _decide(state)
    if state.progress == progress or step.do is Do.NOTHING:
        return step
    # It stood in the future, and is not to be waited for until then.
    if step.do is Do.WAIT and not state.not_writable:
        return Step(Do.NOTE, state.progress)
    return step


def _decide(state: situation.Situation) -> Step:
    progress, seen = state.progress, state.seen
    if progress.ended_at:
        table = ENDED
    elif state.not_writable:
        return Step(Do.WAIT)  # until it is let go, as somebody wished
    elif state.capture_over:
        table = AFTER
    elif seen.unreachable:
        table = WHILE_UNREACHABLE
    elif state.image is not None or progress.image_id:
        table = DURING
    elif state.volumes_begun:
        table = VOLUMES_ONLY
    else:
        table = BEFORE
    return next(act(state) for holds, act in table if holds(state))
