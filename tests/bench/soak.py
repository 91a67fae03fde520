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

"""Many runs over many instances, while services and Horizon are killed.

Runs are submitted through Horizon's wizard and brought forward by open
pages, as users do it. Whatever is killed, each run ends with one snapshot or
a reason why not, and its instance runs.
"""

import collections
import concurrent.futures
import contextlib
import dataclasses
import os
import random
import signal
import threading
import time

import requests

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.runs import failures
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import record
from tests.bench import pages
from tests.bench import report
from tests.cloud import knobs
from tests.cloud import launcher
from tests.cloud import machine
from tests.cloud import processes
from tests.cloud import site
from tests.scenario import clouds
from tests.scenario import waiting

RUNS = int(os.environ.get('SNAPSHOT_SOAK_RUNS', '200'))
INSTANCES = 20
#: How many snapshots are under way at a time.
_AT_ONCE = 8
#: Seconds between two kills, at least and at most.
_CALM = (8, 20)
_VICTIMS = ('horizon', 'nova', 'glance', 'cinder', 'keystone')
_POLL = 1.0
#: A gateway before the services: of the dashboard's calls this share is
#: refused as too many, and that one takes longer than the dashboard waits.
_GATEWAY = {'limited': 0.02, 'late': 0.002, 'seconds': 11}
#: Seconds after which a run that is not over counts as lost.
_PATIENCE = 600
_RETRIED = (requests.RequestException, errors.ServiceError)


@dataclasses.dataclass
class Tally:
    """What came of it all."""

    ends: collections.Counter = dataclasses.field(
        default_factory=collections.Counter)
    wrong: list[str] = dataclasses.field(default_factory=list)
    kills: collections.Counter = dataclasses.field(
        default_factory=collections.Counter)
    not_begun: int = 0
    seconds: list[float] = dataclasses.field(default_factory=list)


def measure(where: site.Site, say: launcher.Say) -> None:
    """Play it, and write what came of it into the documentation.

    :raises SystemExit: when a run did not end well.
    """
    launcher.dashboard_up(where, say)
    servers = _instances(where, say)
    tally, over = Tally(), threading.Event()
    jobs = [threading.Thread(target=_kill, args=(where, tally, over, say)),
            *(threading.Thread(target=_look, args=(where, user, over))
              for user in ('alice', 'bob'))]
    for job in jobs:
        job.start()
    drivers = knobs.Knobs(where.knobs)
    drivers.turn('gateway', **_GATEWAY)
    free = collections.deque(servers)
    began = time.monotonic()

    def play(number: int) -> None:
        server_id = free.popleft()
        try:
            _Run(where, server_id, number, tally).play()
        finally:
            free.append(server_id)
        if sum(tally.ends.values()) % 20 == 0:
            say(f'{sum(tally.ends.values())} runs: {dict(tally.ends)}')

    try:
        with concurrent.futures.ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(play, range(RUNS)))
    finally:
        over.set()
        drivers.clear()
        for job in jobs:
            job.join()
    _report(tally, time.monotonic() - began)
    if tally.wrong:
        raise SystemExit('\n'.join(tally.wrong))


def _instances(where: site.Site, say: launcher.Say) -> list[str]:
    """Image-backed ones, some with a volume, and volume-backed ones."""
    say(f'making {INSTANCES} instances')
    cloud = clouds.connect(where, 'alice')
    nova, cinder = cloud.nova, cloud.cinder
    image_id = cloud.find('batch-1').image_id
    flavor = next(flavor for flavor in nova.flavors.list()
                  if flavor.name == 'm1.tiny')
    made = []
    for number in range(INSTANCES):
        options = {'image': image_id}
        if number % 5 == 4:
            options = {'image': None, 'block_device_mapping_v2': [{
                'boot_index': 0, 'uuid': image_id, 'source_type': 'image',
                'destination_type': 'volume', 'volume_size': 1,
                'delete_on_termination': True}]}
        made.append(nova.servers.create(f'soak-{number}', flavor=flavor,
                                        nics='none', **options))
    for number, server in enumerate(made):
        waiting.until(lambda server=server: cloud.compute.server(
            server.id).status == 'ACTIVE', f'{server.name} runs')
        if number % 5 == 3:
            volume = cinder.volumes.create(1, name=server.name)
            waiting.until(lambda volume=volume: cloud.volumes.volume(
                volume.id).status == 'available', 'its volume is there')
            nova.volumes.create_server_volume(server.id, volume.id)
    return [server.id for server in made]


def _kill(where: site.Site, tally: Tally, over: threading.Event,
          say: launcher.Say) -> None:
    venv = machine.services_venv(say)
    while not over.wait(random.uniform(*_CALM)):
        service = random.choice(_VICTIMS)
        processes.stop(where, service, signal.SIGKILL)
        over.wait(random.uniform(0, 3))
        if service == 'horizon':
            launcher.dashboard_up(where, lambda text: None)
        else:
            processes.start_service(where, service, venv)
            processes.wait_until_answering(where, service)
        tally.kills[service] += 1


