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

"""The only place that talks to OpenStack.

A :class:`Cloud` is made from a Horizon request or from any keystoneauth
session. It bounds every call by a timeout and names what failed. It imports
neither Django nor Horizon.
"""

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Mapping
import concurrent.futures
import functools
import hashlib
import json
import threading
from typing import Any
from typing import TypeVar

from keystoneauth1 import session as keystone_session

from snapshot_dashboard.cloud import base
from snapshot_dashboard.cloud import breakers
from snapshot_dashboard.cloud import compute
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import identity
from snapshot_dashboard.cloud import images
from snapshot_dashboard.cloud import networks
from snapshot_dashboard.cloud import transport
from snapshot_dashboard.cloud import volumes

_Key = TypeVar('_Key')
_Service = TypeVar('_Service', bound=base.Service)
#: More threads than this make a small Horizon slower, not faster.
_THREADS = 8
#: Our name of a service, and the types by which catalogues may list it.
SERVICE_TYPES: Mapping[str, tuple[str, ...]] = {
    'compute': ('compute',),
    'identity': ('identity',),
    'image': ('image',),
    'volume': ('volumev3', 'block-storage'),
    'network': ('network',),
}


class Memory:
    """What is worth knowing for longer than one request.

    This one remembers it as long as it lives; it may forget anything.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Any] = {}

    def find(self, keys: Collection[str]) -> dict[str, Any]:
        return {key: self._kept[key] for key in keys if key in self._kept}

    def keep(self, things: Mapping[str, Any], seconds: int) -> None:
        """Remember these, for so long at the most."""
        self._kept.update(things)


class Cloud:
    """One user's view of one project.

    :param session: a keystoneauth session that holds the user's token and
        the timeout, in seconds, of each call.
    :param endpoints: the addresses of the services by type: ``compute``,
        ``image``, ``volume``, ``network``, ``identity``; those that the
        catalogue lacks are left out.
    :param project_id: the project of the token.
    :param breaker: spares a service that hangs; without one each call waits
        for its timeout.
    :param memory: shared by the users of this project, if any.
    :param sees_all: whether the user is an administrator, whom the services
        show other projects' things without asking.
    :param user_id: of the user, where others share the memory.
    """

    def __init__(self, session: keystone_session.Session,
                 endpoints: Mapping[str, str], project_id: str,
                 breaker: breakers.Breaker | None = None,
                 memory: Memory | None = None, sees_all: bool = False,
                 user_id: str = ''):
        transport.watch(session)
        self._breaker = breaker or breakers.Breaker(rest=0)
        self._session = session
        self._endpoints = endpoints
        self.project_id = project_id
        self.memory = memory or Memory()
        self.sees_all = sees_all
        self.user_id = user_id
        self._expired = threading.Event()

    @property
    def expired(self) -> bool:
        """Whether a service has said that it no longer knows the token."""
        return self._expired.is_set()

    def has(self, service: str) -> bool:
        """Whether the catalogue has a service of this type."""
        return service in self._endpoints

    def address(self, service: str) -> str:
        """Where a service is.

        :raises Unavailable: when the catalogue lacks it.
        """
        if not self.has(service):
            raise errors.Unavailable(service, 'not in the catalogue')
        return self._endpoints[service]

    def _make(self, kind: type[_Service]) -> _Service:
        return kind(self._session, self.address(kind.name), self.project_id,
                    self._breaker, self._expired)

    @functools.cached_property
    def compute(self) -> compute.Compute:
        return self._make(compute.Compute)

    @functools.cached_property
    def images(self) -> images.Images:
        return self._make(images.Images)

    @functools.cached_property
    def volumes(self) -> volumes.Volumes:
        return self._make(volumes.Volumes)

    @functools.cached_property
    def networks(self) -> networks.Networks:
        return self._make(networks.Networks)

    @functools.cached_property
    def identity(self) -> identity.Identity:
        return self._make(identity.Identity)

    def gather(self, *calls: Callable[[], Any]) -> list[Any]:
        """Make calls at the same time.

        :returns: for each call its result, or the ``ServiceError`` that it
            raised, so that one service that is down leaves the others'
            answers.
        """
        if not calls:
            return []
        with concurrent.futures.ThreadPoolExecutor(
                min(len(calls), _THREADS)) as pool:
            return list(pool.map(_attempt, calls))

    def gather_named(self, calls: Mapping[_Key, Callable[[], Any]]
                     ) -> dict[_Key, Any]:
        """The same by the keys of the calls."""
        return dict(zip(calls, self.gather(*calls.values())))

    def gather_or_raise(self, *calls: Callable[[], Any]) -> list[Any]:
        """Make calls at the same time, of which none may fail.

        :raises ServiceError: the first error, when all are through.
        """
        answers = self.gather(*calls)
        for error in errors.among(answers):
            raise error
        return answers


def memory_key(cloud: Cloud, service: str, *what: object) -> str:
    """By what to remember something that a service says of a project.

    Keys of a cache are short and of few characters.
    """
    question = json.dumps([cloud.address(service), cloud.project_id, *what])
    return ('snapshot-dashboard-'
            + hashlib.sha256(question.encode()).hexdigest()[:32])


def _attempt(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except errors.ServiceError as error:
        return error
