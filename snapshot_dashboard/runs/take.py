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

"""The writes of a run, each of them safe to repeat."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
import contextlib
import dataclasses
import functools
import logging
import uuid

from snapshot_dashboard import cloud as clouds
from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import types
from snapshot_dashboard.runs import failures
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import situation
from snapshot_dashboard.runs import steps
from snapshot_dashboard.snapshots import recipe

LOG = logging.getLogger(__name__)
Clock = Callable[[], float]
#: What these power steps do shows at once.
_POWER = (failures.Failure.STOP_REFUSED, failures.Failure.START_REFUSED)


#: Steps that must be seen to their end, whoever may have closed the run.
_ATTEMPTS = (steps.Do.POWER_OFF, steps.Do.SNAPSHOT_VOLUMES, steps.Do.CAPTURE)


class Superseded(Exception):
    """The run was dismissed, or another one follows it: hands off."""


def take(cloud: clouds.Cloud, run: journal.Journal, step: steps.Step,
         now: int, clock: Clock) -> journal.Journal:
    """Take one step.

    What is about to be done is noted first, so that a crash leaves nothing
    that nobody knows of. It is not done when noting took so long that others
    may have given up waiting for it: when this process was suspended.

    :param now: when it was decided on.
    :returns: the run with the progress as it is now.
    :raises ServiceError: when that could not be noted, or a service did not
        answer; the next look shows what came of it.
    """
    progress, asked = step.note, int(clock())
    if progress is not None and step.do in _ATTEMPTS:
        progress = dataclasses.replace(progress, asked=asked,
                                       attempt=uuid.uuid4().hex[:8])
    made_of = recipe.Recipe()
    if step.do is steps.Do.CAPTURE:  # each is a call: at the same time
        run, made_of = cloud.each(
            functools.partial(note, cloud, run, now, progress),
            functools.partial(recipe.of, cloud, run.server))
    else:
        run = note(cloud, run, now, progress)
    if step.do in _ATTEMPTS and clock() - asked > situation.STALE:
        return run
    if step.do is steps.Do.POWER_OFF:
        return _try(cloud, run, now, failures.Failure.STOP_REFUSED,
                    lambda: cloud.compute.stop(run.server.id))
    if step.do is steps.Do.POWER_ON:
        return _try(cloud, run, now, failures.Failure.START_REFUSED,
                    lambda: cloud.compute.start(run.server.id))
    if step.do is steps.Do.CAPTURE:
        return _try(cloud, run, now, failures.Failure.CAPTURE_REFUSED,
                    lambda: create_image(cloud, run.server, run.plan,
                                         run.progress.consistency, now,
                                         made_of, step.snapshot_ids))
    if step.do is steps.Do.SNAPSHOT_VOLUMES:
        return _try(cloud, run, now, failures.Failure.SNAPSHOT_REFUSED,
                    lambda: _snapshot_volumes(cloud, run, step, now))
    try:
        if step.do is steps.Do.MARK:
            _mark(cloud, run, step)
        elif step.do is steps.Do.REMOVE:
            remove(cloud, step.image_ids, step.snapshot_ids)
    except errors.ServiceError as error:
        # The next look shows what is left, and a missing mark is no reason
        # to keep the instance off.
        LOG.warning('Run %s: not %s: %s', run.plan.run_id, step.do.value,
                    error, extra=run.fields)
    return run


def note(cloud: clouds.Cloud, run: journal.Journal, now: int,
         progress: journal.Progress | None) -> journal.Journal:
    """Write down how far the run is; only what has changed."""
    if progress is None or progress == run.progress:
        return run
    progress = dataclasses.replace(progress, at=now)
    if run.tagged:
        old = journal.tags(run.plan, run.progress)
        new = journal.tags(run.plan, progress)
        for tag in sorted(new - old):
            cloud.compute.add_tag(run.server.id, tag)
        for tag in sorted(old - new):
            cloud.compute.delete_tag(run.server.id, tag)
    else:
        now_there = cloud.compute.set_metadata(
            run.server.id, journal.changes(run.progress, progress))
        if not journal.same_run(now_there, run.plan):
            raise Superseded(run.plan.run_id)
    return dataclasses.replace(run, progress=progress)


def _try(cloud: clouds.Cloud, run: journal.Journal, now: int,
         failure: failures.Failure,
         call: Callable[[], str | None]) -> journal.Journal:
    """Make a write whose effect the next look will show.

    A conflict needs no more than that look, and a refusal is final. After
    an internal error the service may have done it or not; it is tried again
    at a later look.
    """
    progress = dataclasses.replace(run.progress, asked=0)
    try:
        result = call()
    except (errors.Conflict, errors.NotFound) as error:
        LOG.info('Run %s: %s', run.plan.run_id, error, extra=run.fields)
        return note(cloud, run, now, progress)
    except (errors.Forbidden, errors.Refused) as error:
        LOG.warning('Run %s: %s', run.plan.run_id, error, extra=run.fields)
        return note(cloud, run, now, dataclasses.replace(
            progress, failure=failure.value, detail=error.detail))
    except errors.Unavailable as error:
        LOG.warning('Run %s: %s', run.plan.run_id, error, extra=run.fields)
        if error.status == 500:  # a gateway's 502 to 504 answer nothing
            note(cloud, run, now, dataclasses.replace(
                progress, detail=error.detail))
        raise
    if failure in _POWER:
        return run  # so nothing needs to be noted
    return note(cloud, run, now, dataclasses.replace(
        progress, image_id=result or progress.image_id))


def create_image(cloud: clouds.Cloud, server: types.Server,
                 plan: journal.Plan, consistency: str, now: int,
                 made_of: recipe.Recipe, parts: Sequence[str] = ()) -> str:
    """Have Nova make the image, with our marks on it.

    :param made_of: how the server is, for others like it.
    :param parts: the volume snapshots that belong to it.
    """
    metadata = {**_marks(server, plan, now),
                marks.CONSISTENCY: consistency,
                marks.IMAGE_TYPE: 'snapshot',
                marks.DESCRIPTION: plan.description,
                **({marks.PURPOSE: plan.purpose} if plan.purpose else {}),
                **recipe.write(made_of),
                **marks.name_parts(parts)}
    return cloud.compute.create_image(server.id, plan.name, metadata)


def _marks(server: types.Server, plan: journal.Plan,
           taken: int) -> dict[str, str]:
    return {marks.RUN: plan.run_id, **marks.of_server(server, taken)}


def _snapshot_volumes(cloud: clouds.Cloud, run: journal.Journal,
                      step: steps.Step, now: int) -> None:
    # Somebody may power the instance on before they are whole, so how they
    # were taken is written on them when they are.
    metadata = _marks(run.server, run.plan, now)
    cloud.each(*(functools.partial(
        cloud.volumes.create_snapshot, volume_id, run.plan.name,
        run.plan.description, metadata) for volume_id in step.volume_ids))


def _mark(cloud: clouds.Cloud, run: journal.Journal,
          step: steps.Step) -> None:
    metadata = {**_marks(run.server, run.plan, step.taken),
                marks.CONSISTENCY: step.consistency}
    owner = {marks.IMAGE: step.owner} if step.owner else {}
    cloud.each(
        *(functools.partial(cloud.images.mark, image_id, metadata)
          for image_id in step.image_ids),
        *(functools.partial(cloud.volumes.mark_snapshot, snapshot_id,
                            {**metadata, **owner})
          for snapshot_id in step.snapshot_ids))


def remove(cloud: clouds.Cloud, image_ids: Iterable[str],
           snapshot_ids: Iterable[str]) -> None:
    """Delete images and volume snapshots; what is gone is no error.

    :raises ServiceError: the first error, when all were tried.
    """
    cloud.each(
        *(functools.partial(_gone, cloud.images.delete, image_id)
          for image_id in image_ids),
        *(functools.partial(_gone, cloud.volumes.delete_snapshot, snapshot_id)
          for snapshot_id in snapshot_ids))


def _gone(delete: Callable[[str], None], thing_id: str) -> None:
    with contextlib.suppress(errors.NotFound):
        delete(thing_id)
