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

"""What the plugin has left on the things of a project, and its removal.

Records tell how something goes or how it ended, marks what a snapshot is.
"""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
import dataclasses
import enum
import functools

from snapshot_dashboard import marks
from snapshot_dashboard.boot_tests import boot_test
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types
from snapshot_dashboard.restores import circumstances
from snapshot_dashboard.restores import restore
from snapshot_dashboard.restores import restoring
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import record
from snapshot_dashboard.switch_overs import switch_over
from snapshot_dashboard.switch_overs import switching

#: How our names begin on images, volumes and volume snapshots.
_PREFIX = 'snapshot_dashboard_'
#: Tags of a server on which something goes on.
_BUSY = (record.OPEN_TAG, record.RESTORING, record.RESTORING_ON,
         record.SWITCHING, record.TEST_TAG)
#: On images: records, and not marks.
_RECORDS = (marks.RESTORE, marks.SWITCH_OVER, circumstances.POINTER,
            circumstances.KEPT)
#: What an image has that points to a snapshot.
_POINTERS = {circumstances.POINTER, circumstances.KEPT, 'bdm_v2',
             'block_device_mapping', 'root_device_name'}
#: Things of a kind that are looked at: more than a project has.
_MOST = 1_000_000


class Kind(enum.Enum):
    """What may bear traces."""

    SERVER = 'instance'
    IMAGE = 'image'
    VOLUME_SNAPSHOT = 'volume snapshot'
    VOLUME = 'volume'


@dataclasses.dataclass(frozen=True)
class Trace:
    """What one thing bears.

    :ivar records: the names of metadata or properties that are records.
    :ivar marks: likewise, of marks.
    :ivar record_tags: tags of a server that lead to a record.
    :ivar mark_tags: tags of a server that say what it was made of.
    :ivar under_way: whether the records may be of something that goes on, so
        that somebody needs them.
    :ivar is_record: whether an image holds nothing else, and goes with it.
    :ivar copied: what a volume says of its image while it is overwritten.
    """

    kind: Kind
    id: str
    name: str
    records: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    record_tags: tuple[str, ...] = ()
    mark_tags: tuple[str, ...] = ()
    under_way: bool = False
    is_record: bool = False
    copied: tuple[str, ...] = ()

    @property
    def has_records(self) -> bool:
        return bool(self.records or self.record_tags or self.copied)

    @property
    def has_marks(self) -> bool:
        return bool(self.marks or self.mark_tags)

    @property
    def serves_others(self) -> bool:
        """Whether what goes on elsewhere in the project may need it."""
        return (self.has_marks or bool(self.copied)
                or circumstances.POINTER in self.records)

    def is_left(self, with_marks: bool) -> bool:
        """Whether something is left of what was to go."""
        return self.has_records or with_marks and self.has_marks


class UnderWay(Exception):
    """The thing has a record of something that goes on; it was left alone."""


def find(cloud: services.Cloud) -> list[Trace]:
    """All traces in the project.

    Nova leaves out servers whose cell is down.

    :raises ServiceError: when a service does not say what there is.
    """
    calls: list[Callable[[], list[Trace | None]]] = [
        lambda: [_of_server(server) for server
                 in cloud.compute.servers(_MOST)],
        functools.partial(_of_images, cloud, 'false'),
        functools.partial(_of_images, cloud, 'true')]
    if cloud.has('volume'):
        calls += [
            lambda: [_of_snapshot(snapshot) for snapshot
                     in cloud.volumes.snapshots(_MOST)],
            lambda: [_of_volume(volume) for volume
                     in cloud.volumes.volumes(_MOST)]]
    answers = cloud.gather_or_raise(*calls)
    return [trace for answer in answers for trace in answer
            if trace is not None]


def removable(traces: Sequence[Trace], with_marks: bool) -> list[Trace]:
    """Those of which something can be removed.

    While anything goes on in the project, all marks stay, and the images that
    point to what is being copied: it is by these that it finds what it made.
    """
    busy = any(trace.under_way for trace in traces)
    return [trace for trace in traces if not trace.under_way
            and (trace.has_records or with_marks)
            and not (busy and (with_marks or trace.serves_others))]


def remove(cloud: services.Cloud, trace: Trace,
           with_marks: bool = False) -> bool:
    """Remove the records of a thing, as they are now; or all.

    :returns: whether they are gone. What others took away meanwhile is.
    :raises UnderWay: when they are of something that goes on, or something
        that goes on in the project may need them.
    :raises ServiceError: when it was refused, as it is on a locked server.
    """
    now = _read(cloud, trace)
    if now is not None:
        if now.under_way:
            raise UnderWay
        if (with_marks or now.serves_others) and cloud.compute.tagged(
                1, *_BUSY)[0]:
            raise UnderWay
        # Of several names one may be gone; whether all are is asked below.
        with contextlib.suppress(errors.NotFound):
            _REMOVERS[trace.kind](cloud, now, with_marks)
        now = _read(cloud, trace)
    return now is None or not now.is_left(with_marks)


def _read(cloud: services.Cloud, trace: Trace) -> Trace | None:
    """What a thing bears now; None also if it is gone."""
    try:
        return _READERS[trace.kind](cloud, trace.id)
    except errors.NotFound:
        return None


