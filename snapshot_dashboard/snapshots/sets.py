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

"""Which volume snapshots belong to which instance snapshots.

An image names its parts: Nova's in its block device mapping, and chosen
volumes' in our mark. A volume snapshot names its image where the run that
made it came to its end; Nova's own are called after the image's name.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import functools

from snapshot_dashboard import cloud as clouds
from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import ids
from snapshot_dashboard.cloud import types

#: Seconds for which something may look as if nobody worked on it.
BEGUN_FOR = 600
#: How Nova calls the volume snapshots of an image (Nova, compute API).
_NOVA = 'snapshot for '


def part_ids(image: types.Image) -> list[str]:
    """The volume snapshots that belong to an image."""
    return [disk.snapshot_id for disk in image.disks] + [
        part for part in marks.parts(image.properties, image.created)]


def owners(images: Iterable[types.Image]) -> dict[str, types.Image]:
    """Images by the ids of their parts."""
    return {part: image for image in images for part in part_ids(image)}


def image_id(snapshot: types.VolumeSnapshot) -> str:
    """The image that a volume snapshot says it belongs to; else empty."""
    found = snapshot.metadata.get(marks.IMAGE, '')
    return found if ids.is_id(found) else ''


def image_name(snapshot: types.VolumeSnapshot) -> str:
    """The name of the image that Nova made it for; else empty."""
    return (snapshot.name.removeprefix(_NOVA)
            if snapshot.name.startswith(_NOVA) else '')


def find_owners(cloud: clouds.Cloud,
                snapshots: Iterable[types.VolumeSnapshot],
                known: Mapping[str, types.Image]
                ) -> tuple[dict[str, types.Image],
                           list[errors.ServiceError], int]:
    """Look up the images of volume snapshots that may be parts.

    :param known: images by the ids of their parts, which need no call.
    :returns: all images by the ids of their parts, what went wrong, and how
        many calls that took: two at the most, made at the same time.
    """
    calls = _lookups(cloud, [
        one for one in snapshots if one.id not in known])
    found, problems = dict(known), []
    for answer in cloud.together(*calls):
        if isinstance(answer, errors.ServiceError):
            problems.append(answer)
        else:
            found.update(owners(answer))
    return found, problems, len(calls)


def _lookups(cloud: clouds.Cloud, snapshots: Sequence[types.VolumeSnapshot]
             ) -> list[Callable[[], list[types.Image]]]:
    if not cloud.has('image'):
        return []
    image_ids = {image_id(one) for one in snapshots} - {''}
    names = {image_name(one) for one in snapshots if not image_id(one)}
    calls: list[Callable[[], list[types.Image]]] = []
    if image_ids:
        calls.append(functools.partial(_find, cloud, {
            'id': 'in:' + ','.join(sorted(image_ids))}))
    # Within its quotes Glance reads neither quotes nor backslashes.
    quotable = sorted(name for name in names - {''}
                      if '"' not in name and '\\' not in name)
    if quotable:
        calls.append(functools.partial(_find, cloud, {
            'bdm_v2': 'True',
            'name': 'in:' + ','.join(f'"{name}"' for name in quotable)}))
    return calls


def _find(cloud: clouds.Cloud,
          filters: Mapping[str, str]) -> list[types.Image]:
    return cloud.images.images(1000, {'owner': cloud.project_id, **filters})


def is_orphan(snapshot: types.VolumeSnapshot,
              known: Mapping[str, types.Image],
              problems: Iterable[errors.ServiceError], now: float) -> bool:
    """Whether it was part of an instance snapshot that is gone.

    :param known: images by the ids of their parts, those looked up too.
    :param problems: while Glance does not answer, nothing can be said.
    :param now: seconds since the epoch; for a while the image may be yet
        to come.
    """
    return (snapshot.id not in known
            and bool(image_id(snapshot) or image_name(snapshot))
            and now - snapshot.created.timestamp() > BEGUN_FOR
            and not any(error.service == 'image' for error in problems))
