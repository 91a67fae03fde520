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

"""Whether an instance can be put back to a snapshot, and what that means.

``gather`` asks the services, ``find_obstacles`` decides, purely.
"""

from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import enum
from typing import Any

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types
from snapshot_dashboard.preflight import disk_facts
from snapshot_dashboard.preflight import instance_facts
from snapshot_dashboard.preflight import obstacles
from snapshot_dashboard.restores import circumstances
from snapshot_dashboard.restores import restore
from snapshot_dashboard.restores import restoring
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import record
from snapshot_dashboard.snapshots import details
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model

#: Nova's first after that of 2024.2. With it came Cinder 26 (2025.1), the
#: first that overwrites a volume with the snapshot that an image maps; an
#: older one overwrites nothing, and says it did (bug 2062539). Cinder itself
#: does not tell: its newest microversion is that of years before.
_NOVA_OF_CINDER_26 = (2, 97)
#: Properties by which an image asks for another machine than its instance has.
_NUMA = ('hw_numa_nodes', 'hw_cpu_policy', 'hw_mem_page_size')


class Code(enum.Enum):
    """What may stand in the way."""

    UNUSABLE = 'unusable'
    FOREIGN = 'foreign'
    SOURCE_GONE = 'source-gone'
    SOURCE_UNKNOWN = 'source-unknown'
    STATE = 'state'
    LOCKED = 'locked'
    RESTORING = 'restoring'
    SWITCHING = 'switching'
    OTHER_ROOT = 'other-root'
    TPM = 'tpm'
    SHARES = 'shares'
    MIN_DISK = 'min-disk'
    NUMA = 'numa'
    MULTIATTACH = 'multiattach'
    VOLUME_SIZE = 'volume-size'
    NOT_OVERWRITABLE = 'not-overwritable'
    OLD_CINDER = 'old-cinder'
    ROOT_VOLUME = 'root-volume'
    DETACHED = 'detached'
    BUSY = 'busy'
    RUN_OPEN = 'run-open'
    VOLUME_GONE = 'volume-gone'
    QUOTA = 'quota'
    TAGS = 'tags'
    PROPERTIES = 'properties'


@dataclasses.dataclass(frozen=True)
class Obstacle:
    """Something that makes it impossible now.

    :ivar facts: the numbers and names for the message.
    """

    code: Code
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class Fate(enum.Enum):
    """What becomes of a disk of the instance."""

    OVERWRITTEN = 'overwritten'
    EXCHANGED = 'exchanged'
    STAYS = 'stays'
    EMPTIED = 'emptied'


@dataclasses.dataclass(frozen=True)
class Facts:
    """What is known before an instance, or a volume of it, is put back.

    :ivar details: of the snapshot.
    :ivar instance: None where it is gone, or is not to be had.
    :ivar image: the snapshot's.
    :ivar volume: the one that a volume snapshot was taken of; None where it
        is gone, or is not to be had.
    :ivar under_way: whether the instance is being put back.
    :ivar old_cinder: whether Cinder is too old to overwrite a volume with a
        snapshot, by what is known of Nova.
    :ivar overwritable: the volume types whose storage takes every byte of a
        snapshot, or ``*`` for all.
    """

    details: details.Details
    instance: instance_facts.Facts | None = None
    image: types.Image | None = None
    volume: types.Volume | None = None
    under_way: bool = False
    old_cinder: bool = False
    overwritable: Collection[str] = ()

    @property
    def snapshot(self) -> model.Snapshot:
        return self.details.snapshot

    @property
    def disks(self) -> tuple[restore.Disk, ...]:
        """The volumes that are overwritten, the root first.

        Those of the set that are not at the instance any more stay as they
        are.
        """
        if self.instance is None or not self.snapshot.volume_backed:
            return ()
        volumes = {disk.volume_id: disk.volume for disk in self.instance.disks
                   if disk.volume}
        found = []
        for part in self.snapshot.parts:
            volume = volumes.get(part.volume_id)
            if volume is not None:
                found.append(restore.Disk(
                    volume.id, part.id, part.size_gib, part.boot,
                    volume.bootable))
        return tuple(sorted(found, key=lambda disk: not disk.root))

    @property
    def swaps(self) -> tuple[restore.Swap, ...]:
        """The volumes that can be exchanged for new ones.

        Those of a set without a root disk on a volume, or the only one, as
        far as they are at the instance today.
        """
        if self.instance is None or self.snapshot.volume_backed:
            return ()
        sizes = {part.volume_id: (part.id, part.size_gib)
                 for part in self.snapshot.parts}
        if self.volume is not None:
            sizes = {self.volume.id: (self.snapshot.id, self.volume.size_gib)}
        return tuple(
            restore.Swap(
                disk.volume_id, sizes[disk.volume_id][0],
                max(disk.volume.size_gib, sizes[disk.volume_id][1]),
                disk.volume.name, disk.device, disk.deleted_with)
            for disk in self.instance.disks
            if disk.volume and disk.volume_id in sizes)

    def fate(self, disk: disk_facts.Disk) -> Fate:
        """What becomes of a disk when the instance goes back."""
        if disk.role in (disk_facts.Role.EPHEMERAL, disk_facts.Role.SWAP):
            return Fate.EMPTIED
        overwritten = {one.volume_id for one in self.disks}
        if disk.volume_id in overwritten or (
                disk.role is disk_facts.Role.ROOT and not disk.volume_id):
            return Fate.OVERWRITTEN
        if disk.volume_id in {swap.volume_id for swap in self.swaps}:
            return Fate.EXCHANGED
        return Fate.STAYS


