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

import collections
from collections.abc import Callable
from collections.abc import Hashable
from concurrent import futures
import dataclasses
import heapq
import logging
import threading
import time

LOG = logging.getLogger(__name__)
#: Does one thing; the seconds after which to do it again, or None for never.
Job = Callable[[], float | None]
#: Seconds until a thing is done again that failed as it never should.
_AFTER_A_FAULT = 60.0


@dataclasses.dataclass(order=True)
class _Due:
    """A job and when it is due (monotonic)."""

    at: float
    number: int
    key: Hashable = dataclasses.field(compare=False)
    job: Job = dataclasses.field(compare=False)
    owner: str = dataclasses.field(compare=False)


class Agenda:
    """Jobs by key; there is one of each.

    One that is added while the old one is in hand takes its place when that
    is not to be done again: so nothing is lost that is added just then.

    Each job has an owner. The jobs of one get half of the threads at the
    most, and wait for each other: whatever they are like, others' are done.
    """

    def __init__(self, late: Callable[[float], object] = lambda _: None):
        """:param late: is told how many seconds late each job begins."""
        self._late = late
        self._changed = threading.Condition()
        self._jobs: dict[Hashable, Job] = {}
        self._owners: dict[Hashable, str] = {}
        self._in_hand: set[Hashable] = set()
        self._next: dict[Hashable, tuple[Job, float]] = {}
        self._heap: list[_Due] = []
        self._number = 0
        self._most = 1
        #: By owner how many jobs are in hand, and what waits for those.
        self._busy: collections.Counter[str] = collections.Counter()
        self._waiting: dict[str, collections.deque[_Due]] = {}

    def add(self, key: Hashable, job: Job, delay: float = 0,
            owner: str = '') -> None:
        """Have a job done, unless there is one of this key."""
        with self._changed:
            if key not in self._jobs:
                self._jobs[key] = job
                self._owners[key] = owner
                self._plan(key, job, delay)
            elif key in self._in_hand:
                self._next[key] = job, delay

    def drop(self, key: Hashable) -> None:
        """Do a job no more; one that is in hand is finished."""
        with self._changed:
            self._forget(key)
            self._next.pop(key, None)
            self._changed.notify_all()

    def __len__(self) -> int:
        with self._changed:
            return len(self._jobs)

    def crowd(self, owner: str) -> int:
        """How many jobs there would be if each owner had as many as this."""
        with self._changed:
            counts = collections.Counter(self._owners.values())
            return counts[owner] * len(counts)

    def work(self, stop: threading.Event, threads: int) -> None:
        """Do what is due until told to stop, and then finish what is begun.
        """
        self._most = max(1, threads // 2)
        pool = futures.ThreadPoolExecutor(threads)
        try:
            while not stop.is_set():
                due = self._next_due()
                if due is not None:
                    pool.submit(self._do, due)
        finally:
            # What waits for a thread is not begun any more.
            pool.shutdown(cancel_futures=True)

    def wake(self) -> None:
        """Let :meth:`work` see that it is to stop."""
        with self._changed:
            self._changed.notify_all()

    def _forget(self, key: Hashable) -> None:
        self._jobs.pop(key, None)
        self._owners.pop(key, None)

    def _plan(self, key: Hashable, job: Job, delay: float) -> None:
        self._number += 1
        heapq.heappush(self._heap, _Due(
            time.monotonic() + delay, self._number, key, job,
            self._owners[key]))
        self._changed.notify_all()

    def _next_due(self) -> _Due | None:
        """Wait for the next job; None when something has changed instead."""
        with self._changed:
            now = time.monotonic()
            if not self._heap or self._heap[0].at > now:
                self._changed.wait(self._heap[0].at - now
                                   if self._heap else None)
                return None
            due = heapq.heappop(self._heap)
            # One that was dropped and added anew waits for the old one.
            if self._jobs.get(due.key) is not due.job:
                return None
            if due.key in self._in_hand:
                self._plan(due.key, due.job, 0.1)
                return None
            if self._busy[due.owner] >= self._most:
                self._waiting.setdefault(
                    due.owner, collections.deque()).append(due)
                return None
            self._in_hand.add(due.key)
            self._busy[due.owner] += 1
        return due

    def _do(self, due: _Due) -> None:
        self._late(time.monotonic() - due.at)
        key, job = due.key, due.job
        try:
            delay = job()
        except Exception:
            LOG.exception('A fault in the worker itself, at %s', key)
            delay = _AFTER_A_FAULT
        with self._changed:
            self._in_hand.discard(key)
            self._let_next_in(due.owner)
            following = self._next.pop(key, None)
            if self._jobs.get(key) is not job:
                return  # dropped
            if delay is not None:
                self._plan(key, job, delay)
                return
            if following is not None:
                self._jobs[key] = following[0]
                self._plan(key, *following)
            else:
                self._forget(key)
            self._changed.notify_all()

    def _let_next_in(self, owner: str) -> None:
        self._busy[owner] -= 1
        waiting = self._waiting.get(owner)
        if waiting:
            heapq.heappush(self._heap, waiting.popleft())
            self._changed.notify_all()
        if not waiting:
            self._waiting.pop(owner, None)
        if not self._busy[owner]:
            del self._busy[owner]
