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

"""What makes a snapshot impossible now."""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import enum
from typing import Any

from snapshot_dashboard.cloud import types
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import record


class Code(enum.Enum):
    """What may stand in the way of a snapshot."""

    STATE = 'state'
    BUSY = 'busy'
    RUN_OPEN = 'run-open'
    RESTORING = 'restoring'
    SWITCHING = 'switching'
    VOLUME_STATE = 'volume-state'
    QUOTA_SNAPSHOTS = 'quota-snapshots'
    QUOTA_GIGABYTES = 'quota-gigabytes'
    QUOTA_IMAGES = 'quota-images'
    QUOTA_IMAGE_SIZE = 'quota-image-size'
    QUOTA_METADATA = 'quota-metadata'
    QUOTA_TAGS = 'quota-tags'
    QUOTA_IMAGE_METADATA = 'quota-image-metadata'
    QUOTA_PROPERTIES = 'quota-properties'
    NO_VOLUME_SERVICE = 'no-volume-service'


@dataclasses.dataclass(frozen=True)
class Obstacle:
    """Something that makes a snapshot impossible now.

    :ivar facts: the numbers and names for the message, by the code's own
        words; ``left``, ``needed`` and ``limit`` with quotas.
    """

    code: Code
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def busy(server: types.Server) -> list[Obstacle]:
    """What the server is at that a run would have to wait for."""
    run = journal.read(server)
    if run is not None and run.open:
        return [Obstacle(Code.RUN_OPEN, {'name': run.plan.name})]
    if record.is_being_restored(server):
        return [Obstacle(Code.RESTORING)]
    if record.is_switching(server):
        return [Obstacle(Code.SWITCHING)]
    if server.task_state:
        return [Obstacle(Code.BUSY, {'task': server.task_state})]
    return []


def over_quota(quotas: Mapping[str, types.Quota],
               volumes: Sequence[tuple[str, int]]) -> list[Obstacle]:
    """For which quotas of Cinder these volumes' snapshots are too many.

    :param volumes: the type, or nothing, and the size in GiB of each.
    """
    counts: dict[str, int] = {'': 0}
    sizes: dict[str, int] = {'': 0}
    for kind, size_gib in volumes:
        for name in {'', f'_{kind}' if kind else ''}:
            counts[name] = counts.get(name, 0) + 1
            sizes[name] = sizes.get(name, 0) + size_gib
    found = []
    for name in counts:
        found += over(Code.QUOTA_SNAPSHOTS, quotas, f'snapshots{name}',
                                counts[name])
        found += over(Code.QUOTA_GIGABYTES, quotas, f'gigabytes{name}',
                                sizes[name])
    return found


def over_image_quota(usage: Mapping[str, types.Quota], count: int,
                     size_mib: int) -> list[Obstacle]:
    """For which quotas of Glance so many images are too many.

    :param size_mib: of all of them together.
    """
    return [*over(Code.QUOTA_IMAGES, usage, 'image_count_total', count),
            *over(Code.QUOTA_IMAGE_SIZE, usage, 'image_size_total', size_mib)]


def over(code: Code, quotas: Mapping[str, types.Quota], name: str,
         needed: int) -> list[Obstacle]:
    quota = quotas.get(name)
    if quota is None or quota.left is None or quota.left >= needed:
        return []
    _, _, kind = name.partition('_')
    return [Obstacle(code, {'needed': needed, 'left': quota.left,
                                      'limit': quota.limit, 'type': kind})]