def _clear_server(cloud: services.Cloud, trace: Trace,
                  with_marks: bool) -> None:
    """As *Dismiss* does it: somebody may look at what is half there, or begin
    something new.

    :raises UnderWay: when a record is left that nobody here can read.
    """
    server = cloud.compute.server(trace.id)
    run = journal.read(server)
    if run is not None:
        lifecycle.dismiss(cloud, server.id, run.plan.run_id)
    if record.RESTORE_TAG in server.tags:
        restoring.dismiss(cloud, server.id, _of_anybody)
    for home_id in switch_over.home_ids(server):
        switching.dismiss(cloud, home_id, _of_anybody)
    server = cloud.compute.server(trace.id)
    left = _of_server(server)
    if left is None:
        return
    if left.under_way or journal.has_plan(server):
        raise UnderWay
    cloud.compute.delete_metadata(server.id, list(left.records))
    for tag in (*left.record_tags, *(left.mark_tags if with_marks else ())):
        cloud.compute.delete_tag(server.id, tag)


def _of_anybody(found: object) -> bool:
    """Whose plan it is cannot be told here, so it counts."""
    return True


def _clear_image(cloud: services.Cloud, trace: Trace,
                 with_marks: bool) -> None:
    if trace.is_record:
        cloud.images.set_properties(trace.id, {'protected': False})
        cloud.images.delete(trace.id)
        return
    cloud.images.set_properties(trace.id, {}, [
        *trace.records, *(trace.marks if with_marks else ())])


def _clear_snapshot(cloud: services.Cloud, trace: Trace,
                    with_marks: bool) -> None:
    for name in trace.marks:
        with contextlib.suppress(errors.NotFound):
            cloud.volumes.delete_snapshot_metadata(trace.id, [name])


def _clear_volume(cloud: services.Cloud, trace: Trace,
                  with_marks: bool) -> None:
    cloud.volumes.delete_image_metadata(trace.id, list(trace.copied))
    # Of several, the client deletes none if one is gone.
    for name in trace.marks if with_marks else ():
        cloud.volumes.delete_volume_metadata(trace.id, [name])


def _of_server(server: types.Server) -> Trace | None:
    trace = Trace(
        Kind.SERVER, server.id, server.name,
        records=(*journal.keys(server), *sorted(
            name for name in server.metadata
            if name.startswith(boot_test.PLAN))),
        record_tags=(*journal.all_tags(server), *restore.all_tags(server),
                     *switch_over.all_tags(server), *(
                         tag for tag in server.tags
                         if tag == record.TEST_TAG)),
        mark_tags=tuple(tag for tag in server.tags
                        if tag.startswith(marks.COPY_OF)),
        under_way=_goes_on(server, journal.read(server)))
    return trace if trace.is_left(with_marks=True) else None


def _goes_on(server: types.Server, run: record.Run | None) -> bool:
    """Whether a run, a restore, a switch-over or a boot test may go on. Of
    what cannot be read that is not known.
    """
    unreadable = run is None and (journal.has_plan(server)
                                  or record.OPEN_TAG in server.tags)
    return (unreadable or run is not None and run.open
            or any(tag.startswith(record.OWED) for tag in server.tags)
            or record.is_being_restored(server) or record.is_switching(server)
            or record.TEST_TAG in server.tags
            or boot_test.PLAN in server.metadata)


def _of_images(cloud: services.Cloud, hidden: str) -> list[Trace | None]:
    return [_of_image(image) for image in cloud.images.images(
        _MOST, {'owner': cloud.project_id, 'os_hidden': hidden})]


def _names(properties: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sorted(name for name in properties
                        if name.startswith(_PREFIX)))


def _of_image(image: types.Image) -> Trace | None:
    names = _names(image.properties)
    if not names:
        return None
    return Trace(
        Kind.IMAGE, image.id, image.name,
        records=tuple(name for name in names if name.startswith(_RECORDS)),
        marks=tuple(name for name in names if not name.startswith(_RECORDS)),
        under_way=marks.is_under_way(image),
        is_record=_is_record(image))


def _is_record(image: types.Image) -> bool:
    """Whether an image was made to hold a record or to point to a snapshot,
    and bears nothing that somebody else has written.

    A volume-backed snapshot has no data either, and may inherit our names.
    """
    names = set(image.own_properties)
    _run, _, volume_id = image.properties.get(
        circumstances.POINTER, '').partition(' ')
    points = volume_id and image.name.endswith(f' {volume_id}')
    return not image.size_bytes and bool(names) and (
        bool(points) and names <= _POINTERS
        or all(name.startswith(marks.RESTORE) for name in names))


def _of_snapshot(snapshot: types.VolumeSnapshot) -> Trace | None:
    names = _names(snapshot.metadata)
    return Trace(Kind.VOLUME_SNAPSHOT, snapshot.id, snapshot.name,
                 marks=names) if names else None


def _of_volume(volume: types.Volume) -> Trace | None:
    names = _names(volume.metadata)
    copied = tuple(name for name in (circumstances.KEPT, circumstances.POINTER)
                   if name in volume.image_properties)
    return Trace(Kind.VOLUME, volume.id, volume.name, marks=names,
                 copied=copied) if names or copied else None


_READERS: Mapping[Kind, Callable[[services.Cloud, str], Trace | None]] = {
    Kind.SERVER: lambda cloud, thing_id: _of_server(
        cloud.compute.server(thing_id)),
    Kind.IMAGE: lambda cloud, thing_id: _of_image(
        cloud.images.image(thing_id)),
    Kind.VOLUME_SNAPSHOT: lambda cloud, thing_id: _of_snapshot(
        cloud.volumes.snapshot(thing_id)),
    Kind.VOLUME: lambda cloud, thing_id: _of_volume(
        cloud.volumes.volume(thing_id))}
_REMOVERS: Mapping[Kind, Callable[[services.Cloud, Trace, bool], None]] = {
    Kind.SERVER: _clear_server, Kind.IMAGE: _clear_image,
    Kind.VOLUME_SNAPSHOT: _clear_snapshot, Kind.VOLUME: _clear_volume}
