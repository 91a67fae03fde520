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

"""A snapshot as a user sees it, of whichever kind."""

from collections.abc import Mapping
import dataclasses
import datetime

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import ids
from snapshot_dashboard.cloud import types
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import omissions
from snapshot_dashboard.snapshots import sets
from snapshot_dashboard.snapshots import statuses

GIB = 1024 ** 3
#: Seconds after which no upload of a deleted instance goes on any more.
_GONE_FOR = 24 * 3600


@dataclasses.dataclass(frozen=True)
class Source:
    """What a snapshot was taken of.

    :ivar exists: None when the service that knows could not be asked.
    :ivar bootable: for volumes; None when not known.
    :ivar encrypted: likewise.
    :ivar busy: for instances; whether Nova is at work on it.
    :ivar ephemeral_gib: for instances; as they are today, likewise.
    :ivar certain: False where only the root volume's attachment of today
        tells of what instance it is.
    """

    kind: kinds.Kind
    id: str
    name: str = ''
    exists: bool | None = None
    bootable: bool | None = None
    encrypted: bool | None = None
    busy: bool = False
    ephemeral_gib: int | None = None
    certain: bool = True


@dataclasses.dataclass(frozen=True)
class Part:
    """A volume snapshot that belongs to an instance snapshot.

    :ivar status: None when Cinder could not be asked, ``deleted`` when it
        is gone.
    """

    id: str
    name: str
    status: str | None
    size_gib: int
    device: str
    boot: bool
    volume_id: str = ''

    @property
    def row_id(self) -> str:
        return row_id(kinds.Kind.VOLUME, self.id)


