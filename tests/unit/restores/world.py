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

"""An instance and its snapshots, below services that are faked."""

import functools
import json

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types
from snapshot_dashboard.restores import restore
from snapshot_dashboard.restores import restoring
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import seals
from tests import fakes

SEAL = seals.Seal('secret')
_FIELDS = ('id', 'name', 'status', 'size', 'owner', 'created_at', 'protected',
           'checksum', 'min_disk', 'min_ram', 'visibility', 'disk_format',
           'container_format', 'tags', 'os_hidden', 'updated_at')


class World:
    """One instance with what it can be put back to.

    What a disk holds is a word; a snapshot has that of its moment.
    """

    def __init__(self, openstack, volume_backed, status='ACTIVE', swaps=0):
        self.openstack, self.after = openstack, 0
        self.holds, self.snapshot_of = {}, {}
        #: What was overwritten by whom: disk, by what image, what was there.
        self.overwritten = []
        self.server = openstack.server(
            status=status, image=None if volume_backed else {
                'id': fakes.new_id(1)}, created=fakes.stamp(0))
        self.volumes = []
        self.data = [openstack.volume(f'data-{number}', metadata={})
                     for number in range(swaps)]
        for number, volume in enumerate(self.data):
            openstack.attach(self.server, volume, f'/dev/vd{"bcd"[number]}')
        if volume_backed:
            for number in range(2):
                volume = openstack.volume(
                    bootable=str(number == 0).lower(), metadata={},
                    volume_image_metadata={'os_type': 'linux'}
                    if number == 0 else {})
                openstack.attach(self.server, volume,
                                 f'/dev/vd{"abcdef"[number]}')
                self.volumes.append(volume)
        self.write('A')
        self.image = self.home = self._capture()
        self.write('B')

    @property
    def disks(self):
        """The names of what the instance's data is on."""
        return ([] if self.volumes else [self.server['id']]) + [
            one['id'] for one in self.server[
                'os-extended-volumes:volumes_attached']]

    def write(self, word):
        for disk in self.disks:
            self.holds[disk] = word

    def content(self):
        return [self.holds[disk] for disk in self.disks]

    def _capture(self):
        """The snapshot that is there from the beginning."""
        self.taken = [self.openstack.snapshot(
            'before', volume_id=volume['id'], size=volume['size'])
            for volume in self.data]
        self.snapshot_of.update((one['id'], 'A') for one in self.taken)
        if not self.volumes:
            image = self.openstack.image('before', instance_uuid=self.server[
                'id'])
            self.snapshot_of[image['id']] = 'A'
            return image
        snapshots = []
        for volume in self.volumes:
            snapshots.append(self.openstack.snapshot(
                'before', volume_id=volume['id'], size=volume['size']))
            self.snapshot_of[snapshots[-1]['id']] = 'A'
        return self.openstack.set_image('before', snapshots,
                                        instance_uuid=self.server['id'])

    def clock(self):
        return fakes.seconds(self.after)

    @functools.cached_property
    def cloud(self):
        """One that makes its calls one after the other: who comes between
        them does so in the same thread.
        """
        cloud = self.openstack.cloud()
        cloud.gather = lambda *calls: list(map(services._attempt, calls))
        return cloud

    def plan_disks(self):
        mapping = {self.openstack.snapshots[entry['snapshot_id']][
            'volume_id']: entry['snapshot_id'] for entry in json.loads(
                self.image.get('block_device_mapping', '[]'))
            if entry['source_type'] == 'snapshot'}
        return [restore.Disk(volume['id'], mapping[volume['id']],
                             volume['size'], number == 0, number == 0)
                for number, volume in enumerate(self.volumes)]

    def begin(self, safety=True, run_again=True, root=True):
        """Begin a restore.

        :param root: whether the root disk goes back, too.
        """
        cloud = self.cloud
        server = cloud.compute.server(self.server['id'])
        safety_plan = lifecycle.new_plan(
            'safety', '', requested_by='alice', server_id=server.id,
            seal=SEAL, clock=self.clock, power_off=server.status == 'ACTIVE',
            volume_backed=bool(self.volumes)) if safety else None
        swaps = tuple(
            restore.Swap(volume['id'], taken['id'], volume['size'],
                         volume['name'], f'/dev/vd{"bcd"[number]}')
            for number, (volume, taken) in enumerate(
                zip(self.data, self.taken, strict=True)))
        begun = restoring.begin(cloud, server, restoring.Wish(
            cloud.images.image(self.image['id']) if root else None,
            tuple(self.plan_disks()), swaps, run_again, 'alice', 3600,
            self._latest(), safety_plan), SEAL, self.clock)
        self.home = self.openstack.images[begun.plan.home_id]
        return begun

    def _latest(self):
        done = self.openstack.done.get(self.server['id'])
        return done[0]['request_id'] if done else ''

    def approves(self, found):
        return restoring.approves(SEAL, found)

    def dismiss(self):
        restoring.dismiss(self.cloud, self.server['id'], self.approves)

    def recorded(self):
        return restore.read(types.Image.from_api(self.home))

    def advance(self, found=None):
        return restoring.advance(
            self.cloud, found or self.recorded(), self.approves, self.clock)

    def tick(self, seconds=3):
        """What the services do by themselves within some seconds."""
        self.after += seconds
        self.openstack.now = self.after
        server = self.server
        task, server['OS-EXT-STS:task_state'] = (
            server['OS-EXT-STS:task_state'], None)
        if task == 'powering-off':
            server['status'] = 'SHUTOFF'
        elif task == 'powering-on':
            server['status'] = 'ACTIVE'
        elif task == 'rebuilding':
            self.rebuilt()
        elif task == 'shelving':
            server['status'] = 'SHELVED_OFFLOADED'
            self._volumes('reserved')
        elif task == 'unshelving':
            if all(volume['status'] == 'reserved' for volume in self.volumes):
                server['status'] = 'ACTIVE'
                self._volumes('in-use')
        self._captured(task)
        self._moved()
        for volume in self.volumes:
            if volume['status'] == 'downloading':
                self.copied(volume)

    def _moved(self):
        """Volumes come and go."""
        for volume in list(self.openstack.volumes.values()):
            if volume['status'] == 'creating':
                volume['status'] = 'available'
                self.holds[volume['id']] = self.snapshot_of[
                    volume['snapshot_id']]
            elif volume['status'] == 'attaching':
                volume['status'] = 'in-use'
            elif volume['status'] == 'detaching':
                self.openstack.detach(self.server, volume)
            elif volume['status'] == 'deleting':
                del self.openstack.volumes[volume['id']]

    def _captured(self, task):
        for image in self.openstack.images.values():
            if image['status'] == 'queued' and (
                    task == 'image_snapshot_pending'):
                fakes.finish(image)
                self.snapshot_of[image['id']] = self.content()[0]
        for snapshot in self.openstack.snapshots.values():
            if snapshot['status'] == 'creating':
                snapshot['status'] = 'available'
                self.snapshot_of[snapshot['id']] = self.holds[
                    snapshot['volume_id']]

    def fail_rebuild(self, number=0):
        """Nova fails at a rebuild, if it is at one."""
        if self.server['OS-EXT-STS:task_state'] == 'rebuilding':
            self.server.update({'status': 'ERROR', 'fault': {
                'message': 'No valid host'}, 'OS-EXT-STS:task_state': None})
            self.openstack.events[self._latest()] = {'result': 'Error'}

    def rebuilt(self):
        image_id = self.server['image']['id']
        self._overwrite(self.server['id'], image_id,
                        self.snapshot_of[image_id])
        self.server['status'] = ('SHUTOFF' if self.server['status'] == 'ERROR'
                                 else self.server['status'])

    def _overwrite(self, disk, image_id, content):
        self.overwritten.append((disk, image_id, self.holds[disk]))
        self.holds[disk] = content

    def copied(self, volume):
        image = self.openstack.images[volume.pop('being')]
        (mapped,) = json.loads(image['block_device_mapping'])
        self._overwrite(volume['id'], image['id'],
                        self.snapshot_of[mapped['snapshot_id']])
        volume.update({
            'status': volume.pop('before'), 'bootable': 'true',
            'volume_image_metadata': {
                'image_id': image['id'], 'min_disk': '0', **{
                    name: value for name, value in image.items()
                    if name not in _FIELDS}}})

    def _volumes(self, status):
        for volume in self.volumes:
            if not volume['status'].startswith('error'):
                volume['status'] = status

    def until(self, status):
        """Look until the instance is in a state."""
        while self.server['status'] != status:
            self.advance()
            self.tick()

    def finish(self, looks=200, meanwhile=None):
        """Look until it is over; the restore as it is then."""
        for number in range(looks):
            try:
                found = self.advance()
            except errors.ServiceError:
                found = self.recorded()
            if not found.open:
                return found
            if meanwhile:
                meanwhile(number)
            self.tick()
        raise AssertionError(f'it does not end: {found}')

    def safety_image(self, found):
        return self.openstack.images[found.progress.safety_id]

    def safety_holds(self, found):
        """What the safety snapshot holds."""
        image = self.safety_image(found)
        if not self.volumes:
            return [self.snapshot_of[image['id']]]
        return [self.snapshot_of[entry['snapshot_id']]
                for entry in json.loads(image['block_device_mapping'])
                if entry['source_type'] == 'snapshot']

    def run(self):
        return journal.read(types.Server.from_api(self.server))
