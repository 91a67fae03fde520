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

"""Disk by disk: what a snapshot of an instance will hold."""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import enum

from snapshot_dashboard.cloud import types


class Role(enum.Enum):
    """What a disk is to its instance."""

    ROOT = 'root'
    EPHEMERAL = 'ephemeral'
    SWAP = 'swap'
    VOLUME = 'volume'
    #: A file share (virtiofs), and the state of a virtual TPM: no disks, but
    #: data of the instance that no snapshot has.
    SHARE = 'share'
    TPM = 'tpm'


class Fate(enum.Enum):
    """What becomes of a disk's contents."""

    CAPTURED = 'captured'
    NOT_CAPTURED = 'not-captured'
    #: Not captured either, but nobody misses it: swap space.
    EMPTY = 'empty'


@dataclasses.dataclass(frozen=True)
class Disk:
    """One disk of an instance.

    :ivar size_mib: 0 where it is as large as its image and no flavor says.
    :ivar device: what the guest knows it by; of a share, its tag.
    :ivar volume: None for a local disk, and where Cinder could not be asked.
    :ivar deleted_with: whether the volume is deleted with the instance.
    """

    role: Role
    fate: Fate
    size_mib: int
    device: str = ''
    volume_id: str = ''
    volume: types.Volume | None = None
    deleted_with: bool = False


def list_disks(server: types.Server, attachments: Sequence[types.Attachment],
               volumes: Mapping[str, types.Volume],
               shares: Sequence[str] = ()) -> list[Disk]:
    """The disks of an instance, the root disk first.

    createImage takes the root disk alone of an image-backed instance, and
    every attached volume of a volume-backed one. Local disks beside the
    root disk are never in it (Nova API, Create Image).

    :param volumes: by id; one that could not be asked for is left out.
    :param shares: the tags of its file shares.
    """
    attached = sorted(attachments, key=lambda attachment: attachment.device)
    if server.volume_backed:
        root = root_volume(attached, volumes)
        found = [_volume(attachment, volumes, Fate.CAPTURED,
                         Role.ROOT if attachment is root else Role.VOLUME)
                 for attachment in attached]
        found.sort(key=lambda disk: disk.role is not Role.ROOT)
    else:
        found = [Disk(Role.ROOT, Fate.CAPTURED, server.root_gib * 1024)]
    if server.ephemeral_gib:
        found.append(Disk(Role.EPHEMERAL, Fate.NOT_CAPTURED,
                          server.ephemeral_gib * 1024))
    if server.swap_mib:
        found.append(Disk(Role.SWAP, Fate.EMPTY, server.swap_mib))
    if not server.volume_backed:
        found += [_volume(attachment, volumes, Fate.NOT_CAPTURED, Role.VOLUME)
                  for attachment in attached]
    found += [Disk(Role.SHARE, Fate.NOT_CAPTURED, 0, tag) for tag in shares]
    if server.has_tpm:
        found.append(Disk(Role.TPM, Fate.NOT_CAPTURED, 0))
    return found


def root_volume(attached: Sequence[types.Attachment],
                volumes: Mapping[str, types.Volume]
                ) -> types.Attachment | None:
    """The attachment that a volume-backed instance boots from.

    Nova tells its root device's name to administrators only; the first
    device that is bootable is the one.

    :param attached: in the order of their devices.
    """
    for attachment in attached:
        volume = volumes.get(attachment.volume_id)
        if volume is not None and volume.bootable:
            return attachment
    return attached[0] if attached else None


def _volume(attachment: types.Attachment,
            volumes: Mapping[str, types.Volume], fate: Fate,
            role: Role) -> Disk:
    volume = volumes.get(attachment.volume_id)
    return Disk(role, fate, volume.size_gib * 1024 if volume else 0,
                attachment.device, attachment.volume_id, volume,
                attachment.delete_on_termination)
