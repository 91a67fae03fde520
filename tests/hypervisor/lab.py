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

"""A cloud with real guests, and what one does with them."""

from collections.abc import Iterator
from collections.abc import Sequence
import configparser
import contextlib
import dataclasses
import pathlib
import re
import subprocess

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import types
from snapshot_dashboard.inspection import boot_reports
from snapshot_dashboard.inspection import console
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import record
from tests.bench import pages
from tests.cloud import bootstrap
from tests.cloud import launcher
from tests.cloud import seed
from tests.cloud import site
from tests.hypervisor import guests
from tests.scenario import clouds
from tests.scenario.waiting import until

#: Seconds that a guest may take to boot where the processor is emulated and
#: other tests run beside it.
BOOT = 300
#: Seconds after which Nova has noticed that a guest is gone: it waits 15 for
#: another event first.
NOTICED = 120
#: Seconds that a snapshot may take there.
TAKEN = 480
#: Seconds that Nova gives a guest to shut down: one that obeys needs some
#: two, and a minute and more where the machine is busy.
_TIMEOUT, _DEAF_TIMEOUT = 300, 8
_FLAVORS = {'plain': {'disk': 1, 'ephemeral': 0},
            'ephemeral': {'disk': 1, 'ephemeral': 1},
            'volume-backed': {'disk': 0, 'ephemeral': 0}}


class Lab:
    """Images and flavors for guests of each kind, and guests of them."""

    def __init__(self, where: site.Site) -> None:
        self.where = where
        self.alice = clouds.connect(where, 'alice')
        self.page = pages.Session(where.url('horizon'), 'alice')
        self._admin = bootstrap.connect(where, 'admin', seed.PROJECT)
        self._files = guests.made()
        self._images: dict[tuple[str, str], str] = {}
        self._kernel = {
            'kernel_id': self._upload('kernel', 'aki', self._files.kernel),
            'ramdisk_id': self._upload('initrd', 'ari', self._files.initrd)}
        self._data = self._upload('data', 'raw', self._files.data)
        self._flavors = {
            name: self._admin.compute.create_flavor(
                name=name, vcpus=1, ram=256, **disks).id
            for name, disks in _FLAVORS.items()}

    def _upload(self, name: str, disk_format: str, path: pathlib.Path,
                **properties: str) -> str:
        container = disk_format if disk_format in ('aki', 'ari') else 'bare'
        return self._admin.create_image(
            name, filename=str(path), disk_format=disk_format,
            container_format=container, visibility='public', wait=True,
            validate_checksum=False, **properties).id

    def image(self, kind: str, agent: str) -> str:
        """The id of the image of guests of a kind.

        :param agent: ``none``, ``good``, ``silent``, or ``absent`` for one
            that the image announces and the guest has not.
        """
        key = kind, agent
        if key not in self._images:
            more = {} if agent == 'none' else {'hw_qemu_guest_agent': 'yes'}
            self._images[key] = self._upload(
                f'{kind} {agent}', 'raw', self._files.root, **self._kernel,
                os_command_line=f'console=ttyS0 quiet panic=-1 guest={kind} '
                                f'agent={agent}',
                os_shutdown_timeout=str(
                    _DEAF_TIMEOUT if kind == 'deaf' else _TIMEOUT), **more)
        return self._images[key]

    def boot(self, kind: str = 'obedient', agent: str = 'none',
             flavor: str = 'plain', data: bool = False) -> 'Guest':
        """A new guest that writes; with a data volume if that is wished."""
        nova = self.alice.nova
        image_id = self.image(kind, agent)
        disks = {} if flavor != 'volume-backed' else {
            'block_device_mapping_v2': [{
                'uuid': self.volume(image_id), 'source_type': 'volume',
                'destination_type': 'volume', 'boot_index': 0,
                'delete_on_termination': True}]}
        server = nova.servers.create(
            clouds.unique(kind), None if disks else image_id,
            self._flavors[flavor], nics='none', **disks)
        guest = Guest(self, server.id)
        guest.hear('synced 20')
        if flavor == 'ephemeral':
            guest.hear('the ephemeral disk is mounted')
        if data:
            guest.attach(self.volume())
            guest.hear('the data volume is mounted')
        return guest

    def nova_killed(self) -> contextlib.AbstractContextManager[None]:
        """Nova is killed, and starts again after the block."""
        return launcher.killed(self.where, 'nova')

    @contextlib.contextmanager
    def held(self, what: str) -> Iterator[None]:
        """Nothing of a kind happens before the end of the block.

        :param what: ``starts`` of guests, ``images`` of their disks, or
            ``nothing``.
        """
        hold = self.where.libvirt / f'hold-{what}'
        hold.touch()
        try:
            yield
        finally:
            hold.unlink()

    @contextlib.contextmanager
    def nova_with(self, section: str, **options: str) -> Iterator[None]:
        """Nova has other options for the length of a block."""
        path = self.where.etc / 'nova.conf'
        before = path.read_text()
        parser = configparser.RawConfigParser(default_section='-')
        parser.read_string(before)
        parser.read_dict({section: options})
        try:
            with self.nova_killed(), open(path, 'w') as file:
                parser.write(file)
            yield
        finally:
            with self.nova_killed():
                path.write_text(before)

    def boots(self, image: types.Image) -> console.Verdict:
        """What a boot test says of a snapshot; it leaves nothing behind."""
        before = self._made()
        answer = self.page.post(
            f'{pages.PANEL}instance-{image.id}/boot-test/',
            [('flavor', 'plain')])
        # A form that is wrong comes back.
        assert 'form-group' not in answer.text, answer.text
        report = until(lambda: boot_reports.read(
            self.alice.images.image(image.id)), 'the verdict', BOOT)
        until(lambda: self._made() == before, 'what was made for it is gone')
        return report.verdict

    def _made(self) -> set[str]:
        return {one.id for one in (*self.alice.compute.servers(100),
                                   *self.alice.volumes.volumes(100))}

    def volume(self, image_id: str = '') -> str:
        """The id of a new volume, of one with a file system for data."""
        made = self.alice.cinder.volumes.create(
            1, name=clouds.unique('data'), imageRef=image_id or self._data)
        until(lambda: self.alice.volumes.volume(made.id).status
              == 'available', 'the volume is there')
        return made.id


