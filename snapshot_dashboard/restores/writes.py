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

"""The writes of a restore, each of them safe to repeat."""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import dataclasses
import datetime
import functools
import json
import logging

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import texts
from snapshot_dashboard.cloud import types
from snapshot_dashboard.restores import circumstances
from snapshot_dashboard.restores import course
from snapshot_dashboard.restores import restore
from snapshot_dashboard.restores import sight
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import observation
from snapshot_dashboard.runs import reconcile
from snapshot_dashboard.runs import record
from snapshot_dashboard.runs import situation

LOG = logging.getLogger(__name__)
Clock = Callable[[], float]
#: Tries of what a service may put off.
_COUNTS = ('stop_count', 'rebuild_count', 'shelve_count', 'copy_count',
           'create_count', 'swap_count')


def take(cloud: services.Cloud, found: restore.Restore, step: course.Step,
         seen: sight.Sight, clock: Clock) -> restore.Restore:
    """Carry out one step.

    What it is about to do is noted first, so that a crash leaves nothing
    unrecorded. If that took long the step is left out: somebody else may have
    taken it meanwhile.

    :raises ServiceError: when it could not be noted, or a service did not
        answer; the next look shows what came of it.
    """
    def stale() -> bool:
        return (step.do is not course.Do.NOTE
                and clock() - seen.now > situation.STALE)
    if stale():
        return found
    if step.do is course.Do.END:
        return end(cloud, found, seen)
    if step.do is course.Do.UNTAG and seen.server is not None:
        not_under_way(cloud, seen.server)
        return found
    if _gives_up(found, step) and _has_changed(cloud, found):
        return found
    server_id, disk, pointers = found.plan.server_id, step.disk, list[str]()
    if step.do is course.Do.COPY:
        # Several calls, so that is done before it is noted.
        found = _try(cloud, found, found.progress, seen.now, lambda: (
            pointers.append(_point(cloud, found.plan, disk, seen))))
        if stale() or not pointers:
            return found
    before = found.progress
    found = note(cloud, found, step.note, seen.now)
    calls: dict[course.Do, Callable[[], object]] = {
        course.Do.POWER_OFF: lambda: cloud.compute.stop(server_id),
        course.Do.REBUILD: lambda: cloud.compute.rebuild(
            server_id, found.plan.image_id),
        course.Do.SHELVE: lambda: cloud.compute.shelve(server_id),
        course.Do.UNSHELVE: lambda: cloud.compute.unshelve(server_id),
        course.Do.POWER_ON: lambda: cloud.compute.start(server_id),
        course.Do.COPY: lambda: cloud.volumes.reimage(
            disk.volume_id, pointers[0]),
        course.Do.CREATE: functools.partial(
            _create, cloud, found.plan, step.swap),
        course.Do.DETACH: lambda: cloud.compute.detach(
            server_id, step.swap.volume_id),
        course.Do.ATTACH: functools.partial(
            _attach, cloud, server_id, step.swap, step.volume_id),
        course.Do.REATTACH: functools.partial(
            _attach, cloud, server_id, step.swap, step.swap.volume_id),
        course.Do.RELABEL: functools.partial(_relabel, cloud, disk, seen),
        course.Do.SAVE: functools.partial(_save, cloud, found, seen, clock),
    }
    if step.do not in calls or stale():
        return found
    call = calls[step.do]
    if step.do in (course.Do.SAVE, course.Do.RELABEL):
        with _tolerated(found, step):
            call()
        return found
    return _try(cloud, found, before, seen.now, call)


def _gives_up(found: restore.Restore, step: course.Step) -> bool:
    return bool(step.note and step.note.failure and not (
        found.progress.failure or found.lost))


def _has_changed(cloud: services.Cloud, found: restore.Restore) -> bool:
    """Whether somebody has advanced it since the record was read.

    What that one had done shows in the rest of the look, and would be taken
    for what others do: each notes first what it is about to do.
    """
    there = restore.read(cloud.images.image(found.plan.home_id))
    return there is None or there.progress != found.progress


@contextlib.contextmanager
def _tolerated(found: restore.Restore, step: course.Step) -> Iterator[None]:
    """What may fail: the next look shows whether it is tried again."""
    try:
        yield
    except errors.Unauthorized:
        raise
    except errors.ServiceError as error:
        LOG.warning('Restore %s: step %s failed: %s', found.plan.run_id,
                    step.do.value, error, extra=found.log_fields)


