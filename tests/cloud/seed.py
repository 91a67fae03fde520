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

"""Sample data that shows every case of a snapshot dashboard.

Seeding is idempotent: what is there by its name is left as it is.
"""

from collections.abc import Callable
import io
import random
import time
from typing import Any

from openstack import connection
from openstack import exceptions

from tests.cloud import bootstrap
from tests.cloud import knobs
from tests.cloud import site

PROJECT = 'demo'
OTHER_PROJECT = 'other'
#: Accounts: name, project, role. The password is site.PASSWORD.
ACCOUNTS = (
    ('alice', PROJECT, 'member'),
    ('bob', PROJECT, 'member'),
    ('rita', PROJECT, 'reader'),
    ('carol', OTHER_PROJECT, 'member'),
    ('admin', PROJECT, 'admin'),
)
#: The worker's user, without any role.
WORKER = 'snapshot-worker'
#: Cinder's for each project.
QUOTAS = {'volumes': 100, 'snapshots': 300, 'gigabytes': 2000}
IMAGE = 'Debian 13'
_IMAGE_BYTES = 4 * 1024 ** 2
_WAIT = 0.2
_PATIENCE = 60


def seed(where: site.Site, say: Callable[[str], None]) -> None:
    """Make the accounts, the instances, the volumes and the snapshots."""
    admin = bootstrap.connect(where, 'admin', 'admin')
    say('making accounts and an image')
    accounts(admin)
    quotas(admin)
    _image(admin)
    say('making the sample data of the project "demo"')
    _Project(bootstrap.connect(where, 'alice', PROJECT),
             knobs.Knobs(where.knobs)).fill()
    say('making the sample data of the project "other"')
    _Project(bootstrap.connect(where, 'carol', OTHER_PROJECT),
             knobs.Knobs(where.knobs)).fill_other()


def accounts(admin: connection.Connection) -> None:
    identity = admin.identity
    for user, project, role in ACCOUNTS:
        found = identity.find_project(project)
        if found is None:
            found = identity.create_project(name=project,
                                            domain_id='default')
        account = identity.find_user(user)
        if account is None:
            account = identity.create_user(
                name=user, password=site.PASSWORD, domain_id='default')
        identity.assign_project_role_to_user(found, account,
                                             identity.find_role(role))
    if identity.find_user(WORKER) is None:
        identity.create_user(name=WORKER, password=site.PASSWORD,
                             domain_id='default')


def quotas(admin: connection.Connection) -> None:
    """The stock quota of ten volumes is too small for the sample data."""
    for project in (PROJECT, OTHER_PROJECT):
        admin.set_volume_quotas(project, **QUOTAS)


def _image(admin: connection.Connection) -> None:
    if admin.image.find_image(IMAGE) is None:
        content = random.Random(IMAGE).randbytes(_IMAGE_BYTES)
        admin.image.create_image(
            name=IMAGE, data=io.BytesIO(content), disk_format='raw',
            container_format='bare', visibility='public', min_disk=1,
            os_type='linux', os_distro='debian', allow_duplicates=True)