@dataclasses.dataclass(frozen=True)
class Owner:
    """An instance snapshot that needs a volume snapshot."""

    id: str
    name: str
    protected: bool = False

    @classmethod
    def of(cls, image: types.Image) -> 'Owner':
        return cls(image.id, image.name, image.protected)

    @property
    def row_id(self) -> str:
        return row_id(kinds.Kind.INSTANCE, self.id)


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """One row of the list.

    :ivar foreign: another project's, which shares it with this one.
    :ivar more_parts: whether it needs more than are looked at.
    :ivar volume_backed: of an instance without a local root disk.
    :ivar left_over: an image that was begun and that nobody works on.
    :ivar owners: the instance snapshots that need a volume snapshot, as far
        as they are known.
    :ivar owners_known: whether these are all of them.
    :ivar orphaned: whether it is a volume snapshot that is left of one.
    :ivar has_recipe: whether it is known how its instance was.
    :ivar expires: the last day on which its owner wants it.
    :ivar shared: whether other projects may use it, of the project's own.
    :ivar under_way: whether its instance may be going back to it just now, or
        a copy be taking its addresses over.
    :ivar left_out: what it does not hold of its instance, as that was when
        it was taken; None if that is not known.
    """

    kind: kinds.Kind
    id: str
    name: str
    service_status: str
    created: datetime.datetime
    size_bytes: int
    project_id: str
    source: Source | None
    parts: tuple[Part, ...] = ()
    consistency: str = ''
    protected: bool = False
    group_snapshot_id: str | None = None
    foreign: bool = False
    more_parts: bool = False
    volume_backed: bool = False
    left_over: bool = False
    owners: tuple[Owner, ...] = ()
    owners_known: bool = False
    orphaned: sets.Orphaned = sets.Orphaned.NO
    has_recipe: bool = False
    expires: datetime.date | None = None
    left_out: omissions.Omissions | None = None
    shared: bool = False
    under_way: bool = False

    @property
    def row_id(self) -> str:
        """Both services' ids in one space."""
        return row_id(self.kind, self.id)

    @property
    def order(self) -> tuple[datetime.datetime, str]:
        return self.created, self.id

    @property
    def status(self) -> str:
        """The status of the whole: the image's says nothing of its parts.

        Nova makes the image active before its volume snapshots are done,
        and leaves it so when one of them fails.
        """
        if self.left_over:
            return statuses.LEFT_OVER
        if self.service_status != 'active':
            return self.service_status
        for part in self.parts:
            if part.status is None:
                continue
            if statuses.motion(part.status) is statuses.Outcome.FAILED:
                return statuses.INCOMPLETE
        if any(part.status == 'creating' for part in self.parts):
            return 'creating'
        return self.service_status

    @property
    def root(self) -> Part | None:
        """The part that holds the root disk, of a volume-backed one."""
        return next((part for part in self.parts if part.boot), None)

    def expired(self, today: datetime.date) -> bool:
        return self.expires is not None and self.expires < today

    @property
    def lacking_ephemeral_gib(self) -> int | None:
        """GiB of ephemeral disks that it does not hold; None if not known.

        Where it does not say, its instance tells how it is today.
        """
        if self.left_out is not None:
            return self.left_out.ephemeral_gib
        return (self.source.ephemeral_gib
                if self.source and self.source.certain else None)

    @property
    def bootable(self) -> bool | None:
        """Whether an instance can boot from it; None if that is not known.

        A volume snapshot says nothing of that, but its volume does.
        """
        if self.kind is kinds.Kind.INSTANCE:
            return True
        return self.source.bootable if self.source else None

    @property
    def motion(self) -> statuses.Outcome:
        return statuses.motion(self.status)

    def may_be_left_over(self, now: float) -> bool:
        """Whether it was begun so long ago that one should look.

        :param now: seconds since the epoch.
        """
        return (self.service_status in ('queued', 'saving')
                and now - self.created.timestamp() > sets.BEGUN_FOR)

    def with_left_over_flag(self, now: float) -> 'Snapshot':
        """The same, with whether nothing will come of it.

        Nova leaves such an image for each of two that ask at the same
        moment, and when it or Glance dies. While it works on one, the
        instance is busy; of a deleted one that cannot be seen, but no
        upload goes on for a day.
        """
        source = self.source
        if source is None or source.exists is None or source.busy:
            return self
        long_ago = source.exists or (
            now - self.created.timestamp() > _GONE_FOR)
        return dataclasses.replace(
            self, left_over=self.may_be_left_over(now) and long_ago)

    @property
    def usable(self) -> bool:
        """Whether it can be launched; Cinder shares no parts of a set.

        A part that is being deleted is there for a while.
        """
        return self.status in ('active', 'available') and not (
            self.foreign and self.volume_backed) and all(
                part.status in (None, 'available', 'backing-up')
                for part in self.parts)


def row_id(kind: kinds.Kind, service_id: str) -> str:
    """What names one thing of either service."""
    return f'{kind.value}-{service_id}'


def parse_row_id(row_id: str) -> tuple[kinds.Kind, str]:
    """The kind and the service's id.

    :raises ValueError: for anything that is not a row id.
    """
    kind, _, service_id = row_id.partition('-')
    if not ids.is_id(service_id):
        raise ValueError(row_id)
    return kinds.Kind(kind), service_id


