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

"""The instances that have no recent snapshot.

An instance counts as covered by anything that may be one: an image that says
that it is of it, and a snapshot of a volume that it has. So what is told is
what certainly has none, and of large projects nothing.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
import datetime
from typing import Any

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types
from snapshot_dashboard.snapshots import statuses

#: More instances than this are not looked at, and more snapshots of each kind.
_INSTANCES, _SNAPSHOTS = 200, 500
#: There is nothing in them to be lost, or not any more.
_EMPTY = ('BUILD', 'DELETED', 'SOFT_DELETED')


def find_uncovered(cloud: services.Cloud, since: datetime.datetime,
                   passed_over: Callable[[types.Server], bool]
                   ) -> list[types.Server]:
    """The instances without a snapshot since then, by name; in one round.

    Those that are younger themselves have had no time for one.

    :param passed_over: the instances that need none.
    :returns: empty, too, where it is not known.
    """
    calls: list[Callable[[], Any]] = [
        lambda: cloud.compute.servers(_INSTANCES + 1)]
    if cloud.has('image'):
        calls += [_images(cloud, kind, since)
                  for kind in ('snapshot', 'backup')]
    if cloud.has('volume'):
        calls.append(lambda: cloud.volumes.snapshots(_SNAPSHOTS))
    servers, *found = cloud.gather(*calls)
    if errors.among([servers, *found]) or len(servers) > _INSTANCES or any(
            _may_lack_some(listed, since) for listed in found):
        return []
    covered = _covered((one for listed in found for one in listed), since)
    return sorted((
        server for server in servers
        if covered.isdisjoint({server.id, *server.volume_ids})
        and server.created < since.timestamp()
        and server.status not in _EMPTY and not passed_over(server)),
        key=lambda server: (server.name.casefold(), server.id))


def _images(cloud: services.Cloud, kind: str,
            since: datetime.datetime) -> Callable[[], list[types.Image]]:
    return lambda: cloud.images.images(_SNAPSHOTS, {
        'owner': cloud.project_id, marks.IMAGE_TYPE: kind,
        'created_at': f'gte:{types.format_time(since)}'})


def _may_lack_some(listed: Sequence[types.Image | types.VolumeSnapshot],
                   since: datetime.datetime) -> bool:
    """Whether a list, the newest first, may end before that time."""
    return len(listed) >= _SNAPSHOTS and listed[-1].created >= since


def _covered(found: Iterable[types.Image | types.VolumeSnapshot],
             since: datetime.datetime) -> set[str]:
    """The ids of instances and volumes of which there is a snapshot."""
    covered = set()
    for one in found:
        if one.created < since or (
                statuses.motion(one.status) is not statuses.Outcome.DONE):
            continue
        covered.add(one.volume_id if isinstance(one, types.VolumeSnapshot)
                    else one.properties.get(marks.INSTANCE_ID, ''))
    return covered
