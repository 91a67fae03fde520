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

"""A Cinder driver that keeps volumes and snapshots as sparse files."""

import contextlib
import os
import pathlib
import shutil
import signal

from cinder.image import image_utils
from cinder.volume import driver
from cinder.volume import volume_utils
from oslo_config import cfg

from tests.cloud import knobs

CONF = cfg.CONF
GIB = 1024 ** 3


class FileDriver(driver.VolumeDriver):
    """Volumes as files below Cinder's state path."""

    VERSION = '1.0'

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._home = pathlib.Path(CONF.state_path) / 'volumes'
        self._knobs = knobs.Knobs(os.environ['SNAPSHOT_CLOUD_KNOBS'])

    def check_for_setup_error(self):
        self._home.mkdir(parents=True, exist_ok=True)

    def _update_volume_stats(self):
        self._stats = {
            'volume_backend_name':
                self.configuration.safe_get('volume_backend_name'),
            'vendor_name': 'snapshot-dashboard',
            'driver_version': self.VERSION,
            'storage_protocol': 'file',
            'total_capacity_gb': 100000,
            'free_capacity_gb': 90000,
            'reserved_percentage': 0,
            'multiattach': True,
            'sparse_copy_volume': True,
            'consistent_group_snapshot_enabled': True,
        }

    def local_path(self, volume):
        return str(self._home / volume.id)

    def create_volume(self, volume):
        self._knobs.obey('volume.create', volume.display_name, volume.id)
        self._make(volume, volume.size)

    def delete_volume(self, volume):
        pathlib.Path(self.local_path(volume)).unlink(missing_ok=True)

    def extend_volume(self, volume, new_size):
        os.truncate(self.local_path(volume), new_size * GIB)

    def create_snapshot(self, snapshot):
        self._knobs.obey('volume.snapshot', snapshot.display_name,
                         snapshot.id, snapshot.volume.display_name,
                         snapshot.volume_id)
        self._copy(snapshot.volume, snapshot)

    def delete_snapshot(self, snapshot):
        self._knobs.obey('volume.snapshot_delete', snapshot.display_name,
                         snapshot.id)
        self.delete_volume(snapshot)

    def create_volume_from_snapshot(self, volume, snapshot):
        self._knobs.obey('volume.create', volume.display_name, volume.id)
        self._copy(snapshot, volume)
        self.extend_volume(volume, volume.size)

    def create_cloned_volume(self, volume, src_vref):
        self._copy(src_vref, volume)
        self.extend_volume(volume, volume.size)

    def revert_to_snapshot(self, context, volume, snapshot):
        self._copy(snapshot, volume)
        self.extend_volume(volume, volume.size)

    def create_group(self, context, group):
        return {'status': 'available'}

    def delete_group(self, context, group, volumes):
        for volume in volumes:
            self.delete_volume(volume)
        return ({'status': 'deleted'},
                [{'id': volume.id, 'status': 'deleted'}
                 for volume in volumes])

    def update_group(self, context, group, add_volumes=None,
                     remove_volumes=None):
        return None, None, None

    def create_group_snapshot(self, context, group_snapshot, snapshots):
        for snapshot in snapshots:
            self.create_snapshot(snapshot)
        return None, None

    def delete_group_snapshot(self, context, group_snapshot, snapshots):
        for snapshot in snapshots:
            self.delete_snapshot(snapshot)
        return None, None

    def copy_image_to_volume(self, context, volume, image_service, image_id,
                             disable_sparse=False):
        path = self.local_path(volume)
        image_utils.fetch_to_raw(context, image_service, image_id, path,
                                 '1M', size=volume.size, run_as_root=False)
        os.truncate(path, volume.size * GIB)

    def copy_volume_to_image(self, context, volume, image_service,
                             image_meta):
        volume_utils.upload_volume(
            context, image_service, image_meta, self.local_path(volume),
            volume, run_as_root=False)

    def initialize_connection(self, volume, connector, **kwargs):
        # Of Nova's kinds this is the one of a plain file.
        return {'driver_volume_type': 'gpfs',
                'data': {'device_path': self.local_path(volume)}}

    def terminate_connection(self, volume, connector, **kwargs):
        """A file needs no disconnecting."""

    def ensure_export(self, context, volume):
        """A file needs no export."""

    def create_export(self, context, volume, connector):
        """A file needs no export."""

    def remove_export(self, context, volume):
        """A file needs no export."""

    def _make(self, volume, size):
        with open(self.local_path(volume), 'wb') as file:
            file.truncate(size * GIB)

    def _copy(self, source, target):
        """Copy what is written, and leave the holes.

        A back end takes one moment; this takes longer, so that whoever has
        the file open is held still meanwhile.
        """
        with (_held_still(self.local_path(source)),
              open(self.local_path(source), 'rb') as old,
              open(self.local_path(target), 'wb') as new):
            end = os.fstat(old.fileno()).st_size
            new.truncate(end)
            offset = 0
            while offset < end:
                try:
                    offset = os.lseek(old.fileno(), offset, os.SEEK_DATA)
                except OSError:
                    break  # nothing but a hole from here on
                hole = os.lseek(old.fileno(), offset, os.SEEK_HOLE)
                old.seek(offset)
                new.seek(offset)
                shutil.copyfileobj(_Part(old, hole - offset), new)
                offset = hole


@contextlib.contextmanager
def _held_still(path):
    writers = [int(process.name) for process in pathlib.Path('/proc').iterdir()
               if process.name.isdigit() and _has_open(process, path)
               and int(process.name) != os.getpid()]
    try:
        for writer in writers:
            os.kill(writer, signal.SIGSTOP)
        yield
    finally:
        for writer in writers:
            os.kill(writer, signal.SIGCONT)


def _has_open(process, path):
    try:
        return any(os.readlink(file) == path
                   for file in (process / 'fd').iterdir())
    except OSError:  # it has ended, or is another user's
        return False


class _Part:
    """The next so many bytes of a file, as something to read from."""

    def __init__(self, file, length):
        self._file = file
        self._left = length

    def read(self, size):
        block = self._file.read(min(size, self._left))
        self._left -= len(block)
        return block
