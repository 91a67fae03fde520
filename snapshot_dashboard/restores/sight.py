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

"""All that the next step of a restore depends on, read from the services."""

from collections.abc import Callable
import dataclasses
import functools
from typing import Any

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types
from snapshot_dashboard.restores import restore
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import observe
from snapshot_dashboard.runs import record

#: Actions of an instance among which the last ones are looked for.
_ACTIONS = 20
#: On a new volume: the restore that made it, and in whose place it comes.
MADE_BY = 'snapshot_dashboard_made_by'
IN_PLACE_OF = 'snapshot_dashboard_in_place_of'
#: Where its disks can be overwritten from outside.
SHELVED = ('SHELVED', 'SHELVED_OFFLOADED')


@dataclasses.dataclass(frozen=True)
class Sight:
    """What the cloud shows of a restore.

    :ivar server: None when it is not to be found.
    :ivar now: seconds since the epoch.
    :ivar safety: the run that takes the safety snapshot, as it is recorded.
    :ivar safety_image: what that run made, if it is whole; asked for until
        something was overwritten.
    :ivar volumes: those that are overwritten or exchanged, by their ids,
        without those that are gone; None where Cinder does not tell, or was
        not asked.
    :ivar fresh: the new ones that were made, the best first, by the ids of
        those in whose place they come; likewise.
    :ivar actions: what was done to the server, the latest first.
    :ivar rebuilt: what came of the latest rebuild; None for not known.
    """

    server: types.Server | None
    now: int
    safety: record.Run | None = None
    safety_image: types.Image | None = None
    volumes: dict[str, types.Volume] | None = None
    fresh: dict[str, list[types.Volume]] | None = None
    actions: tuple[types.Action, ...] = ()
    rebuilt: bool | None = None


def look(cloud: services.Cloud, found: restore.Restore,
         now: int) -> tuple[restore.Restore, Sight]:
    """Look at a restore, in four rounds of calls at the most.

    :returns: the restore as it is recorded now, and what is seen of it.
    :raises ServiceError: when Nova or Glance cannot be asked, or Cinder what
        is to be known of the safety snapshot.
    """
    plan = found.plan
    answers = cloud.gather_named({
        'server': functools.partial(observe.server_now, cloud, plan.server_id),
        'image': functools.partial(_image, cloud, plan.home_id)})
    for error in errors.among(answers.values()):
        raise error
    server, image = answers['server'], answers['image']
    if image is None:
        found = _without_image(found)
    else:
        there = restore.read(image)
        if there is None or there.plan.run_id != plan.run_id:
            raise Superseded(plan.run_id)
        found = there
    if server is None:
        return found, Sight(None, now, fresh=(
            _fresh(cloud, plan) if plan.swaps else None))
    return found, _closer(cloud, found, server, now)


def _without_image(found: restore.Restore) -> restore.Restore:
    """A restore whose snapshot, and record, is gone: what is left of it is to
    bring the instance back.
    """
    progress = found.progress
    if not (progress.failure or progress.restored_at):
        progress = dataclasses.replace(
            progress, failure=restore.Failure.RECORD_LOST.value)
    return dataclasses.replace(found, progress=progress, lost=True)


class Superseded(errors.Conflict):
    """The restore was dismissed or replaced, so no step may be taken."""

    def __init__(self, run_id: str):
        super().__init__('image', f'the restore {run_id} is not recorded '
                         'any more')