def _look(where: site.Site, user: str, over: threading.Event) -> None:
    """A page that a member has left open."""
    session = pages.Session(where.url('horizon'), user)
    while not over.wait(_POLL):
        with contextlib.suppress(*_RETRIED):
            session.post(f'{pages.PANEL}runs/advance/')


class _Run:
    """One run, from the wizard to its dismissal."""

    def __init__(self, where: site.Site, server_id: str, number: int,
                 tally: Tally):
        self.name = f'soak-run-{number}'
        self.session = pages.Session(where.url('horizon'), 'alice')
        self.where, self.server_id, self.tally = where, server_id, tally

    def play(self) -> None:
        began = time.monotonic()
        run = self._submitted()
        while run.open:
            if time.monotonic() - began > _PATIENCE:
                self.tally.wrong.append(f'{self.name} does not end')
                return
            time.sleep(_POLL)
            run = self._read() or run
        self.tally.seconds.append(time.monotonic() - began)
        self._ask(lambda cloud: self._judge(cloud, run))
        # Dismissing looks once more for what a late call has left.
        self._until_dismissed()
        self._ask(lambda cloud: self._clear(cloud, run.plan))

    def _ask(self, call):
        """The answer of the services, as soon as they are up."""
        def asked():
            with contextlib.suppress(Exception):  # noqa: BLE001
                return [call(clouds.connect(self.where, 'alice'))]
            time.sleep(_POLL)
        return waiting.until(asked, self.name)[0]

    def _read(self) -> record.Run | None:
        return self._ask(
            lambda cloud: journal.read(cloud.compute.server(self.server_id)))

    def _submitted(self) -> record.Run:
        """Press the button until there is a run; a press may be lost."""
        while True:
            server = self._ask(
                lambda cloud: cloud.compute.server(self.server_id))
            if server.status == 'ACTIVE':
                with contextlib.suppress(*_RETRIED):
                    self.session.post(f'{pages.PANEL}create/', [
                        ('source', f'instance-{self.server_id}'),
                        ('power_off', 'on'), ('power_on', 'on'),
                        ('if_forced', 'go-on'), ('seen_status', 'ACTIVE'),
                        ('name', self.name), ('description', ''),
                        *(('volumes', volume_id) for volume_id in (
                            server.volume_ids if server.image_id else ()))])
            run = self._read()
            # What was lost between the record and its index is found again
            # by the next press.
            if run is not None and run.plan.name == self.name and (
                    run.indexed or not run.open):
                return run
            self.tally.not_begun += 1

    def _judge(self, cloud: clouds.Cloud, run: record.Run) -> None:
        progress, plan = run.progress, run.plan
        images = cloud.images.images(10, {marks.RUN: plan.run_id})
        server = cloud.compute.server(self.server_id)
        if server.status != 'ACTIVE':
            self.tally.wrong.append(f'{self.name}: left {server.status}')
        kept = progress.captured_at or progress.failure in failures.KEEPING
        # What came about after it was given up is its owner's.
        late = not kept and [image.status for image in images] == ['active']
        if len(images) != bool(kept) and not (
                progress.leftover_ids or late):
            self.tally.wrong.append(
                f'{self.name}: {progress.failure or "done"} with '
                f'{[image.status for image in images]}')
        if not progress.captured_at and not progress.failure:
            self.tally.wrong.append(f'{self.name}: a silent end')
        self.tally.ends[progress.failure or 'done'] += 1

    def _until_dismissed(self) -> None:
        def dismissed():
            with contextlib.suppress(*_RETRIED):
                self.session.post(
                    f'{pages.PANEL}runs/{self.server_id}/dismiss/')
            return self._read() is None
        waiting.until(dismissed, f'{self.name} is dismissed')

    def _clear(self, cloud: clouds.Cloud, plan: record.Plan) -> None:
        """Make room for the next ones."""
        for image in cloud.images.images(10, {marks.RUN: plan.run_id}):
            cloud.images.delete(image.id)
        for snapshot in cloud.volumes.snapshots(
                10, {'metadata': {marks.RUN: plan.run_id}}):
            if snapshot.status in ('available', 'error'):
                cloud.volumes.delete_snapshot(snapshot.id)


def _report(tally: Tally, seconds: float) -> None:
    counted = sum(tally.ends.values())
    ends = report.table(('End', 'Runs'), [
        (name, str(number)) for name, number in tally.ends.most_common()])
    kills = ', '.join(f'{service} {number}'
                      for service, number in tally.kills.most_common())
    report.write('soak', (
        f'{counted} runs over {INSTANCES} instances in {seconds / 60:.0f} '
        f'minutes, {_AT_ONCE} at a time. Killed meanwhile: {kills}. Of the '
        f"dashboard's calls {_GATEWAY['limited']:.1%} were answered by 429, "
        f"and {_GATEWAY['late']:.1%} took {_GATEWAY['seconds']} s, longer "
        f'than it waits.\n\n'
        f'{ends}\n'
        f'Ended wrongly (two snapshots, none without a reason, left off, or '
        f'no end): **{len(tally.wrong)}**.\n'))
