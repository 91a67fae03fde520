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

"""One snapshot: look at it, edit it."""

from collections.abc import Sequence
import dataclasses
import datetime
import functools
import time

from snapshot_dashboard import cloud as clouds
from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import types
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.snapshots import rows
from snapshot_dashboard.snapshots import sets
from snapshot_dashboard.snapshots.kinds import Kind


def get(cloud: clouds.Cloud, row_id: str,
        shared: bool = False) -> model.Snapshot:
    """A snapshot by the id of its row.

    :param shared: whether another project's will do, that it shares.
    :raises ServiceError: ``NotFound`` also for a malformed id and for a
        snapshot of another project.
    """
    return row(cloud, entry(cloud, row_id, shared))


def rows_of(cloud: clouds.Cloud, row_ids: Sequence[str]
            ) -> tuple[list[model.Snapshot], list[errors.ServiceError]]:
    """Several snapshots by the ids of their rows, without what needs them.

    :returns: those that are there, and why it is not known of others.
    """
    answers = cloud.together(*(
        functools.partial(entry, cloud, row_id)
        for row_id in dict.fromkeys(row_ids)))
    found = [answer for answer in answers
             if isinstance(answer, (types.Image, types.VolumeSnapshot))]
    made, _, _ = rows.make(cloud, found, found, sets.Belonging(),
                           rows.Names(), None, time.time())
    return made, [answer for answer in answers
                  if isinstance(answer, errors.ServiceError)
                  and not isinstance(answer, errors.NotFound)]


def bare(cloud: clouds.Cloud, row_id: str) -> model.Snapshot:
    """The same in one call: without names and the states of parts.

    :raises ServiceError: as :func:`get`.
    """
    return model.bare(entry(cloud, row_id, shared=True))


def row(cloud: clouds.Cloud,
        found: types.Image | types.VolumeSnapshot) -> model.Snapshot:
    """The row of what a service told, with all names and parts."""
    belonging = sets.find_all(
        cloud, [found.id], sets.FEW_PAGES,
        claimed={sets.image_id(found)} - {''}
    ) if isinstance(found, types.VolumeSnapshot) else sets.Belonging()
    (made,), _, _ = rows.make(cloud, [found], [], belonging,
                              rows.Names(), None, time.time())
    return made


def entry(cloud: clouds.Cloud, row_id: str, shared: bool = False
          ) -> types.Image | types.VolumeSnapshot:
    """What its service tells of a snapshot.

    :param shared: as for :func:`get`.
    :raises ServiceError: as :func:`get`.
    """
    try:
        kind, service_id = model.parse_row_id(row_id)
    except ValueError:
        raise errors.NotFound('image', f'no such row: {row_id!r}') from None
    if kind is Kind.VOLUME:
        return cloud.volumes.snapshot(service_id)
    image = cloud.images.image(service_id)
    if image.owner != cloud.project_id and not (
            shared and image.visibility == 'shared'):
        # Glance shows public images and those of others that were shared.
        raise errors.NotFound('image', f'{service_id} is not this project\'s')
    return image


@dataclasses.dataclass(frozen=True)
class Edit:
    """What a snapshot's owner may change.

    :ivar protected: whether it cannot be deleted; of images only.
    :ivar expires: the last day on which it is wanted; None for no end.
    """

    name: str
    description: str
    protected: bool = False
    expires: datetime.date | None = None


def description(found: types.Image | types.VolumeSnapshot) -> str:
    """What its owner says of it."""
    if isinstance(found, types.VolumeSnapshot):
        return found.description
    return found.properties.get(marks.DESCRIPTION, '')


def edit(cloud: clouds.Cloud, found: types.Image | types.VolumeSnapshot,
         wish: Edit) -> None:
    """Change a snapshot.

    Glance does it in one go. Cinder keeps the date apart from the name, so
    of a volume snapshot the date comes first: should the rest fail, the form
    still shows what was meant.

    :raises ServiceError: when not all of it was changed.
    """
    expiry = marks.write_expiry(wish.expires, found.id) if wish.expires else {}
    there = model.properties(found)
    dropped = [key for key in (marks.EXPIRES, marks.EXPIRING)
               if key in there and key not in expiry]
    if isinstance(found, types.Image):
        cloud.images.mark(found.id, {
            'name': wish.name, 'protected': wish.protected,
            marks.DESCRIPTION: wish.description, **expiry}, remove=dropped)
        return
    if expiry:
        cloud.volumes.mark_snapshot(found.id, expiry)
    if dropped:
        cloud.volumes.unmark_snapshot(found.id, dropped)
    cloud.volumes.edit_snapshot(found.id, wish.name, wish.description)
