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

"""All that is known of one snapshot, and what was made from it."""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import functools
from typing import Any

from snapshot_dashboard import cloud as clouds
from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import types
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.snapshots import recipe as recipes
from snapshot_dashboard.snapshots import single
from snapshot_dashboard.snapshots.kinds import Kind

#: Instances and volumes that are looked at for what was made from a snapshot.
MOST = 1000
#: Images of which it is asked, one by one, what was launched from them.
_ASKED = 20
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


@dataclasses.dataclass(frozen=True)
class Dependants:
    """What was made from a snapshot and is still there.

    :ivar partial: whether there are more of either than were looked at.
    :ivar problems: why some of it is not known.
    """

    servers: tuple[types.Server, ...] = ()
    volumes: tuple[types.Volume, ...] = ()
    partial: bool = False
    problems: tuple[errors.ServiceError, ...] = ()


def get(cloud: clouds.Cloud, row_id: str) -> Details:
    """A snapshot by the id of its row.

    :raises ServiceError: ``NotFound`` also for a malformed id and for a
        snapshot of another project.
    """
    entry = single.entry(cloud, row_id, shared=True)
    snapshot = single.row(cloud, entry)
    if isinstance(entry, types.VolumeSnapshot):
        known = snapshot.source.encrypted if snapshot.source else None
        return Details(snapshot, single.description(entry), entry.user_id,
                       encrypted={} if known is None else {entry.id: known},
                       properties=tuple(sorted(entry.metadata.items())))
    base_id = entry.properties.get(_BASE_IMAGE, '')
    return Details(
        snapshot,
        description=single.description(entry),
        user_id=entry.properties.get('user_id', ''),
        min_disk_gib=entry.min_disk_gib,
        min_ram_mib=entry.min_ram_mib,
        disk_format=entry.properties.get('disk_format', ''),
        purpose='' if snapshot.foreign else model.own_marks(entry).get(
            marks.PURPOSE, ''),
        recipe=None if snapshot.foreign else recipes.read(
            entry.properties, entry.created),
        base_image=base_id,
        base_image_name=_name(cloud, base_id) if base_id else '',
        encrypted=_encrypted(cloud, snapshot.parts),
        properties=tuple(sorted(entry.own_properties.items())))


def _encrypted(cloud: clouds.Cloud,
               parts: Sequence[model.Part]) -> dict[str, bool]:
    """Which parts are of encrypted volumes; their volumes tell."""
    volume_ids = sorted({part.volume_id for part in parts if part.volume_id})
    found = dict(zip(volume_ids, cloud.together(*(
        functools.partial(cloud.volumes.volume, volume_id)
        for volume_id in volume_ids))))
    return {part.id: volume.encrypted for part in parts
            if isinstance(volume := found.get(part.volume_id), types.Volume)}


def _name(cloud: clouds.Cloud, image_id: str) -> str:
    answer, = cloud.together(functools.partial(cloud.images.image, image_id))
    return answer.name if isinstance(answer, types.Image) else ''


def dependants(cloud: clouds.Cloud, snapshots: Sequence[model.Snapshot]
               ) -> dict[str, Dependants]:
    """What was made from snapshots, by their row ids, in one round of calls.

    Nova finds servers by their image. Cinder finds no volumes by the
    snapshot, so those that were made since are looked through.
    """
    images = [snapshot for snapshot in snapshots
              if snapshot.kind is Kind.INSTANCE][:_ASKED]
    calls: dict[str, Callable[[], Any]] = {}
    if cloud.has('compute'):
        calls.update({snapshot.id: functools.partial(
            cloud.compute.servers, MOST, image_id=snapshot.id)
            for snapshot in images})
    if cloud.has('volume') and snapshots:
        calls['volumes'] = functools.partial(
            cloud.volumes.volumes, MOST,
            since=min(snapshot.created for snapshot in snapshots))
    answers = dict(zip(calls, cloud.together(*calls.values())))
    return {snapshot.row_id: _of(snapshot, answers)
            for snapshot in snapshots}


def _of(snapshot: model.Snapshot, answers: Mapping[str, Any]) -> Dependants:
    mine = [answers[name] for name in (snapshot.id, 'volumes')
            if name in answers]
    known = {name: answer for name, answer in answers.items()
             if not isinstance(answer, errors.ServiceError)}
    of = {snapshot.id, *(part.id for part in snapshot.parts)}
    return Dependants(
        servers=tuple(known.get(snapshot.id, ())),
        volumes=tuple(volume for volume in known.get('volumes', ())
                      if volume.snapshot_id in of
                      or volume.image_properties.get('image_id') in of),
        partial=any(len(answer) >= MOST for answer in known.values()) or (
            snapshot.kind is Kind.INSTANCE and snapshot.id not in answers),
        problems=tuple(answer for answer in mine
                       if isinstance(answer, errors.ServiceError)))


def messages(cloud: clouds.Cloud,
             snapshot: model.Snapshot) -> list[types.Message]:
    """What Cinder has to say of a volume snapshot, or of those of a set.

    :raises ServiceError: when it could not be asked.
    """
    about = {snapshot.id, *(part.id for part in snapshot.parts)}
    if not cloud.has('volume') or (
            snapshot.kind is Kind.INSTANCE and not snapshot.parts):
        return []
    return [message for message in cloud.volumes.messages(MOST)
            if message.about in about]
