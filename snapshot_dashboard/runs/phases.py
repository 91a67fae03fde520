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

from snapshot_dashboard.runs import record


class Phase(enum.Enum):
    """The phases of a run, in their order."""

    POWER_OFF = 'power-off'
    CAPTURE = 'capture'
    SAVE = 'save'
    POWER_ON = 'power-on'


def phases(plan: record.Plan) -> list[Phase]:
    """The phases that this run goes through."""
    found = [Phase.CAPTURE, Phase.SAVE]
    if plan.power_off:
        found.insert(0, Phase.POWER_OFF)
        if plan.power_on:
            found.append(Phase.POWER_ON)
    return found


def current(run: record.Run) -> Phase | None:
    """The phase that a run is in; None when it is over."""
    plan, progress = run.plan, run.progress
    if progress.ended_at:
        return None
    if progress.captured_at or progress.failure:
        return Phase.POWER_ON if plan.power_off and plan.power_on else (
            Phase.SAVE)
    if progress.image_id or (
            not plan.captures_image and progress.snapshot_count):
        return Phase.SAVE
    if plan.power_off and not progress.off_at:
        return Phase.POWER_OFF
    return Phase.CAPTURE
