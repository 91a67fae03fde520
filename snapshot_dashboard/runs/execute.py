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

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import record
from snapshot_dashboard.runs import situation
from snapshot_dashboard.runs import steps
from snapshot_dashboard.snapshots import deletion
from snapshot_dashboard.snapshots import omissions
from snapshot_dashboard.snapshots import recipes

LOG = logging.getLogger(__name__)
Clock = Callable[[], float]
#: Steps that must be seen to their end, whoever may have closed the run.
ATTEMPTS = (steps.Do.POWER_OFF, steps.Do.SNAPSHOT_VOLUMES, steps.Do.CAPTURE)
#: Answers after which it is certain that nothing was done.
NOT_DONE = (errors.Conflict, errors.NotFound, errors.Forbidden,
            errors.Refused, errors.Throttled, errors.Unauthorized)
#: Steps that may be taken however long ago they were decided on.
_TIMELESS = (steps.Do.NOTE, steps.Do.MARK, steps.Do.PROTECT)
#: The tags by which a run is found, in the order in which they are set: what
#: shows it last stays until it is dismissed.
INDEX = (record.OPEN_TAG, record.TAG)


class Superseded(errors.Conflict):
    """The run was dismissed or replaced, so no step of it may be taken."""

    def __init__(self, run_id: str):
        super().__init__('compute', f'the run {run_id} is not recorded '
                         'any more')


def execute(cloud: services.Cloud, run: record.Run, step: steps.Step,
            now: int, clock: Clock) -> record.Run:
    """Carry out one step.

    The intent is written to the record before the step is taken, so that a
    crash leaves nothing unrecorded. If writing took longer than
    ``situation.STALE``, as when this process was suspended, the step is
    skipped: another process may have given up waiting and retried it.

    :param now: when the step was decided on, in seconds since the epoch.
    :returns: the run with its progress as it is now.
    :raises ServiceError: when the intent could not be written, or a service
        did not answer; the next observation shows what came of it.
    """
    progress, asked = step.note, int(clock())

    def stale() -> bool:
        return (step.do not in _TIMELESS
                and clock() - now > situation.STALE)
    if stale():
        return run
    if progress is not None and step.do in ATTEMPTS:
        progress = dataclasses.replace(progress, asked_at=asked,
                                       attempt=uuid.uuid4().hex[:8])
    run, made_of = _write_down(cloud, run, step, now, progress)
    if stale():
        return run
    if step.do is steps.Do.POWER_OFF:
        return _try(cloud, run, now, lambda: cloud.compute.stop(
            run.server.id))
    if step.do is steps.Do.POWER_ON:
        return _try(cloud, run, now, lambda: cloud.compute.start(
            run.server.id))
    if step.do is steps.Do.CAPTURE:
        return _try(cloud, run, now, lambda: create_image(
            cloud, run.server, run.plan, run.progress.consistency, now,
            made_of, step.snapshot_ids))
    if step.do is steps.Do.SNAPSHOT_VOLUMES:
        return _try(cloud, run, now, lambda: _snapshot_volumes(
            cloud, run, step, now))
    try:
        _finish(cloud, run, step)
    except errors.ServiceError as error:
        # The next look shows what is left, and a missing mark is no reason
        # to keep the instance off.
        LOG.warning('Run %s: step %s failed: %s', run.plan.run_id,
                    step.do.value,
                    error, extra=run.log_fields)
    return run


def _write_down(cloud: services.Cloud, run: record.Run, step: steps.Step,
                now: int, progress: record.Progress | None
                ) -> tuple[record.Run, recipes.Recipe]:
    """Note what is about to be done; what else is needed at the same time.

    :returns: the run as noted, and for a capture how the instance is. That
        is left out of a second try: it may have been too much.
    """
    noting = functools.partial(note, cloud, run, now, progress)
    if step.do is steps.Do.CAPTURE and not run.plan.without_recipe and (
            progress and progress.capture_count == 1):
        run, made_of = cloud.gather_or_raise(
            noting, functools.partial(recipes.of, cloud, run.server))
        return run, made_of
    if step.do is steps.Do.POWER_OFF and run.plan.power_on:
        # The note first: without it an old start is taken for somebody's.
        run = noting()
        if run.owed_tag not in run.server.tags:
            owe(cloud, run)
    elif progress is not None and progress.ended_at > run.progress.ended_at:
        run = _close(cloud, run, now, progress)
    else:
        run = noting()
    return run, recipes.Recipe()


def index(cloud: services.Cloud, server: types.Server) -> None:
    """Let a run be found."""
    for tag in INDEX:
        cloud.compute.add_tag(server.id, tag)


