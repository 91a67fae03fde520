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

"""Whether an XFS was closed in order: its log says it.

The log is a ring of records, in blocks of 512 bytes. Each begins with the
number of the round in which it was written, so that where that number falls
is the end of what was written last. If that is a record of an unmount, there
is nothing to be replayed (XFS Algorithms & Data Structures, Journaling Log).
"""

import dataclasses
import struct

from snapshot_dashboard.inspection import disks

_BLOCK = 512
_MAGIC = b'\xfe\xed\xba\xbe'
#: The longest record, with its headers, in blocks.
_LONGEST = (256 * 1024 + 8 * _BLOCK) // _BLOCK
#: A header tells the rounds of so many bytes; longer ones have more headers.
_PER_HEADER = 32 * 1024
#: In a version; in the flags of an operation.
_LOG_2, _UNMOUNT = 2, 0x20
#: The largest log that there may be: 2 GiB.
_MOST_BLOCKS = 2 * 1024 ** 3 // _BLOCK


@dataclasses.dataclass(frozen=True)
class Log:
    """The log of a file system.

    :ivar start: where it is on the disk, in bytes.
    :ivar blocks: how many blocks of 512 bytes it has.
    """

    disk: disks.Disk
    start: int
    blocks: int

    def read(self, block: int, count: int) -> bytes:
        """So many blocks, around the end of the ring.

        :raises Unreadable: when they cannot be had.
        """
        found = b''
        while count:
            block %= self.blocks
            some = min(count, self.blocks - block)
            found += self.disk.read(self.start + block * _BLOCK,
                                    some * _BLOCK)
            block, count = block + some, count - some
        return found

    def round(self, block: int) -> int:
        """The number of the round in which a block was written; 0 for none.

        :raises Unreadable: when it cannot be had.
        """
        begin = self.read(block, 1)[:8]
        if len(begin) < 8:
            raise disks.Unreadable('the log is longer than the disk')
        first, second = struct.unpack('>II', begin)
        return int(second if begin[:4] == _MAGIC else first)


def log(disk: disks.Disk, superblock: bytes) -> Log | None:
    """The log that is on the same disk; None where there is no such one.

    :param superblock: the first 512 bytes.
    """
    block, = struct.unpack('>I', superblock[4:8])
    start, = struct.unpack('>Q', superblock[0x30:0x38])
    group_blocks, = struct.unpack('>I', superblock[0x54:0x58])
    count, = struct.unpack('>I', superblock[0x60:0x64])
    group_bits = superblock[0x7c]
    if block not in (512 << bits for bits in range(8)) or not start or (
            group_bits > 32):
        return None
    group, within = divmod(start, 1 << group_bits)
    place = (group * group_blocks + within) * block
    blocks = count * block // _BLOCK
    if not 2 * _LONGEST <= blocks <= _MOST_BLOCKS or (
            place + blocks * _BLOCK > disk.size):
        return None
    return Log(disk, place, blocks)


def is_closed(ring: Log) -> bool | None:
    """Whether the last record is that of an unmount; None for no record.

    :raises Unreadable: when it cannot be looked at.
    """
    end = _end(ring)
    window = ring.read(end - _LONGEST, _LONGEST)
    for back in range(1, _LONGEST + 1):
        at = len(window) - back * _BLOCK
        if window[at:at + 4] == _MAGIC:
            return _is_unmount(window[at:])
    return None


def _end(ring: Log) -> int:
    """The block behind the one that was written last."""
    first = ring.round(0)
    if ring.round(ring.blocks - 1) == first:
        return 0  # a round has just been finished
    low, high = 0, ring.blocks - 1  # of the first round, and of another
    while high - low > 1:
        middle = (low + high) // 2
        if ring.round(middle) == first:
            low = middle
        else:
            high = middle
    return high


def _is_unmount(rest: bytes) -> bool:
    """Whether what is left from a record's header on is one of an unmount."""
    version, length = struct.unpack('>II', rest[8:16])
    operations, = struct.unpack('>I', rest[0x28:0x2c])
    size, = struct.unpack('>I', rest[0x140:0x144])
    headers = (max(1, -(-size // _PER_HEADER)) if version & _LOG_2 else 1)
    body = headers * _BLOCK
    ends = body + -(-length // _BLOCK) * _BLOCK == len(rest)
    return ends and operations == 1 and bool(rest[body + 9] & _UNMOUNT)
