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

"""A virt driver without a hypervisor, but with disks that hold real bytes.

It is loaded as ``nova.virt.hypervisor``. Below Nova's own fake driver it
adds what a snapshot dashboard can see: root disks that are copies of their
images, snapshots uploaded to Glance with the metadata that the libvirt
driver gives them, power states that survive a restart, and knobs.
"""

import json
import os
import pathlib
import shutil
import time

from nova import exception
from nova.compute import power_state
from nova.compute import task_states
import nova.conf
from nova.image import glance
from nova.virt import fake
from nova.virt import node

from tests.cloud import knobs

CONF = nova.conf.CONF
#: Seconds that a guest takes to shut down, as quick ones do.
_SHUTDOWN = 2


class FileDriver(fake.FakeDriver):
    """Instances as directories below Nova's state path."""

    def __init__(self, virtapi, read_only=False):
        super().__init__(virtapi, read_only)
        self._images = glance.API()
        self._home = pathlib.Path(CONF.state_path) / 'instances'
        self._knobs = knobs.Knobs(os.environ['SNAPSHOT_CLOUD_KNOBS'])

    def init_host(self, host):
        super().init_host(host)
        self._home.mkdir(parents=True, exist_ok=True)
        for record in self._home.glob('*/power.json'):
            kept = json.loads(record.read_text())
            uuid = record.parent.name
            self.instances[uuid] = fake.FakeInstance(
                kept['name'], kept['state'], uuid)

    def get_available_resource(self, nodename):
        resources = super().get_available_resource(nodename)
        # The fake driver makes up another node at each start, and
        # nova-compute then refuses to start.
        resources['uuid'] = node.get_local_node_uuid()
        return resources

    def get_nodenames_by_uuid(self, refresh=False):
        return {node.get_local_node_uuid(): self.get_available_nodes()[0]}

    def spawn(self, context, instance, image_meta, *args, **kwargs):
        super().spawn(context, instance, image_meta, *args, **kwargs)
        disk = self._disk(instance)
        disk.parent.mkdir(parents=True, exist_ok=True)
        if instance.image_ref:
            self._images.download(context, instance.image_ref,
                                  dest_path=str(disk))
        self._note_power(instance, self.instances[instance.uuid].state)

    def destroy(self, context, instance, *args, **kwargs):
        super().destroy(context, instance, *args, **kwargs)
        shutil.rmtree(self._disk(instance).parent, ignore_errors=True)

    def power_off(self, instance, timeout=0, retry_interval=0):
        names = (instance.display_name, instance.uuid)
        if self._knobs.setting('server.stop', *names).get('deaf'):
            time.sleep(timeout)
        elif timeout and self.instances[instance.uuid].state == (
                power_state.RUNNING):
            time.sleep(_SHUTDOWN)
        self._knobs.obey('server.stop', *names)
        super().power_off(instance, timeout, retry_interval)
        self._note_power(instance, power_state.SHUTDOWN)

    def power_on(self, context, instance, *args, **kwargs):
        self._knobs.obey('server.start', instance.display_name, instance.uuid)
        super().power_on(context, instance, *args, **kwargs)
        self._note_power(instance, power_state.RUNNING)

    def get_console_output(self, context, instance):
        return self._knobs.setting(
            'server.console', instance.display_name, instance.uuid).get(
                'says', f'Linux version 6.1\n{instance.hostname} login: ')

    def pause(self, instance):
        self._note_power(instance, power_state.PAUSED)

    def unpause(self, instance):
        self._note_power(instance, power_state.RUNNING)

    def suspend(self, context, instance):
        self._note_power(instance, power_state.SUSPENDED)

    def resume(self, context, instance, *args, **kwargs):
        self._note_power(instance, power_state.RUNNING)

    def snapshot(self, context, instance, image_id, update_task_state):
        if instance.uuid not in self.instances:
            raise exception.InstanceNotRunning(instance_id=instance.uuid)
        names = (instance.display_name, instance.uuid)
        name = self._images.get(context, image_id)['name']
        update_task_state(task_state=task_states.IMAGE_PENDING_UPLOAD)
        running = self.instances[instance.uuid].state
        if self._knobs.setting('server.snapshot', *names).get('saves_guest'):
            self._note_power(instance, power_state.SHUTDOWN)
        self._knobs.obey('server.snapshot', *names)
        self._note_power(instance, running)
        update_task_state(task_state=task_states.IMAGE_UPLOADING,
                          expected_state=task_states.IMAGE_PENDING_UPLOAD)
        with open(self._disk(instance), 'rb') as disk:
            self._images.update(
                context, image_id, self._metadata(instance, name),
                _Upload(disk, lambda: self._knobs.obey(
                    'server.upload', *names)))

    def _metadata(self, instance, name):
        """What libvirt's driver tells Glance of a snapshot."""
        properties = {
            'kernel_id': instance.kernel_id,
            'image_location': 'snapshot',
            'image_state': 'available',
            'owner_id': instance.project_id,
            'ramdisk_id': instance.ramdisk_id,
        }
        if instance.os_type:
            properties['os_type'] = instance.os_type
        return {'status': 'active', 'name': name, 'properties': properties,
                'disk_format': 'raw', 'container_format': 'bare'}

    def _disk(self, instance):
        return self._home / instance.uuid / 'disk'

    def _note_power(self, instance, state):
        self.instances[instance.uuid].state = state
        record = self._disk(instance).parent / 'power.json'
        record.write_text(json.dumps({'name': instance.name, 'state': state}))


class _Upload:
    """A disk on its way to Glance, which the knob of the upload can hold.

    The knob acts after the first bytes, when Glance has put the image into
    ``saving`` already.
    """

    def __init__(self, disk, between):
        self._disk = disk
        self._between = between

    def read(self, size=-1):
        block = self._disk.read(size)
        if not block and self._between:
            self._between()
            self._between = None
        return block

    def close(self):
        self._disk.close()
