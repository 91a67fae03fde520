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

"""The whole logic of a run, in one pure function.

``next_step`` looks at what the user asked for, at how far it went and at
what the cloud shows now, and says the one thing to do next. It remembers
nothing, so whoever asks, and however often, gets the same answer.
"""

import dataclasses
import enum
from typing import Any

from snapshot_dashboard.cloud import types
from snapshot_dashboard.runs import journal
from snapshot_dashboard.snapshots import statuses

#: createImage is allowed in these states (Nova API, Create Image).
CAPTURABLE = ('ACTIVE', 'SHUTOFF', 'PAUSED', 'SUSPENDED')
#: How often one write is tried that has no effect.
TRIES = 3
#: Seconds that an unfinished image may be left alone by Nova before it
#: counts as abandoned. Every snapshot begins so, for less than a second.
IDLE_GRACE = 30


class Failure(enum.Enum):
    """Why a run did not do all that was asked for."""

    SERVER_GONE = 'server-gone'
    STOP_REFUSED = 'stop-refused'
    STOP_FAILED = 'stop-failed'
    STARTED_BY_OTHERS = 'started-by-others'
    WRONG_STATE = 'wrong-state'
    CAPTURE_REFUSED = 'capture-refused'
    CAPTURE_FAILED = 'capture-failed'
    IMAGE_VANISHED = 'image-vanished'
    IMAGE_ABANDONED = 'image-abandoned'
    PART_FAILED = 'part-failed'
    START_REFUSED = 'start-refused'
    START_FAILED = 'start-failed'
    CANCELLED = 'cancelled'


@dataclasses.dataclass(frozen=True)
class Observation:
    """What the cloud shows of a run.

    :ivar server: None when it is gone.
    :ivar images: all images that carry the run's id.
    :ivar parts: the statuses of the volume snapshots of the run's image;
        ``deleted`` for one that is gone.
    :ivar now: seconds since the epoch.
    """

    server: types.Server | None
    images: tuple[types.Image, ...]
    parts: tuple[str, ...]
    now: int


class Do(enum.Enum):
    """The kinds of steps."""

    WAIT = 'wait'
    NOTE = 'note'
    POWER_OFF = 'power-off'
    CAPTURE = 'capture'
    REMOVE_IMAGES = 'remove-images'
    POWER_ON = 'power-on'
    NOTHING = 'nothing'


@dataclasses.dataclass(frozen=True)
class Step:
    """One thing to do.

    :ivar note: what the journal is to say before it is done.
    :ivar image_ids: what to remove.
    """

    do: Do
    note: journal.Progress | None = None
    image_ids: tuple[str, ...] = ()


def next_step(plan: journal.Plan, progress: journal.Progress,
              seen: Observation) -> Step:
    """What to do next about a run."""
    if progress.ended:
        return Step(Do.NOTHING)
    if not progress.captured and not progress.failure:
        return _before_captured(plan, progress, seen)
    return _after_captured(plan, progress, seen)


def _before_captured(plan: journal.Plan, progress: journal.Progress,
                     seen: Observation) -> Step:
    server = seen.server
    image = chosen_image(progress, seen)
    if image is not None or progress.image_id:
        return _watch_image(progress, seen, image)
    if server is None:
        return _fail(progress, Failure.SERVER_GONE)
    if server.task_state:
        return Step(Do.WAIT)
    off = server.status == 'SHUTOFF'
    if plan.power_off and not off and progress.off:
        return _fail(progress, Failure.STARTED_BY_OTHERS)
    if plan.power_off and not off and server.status == 'ACTIVE':
        if progress.stops >= TRIES:
            return _fail(progress, Failure.STOP_FAILED)
        return Step(Do.POWER_OFF, dataclasses.replace(
            progress, stops=progress.stops + 1))
    if server.status not in CAPTURABLE:
        return _fail(progress, Failure.WRONG_STATE, server.status)
    if progress.captures >= TRIES:
        return _fail(progress, Failure.CAPTURE_FAILED)
    return Step(Do.CAPTURE, dataclasses.replace(
        progress, captures=progress.captures + 1,
        off=progress.off or (seen.now if off else 0)))


def chosen_image(progress: journal.Progress,
                 seen: Observation) -> types.Image | None:
    """The one of the run's images that is its snapshot.

    Two who ask Nova at the same moment make two images, one of which stays
    ``queued`` for ever. The noted one counts, else the furthest.
    """
    noted = [image for image in seen.images
             if image.id == progress.image_id]
    furthest = sorted(seen.images, key=lambda image: (
        ('active', 'saving').index(image.status)
        if image.status in ('active', 'saving') else 2,
        image.created, image.id))
    return next(iter(noted or (furthest if not progress.image_id else ())),
                None)


def _watch_image(progress: journal.Progress, seen: Observation,
                 image: types.Image | None) -> Step:
    if image is None:
        return _fail(progress, Failure.IMAGE_VANISHED)
    if image.id != progress.image_id:
        return _note(progress, image_id=image.id)
    if statuses.motion(image.status) is statuses.Motion.FAILED or (
            image.status == 'pending_delete'):
        return _fail(progress, Failure.IMAGE_VANISHED)
    if image.status == 'active':
        motions = {statuses.motion(part) for part in seen.parts}
        if statuses.Motion.FAILED in motions:
            return _fail(progress, Failure.PART_FAILED)
        if statuses.Motion.MOVING in motions:
            return Step(Do.WAIT)
        return _note(progress, captured=seen.now, idle=0)
    if seen.server is not None and seen.server.task_state:
        return _note(progress, idle=0) if progress.idle else Step(Do.WAIT)
    if not progress.idle:
        return _note(progress, idle=seen.now)
    if seen.now - progress.idle >= IDLE_GRACE:
        return _fail(progress, Failure.IMAGE_ABANDONED)
    return Step(Do.WAIT)


def _after_captured(plan: journal.Plan, progress: journal.Progress,
                    seen: Observation) -> Step:
    superfluous = tuple(image.id for image in seen.images
                        if image.id != progress.image_id
                        and image.status == 'queued')
    if superfluous:
        return Step(Do.REMOVE_IMAGES, image_ids=superfluous)
    server = seen.server
    touched = plan.power_off and (progress.stops or progress.off)
    if server is not None and touched and plan.power_on:
        if server.task_state:
            return Step(Do.WAIT)
        refused = progress.failure == Failure.START_REFUSED.value
        if server.status == 'SHUTOFF' and not refused:
            if progress.starts < TRIES:
                return Step(Do.POWER_ON, dataclasses.replace(
                    progress, starts=progress.starts + 1))
            return _note(progress, failure=Failure.START_FAILED.value,
                         ended=seen.now)
    return _note(progress, ended=seen.now)


def _note(progress: journal.Progress, **changes: Any) -> Step:
    return Step(Do.NOTE, dataclasses.replace(progress, **changes))


def _fail(progress: journal.Progress, failure: Failure,
          detail: str = '') -> Step:
    return _note(progress, failure=failure.value, detail=detail)
