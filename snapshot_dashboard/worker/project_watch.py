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

"""One list tells which of a project's runs go on, instead of a look at each.

While Nova is at work for several runs of a project, it is asked for the
project's servers that have changed lately. A run is looked at when its server
is not as it was, and now and then besides, for a list may lack something.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
import dataclasses
import logging
import threading
import time

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types
from snapshot_dashboard.worker import backoff
from snapshot_dashboard.worker import workqueue

LOG = logging.getLogger(__name__)

#: As many runs of a project wait for Nova before a list is worth its while.
_FEWEST = 2
#: How a server is that is away, and that Nova does nothing with: each moment
#: counts.
_OFF = 'SHUTOFF', None
#: How a list of changes shows what Nova does not know any more.
_DELETED = 'DELETED'
#: The most servers in one list.
_MOST = 1000
#: Seconds by which the clocks of Nova's hosts may differ unnoticed: each of
#: them writes when a server has changed. And seconds between two lists that
#: go back to the first change that may be missing, whatever the clocks say.
_SKEW, _ALL_EVERY = 10.0, 10.0


@dataclasses.dataclass
class _Project:
    """A project of which runs wait for Nova.

    :ivar waiting: by trust, the server as it was at the last look.
    :ivar listed: likewise, as a list has shown it since, and when that was
        asked for (monotonic).
    :ivar changed: the latest change that was seen (seconds since the epoch),
        by the clocks of Nova's hosts.
    :ivar all_at: when all changes since the last looks were listed
        (monotonic).
    :ivar rests_until: the project is not listed before, for that has failed
        (monotonic).
    :ivar failures: how often in a row.
    """

    waiting: dict[str, types.Server] = dataclasses.field(default_factory=dict)
    listed: dict[str, tuple[types.Server, float]] = dataclasses.field(
        default_factory=dict)
    changed: float = 0
    all_at: float = 0
    rests_until: float = 0
    failures: int = 0

    @property
    def resting(self) -> bool:
        return time.monotonic() < self.rests_until

    @property
    def watched(self) -> bool:
        return len(self.waiting) >= _FEWEST

    def begin_list(self) -> tuple[float, float]:
        """Note that the project is listed.

        :returns: when (monotonic), and from when on changes are to be asked
            for, in seconds since the epoch.
        """
        now = time.monotonic()
        first = min(server.updated for server in self.waiting.values())
        if now - self.all_at < _ALL_EVERY:
            return now, max(first, self.changed) - _SKEW
        self.all_at = now
        return now, first - _SKEW


class ProjectWatch:
    """Looks at the projects of which several runs wait for Nova.

    :param queue: where the looks at runs wait, by ``('run', trust id)``.
    :param cloud_of: the cloud of a trust; None while it gives no access.
    :param failed: is told of which service a list has failed.
    :param rate: lists of all projects, and looks, per second at the most.
    """

    def __init__(self, queue: workqueue.WorkQueue,
                 cloud_of: Callable[[str], services.Cloud | None],
                 failed: Callable[[str], object], rate: float) -> None:
        self._queue, self._cloud_of, self._failed = queue, cloud_of, failed
        self._rate = rate
        self._lock = threading.Lock()
        self._projects: dict[str, _Project] = {}
        #: By trust.
        self._project_ids: dict[str, str] = {}

    def waits(self, trust_id: str, server: types.Server) -> bool:
        """Note that a run waits for what Nova does with its server.

        :returns: whether the run will be looked at when Nova is done.
        """
        with self._lock:
            project = self._projects.setdefault(server.project_id, _Project())
            project.waiting[trust_id] = server
            self._project_ids[trust_id] = server.project_id
            if not project.watched or project.resting:
                return False
        self._queue.add(('project', server.project_id),
                        lambda: self._list(server.project_id),
                        backoff.LIST, server.project_id, urgent=True)
        return True

    def goes_on(self, trust_id: str) -> types.Server | None:
        """Note that a run is looked at, or is none any more.

        :returns: its server, if a list has just shown it.
        """
        with self._lock:
            project_id = self._project_ids.pop(trust_id, None)
            if project_id is None:
                return None
            project = self._projects[project_id]
            del project.waiting[trust_id]
            server, at = project.listed.pop(trust_id, (None, 0))
            self._tidy(project_id)
        return server if time.monotonic() - at < backoff.MOMENT else None

    def _tidy(self, project_id: str) -> None:
        project = self._projects.get(project_id)
        if project and not (project.waiting or project.resting):
            del self._projects[project_id]

    def _list(self, project_id: str) -> float | None:
        """Look at all that wait; seconds until that is worth its while again.
        """
        with self._lock:
            project = self._projects.get(project_id)
            if project is None:
                return None
            waiting = dict(project.waiting)
            watched = project.watched and not project.resting
            if watched:
                asked_at, since = project.begin_list()
        if not watched:
            self._look_at(waiting)
            return None
        cloud = next(filter(None, map(self._cloud_of, waiting)), None)
        if cloud is None:
            return backoff.LIST
        try:
            servers, more = cloud.compute.changed_since(since, _MOST)
        except errors.Resting as error:
            return error.seconds  # nothing was asked
        except errors.ServiceError as error:
            LOG.warning('Listing the changed servers of project %s failed: '
                        '%s', project_id, error,
                        extra={'project': project_id})
            self._failed(error.service)
            self._rest(project)
            return None
        self._tell(project, waiting, {server.id: server
                                      for server in servers}, more, asked_at)
        with self._lock:
            for name in list(self._projects):
                self._tidy(name)
            lists = sum(one.watched for one in self._projects.values())
        return max(backoff.LIST, lists / self._rate)

    def _rest(self, project: _Project) -> None:
        """Leave each run to its own looks for a while."""
        with self._lock:
            project.failures += 1
            project.rests_until = time.monotonic() + backoff.after_error(
                project.failures)
            waiting = dict(project.waiting)
        self._look_at(waiting)

    def _tell(self, project: _Project, waiting: Mapping[str, types.Server],
              there: Mapping[str, types.Server], more: bool,
              asked_at: float) -> None:
        """Have those runs looked at whose servers are not as they were.

        :param waiting: those that waited before the list was asked for.
        :param there: the servers that it has shown, by their ids.
        :param more: whether there are more than these.
        """
        going_on: list[str] = []
        urgent: list[str] = []
        with self._lock:
            project.failures = 0
            project.changed = max([project.changed, *(
                server.updated for server in there.values())])
            for trust_id, server in waiting.items():
                now = there.get(server.id, server)
                if project.waiting.get(trust_id) is not server or (
                        now.updated < server.updated):
                    continue  # somebody has looked since
                if _state(now) != _state(server):
                    (urgent if _state(now) == _OFF else going_on).append(
                        trust_id)
                    if now.status != _DELETED:
                        project.listed[trust_id] = now, asked_at
                elif more and server.id not in there:
                    going_on.append(trust_id)
        LOG.debug('Of %d runs that wait for Nova %d go on', len(waiting),
                  len(going_on) + len(urgent))
        for trust_id in urgent:
            self._queue.hasten(('run', trust_id), urgent=True)
        self._look_at(going_on)

    def _look_at(self, trust_ids: Iterable[str]) -> None:
        """Have runs looked at, no more of them at once than may be."""
        for number, trust_id in enumerate(trust_ids):
            self._queue.hasten(('run', trust_id), delay=number / self._rate)


def _state(server: types.Server) -> tuple[str, str | None]:
    return server.status, server.task_state
