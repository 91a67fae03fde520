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

"""Sharing an instance snapshot with another project."""

from collections.abc import Iterable
import contextlib
import enum
import functools

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types
from snapshot_dashboard.snapshots import model

#: Images that are looked through for those of others.
_MOST = 1000


class Refusal(enum.Enum):
    """Why an image cannot be shared with single projects."""

    SET = 'set'
    OPEN = 'open'
    UNFINISHED = 'unfinished'


def refusal(image: types.Image) -> Refusal | None:
    """Why this one cannot; None when it can."""
    if image.volume_backed:
        # Cinder shares no snapshots, so nobody else could launch it.
        return Refusal.SET
    if image.visibility in ('public', 'community'):
        return Refusal.OPEN
    if image.status != 'active':
        return Refusal.UNFINISHED
    return None


def members(cloud: services.Cloud, image: types.Image) -> list[types.Member]:
    """With whom it is shared; Glance does not answer that of private ones."""
    if image.visibility != 'shared':
        return []
    return cloud.images.members(image.id)


def members_of(cloud: services.Cloud, snapshots: Iterable[model.Snapshot]
               ) -> dict[str, list[types.Member]]:
    """With whom each is shared that may be, by the ids of their rows.

    :returns: those are left out of which that is not known.
    """
    found = cloud.gather_named({
        snapshot.row_id: functools.partial(cloud.images.members, snapshot.id)
        for snapshot in snapshots if snapshot.shared})
    return {snapshot.row_id: answer for snapshot in snapshots
            if isinstance(answer := found.get(snapshot.row_id, []), list)}


def stop_sharing(cloud: services.Cloud, image: types.Image,
                 project_id: str) -> None:
    """Take a share back; with nobody left the image is private again.

    :raises ServiceError: ``NotFound`` when it is not shared with it.
    """
    if project_id not in [member.project_id
                          for member in members(cloud, image)]:
        raise errors.NotFound('image', project_id)
    cloud.images.remove_member(image.id, project_id)
    with contextlib.suppress(errors.ServiceError):
        # Asked anew: somebody may have shared it with another one meanwhile.
        if not cloud.images.members(image.id):
            _set_visibility(cloud, image, 'private')


def offered(cloud: services.Cloud) -> list[types.Image]:
    """The snapshots that other projects share and nobody has answered to.

    The project's own shared ones are among what Glance tells; so many that
    others' do not come are not looked through.
    """
    if cloud.sees_all:  # an administrator is shown all, offered or not
        return []
    found = cloud.images.images(_MOST, {
        'visibility': 'shared', 'member_status': 'pending',
        marks.IMAGE_TYPE: 'snapshot', 'status': 'active'})
    return [image for image in found if image.owner != cloud.project_id]


def is_offer(cloud: services.Cloud,
             found: types.Image | types.VolumeSnapshot) -> bool:
    """Whether it is a snapshot that another project shares."""
    return (isinstance(found, types.Image)
            and found.owner != cloud.project_id
            and found.properties.get(marks.IMAGE_TYPE) == 'snapshot')


def share(cloud: services.Cloud, image: types.Image, project_id: str) -> None:
    """Let another project use an image, once it has accepted it.

    Nova makes images ``private``, which have no members. One that could not
    be shared is private again.

    :raises ServiceError: ``Conflict`` when it is shared with it already.
    """
    private = image.visibility == 'private'
    if private:
        _set_visibility(cloud, image, 'shared')
    try:
        cloud.images.add_member(image.id, project_id)
    except errors.ServiceError:
        if private:
            with contextlib.suppress(errors.ServiceError):
                _set_visibility(cloud, image, 'private')
        raise


def _set_visibility(cloud: services.Cloud, image: types.Image,
                    visibility: str) -> None:
    cloud.images.set_properties(image.id, {'visibility': visibility})
