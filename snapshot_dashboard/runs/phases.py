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

"""How far a run is, for people to read."""

import enum

from snapshot_dashboard.runs import failures
from snapshot_dashboard.runs import record


class Phase(enum.Enum):
    """The phases of a run, in their order."""

    POWER_OFF = 'power-off'
    CAPTURE = 'capture'
    SAVE = 'save'
    POWER_ON = 'power-on'


class State(enum.Enum):
    """What the record says of a phase."""

    DONE = 'done'
    CURRENT = 'current'
    TODO = 'todo'
    SKIPPED = 'skipped'
    CANCELLED = 'cancelled'
    FAILED = 'failed'


def states(run: record.Run) -> dict[Phase, State]:
    """The phases that a run goes through, and what is recorded of each.

    What was not noted as done was not done, whatever came after it.
    """
    now, last = current(run), _last(run)
    found = {}
    for phase in _phases(run):
        if phase is now:
            found[phase] = State.CURRENT
        elif phase is last and not run.cancelled:
            found[phase] = State.FAILED
        elif phase is last and run.progress.stop_count and (
                phase is Phase.POWER_OFF):
            found[phase] = State.CANCELLED
        elif _is_done(run, phase):
            found[phase] = State.DONE
        else:
            found[phase] = (State.SKIPPED if run.progress.failure
                            or not run.open else State.TODO)
    return found


def current(run: record.Run) -> Phase | None:
    """The phase that a run is in; None when it is over or about to end."""
    if not run.open:
        return None
    progress = run.progress
    if progress.captured_at or progress.failure:
        touched = (progress.stop_count or progress.off_at
                   or progress.start_count)
        return (Phase.POWER_ON if touched and Phase.POWER_ON in _phases(run)
                else None)
    return next(phase for phase in _phases(run) if not _is_done(run, phase))


def _phases(run: record.Run) -> list[Phase]:
    found = [Phase.CAPTURE, Phase.SAVE]
    if run.plan.power_off:
        found.insert(0, Phase.POWER_OFF)
    if run.progress.failure == failures.Failure.RECORD_LOST.value:
        found = []  # nothing tells how far it had come
    # A failed capture of a running instance may have left it off.
    if run.plan.power_on or run.progress.start_count:
        found.append(Phase.POWER_ON)
    return found


def _is_done(run: record.Run, phase: Phase) -> bool:
    plan, progress = run.plan, run.progress
    if phase is Phase.POWER_OFF:
        return bool(progress.off_at)
    if phase is Phase.CAPTURE:  # a locked server's record begins with it
        return bool(progress.image_id or progress.captured_at or run.tagged
                    or not plan.captures_image and progress.snapshot_count)
    if phase is Phase.SAVE:
        return bool(progress.captured_at)
    return bool(progress.start_count)


def _last(run: record.Run) -> Phase | None:
    """The phase in which a run failed or was cancelled."""
    if not run.progress.failure:
        return None
    if run.progress.failure == failures.Failure.FORCED_OFF.value:
        return Phase.POWER_OFF
    return next((phase for phase in _phases(run)
                 if phase is not Phase.POWER_ON
                 and not _is_done(run, phase)), None)
