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

"""What is kept: for a request, or in Django's cache, which may forget."""

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Mapping
import logging
from typing import Any

from django.core import cache
from django.http import HttpRequest

from snapshot_dashboard.cloud import services

LOG = logging.getLogger(__name__)
#: The attribute of a request.
_KEPT = '_snapshot_dashboard'


class CachedMemory(services.Memory):
    """Remembers for all users and processes of this Horizon."""

    def find(self, keys: Collection[str]) -> dict[str, Any]:
        try:
            return cache.cache.get_many(keys)
        # Each backend has errors of its own.
        except Exception as error:  # noqa: BLE001
            LOG.warning('Reading the cache failed: %s', error)
            return {}

    def keep(self, things: Mapping[str, Any], seconds: int) -> None:
        try:
            cache.cache.set_many(things, seconds)
        except Exception as error:  # noqa: BLE001
            LOG.warning('Writing the cache failed: %s', error)


MEMORY = CachedMemory()


def once_per_request(request: HttpRequest, key: tuple[Any, ...],
                     make: Callable[[], Any]) -> Any:
    """What is made at most once for a request, its user and project.

    It stands on the request, and so goes with it.
    """
    kept = request.__dict__.setdefault(_KEPT, {})
    whole = (request.user.id, request.user.tenant_id, *key)
    if whole not in kept:
        kept[whole] = make()
    return kept[whole]


def recall(key: str, default: Any = None) -> Any:
    """One thing that was kept, or the default."""
    return MEMORY.find([key]).get(key, default)
