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

"""Get one or several snapshots by the ids of their rows."""

from collections.abc import Sequence
import functools
import time

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.snapshots import row_builder
from snapshot_dashboard.snapshots import sets


def snapshot(cloud: services.Cloud, row_id: str,
             shared: bool = False) -> model.Snapshot:
    """A snapshot by the id of its row.

    :param shared: whether another project's will do, that it shares.
    :raises ServiceError: ``NotFound`` also for a malformed id and for a
        snapshot of another project.
    """
    return complete(cloud, entry(cloud, row_id, shared))


def several(cloud: services.Cloud, row_ids: Sequence[str]
            ) -> tuple[list[model.Snapshot], list[errors.ServiceError]]:
    """Several snapshots by the ids of their rows, without what needs them.

    :returns: those that are there, and why it is not known of others.
    """
    answers = cloud.gather(*(
        functools.partial(entry, cloud, row_id)
        for row_id in dict.fromkeys(row_ids)))
    found = [answer for answer in answers
             if isinstance(answer, (types.Image, types.VolumeSnapshot))]
    made, _, _ = row_builder.build(
        cloud, found, found, sets.Belonging(), row_builder.SourceCache(),
        None, time.time())
    return made, errors.among(answers, errors.NotFound)


def summary(cloud: services.Cloud, row_id: str) -> model.Snapshot:
    """The same in one call: without names and the states of parts.

    :raises ServiceError: as :func:`snapshot`.
    """
    return model.summary(entry(cloud, row_id, shared=True))


def complete(cloud: services.Cloud,
             found: types.Image | types.VolumeSnapshot) -> model.Snapshot:
    """The row of what a service told, with all names and parts."""
    belonging = sets.find_all(
        cloud, [found.id], sets.FEW_PAGES,
        claimed={sets.image_id(found)} - {''}
    ) if isinstance(found, types.VolumeSnapshot) else sets.Belonging()
    (made,), _, _ = row_builder.build(
        cloud, [found], [], belonging, row_builder.SourceCache(), None,
        time.time())
    return made


def entry(cloud: services.Cloud, row_id: str, shared: bool = False
          ) -> types.Image | types.VolumeSnapshot:
    """What its service tells of a snapshot.

    :param shared: as for :func:`snapshot`.
    :raises ServiceError: as :func:`snapshot`.
    """
    try:
        kind, service_id = model.parse_row_id(row_id)
    except ValueError:
        raise errors.NotFound('image', f'no such row: {row_id!r}') from None
    if kind is kinds.Kind.VOLUME:
        return cloud.volumes.snapshot(service_id)
    image = cloud.images.image(service_id)
    if image.owner != cloud.project_id and not (
            shared and image.visibility == 'shared'):
        # Glance shows public images and those of others that were shared.
        raise errors.NotFound('image', f'{service_id} is not this project\'s')
    return image
