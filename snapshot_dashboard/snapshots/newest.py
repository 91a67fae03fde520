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

"""Asking Glance for the newest images without having it look at all of them.

Its search by a property goes through all images of a project. Bounded by a
time, it goes through those since then alone; where to set the bound, the last
answer to the same question tells.
"""

from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
import datetime

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import transport
from snapshot_dashboard.cloud import types

#: Seconds for which an answer tells where to set the bound: however old it
#: is, it is right, and the older the less it spares.
_LIFETIME = 24 * 3600
#: How much the clocks of a gateway, of Glance and of its database differ.
_CLOCKS_DIFFER = datetime.timedelta(hours=1)


def images(cloud: services.Cloud, limit: int, filters: Mapping[str, str],
           ascending: bool = False) -> list[types.Image]:
    """The newest images that match, as a question without a bound brings.

    Where there were at least ``limit``, there are as many since the oldest of
    them, unless some are gone. Where there were none, one that matches now
    has changed since. If not so, it is asked again without a bound.

    :param filters: by what an image shows itself: one that comes to match
        them has changed.
    :param ascending: the oldest ones instead.
    """
    # A policy may hide images from some users of a project.
    key = services.memory_key(cloud, 'image', 'newest', cloud.user_id, limit,
                              ascending, sorted(filters.items()))
    kept = cloud.memory.find([key]).get(key)
    if not isinstance(kept, dict):
        kept = {}
    found = None
    if kept:
        with contextlib.suppress(errors.Refused):  # such a bound, or all
            found = cloud.images.images(limit, {**filters, **kept},
                                        ascending=ascending)
    if found is None or not ('updated_at' in kept or len(found) >= limit):
        found, kept = cloud.images.images(limit, filters,
                                          ascending=ascending), {}
    cloud.memory.keep({key: _bound(found, limit, ascending) or kept},
                      _LIFETIME)
    return found


def _bound(found: Sequence[types.Image], limit: int,
           ascending: bool) -> dict[str, str]:
    """Where to look for more the next time; empty for everywhere."""
    if len(found) >= limit and not ascending:
        return {'created_at': f'gte:{types.format_time(found[-1].created)}'}
    now = transport.last_date()
    if found or now is None:
        return {}
    return {'updated_at': f'gte:{types.format_time(now - _CLOCKS_DIFFER)}'}
