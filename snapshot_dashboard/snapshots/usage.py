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
much room, and where it takes long.
"""

from collections.abc import Callable
from collections.abc import Mapping
import dataclasses
import hashlib
import time

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types

#: Seconds for which an answer is of use.
_LIFETIME = 300
#: Much room: a tenth of the limit, and for so many images at the least.
_SHARE, _FEWEST = 10, 10
#: Seconds beyond which a count is not made for each look.
_LONG = 0.5


@dataclasses.dataclass(frozen=True)
class Count:
    """What Glance has counted.

    :ivar at: when, in seconds since the epoch.
    :ivar took: seconds.
    """

    quotas: Mapping[str, types.Quota]
    at: float
    took: float


@dataclasses.dataclass(frozen=True)
class Usage:
    """What is limited, and how much of it is taken.

    :ivar quotas: Cinder's ``snapshots`` and ``gigabytes``, in all and per
        volume type where that is limited, and Glance's, where it has any;
        what cannot be had is left out.
    :ivar counted_at: when images were counted, in seconds since the epoch, if
        that was not just now; else 0.
    """

    quotas: Mapping[str, types.Quota]
    counted_at: float = 0


def of_project(cloud: services.Cloud) -> Usage:
    """As it is now, or was some minutes ago where to count takes long."""
    calls: dict[str, Callable[[], Mapping[str, types.Quota]]] = {}
    if cloud.has('volume'):
        calls['volume'] = lambda: cloud.volumes.quotas()
    kept = _kept(cloud)
    fresh = kept is None or kept.took < _LONG
    if cloud.has('image') and fresh:
        calls['image'] = lambda: _count(cloud)
    found: dict[str, types.Quota] = {}
    for answer in cloud.gather(*calls.values()):
        if not isinstance(answer, errors.ServiceError):
            found.update(answer)
    if kept is not None and not fresh:
        found.update(kept.quotas)
    return Usage({name: quota for name, quota in found.items()
                  if name in ('snapshots', 'gigabytes', 'image_count_total',
                              'image_size_total')
                  or name.startswith(('snapshots_', 'gigabytes_'))
                  and quota.limit >= 0},
                 kept.at if kept is not None and not fresh else 0)


def of_images(cloud: services.Cloud, decides: bool
              ) -> Mapping[str, types.Quota]:
    """Glance's limits, and how much of them is taken.

    :param decides: whether something is begun or refused by the answer,
        which is worth waiting for. Otherwise Glance is asked only where the
        room was scarce when it was last asked.
    :returns: empty where it has no limits, and where it was not asked.
    :raises ServiceError: when it does not tell.
    """
    kept = _kept(cloud)
    if kept is not None and all(map(_has_much_room, kept.quotas.values())):
        return kept.quotas
    return _count(cloud) if decides or kept else {}


def _count(cloud: services.Cloud) -> Mapping[str, types.Quota]:
    at, began = time.time(), time.monotonic()
    found = cloud.images.usage()
    cloud.memory.keep({_key(cloud): Count(
        found, at, time.monotonic() - began)}, _LIFETIME)
    return found


def _kept(cloud: services.Cloud) -> Count | None:
    if not cloud.has('image'):
        return None
    found = cloud.memory.find([_key(cloud)]).get(_key(cloud))
    # A memory that outlives a restart may hold what another release kept.
    return found if isinstance(found, Count) else None


def _has_much_room(quota: types.Quota) -> bool:
    return quota.left is None or quota.left >= max(
        _FEWEST, quota.limit // _SHARE)


def _key(cloud: services.Cloud) -> str:
    place = f'{cloud.address("image")} {cloud.project_id}'
    return ('snapshot-dashboard-usage-'
            + hashlib.sha256(place.encode()).hexdigest()[:32])
