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

"""All that is known of one snapshot."""

from collections.abc import Mapping
import dataclasses
import functools

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types
from snapshot_dashboard.inspection import boot_reports
from snapshot_dashboard.inspection import check
from snapshot_dashboard.snapshots import dependants
from snapshot_dashboard.snapshots import editing
from snapshot_dashboard.snapshots import fetch
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.snapshots import recipes
from snapshot_dashboard.snapshots import sharing

#: What Nova writes on a snapshot: the image that the instance was launched
#: from.
_BASE_IMAGE = 'base_image_ref'


@dataclasses.dataclass(frozen=True)
class Details:
    """What its services tell of a snapshot.

    :ivar user_id: who made it, as the service noted it; empty if it did not.
    :ivar min_disk_gib: the disk that an instance of it needs at least.
    :ivar min_ram_mib: likewise, the memory.
    :ivar disk_format: of an image's data, as ``qcow2``.
    :ivar purpose: what it was meant for, one of ``marks.PURPOSES``.
    :ivar recipe: how the instance was.
    :ivar base_image: the id of the image that the instance was launched
        from; empty when there is none, or the snapshot does not say.
    :ivar base_image_name: its name, empty when it cannot be seen any more.
    :ivar encrypted: by the ids of volume snapshots, whether what they hold
        is encrypted; those are left out of which that is not known.
    :ivar volumes: those of its parts, and those that it does not hold, by
        their ids; without those that cannot be had.
    :ivar members: the projects that it is shared with; None if that is not
        known.
    :ivar checked: what its bytes said when somebody looked at them.
    :ivar can_check: whether there is something to be looked at.
    :ivar tested: what came of the last boot test.
    :ivar boots_from: the digest of what an instance of it boots from.
    :ivar properties: an image's own properties or a volume snapshot's
        metadata, by name. Any member can have written them.
    """

    snapshot: model.Snapshot
    description: str
    user_id: str
    min_disk_gib: int = 0
    min_ram_mib: int = 0
    disk_format: str = ''
    purpose: str = ''
    recipe: recipes.Recipe | None = None
    base_image: str = ''
    base_image_name: str = ''
    encrypted: Mapping[str, bool] = dataclasses.field(default_factory=dict)
    properties: tuple[tuple[str, str], ...] = ()
    volumes: Mapping[str, types.Volume] = dataclasses.field(
        default_factory=dict)
    members: tuple[types.Member, ...] | None = ()
    checked: check.Report | None = None
    can_check: bool = False
    tested: boot_reports.Report | None = None
    boots_from: str = ''


def get(cloud: services.Cloud, row_id: str) -> Details:
    """A snapshot by the id of its row.

    :raises ServiceError: ``NotFound`` also for a malformed id and for a
        snapshot of another project.
    """
    entry = fetch.entry(cloud, row_id, shared=True)
    snapshot = fetch.complete(cloud, entry)
    if isinstance(entry, types.VolumeSnapshot):
        known = snapshot.source.encrypted if snapshot.source else None
        return Details(snapshot, editing.description(entry), entry.user_id,
                       purpose=_purpose(entry),
                       encrypted={} if known is None else {entry.id: known},
                       properties=tuple(sorted(entry.metadata.items())))
    base_id = entry.properties.get(_BASE_IMAGE, '')
    found, base, members = cloud.gather(
        lambda: volumes(cloud, snapshot),
        lambda: cloud.images.image(base_id) if base_id else None,
        lambda: sharing.members(cloud, entry) if snapshot.shared else ())
    return Details(
        snapshot,
        description=editing.description(entry),
        user_id=entry.properties.get('user_id', ''),
        min_disk_gib=entry.min_disk_gib,
        min_ram_mib=entry.min_ram_mib,
        disk_format=entry.properties.get('disk_format', ''),
        purpose='' if snapshot.foreign else _purpose(entry),
        recipe=None if snapshot.foreign else recipes.read(
            entry.properties, entry.created),
        base_image=base_id,
        base_image_name=base.name if isinstance(base, types.Image) else '',
        encrypted={part.id: found[part.volume_id].encrypted
                   for part in snapshot.parts if part.volume_id in found},
        members=None if isinstance(members, errors.ServiceError)
        else tuple(members),
        checked=None if snapshot.foreign else check.read(entry),
        can_check=not snapshot.foreign and check.can_check(entry),
        tested=None if snapshot.foreign else boot_reports.read(entry),
        boots_from='' if snapshot.foreign else boot_reports.digest(entry),
        volumes=found,
        properties=tuple(sorted(entry.own_properties.items())))


def _purpose(entry: kinds.Entry) -> str:
    return model.own_marks(entry).get(marks.PURPOSE, '')


def volumes(cloud: services.Cloud,
            snapshot: model.Snapshot) -> dict[str, types.Volume]:
    """The volumes that a snapshot is about, by their ids.

    Those that are gone, or cannot be had, are left out.
    """
    left_out = snapshot.left_out.volume_ids if snapshot.left_out else ()
    wanted = {part.volume_id for part in snapshot.parts} | set(left_out)
    found = cloud.gather_named({
        volume_id: functools.partial(cloud.volumes.volume, volume_id)
        for volume_id in sorted(wanted - {''})})
    return {volume_id: volume for volume_id, volume in found.items()
            if isinstance(volume, types.Volume)}


def messages(cloud: services.Cloud,
             snapshot: model.Snapshot) -> list[types.Message]:
    """What Cinder has to say of a volume snapshot, or of those of a set.

    :raises ServiceError: when it could not be asked.
    """
    about = {snapshot.id, *(part.id for part in snapshot.parts)}
    if not cloud.has('volume') or (
            snapshot.kind is kinds.Kind.INSTANCE and not snapshot.parts):
        return []
    return [message for message in cloud.volumes.messages(dependants.MOST)
            if message.about in about]
