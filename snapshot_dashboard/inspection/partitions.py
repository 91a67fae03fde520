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
import uuid
import zlib

from snapshot_dashboard.inspection import disks

_SECTOR = 512
#: Partitions that are looked at.
MOST = 32
#: Entries of a GPT that are read: as many as one usually has.
_ENTRIES = 128
#: Types of partitions of a GPT that hold no file system: of BIOS boot code,
#: reserved by Microsoft, and of boot code for POWER.
_WITHOUT = tuple(uuid.UUID(text).bytes_le for text in (
    '21686148-6449-6e6f-744e-656564454649',
    'e3c9e316-0b5c-4db8-817d-f92df00215ae',
    '9e1a2d38-c612-4316-aa26-8b49521e5a8b'))
#: Types in an old table that are no partitions: none, and one for another.
_NONE, _GPT = 0, 0xee
_EXTENDED = (0x05, 0x0f, 0x85)


def find(disk: disks.Disk) -> tuple[list[disks.Disk], bool]:
    """The partitions; the whole disk where there is no table.

    :returns: those that can hold a file system, and whether these are all:
        logical partitions of an old table are not looked for.
    :raises Unreadable: when it cannot be looked at.
    """
    begin = disk.read(0, 2 * _SECTOR)
    if len(begin) < 2 * _SECTOR or begin[510:512] != b'\x55\xaa':
        return [disk], True
    old = [entry for entry in (
        struct.unpack('<B3xB3xII', begin[at:at + 16])
        for at in range(446, 510, 16)) if entry[1] != _NONE]
    if any(kind == _GPT for _, kind, _, _ in old):
        found, whole = _of_gpt(disk, begin[_SECTOR:])
    else:
        found = [(start * _SECTOR, count * _SECTOR)
                 for flag, kind, start, count in old
                 if kind not in _EXTENDED and flag in (0, 0x80)]
        whole = len(found) == len(old)
        # A boot sector of a file system ends like a table, and holds none.
        if not any(0 < start < disk.size for start, _ in found):
            return [disk], True
    parts: list[disks.Disk] = [
        disks.Part(disk, start, length) for start, length in found[:MOST]
        if 0 < start < disk.size and length > 0]
    return parts, whole and len(parts) == len(found)


def _of_gpt(disk: disks.Disk,
            header: bytes) -> tuple[list[tuple[int, int]], bool]:
    """Where the partitions of a GPT lie (UEFI specification, 5.3).

    :returns: those that can hold a file system, and whether these are all.
    """
    if header[:8] != b'EFI PART':
        return [], False
    length, checksum = struct.unpack('<II', header[12:20])
    place, count, entry, _ = struct.unpack('<QIII', header[72:92])
    if not 92 <= length <= len(header) or not 128 <= entry <= 1024:
        return [], False
    if zlib.crc32(header[:16] + bytes(4) + header[20:length]) != checksum:
        return [], False
    table = disk.read(place * _SECTOR, min(count, _ENTRIES) * entry)
    found = []
    for at in range(0, len(table) - 47, entry):
        if table[at:at + 16] not in (bytes(16), *_WITHOUT):
            first, last = struct.unpack('<QQ', table[at + 32:at + 48])
            found.append((first * _SECTOR, (last - first + 1) * _SECTOR))
    return found, count <= _ENTRIES and len(table) == count * entry
