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

"""What the plugin writes on the snapshots that it makes.

These are properties of images and metadata of volume snapshots, readable by
everybody in the project and by every other tool; nothing here is secret.

Nova copies the properties of the image that an instance was launched from to
every snapshot of that instance. Marks are therefore inherited by snapshots of
instances that were launched from a snapshot. :func:`trusted` keeps only the
marks that were written for the snapshot on which they stand.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import datetime
from typing import TypeVar

from snapshot_dashboard.cloud import ids
from snapshot_dashboard.cloud import limits
from snapshot_dashboard.cloud import types

Thing = TypeVar('Thing', types.Image, types.VolumeSnapshot)

#: The run that made it.
RUN = 'snapshot_dashboard_run'
#: The one call that made it: no two things that were made have the same, so
#: of several that bear it all but the first are copies or heirs.
CALL = 'snapshot_dashboard_call'
#: When it was asked for: seconds since the epoch.
TAKEN = 'snapshot_dashboard_taken'
#: The id of the instance, which unlike Nova's own mark is never inherited
#: without TAKEN.
INSTANCE = 'snapshot_dashboard_instance'
#: The name of the instance when it was captured.
INSTANCE_NAME = 'snapshot_dashboard_instance_name'
#: On a volume snapshot: the image that it belongs to.
IMAGE = 'snapshot_dashboard_image'
#: On an image: the volume snapshots that belong to it beside those that it
#: maps. Further ones stand in properties with numbers behind this name.
PARTS = 'snapshot_dashboard_parts'
#: On an image: what it does not hold of its instance.
LEFT_OUT = 'snapshot_dashboard_left_out'
#: What it was meant for, one of PURPOSES: to go back after a change that
#: failed, a backup, a template, a move to another cloud.
PURPOSE = 'snapshot_dashboard_purpose'
#: How the instance was: the names of its flavor, security groups (a JSON
#: list), key pair and availability zone, and the ids of its networks.
FLAVOR = 'snapshot_dashboard_flavor'
GROUPS = 'snapshot_dashboard_security_groups'
KEY = 'snapshot_dashboard_key'
ZONE = 'snapshot_dashboard_zone'
NETWORKS = 'snapshot_dashboard_networks'
#: How it was taken, one of those below.
CONSISTENCY = 'snapshot_dashboard_consistency'
#: Until when its owner wants to keep it: a date, and the snapshot's own id,
#: for an image's heirs must not inherit that; or, from its creation on, the
#: id of a volume snapshot's volume.
EXPIRES = 'snapshot_dashboard_expires'
#: On all that have such a date, for neither service finds a part of a value.
EXPIRING = 'snapshot_dashboard_expiring'
#: Of going back to the snapshot: its plan, and how far it is.
RESTORE = 'snapshot_dashboard_restore'
RESTORE_PROGRESS = f'{RESTORE}_progress_'
#: Of an instance that takes over the addresses of the one that the snapshot
#: is of: likewise.
SWITCH_OVER = 'snapshot_dashboard_switch_over'
SWITCH_OVER_PROGRESS = f'{SWITCH_OVER}_progress_'
#: A tag of an instance that was launched from a snapshot, before the id of its
#: image.
COPY_OF = 'snapshot-dashboard-copy:'
#: Horizon shows and edits this property of images as their description.
DESCRIPTION = 'description'
#: Nova's own marks, which it gives image-backed snapshots only; the plugin
#: gives them to volume-backed ones, so that every tool knows those too.
INSTANCE_ID = 'instance_uuid'
IMAGE_TYPE = 'image_type'

#: The instance was off, and had shut down in time when a user asked for it.
POWERED_OFF = 'powered-off'
#: It was off, but had not shut down in time: the plug was pulled.
FORCED_OFF = 'forced-off'
#: It was off, and nothing tells how it went off: it may have crashed.
OFF = 'off'
#: Of a volume that was attached to no instance.
DETACHED = 'detached'
#: It ran, and its image announces a guest agent that can freeze the disks.
LIVE_AGENT = 'live-agent'
#: It ran, or was paused or suspended.
LIVE = 'live'

CHANGE, BACKUP, TEMPLATE, MOVE = PURPOSES = (
    'change', 'backup', 'template', 'move')
#: What was saved before its instance was put back to another snapshot. Nobody
#: can choose that.
SAFETY = 'safety'

#: Parts that are looked at.
_PARTS = 64
#: Seconds that may lie between the asking for a snapshot and its creation
#: as its service records it; the clocks of the machines add to it.
_NEAR = 300


def is_under_way(image: types.Image) -> bool:
    """Whether an image records that an instance goes back to it, or that a
    copy takes addresses over, and not the end of that.

    Images of instances that went back inherit the record, which names
    another image then, and may be cut off.
    """
    return any(
        f'"home_id":"{image.id}"' in image.properties.get(plan, '')
        and not image.properties.get(f'{progress}ended_at')
        for plan, progress in ((RESTORE, RESTORE_PROGRESS),
                               (SWITCH_OVER, SWITCH_OVER_PROGRESS)))


def trusted(properties: Mapping[str, str],
            created: datetime.datetime) -> Mapping[str, str]:
    """The marks if they were written for this snapshot, else nothing.

    :param properties: an image's properties or a volume snapshot's metadata.
    :param created: when its service made the snapshot.
    """
    taken = types.whole_number(properties.get(TAKEN, ''))
    if taken is None or abs(created.timestamp() - taken) > _NEAR:
        return {}
    if properties.get(INSTANCE) != properties.get(INSTANCE_ID):
        return {}
    return {key: value for key, value in properties.items()
            if key.startswith('snapshot_dashboard_')}


def of_server(server: types.Server, taken: int) -> dict[str, str]:
    """The marks that say of what a snapshot is, and when it was taken.

    :param taken: seconds since the epoch.
    """
    return {TAKEN: str(taken), INSTANCE: server.id, INSTANCE_ID: server.id,
            INSTANCE_NAME: server.name[:limits.VALUE_LENGTH]}


def write_expiry(day: datetime.date, owner_id: str) -> dict[str, str]:
    """The properties that say until when a snapshot is wanted.

    :param owner_id: the snapshot's, or its volume's where there is none yet.
    """
    return {EXPIRES: f'{day.isoformat()} {owner_id}', EXPIRING: 'True'}


def expiry(properties: Mapping[str, str],
           *owner_ids: str) -> datetime.date | None:
    """The last day on which a snapshot is wanted; None for no end."""
    day, _, owner = properties.get(EXPIRES, '').partition(' ')
    if owner not in owner_ids:
        return None
    try:
        return datetime.date.fromisoformat(day)
    except ValueError:
        return None


def originals(things: Iterable[Thing]) -> list[Thing]:
    """Images or volume snapshots without those that inherited their mark.

    A server that was rebuilt or launched from a snapshot hands its marks on
    to those that are taken of it, and a copy has all properties. Each is
    younger than the one that the call had made.
    """
    first: dict[tuple[str, str], Thing] = {}
    for thing in sorted(things, key=lambda thing: (thing.created, thing.id)):
        bears = (thing.properties if isinstance(thing, types.Image)
                 else thing.metadata)
        if bears.get(CALL):
            of = '' if isinstance(thing, types.Image) else thing.volume_id
            first.setdefault((bears[CALL], of), thing)
    return list(first.values())


def name_ids(mark: str, named: Sequence[str]) -> dict[str, str]:
    """The properties that hold ids, as many as are needed for all."""
    return {f'{mark}{start // limits.IDS_PER_VALUE or ""}':
            ' '.join(named[start:start + limits.IDS_PER_VALUE])
            for start in range(0, len(named), limits.IDS_PER_VALUE)}


def ids_named(mark: str, properties: Mapping[str, str]) -> list[str]:
    """The ids that such properties hold, in their order."""
    return [found for name, value in sorted(
                properties.items(), key=lambda item: (len(item[0]), item))
            if name.startswith(mark)
            for found in value.lower().split() if ids.is_id(found)]


def name_parts(part_ids: Sequence[str]) -> dict[str, str]:
    """The properties of an image that name its parts."""
    return name_ids(PARTS, part_ids)


def parts(properties: Mapping[str, str],
          created: datetime.datetime) -> list[str]:
    """The parts that an image names, if its marks are its own.

    As many as a server may have volumes: anybody can write that property.
    """
    return ids_named(PARTS, trusted(properties, created))[:_PARTS]
