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

"""A delaying work queue with one job per key, shared fairly among owners.

The semantics are those of client-go's rate-limited workqueue: a job never runs
twice at once, and one that is added while it runs is not lost.
"""

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
#: Returns the seconds after which to run it again, or None for never.
Job = Callable[[], float | None]
#: Seconds until a job that raised is run again.
_AFTER_A_FAULT = 60.0


@dataclasses.dataclass(order=True)
class _Due:
    """A job and when it is due (monotonic).

    :ivar urgent: whether it comes before what is not.
    """

    at: float
    number: int
    key: Hashable = dataclasses.field(compare=False)
    job: Job = dataclasses.field(compare=False)
    owner: str = dataclasses.field(compare=False)
    urgent: bool = dataclasses.field(compare=False)


class WorkQueue:
    """Jobs by key, at most one of each.

    A job that is added while another one of its key is running is kept, and
    runs after it unless that one reschedules itself.

    Each job has an owner. The next job to run belongs to the owner with the
    fewest running jobs; among equals, to the one who has waited longest. Of an
    owner's jobs the urgent ones come first. No owner gets more than half of
    the threads, so one owner's jobs cannot starve the others'.
    """

    def __init__(self, late: Callable[[float, bool], object] = (
            lambda seconds, by_share: None)):
        """:param late: is told how many seconds late each job begins, and
            whether its owner had all the threads meanwhile that it can get.
        """
        self._late = late
        #: How many threads there are, how many an owner gets at the most,
        #: and when one was last through of an owner who had so many.
        self._threads = self._share = 1
        self._freed: dict[str, float] = {}
        self._changed = threading.Condition()
        self._jobs: dict[Hashable, Job] = {}
        self._owners: dict[Hashable, str] = {}
        self._counts: collections.Counter[str] = collections.Counter()
        self._in_hand: dict[Hashable, str] = {}
        self._next: dict[Hashable, tuple[Job, float]] = {}
        #: The jobs that are urgent each time.
        self._urgent: set[Hashable] = set()
        #: The plan of each job that holds; others do no more.
        self._plans: dict[Hashable, _Due] = {}
        #: What is not due yet, and by owner what is, the first one first.
        self._later: list[_Due] = []
        self._due: dict[str, list[tuple[bool, float, _Due]]] = {}
        #: The turn that an owner last had.
        self._turns: dict[str, int] = {}
        self._number = 0

    def add(self, key: Hashable, job: Job, delay: float = 0,
            owner: str = '', urgent: bool = False) -> None:
        """Have a job done, unless there is one of this key.

        :param owner: on whose behalf; nothing for the worker itself.
        :param urgent: whether it comes before the owner's others, each time.
        """
        with self._changed:
            if key not in self._jobs:
                self._jobs[key] = job
                self._owners[key] = owner
                self._counts[owner] += 1
                if urgent:
                    self._urgent.add(key)
                self._plan(key, job, delay)
            elif key in self._in_hand:
                self._next[key] = job, delay

    def hasten(self, key: Hashable, urgent: bool = False,
               delay: float = 0) -> None:
        """Have a job that waits for its time done now, or soon.

        One that is due keeps its place.

        :param urgent: whether it comes before the owner's others, this time.
        :param delay: after so many seconds.
        """
        with self._changed:
            plan = self._plans.get(key)
            if plan is None or key in self._in_hand:
                return
            at = min(plan.at, time.monotonic() + delay)
            if at < plan.at or urgent and not plan.urgent:
                self._plan_at(at, key, plan.job, urgent or plan.urgent)

    def drop(self, key: Hashable) -> None:
        """Do a job no more; one that is in hand is finished."""
        with self._changed:
            self._forget(key)
            self._next.pop(key, None)
            self._changed.notify_all()

    def crowd(self, owner: str) -> int:
        """How many jobs there would be if each owner had as many as this."""
        with self._changed:
            return self._counts[owner] * sum(
                1 for name in self._counts if name)

    def work(self, stop: threading.Event, threads: int) -> None:
        """Do what is due until told to stop, and then finish what is begun.
        """
        self._threads, self._share = threads, max(1, threads // 2)
        pool = futures.ThreadPoolExecutor(threads)
        try:
            while not stop.is_set():
                due = self._next_due()
                if due is not None:
                    pool.submit(self._do, due, self._freed.get(
                        due.owner, 0) > due.at)
        finally:
            pool.shutdown()

    def wake(self) -> None:
        """Let :meth:`work` see that it is to stop."""
        with self._changed:
            self._changed.notify_all()

    def _forget(self, key: Hashable) -> None:
        if self._jobs.pop(key, None) is not None:
            self._plans.pop(key, None)
            self._urgent.discard(key)
            owner = self._owners.pop(key)
            self._counts[owner] -= 1
            if not self._counts[owner]:
                del self._counts[owner]
                self._freed.pop(owner, None)

    def _plan(self, key: Hashable, job: Job, delay: float) -> None:
        self._plan_at(time.monotonic() + delay, key, job, key in self._urgent)

    def _plan_at(self, at: float, key: Hashable, job: Job,
                 urgent: bool) -> None:
        self._number += 1
        self._plans[key] = _Due(at, self._number, key, job, self._owners[key],
                                urgent)
        heapq.heappush(self._later, self._plans[key])
        self._changed.notify_all()

    def _next_due(self) -> _Due | None:
        """Wait for the next job; None when something has changed instead."""
        with self._changed:
            now = time.monotonic()
            while self._later and self._later[0].at <= now:
                ripe = heapq.heappop(self._later)
                heapq.heappush(self._due.setdefault(ripe.owner, []), (
                    not ripe.urgent, ripe.at, ripe))
            due = self._choose()
            if due is None:
                self._changed.wait(self._later[0].at - now
                                   if self._later else None)
            else:
                self._in_hand[due.key] = due.owner
            return due

    def _choose(self) -> _Due | None:
        """What is to be done now; it is taken from what is due."""
        if len(self._in_hand) >= self._threads:
            return None
        busy = collections.Counter(self._in_hand.values())
        for owner in sorted(self._due, key=lambda owner: (
                busy[owner], self._turns.get(owner, 0))):
            if busy[owner] < self._share:
                due = self._first_of(owner)
                if due is not None:
                    self._number += 1
                    self._turns[owner] = self._number
                    return due
        return None

    def _first_of(self, owner: str) -> _Due | None:
        waiting, in_hand = self._due.pop(owner), []
        found = None
        while waiting and found is None:
            entry = heapq.heappop(waiting)
            due = entry[-1]
            if self._plans.get(due.key) is not due:
                continue  # it was dropped, or is planned anew
            if due.key in self._in_hand:
                # It was dropped and added anew, and waits for the old one.
                in_hand.append(entry)
            else:
                found = due
        if waiting or in_hand:
            self._due[owner] = waiting = waiting + in_hand
            heapq.heapify(waiting)
        return found

    def _do(self, due: _Due, by_share: bool) -> None:
        """:param by_share: whether it waited for others of its owner's."""
        key, job = due.key, due.job
        self._late(time.monotonic() - due.at, by_share)
        try:
            delay = job()
        except Exception:
            LOG.exception('Unhandled error in job %s', key)
            delay = _AFTER_A_FAULT
        with self._changed:
            if due.owner in self._counts and (
                    self._share <= list(self._in_hand.values()).count(
                        due.owner) < self._threads):
                self._freed[due.owner] = time.monotonic()
            del self._in_hand[key]
            self._changed.notify_all()
            following = self._next.pop(key, None)
            if self._jobs.get(key) is not job:
                return  # dropped
            if delay is not None:
                self._plan(key, job, delay)
            elif following is not None:
                self._jobs[key] = following[0]
                self._plan(key, *following)
            else:
                self._forget(key)
