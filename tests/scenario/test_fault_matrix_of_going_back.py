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

"""Each kind of fault, at each step of a restore, on the real services.

The same proxy and the same processes as for runs; all kinds at all steps with
``SNAPSHOT_WHOLE_MATRIX=1``. Whatever happens, the instance has the disks of
its snapshot, or a reason why not and what it had; nothing is left over, and it
runs.
"""

import collections
import concurrent.futures
import multiprocessing
import threading
import time

import pytest

from snapshot_dashboard.restores import circumstances
from snapshot_dashboard.restores import restore
from snapshot_dashboard.restores import restoring
from snapshot_dashboard.restores import sight
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import record
from snapshot_dashboard.snapshots import fetch
from tests.scenario import advancer
from tests.scenario import clouds
from tests.scenario import proxy
from tests.scenario import test_going_back as going_back
from tests.scenario import waiting

#: The calls of a restore, as the proxy sees them.
BOTH = {
    'look at the server': r'^GET /v2.1/servers/[^/]+ ',
    'look at the record': r'^GET /v2/images/[^/?]+ ',
    'write down': r'^PATCH ',
    'power off': r'os-stop',
}
STEPS = {
    'image': {**BOTH, 'rebuild': r'"rebuild"', 'power on': r'os-start'},
    'volumes': {**BOTH, 'shelve': r'"shelve"',
                'point to the snapshot': r'^POST /v2/images ',
                'fill the pointer': r'^PUT ',
                'look at the volume': r'^GET .*/volumes/',
                'overwrite': r'os-reimage', 'unshelve': r'"unshelve"',
                'take the labels': r'os-unset_image_metadata',
                'remove the pointer': r'^DELETE /v2/images/'},
    # An image-backed instance with a volume that is exchanged.
    'exchange': {'make the volume': r'^POST .*/volumes ',
                 'look for the volume': r'^GET .*/volumes/detail',
                 'detach the old one': r'^DELETE .*/os-volume_attachments/',
                 'attach the new one': r'^POST .*/os-volume_attachments ',
                 'rename the old one': r'^PUT .*/volumes/'}}
CASES = [(kind, step, fault) for (kind, step), fault in proxy.cases(
    (kind, step) for kind, steps in STEPS.items() for step in steps)]
#: Instances of each kind.
LANES = 2
_PATIENCE = 300
_PLAYS = 3
_POLL = 1.0


@pytest.fixture(scope='module')
def lanes(where):
    """Instances of both kinds with A on their disks, and its snapshots."""
    cloud = clouds.connect(where, 'alice')
    made = {kind: [_Lane(cloud, where, kind) for _ in range(LANES)]
            for kind in STEPS}
    everything = [lane for lanes in made.values() for lane in lanes]
    for lane in everything:
        lane.finish()
    yield made
    for lane in everything:
        lane.remove()


class _Lane:
    """An instance, and the snapshot that it goes back to."""

    def __init__(self, cloud, where, kind):
        self.cloud, self.where = cloud, where
        self.volume_backed, self.exchanges = (
            kind == 'volumes', kind == 'exchange')
        source = cloud.find('batch-1').image_id
        flavor = next(flavor for flavor in cloud.nova.flavors.list()
                      if flavor.name == 'm1.tiny')
        self.server_id = cloud.nova.servers.create(
            clouds.unique('lane'), None if self.volume_backed else source,
            flavor, nics='none', **({'block_device_mapping_v2': [{
                'boot_index': 0, 'uuid': source, 'source_type': 'image',
                'destination_type': 'volume', 'volume_size': 1,
                'delete_on_termination': True}]} if self.volume_backed
                else {})).id

    @property
    def server(self):
        return self.cloud.compute.server(self.server_id)

    @property
    def disks(self):
        return going_back.Disks(self.where, self.server)

    def finish(self):
        waiting.until(lambda: self.server.status == 'ACTIVE', 'the lane runs')
        if self.exchanges:
            self.volume = going_back.attach_new(self.cloud, self.server)
        self.disks.write('A')
        self.before = self.disks.sums()
        run = self.cloud.finish(self.cloud.begin(
            self.server, clouds.unique('matrix'), power_off=False,
            volumes=self.server.volume_ids if self.exchanges else ()))
        self.image_id = run.progress.image_id
        lifecycle.dismiss(self.cloud, self.server_id)

    def spoil(self):
        """What the next case begins with: B on all disks, and the volume
        that the snapshot was taken of.
        """
        if self.exchanges and self.server.volume_ids != (self.volume.id,):
            self._detach()
            self.cloud.nova.volumes.create_server_volume(
                self.server_id, self.volume.id)
            waiting.until(lambda: self.server.volume_ids == (
                self.volume.id,), 'the old volume is back')
            self.cloud.volumes.rename_volume(self.volume.id, self.volume.name)
        self.disks.write('B')

    def _detach(self):
        for volume_id in self.server.volume_ids:
            self.cloud.nova.volumes.delete_server_volume(
                self.server_id, volume_id)
            waiting.until(lambda volume_id=volume_id: (
                volume_id not in self.server.volume_ids
                and going_back.is_deleted(self.cloud, volume_id)),
                'the new volume is gone')

    def remove(self):
        self.cloud.nova.servers.delete(self.server_id)
        waiting.until(lambda: clouds.is_gone(lambda: self.server),
                      'the lane is gone')
        clouds.delete_snapshots(self.cloud, fetch.snapshot(
            self.cloud, going_back.row(self.image_id)))
        if self.exchanges:
            going_back.remove_volumes(self.cloud, [self.volume.name])


