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

"""What belongs to one instance."""

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Sequence
import functools
import time
from typing import Any

from snapshot_dashboard import cloud as clouds
from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import types
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.snapshots import rows
from snapshot_dashboard.snapshots import sets
from snapshot_dashboard.snapshots import streams
from snapshot_dashboard.snapshots.kinds import Kind

#: Images, and volume snapshots of each volume, that are looked at.
MOST = 100
#: Volumes of an instance whose snapshots are looked for.
_VOLUMES = 20


class _Unnamed(rows.Names):
    """What they were taken of is known, and its name is not needed."""

    def find(self, keys: Collection[rows.Key]) -> dict[rows.Key,
                                                       model.Source]:
        return {(kind, source_id): model.Source(Kind(kind), source_id)
                for kind, source_id in keys}


def find(cloud: clouds.Cloud, server: types.Server
         ) -> tuple[list[model.Snapshot], list[errors.ServiceError]]:
    """The snapshots of an instance and of its volumes, newest first.

    Nova writes on the image of a local disk whose it is, and on that of a
    volume-backed instance nothing; so the volumes that are attached lead to
    their snapshots, and those to their images.

    :returns: the snapshots, and why some may be missing.
    """
    calls: list[Callable[[], Any]] = []
    if cloud.has('image'):
        calls.append(functools.partial(cloud.images.images, MOST, {
            'owner': cloud.project_id, marks.INSTANCE_ID: server.id}))
    if cloud.has('volume'):
        calls += [functools.partial(cloud.volumes.snapshots, MOST,
                                    {'volume_id': volume_id})
                  for volume_id in server.volume_ids[:_VOLUMES]]
    answers = cloud.together(*calls)
    problems = [answer for answer in answers
                if isinstance(answer, errors.ServiceError)]
    entries = [entry for answer in answers if isinstance(answer, list)
               for entry in answer]
    images = {entry.id: entry for entry in entries
              if isinstance(entry, types.Image)}
    volumes = [entry for entry in entries
               if isinstance(entry, types.VolumeSnapshot)]
    owners, lost, _ = sets.find_owners(cloud, volumes,
                                       sets.owners(images.values()))
    images.update({image.id: image for image in owners.values()})
    shown: list[streams.Entry] = [
        *images.values(), *(one for one in volumes if one.id not in owners)]
    found, vague, _ = rows.make(
        cloud, shown, [*images.values(), *volumes], owners,
        problems + lost, _Unnamed(), None, time.time())
    return (sorted(found, key=lambda row: row.order, reverse=True),
            [*problems, *lost, *vague])


def is_of(row: model.Snapshot, server: types.Server) -> bool:
    """Whether it is a snapshot of the instance itself.

    A volume may have been another instance's, and be in snapshots of that.
    """
    if row.kind is not Kind.INSTANCE:
        return False
    if row.source is not None:
        return row.source.id == server.id
    return row.root is not None and row.root.volume_id in server.volume_ids


def older(found: Sequence[model.Snapshot], server: types.Server,
          keep: int) -> list[model.Snapshot]:
    """The instance's snapshots that are older than the newest good ones.

    :param found: newest first, as :func:`find` gives them.
    :param keep: how many good ones are kept.
    """
    mine = [row for row in found if is_of(row, server)]
    good = [row for row in mine if row.usable]
    return [row for row in mine if len(good) >= keep
            and row.order < good[keep - 1].order]
