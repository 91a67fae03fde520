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
import time

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types

#: Seconds for which an answer is shown, and is enough to begin something.
_LIFETIME, _DECIDES = 300, 60
#: Much room: a fifth of the limit, and for so many images at the least.
_SHARE, _FEWEST = 5, 10
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

    @property
    def has_much_room(self) -> bool:
        return all(quota.left is None or quota.left >= max(
            _FEWEST, quota.limit // _SHARE) for quota in self.quotas.values())

    def holds(self, seconds: float) -> bool:
        """Whether it is as good as a new one, which would take long."""
        return (self.took >= _LONG and self.has_much_room
                and time.time() - self.at <= seconds)


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
    """As it is now, or was some minutes ago where to count takes long and
    there was much room.
    """
    calls: list[Callable[[], Mapping[str, types.Quota]]] = []
    found: dict[str, types.Quota] = {}
    counted_at: float = 0
    if cloud.has('volume'):
        calls.append(lambda: cloud.volumes.quotas())
    kept = _kept(cloud)
    if kept is not None and kept.holds(_LIFETIME):
        found.update(kept.quotas)
        counted_at = kept.at
    elif cloud.has('image'):
        calls.append(lambda: _count(cloud))
    for answer in cloud.gather(*calls):
        if not isinstance(answer, errors.ServiceError):
            found.update(answer)
    return Usage({name: quota for name, quota in found.items()
                  if name in ('snapshots', 'gigabytes', 'image_count_total',
                              'image_size_total')
                  or name.startswith(('snapshots_', 'gigabytes_'))
                  and quota.limit >= 0}, counted_at)


def of_images(cloud: services.Cloud, decides: bool
              ) -> Mapping[str, types.Quota]:
    """Glance's limits, and how much of them is taken.

    :param decides: whether something is begun or refused by the answer, which
        is worth waiting for. Otherwise Glance is asked only where the room
        was scarce when it was last asked.
    :returns: empty where it has no limits, and where it was not asked.
    :raises ServiceError: when it does not tell.
    """
    kept = _kept(cloud)
    if not decides and (kept is None or kept.has_much_room):
        return kept.quotas if kept is not None else {}
    if kept is not None and kept.holds(_DECIDES):
        return kept.quotas
    return _count(cloud)


def forget(cloud: services.Cloud) -> None:
    """After images were deleted: what was counted is not true any more."""
    if cloud.has('image'):
        cloud.memory.keep({_key(cloud): None}, _LIFETIME)


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


def _key(cloud: services.Cloud) -> str:
    return services.memory_key(cloud, 'image', 'usage')
