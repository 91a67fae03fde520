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

from collections.abc import Mapping
import dataclasses
import enum
import re
import shlex

from snapshot_dashboard.snapshots import model
from snapshot_dashboard.snapshots.details import Details
from snapshot_dashboard.snapshots.kinds import Kind

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
    """

    name: str
    device: str
    boot: bool
    commands: tuple[Command, ...]


def pieces(details: Details) -> list[Piece]:
    """Each disk of a snapshot with its commands, the root disk first.

    Empty while the snapshot is not whole.
    """
    snapshot = details.snapshot
    if not snapshot.usable:
        return []
    properties = dict(details.properties)
    name = snapshot.name or snapshot.id
    if snapshot.kind is Kind.VOLUME:
        size_gib = snapshot.size_bytes // model.GIB
        return [Piece(name, '', False, _of_volume(
            snapshot.id, name, size_gib))]
    found = [] if snapshot.volume_backed else [
        Piece(name, '', True, _of_image(details, name, properties))]
    for number, part in enumerate(snapshot.parts, len(found)):
        called = name if part.boot else f'{name}-{number}'
        found.append(Piece(
            called, part.device, part.boot, _of_volume(
                part.id, called, part.size_gib,
                _guest(details, properties) if part.boot else None)))
    return found


def accept(image_id: str) -> str:
    """By what a member of another project accepts an image."""
    return _line('openstack', 'image', 'set', '--accept', image_id)


def _of_image(details: Details, name: str,
              properties: Mapping[str, str]) -> tuple[Command, ...]:
    disk_format = details.disk_format or 'qcow2'
    file = _file(name, disk_format)
    return (
        Command(What.DOWNLOAD, _line(
            'openstack', 'image', 'save', '--file', file,
            details.snapshot.id)),
        Command(What.UPLOAD, _upload(
            file, disk_format, name, _guest(details, properties)),
            elsewhere=True))


def _of_volume(snapshot_id: str, name: str, size_gib: int,
               guest: list[str] | None = None) -> tuple[Command, ...]:
    """Cinder's data can be downloaded from Glance alone.

    :param guest: what an image of a root disk needs; None for other disks,
        which are to be volumes again.
    """
    file = _file(name, 'qcow2')
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
    found = [Command(What.EXPORT, export), Command(
        What.UPLOAD, _upload(file, 'qcow2', name, guest or []),
        elsewhere=True)]
    if guest is None:
        found.append(Command(What.VOLUME, _line(
            'openstack', 'volume', 'create', f'--image={name}',
            '--size', str(size_gib), '--', name), elsewhere=True))
    return tuple(found)


def _while(status: str) -> str:
    """Wait until the volume is not so any more, whatever it is then."""
    return ('while [ "$(openstack volume show --format value --column status '
            f'"$volume")" = {status} ]; do sleep 2; done')


def _upload(file: str, disk_format: str, name: str,
            guest: list[str]) -> str:
    return _line('openstack', 'image', 'create', '--disk-format',
                 disk_format, '--container-format', 'bare', *guest,
                 '--file', file, '--', name)


def _guest(details: Details, properties: Mapping[str, str]) -> list[str]:
    """The options that say what an instance of the image needs."""
    root = details.snapshot.root
    min_disk = max(details.min_disk_gib, root.size_gib if root else 0)
    found = []
    if min_disk:
        found += ['--min-disk', str(min_disk)]
    if details.min_ram_mib:
        found += ['--min-ram', str(details.min_ram_mib)]
    for name, value in properties.items():
        if _PORTABLE.fullmatch(name) and not _LOCAL.fullmatch(name):
            found += ['--property', f'{name}={value}']
    return found


def _file(name: str, suffix: str) -> str:
    """A file name that needs no care."""
    safe = re.sub(r'[^\w.-]+', '-', name, flags=re.ASCII).strip('.-')
    return f'{safe[:100] or "snapshot"}.{suffix}'


def _line(*words: str) -> str:
    return shlex.join(words)
