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
import dataclasses
import enum
import functools

from snapshot_dashboard import marks
from snapshot_dashboard.boot_tests import boot_test
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types
from snapshot_dashboard.restores import circumstances
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import record

#: How each name of ours begins.
_OURS = ('snapshot_dashboard', 'snapshot-dashboard')
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

    @property
    def has_records(self) -> bool:
        return bool(self.records or self.record_tags)

    @property
    def has_marks(self) -> bool:
        return bool(self.marks or self.mark_tags)

    @property
    def serves_others(self) -> bool:
        """Whether what goes on elsewhere in the project may need it."""
        return self.has_marks or circumstances.POINTER in self.records


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
           with_marks: bool = False) -> None:
    """Remove the records of a thing, as they are now; or all.

    :raises UnderWay: when they are of something that goes on.
    :raises ServiceError: when it was refused, as it is on a locked server.
    """
    now = _READERS[trace.kind](cloud, trace.id)
    if now is None:
        return
    if now.under_way:
        raise UnderWay
    if now.is_record:
        cloud.images.set_properties(now.id, {'protected': False})
        cloud.images.delete(now.id)
        return
    names = [*now.records, *(now.marks if with_marks else ())]
    tags = [*now.record_tags, *(now.mark_tags if with_marks else ())]
    if names and now.kind is Kind.SERVER:
        cloud.compute.delete_metadata(now.id, names)
    elif names and now.kind is Kind.IMAGE:
        cloud.images.set_properties(now.id, {}, names)
    elif names and now.kind is Kind.VOLUME_SNAPSHOT:
        cloud.volumes.delete_snapshot_metadata(now.id, names)
    elif names:
        cloud.volumes.delete_volume_metadata(now.id, names)
    # The tags lead to the records, so they go last.
    for tag in tags:
        cloud.compute.delete_tag(now.id, tag)


def _ours(names: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sorted(name for name in names if name.startswith(_OURS)))


def _of_server(server: types.Server) -> Trace | None:
    records = _ours(server.metadata)
    tags = [tag for tag in server.tags if tag.startswith(_OURS)]
    if not (records or tags):
        return None
    run = journal.read(server)
    return Trace(
        Kind.SERVER, server.id, server.name, records=records,
        record_tags=tuple(tag for tag in tags
                          if not tag.startswith(marks.COPY_OF)),
        mark_tags=tuple(tag for tag in tags
                        if tag.startswith(marks.COPY_OF)),
        under_way=(run.open if run is not None
                   else record.OPEN_TAG in server.tags)
        or record.is_being_restored(server) or record.is_switching(server)
        or boot_test.read(server) is not None)


def _of_images(cloud: services.Cloud, hidden: str) -> list[Trace | None]:
    return [_of_image(image) for image in cloud.images.images(
        _MOST, {'owner': cloud.project_id, 'os_hidden': hidden})]


def _of_image(image: types.Image) -> Trace | None:
    names = _ours(image.properties)
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
    names = _ours(snapshot.metadata)
    return Trace(Kind.VOLUME_SNAPSHOT, snapshot.id, snapshot.name,
                 marks=names) if names else None


def _of_volume(volume: types.Volume) -> Trace | None:
    names = _ours(volume.metadata)
    return Trace(Kind.VOLUME, volume.id, volume.name,
                 marks=names) if names else None


_READERS: Mapping[Kind, Callable[[services.Cloud, str], Trace | None]] = {
    Kind.SERVER: lambda cloud, thing_id: _of_server(
        cloud.compute.server(thing_id)),
    Kind.IMAGE: lambda cloud, thing_id: _of_image(
        cloud.images.image(thing_id)),
    Kind.VOLUME_SNAPSHOT: lambda cloud, thing_id: _of_snapshot(
        cloud.volumes.snapshot(thing_id)),
    Kind.VOLUME: lambda cloud, thing_id: _of_volume(
        cloud.volumes.volume(thing_id))}
