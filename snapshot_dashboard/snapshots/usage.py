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

"""How much of their limits the project's snapshots take.

Glance counts all images of the project for each answer, which takes seconds
where there are many. So what it said a while ago is enough where there was
much room.
"""

from collections.abc import Callable
from collections.abc import Mapping
import hashlib

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types

#: Seconds for which an answer with much room is believed.
_LIFETIME = 300
#: Much room: a tenth of the limit, and for so many images at the least.
_SHARE, _FEWEST = 10, 10


def of_project(cloud: services.Cloud) -> dict[str, types.Quota]:
    """What the limits are, and how much of them is taken, as it is now.

    :returns: Cinder's ``snapshots`` and ``gigabytes``, in all and per
        volume type where that is limited, and Glance's, where it has any;
        what cannot be had is left out.
    """
    calls: list[Callable[[], Mapping[str, types.Quota]]] = []
    if cloud.has('volume'):
        calls.append(lambda: cloud.volumes.quotas())
    if cloud.has('image'):
        calls.append(lambda: _ask(cloud))
    found: dict[str, types.Quota] = {}
    for answer in cloud.gather(*calls):
        if not isinstance(answer, errors.ServiceError):
            found.update(answer)
    return {name: quota for name, quota in found.items()
            if name in ('snapshots', 'gigabytes', 'image_count_total',
                        'image_size_total')
            or name.startswith(('snapshots_', 'gigabytes_'))
            and quota.limit >= 0}


def of_images(cloud: services.Cloud, decides: bool) -> dict[str, types.Quota]:
    """Glance's limits, and how much of them is taken.

    :param decides: whether something is begun or refused by the answer,
        which is worth waiting for. Otherwise Glance is asked only where the
        room was scarce when it was last asked.
    :returns: empty where it has no limits, and where it was not asked.
    :raises ServiceError: when it does not tell.
    """
    kept = cloud.memory.find([_key(cloud)]).get(_key(cloud))
    if isinstance(kept, dict) and all(map(_has_much_room, kept.values())):
        return kept
    return _ask(cloud) if decides or kept else {}


def _ask(cloud: services.Cloud) -> dict[str, types.Quota]:
    found = cloud.images.usage()
    cloud.memory.keep({_key(cloud): found}, _LIFETIME)
    return found


def _has_much_room(quota: types.Quota) -> bool:
    return quota.left is None or quota.left >= max(
        _FEWEST, quota.limit // _SHARE)


def _key(cloud: services.Cloud) -> str:
    place = f'{cloud.address("image")} {cloud.project_id}'
    return ('snapshot-dashboard-usage-'
            + hashlib.sha256(place.encode()).hexdigest()[:32])
