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

"""Begin a run, and bring it forward: observe, decide, take, look again.

Any number of callers at once, and a crash between any two lines, lead to
the same end: each write is safe to repeat, and each look is a new one.
"""

from collections.abc import Callable
import dataclasses
import functools
import logging
import time
from typing import Any
import uuid

from snapshot_dashboard import cloud as clouds
from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import types
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import steps

LOG = logging.getLogger(__name__)

#: Steps that one call takes at the most; the next call goes on.
_STEPS = 10
#: Runs of one project that are looked for.
_RUNS = 100
#: Images of one run that are looked at.
_IMAGES = 20


class Busy(Exception):
    """There is an open run on this server already."""


def new_plan(name: str, description: str, *, power_off: bool,
             power_on: bool, by: str) -> journal.Plan:
    """The plan of a run that begins now."""
    return journal.Plan(
        run_id=uuid.uuid4().hex, name=name, description=description,
        power_off=power_off, power_on=power_off and power_on,
        began=int(time.time()), by=by)


def begin(cloud: clouds.Cloud, server: types.Server,
          plan: journal.Plan) -> journal.Journal | None:
    """Write a run down on its server; :func:`advance` does the rest.

    A locked server takes no metadata, but it cannot be powered off either,
    and createImage does not mind the lock: its snapshot is taken at once.

    :returns: the run, or None for one that needs no record.
    :raises Busy: when a run is open on this server.
    :raises ServiceError: when the record or the snapshot is refused.
    """
    there = journal.read(server)
    if there is not None and there.open:
        raise Busy(server.id)
    if server.locked and not plan.power_off:
        _create_image(cloud, server, plan)
        return None
    cloud.compute.set_metadata(server.id, journal.write_plan(plan))
    cloud.compute.add_tag(server.id, journal.TAG)
    return journal.Journal(server, plan, journal.Progress())


def runs(cloud: clouds.Cloud) -> list[journal.Journal]:
    """All runs of the project, those that are over among them."""
    found = (journal.read(server)
             for server in cloud.compute.servers(_RUNS, tag=journal.TAG))
    return sorted((run for run in found if run is not None),
                  key=lambda run: run.plan.began, reverse=True)


def dismiss(cloud: clouds.Cloud, run: journal.Journal) -> None:
    """Forget a run that is over."""
    cloud.compute.delete_tag(run.server.id, journal.TAG)
    cloud.compute.delete_metadata(
        run.server.id,
        [key for key in journal.KEYS if key in run.server.metadata])


def cancel(cloud: clouds.Cloud, run: journal.Journal) -> journal.Journal:
    """Give a run up before its capture; the instance is powered on again."""
    progress = run.progress
    if progress.captures or progress.ended or progress.failure:
        return run
    return _note(cloud, run, dataclasses.replace(
        progress, failure=steps.Failure.CANCELLED.value))


def advance(cloud: clouds.Cloud, run: journal.Journal) -> journal.Journal:
    """Bring a run as far forward as it goes without waiting.

    :returns: the run as it is now.
    :raises ServiceError: when a service could not be asked; nothing is lost
        by that, and the next call goes on.
    """
    for _ in range(_STEPS):
        seen = observe(cloud, run)
        if seen.server is not None:
            there = journal.read(seen.server)
            if there is None or there.plan.run_id != run.plan.run_id:
                return run  # dismissed, or followed by another run
            run = there
        step = steps.next_step(run.plan, run.progress, seen)
        if step.do in (steps.Do.WAIT, steps.Do.NOTHING):
            break
        LOG.info('Run %s on server %s: %s', run.plan.run_id, run.server.id,
                 step.do.value)
        run = take(cloud, run, step)
        if seen.server is None:
            break  # the journal went with the server
    return run


