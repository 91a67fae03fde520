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

"""The partitions of a disk."""

import struct
import zlib

from snapshot_dashboard.inspection import disks

_SECTOR = 512
#: Partitions that are looked at.
MOST = 32
#: Types in an old table that are no partitions: none, and one for another.
_NONE, _GPT = 0, 0xee
_EXTENDED = (0x05, 0x0f, 0x85)


def find(disk: disks.Disk) -> list[disks.Disk]:
    """The partitions; the whole disk where there is no table.

    Logical partitions of an old table are left out.

    :raises Unreadable: when it cannot be looked at.
    """
    begin = disk.read(0, 2 * _SECTOR)
    if len(begin) < 2 * _SECTOR or begin[510:512] != b'\x55\xaa':
        return [disk]
    old = [struct.unpack('<B3xB3xII', begin[at:at + 16])
           for at in range(446, 510, 16)]
    if any(kind == _GPT for _, kind, _, _ in old):
        found = _of_gpt(disk, begin[_SECTOR:])
    else:
        found = [(start * _SECTOR, count * _SECTOR)
                 for flag, kind, start, count in old
                 if kind not in (_NONE, *_EXTENDED) and flag in (0, 0x80)]
    parts: list[disks.Disk] = [
        disks.Part(disk, start, length) for start, length in found[:MOST]
        if 0 < start < disk.size and length > 0]
    # A boot sector of a file system ends like a table, and holds none.
    return parts or [disk]


def _of_gpt(disk: disks.Disk, header: bytes) -> list[tuple[int, int]]:
    """Where the partitions of a GPT lie (UEFI specification, 5.3)."""
    if len(header) < 92 or header[:8] != b'EFI PART':
        return []
    length, checksum = struct.unpack('<II', header[12:20])
    place, count, entry, _ = struct.unpack('<QIII', header[72:92])
    if not 92 <= length <= len(header) or not 128 <= entry <= 1024:
        return []
    if zlib.crc32(header[:16] + bytes(4) + header[20:length]) != checksum:
        return []
    table = disk.read(place * _SECTOR, min(count, MOST) * entry)
    found = []
    for at in range(0, len(table) - 47, entry):
        if table[at:at + 16] != bytes(16):
            first, last = struct.unpack('<QQ', table[at + 32:at + 48])
            found.append((first * _SECTOR, (last - first + 1) * _SECTOR))
    return found
