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

"""What is to be done when, each thing by one thread at a time."""

from collections.abc import Callable
from collections.abc import Hashable
from concurrent import futures
import heapq
import itertools
import logging
import threading
import time

LOG = logging.getLogger(__name__)
#: Does one thing; the seconds after which to do it again, or None for never.
Job = Callable[[], float | None]
#: Seconds until a thing is done again that failed as it never should.
_AFTER_A_FAULT = 60.0


class Agenda:
    """Jobs by key; there is one of each.

    One that is added while the old one is in hand takes its place when that
    is not to be done again: so nothing is lost that is added just then.
    """

    def __init__(self, late: Callable[[float], object] = lambda _: None):
        """:param late: is told how many seconds late each job begins."""
        self._late = late
        self._changed = threading.Condition()
        self._jobs: dict[Hashable, Job] = {}
        self._in_hand: set[Hashable] = set()
        self._next: dict[Hashable, tuple[Job, float]] = {}
        self._heap: list[tuple[float, int, Hashable, Job]] = []
        self._number = itertools.count()

    def add(self, key: Hashable, job: Job, delay: float = 0) -> None:
        """Have a job done, unless there is one of this key."""
        with self._changed:
            if key not in self._jobs:
                self._jobs[key] = job
                self._plan(key, job, delay)
            elif key in self._in_hand:
                self._next[key] = job, delay

    def drop(self, key: Hashable) -> None:
        """Do a job no more; one that is in hand is finished."""
        with self._changed:
            self._jobs.pop(key, None)
            self._next.pop(key, None)
            self._changed.notify_all()

    def __len__(self) -> int:
        with self._changed:
            return len(self._jobs)

    def work(self, stop: threading.Event, threads: int) -> None:
        """Do what is due until told to stop, and then finish what is begun.
        """
        pool = futures.ThreadPoolExecutor(threads)
        try:
            while not stop.is_set():
                due = self._next_due()
                if due is not None:
                    pool.submit(self._do, *due)
        finally:
            # What waits for a thread is not begun any more.
            pool.shutdown(cancel_futures=True)

    def wake(self) -> None:
        """Let :meth:`work` see that it is to stop."""
        with self._changed:
            self._changed.notify_all()

    def _plan(self, key: Hashable, job: Job, delay: float) -> None:
        heapq.heappush(self._heap, (time.monotonic() + delay,
                                    next(self._number), key, job))
        self._changed.notify_all()

    def _next_due(self) -> tuple[Hashable, Job, float] | None:
        """Wait for the next job; None when something has changed instead.

        :returns: its key, the job, and when it was due (monotonic).
        """
        with self._changed:
            now = time.monotonic()
            if not self._heap or self._heap[0][0] > now:
                self._changed.wait(self._heap[0][0] - now
                                   if self._heap else None)
                return None
            at, _, key, job = heapq.heappop(self._heap)
            # One that was dropped and added anew waits for the old one.
            if self._jobs.get(key) is not job:
                return None
            if key in self._in_hand:
                self._plan(key, job, 0.1)
                return None
            self._in_hand.add(key)
        return key, job, at

    def _do(self, key: Hashable, job: Job, due: float) -> None:
        self._late(time.monotonic() - due)
        try:
            delay = job()
        except Exception:
            LOG.exception('A fault in the worker itself, at %s', key)
            delay = _AFTER_A_FAULT
        with self._changed:
            self._in_hand.discard(key)
            following = self._next.pop(key, None)
            if self._jobs.get(key) is not job:
                return  # dropped
            if delay is not None:
                self._plan(key, job, delay)
                return
            del self._jobs[key]
            if following is not None:
                self._jobs[key] = following[0]
                self._plan(key, *following)
            self._changed.notify_all()
