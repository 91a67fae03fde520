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

"""Real workers: the command in processes of its own."""

import contextlib
import pathlib
import signal
import subprocess
import sys
import time
import uuid

from snapshot_dashboard import marks
from snapshot_dashboard.runs import delegate
from snapshot_dashboard.runs import journal
from tests.cloud import bootstrap
from tests.cloud import launcher
from tests.cloud import seed
from tests.scenario.waiting import until


class Workers:
    """Starts workers and kills them; their logs are kept."""

    def __init__(self, where, folder: pathlib.Path):
        self._folder = folder
        self._environment = launcher.worker_environment(where.auth_url)
        admin = bootstrap.connect(where, 'admin', seed.PROJECT)
        self.user_id = admin.identity.find_user(seed.WORKER).id
        self._all: list[subprocess.Popen] = []

    def start(self, *arguments, **environment):
        """A worker; it is running, and may still be starting."""
        log = self._folder / f'worker-{len(self._all)}.log'
        with open(log, 'wb') as output:
            process = subprocess.Popen(
                [sys.executable, '-m', 'snapshot_dashboard.worker',
                 '--interval', '0.5', *arguments], stdout=output,
                stderr=output, stdin=subprocess.DEVNULL,
                env={**self._environment, **environment})
        process.log = log
        self._all.append(process)
        return process

    def once(self):
        """What a timer starts; it has ended well."""
        worker = self.start('--once')
        assert worker.wait(120) == 0, worker.log.read_text()
        return worker.log.read_text()

    def logs(self):
        return ''.join(worker.log.read_text() for worker in self._all)

    def end(self, worker, number=signal.SIGTERM):
        worker.send_signal(number)
        return worker.wait(60)

    def end_all(self):
        for worker in self._all:
            if worker.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    self.end(worker, signal.SIGKILL)

    def of(self, cloud):
        """How a user of a project hands runs on to these."""
        return delegate.Delegation(
            user_id=self.user_id, trustor_id=cloud.user_id,
            role='member', lifetime=3600)

    def hand_on(self, cloud, run, clock=time.time):
        """As the wizard does after it has begun a run."""
        return delegate.hand_on(cloud, run, self.of(cloud), clock)

    def foreign_trust(self, cloud):
        """The id of a trust to the workers' user that is for something else.
        """
        return cloud.keystone.post('/OS-TRUST/trusts', json={'trust': {
            'trustor_user_id': cloud.user_id,
            'trustee_user_id': self.user_id, 'project_id': cloud.project_id,
            'impersonation': True, 'roles': [{'name': 'member'}],
        }}).json()['trust']['id']

    def finish(self, cloud, run):
        """The run as it is when nobody but a worker has looked at it."""
        def ended():
            assert any(worker.poll() is None for worker in self._all), (
                self.logs())
            there = journal.read(cloud.compute.server(run.server.id))
            return there if there and not there.open else None
        try:
            return until(ended, 'a worker ends the run')
        except AssertionError:
            print(self.logs())
            raise


def trusts(cloud):
    """The ids of the trusts that a user has made and that can be used."""
    found = cloud.keystone.get('/OS-TRUST/trusts', params={
        'trustor_user_id': cloud.user_id}).json()['trusts']
    return {trust['id'] for trust in found if trust['remaining_uses'] != 0}


def saving(cloud, run):
    """Whether Nova saves the run's image.

    Of two notes at the same moment Nova may lose one, so the image is looked
    for, as a run does, and not its note.
    """
    return [image for image in cloud.images.images(10, {
        marks.RUN: run.plan.run_id}) if image.status == 'saving']


def begun(cloud, workers, name='web-1', **options):
    """A run that was handed on, and that nobody has looked at yet."""
    return workers.hand_on(cloud, cloud.begin(
        cloud.find(name), f'alone-{uuid.uuid4().hex[:8]}', **options))


def whole_and_running(cloud, run):
    """That a run has come to the one end that was asked for."""
    assert run.progress.failure == '', run.progress
    (image,) = cloud.images.images(10, {marks.RUN: run.plan.run_id})
    assert (image.id, image.status) == (run.progress.image_id, 'active')
    assert cloud.compute.server(run.server.id).status == 'ACTIVE'
    until(lambda: run.progress.trust_id not in trusts(cloud),
          'the trust was taken back')