def gather(cloud: services.Cloud, found: details.Details,
           overwritable: Collection[str] = (),
           decides: bool = False) -> Facts:
    """Ask for the facts.

    :param found: what is known of the snapshot.
    :param decides: see :func:`instance_facts.gather`.
    :param overwritable: what the operator says of volume types; see
        :class:`Facts`.
    :raises ServiceError: when Nova or Glance do not tell.
    """
    snapshot = found.snapshot
    if snapshot.foreign or snapshot.source is None:
        return Facts(found)
    if snapshot.kind is kinds.Kind.VOLUME:
        return _of_volume(cloud, found, decides)
    calls: dict[str, Any] = {
        'instance': lambda: instance_facts.gather(
            cloud, snapshot.source.id if snapshot.source else '', decides),
        'image': lambda: cloud.images.image(snapshot.id)}
    if snapshot.volume_backed and overwritable:
        calls['nova'] = lambda: cloud.compute.newest_microversion()
    answers = cloud.gather_named(calls)
    for name in ('instance', 'image'):
        if isinstance(answers[name], errors.ServiceError) and not isinstance(
                answers[name], errors.NotFound):
            raise answers[name]
    nova, known = answers.get('nova'), errors.without(answers)
    return _with_instance(cloud, Facts(
        found, known.get('instance'), known.get('image'),
        old_cinder=isinstance(nova, tuple)
        and (0, 0) < nova < _NOVA_OF_CINDER_26,
        overwritable=overwritable))


def _of_volume(cloud: services.Cloud, found: details.Details,
               decides: bool) -> Facts:
    """Likewise, for the snapshot of one volume."""
    source = found.snapshot.source
    try:
        volume = cloud.volumes.volume(source.id if source else '')
        instance = (instance_facts.gather(cloud, volume.server_ids[0],
                                          decides)
                    if volume.server_ids else None)
    except errors.NotFound:
        return Facts(found)
    return _with_instance(cloud, Facts(found, instance, volume=volume))


def _with_instance(cloud: services.Cloud, facts: Facts) -> Facts:
    """Add what matters of the instance, if there is one."""
    instance = facts.instance
    if instance is None:
        return facts
    return dataclasses.replace(
        facts, under_way=restoring.is_under_way(cloud, instance.server))


def find_obstacles(facts: Facts) -> list[Obstacle]:
    """What makes it impossible to put the instance back."""
    snapshot, instance = facts.snapshot, facts.instance
    if snapshot.foreign:
        return [Obstacle(Code.FOREIGN)]
    if snapshot.status != 'active':
        return [Obstacle(Code.UNUSABLE, {'status': snapshot.status})]
    # Of volumes it matters alone whether they are the instance's today.
    if snapshot.source is None or not (snapshot.source.certain
                                       or snapshot.volume_backed):
        return [Obstacle(Code.SOURCE_UNKNOWN)]
    if instance is None:
        return [Obstacle(Code.SOURCE_GONE)]
    return (_of_instance(facts, instance) + _of_record(facts) + (
        _of_volumes(facts, instance) if snapshot.volume_backed
        else _of_image(facts, instance)))


def _of_record(facts: Facts) -> list[Obstacle]:
    """Whether the snapshot's image has room for the record."""
    if facts.image is None:
        return []
    takes = instance_facts.takes(
        facts.image, restore.write(restore.Plan('', '', '', ''), ''))
    return [] if takes else [Obstacle(Code.PROPERTIES, {
        'limit': instance_facts.IMAGE_PROPERTIES})]