@pytest.fixture(scope='module')
def played(request, where, faults, lanes):
    """How each case ends, by case; they are played at the same time."""
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(['tests.scenario.advancer'])
    free = {kind: collections.deque(there) for kind, there in lanes.items()}
    given_up = threading.Event()

    def play(case):
        kind, step, fault = case
        lane = free[kind].popleft()
        try:
            for _ in range(_PLAYS):
                struck = proxy.Fault(fault, STEPS[kind][step])
                end = _play(lane, faults, struck, context, given_up)
                if struck.struck or end.startswith('WRONG'):
                    return end
            return f'WRONG: the fault never came, {end}'
        finally:
            free[kind].append(lane)

    chosen = [item.callspec.params['case'] for item in request.session.items
              if item.module is request.module and hasattr(item, 'callspec')]
    pools = {kind: concurrent.futures.ThreadPoolExecutor(LANES)
             for kind in STEPS}
    try:
        plays = {case: pools[case[0]].submit(play, case) for case in chosen}
        concurrent.futures.wait(plays.values())
        return plays
    finally:
        # Who interrupts it does not wait for the cases that are left.
        for pool in pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
        given_up.set()
        for process in multiprocessing.active_children():
            process.kill()
        for pool in pools.values():
            pool.shutdown()


def _play(lane, faults, fault, context, given_up) -> str:
    """Put a lane back, by two advancers that meet with a fault."""
    cloud, began = lane.cloud, time.time()
    lane.spoil()
    facts = going_back.facts_of(cloud, lane.image_id)
    restoring.begin(cloud, facts.instance.server, restoring.Wish(
        facts.image, facts.disks, facts.swaps, True, 'matrix', 3600,
        facts.instance.latest_request), going_back.SEAL)
    faults.set(lane.server_id, fault)
    arguments = (
        {**faults.endpoints, 'volume': faults.endpoints[
            'volume'] % {'project_id': cloud.project_id}},
        cloud.session.get_token(), cloud.project_id, lane.server_id,
        lane.image_id, began, 2 * _POLL)
    processes = []
    end = time.monotonic() + _PATIENCE
    while (found := restore.read(cloud.images.image(lane.image_id))).open:
        if given_up.is_set():
            raise KeyboardInterrupt
        if time.monotonic() > end:
            return f'WRONG: it does not end {found.progress}'
        started = [context.Process(target=advancer.restore, args=arguments)
                   for _ in range(1 if processes else 2)]
        processes += started
        for process in started:
            process.start()
        for process in started:
            process.join(max(0, end - time.monotonic()))
    for process in processes:
        process.join(10)
        process.kill()
    waiting.until(lambda: not lane.server.task_state, 'idle')
    return _judge(lane, found)


def _judge(lane, found) -> str:
    server, same = lane.server, lane.disks.sums() == lane.before
    left = [image.id for image in lane.cloud.images.images(
                100, {'owner': lane.cloud.project_id})
            if image.properties.get(circumstances.POINTER, '').startswith(
                found.plan.run_id)]
    labelled = [volume_id for volume_id in server.volume_ids
                if circumstances.POINTER in lane.cloud.volumes.volume(
                    volume_id).image_properties]
    # Of new volumes there is the one that came in the place of the old.
    spare = [volume.id for volume in lane.cloud.volumes.volumes(100)
             if volume.metadata.get(sight.MADE_BY) == found.plan.run_id
             and volume.id not in server.volume_ids]
    if lane.exchanges and len(server.volume_ids) != 1:
        return f'WRONG: {server.volume_ids} {found.progress}'
    restoring.dismiss(lane.cloud, lane.server_id, lambda one: True)
    if server.status != 'ACTIVE' or left or labelled or spare or (
            record.is_being_restored(server)):
        return (f'WRONG: {server.status} {left} {labelled} {spare} '
                f'{server.tags} {found.progress}')
    if same != (not found.progress.failure):
        return f'WRONG: {same} {found.progress}'
    return found.progress.failure or 'done'


# The advancers are processes of their own, and nothing is to hold the proxy.
@pytest.mark.no_cover
@pytest.mark.parametrize('case', CASES, ids='-'.join)
def test_no_fault_at_any_step_breaks_a_restore(played, case):
    assert not played[case].result().startswith('WRONG')


@pytest.mark.no_cover
def test_most_faults_do_not_cost_the_restore(played):
    ends = [end.result() for end in played.values()]
    assert ends.count('done') > 0.9 * len(ends), collections.Counter(ends)
