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

"""Each step of a run, struck by each fault, with 1, 2 and 8 advancers.

A proxy makes the faults; the advancers are processes, which it can kill. A
run captures an image and a chosen volume in one power-off. Whatever happens
to it, there is one snapshot or a reason why not, nothing left over, and the
instance runs.
"""

import collections
import concurrent.futures
import itertools
import multiprocessing
import threading
import time

import pytest

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import reconcile
from tests.scenario import advancer
from tests.scenario import clouds
from tests.scenario import proxy
from tests.scenario import waiting

#: The calls of a run, as the proxy sees them.
STEPS = {
    'look at the server': r'^GET /v2.1/servers/[^/]+ ',
    'look for images': r'^GET /v2/images\?',
    'write down': r'^POST .*/metadata ',
    'power off': r'os-stop',
    'snapshot a volume': r'^POST .*/snapshots ',
    'create the image': r'createImage',
    'power on': r'os-start',
}
ADVANCERS = ('1', '2', '8')
LANES = 6
CASES = [*itertools.product(STEPS, proxy.KINDS, ADVANCERS),
         *itertools.product(['look for images'], [proxy.UNLISTED],
                            ADVANCERS)]
#: Seconds after which a run counts as one that never ends.
_PATIENCE = 300
#: How often a case is played whose run ends before the fault has come: time
#: is so much faster for it that a busy machine alone may be too slow.
_PLAYS = 3
#: Seconds between two looks of all advancers together, on average. Nova bears
#: some ten a second on a small machine.
_POLL = 1.0


@pytest.fixture(scope='module')
def lanes(where):
    """Instances, each with a volume, and a cloud to look at them."""
    cloud = clouds.connect(where, 'alice')
    nova, cinder = cloud.nova, cloud.cinder
    image = cloud.compute.server(cloud.find('batch-1').id).image_id
    flavor = next(flavor for flavor in nova.flavors.list()
                  if flavor.name == 'm1.tiny')
    made = []
    for number in range(LANES):
        server = nova.servers.create(f'lane-{number}', image, flavor,
                                     nics='none')
        volume = cinder.volumes.create(1, name=f'lane-{number}')
        made.append((server, volume))
    for server, volume in made:
        waiting.until(lambda server=server: cloud.compute.server(
            server.id).status == 'ACTIVE', 'the lane runs')
        waiting.until(lambda volume=volume: cloud.volumes.volume(
            volume.id).status == 'available', 'the volume is there')
        nova.volumes.create_server_volume(server.id, volume.id)
        waiting.until(lambda volume=volume: cloud.volumes.volume(
            volume.id).status == 'in-use', 'the volume is attached')
    yield [server.id for server, _ in made]
    for server, volume in made:
        nova.servers.delete(server.id)
        waiting.until(lambda server=server: clouds.is_gone(
            lambda: cloud.compute.server(server.id)), 'the lane is gone')
        # A call that arrived late may have made one after it was judged.
        waiting.until(lambda volume=volume: _without_snapshots(
            cloud, volume.id), 'the volume has no snapshots')
        cinder.volumes.delete(volume.id)


def _without_snapshots(cloud, volume_id) -> bool:
    snapshots = cloud.volumes.snapshots(100, {'volume_id': volume_id})
    for snapshot in snapshots:
        if snapshot.status in ('available', 'error'):
            cloud.volumes.delete_snapshot(snapshot.id)
    return not snapshots


@pytest.fixture(scope='module')
def played(request, where, faults, lanes):
    """How each case ends, by case; they are played at the same time.

    All before the first is judged: pytest changes the environment between
    tests, which others' threads read.
    """
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(['tests.scenario.advancer'])
    free = collections.deque(lanes)
    given_up = threading.Event()

    def play(case):
        server_id = free.popleft()
        try:
            for _ in range(_PLAYS):
                played = _Case(where, faults, context, given_up, server_id,
                               *case)
                end = played.play()
                if played.fault.struck or end.startswith('WRONG'):
                    return end
            return f'WRONG: the fault never came, {end}'
        finally:
            free.append(server_id)

    chosen = [item.callspec.params['case'] for item in request.session.items
              if item.module is request.module and hasattr(item, 'callspec')]
    pool = concurrent.futures.ThreadPoolExecutor(LANES)
    try:
        plays = {case: pool.submit(play, case) for case in chosen}
        concurrent.futures.wait(plays.values())
        return plays
    finally:
        # Who interrupts it does not wait for the cases that are left.
        pool.shutdown(wait=False, cancel_futures=True)
        given_up.set()
        for process in multiprocessing.active_children():
            process.kill()
        pool.shutdown()


