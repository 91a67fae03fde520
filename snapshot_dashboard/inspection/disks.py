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

"""A disk that is read in pieces, and no more of it than is allowed."""

from collections.abc import Callable
import struct
import time
from typing import Protocol

#: The most that is read of one snapshot, in bytes.
MOST = 8 * 1024 ** 2
#: Seconds that it may take: somebody waits for the page.
_PATIENCE = 20
#: Pieces of this size are fetched, and kept: what is looked at lies together.
_PIECE = 64 * 1024


class Unreadable(Exception):
    """It cannot be looked at: the reason is a sentence for the log."""


class Disk(Protocol):
    """Something that has bytes at places.

    :ivar size: in bytes.
    """

    size: int

    def read(self, offset: int, length: int) -> bytes:
        """Some bytes; fewer where the disk ends.

        :raises Unreadable: when they cannot be had.
        """


class File:
    """A file that is fetched piece by piece, up to a bound.

    :param fetch: gives bytes from an offset on, so many, from wherever the
        file lies, or raises ``Unreadable``.
    :ivar fetched: how many bytes were fetched.
    """

    def __init__(self, fetch: Callable[[int, int], bytes], size: int) -> None:
        self._fetch, self.size = fetch, size
        self._pieces: dict[int, bytes] = {}
        self._end = time.monotonic() + _PATIENCE
        self.fetched = 0

    def read(self, offset: int, length: int) -> bytes:
        if offset < 0 or length < 0:
            raise Unreadable(f'{length} bytes at {offset} are asked for')
        end = min(offset + length, self.size)
        found = b''.join(self._piece(number) for number in range(
            offset // _PIECE, -(-end // _PIECE)))
        start = offset % _PIECE
        return found[start:start + max(0, end - offset)]

    def _piece(self, number: int) -> bytes:
        if number not in self._pieces:
            if self.fetched + _PIECE > MOST:
                raise Unreadable(f'more than {MOST} bytes would be read')
            if time.monotonic() > self._end:
                raise Unreadable(f'it takes longer than {_PATIENCE} s')
            offset = number * _PIECE
            length = min(_PIECE, self.size - offset)
            piece = self._fetch(offset, length)
            if len(piece) < length:
                raise Unreadable(f'{len(piece)} of {length} bytes came')
            self.fetched += length
            self._pieces[number] = piece
        return self._pieces[number]


class Part:
    """A part of a disk, as a partition."""

    def __init__(self, disk: Disk, start: int, size: int) -> None:
        self._disk, self._start, self.size = disk, start, size

    def read(self, offset: int, length: int) -> bytes:
        return self._disk.read(self._start + offset,
                               max(0, min(length, self.size - offset)))


#: The magic of QEMU's format (docs/interop/qcow2.txt), and bits of it.
_QCOW2 = b'QFI\xfb'
_OFFSET = 0x00fffffffffffe00
_COMPRESSED = 1 << 62
_ZEROES = 1
#: Features without which nothing is known of the file: an external data
#: file, or compression of another kind, or extended L2 entries.
_KNOWN_FEATURES = 0b11


class Qcow2:
    """The disk in a file of QEMU's format, without a backing file."""

    def __init__(self, file: Disk) -> None:
        self._file = file
        header = file.read(0, 104)
        if len(header) < 72 or header[:4] != _QCOW2:
            raise Unreadable('it is no qcow2 file')
        version, backing, _, bits, self.size, crypt, count, place = (
            struct.unpack('>IQIIQIIQ', header[4:48]))
        features = (struct.unpack('>Q', header[72:80])[0]
                    if version >= 3 and len(header) >= 80 else 0)
        if version not in (2, 3) or not 9 <= bits <= 21:
            raise Unreadable('its header makes no sense')
        if backing or crypt or features & ~_KNOWN_FEATURES:
            raise Unreadable('it has a backing file, or features that are '
                             'not known here')
        self._cluster = 1 << bits
        self._table, self._count = place, count
        self._entries = self._cluster // 8

    def read(self, offset: int, length: int) -> bytes:
        end = min(offset + length, self.size)
        found = []
        while offset < end:
            within = offset % self._cluster
            some = min(self._cluster - within, end - offset)
            place = self._place(offset // self._cluster)
            found.append(bytes(some) if place is None
                         else self._file.read(place + within, some))
            offset += some
        return b''.join(found)

    def _place(self, cluster: int) -> int | None:
        """Where a cluster lies in the file; None for zeroes."""
        first, second = divmod(cluster, self._entries)
        if first >= self._count:
            raise Unreadable('its table is too short')
        table = self._entry(self._table + first * 8) & _OFFSET
        if not table:
            return None
        entry = self._entry(table + second * 8)
        if entry & _COMPRESSED:
            raise Unreadable('it is compressed')
        if entry & _ZEROES or not entry & _OFFSET:
            return None
        return entry & _OFFSET

    def _entry(self, place: int) -> int:
        found = self._file.read(place, 8)
        if len(found) < 8:
            raise Unreadable('a table lies beyond its end')
        return int(struct.unpack('>Q', found)[0])


def opened(file: Disk, disk_format: str) -> Disk:
    """The disk in an image's file.

    :param disk_format: as Glance calls it: ``raw`` or ``qcow2``.
    :raises Unreadable: for any other, and for one that makes no sense.
    """
    if disk_format == 'raw':
        return file
    if disk_format == 'qcow2':
        return Qcow2(file)
    raise Unreadable(f'the format {disk_format!r} is not read')
