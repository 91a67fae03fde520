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

"""Look at the bytes of a snapshot, and note what they say.

An image of a local root disk can be read by who may launch it. What Cinder
keeps can be read by nobody but an instance.
"""

import dataclasses
import datetime
import logging

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types
from snapshot_dashboard.inspection import disks
from snapshot_dashboard.inspection import file_systems
from snapshot_dashboard.inspection import partitions

LOG = logging.getLogger(__name__)
#: On an image: the verdict, when it was found, and of what data.
CHECKED = 'snapshot_dashboard_checked'
#: Words of such a note: those three, and a kind for each partition.
_WORDS = 3 + partitions.MOST + 1


@dataclasses.dataclass(frozen=True)
class Report:
    """What was found, and when.

    :ivar verdict: unknown also where it could not be looked at.
    :ivar kinds: of the file systems, in the order of the disk.
    """

    verdict: file_systems.State
    at: datetime.datetime
    kinds: tuple[str, ...] = ()


def can_check(image: types.Image) -> bool:
    """Whether there is something to be looked at."""
    return (image.status == 'active' and not image.volume_backed
            and bool(image.size_bytes) and bool(image.data_digest))


def check(cloud: services.Cloud, image: types.Image,
          now: datetime.datetime) -> Report:
    """Look at an image, and note on it what was found.

    Where it cannot be looked at, what was noted before stays.

    :raises ServiceError: when Glance gives no data, or takes no note.
    """
    try:
        found = _look(cloud, image)
    except disks.Unreadable as unreadable:
        LOG.info('Image %s was not looked at: %s', image.id, unreadable)
        return Report(file_systems.State.UNKNOWN, now)
    report = Report(_together(found), now, tuple(one.kind for one in found))
    cloud.images.set_properties(image.id, {CHECKED: ' '.join([
        report.verdict.value, str(int(now.timestamp())), image.data_digest,
        *report.kinds])})
    return report


def read(image: types.Image) -> Report | None:
    """What was noted of just this data; None for nothing.

    Those that inherit the properties of an image have other data.
    """
    verdict, at, digest, *kinds = (
        image.properties.get(CHECKED, '').split() + [''] * 3)[:_WORDS]
    moment = types.whole_number(at)
    if not digest or digest != image.data_digest or moment is None:
        return None
    try:
        return Report(
            file_systems.State(verdict), datetime.datetime.fromtimestamp(
                moment, datetime.UTC), tuple(kind for kind in kinds if kind))
    except (ValueError, OverflowError, OSError):
        return None


def _look(cloud: services.Cloud,
          image: types.Image) -> list[file_systems.Found]:
    file = disks.File(_Data(cloud, image.id), image.size_bytes)
    disk = disks.opened(file, image.properties.get('disk_format', ''))
    parts, whole = partitions.find(disk)
    found = [one for part in parts if (one := file_systems.probe(part))]
    return found if whole else [*found, file_systems.OTHER]


class _Data:
    """An image's data, from a store that gives parts, or its beginning."""

    def __init__(self, cloud: services.Cloud, image_id: str) -> None:
        self._cloud, self._image_id = cloud, image_id
        self._beginning: bytes | None = None

    def __call__(self, offset: int, length: int) -> bytes:
        if self._beginning is None:
            try:
                start, found = self._cloud.images.read(
                    self._image_id, offset, length)
            except errors.Refused as error:
                raise disks.Unreadable(f'Glance gives no part: {error}'
                                       ) from error
            if start == offset and len(found) <= length:
                return found
            self._beginning = found
        return self._beginning[offset:offset + length]


def _together(found: list[file_systems.Found]) -> file_systems.State:
    """How a disk stands by the worst of its file systems that matter."""
    states = {one.state for one in found if one.matters}
    return next((state for state in file_systems.State if state in states),
                file_systems.State.UNKNOWN)