def owe(cloud: services.Cloud, run: record.Run) -> None:
    """Say in a tag that the instance is to be powered on again.

    The note says so, too, but may be undone by who writes metadata at the
    same time. Where there is no room for tags it has to do.
    """
    with contextlib.suppress(errors.Forbidden, errors.Refused):
        cloud.compute.add_tag(run.server.id, run.owed_tag)


def _close(cloud: services.Cloud, run: record.Run, now: int,
           progress: record.Progress) -> record.Run:
    """Note that a run is over, and take it from the index of open ones.

    Nothing is owed any more then; should that be said longer than the
    record lives, somebody would act on it. But as long as that is all that
    tells of the run, it stays until there is a record again, or no room for
    one: then the index alone tells that something was there.
    """
    if run.lost:
        run = note(cloud, run, now, progress)
    for tag in (run.owed_tag, run.started_tag):
        if tag in run.server.tags:
            cloud.compute.delete_tag(run.server.id, tag)
    run = note(cloud, run, now, progress)
    try:
        if record.OPEN_TAG in run.server.tags:
            cloud.compute.delete_tag(run.server.id, record.OPEN_TAG)
    except errors.ServiceError as error:  # it is only looked at in vain
        LOG.info('Run %s: removing the tag of open runs failed: %s',
                 run.plan.run_id, error, extra=run.log_fields)
    return run


def reopen(cloud: services.Cloud, run: record.Run,
           progress: record.Progress, now: int) -> record.Run:
    """Note once more what somebody has undone who closed the run meanwhile.

    :param run: as it is recorded.
    :param progress: as it was when something was asked for.
    """
    if run.progress.closed_attempt == progress.attempt:
        if (not progress.stop_count or run.progress.start_count
                or run.progress.captured_at):
            return run
        # It was known, and taken for long over by a clock that is ahead.
        progress = dataclasses.replace(run.progress, ended_at=0,
                                       closed_attempt='')
    if progress.stop_count and run.plan.power_on:
        owe(cloud, run)
    return note(cloud, run, now, dataclasses.replace(
        progress, trust_id=run.progress.trust_id))


def note(cloud: services.Cloud, run: record.Run, now: int,
         progress: record.Progress | None) -> record.Run:
    """Write down how far the run is; only what has changed."""
    noted = run.progress if run.tagged else run.noted
    if progress is None or progress == noted and not run.lost:
        return run
    progress = dataclasses.replace(progress, updated_at=now)
    if run.tagged:
        old = journal.tags(run.plan, noted)
        new = journal.tags(run.plan, progress)
        for tag in new:
            if tag not in old:
                cloud.compute.add_tag(run.server.id, tag)
        for tag in old:
            if tag not in new:
                cloud.compute.delete_tag(run.server.id, tag)
    else:
        try:
            now_there = cloud.compute.set_metadata(
                run.server.id,
                journal.write(run.plan, progress=progress) if run.lost
                else journal.changes(noted, progress))
        except errors.OverQuota as error:
            if not run.lost:
                raise
            return _without_a_record(cloud, run, progress, error)
        if not journal.same_run(now_there, run.plan):
            raise Superseded(run.plan.run_id)
    return dataclasses.replace(run, progress=progress, noted=progress,
                               lost=False)


def _without_a_record(cloud: services.Cloud, run: record.Run,
                      progress: record.Progress,
                      error: errors.OverQuota) -> record.Run:
    """Go on where others took the record away and left no room for one.

    That the instance was powered on is all that must be known: what somebody
    does after that is not undone.
    """
    LOG.warning('Run %s: its record is gone and was not written anew: %s',
                run.plan.run_id, error,
                extra=run.log_fields)
    if progress.start_count and not progress.ended_at:
        cloud.compute.add_tag(run.server.id, run.started_tag)
    return dataclasses.replace(run, progress=progress)


