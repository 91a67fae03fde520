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
import functools
import json
import logging

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types
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
#: How a pointer maps the snapshot that it points to.
_MAPPING = ('block_device_mapping', 'bdm_v2', 'root_device_name')
#: What Cinder notes of a volume's image that are fields of it, and no
#: properties.
_FIELDS = ('image_id', 'image_name', 'checksum', 'container_format',
           'disk_format', 'min_disk', 'min_ram', 'size')


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
    found = note(cloud, found, step.note, seen.now)
    server_id, disk = found.plan.server_id, step.disk
    calls: dict[course.Do, Callable[[], object]] = {
        course.Do.POWER_OFF: lambda: cloud.compute.stop(server_id),
        course.Do.REBUILD: lambda: cloud.compute.rebuild(
            server_id, found.plan.image_id),
        course.Do.SHELVE: lambda: cloud.compute.shelve(server_id),
        course.Do.UNSHELVE: lambda: cloud.compute.unshelve(server_id),
        course.Do.POWER_ON: lambda: cloud.compute.start(server_id),
        course.Do.COPY: functools.partial(
            _copy, cloud, found.plan, disk, seen),
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
    return _try(cloud, found, seen.now, call)


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


def _try(cloud: services.Cloud, found: restore.Restore, now: int,
         call: Callable[[], object]) -> restore.Restore:
    """Make a write whose effect the next look will show.

    A service that does not want it now is asked later; one that does not want
    it at all is asked again before that is believed. Of no answer nothing is
    noted: it may have been done.
    """
    answered = dataclasses.replace(found.progress, asked_at=0)
    try:
        call()
    except (errors.Conflict, errors.NotFound, errors.Throttled) as error:
        LOG.info('Restore %s: the request was put off: %s',
                 found.plan.run_id, error, extra=found.log_fields)
        count = answered.put_off_count + 1
        return note(cloud, found, dataclasses.replace(
            answered, put_off_count=count, hindrance=error.report,
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
        answered, put_off_count=0, refusal_count=0, not_before=0,
        hindrance=''), now)


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


def _copy(cloud: services.Cloud, plan: restore.Plan, disk: restore.Disk,
          seen: sight.Sight) -> None:
    """Let Cinder overwrite a volume that is reserved for its instance.

    Cinder copies an image, or the snapshot that an image maps as the disk to
    boot from (Block Storage API, Reimage a volume, from 27.0). What the image
    says becomes the volume's own image metadata, so it says the same as they.
    """
    mark = course.pointer_mark(plan, disk)
    volume = (seen.volumes or {})[disk.volume_id]
    there = _pointers(cloud, course.POINTER, mark)
    pointer_id = next((image.id for image in there
                       if image.status == 'active'), '')
    if not pointer_id:
        kept = {name: value for name, value in volume.image_properties.items()
                if name not in (*_FIELDS, *_MAPPING, course.POINTER)}
        pointer_id = cloud.images.create_pointer(
            f'{plan.server_name} {disk.volume_id}', {
                **kept, course.POINTER: mark, POINTER_OF: plan.run_id,
                'bdm_v2': 'True', 'root_device_name': '/dev/vda',
                'block_device_mapping': json.dumps([{
                    'source_type': 'snapshot', 'destination_type': 'volume',
                    'boot_index': 0, 'snapshot_id': disk.snapshot_id,
                    'volume_size': disk.size_gib, 'device_name': '/dev/vda',
                    'delete_on_termination': False}])})
    cloud.volumes.reimage(disk.volume_id, pointer_id)


#: On a pointer: the restore that it was made for.
POINTER_OF = 'snapshot_dashboard_pointer_of'


def _pointers(cloud: services.Cloud, name: str,
              value: str) -> list[types.Image]:
    return [image for image in cloud.images.images(
                100, {'owner': cloud.project_id, name: value})
            if image.properties.get(name) == value]


def _relabel(cloud: services.Cloud, disk: restore.Disk,
             seen: sight.Sight) -> None:
    """Take from a volume what its pointer said of itself.

    Nova could launch nothing from it that had a mapping of disks.
    """
    if not disk.bootable:
        cloud.volumes.set_bootable(disk.volume_id, bootable=False)
    volume = (seen.volumes or {})[disk.volume_id]
    gone = (*_MAPPING, POINTER_OF, *(
        () if disk.bootable else _FIELDS), course.POINTER)
    # The mark last: as long as it is there, this is tried again.
    cloud.volumes.delete_image_metadata(disk.volume_id, [
        name for name in gone if name in volume.image_properties])


def end(cloud: services.Cloud, found: restore.Restore,
        seen: sight.Sight) -> restore.Restore:
    """Note that it is over, when what is no longer needed was taken away."""
    plan, server = found.plan, seen.server
    for image in _pointers(cloud, POINTER_OF, plan.run_id):
        with contextlib.suppress(errors.NotFound):
            cloud.images.delete(image.id)
    if server is not None and server.status in observation.CAPTURABLE:
        if seen.safety is not None and found.progress.safety_id:
            lifecycle.dismiss(cloud, plan.server_id, plan.safety_run)
        not_under_way(cloud, server)
    if plan.protect and not found.lost:
        with contextlib.suppress(errors.NotFound):
            cloud.images.set_properties(plan.image_id, {'protected': False})
    return note(cloud, found, dataclasses.replace(
        found.progress, ended_at=seen.now), seen.now)


def not_under_way(cloud: services.Cloud, server: types.Server) -> None:
    """Let an instance say no more that it is being put back.

    Nova changes no tags of one that is shelved or in error.
    """
    for tag in (record.RESTORING, record.RESTORING_ON):
        if tag in server.tags:
            cloud.compute.delete_tag(server.id, tag)