def note(cloud: services.Cloud, found: restore.Restore,
         progress: restore.Progress | None, now: int) -> restore.Restore:
    """Write down how far it is; only what has changed."""
    if progress is None or progress == found.progress:
        return found
    progress = dataclasses.replace(progress, updated_at=now)
    if not found.lost:
        cloud.images.set_properties(found.plan.home_id, restore.changes(
            found.progress, progress))
    return dataclasses.replace(found, progress=progress)


def _try(cloud: services.Cloud, found: restore.Restore,
         before: restore.Progress, now: int,
         call: Callable[[], object]) -> restore.Restore:
    """Make a write whose effect the next look will show.

    A service that does not want it now is asked later, and that counts as no
    try; one that does not want it at all is asked again before that is
    believed. Of no answer nothing is noted: it may have been done.

    :param before: the progress without this try.
    """
    answered = dataclasses.replace(found.progress, asked_at=0)
    try:
        call()
    except (errors.Conflict, errors.NotFound, errors.Throttled) as error:
        LOG.info('Restore %s: the request was put off: %s',
                 found.plan.run_id, error, extra=found.log_fields)
        count = answered.put_off_count + 1
        return note(cloud, found, dataclasses.replace(
            answered, **{name: getattr(before, name) for name in _COUNTS},
            put_off_count=count, hindrance=error.report,
            put_off_since=answered.put_off_since or now,
            not_before=now + min(2 ** min(count, 10),
                                 situation.PUT_OFF_PAUSE)), now)
    except (errors.Forbidden, errors.Refused) as error:
        LOG.warning('Restore %s: the request was refused: %s',
                    found.plan.run_id, error, extra=found.log_fields)
        count = answered.refusal_count + 1
        return note(cloud, found, dataclasses.replace(
            answered, refusal_count=count, hindrance=error.report,
            not_before=now + min(
                situation.REFUSED_PAUSE * 2 ** min(count - 1, 10),
                situation.START_REFUSED_PAUSE)), now)
    return note(cloud, found, dataclasses.replace(
        answered, put_off_count=0, put_off_since=0, refusal_count=0,
        not_before=0, hindrance=''), now)


def _save(cloud: services.Cloud, found: restore.Restore, seen: sight.Sight,
          clock: Clock) -> None:
    """Bring the safety snapshot forward, if its plan is the one that was
    asked for; give it up with the restore.
    """
    run = seen.safety
    if run is None:
        return

    def approves(run: record.Run) -> bool:
        return run.plan.fingerprint == found.plan.safety_plan
    if found.progress.failure and lifecycle.can_cancel(run):
        run = lifecycle.cancel(cloud, run, clock)
    reconcile.advance(cloud, run, clock, approves=approves)


def _point(cloud: services.Cloud, plan: restore.Plan, disk: restore.Disk,
           seen: sight.Sight) -> str:
    """An image by which Cinder overwrites a volume; its id.

    Cinder copies an image, or the snapshot that an image maps as the disk to
    boot from (Block Storage API, Reimage a volume, from 26.0).
    """
    there = [image.id for image in _pointers(cloud, plan, disk)
             if image.status == 'active']
    if there:
        return there[0]
    volume = (seen.volumes or {})[disk.volume_id]
    return cloud.images.create_pointer(
        f'{plan.server_name} {disk.volume_id}', {
            circumstances.POINTER: circumstances.pointer_mark(plan, disk),
            circumstances.KEPT: json.dumps(dict(volume.image_properties)),
            'bdm_v2': 'True', 'root_device_name': '/dev/vda',
            'block_device_mapping': json.dumps([{
                'source_type': 'snapshot', 'destination_type': 'volume',
                'boot_index': 0, 'snapshot_id': disk.snapshot_id,
                'volume_size': disk.size_gib, 'device_name': '/dev/vda',
                'delete_on_termination': False}])})


def _pointers(cloud: services.Cloud, plan: restore.Plan,
              disk: restore.Disk) -> list[types.Image]:
    """The images that were made to point to a snapshot: without data, and
    mapping nothing else. What a volume was uploaded to bears the mark, too.
    """
    mark = circumstances.pointer_mark(plan, disk)
    return [image for image in cloud.images.images(
                100, {'owner': cloud.project_id, circumstances.POINTER: mark})
            if image.properties.get(circumstances.POINTER) == mark
            and not image.size_bytes and image.mapped == [disk.snapshot_id]]