@contextlib.contextmanager
def opened(name: str, say: launcher.Say) -> Iterator[Lab]:
    """A new cloud with real guests, Horizon and a worker; down afterwards.

    The machine must be ready for them.
    """
    with launcher.fresh(name) as place:
        launcher.have_real_guests(place, say)
        launcher.up(place, say)
        admin = bootstrap.connect(place, 'admin', 'admin')
        seed.accounts(admin)
        seed.quotas(admin)
        launcher.worker_up(place, say)
        launcher.dashboard_up(place, say)
        yield Lab(place)


class Guest:
    """An instance that writes, and what its console says of that."""

    def __init__(self, lab: Lab, server_id: str) -> None:
        self.lab, self.id = lab, server_id

    @property
    def server(self) -> types.Server:
        return self.lab.alice.compute.server(self.id)

    @property
    def console(self) -> str:
        path = (self.lab.where.state / 'nova' / 'instances' / self.id
                / 'console.log')
        return path.read_text(errors='replace') if path.exists() else ''

    def hear(self, text: str) -> None:
        """Wait until it says something."""
        until(lambda: text in self.console, f'{self.id} says {text!r}', BOOT)

    def hear_again(self) -> None:
        """Wait until it writes, after another boot."""
        until(lambda: self.console.rpartition('guest login:')[2].count(
            'synced') > 1, 'it writes again', BOOT)

    @property
    def synced(self) -> int:
        """The last record that it knows to be on its disks."""
        found = re.findall(r'^synced (\d+)\r?$', self.console, re.MULTILINE)
        return int(found[-1]) if found else 0

    def press_power_button(self) -> None:
        """Somebody on its host asks it to shut down; Nova does not know."""
        subprocess.run(['virsh', '-q', '-c', self.lab.where.hypervisor,
                        'shutdown', '--mode', 'acpi', self.id], check=True,
                       stdin=subprocess.DEVNULL)

    def delete(self) -> None:
        self.lab.alice.nova.servers.delete(self.id)
        until(lambda: clouds.is_gone(lambda: self.server), 'it is gone')

    @property
    def process(self) -> int:
        """The process that the guest runs in."""
        for status in (self.lab.where.libvirt / 'run' / 'libvirt'
                       / 'qemu').glob('*.xml'):
            found = re.search(r"pid='(\d+)'", status.read_text())
            if self.id in status.read_text() and found:
                return int(found[1])
        raise LookupError(self.id)

    def begin(self, power_off: bool = True, if_forced: str = 'go-on',
              volumes: Sequence[str] = ()) -> None:
        """Ask the wizard for a snapshot."""
        answer = self.lab.page.post(f'{pages.PANEL}create/', [
            ('source', f'instance-{self.id}'),
            ('seen_status', self.server.status), ('if_forced', if_forced),
            ('name', clouds.unique('snapshot')), ('purpose', ''),
            *([('power_off', 'on'), ('power_on', 'on')] if power_off else []),
            *(('volumes', volume) for volume in volumes)])
        # A form that is wrong comes back.
        assert b'help-block' not in answer.content, answer.text
        assert self.run is not None, answer.text

    @property
    def run(self) -> record.Run | None:
        return journal.read(self.server)

    def finish(self) -> 'Taken':
        """Wait until the worker has seen the snapshot through."""
        until(lambda: not self.run.open, 'the snapshot is finished', TAKEN)
        run, image = self.run, None
        if run.progress.image_id:
            with contextlib.suppress(errors.NotFound):
                image = self.lab.alice.images.image(run.progress.image_id)
        return Taken(run, image)

    def until_task(self, task: str) -> None:
        """Wait until Nova is at something."""
        until(lambda: (self.server.task_state or '').startswith(task), task,
              TAKEN)

    def take(self, **wish) -> 'Taken':
        self.begin(**wish)
        return self.finish()

    def attach(self, volume_id: str) -> None:
        self.lab.alice.nova.volumes.create_server_volume(self.id, volume_id)
        until(lambda: self.lab.alice.volumes.volume(volume_id).status
              == 'in-use', 'the volume is attached')


@dataclasses.dataclass(frozen=True)
class Taken:
    """What came of a run."""

    run: record.Run
    image: types.Image | None

    @property
    def mark(self) -> str:
        """How the image says that it was taken."""
        return self.image.properties.get(marks.CONSISTENCY, '')

    @property
    def parts(self) -> list[str]:
        """The ids of the volume snapshots that belong to it."""
        return marks.parts(self.image.properties, self.image.created)
