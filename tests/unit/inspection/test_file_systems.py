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

"""What file systems say of themselves is read, and nothing else of them."""

import struct
import time
import uuid

from hypothesis import given
from hypothesis import strategies as st
import pytest

from snapshot_dashboard.inspection import disks
from snapshot_dashboard.inspection import file_systems
from snapshot_dashboard.inspection import partitions
from tests.unit.inspection import images

CLEAN, REPLAY, ERRORS, DIRTY, UNKNOWN = (
    file_systems.State.CLEAN, file_systems.State.REPLAY,
    file_systems.State.ERRORS, file_systems.State.DIRTY,
    file_systems.State.UNKNOWN)


def file(content):
    return disks.File(lambda offset, length: content[offset:offset + length],
                      len(content))


def look(disk):
    parts, whole = partitions.find(disk)
    return [found for part in parts
            if (found := file_systems.probe(part))] + (
                [] if whole else [file_systems.OTHER])


@pytest.mark.parametrize(('content', 'kind', 'state'), [
    (images.ext(), 'ext4', CLEAN),
    (images.ext(incompatible=0x44), 'ext4', REPLAY),
    (images.ext(state=0), 'ext4', REPLAY),
    (images.ext(state=0, compatible=0), 'ext4', DIRTY),
    (images.ext(state=3), 'ext4', ERRORS),
    (images.ext(state=3, incompatible=0x44), 'ext4', ERRORS),
    (images.ntfs(), 'ntfs', UNKNOWN),
    (images.ntfs(flags=1), 'ntfs', DIRTY),
    (images.xfs([True]), 'xfs', CLEAN),  # as it is made
    (images.xfs([True, False, False]), 'xfs', REPLAY),
    (images.xfs([True, False, True]), 'xfs', CLEAN),
    (images.xfs([True, False, True], round_=7), 'xfs', CLEAN),
    (images.xfs([False] * 300, round_=7), 'xfs', REPLAY),
    # A round that was just finished, and one that a record goes beyond.
    (images.xfs([False] * 511 + [True, True]), 'xfs', CLEAN),
    (images.xfs([False] * 512), 'xfs', REPLAY),
    (images.xfs([True], features=0x10), 'xfs', DIRTY),
    (images.xfs([True], features=0x10, version=4), 'xfs', CLEAN),
    (images.xfs([]), 'xfs', UNKNOWN),
    (images.xfs([True])[:-4096], 'xfs', UNKNOWN),  # it is cut off
    (b'XFSB'.ljust(70000, b'\0'), 'xfs', UNKNOWN),
    (b'LUKS\xba\xbe'.ljust(70000, b'\0'), 'luks', UNKNOWN),
    ((bytes(512) + b'LABELONE').ljust(70000, b'\0'), 'lvm', UNKNOWN),
    ((bytes(0x10040) + b'_BHRfS_M').ljust(70000, b'\0'), 'btrfs', UNKNOWN),
    ((bytes(4086) + b'SWAPSPACE2').ljust(70000, b'\0'), 'swap', UNKNOWN)])
def test_how_each_file_system_stands_is_what_it_notes(content, kind, state):
    (found,) = look(file(content))
    assert (found.kind, found.state) == (kind, state)


@pytest.mark.parametrize(('place', 'value'), [
    (0x28, 2),  # operations beside that of the unmount
    (0x0c, 1024)])  # more of the record than was written
def test_an_xfs_is_closed_by_the_record_of_an_unmount_alone(place, value):
    content = bytearray(images.xfs([False, True]))
    record = content.rindex(b'\xfe\xed\xba\xbe')
    struct.pack_into('>I', content, record + place, value)
    (found,) = look(file(bytes(content)))
    assert found.state is REPLAY


def test_what_nobody_knows_is_called_so_and_what_is_blank_is_nothing():
    assert look(file(b'\x17' * 70000)) == [file_systems.OTHER]
    assert look(file(b'\xef')) == [file_systems.OTHER]
    assert look(file(b'')) == [] == look(file(bytes(70000)))


