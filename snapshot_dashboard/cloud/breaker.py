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

"""Leave a service alone for a while after it did not answer in time.

Else each page would wait for the whole timeout of a service that hangs. And
no more calls at a time than a service is to bear.
"""

from collections.abc import Iterator
import contextlib
import threading
import time
from typing import Any
from urllib import parse

from snapshot_dashboard.cloud import errors

#: Seconds for which a service that did not answer is not asked.
REST = 15


class Breaker:
    """What is known of services that hang, for all of a process's users.

    :param rest: seconds for which one is left alone.
    :param most: calls that one endpoint gets at a time; None for any number.
    """

    def __init__(self, rest: float = REST, most: int | None = None) -> None:
        self._rest = rest
        self._most = most
        self._gates: dict[str, contextlib.AbstractContextManager[Any]] = {}
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}

    @contextlib.contextmanager
    def guarding(self, service: str, endpoint: str) -> Iterator[None]:
        """A call to a service.

        :raises TimedOut: at once, when it hung a moment ago.
        """
        with self._lock:
            resting = time.monotonic() < self._until.get(endpoint, 0.0)
        if resting:
            raise errors.TimedOut(service, 'it did not answer a moment ago')
        try:
            with self._gate(endpoint):
                yield
        except errors.TimedOut:
            with self._lock:
                self._until[endpoint] = time.monotonic() + self._rest
            raise

    def _gate(self, endpoint: str) -> contextlib.AbstractContextManager[Any]:
        if self._most is None:
            return contextlib.nullcontext()
        # Cinder's endpoint differs by project.
        host = parse.urlsplit(endpoint).netloc
        with self._lock:
            return self._gates.setdefault(
                host, threading.BoundedSemaphore(self._most))