# The advancers are processes of their own, and nothing is to hold the proxy.
@pytest.mark.no_cover
@pytest.mark.parametrize('case', CASES, ids='-'.join)
def test_no_fault_at_any_step_breaks_a_run(played, case):
    assert not played[case].result().startswith('WRONG')


@pytest.mark.no_cover
def test_most_faults_do_not_cost_the_snapshot(played, capsys):
    results = {case: end.result() for case, end in played.items()}
    with capsys.disabled():
        print(table(results))
    assert len(results) == 192
    assert list(results.values()).count('done') > 0.8 * len(results)


class _Case:
    """One fault at one step, with so many advancers."""

    def __init__(self, where, faults, context, given_up, server_id, step,
                 kind, advancers):
        self.cloud = clouds.connect(where, 'alice')
        self.faults, self.context = faults, context
        self.given_up = given_up
        self.server_id, self.advancers = server_id, int(advancers)
        self.fault = proxy.Fault(kind, STEPS[step])

    def play(self) -> str:
        server = self.cloud.compute.server(self.server_id)
        began = time.time()
        plan = lifecycle.new_plan(
            clouds.unique('matrix'), '', requested_by='matrix',
            power_off=True, power_on=True, volumes=server.volume_ids)
        lifecycle.begin(self.cloud, server, plan)
        self.faults.set(self.server_id, self.fault)
        processes = []
        try:
            closed = self._until_closed(processes, began)
        finally:
            for process in processes:
                process.join(10)
                process.kill()
        if not closed:
            # The next case needs the lane.
            self.cloud.finish(journal.read(self.cloud.compute.server(
                self.server_id)))
            return 'WRONG: it does not end'
        self._settle(began)
        return self._judge(plan)  # the next case writes over the record

    def _until_closed(self, processes, began) -> bool:
        """Let the advancers go on; for those that are killed comes one."""
        end = time.monotonic() + _PATIENCE
        arguments = (
            {**self.faults.endpoints, 'volume': self.faults.endpoints[
                'volume'] % {'project_id': self.cloud.project_id}},
            self.cloud.session.get_token(), self.cloud.project_id,
            self.server_id, self.server_id, began,
            _POLL * self.advancers)
        while time.monotonic() < end:
            if self.given_up.is_set():
                raise KeyboardInterrupt
            started = [self.context.Process(target=advancer.run,
                                            args=arguments)
                       for _ in range(1 if processes else self.advancers)]
            processes += started
            for process in started:
                process.start()
            for process in started:
                process.join(max(0, end - time.monotonic()))
            if not journal.read(self.cloud.compute.server(
                    self.server_id)).open:
                return True
        return False

    def _settle(self, began) -> None:
        """Whoever opens the page next looks at it once more.

        Who had asked for something and learns late that the run was closed
        meanwhile opens it again, by design.
        """
        run = journal.read(self.cloud.compute.server(self.server_id))
        run = reconcile.advance(self.cloud, run, advancer.clock(began))
        self.cloud.advance_until(run, lambda run: not run.open,
                                 'it is over', advancer.clock(began))
        waiting.until(lambda: not self.cloud.compute.server(
            self.server_id).task_state, 'idle')

    def _judge(self, plan) -> str:
        server = self.cloud.compute.server(self.server_id)
        progress = journal.read(server).progress
        images = self.cloud.images.images(10, {marks.RUN: plan.run_id})
        snapshots = [
            snapshot for snapshot in self.cloud.volumes.snapshots(
                10, {'metadata': {marks.RUN: plan.run_id}})
            if snapshot.status != 'deleting']
        found = (sorted(image.status for image in images),
                 sorted(snapshot.status for snapshot in snapshots))
        self._remove(images, snapshots)
        if server.status != 'ACTIVE':
            return f'WRONG: left {server.status} {progress}'
        if progress.captured_at and found == (['active'], ['available']):
            return progress.failure or 'done'
        if not progress.captured_at and progress.failure and found == ([], []):
            return progress.failure
        return f'WRONG: {found} {progress.failure} {progress.detail}'

    def _remove(self, images, snapshots) -> None:
        for image in images:
            self.cloud.images.delete(image.id)
        for snapshot in snapshots:
            try:
                self.cloud.volumes.delete_snapshot(snapshot.id)
            except errors.Refused:
                pass


def table(results) -> str:
    """How each case ended, for people."""
    lines = ['', f'{"step":20} {"fault":14} {"advancers":>9}  end']
    lines += [f'{step:20} {kind:14} {number:>9}  {end}'
              for (step, kind, number), end in results.items()]
    counts = collections.Counter(results.values())
    return '\n'.join([*lines, f'{len(results)} cases: '
                      + ', '.join(f'{number} {end}'
                                  for end, number in counts.most_common())])