@pytest.mark.parametrize('table', [images.with_old_table, images.with_gpt])
def test_each_partition_is_looked_at(table):
    found = look(file(table(images.ntfs(), b'\1' * 5000, bytes(5000),
                            images.ext())))
    assert [one.kind for one in found] == ['ntfs', 'other', 'ext4']


def test_boot_code_in_a_partition_is_no_file_system():
    content = bytearray(images.with_gpt(b'\1' * 5000, images.ext()))
    content[1024:1040] = uuid.UUID(
        '21686148-6449-6e6f-744e-656564454649').bytes_le
    assert [one.kind for one in look(file(bytes(content)))] == ['ext4']


def test_logical_partitions_are_known_to_be_left_out():
    content = bytearray(images.with_old_table(images.ext(), bytes(5000)))
    content[446 + 16 + 4] = 0x05
    assert [one.kind for one in look(file(bytes(content)))] == [
        'ext4', 'other']


def test_a_table_that_was_tampered_with_is_none():
    content = bytearray(images.with_gpt(images.ext()))
    content[512 + 80] ^= 1
    assert look(file(bytes(content))) == [file_systems.OTHER]


@pytest.mark.parametrize('bits', [9, 12, 16])
def test_a_disk_in_qemus_format_is_the_same_disk(bits):
    content = images.ext(size=30000)
    disk = disks.opened(file(images.qcow2(content, bits)), 'qcow2')
    assert disk.size == len(content)
    assert disk.read(0, 40000) == content
    assert disk.read(1023, 3) == content[1023:1026]


@pytest.mark.parametrize('wrong', [
    {'backing': 8}, {'crypt': 1}, {'features': 4}, {'version': 9},
    {'entry_flags': 1 << 62}])
def test_what_is_not_known_of_that_format_is_not_guessed(wrong):
    with pytest.raises(disks.Unreadable):
        disks.opened(file(images.qcow2(images.ext(), **wrong)),
                     'qcow2').read(0, 4096)


def test_other_formats_are_not_read():
    with pytest.raises(disks.Unreadable):
        disks.opened(file(images.ext()), 'vmdk')


def test_no_more_is_read_than_is_allowed():
    disk = disks.File(lambda offset, length: bytes(length), 1 << 50)
    disk.read(0, disks.MOST - 1)
    with pytest.raises(disks.Unreadable):
        disk.read(disks.MOST, 1)
    assert disk.fetched <= disks.MOST


def test_who_waits_for_it_waits_no_longer_than_a_page_may_take(monkeypatch):
    disk = disks.File(lambda offset, length: bytes(length), 1 << 50)
    now = time.monotonic()
    monkeypatch.setattr(time, 'monotonic', lambda: now + 60)
    with pytest.raises(disks.Unreadable):
        disk.read(0, 10)


def test_what_comes_short_is_told():
    disk = disks.File(lambda offset, length: b'x', 5000)
    with pytest.raises(disks.Unreadable):
        disk.read(0, 10)


_SEEDS = [images.ext(size=9000), images.ntfs(size=30000),
          images.with_gpt(images.ext(size=9000), images.ntfs(size=30000)),
          images.with_old_table(images.ext(size=9000)),
          images.qcow2(images.with_gpt(images.ext(size=9000)), 12),
          images.qcow2(images.ntfs(size=30000), 9),
          images.xfs([True, False, True], blocks=1056, start=40),
          images.with_old_table(images.xfs([False], blocks=1056, start=40))]


@given(st.sampled_from(_SEEDS), st.sampled_from(['raw', 'qcow2']),
       st.lists(st.tuples(st.integers(0, 2 ** 15), st.binary(
           min_size=1, max_size=9)), max_size=6),
       st.integers(0, 40000))
def test_whatever_is_in_an_image_it_is_read_within_bounds_or_not(
        seed, disk_format, changes, end):
    content = bytearray(seed)
    for place, new in changes:
        content[place:place + len(new)] = new
    disk = file(bytes(content[:end]) if end < 30000 else bytes(content))
    try:
        found = look(disks.opened(disk, disk_format))
    except disks.Unreadable:
        found = []
    assert len(found) <= partitions.MOST + 1
    assert disk.fetched <= disks.MOST