class _Project:
    """Makes one project's sample data as one of its members."""

    def __init__(self, cloud: connection.Connection,
                 faults: knobs.Knobs) -> None:
        self.cloud = cloud
        self.knobs = faults
        self.image = cloud.image.find_image(IMAGE)

    def fill(self) -> None:
        volumes = [self.volume(name, size) for name, size in (
            ('web-data', 5), ('db-data', 8), ('archive', 20),
            ('scratch', 2))]
        self.settle(volumes)
        web, batch, database, mixed, locked, paused, gone = [
            self.server(*arguments) for arguments in (
                ('web-1', 'm1.ephemeral'), ('batch-1', 'm1.small'),
                ('db-1', 'm1.small', 10), ('db-2', 'm1.ephemeral', 10),
                ('locked-1', 'm1.tiny'), ('paused-1', 'm1.tiny'),
                ('retired-1', 'm1.tiny'))]
        for server in (web, batch, database, mixed, locked, paused, gone):
            if server is not None:
                self.built(server)
        self.attach(web, volumes[0])
        self.attach(database, volumes[1])
        self.instance_snapshot('web-1-2026-01-15', web)
        self.instance_snapshot('db-1-before-upgrade', database)
        if gone is not None:
            self.instance_snapshot('retired-1-final', gone)
            self.cloud.compute.delete_server(gone)
            self.cloud.compute.wait_for_delete(gone, interval=_WAIT)
        self.volume_snapshot('archive-2026-01', volumes[2])
        self.volume_snapshot('scratch-1', volumes[3])
        with self.knobs.turned('volume.snapshot', error='no space left',
                               only='scratch-broken'):
            self.volume_snapshot('scratch-broken', volumes[3], 'error')
        self.state(batch, 'stop_server', 'SHUTOFF')
        self.state(paused, 'pause_server', 'PAUSED')
        self.cloud.compute.lock_server(locked)

    def fill_other(self) -> None:
        volume = self.volume('secret-plans', 3)
        self.settle([volume])
        server = self.server('other-1', 'm1.tiny')
        self.built(server)
        self.instance_snapshot('other-1-monday', server)
        self.volume_snapshot('secret-plans-1', volume)

    def volume(self, name: str, size: int) -> Any:
        storage = self.cloud.block_storage
        return (storage.find_volume(name)
                or storage.create_volume(name=name, size=size))

    def settle(self, volumes: list[Any]) -> None:
        for volume in volumes:
            if volume.status == 'creating':
                self.cloud.block_storage.wait_for_status(
                    volume, 'available', interval=_WAIT)

    def server(self, name: str, flavor: str,
               root_volume_gib: int = 0) -> Any:
        """A server; None for one that is deleted again in the end."""
        compute = self.cloud.compute
        there = compute.find_server(name)
        if there is not None:
            return compute.get_server(there)
        if name == 'retired-1' and self.cloud.image.find_image(
                'retired-1-final'):
            return None
        source: dict[str, Any] = {'image_id': self.image.id}
        if root_volume_gib:
            source = {'block_device_mapping': [{
                'boot_index': 0, 'uuid': self.image.id,
                'source_type': 'image', 'destination_type': 'volume',
                'volume_size': root_volume_gib,
                'delete_on_termination': True}]}
        return compute.create_server(
            name=name, flavor_id=compute.find_flavor(flavor).id,
            networks='none', **source)

    def attach(self, server: Any, volume: Any) -> None:
        storage = self.cloud.block_storage
        if storage.get_volume(volume).status == 'available':
            self.cloud.compute.create_volume_attachment(
                server, volume_id=volume.id)
            storage.wait_for_status(volume, 'in-use', interval=_WAIT)

    def instance_snapshot(self, name: str, server: Any) -> None:
        if self.cloud.image.find_image(name) is not None:
            return
        image = self.cloud.compute.create_server_image(server, name)
        self.cloud.image.wait_for_status(image, 'active', interval=_WAIT)
        # The image is active before Nova lets go of the server.
        self.until(lambda: not self.cloud.compute.get_server(
            server).task_state, f'{server.name} is idle')

    def volume_snapshot(self, name: str, volume: Any,
                        status: str = 'available') -> None:
        storage = self.cloud.block_storage
        if storage.find_snapshot(name) is not None:
            return
        snapshot = storage.create_snapshot(volume_id=volume.id, name=name)
        try:
            storage.wait_for_status(snapshot, status, interval=_WAIT,
                                    failures=[])
        except exceptions.ResourceTimeout:
            raise site.CloudError(
                f'The snapshot {name} did not become {status}.') from None

    def state(self, server: Any, action: str, wanted: str) -> None:
        compute = self.cloud.compute
        if compute.get_server(server).status != wanted:
            getattr(compute, action)(server)
            self.until(lambda: compute.get_server(server).status == wanted,
                       f'{server.name} is {wanted}')

    def built(self, server: Any) -> None:
        self.until(lambda: self.cloud.compute.get_server(
            server).status != 'BUILD', f'{server.name} is built')

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for something that the services do by themselves.

        :raises CloudError: when it takes too long.
        """
        end = time.monotonic() + _PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise site.CloudError(
                    f'Not so after {_PATIENCE} s: {what}. The logs tell why.')
            time.sleep(_WAIT)
