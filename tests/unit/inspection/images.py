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

"""Disks that are made byte by byte."""

import struct
import zlib

SECTOR = 512


def ext(state=1, incompatible=0x40, compatible=0x4, size=70000):
    """A disk with the superblock of an ext4."""
    block = bytearray(1024)
    block[0x38:0x3a] = b'\x53\xef'
    struct.pack_into('<H', block, 0x3a, state)
    struct.pack_into('<II', block, 0x5c, compatible, incompatible)
    return (bytes(1024) + bytes(block)).ljust(size, b'\0')


def ntfs(flags=0, size=70000):
    """A disk with an NTFS: its boot sector, and the record of the volume."""
    boot = bytearray(512)
    boot[3:11] = b'NTFS    '
    struct.pack_into('<HB', boot, 0x0b, 512, 8)
    struct.pack_into('<Q', boot, 0x30, 4)
    struct.pack_into('<b', boot, 0x40, -10)
    record = bytearray(1024)
    record[:4] = b'FILE'
    struct.pack_into('<H', record, 0x14, 0x38)
    # An attribute before that of the volume, and the end.
    struct.pack_into('<II', record, 0x38, 0x10, 0x48)
    at = 0x38 + 0x48
    struct.pack_into('<IIB', record, at, 0x70, 0x28, 0)
    struct.pack_into('<H', record, at + 20, 0x18)
    struct.pack_into('<H', record, at + 0x18 + 10, flags)
    struct.pack_into('<I', record, at + 0x28, 0xffffffff)
    disk = bytearray(size)
    disk[:512] = boot
    place = 4 * 4096 + 3 * 1024
    disk[place:place + 1024] = record
    return bytes(disk)


def xfs(records, blocks=2048, start=64, version=5, features=0, round_=1):
    """A disk with an XFS, and these records in its log.

    :param records: each is whether it is that of an unmount.
    :param round_: in which they were written; behind them are those of the
        round before.
    """
    log, at = bytearray(blocks * SECTOR), 0
    for unmount in records:
        header = bytearray(SECTOR)
        header[:4] = b'\xfe\xed\xba\xbe'
        length = SECTOR if unmount else 3 * SECTOR
        struct.pack_into('>III', header, 4, round_, 2, length)
        struct.pack_into('>I', header, 0x28, 1 if unmount else 9)
        struct.pack_into('>I', header, 0x140, 32768)
        body = bytearray(length)
        for place in range(0, length, SECTOR):
            struct.pack_into('>I', body, place, round_)
        body[9] = 0x20 if unmount else 0
        for place, piece in ((at, header), (at + SECTOR, body)):
            for byte, value in enumerate(piece):
                log[(place + byte) % len(log)] = value
        at += SECTOR + length
    for place in range(at, len(log), SECTOR):
        struct.pack_into('>I', log, place, round_ - 1)
    disk = bytearray(4096 * start)
    disk[:4] = b'XFSB'
    struct.pack_into('>I', disk, 4, 4096)
    # The log is in the second of two groups of 32 blocks.
    struct.pack_into('>Q', disk, 0x30, start - 32 + 64)
    struct.pack_into('>I', disk, 0x54, 32)
    struct.pack_into('>I', disk, 0x60, blocks * SECTOR // 4096)
    struct.pack_into('>H', disk, 0x64, version)
    disk[0x7c] = 6
    struct.pack_into('>I', disk, 0xd8, features)
    return bytes(disk + log)


def with_old_table(*parts):
    """A disk with an old table, and these on partitions."""
    disk, table = bytearray(SECTOR), []
    disk[510:512] = b'\x55\xaa'
    for part in parts:
        start = len(disk) // SECTOR
        disk += part.ljust(-(-len(part) // SECTOR) * SECTOR, b'\0')
        table.append(struct.pack('<B3xB3xII', 0, 0x83, start,
                                 len(part) // SECTOR))
    disk[446:446 + 16 * len(table)] = b''.join(table)
    return bytes(disk)


def with_gpt(*parts):
    """A disk with a GPT, and these on partitions."""
    body, entries, start = b'', b'', 34
    for part in parts:
        count = -(-len(part) // SECTOR)
        entries += b'\x01' * 32 + struct.pack(
            '<QQ', start, start + count - 1) + bytes(80)
        body += part.ljust(count * SECTOR, b'\0')
        start += count
    header = bytearray(92)
    header[:8] = b'EFI PART'
    struct.pack_into('<I', header, 12, 92)
    struct.pack_into('<QIII', header, 72, 2, 128, 128, zlib.crc32(entries))
    struct.pack_into('<I', header, 16, zlib.crc32(bytes(header)))
    old = bytearray(SECTOR)
    old[510:512] = b'\x55\xaa'
    struct.pack_into('<B3xB3xII', old, 446, 0, 0xee, 1, 0xffffffff)
    return (bytes(old) + bytes(header).ljust(SECTOR, b'\0')
            + entries.ljust(32 * SECTOR, b'\0') + body)


def qcow2(disk, bits=16, entry_flags=0, **header):
    """The same disk in QEMU's format; clusters of zeroes are left out."""
    cluster = 1 << bits
    count = -(-len(disk) // cluster)
    parts = [disk[at:at + cluster].ljust(cluster, b'\0')
             for at in range(0, count * cluster, cluster)]
    first, second = cluster, 2 * cluster
    entries, data = [], b''
    for part in parts:
        entries.append((3 * cluster + len(data)) | entry_flags
                       if part.strip(b'\0') else 0)
        data += part if part.strip(b'\0') else b''
    named = {'version': 3, 'backing': 0, 'crypt': 0, 'features': 0, **header}
    begin = (b'QFI\xfb' + struct.pack(
        '>IQIIQIIQ', named['version'], named['backing'], 0, bits, len(disk),
        named['crypt'], 1, first)).ljust(72, b'\0') + struct.pack(
            '>Q', named['features'])
    return (begin.ljust(cluster, b'\0')
            + struct.pack('>Q', second).ljust(cluster, b'\0')
            + struct.pack(f'>{count}Q', *entries).ljust(cluster, b'\0')
            + data)
