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

"""Cinder, as far as snapshots need it."""

from collections.abc import Mapping
import contextlib
import datetime
from typing import Any

from cinderclient import client as cinder_client
from cinderclient import exceptions as cinder_errors

from snapshot_dashboard.cloud import base
from snapshot_dashboard.cloud import ids
from snapshot_dashboard.cloud import types
from snapshot_dashboard.cloud import versions

#: From 3.66 a snapshot of an in-use volume needs no force; from 3.68 a volume
#: can be overwritten that is reserved for an instance.
MICROVERSION = '3.68'


class Volumes(base.Service):
    """The calls to Cinder. Every one may raise a ``ServiceError``."""

    name = 'volume'
    has_microversions = True

    def _connect(self) -> Any:
        return cinder_client.Client(
            versions.choose(self._endpoint, MICROVERSION),
            session=self._session, endpoint_override=self._endpoint)

    def volume(self, volume_id: str) -> types.Volume:
        ids.check('volume', volume_id)
        with self._calling() as cinder:
            volume = types.Volume.from_api(
                cinder.volumes.get(volume_id).to_dict())
            ids.require_own_project('volume', volume.project_id,
                                    self._project_id)
            return volume

    def volumes(self, limit: int, since: datetime.datetime | None = None
                ) -> list[types.Volume]:
        """The project's volumes, newest first.

        :param since: those alone that were made since then. Cinder filters
            them by time from microversion 3.60 on.
        """
        made = {'created_at': since.strftime('gte:%Y-%m-%dT%H:%M:%S')
                } if since else {}
        with self._calling() as cinder:
            found = cinder.volumes.list(
                limit=limit, sort='created_at:desc,id:desc',
                search_opts=made)
            return [types.Volume.from_api(volume.to_dict())
                    for volume in found]

    def made_for(self, metadata: Mapping[str, str]) -> list[types.Volume]:
        """The project's volumes with some metadata, a hundred at the most.

        A service that ignores the filter may give others, too.
        """
        with self._calling() as cinder:
            found = cinder.volumes.list(
                limit=100, search_opts={'metadata': dict(metadata)})
            return [types.Volume.from_api(volume.to_dict())
                    for volume in found]

    def create_volume(self, snapshot_id: str, size_gib: int, name: str,
                      metadata: Mapping[str, str]) -> None:
        """Begin a volume of a snapshot; it is there once it is
        ``available``.
        """
        with self._calling() as cinder:
            cinder.volumes.create(size_gib, snapshot_id=snapshot_id,
                                  name=name, metadata=dict(metadata))

    def rename_volume(self, volume_id: str, name: str) -> None:
        with self._calling() as cinder:
            cinder.volumes.update(volume_id, name=name)

    def delete_volume_metadata(self, volume_id: str, keys: list[str]) -> None:
        """Take metadata that is there from a volume."""
        with self._calling() as cinder:
            cinder.volumes.delete_metadata(volume_id, keys)

    def delete_volume(self, volume_id: str) -> None:
        with (self._calling() as cinder,
              contextlib.suppress(cinder_errors.NotFound)):
            cinder.volumes.delete(volume_id)

    def bootable(self) -> list[str]:
        """The ids of the newest volumes that can be booted from.

        A service that ignores the filter must not call others so.
        """
        with self._calling() as cinder:
            found = cinder.volumes.list(
                limit=types.BOOTABLE_MOST, sort='created_at:desc,id:desc',
                search_opts={'bootable': 'true'})
            return [volume.id for volume in found
                    if volume.bootable == 'true']

    def snapshot(self, snapshot_id: str) -> types.VolumeSnapshot:
        ids.check('volume', snapshot_id)
        with self._calling() as cinder:
            snapshot = types.VolumeSnapshot.from_api(
                cinder.volume_snapshots.get(snapshot_id).to_dict())
            ids.require_own_project('volume', snapshot.project_id,
                                    self._project_id)
            return snapshot

    def snapshots(self, limit: int,
                  filters: Mapping[str, Any] | None = None, *,
                  marker: str | None = None, by: str = 'created_at',
                  ascending: bool = False) -> list[types.VolumeSnapshot]:
        """Snapshots in an order.

        Cinder compares times in lists of volumes only (microversion 3.60),
        so a place in this list can be named by a marker alone.

        :param filters: ``name``, ``status``, ``volume_id``, or ``metadata``
            (from 3.22) with some of it.
        :param marker: the id of the snapshot before the first one.
        :param by: the field to sort by, then by id.
        """
        direction = 'asc' if ascending else 'desc'
        with self._calling() as cinder:
            found = cinder.volume_snapshots.list(
                limit=limit, marker=marker, search_opts=dict(filters or {}),
                sort=f'{by}:{direction},id:{direction}')
            return [types.VolumeSnapshot.from_api(snapshot.to_dict())
                    for snapshot in found]

    def create_snapshot(self, volume_id: str, name: str, description: str,
                        metadata: Mapping[str, str]) -> str:
        """Begin a snapshot; its id. It is taken once it is ``available``.

        A volume in use needs no ``force`` from 3.66, where it is ignored;
        before, it must be given.
        """
        with self._calling() as cinder:
            return str(cinder.volume_snapshots.create(
                volume_id, force=True, name=name, description=description,
                metadata=dict(metadata)).id)

    def set_snapshot_metadata(self, snapshot_id: str,
                              metadata: Mapping[str, str]) -> None:
        """Add metadata to a snapshot; the other stays."""
        with self._calling() as cinder:
            cinder.volume_snapshots.set_metadata(snapshot_id, dict(metadata))

    def edit_snapshot(self, snapshot_id: str, name: str,
                      description: str) -> None:
        with self._calling() as cinder:
            cinder.volume_snapshots.update(snapshot_id, name=name,
                                           description=description)

    def delete_snapshot_metadata(self, snapshot_id: str,
                                 keys: list[str]) -> None:
        """Take metadata that is there from a snapshot."""
        with self._calling() as cinder:
            cinder.volume_snapshots.delete_metadata(snapshot_id, keys)

    def reimage(self, volume_id: str, image_id: str) -> None:
        """Overwrite a volume with an image, or with the snapshot that it maps
        as the disk to boot from (from Cinder 26 on).

        It is ``downloading`` meanwhile, and ``error`` if that fails. Cinder
        notes at the volume, last, what the image says (Block Storage API,
        Reimage a volume, microversion 3.68).
        """
        with self._calling() as cinder:
            cinder.volumes.reimage(volume_id, image_id,
                                   reimage_reserved=True)

    def set_bootable(self, volume_id: str, bootable: bool) -> None:
        with self._calling() as cinder:
            cinder.volumes.set_bootable(volume_id, bootable)

    def set_image_metadata(self, volume_id: str,
                           metadata: Mapping[str, str]) -> None:
        """Let a volume say this of its image; the other stays."""
        with self._calling() as cinder:
            cinder.volumes.set_image_metadata(volume_id, dict(metadata))

    def delete_image_metadata(self, volume_id: str, keys: list[str]) -> None:
        """Take from a volume what it says of its image; in this order."""
        with self._calling() as cinder:
            for key in keys:
                # Somebody else may have taken it away: so be it.
                with contextlib.suppress(cinder_errors.NotFound):
                    cinder.volumes.delete_image_metadata(volume_id, [key])

    def delete_snapshot(self, snapshot_id: str) -> None:
        with self._calling() as cinder:
            cinder.volume_snapshots.delete(snapshot_id)

    def messages(self, limit: int) -> list[types.Message]:
        """What went wrong with volume snapshots, the latest first.

        Cinder keeps it for 30 days, if its operator did not change that
        (Messages, microversion 3.5).
        """
        with self._calling() as cinder:
            found = cinder.messages.list(
                limit=limit, sort='created_at:desc',
                search_opts={'resource_type': 'VOLUME_SNAPSHOT'})
            return [types.Message.from_api(message.to_dict())
                    for message in found]

    def quotas(self) -> dict[str, types.Quota]:
        """``snapshots`` and ``gigabytes``, in all and per volume type.

        Open to every reader of the project (Cinder API, Show quota usage).
        What is reserved for work under way counts as used.
        """
        with self._calling() as cinder:
            body = cinder.quotas.get(self._project_id, usage=True).to_dict()
            return {name: types.Quota(limit=quota['limit'],
                                      used=quota['in_use'] + quota['reserved'])
                    for name, quota in body.items() if isinstance(quota, dict)}