def swap_obstacles(facts: Facts) -> list[Obstacle]:
    """What makes it impossible to exchange the volume of a snapshot."""
    snapshot, instance = facts.snapshot, facts.instance
    if snapshot.status != 'available':
        return [Obstacle(Code.UNUSABLE, {'status': snapshot.status})]
    if facts.volume is None:
        return [Obstacle(Code.VOLUME_GONE)]
    if instance is None:
        return [Obstacle(Code.DETACHED)]
    name = {'volume': facts.volume.name or facts.volume.id}
    if len(facts.volume.server_ids) > 1:
        return [Obstacle(Code.MULTIATTACH, name)]
    found = _of_state(facts, instance, circumstances.READY)
    if any(disk.role is disk_facts.Role.ROOT
           and disk.volume_id == facts.volume.id for disk in instance.disks):
        found.append(Obstacle(Code.ROOT_VOLUME, name))
    return found + room_obstacles(facts, facts.swaps)


def room_obstacles(facts: Facts, swaps: Sequence[restore.Swap]
                   ) -> list[Obstacle]:
    """For which quotas of Cinder the new volumes are too many."""
    if facts.instance is None:
        return []
    found = []
    for name, needed in (('volumes', len(swaps)),
                         ('gigabytes', sum(one.size_gib for one in swaps))):
        quota = facts.instance.quotas.get(name)
        if quota is not None and quota.left is not None and (
                quota.left < needed):
            found.append(Obstacle(Code.QUOTA, {
                'what': name, 'needed': needed, 'left': quota.left}))
    return found


def _of_state(facts: Facts, instance: instance_facts.Facts,
              states: Sequence[str]) -> list[Obstacle]:
    """What is in the way of an instance of any kind."""
    server, found = instance.server, []
    run = journal.read(server)
    if facts.under_way:
        found.append(Obstacle(Code.RESTORING))
    elif record.is_switching(server):
        found.append(Obstacle(Code.SWITCHING))
    elif run is not None and run.open:
        found.append(Obstacle(Code.RUN_OPEN, {'name': run.plan.name}))
    elif server.status not in states or (
            server.status == 'ERROR' and not restore.home_ids(server)):
        found.append(Obstacle(Code.STATE, {'status': server.status}))
    elif server.task_state:
        found.append(Obstacle(Code.BUSY, {'task': server.task_state}))
    if server.locked:
        found.append(Obstacle(Code.LOCKED))
    if not restoring.has_room(server):
        found.append(Obstacle(Code.TAGS))
    return found


def _of_instance(facts: Facts,
                 instance: instance_facts.Facts) -> list[Obstacle]:
    server = instance.server
    found = _of_state(facts, instance, (
        circumstances.READY if facts.snapshot.volume_backed
        else circumstances.REBUILDABLE))
    if server.has_tpm:
        found.append(Obstacle(Code.TPM))
    if any(disk.role is disk_facts.Role.SHARE for disk in instance.disks):
        found.append(Obstacle(Code.SHARES))
    if server.volume_backed != facts.snapshot.volume_backed:
        found.append(Obstacle(Code.OTHER_ROOT))
    return found


def _of_image(facts: Facts, instance: instance_facts.Facts) -> list[Obstacle]:
    server, image, found = instance.server, facts.image, []
    if image is None or server.volume_backed:
        return []
    if 0 < server.root_gib < image.min_disk_gib:
        found.append(Obstacle(Code.MIN_DISK, {
            'needed': image.min_disk_gib, 'disk': server.root_gib}))
    if server.image_properties is not None and any(
            image.properties.get(name) != server.image_properties.get(name)
            for name in _NUMA):
        found.append(Obstacle(Code.NUMA))
    return found


def _of_volumes(facts: Facts,
                instance: instance_facts.Facts) -> list[Obstacle]:
    if not instance.server.volume_backed:
        return []
    volumes = {disk.volume_id: disk.volume for disk in instance.disks
               if disk.volume}
    found = []
    root = next((disk for disk in instance.disks
                 if disk.role is disk_facts.Role.ROOT), None)
    if root is None or not facts.disks or not facts.disks[0].root or (
            facts.disks[0].volume_id != root.volume_id):
        found.append(Obstacle(Code.OTHER_ROOT))
    for disk in facts.disks:
        volume = volumes[disk.volume_id]
        name = {'volume': volume.name or volume.id}
        if len(volume.server_ids) > 1:
            found.append(Obstacle(Code.MULTIATTACH, name))
        if volume.size_gib < disk.size_gib:
            found.append(Obstacle(Code.VOLUME_SIZE, name))
        if not {'*', volume.type} & {*facts.overwritable}:
            found.append(Obstacle(Code.NOT_OVERWRITABLE, {
                **name, 'type': volume.type}))
    if facts.old_cinder:
        found.append(Obstacle(Code.OLD_CINDER))
    return found


def safety_obstacles(facts: Facts) -> list[obstacles.Obstacle]:
    """What makes it impossible to save the present state first."""
    if facts.instance is None:
        return []
    return instance_facts.find_obstacles(
        facts.instance, power_off=facts.instance.server.status == 'ACTIVE')