def _closer(cloud: services.Cloud, found: restore.Restore,
            server: types.Server, now: int) -> Sight:
    plan, progress = found.plan, found.progress
    safety = journal.read(server, plan.safety_run) if plan.safety_run else None
    if safety is not None and safety.plan.run_id != plan.safety_run:
        safety = None
    calls: dict[str, Callable[[], Any]] = {}
    if plan.safety_run and not progress.overwrite_at and (
            safety is None or not safety.open):
        calls['safety'] = functools.partial(_safety_image, cloud, plan)
    if not server.task_state:
        if plan.swaps:
            calls['fresh'] = functools.partial(_fresh, cloud, plan)
        if (plan.disks or plan.swaps) and progress.off_at:
            calls['volumes'] = functools.partial(_volumes, cloud, plan)
        if progress.off_at or server.status != 'ACTIVE':
            calls['actions'] = functools.partial(_actions, cloud, server.id)
    answers = cloud.gather_named(calls)
    for name, error in answers.items():
        if isinstance(error, errors.ServiceError) and not (
                name in ('volumes', 'fresh') and error.service == 'volume'
                and not isinstance(error, errors.Unauthorized)):
            raise error
    volumes, fresh = answers.get('volumes'), answers.get('fresh')
    actions = tuple(answers.get('actions') or ())
    rebuilt = _rebuilt(cloud, server, actions) if plan.rebuilds else None
    if rebuilt and (server.status == 'ERROR'
                    or server.image_id != plan.image_id):
        # It may have been looked at before that.
        server = cloud.compute.server(server.id)
    return Sight(
        server, now, safety, answers.get('safety'),
        volumes if isinstance(volumes, dict) else None,
        fresh if isinstance(fresh, dict) else None, actions, rebuilt)


def _image(cloud: services.Cloud, image_id: str) -> types.Image | None:
    try:
        return cloud.images.image(image_id)
    except errors.NotFound:
        return None


def _volumes(cloud: services.Cloud,
             plan: restore.Plan) -> dict[str, types.Volume]:
    answers = cloud.gather_named({
        volume_id: functools.partial(cloud.volumes.volume, volume_id)
        for volume_id in (*(disk.volume_id for disk in plan.disks),
                          *(swap.volume_id for swap in plan.swaps))})
    for error in errors.among(answers.values(), errors.NotFound):
        raise error
    return errors.without(answers)


def _fresh(cloud: services.Cloud,
           plan: restore.Plan) -> dict[str, list[types.Volume]]:
    """The volumes that a restore has made; of two that asked for one at the
    same moment there may be two.
    """
    found: dict[str, list[types.Volume]] = {}
    ranks = {'in-use': 0, 'reserved': 1, 'attaching': 1, 'available': 2,
             'creating': 3}
    for volume in sorted(
            cloud.volumes.made_for({MADE_BY: plan.run_id}),
            key=lambda volume: (ranks.get(volume.status, 4), volume.id)):
        if volume.metadata.get(MADE_BY) == plan.run_id:
            found.setdefault(volume.metadata.get(IN_PLACE_OF, ''),
                             []).append(volume)
    return found


def _safety_image(cloud: services.Cloud,
                  plan: restore.Plan) -> types.Image | None:
    """What the run of the safety snapshot made, if it is whole."""
    found = cloud.images.images(10, {
        'owner': cloud.project_id, marks.RUN: plan.safety_run},
        ascending=True)
    whole = (image for image in found
             if image.properties.get(marks.RUN) == plan.safety_run
             and image.properties.get(marks.INSTANCE) == plan.server_id
             and image.status == 'active' and image.whole)
    image = next(whole, None)
    if image is None:
        return None
    parts = cloud.gather_or_raise(*(
        functools.partial(cloud.volumes.snapshot, snapshot_id)
        for snapshot_id in image.mapped))
    return image if all(part.status == 'available' for part in parts) else None


def _actions(cloud: services.Cloud, server_id: str) -> list[types.Action]:
    """What was done to a server; nothing where the cloud hides it."""
    try:
        return cloud.compute.actions(server_id, _ACTIONS)
    except (errors.Forbidden, errors.NotFound):
        return []


def _rebuilt(cloud: services.Cloud, server: types.Server,
             actions: tuple[types.Action, ...]) -> bool | None:
    latest = next((action for action in actions if action.name == 'rebuild'),
                  None)
    if latest is None:
        return None
    try:
        return cloud.compute.action_succeeded(server.id, latest)
    except (errors.Forbidden, errors.NotFound):
        return None