def observe(cloud: clouds.Cloud, run: journal.Journal) -> steps.Observation:
    """Look at all that the next step depends on."""
    progress = run.progress
    look: list[Callable[[], Any]] = [
        lambda: cloud.compute.server(run.server.id)]
    if progress.captures:
        look.append(lambda: cloud.images.images(
            _IMAGES, {'owner': cloud.project_id,
                      marks.RUN: run.plan.run_id}))
    answers = clouds.together(*look)
    if isinstance(answers[0], errors.NotFound):
        answers[0] = None
    for answer in answers:
        if isinstance(answer, errors.ServiceError):
            raise answer
    images = tuple(answers[1]) if progress.captures else ()
    seen = steps.Observation(answers[0], images, (), int(time.time()))
    image = steps.chosen_image(progress, seen)
    if image is None or image.status != 'active' or progress.captured:
        return seen
    return dataclasses.replace(seen, parts=_part_statuses(cloud, image))


def _part_statuses(cloud: clouds.Cloud,
                   image: types.Image) -> tuple[str, ...]:
    found = []
    for answer in clouds.together(*(
            functools.partial(_snapshot_status, cloud, disk.snapshot_id)
            for disk in image.disks if disk.snapshot_id)):
        if isinstance(answer, errors.NotFound):
            answer = 'deleted'
        elif isinstance(answer, errors.ServiceError):
            raise answer
        found.append(answer)
    return tuple(found)


def _snapshot_status(cloud: clouds.Cloud, snapshot_id: str) -> str:
    return cloud.volumes.snapshot(snapshot_id).status


def take(cloud: clouds.Cloud, run: journal.Journal,
         step: steps.Step) -> journal.Journal:
    """Take one step: the note first, so that a crash leaves no secret."""
    if step.note is not None:
        run = _note(cloud, run, step.note)
    if step.do is steps.Do.POWER_OFF:
        return _try(cloud, run, steps.Failure.STOP_REFUSED,
                    lambda: cloud.compute.stop(run.server.id))
    if step.do is steps.Do.POWER_ON:
        return _try(cloud, run, steps.Failure.START_REFUSED,
                    lambda: cloud.compute.start(run.server.id))
    if step.do is steps.Do.CAPTURE:
        return _try(cloud, run, steps.Failure.CAPTURE_REFUSED,
                    lambda: _create_image(cloud, run.server, run.plan))
    for image_id in step.image_ids:
        try:
            cloud.images.delete(image_id)
        except errors.NotFound:
            LOG.debug('Image %s is gone already.', image_id)
    return run


def _try(cloud: clouds.Cloud, run: journal.Journal, failure: steps.Failure,
         call: Callable[[], str | None]) -> journal.Journal:
    """Make a write whose effect the next look will show.

    A conflict or a lost answer needs no more than that look. A refusal is
    final.
    """
    try:
        result = call()
    except (errors.Conflict, errors.NotFound, errors.Unavailable) as error:
        LOG.info('Run %s: %s', run.plan.run_id, error)
    except (errors.Forbidden, errors.Refused) as error:
        LOG.warning('Run %s: %s', run.plan.run_id, error)
        return _note(cloud, run, dataclasses.replace(
            run.progress, failure=failure.value, detail=error.detail))
    else:
        if result:
            return _note(cloud, run, dataclasses.replace(
                run.progress, image_id=result))
    return run


def _create_image(cloud: clouds.Cloud, server: types.Server,
                  plan: journal.Plan) -> str:
    off = server.status == 'SHUTOFF'
    metadata = {
        marks.RUN: plan.run_id,
        marks.INSTANCE_NAME: server.name[:journal.VALUE_LENGTH],
        marks.CONSISTENCY: marks.POWERED_OFF if off else marks.LIVE,
        marks.INSTANCE_ID: server.id,
        marks.IMAGE_TYPE: 'snapshot',
    }
    if plan.description:
        metadata[marks.DESCRIPTION] = plan.description
    return cloud.compute.create_image(server.id, plan.name, metadata)


def _note(cloud: clouds.Cloud, run: journal.Journal,
          progress: journal.Progress) -> journal.Journal:
    cloud.compute.set_metadata(run.server.id,
                               journal.write_progress(progress))
    return dataclasses.replace(run, progress=progress)
