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
from collections.abc import Iterable
from collections.abc import Sequence
import dataclasses
import functools
import time
from typing import Any

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.snapshots import row_builder
from snapshot_dashboard.snapshots import sets

#: Images, and volume snapshots of each volume, that are looked at.
MOST = 100
#: Actions of an instance that are looked through: the most that Nova gives.
_ACTIONS = 1000
#: Seconds from the request for an image until Nova has made it; their clocks
#: add to it.
_AT_ONCE = 30
#: Volumes of an instance whose snapshots are looked for.
_VOLUMES = 20


class Unnamed(row_builder.SourceCache):
    """What they were taken of is known, and its name is not needed."""

    guesses = False

    def find(self, keys: Collection[row_builder.Key]) -> dict[row_builder.Key,
                                                              model.Source]:
        return {(kind, source_id): model.Source(kinds.Kind(kind), source_id)
                for kind, source_id in keys}


def find(cloud: services.Cloud, server: types.Server
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
    actions, *answers = cloud.gather(functools.partial(
        cloud.compute.actions, server.id, _ACTIONS), *calls)
    problems = errors.among(answers)
    entries = [entry for answer in answers if isinstance(answer, list)
               for entry in answer]
    images, found, vague = rows(cloud, entries, Unnamed())
    certain = _certain(server, images, actions if isinstance(
        actions, list) else [])
    found = [dataclasses.replace(row, source=dataclasses.replace(
        row.source, certain=row.id in certain,
        ephemeral_gib=server.ephemeral_gib))
        if row.source and row.kind is kinds.Kind.INSTANCE else row
        for row in found]
    return (sorted(found, key=lambda row: row.order, reverse=True),
            [*problems, *vague])


def rows(cloud: services.Cloud, entries: Iterable[kinds.Entry],
         names: row_builder.SourceCache
         ) -> tuple[list[types.Image], list[model.Snapshot],
                    list[errors.ServiceError]]:
    """The rows for images and volume snapshots, in no order.

    A volume snapshot that images need is in their rows, and has none.

    :returns: all images, the rows, and why some of it is not known.
    """
    entries = list(entries)
    images = {entry.id: entry for entry in entries
              if isinstance(entry, types.Image)}
    volumes = [entry for entry in entries
               if isinstance(entry, types.VolumeSnapshot)]
    belonging, _ = sets.find(cloud, volumes, images.values())
    images.update({image.id: image for needing in belonging.images.values()
                   for image in needing})
    shown: list[kinds.Entry] = [
        *images.values(),
        *(one for one in volumes if not belonging.of(one.id))]
    found, vague, _ = row_builder.build(
        cloud, shown, [*images.values(), *volumes], belonging, names, None,
        time.time())
    return list(images.values()), found, [*belonging.problems, *vague]


def _certain(server: types.Server, images: Iterable[types.Image],
             actions: Sequence[types.Action]) -> set[str]:
    """The images that certainly were made of an instance.

    What says so on an image goes along with copies of it, also by way of a
    volume. But our own marks name the call and its time, and Nova makes the
    image of a createImage at once, and remembers that.
    """
    images = list(images)
    copies = {image.id for image in images if marks.CALL in image.properties}
    copies -= {image.id for image in marks.originals(images)}
    made = [action.began for action in actions
            if action.name in ('createImage', 'createBackup')]
    return {image.id for image in images if image.id not in copies
            and marks.trusted(image.properties, image.created).get(
                marks.INSTANCE) == server.id
            or any(abs(image.created.timestamp() - began) <= _AT_ONCE
                   for began in made)}


def is_of(row: model.Snapshot, server: types.Server) -> bool:
    """Whether it certainly is a snapshot of the instance itself."""
    return (row.kind is kinds.Kind.INSTANCE and row.source is not None
            and row.source.certain and row.source.id == server.id)


def is_probably_of(row: model.Snapshot, server: types.Server) -> bool:
    """Whether it names the instance, or its root volume is attached now.

    What says so may have been copied, and that volume may have been another
    instance's when it was captured.
    """
    if row.kind is not kinds.Kind.INSTANCE or is_of(row, server):
        return False
    if row.source is not None:
        return row.source.id == server.id
    return row.root is not None and row.root.volume_id in server.volume_ids
