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

"""How far a restore is, for people to read."""

import enum

from snapshot_dashboard.restores import restore


class Stage(enum.Enum):
    """The stages of a restore, in their order."""

    PREPARE = 'prepare'
    SAVE = 'save'
    POWER_OFF = 'power-off'
    OVERWRITE = 'overwrite'
    EXCHANGE = 'exchange'
    BRING_BACK = 'bring-back'


class State(enum.Enum):
    """What the record says of a stage."""

    DONE = 'done'
    CURRENT = 'current'
    TODO = 'todo'
    SKIPPED = 'skipped'
    FAILED = 'failed'


def of(plan: restore.Plan) -> list[Stage]:
    """The stages that a restore goes through."""
    passes = {
        Stage.PREPARE: plan.swaps,
        Stage.SAVE: plan.safety_run,
        Stage.POWER_OFF: plan.was_running and not plan.safety_run,
        Stage.OVERWRITE: plan.rebuilds or plan.disks,
        Stage.EXCHANGE: plan.swaps,
        Stage.BRING_BACK: plan.disks or plan.run_again}
    return [stage for stage, does in passes.items() if does]


def current(found: restore.Restore) -> Stage:
    """The stage that an open restore is in."""
    there = of(found.plan)
    if found.progress.failure or found.progress.restored_at or (
            found.progress.unshelve_count):
        return there[-1]
    return next(stage for stage in there if not _is_done(found, stage))


def states(found: restore.Restore) -> dict[Stage, State]:
    """The stages of a restore, and what is recorded of each."""
    states: dict[Stage, State] = {}
    over = bool(found.progress.failure) or not found.open
    now = current(found) if found.open else None
    for stage in of(found.plan):
        if stage is now:
            states[stage] = State.CURRENT
        elif _is_done(found, stage):
            states[stage] = State.DONE
        elif over and State.FAILED in states.values() or found.cancelled:
            states[stage] = State.SKIPPED
        else:
            states[stage] = State.FAILED if over else State.TODO
    return states


def _is_done(found: restore.Restore, stage: Stage) -> bool:
    progress = found.progress
    if stage is Stage.PREPARE:  # nothing is touched before
        return bool(progress.stop_count or progress.safety_id
                    or progress.off_at)
    if stage is Stage.SAVE:
        return bool(progress.safety_id)
    if stage is Stage.POWER_OFF:
        return bool(progress.off_at)
    if stage is Stage.OVERWRITE:
        return bool(progress.restored_at or progress.rebuilt_at or (
            progress.unshelve_count and not progress.failure))
    if stage is Stage.EXCHANGE:
        return bool(progress.restored_at)
    return bool(progress.ended_at and not progress.failure)
