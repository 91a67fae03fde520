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

"""A circuit breaker for each service, and a limit on concurrent calls.

After a call has timed out, further calls fail at once for ``REST`` seconds;
otherwise each page would wait for the whole timeout of a service that hangs.
Both are kept by project, so that one project's calls do not block another's.
"""

import collections
from collections.abc import Iterator
import contextlib
import threading
import time
from urllib import parse

from snapshot_dashboard.cloud import errors

#: Seconds for which a service is left alone.
REST = 15
#: Seconds between two calls that find out, after that, how it is.
_TRIES = 2
#: So many projects in a row must have had no answer, and nobody one between,
#: until a service is left alone by all.
_PROJECTS = 3
#: Seconds after which nothing is known any more of a service.
_FORGOTTEN = 3600
#: In the place of a project: all of them.
_ALL = '*'


class Breaker:
    """What is known of services that hang, for all of a process's users.

    What shows that is a question without an answer. A write may take as long
    as it likes: how long, a guest or an image may decide.

    :param rest: seconds for which one is left alone.
    :param most: calls that one service gets at a time, of which one project
        has half at the most; None for any number.
    """

    def __init__(self, rest: float = REST, most: int | None = None) -> None:
        self._rest = rest
        self._most = most
        self._gates: dict[str, _Gate] = {}
        self._lock = threading.Lock()
        #: By service and project until when it is left alone.
        self._until: dict[tuple[str, str], float] = {}
        #: By service the projects that have had no answer since anybody had.
        self._unanswered: dict[str, set[str]] = {}

    @contextlib.contextmanager
    def guarding(self, service: str, endpoint: str, project_id: str,
                 urgent: bool = False) -> Iterator[None]:
        """A call to a service.

        :param project_id: on whose behalf.
        :param urgent: made at once, whatever is known of the service.
        :raises Resting: when it hung a moment ago.
        """
        if urgent:
            yield
            return
        host = parse.urlsplit(endpoint).netloc
        place = f'{service} {host}'  # Cinder's endpoint differs by project
        self._refuse_while_resting(service, place, project_id)
        try:
            with self._gate(place, project_id):
                yield
        except errors.TimedOut as error:
            if error.sick == host:
                self._note_silence(place, project_id)
            raise
        except errors.ServiceError as error:
            if error.status:
                self._note_answer(place, project_id)
            raise
        self._note_answer(place, project_id)

    def _refuse_while_resting(self, service: str, place: str,
                              project_id: str) -> None:
        """After the rest one call finds out how it is; then another one."""
        with self._lock:
            now = time.monotonic()
            keys = [(place, project_id), (place, _ALL)]
            left = max(self._until.get(key, 0.0) for key in keys) - now
            if left > 0:
                raise errors.Resting(service, left)
            for key in keys:
                if key in self._until:
                    self._until[key] = now + min(self._rest, _TRIES)

    def _note_silence(self, place: str, project_id: str) -> None:
        with self._lock:
            now = time.monotonic()
            self._until = {key: until for key, until in self._until.items()
                           if until > now - _FORGOTTEN}
            self._until[place, project_id] = now + self._rest
            projects = self._unanswered.setdefault(place, set())
            projects.add(project_id)
            if len(projects) >= _PROJECTS:
                self._until[place, _ALL] = now + self._rest

    def _note_answer(self, place: str, project_id: str) -> None:
        with self._lock:
            self._unanswered.pop(place, None)
            self._until.pop((place, project_id), None)
            self._until.pop((place, _ALL), None)

    def _gate(self, place: str, project_id: str
              ) -> contextlib.AbstractContextManager[None]:
        if self._most is None:
            return contextlib.nullcontext()
        with self._lock:
            gate = self._gates.setdefault(place, _Gate(self._most))
        return gate.passing(project_id)


class _Gate:
    """Lets so many calls through at a time.

    The next one is of the project of which the fewest are under way, and none
    has more than half.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._changed = threading.Condition()
        self._passing: collections.Counter[str] = collections.Counter()
        #: The projects of those that wait, by their numbers.
        self._waiting: dict[int, str] = {}
        self._number = 0

    @contextlib.contextmanager
    def passing(self, project_id: str) -> Iterator[None]:
        with self._changed:
            self._number += 1
            number = self._number
            self._waiting[number] = project_id
            self._changed.wait_for(lambda: self._next() == number)
            del self._waiting[number]
            self._passing[project_id] += 1
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._passing[project_id] -= 1
                if not self._passing[project_id]:
                    del self._passing[project_id]
                self._changed.notify_all()

    def _next(self) -> int | None:
        """The number of the one that may pass now."""
        number, project_id = min(self._waiting.items(), key=lambda item: (
            self._passing[item[1]], item[0]))
        return number if self._passing.total() < self._most and (
            self._passing[project_id] < max(1, self._most // 2)) else None
