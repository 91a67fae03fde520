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

"""What the bytes of a snapshot say, taken apart without its cloud."""

import dataclasses
import hashlib
import pathlib
import subprocess
import tempfile

from tests.cloud import site
from tests.hypervisor import guests

#: What e2fsck's exit code says: nothing was wrong; it was, and is no more.
_CLEAN, _MENDED = 0, (0, 1)


@dataclasses.dataclass(frozen=True)
class Verdict:
    """A file system as it was captured.

    :ivar replays: whether its journal is to be replayed, as after a power
        failure.
    :ivar clean: whether nothing is wrong with it as it is.
    :ivar sound: whether nothing is wrong with it after that replay.
    :ivar last: the number of the last record up to which none is broken and
        none is missing, after that replay; 0 for none.
    :ivar mark: whether what stood on the ephemeral disk alone is in it.
    """

    replays: bool
    clean: bool
    sound: bool
    last: int
    mark: bool


def image(where: site.Site, image_id: str) -> Verdict:
    """Of the root disk in an image of Glance's file store."""
    with tempfile.TemporaryDirectory() as folder:
        raw = pathlib.Path(folder) / 'raw'
        _run('qemu-img', 'convert', '-O', 'raw',
             where.state / 'images' / image_id, raw)
        return _judge(raw)


def volume_snapshot(where: site.Site, snapshot_id: str) -> Verdict:
    """Of a volume in Cinder's files."""
    with tempfile.TemporaryDirectory() as folder:
        raw = pathlib.Path(folder) / 'raw'
        _run('cp', '--sparse=always',
             where.state / 'cinder' / 'volumes' / snapshot_id, raw)
        return _judge(raw)


def _judge(raw: pathlib.Path) -> Verdict:
    header = _run('dumpe2fs', '-h', raw).decode()
    replays = 'needs_recovery' in header
    clean = not replays and _check('-fn', raw) == _CLEAN
    mark = guests.EPHEMERAL_MARK in raw.read_bytes()
    # On the copy; what a kernel does when it mounts it.
    _run('e2fsck', '-p', raw, good=_MENDED)
    sound = _check('-fn', raw) == _CLEAN
    written = raw.with_name('records')
    _run('debugfs', '-R', f'dump /records {written}', raw)
    return Verdict(replays, clean, sound, _last(written.read_bytes()), mark)


def _last(content: bytes) -> int:
    """The last record before the first that is broken or missing.

    A disk that came later has records from then on.
    """
    last = None
    for line in content.decode(errors='replace').splitlines():
        number, _, digest = line.partition(' ')
        expected = hashlib.md5(f'{number} of this guest\n'.encode(),
                               usedforsecurity=False)
        if digest != expected.hexdigest() or (
                last is not None and int(number) != last + 1):
            break
        last = int(number)
    return last or 0


def _check(*arguments: object) -> int:
    return subprocess.run(['e2fsck', *map(str, arguments)],
                          capture_output=True,
                          stdin=subprocess.DEVNULL).returncode


def _run(*command: object, good: tuple[int, ...] = (0,)) -> bytes:
    done = subprocess.run([*map(str, command)], capture_output=True,
                          stdin=subprocess.DEVNULL)
    assert done.returncode in good, (command, done.stderr[-500:])
    return done.stdout