def from_image(image: types.Image,
               volume_snapshots: Mapping[str, types.VolumeSnapshot | None]
               ) -> Snapshot:
    """An instance snapshot.

    :param volume_snapshots: by id those that belong to it, None for those
        that are gone; what is missing here was not asked for.
    """
    # Nova lists the disks in no order that means anything to a reader.
    disks = sorted(image.disks, key=lambda disk: (not disk.boot, disk.device))
    parts = [_part(disk, volume_snapshots) for disk in disks]
    # Those of chosen volumes are no disks of the image.
    parts += [_part(types.MappedDisk(part_id, 0, '', False), volume_snapshots)
              for part_id in marks.parts(image.properties, image.created)]
    own = marks.trusted(image.properties, image.created)
    # Nova writes it on images of local disks alone. Those of instances that
    # were launched from one of ours have inherited it.
    instance_id = (own.get(marks.INSTANCE, '') if image.volume_backed
                   else image.properties.get(marks.INSTANCE_ID, ''))
    size = sum(part.size_gib for part in parts) * GIB
    return Snapshot(
        kind=kinds.Kind.INSTANCE,
        id=image.id,
        name=image.name,
        service_status=image.status,
        created=image.created,
        size_bytes=size + (0 if image.volume_backed else image.size_bytes),
        project_id=image.owner,
        source=Source(
            kinds.Kind.INSTANCE, instance_id,
            own.get(marks.INSTANCE_NAME, ''),
            # It may have inherited that with our marks.
            certain=bool(own) or marks.TAKEN not in image.properties
        ) if ids.is_id(instance_id) else None,
        parts=tuple(parts),
        more_parts=len(image.mapped) > len(disks),
        consistency=consistency(image),
        protected=image.protected,
        volume_backed=image.volume_backed,
        has_recipe=marks.FLAVOR in own,
        expires=marks.expiry(image.properties, image.id),
        left_out=omissions.read(image.properties, image.created),
        shared=image.visibility == 'shared',
        under_way=marks.is_under_way(image),
    )


def from_foreign_image(image: types.Image) -> Snapshot:
    """What another project shares: nothing that it says is believed."""
    instance_id = image.properties.get(marks.INSTANCE_ID, '')
    return Snapshot(
        kind=kinds.Kind.INSTANCE, id=image.id, name=image.name,
        service_status=image.status, created=image.created,
        size_bytes=0 if image.volume_backed else image.size_bytes,
        project_id=image.owner,
        source=Source(kinds.Kind.INSTANCE, instance_id, certain=False)
        if ids.is_id(instance_id) else None,
        protected=image.protected, foreign=True,
        volume_backed=image.volume_backed)


def _part(disk: types.MappedDisk,
          found: Mapping[str, types.VolumeSnapshot | None]) -> Part:
    part_id = disk.snapshot_id
    snapshot = found.get(part_id)
    if snapshot is not None:
        return Part(part_id, snapshot.name, snapshot.status,
                    snapshot.size_gib, disk.device, disk.boot,
                    snapshot.volume_id)
    return Part(part_id, '', 'deleted' if part_id in found else None,
                disk.size_gib, disk.device, disk.boot)


def from_volume_snapshot(snapshot: types.VolumeSnapshot) -> Snapshot:
    return Snapshot(
        kind=kinds.Kind.VOLUME,
        id=snapshot.id,
        name=snapshot.name,
        service_status=snapshot.status,
        created=snapshot.created,
        size_bytes=snapshot.size_gib * GIB,
        project_id=snapshot.project_id,
        source=Source(kinds.Kind.VOLUME, snapshot.volume_id),
        consistency=consistency(snapshot),
        group_snapshot_id=snapshot.group_snapshot_id,
        expires=marks.expiry(snapshot.metadata, snapshot.id,
                             snapshot.volume_id),
    )


def summary(entry: types.Image | types.VolumeSnapshot) -> Snapshot:
    """A snapshot as its own service tells it, without the states of parts."""
    return (from_volume_snapshot(entry)
            if isinstance(entry, types.VolumeSnapshot)
            else from_image(entry, {}))


def consistency(entry: types.Image | types.VolumeSnapshot) -> str:
    """How something was taken, if its mark is its own."""
    return own_marks(entry).get(marks.CONSISTENCY, '')


def properties(entry: types.Image | types.VolumeSnapshot
               ) -> Mapping[str, str]:
    """Where the marks of an entry stand, with all else that stands there."""
    return (entry.properties if isinstance(entry, types.Image)
            else entry.metadata)


def own_marks(entry: types.Image | types.VolumeSnapshot) -> Mapping[str, str]:
    """The marks of an entry that are its own."""
    return marks.trusted(properties(entry), entry.created)