def _try(cloud: services.Cloud, run: record.Run, now: int,
         call: Callable[[], str | None]) -> record.Run:
    """Make a write whose effect the next look will show.

    A service that does not want it now is asked later, and one that does not
    want it at all is asked again before that is believed: somebody else may
    have more rights, or a proxy had said it. After an internal error the
    service may have done it or not; it is tried again at a later look.
    """
    answered = dataclasses.replace(run.progress, asked_at=0)
    try:
        image_id = call()
    except (errors.Conflict, errors.NotFound, errors.Throttled) as error:
        LOG.info('Run %s: the request was put off: %s', run.plan.run_id,
                 error, extra=run.log_fields)
        times = answered.put_off_count + 1
        return note(cloud, run, now, dataclasses.replace(
            answered, put_off_count=times, hindrance=error.report,
            not_before=now + min(2 ** min(times, 10),
                                 situation.PUT_OFF_PAUSE)))
    except (errors.Forbidden, errors.Refused) as error:
        LOG.warning('Run %s: the request was refused: %s', run.plan.run_id,
                    error, extra=run.log_fields)
        times = answered.refusal_count + 1
        if isinstance(error, errors.OverQuota):
            times = max(times, situation.REFUSED_TWICE)
        return note(cloud, run, now, dataclasses.replace(
            answered, refusal_count=times, hindrance=error.report,
            not_before=now + min(
                situation.REFUSED_PAUSE * 2 ** min(times - 1, 10),
                situation.START_REFUSED_PAUSE)))
    except errors.Unavailable as error:
        LOG.warning('Run %s: the request failed: %s', run.plan.run_id,
                    error, extra=run.log_fields)
        if error.status == 500:  # a gateway's 502 to 504 answer nothing
            note(cloud, run, now, dataclasses.replace(
                answered, detail=error.report,
                not_before=now + situation.FAULT_PAUSE))
        raise
    if image_id is None:
        return run  # it shows at once, so nothing needs to be noted
    return note(cloud, run, now, dataclasses.replace(
        answered, image_id=image_id or answered.image_id))


def create_image(cloud: services.Cloud, server: types.Server,
                 plan: record.Plan, consistency: str, now: int,
                 made_of: recipes.Recipe, parts: Sequence[str] = ()) -> str:
    """Have Nova make the image, with our marks on it.

    :param made_of: how the server is, for others like it.
    :param parts: the volume snapshots that belong to it.
    """
    metadata = {**_marks(server, plan, now), **_call_mark(),
                marks.CONSISTENCY: consistency,
                marks.IMAGE_TYPE: 'snapshot',
                marks.DESCRIPTION: plan.description,
                **omissions.write(omissions.of(
                    server, plan.volume_backed or server.volume_backed,
                    plan.volumes)),
                **recipes.write(made_of),
                **marks.name_parts(parts)}
    return cloud.compute.create_image(server.id, plan.name, metadata)


def _marks(server: types.Server, plan: record.Plan,
           taken: int) -> dict[str, str]:
    return {marks.RUN: plan.run_id, **marks.of_server(server, taken),
            **({marks.PURPOSE: plan.purpose} if plan.purpose else {})}


def _call_mark() -> dict[str, str]:
    return {marks.CALL: uuid.uuid4().hex[:16]}


def _snapshot_volumes(cloud: services.Cloud, run: record.Run,
                      step: steps.Step, now: int) -> str:
    # Somebody may power the instance on before they are whole, so how they
    # were taken is written on them when they are.
    metadata = {**_marks(run.server, run.plan, now), **_call_mark()}
    cloud.gather_or_raise(*(functools.partial(
        cloud.volumes.create_snapshot, volume_id, run.plan.name,
        run.plan.description, metadata) for volume_id in step.volume_ids))
    return ''


def _finish(cloud: services.Cloud, run: record.Run,
            step: steps.Step) -> None:
    """Do what concerns what was made, and not the instance."""
    if step.do is steps.Do.MARK:
        _mark(cloud, run, step)
    elif step.do is steps.Do.PROTECT:
        for image_id in step.image_ids:
            cloud.images.set_properties(image_id, {'protected': True})
    elif step.do is steps.Do.REMOVE:
        remove(cloud, step.image_ids, step.snapshot_ids)


def _mark(cloud: services.Cloud, run: record.Run,
          step: steps.Step) -> None:
    metadata = {**_marks(run.server, run.plan, step.taken),
                marks.CONSISTENCY: step.consistency}
    expiry = run.plan.expiry
    cloud.gather_or_raise(
        *(functools.partial(cloud.images.set_properties, image_id,
                            {**metadata, **expiry(image_id)})
          for image_id in step.image_ids),
        *(functools.partial(cloud.volumes.set_snapshot_metadata, snapshot_id, {
            **metadata, **({marks.IMAGE: step.owner} if step.owner
                           else expiry(snapshot_id))})
          for snapshot_id in step.snapshot_ids))


def remove(cloud: services.Cloud, image_ids: Iterable[str],
           snapshot_ids: Iterable[str]) -> None:
    """Delete images and volume snapshots; what is gone is no error.

    Volume snapshots that other images need stay.

    :raises ServiceError: the first error, when all were tried.
    """
    images, snapshots = list(image_ids), list(snapshot_ids)
    parts, *_ = cloud.gather_or_raise(
        functools.partial(deletion.unneeded, cloud, snapshots, images),
        *(functools.partial(deletion.remove, cloud.images.delete, image_id)
          for image_id in images))
    cloud.gather_or_raise(*(functools.partial(
        deletion.remove, cloud.volumes.delete_snapshot, snapshot_id)
        for snapshot_id in parts))