def _create(cloud: services.Cloud, plan: restore.Plan,
            swap: restore.Swap) -> None:
    cloud.volumes.create_volume(swap.snapshot_id, swap.size_gib, swap.name, {
        sight.MADE_BY: plan.run_id, sight.IN_PLACE_OF: swap.volume_id})


def _attach(cloud: services.Cloud, server_id: str, swap: restore.Swap,
            volume_id: str) -> None:
    cloud.compute.attach(server_id, volume_id, swap.device,
                         swap.deleted_with)


def _relabel(cloud: services.Cloud, disk: restore.Disk,
             seen: sight.Sight) -> None:
    """Let a volume say of its image what it said before.

    What its pointer said stands there now, and Nova could launch nothing from
    a volume that has a mapping of disks.
    """
    said = (seen.volumes or {})[disk.volume_id].image_properties
    try:
        kept = {str(name): str(value) for name, value in json.loads(
            said.get(circumstances.KEPT, '{}')).items()}
    except (ValueError, AttributeError, RecursionError):
        kept = {}
    if kept:
        cloud.volumes.set_image_metadata(disk.volume_id, kept)
    if not disk.bootable:
        cloud.volumes.set_bootable(disk.volume_id, bootable=False)
    # As long as the mark is there, this is tried again; what was kept goes
    # just before it.
    gone = ([name for name in said if name not in kept]
            if circumstances.KEPT in said else [circumstances.POINTER])
    cloud.volumes.delete_image_metadata(disk.volume_id, sorted(
        gone, key=lambda name: (name == circumstances.POINTER,
                                name == circumstances.KEPT)))


def end(cloud: services.Cloud, found: restore.Restore,
        seen: sight.Sight) -> restore.Restore:
    """Note that it is over, when what is no longer needed was taken away."""
    plan, server = found.plan, seen.server
    for disk in plan.disks:
        for image in _pointers(cloud, plan, disk):
            with contextlib.suppress(errors.NotFound):
                cloud.images.delete(image.id)
    _sort_volumes(cloud, found, seen)
    if server is not None and server.status in observation.CAPTURABLE:
        if seen.safety is not None and found.progress.safety_id:
            lifecycle.dismiss(cloud, plan.server_id, plan.safety_run)
        not_under_way(cloud, server)
    if plan.protect and plan.image_id and not found.lost:
        with contextlib.suppress(errors.NotFound):
            cloud.images.set_properties(plan.image_id, {'protected': False})
    return note(cloud, found, dataclasses.replace(
        found.progress, ended_at=seen.now), seen.now)


def _sort_volumes(cloud: services.Cloud, found: restore.Restore,
                  seen: sight.Sight) -> None:
    """Remove new volumes that came in nobody's place, and give the old ones
    that were exchanged a name that says so.
    """
    there = seen.server.volume_ids if seen.server else ()
    for swap in found.plan.swaps:
        made = (seen.fresh or {}).get(swap.volume_id, [])
        for volume in made:
            if not volume.attached and volume.id not in there and (
                    volume.status in ('available', 'error')):
                cloud.volumes.delete_volume(volume.id)
        old = (seen.volumes or {}).get(swap.volume_id)
        ending = datetime.datetime.fromtimestamp(
            seen.now, datetime.UTC).strftime(' (until %Y-%m-%d %H:%M UTC)')
        if old and old.name == swap.name and any(
                volume.id in there for volume in made):
            cloud.volumes.rename_volume(old.id, (swap.name or old.id)[
                :texts.NAME_LENGTH - len(ending)] + ending)


def tag_again(cloud: services.Cloud, found: restore.Restore,
              server: types.Server | None) -> None:
    """Set the tags again that somebody has taken away.

    Nothing waits for that: there may be no room any more.
    """
    over = found.progress.failure or found.progress.restored_at
    wanted = restore.tags(found.plan)[:2 if over else None]
    if server is None or server.task_state or not found.open or found.lost or (
            server.status not in observation.CAPTURABLE):
        return
    try:
        for one in reversed(wanted):
            if one not in server.tags:
                cloud.compute.add_tag(server.id, one)
    except errors.ServiceError as error:
        LOG.warning('Restore %s: its tags could not be set again: %s',
                    found.plan.run_id, error, extra=found.log_fields)


def not_under_way(cloud: services.Cloud, server: types.Server) -> None:
    """Let an instance say no more that it is being put back.

    Nova changes no tags of one that is shelved or in error.
    """
    for tag in (record.RESTORING, record.RESTORING_ON):
        if tag in server.tags:
            cloud.compute.delete_tag(server.id, tag)
