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

"""What a file system says of itself: is it clean?

Only its own notes are read, as a kernel or a check tool does before it does
anything else. Nothing is mounted, and nothing is run.
"""

from collections.abc import Callable
import dataclasses
import enum
import struct

from snapshot_dashboard.inspection import disks
from snapshot_dashboard.inspection import xfs


class State(enum.Enum):
    """How a file system stands by its own notes, the worst first.

    :cvar ERRORS: it has noted errors.
    :cvar DIRTY: it wants a check: it was in use without a journal, or says
        so itself.
    :cvar REPLAY: its journal is to be replayed, as after a power failure.
    :cvar UNKNOWN: what it is is known, and not how it stands.
    :cvar CLEAN: it was closed in order.
    """

    ERRORS = 'errors'
    DIRTY = 'dirty'
    REPLAY = 'replay'
    UNKNOWN = 'unknown'
    CLEAN = 'clean'


@dataclasses.dataclass(frozen=True)
class Found:
    """What is on a disk or a partition.

    :ivar kind: ``ext4`` (also for ext2 and ext3), ``xfs``, ``ntfs``,
        ``btrfs``, ``fat``, ``swap``, ``lvm``, ``luks``, or ``other``.
    """

    kind: str
    state: State

    @property
    def matters(self) -> bool:
        """Whether data may be lost with it."""
        return self.kind not in ('swap', 'fat')


#: What cannot be told.
OTHER = Found('other', State.UNKNOWN)


def probe(disk: disks.Disk) -> Found | None:
    """What is there; None where nothing is.

    :raises Unreadable: when it cannot be looked at.
    """
    begin = disk.read(0, 4096)
    if len(begin) == 4096:
        for look in _PROBES:
            found = look(disk, begin)
            if found:
                return found
    return OTHER if begin.strip(b'\0') else None


def _ext(disk: disks.Disk, begin: bytes) -> Found | None:
    """ext2, 3 and 4 (Linux, Documentation/filesystems/ext4)."""
    block = begin[1024:2048]
    if block[0x38:0x3a] != b'\x53\xef':
        return None
    (state,) = struct.unpack('<H', block[0x3a:0x3c])
    compatible, incompatible = struct.unpack('<II', block[0x5c:0x64])
    has_journal, needs_recovery = compatible & 0x4, incompatible & 0x4
    if state & 0x2:
        return Found('ext4', State.ERRORS)
    if needs_recovery:
        return Found('ext4', State.REPLAY)
    if not state & 0x1:
        return Found('ext4', State.REPLAY if has_journal else State.DIRTY)
    return Found('ext4', State.CLEAN)


#: NTFS: the record of the volume, and its attribute that tells of it.
_VOLUME_RECORD, _VOLUME_INFORMATION, _END = 3, 0x70, 0xffffffff


def _ntfs(disk: disks.Disk, begin: bytes) -> Found | None:
    """NTFS notes in the record of the volume that it wants a check.

    Whether it was closed in order is told by its log alone.
    """
    if begin[3:11] != b'NTFS    ':
        return None
    unknown = Found('ntfs', State.UNKNOWN)
    sector, per_cluster = struct.unpack('<HB', begin[0x0b:0x0e])
    (table,) = struct.unpack('<Q', begin[0x30:0x38])
    (per_record,) = struct.unpack('<b', begin[0x40:0x41])
    if sector not in (512, 1024, 2048, 4096) or not per_cluster:
        return unknown
    cluster = sector * (per_cluster if per_cluster <= 0x80
                        else 1 << min(256 - per_cluster, 21))
    size = per_record * cluster if per_record > 0 else 1 << min(
        -per_record, 16)
    if not 512 <= size <= 65536 or table > 1 << 40:
        return unknown
    record = disk.read(table * cluster + _VOLUME_RECORD * size, size)
    flags = _volume_flags(record)
    return Found('ntfs', State.DIRTY) if flags and flags & 0x1 else unknown


def _volume_flags(record: bytes) -> int | None:
    """The flags in a record of a volume; None where there are none."""
    if len(record) < 512 or record[:4] != b'FILE':
        return None
    (at,) = struct.unpack('<H', record[0x14:0x16])
    # An attribute that lies across a sector's end would have two bytes of it
    # elsewhere; that of a volume is short and comes early.
    while at + 24 <= len(record):
        kind, length = struct.unpack('<II', record[at:at + 8])
        if kind == _END or not 24 <= length <= len(record) - at:
            return None
        if kind == _VOLUME_INFORMATION and not record[at + 8]:
            (place,) = struct.unpack('<H', record[at + 20:at + 22])
            value = record[at + place:at + min(length, place + 12)]
            return (int(struct.unpack('<H', value[10:12])[0])
                    if len(value) == 12 else None)
        at += length
    return None


#: XFS: a version of its superblock, and that it wants a check.
_XFS_5, _NEEDS_REPAIR = 5, 0x10


def _xfs(disk: disks.Disk, begin: bytes) -> Found | None:
    """XFS tells by its log, and since version 5 whether it wants a check."""
    if begin[:4] != b'XFSB':
        return None
    version, = struct.unpack('>H', begin[0x64:0x66])
    features, = struct.unpack('>I', begin[0xd8:0xdc])
    if version & 0xf == _XFS_5 and features & _NEEDS_REPAIR:
        return Found('xfs', State.DIRTY)
    try:
        ring = xfs.log(disk, begin[:512])
        closed = None if ring is None else xfs.is_closed(ring)
    except disks.Unreadable:  # a store that gives no part of an image
        closed = None
    return Found('xfs', State.UNKNOWN if closed is None
                 else State.CLEAN if closed else State.REPLAY)


def _by_magic(kind: str, offset: int, magic: bytes
              ) -> Callable[[disks.Disk, bytes], Found | None]:
    """A probe for what is told by its first bytes alone."""
    def look(disk: disks.Disk, begin: bytes) -> Found | None:
        there = (begin[offset:offset + len(magic)]
                 if offset + len(magic) <= len(begin)
                 else disk.read(offset, len(magic)))
        return Found(kind, State.UNKNOWN) if there == magic else None
    return look


_PROBES = (
    _by_magic('luks', 0, b'LUKS\xba\xbe'),
    *(_by_magic('lvm', 512 * sector, b'LABELONE') for sector in range(4)),
    _ext, _ntfs, _xfs,
    _by_magic('btrfs', 0x10040, b'_BHRfS_M'),
    _by_magic('swap', 4086, b'SWAPSPACE2'),
    _by_magic('fat', 0x52, b'FAT32'),
    _by_magic('fat', 0x36, b'FAT1'),
)
