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

"""What is found of an XFS is what its own tools find, and what happened.

The kernel of this machine makes the file systems: no guest is needed.
"""

import contextlib
import os
import subprocess

import pytest

from snapshot_dashboard.inspection import disks
from snapshot_dashboard.inspection import file_systems
from tests.cloud import machine

#: Files that are made, and removed, between two looks.
_FILES = 300
_ROUNDS = 4


def _run(*command: object) -> str:
    return subprocess.run([*map(str, command)], check=True, text=True,
                          stdin=subprocess.DEVNULL,
                          capture_output=True).stdout


@pytest.fixture(scope='module')
def mounted(tmp_path_factory):
    """Mounts an XFS from a file, for the length of a block."""
    lacking = machine.get_ready_for_guests()
    if lacking:
        pytest.skip(f'No file system can be mounted here: {lacking}.')
    folder = tmp_path_factory.mktemp('xfs')
    image, place = folder / 'image', folder / 'place'
    place.mkdir()
    with open(image, 'wb') as file:
        file.truncate(320 * 1024 ** 2)
    _run('mkfs.xfs', '-q', image)

    @contextlib.contextmanager
    def mount():
        try:
            _run('mount', '-t', 'xfs', '-o', 'loop', image, place)
        except subprocess.CalledProcessError as error:
            pytest.skip(f'This machine mounts no XFS: {error.stderr.strip()}')
        try:
            yield place
        finally:
            _run('umount', place)
    return image, mount


def _state(image) -> file_systems.State:
    """What is found; its own tools must say the same."""
    with open(image, 'rb') as file:
        found = file_systems.probe(disks.File(
            lambda offset, length: os.pread(file.fileno(), length, offset),
            image.stat().st_size))
    clean = '<CLEAN>' in _run('xfs_logprint', '-t', image)
    assert (found.state is file_systems.State.CLEAN) is clean
    return found.state


def _write(place) -> None:
    for number in range(_FILES):
        (place / str(number)).write_bytes(os.urandom(1000))
    os.sync()
    for number in range(0, _FILES, 2):
        (place / str(number)).unlink()
    os.sync()


def test_an_xfs_is_closed_when_it_was_unmounted_and_not_before(mounted):
    image, mount = mounted
    assert _state(image) is file_systems.State.CLEAN  # as it was made
    for _ in range(_ROUNDS):
        copy = image.with_name('copy')
        with mount() as place:
            _write(place)
            _run('cp', '--sparse=always', image, copy)
            assert _state(copy) is file_systems.State.REPLAY
            # What an agent froze is to be replayed all the same.
            _run('fsfreeze', '--freeze', place)
            _run('cp', '--sparse=always', image, copy)
            _run('fsfreeze', '--unfreeze', place)
            assert _state(copy) is file_systems.State.REPLAY
        assert _state(image) is file_systems.State.CLEAN
