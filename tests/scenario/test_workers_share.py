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

"""Workers share the runs by a coordinator, and do without it if they must."""

import pathlib
import signal
import subprocess

import pytest

from snapshot_dashboard.runs import delegate
from tests import provide
from tests.cloud import site
from tests.scenario.waiting import until
from tests.scenario.workers import begun
from tests.scenario.workers import saving
from tests.scenario.workers import whole_and_running

pytestmark = pytest.mark.usefixtures('tidy')


class Coordinator:
    """A server of this test's own; starts, dies and starts again.

    :ivar address: as tooz wants it.
    """

    def __init__(self, kind: str, folder: pathlib.Path):
        self._port, self._other = site.free_ports(2)
        self._command, scheme = getattr(self, f'_{kind}')(folder)
        self.address = f'{scheme}://{site.HOST}:{self._port}'
        self.start()

    def _redis(self, folder):
        return [provide.program('redis-server', 'redis-server'),
                '--port', str(self._port), '--bind', site.HOST,
                '--save', '', '--dir', str(folder)], 'redis'

    def _etcd(self, folder):
        clients, peers = (f'http://{site.HOST}:{port}'
                          for port in (self._port, self._other))
        return [provide.program('etcd', 'etcd-server'),
                '--data-dir', str(folder / 'etcd'),
                '--listen-client-urls', clients,
                '--advertise-client-urls', clients,
                '--listen-peer-urls', peers,
                '--initial-advertise-peer-urls', peers,
                '--initial-cluster', f'default={peers}'], 'etcd3+http'

    def start(self):
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: site.port_is_taken(self._port), 'it listens')

    def kill(self):
        self._process.kill()
        self._process.wait()


@pytest.fixture(params=['redis', 'etcd'])
def coordinator(request, tmp_path):
    server = Coordinator(request.param, tmp_path)
    yield server
    server.kill()


def test_workers_share_what_there_is_and_need_no_coordinator_for_it(
        alice, workers, drivers, coordinator):
    both = [workers.start('--coordinator', coordinator.address)
            for _ in range(2)]

    def is_shared():
        """Whether each of some trusts was looked at by one of the two."""
        asked = [delegate.probe(alice, workers.of(alice)) for _ in range(8)]
        until(lambda: all(map(alice.identity.is_gone, asked)), 'answered')
        seen = [{one for one in asked if one in worker.log.read_text()}
                for worker in both]
        return seen[0] and seen[1] and not seen[0] & seen[1]

    until(is_shared, 'they share')
    coordinator.kill()
    with drivers.turned('server.upload', hold=True, only='web-1'):
        run = begun(alice, workers)
        until(lambda: saving(alice, run), 'it is being saved')
    whole_and_running(alice, workers.finish(alice, run))
    # Its client may have tried for a while before it says so.
    until(lambda: all('looks after everything' in worker.log.read_text()
                      for worker in both), 'both have noticed')
    coordinator.start()
    until(is_shared, 'they share again')
    workers.end(both[0], signal.SIGKILL)
    whole_and_running(alice, workers.finish(alice, begun(alice, workers)))
