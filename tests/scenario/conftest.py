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

"""Scenario tests: our own code against the real services."""

import functools
import os
import pathlib
import subprocess
import sys

import pytest

from snapshot_dashboard import marks
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.snapshots import fetch
from tests.cloud import bootstrap
from tests.cloud import launcher
from tests.cloud import seed
from tests.cloud import site
from tests.scenario import clouds
from tests.scenario import networks
from tests.scenario import proxy
from tests.scenario import workers as worker_processes
from tests.scenario.waiting import until


@pytest.fixture
def alice(where):
    """A member of the project."""
    return clouds.connect(where, 'alice')


@pytest.fixture
def bob(where):
    """Another member of the project."""
    return clouds.connect(where, 'bob')


@pytest.fixture
def rita(where):
    """A reader of the project."""
    return clouds.connect(where, 'rita')


@pytest.fixture
def carol(where):
    """A member of another project, which stands for another cloud, too."""
    return clouds.connect(where, 'carol', seed.OTHER_PROJECT)


@pytest.fixture
def victim(alice):
    """An instance of the test's own, that may come to harm."""
    nova = alice.nova
    server = nova.servers.create(
        clouds.unique('victim'), alice.find('batch-1').image_id,
        next(flavor for flavor in nova.flavors.list()
             if flavor.name == 'm1.tiny'), nics='none')
    until(lambda: alice.compute.server(server.id).status == 'ACTIVE',
          'the victim runs')
    yield alice.compute.server(server.id)
    if not clouds.is_gone(lambda: alice.compute.server(server.id)):
        nova.servers.delete(server.id)
        until(lambda: clouds.is_gone(
            lambda: alice.compute.server(server.id)), 'the victim is gone')


@pytest.fixture
def network(where):
    """A network with addresses, and a router to one outside."""
    with networks.routed(where) as routed:
        yield routed


@pytest.fixture(scope='module')
def faults(where):
    """What stands before the services, and makes faults."""
    before = proxy.Proxy({
        'compute': where.endpoint('nova'),
        'image': where.endpoint('glance'),
        'volume': where.endpoint('cinder'),
        'network': where.endpoint('neutron')})
    yield before
    before.close()


@pytest.fixture
def dead(where):
    """A service of the cloud is killed, and starts again after the block."""
    return functools.partial(launcher.killed, where)


@pytest.fixture
def tidy(alice):
    """Takes away what a test's runs leave, on the servers and in the list."""
    yield
    for run in lifecycle.list_runs(alice).runs:
        if run.open:
            run = alice.finish(run)
        lifecycle.dismiss(alice, run.server.id)
    for image in alice.images.images(100, {
            'owner': alice.project_id, marks.IMAGE_TYPE: 'snapshot'}):
        if marks.RUN in image.properties:
            clouds.delete_snapshots(alice, fetch.snapshot(
                alice, f'instance-{image.id}'))
    ours = [snapshot for snapshot in alice.volumes.snapshots(100)
            if marks.TAKEN in snapshot.metadata]
    for snapshot in ours:
        if snapshot.status in ('available', 'error'):
            alice.volumes.delete_snapshot(snapshot.id)
    # What goes still counts in the quotas.
    until(lambda: all(clouds.is_gone(
        lambda one=one: alice.volumes.snapshot(one.id))
                      for one in ours if one.status != 'creating'),
          'the volume snapshots of the tests are gone')


class Shells:
    """A shell of each of the two clouds, with the openstack client."""

    def __init__(self, where, folder):
        self.folder = folder
        self._common = {
            **os.environ, 'OS_AUTH_URL': where.auth_url,
            'OS_PASSWORD': site.PASSWORD, 'OS_USER_DOMAIN_ID': 'default',
            'OS_PROJECT_DOMAIN_ID': 'default', 'OS_IDENTITY_API_VERSION': '3',
            'PATH': f'{pathlib.Path(sys.executable).parent}:'
                    f'{os.environ["PATH"]}'}

    def run(self, text, elsewhere=False):
        user, project = (('carol', seed.OTHER_PROJECT) if elsewhere
                         else ('alice', seed.PROJECT))
        done = subprocess.run(
            ['sh', '-eu', '-c', text], cwd=self.folder, text=True,
            capture_output=True, timeout=120, stdin=subprocess.DEVNULL,
            env={**self._common, 'OS_USERNAME': user,
                 'OS_PROJECT_NAME': project})
        assert done.returncode == 0, f'{text}\n{done.stderr}'


@pytest.fixture
def shells(where, tmp_path):
    return Shells(where, tmp_path)


@pytest.fixture
def workers(where, tmp_path):
    """Starts workers; they are gone after the test."""
    made = worker_processes.Workers(where, tmp_path)
    yield made
    made.end_all()


@pytest.fixture
def admin(where):
    return bootstrap.connect(where, 'admin', seed.PROJECT)


