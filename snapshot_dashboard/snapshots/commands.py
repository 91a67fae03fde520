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

"""The commands that take a snapshot along to another cloud.

They are for a POSIX shell and the openstack client, and for this snapshot
alone. Names and properties are hostile text, so each is quoted.
"""

import dataclasses
import enum
import re
import shlex

from snapshot_dashboard.cloud import texts
from snapshot_dashboard.snapshots import details
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model

#: Image properties that say how a guest is to be run, which its image must
#: have wherever it is; all others are about the cloud that it came from.
_PORTABLE = re.compile(
    r'architecture|hypervisor_type|vm_mode|(hw|os|img|vmware)_\w+')
_LOCAL = re.compile(r'(os_(glance|hash|hidden)|img_(signature|block))\w*')


class What(enum.Enum):
    """What a command is for."""

    DOWNLOAD = 'download'
    EXPORT = 'export'
    UPLOAD = 'upload'
    VOLUME = 'volume'


@dataclasses.dataclass(frozen=True)
class Command:
    """One command, or some lines of them.

    :ivar elsewhere: whether it is for the other cloud.
    """

    what: What
    text: str
    elsewhere: bool = False


@dataclasses.dataclass(frozen=True)
class Piece:
    """One disk, which is taken along by itself.

    :ivar name: of the snapshot that holds it.
    :ivar boot: whether instances boot from it.
    :ivar encrypted: whether it is of no use elsewhere, so that there are no
        commands; None where that is not known.
    :ivar left_out: the properties that hold what no terminal should get.
    """

    name: str
    device: str
    boot: bool
    commands: tuple[Command, ...]
    encrypted: bool | None = False
    left_out: tuple[str, ...] = ()


def pieces(known: details.Details) -> list[Piece]:
    """Each disk of a snapshot with its commands, the root disk first.

    Empty while the snapshot is not whole.
    """
    snapshot = known.snapshot
    if not snapshot.usable:
        return []
    name = _printable(snapshot.name) or snapshot.id
    if snapshot.kind is kinds.Kind.VOLUME:
        return [_volume_piece(known, snapshot.id, name, 0,
                              snapshot.size_bytes // model.GIB)]
    found = [] if snapshot.volume_backed else [_of_image(known, name)]
    for number, part in enumerate(snapshot.parts, len(found)):
        # There is one to boot from, whatever a hostile mapping says.
        root = part is snapshot.root
        found.append(_volume_piece(
            known, part.id, name, 0 if root else number, part.size_gib,
            part.device, root))
    return found


def accept(image_id: str) -> str:
    """By what a member of another project accepts an image."""
    return _line('openstack', 'image', 'set', '--accept', image_id)


def _of_image(known: details.Details, name: str) -> Piece:
    disk_format = known.disk_format or 'qcow2'
    file = _file(name, 0, disk_format)
    guest, left_out = _guest(known)
    return Piece(name, '', True, (
        Command(What.DOWNLOAD, _line(
            'openstack', 'image', 'save', '--file', file,
            known.snapshot.id)),
        Command(What.UPLOAD, _upload(file, disk_format, name, guest),
                elsewhere=True)), left_out=left_out)


def _volume_piece(known: details.Details, snapshot_id: str, name: str,
                  number: int, size_gib: int, device: str = '',
                  boot: bool = False) -> Piece:
    """A volume snapshot; Cinder's data can be downloaded from Glance alone.

    :param number: tells it from the others of its set; 0 for the one that is
        called like the set.
    """
    called = _numbered(name, number, texts.NAME_LENGTH)
    encrypted = known.encrypted.get(snapshot_id)
    if encrypted:
        return Piece(called, device, boot, (), encrypted)
    file = _file(name, number, 'qcow2')
    export = '\n'.join((
        'volume=$(' + _line(
            'openstack', 'volume', 'create', '--snapshot', snapshot_id,
            '--size', str(size_gib), '--format', 'value', '--column', 'id',
            f'export-{snapshot_id}') + ')',
        _while('creating'),
        'image=$(' + _line(
            'openstack', 'image', 'create', '--volume') + ' "$volume" '
        + _line('--disk-format', 'qcow2', '--container-format', 'bare',
                '--format', 'value', '--column', 'image_id',
                f'export-{snapshot_id}') + ')',
        _while('uploading'),
        _line('openstack', 'image', 'save', '--file', file) + ' "$image"',
        'openstack image delete "$image"',
        'openstack volume delete "$volume"'))
    # What does not boot is to be a volume again.
    guest, left_out = _guest(known) if boot else ([], ())
    found = [Command(What.EXPORT, export), Command(
        What.UPLOAD, _upload(file, 'qcow2', called, guest), elsewhere=True)]
    if not boot:
        found.append(Command(What.VOLUME, _line(
            'openstack', 'volume', 'create', f'--image={called}',
            '--size', str(size_gib), '--', called), elsewhere=True))
    return Piece(called, device, boot, tuple(found), encrypted, left_out)


def _while(status: str) -> str:
    """Wait until the volume is not so any more, whatever it is then."""
    return ('while [ "$(openstack volume show --format value --column status '
            f'"$volume")" = {status} ]; do sleep 2; done')


def _upload(file: str, disk_format: str, name: str,
            guest: list[str]) -> str:
    return _line('openstack', 'image', 'create', '--disk-format',
                 disk_format, '--container-format', 'bare', *guest,
                 '--file', file, '--', name)


def _guest(known: details.Details) -> tuple[list[str], tuple[str, ...]]:
    """The options that say what an instance of the image needs.

    :returns: them, and the names of properties that are left out.
    """
    root = known.snapshot.root
    min_disk = max(known.min_disk_gib, root.size_gib if root else 0)
    found, left_out = [], []
    if min_disk:
        found += ['--min-disk', str(min_disk)]
    if known.min_ram_mib:
        found += ['--min-ram', str(known.min_ram_mib)]
    for name, value in known.properties:
        if not _PORTABLE.fullmatch(name) or _LOCAL.fullmatch(name):
            continue
        if value.isprintable():
            found += ['--property', f'{name}={value}']
        else:
            left_out.append(name)
    return found, tuple(left_out)


def _printable(text: str) -> str:
    """A text that does nothing to a terminal."""
    return ''.join(character if character.isprintable() else ' '
                   for character in text).strip()


def _numbered(name: str, number: int, length: int) -> str:
    """A name with a number behind it, cut before that."""
    tail = f'-{number}' if number else ''
    return name[:length - len(tail)] + tail


def _file(name: str, number: int, suffix: str) -> str:
    """A file name that needs no care; no two of a set are the same."""
    safe = re.sub(r'[^\w.-]+', '-', name, flags=re.ASCII).strip('.-')
    return f'{_numbered(safe or "snapshot", number, 100)}.{suffix}'


def _line(*words: str) -> str:
    return shlex.join(words)
