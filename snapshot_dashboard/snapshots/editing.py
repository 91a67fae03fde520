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

"""What a snapshot's owner may change of it."""

import dataclasses
import datetime

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types
from snapshot_dashboard.snapshots import model


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


def edit(cloud: services.Cloud, found: types.Image | types.VolumeSnapshot,
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
        cloud.images.set_properties(found.id, {
            'name': wish.name, 'protected': wish.protected,
            marks.DESCRIPTION: wish.description, **expiry}, remove=dropped)
        return
    if expiry:
        cloud.volumes.set_snapshot_metadata(found.id, expiry)
    if dropped:
        cloud.volumes.delete_snapshot_metadata(found.id, dropped)
    cloud.volumes.edit_snapshot(found.id, wish.name, wish.description)
