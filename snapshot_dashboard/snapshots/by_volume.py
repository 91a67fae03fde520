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

"""What belongs to one volume."""

from collections.abc import Collection

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.snapshots import by_instance
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.snapshots import row_builder


class _Known(by_instance.Unnamed):
    """The volume is known, and no name of an instance is needed."""

    def __init__(self, volume: model.Source) -> None:
        self._volume = volume

    def find(self, keys: Collection[row_builder.Key]
             ) -> dict[row_builder.Key, model.Source]:
        own = self._volume.kind.value, self._volume.id
        return {**super().find(keys), own: self._volume}


def find(cloud: services.Cloud, volume: model.Source
         ) -> tuple[list[model.Snapshot], list[errors.ServiceError]]:
    """The snapshots that hold a volume, newest first.

    :returns: the snapshots, those of instances among them, and why some may
        be missing.
    :raises ServiceError: when Cinder does not tell.
    """
    _images, found, problems = by_instance.rows(
        cloud, cloud.volumes.snapshots(by_instance.MOST,
                                       {'volume_id': volume.id}),
        _Known(volume))
    return sorted(found, key=lambda row: row.order, reverse=True), problems


def is_good(row: model.Snapshot, volume_id: str) -> bool:
    """Whether the volume's part of a snapshot can be used."""
    return row.usable or any(
        part.volume_id == volume_id and part.status == 'available'
        for part in row.parts)
