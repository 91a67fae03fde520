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
from collections.abc import Collection
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
#: Seconds by which the clocks of Nova's hosts may differ: each of them writes
#: when a server has changed.
_SKEW = 10.0


@dataclasses.dataclass
class _Project:
    """A project of which runs wait for Nova.

    :ivar waiting: by trust, the server as it was at the last look.
    :ivar listed: likewise, as a list has shown it since, and when that was
        (monotonic).
    :ivar changed: the latest change that was seen (seconds since the epoch),
        by the clocks of Nova's hosts.
    :ivar rests_until: the project is not listed before, for that has failed
        (monotonic).
    :ivar failures: how often in a row.
    """

    waiting: dict[str, types.Server] = dataclasses.field(default_factory=dict)
    listed: dict[str, tuple[types.Server, float]] = dataclasses.field(
        default_factory=dict)
    changed: float = 0
    rests_until: float = 0
    failures: int = 0


class ProjectWatch:
    """Looks at the projects of which several runs wait for Nova.

    :param queue: where the looks at runs wait, by ``('run', trust id)``.
    :param cloud_of: the cloud of a trust; None while it gives no access.
    :param rate: lists of all projects per second, at the most.
    """

    def __init__(self, queue: workqueue.WorkQueue,
                 cloud_of: Callable[[str], services.Cloud | None],
                 rate: float) -> None:
        self._queue, self._cloud_of, self._rate = queue, cloud_of, rate
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
            project.changed = max(project.changed, server.updated)
            if len(project.waiting) < _FEWEST or (
                    time.monotonic() < project.rests_until):
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
            if not project.waiting and not project.failures:
                del self._projects[project_id]
        return server if time.monotonic() - at < backoff.MOMENT else None

    def _list(self, project_id: str) -> float | None:
        """Look at all that wait; seconds until that is worth its while again.
        """
        with self._lock:
            project = self._projects.get(project_id)
            waiting = dict(project.waiting) if project else {}
            projects = len(self._projects)
        if project is None or len(waiting) < _FEWEST:
            self._look_at(waiting)
            return None
        cloud = next(filter(None, map(self._cloud_of, waiting)), None)
        if cloud is None:
            return backoff.LIST
        try:
            servers, more = cloud.compute.changed_since(
                project.changed - _SKEW, _MOST)
        except errors.ServiceError as error:
            LOG.warning('Listing the changed servers of project %s failed: '
                        '%s', project_id, error,
                        extra={'project': project_id})
            with self._lock:
                project.failures += 1
                project.rests_until = time.monotonic() + backoff.after_error(
                    project.failures)
            self._look_at(waiting)
            return None
        self._tell(project, waiting, servers, more)
        LOG.debug('Project %s: %d runs wait for Nova', project_id,
                  len(waiting))
        return max(backoff.LIST, projects / self._rate)

    def _tell(self, project: _Project, waiting: Mapping[str, types.Server],
              servers: list[types.Server], more: bool) -> None:
        """Have those runs looked at whose servers are not as they were.

        :param servers: those that a list has shown.
        :param more: whether there are more than these.
        """
        listed = {server.id: server for server in servers}
        now = {trust_id: listed.get(server.id, server)
               for trust_id, server in waiting.items()}
        going_on = [trust_id for trust_id, server in waiting.items()
                    if more or _state(now[trust_id]) != _state(server)]
        with self._lock:
            project.failures = 0
            project.changed = max([project.changed, *(
                server.updated for server in servers)])
            for trust_id in going_on:
                server = now[trust_id]
                if trust_id in project.waiting and server.id in listed and (
                        server.status != _DELETED):
                    project.listed[trust_id] = server, time.monotonic()
        self._look_at(going_on, {trust_id for trust_id in going_on
                                 if _state(now[trust_id]) == _OFF})

    def _look_at(self, trust_ids: Iterable[str],
                 urgent: Collection[str] = ()) -> None:
        for trust_id in trust_ids:
            self._queue.hasten(('run', trust_id), trust_id in urgent)


def _state(server: types.Server) -> tuple[str, str | None]:
    return server.status, server.task_state
