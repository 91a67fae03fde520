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

"""What the calls to every service have in common."""

from collections.abc import Iterator
import contextlib
import threading
from typing import Any

from keystoneauth1 import session as keystone_session

from snapshot_dashboard.cloud import breakers
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import versions


class Service:
    """The calls to one service. Every one may raise a ``ServiceError``.

    :cvar name: our name of it.
    :cvar has_microversions: whether we ask it for one.
    :param endpoint: its address by the catalogue.
    :param project_id: the project on whose behalf it is called.
    :param expired: set when the service no longer knows the token.
    """

    name: str
    has_microversions = False

    def __init__(self, session: keystone_session.Session, endpoint: str,
                 project_id: str, breaker: breakers.Breaker,
                 expired: threading.Event | None = None):
        self._session, self._endpoint = session, endpoint
        self._project_id = project_id
        self._breaker = breaker
        self._expired = expired or threading.Event()
        self._client = self._connect()

    def newest_microversion(self) -> tuple[int, int]:
        """The newest that the service speaks, of those with microversions.

        :raises ServiceError: when it does not tell.
        """
        with self._calling():
            return versions.newest(self._session, self._endpoint)

    def _connect(self) -> Any:
        """What speaks to the service."""
        raise NotImplementedError

    @contextlib.contextmanager
    def _calling(self, urgent: bool = False) -> Iterator[Any]:
        """A call, guarded and with its errors in our words.

        :param urgent: made at once, whatever is known of the service.
        """
        learning = (versions.learning(self._session, self._endpoint)
                    if self.has_microversions else contextlib.nullcontext())
        try:
            with (learning,
                  self._breaker.guarding(self.name, self._endpoint,
                                         self._project_id, urgent),
                  errors.translated(self.name)):
                yield self._client
        except errors.Unauthorized:
            self._expired.set()
            raise
