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

"""Where a test cloud lives: its directory, its ports, its addresses."""

from collections.abc import Iterator
import contextlib
import dataclasses
import fcntl
import json
import os
import pathlib
import random
import socket
import sys

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
#: Everything that the test cloud makes is kept below this directory.
HOME = pathlib.Path(
    os.environ.get('SNAPSHOT_CLOUD_HOME', REPOSITORY / '.cloud'))

#: The ports that these services usually have.
PORTS = {
    'keystone': 5000,
    'placement': 8778,
    'glance': 9292,
    'neutron': 9696,
    'nova': 8774,
    'cinder': 8776,
    'horizon': 8000,
}
#: What the catalogue says of each service: type, description, path.
CATALOGUE = {
    'keystone': ('identity', 'Identity', '/v3'),
    'placement': ('placement', 'Placement', ''),
    'glance': ('image', 'Image', ''),
    'neutron': ('network', 'Network', ''),
    'nova': ('compute', 'Compute', '/v2.1'),
    'cinder': ('volumev3', 'Block Storage', '/v3/%(project_id)s'),
}
#: Where free ports are looked for.
_FREE = (16000, 32000)
SERVICES = tuple(CATALOGUE)
HOST = '127.0.0.1'
REGION = 'RegionOne'
#: The one password of every account: this cloud holds nothing of worth and
#: listens on loopback only.
PASSWORD = 'snapshots'
#: Seconds that a guest has to shut down: little, so that one can wait for it.
SHUTDOWN_TIMEOUT = 5
#: Seconds after which a run waits no longer for a volume snapshot.
SNAPSHOT_TIMEOUT = 60


class CloudError(Exception):
    """A plain sentence for the person at the terminal."""


@dataclasses.dataclass(frozen=True)
class Site:
    """One test cloud on this machine."""

    name: str
    ports: dict[str, int]

    @property
    def root(self) -> pathlib.Path:
        return HOME / self.name

    @property
    def logs(self) -> pathlib.Path:
        return self.root / 'logs'

    @property
    def etc(self) -> pathlib.Path:
        return self.root / 'etc'

    @property
    def state(self) -> pathlib.Path:
        """Databases, images, volumes and disks: what a wipe removes."""
        return self.root / 'state'

    @property
    def knobs(self) -> pathlib.Path:
        return self.root / 'knobs.json'

    @property
    def worker_user(self) -> pathlib.Path:
        """Holds the id of the worker's user, where there is a worker."""
        return self.root / 'worker_user'

    @property
    def libvirt(self) -> pathlib.Path:
        """The folder of its libvirt, where its guests are real ones."""
        return self.root / 'libvirt'

    @property
    def hypervisor(self) -> str:
        """The address of its libvirt."""
        return ('qemu:///system?socket='
                f'{self.libvirt}/run/libvirt/libvirt-sock')

    def url(self, service: str, host: str = HOST) -> str:
        return f'http://{host}:{self.ports[service]}'

    def endpoint(self, service: str) -> str:
        return self.url(service) + CATALOGUE[service][2]

    @property
    def auth_url(self) -> str:
        return self.endpoint('keystone')

    def save(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        # In one go: other clouds look at it for ports that are free.
        new = self.root / 'ports.json.new'
        new.write_text(json.dumps(self.ports))
        new.replace(self.root / 'ports.json')


def load(name: str) -> Site:
    """The site of that name as it was last started.

    :raises CloudError: when it was never started.
    """
    try:
        ports = json.loads((HOME / name / 'ports.json').read_text())
    except FileNotFoundError:
        raise CloudError(
            f'There is no test cloud called {name!r}. Start one with: '
            f'{sys.executable} -m tests.cloud --name {name} up') from None
    return Site(name, ports)


def plan(name: str, first_port: int | None = None) -> Site:
    """A site on the usual ports, on consecutive ones, or on free ones.

    :param first_port: None for the usual ports, 0 for any free ones, else
        the first of seven consecutive ports.
    """
    if first_port == 0:
        return Site(name, dict(zip(PORTS, free_ports(len(PORTS)))))
    if first_port is not None:
        ports = {service: first_port + number
                 for number, service in enumerate(PORTS)}
        return Site(name, ports)
    return Site(name, dict(PORTS))


def free_ports(number: int) -> list[int]:
    """So many different ports that nobody listens on, nor another cloud.

    They are not of those that the system gives to who connects, or it might
    give one away while its service is down.
    """
    planned = {port for kept in HOME.glob('*/ports.json')
               for port in json.loads(kept.read_text()).values()}
    found: list[int] = []
    while len(found) < number:
        port = random.randrange(*_FREE)
        if port not in {*planned, *found} and not port_is_taken(port):
            found.append(port)
    return found


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Wait until nobody else makes what all clouds of a machine share."""
    HOME.mkdir(parents=True, exist_ok=True)
    with open(HOME / 'lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def mine(name: str) -> Iterator[None]:
    """Have a cloud for oneself.

    :raises CloudError: when somebody has it.
    """
    HOME.mkdir(parents=True, exist_ok=True)
    with open(HOME / f'{name}.lock', 'w') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CloudError(
                f'Other tests are using the cloud {name!r}. Wait for them, '
                f'or set SNAPSHOT_CLOUD_HOME to another directory.') from None
        yield


def port_is_taken(port: int) -> bool:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((HOST, port))
        except OSError:
            return True
    return False
