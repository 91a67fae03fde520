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

"""From the trusts to the runs, and each run to its end."""

import collections
import dataclasses
import functools
import logging
import threading
import time

from snapshot_dashboard.boot_tests import boot_test
from snapshot_dashboard.boot_tests import testing
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import identity
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types
from snapshot_dashboard.restores import restore
from snapshot_dashboard.restores import restoring
from snapshot_dashboard.restores import sight
from snapshot_dashboard.runs import failures
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import observe
from snapshot_dashboard.runs import reconcile
from snapshot_dashboard.runs import record
from snapshot_dashboard.switch_overs import switch_over
from snapshot_dashboard.switch_overs import switching
from snapshot_dashboard.worker import backoff
from snapshot_dashboard.worker import metrics
from snapshot_dashboard.worker import partition
from snapshot_dashboard.worker import project_watch
from snapshot_dashboard.worker import trust_sessions
from snapshot_dashboard.worker import workqueue

LOG = logging.getLogger(__name__)
#: What trusts are made for.
_Work = (record.Run | boot_test.BootTest | restore.Restore
         | switch_over.SwitchOver)
#: Seconds between two looks at the trusts.
INTERVAL = 2.0
#: Hours that a trust may still last; one that lasts longer is not acted on.
TRUST_HOURS = 24.0
#: Seconds for which a server must not be found, or record another run or
#: none, and looks in that time, until that is believed.
_DOUBT, _LOOKS = 60.0, 3
#: Seconds by which the clock of who made a trust may be ahead.
_SKEW = 600


@dataclasses.dataclass
class _TrackedTrust:
    """A trust that this worker looks after.

    :ivar errand: what it is for.
    :ivar cloud: None until there is a token.
    :ivar lockouts: how often in a row it gave none.
    :ivar absent: since when what it is for was not seen (monotonic), and at
        how many looks.
    """

    trust: identity.Trust
    errand: identity.Errand
    cloud: services.Cloud | None = None
    lockouts: int = 0
    absent: tuple[float, int] | None = None

    def sees(self) -> None:
        """Note that what it is for is there."""
        self.absent = None

    def misses(self) -> bool:
        """Note that it is not; whether that is certain by now.

        One answer may be old, or not the service's own.
        """
        since, looks = self.absent or (time.monotonic(), 0)
        self.absent = since, looks + 1
        return looks + 1 >= _LOOKS and time.monotonic() - since >= _DOUBT

    def approves(self, run: _Work) -> bool:
        """Whether a record holds the plan that the trust was made for."""
        return run.plan.fingerprint == self.errand.plan


@dataclasses.dataclass
class _TrackedRun:
    """A run, or another thing of its kind, that is under way.

    :ivar since: when something about it last changed (monotonic).
    :ivar problems: errors in a row.
    :ivar found: its server as it was when the run was found, at ``since``;
        None once that was looked at.
    """

    run: _Work
    since: float
    problems: int = 0
    found: types.Server | None = None

    @classmethod
    def just_found(cls, run: _Work) -> '_TrackedRun':
        return cls(run, time.monotonic(),
                   found=run.server if isinstance(run, record.Run) else None)

    def take_found(self) -> types.Server | None:
        """Its server, once, if that was looked at a moment ago."""
        found, self.found = self.found, None
        return (found if time.monotonic() - self.since < backoff.MOMENT
                else None)


class Worker:
    """Looks at the trusts, and brings forward the runs that they are for.

    All it knows of them it can find again: another worker, or this one after
    a crash, goes on where it was.
    """

    def __init__(self, access: trust_sessions.Access, share: partition.Share,
                 counters: metrics.Counters,
                 interval: float = INTERVAL,
                 rate: float = backoff.RATE,
                 trust_hours: float = TRUST_HOURS) -> None:
        self._access, self._share = access, share
        self._counters = counters
        self._interval, self._rate = interval, rate
        self._trust_hours = trust_hours
        self._queue = workqueue.WorkQueue(counters.late)
        self._tracked: dict[str, _TrackedTrust] = {}
        self._watch = project_watch.ProjectWatch(
            self._queue, self._cloud_of, counters.error, rate)
        #: Trusts that were taken back, and may still be in a list of before.
        self._taken_back: set[str] = set()
        #: Trusts that last too long, which was said.
        self._refused: set[str] = set()
        #: Since when there are the same ones (monotonic).
        self._same = time.monotonic()
        self._seen: frozenset[str] = frozenset()
        #: How often in a row Keystone did not take the worker's account.
        self._refusals = 0

    def work(self, stop: threading.Event, threads: int) -> None:
        """Work until told to stop; steps in hand are then finished."""
        self._queue.add('trusts', self._list_trusts)
        self._queue.work(stop, threads)

    def wake(self) -> None:
        """Have :meth:`work` see at once that it is to stop."""
        self._queue.wake()

    def once(self) -> None:
        """Bring every run as far forward as it goes without waiting.

        A trust whose run is not to be seen stays: one look is not enough.

        :raises ServiceError: when the trusts cannot be had.
        """
        for held in _in_turns(self._usable()):
            self._tracked[held.trust.id] = held
            try:
                run = self._run_of(held)
                if run is not None:
                    self._reconcile(held.trust.id,
                                    _TrackedRun.just_found(run))
            except errors.ServiceError as error:
                LOG.warning('Looking up the run of trust %s failed: %s',
                            held.trust.id, error)
            self._tracked.pop(held.trust.id, None)

    # The trusts.

    def _usable(self) -> list[_TrackedTrust]:
        """Those that are this plugin's; others are left alone."""
        now = time.time()
        ours = [_TrackedTrust(trust, trust.errand)
                for trust in self._access.trusts()
                if trust.errand is not None
                and trust.uses != 0 and trust.project_id
                and (trust.expires is None or trust.expires > now)]
        lasting = {held.trust.id for held in ours
                   if self._lasts_too_long(held, now)}
        for held in ours:
            if held.trust.id in lasting - self._refused:
                LOG.warning(
                    'Trust %s of user %s in project %s is not acted on: it, '
                    'or one of a run, lasts longer than %g hours',
                    held.trust.id, held.trust.trustor_id,
                    held.trust.project_id, self._trust_hours,
                    extra={'trust': held.trust.id})
        self._refused = lasting
        return [held for held in ours if held.trust.id not in lasting]

    def _lasts_too_long(self, held: _TrackedTrust, now: float) -> bool:
        """Whether a trust does, or one of a run of the same Horizon would."""
        expires = held.trust.expires
        return expires is None or max(
            expires - now, types.whole_number(held.errand.lasts) or 0
        ) > self._trust_hours * 3600 + _SKEW

    def _list_trusts(self) -> float:
        began = time.monotonic()
        try:
            usable = {held.trust.id: held for held in self._usable()}
        except errors.ServiceError as error:
            LOG.warning('Listing the trusts failed: %s', error)
            self._counters.error(error.service)
            if not isinstance(error, errors.Unauthorized):
                return self._interval
            # The password may have changed, and Keystone may lock accounts.
            self._refusals += 1
            return backoff.after_lockout(self._refusals)
        self._refusals = 0
        if usable.keys() != self._seen:
            self._seen, self._same = frozenset(usable), began
        self._taken_back.intersection_update(usable)
        mine = self._share.of(usable.keys() - self._taken_back)
        for trust_id in set(self._tracked) - mine:
            if trust_id not in usable:
                LOG.info('Trust %s is gone: another worker has finished the '
                         'run, or the trust has expired or was deleted. A '
                         'run that is still open goes on when a member of '
                         'the project opens the panel',
                         trust_id, extra={'trust': trust_id})
            self._forget(trust_id)
        for trust_id in mine - set(self._tracked):
            self._tracked[trust_id] = usable[trust_id]
            self._enqueue(usable[trust_id])
        self._counters.holds(len(self._tracked))
        now = time.monotonic()
        return backoff.after_list(self._interval, began - self._same,
                                  now - began)

    def _enqueue(self, held: _TrackedTrust, delay: float = 0) -> None:
        self._queue.add(('trust', held.trust.id), functools.partial(
            self._find_run, held.trust.id), delay, held.trust.project_id)

    def _cloud_of(self, trust_id: str) -> services.Cloud | None:
        held = self._tracked.get(trust_id)
        return held.cloud if held else None

    def _forget(self, trust_id: str) -> None:
        self._tracked.pop(trust_id, None)
        self._watch.goes_on(trust_id)
        self._queue.drop(('trust', trust_id))

    def _find_run(self, trust_id: str) -> float | None:
        """Follow the run that a trust is for."""
        held = self._tracked.get(trust_id)
        if held is None:
            return None
        try:
            run = self._run_of(held)
        except errors.Resting as error:
            return error.seconds
        except errors.Unavailable as error:
            held.lockouts += 1
            LOG.warning('Looking up the run of trust %s failed: %s', trust_id,
                        error, extra={'trust': trust_id})
            self._counters.error(error.service)
            return backoff.after_error(held.lockouts)
        except errors.ServiceError as error:
            # Its user may be disabled or have lost the role. If that is for
            # good, the trust expires, or goes with the user or the project.
            held.cloud = None
            held.lockouts += 1
            LOG.warning('Trust %s of user %s in project %s gives no access: '
                        '%s', trust_id, held.trust.trustor_id,
                        held.trust.project_id, error,
                        extra={'trust': trust_id,
                               'user': held.trust.trustor_id,
                               'project': held.trust.project_id})
            self._counters.error(error.service)
            return backoff.after_lockout(held.lockouts)
        held.lockouts = 0
        if run is not None:
            self._queue.add(('run', trust_id), functools.partial(
                self._reconcile, trust_id, _TrackedRun.just_found(run)),
                owner=held.trust.project_id)
            # If it was forgotten meanwhile, that look may be far away.
            self._queue.hasten(('run', trust_id))
        elif trust_id in self._tracked:
            return backoff.AFTER_ABSENCE
        return None

    def _run_of(self, held: _TrackedTrust) -> _Work | None:
        """The run of a trust, if it is open; one of no use is taken back.

        That is one whose run was seen to have ended, or was not to be seen
        for a while. One that cannot be read may yet be.

        :raises ServiceError: when it cannot be found out.
        """
        trust, errand = held.trust, held.errand
        cloud = held.cloud = held.cloud or self._access.cloud(trust)
        if trust.uses is not None:
            self._answer_probe(trust.id, cloud)
            return None
        server = _server(cloud, errand.server_id)
        if errand.image_id:
            return self._recorded_of(held, cloud, server)
        test = boot_test.read(server) if server else None
        if test is not None and test.plan.run_id == errand.run_id:
            held.sees()
            return test
        run = journal.read(server, errand.run_id) if server else None
        if run is not None and run.plan.run_id == errand.run_id:
            held.sees()
            if run.open:
                return run
            LOG.info('Deleting trust %s: its run is over', trust.id,
                     extra={'trust': trust.id})
            self._take_back(trust.id, cloud)
        elif server is not None and run is None and journal.has_plan(server):
            LOG.warning('Trust %s: the record on server %s cannot be read: '
                        'another version of this plugin may have written '
                        'it, or somebody has changed it', trust.id,
                        server.id, extra={'trust': trust.id})
        elif held.misses():
            LOG.info('Deleting trust %s: its run was dismissed or replaced, '
                     'or its instance is gone', trust.id,
                     extra={'trust': trust.id})
            self._take_back(trust.id, cloud)
        return None

    def _recorded_of(self, held: _TrackedTrust, cloud: services.Cloud,
                     server: types.Server | None
                     ) -> restore.Restore | switch_over.SwitchOver | None:
        """Likewise, of a restore or a switch-over, which an image records."""
        image_id, run_id = held.errand.image_id, held.errand.run_id
        found: restore.Restore | switch_over.SwitchOver | None
        found = there = restoring.read(cloud, server, image_id)
        lost = there is not None and there.lost
        if found is None or not lost and found.plan.run_id != run_id:
            found = switching.read(cloud, image_id)
        if found is not None and (lost or found.plan.run_id == run_id):
            held.sees()
            if found.open:
                return found
            self._take_back(held.trust.id, cloud)
        elif held.misses():
            self._take_back(held.trust.id, cloud)
        return None

    def _answer_probe(self, trust_id: str, cloud: services.Cloud) -> None:
        """Take back a trust that only asks whether anybody is there.

        It is left as it is, and so nobody is promised anything, where what a
        run needs is out of reach.

        :raises ServiceError: then.
        """
        cloud.gather_or_raise(
            lambda: lifecycle.list_runs(cloud),
            lambda: cloud.images.images(1, {'owner': cloud.project_id}))
        self._take_back(trust_id, cloud)
        LOG.info('Answered the probe by trust %s', trust_id,
                 extra={'trust': trust_id})

    def _take_back(self, trust_id: str, cloud: services.Cloud) -> None:
        cloud.identity.delete_trust(trust_id)
        self._taken_back.add(trust_id)
        self._forget(trust_id)

    # The runs.

    def _reconcile(self, trust_id: str, followed: _TrackedRun) -> float | None:
        """Bring a run forward; the seconds until it is worth another look.
        """
        run, held = followed.run, self._tracked.get(trust_id)
        listed = self._watch.goes_on(trust_id)
        if held is None:
            return None
        cloud = held.cloud
        if cloud is None:
            return self._interval  # until there is a token again
        try:
            server = followed.take_found() or listed or _server(
                cloud, held.errand.server_id)
            if server is not None and not isinstance(run, boot_test.BootTest):
                held.sees()
            gone = server is None and held.misses()
            if server is None and not gone:
                return backoff.AFTER_ABSENCE
            if isinstance(run, boot_test.BootTest):
                pause = self._test(held, cloud, server)
            elif isinstance(run, record.Run):
                pause = self._advance(held, cloud, server, followed, run)
            else:
                pause = self._follow(held, cloud, followed, run)
        except errors.Unauthorized as error:
            LOG.warning('Run %s: trust %s gives no access any more: %s',
                        run.plan.run_id, trust_id, error,
                        extra={**run.log_fields, 'trust': trust_id})
            held.cloud = None
            self._counters.error('identity')
            self._enqueue(held, backoff.after_lockout(1))
            return self._interval
        except errors.Resting as error:
            return error.seconds  # nothing was asked
        except errors.ServiceError as error:
            followed.problems += 1
            LOG.warning('Advancing run %s failed: %s', run.plan.run_id, error,
                        extra=run.log_fields)
            self._counters.error(error.service)
            return backoff.after_error(followed.problems)
        followed.problems = 0
        return pause

    def _advance(self, held: _TrackedTrust, cloud: services.Cloud,
                 server: types.Server | None, followed: _TrackedRun,
                 run: record.Run) -> float | None:
        """Likewise, of a run whose server was looked at.

        :param server: None for one that is surely gone.
        """
        if server is not None and server.task_state and (
                server.task_state == run.server.task_state):
            return self._pause(held, followed, run)
        later = followed.run = reconcile.advance(
            cloud, run, server=server, approves=held.approves,
            surely_gone=server is None)
        if not later.open:
            self._finish(held, cloud, later)
            return None
        if later.progress != run.progress:
            followed.since = time.monotonic()
        return self._pause(held, followed, later)

    def _test(self, held: _TrackedTrust, cloud: services.Cloud,
              server: types.Server | None) -> float | None:
        """Likewise, of a boot test."""
        if server is None:
            self._take_back(held.trust.id, cloud)
            return None
        test = boot_test.read(server)
        if test is None or not held.approves(test) or not test.plausible:
            LOG.warning('Trust %s: the record on server %s is not the one '
                        'that it was made for, and the server is left alone',
                        held.trust.id, server.id,
                        extra={'trust': held.trust.id})
            if not held.misses():
                return backoff.AFTER_ABSENCE
            self._take_back(held.trust.id, cloud)
            return None
        if test.going and not server.task_state:  # Nova keeps it for a while
            self._take_back(held.trust.id, cloud)
            return None
        held.sees()
        testing.advance(cloud, test)
        return backoff.BOOT_TEST

    def _follow(self, held: _TrackedTrust, cloud: services.Cloud,
                followed: _TrackedRun,
                found: restore.Restore | switch_over.SwitchOver
                ) -> float | None:
        """Likewise, of what an image records."""
        later: restore.Restore | switch_over.SwitchOver
        failed: type[restore.Failure] | type[switch_over.Failure]
        try:
            if isinstance(found, restore.Restore):
                failed, later = restore.Failure, restoring.advance(
                    cloud, found, lambda one: one.lost or held.approves(one))
            else:
                failed, later = switch_over.Failure, switching.advance(
                    cloud, found, held.approves)
        except sight.Superseded:
            self._enqueue(held)  # whether that is so
            return None
        followed.run = later
        if not later.open:
            self._take_back(held.trust.id, cloud)
            result = failures.known(later.progress.failure, failed) or 'done'
            LOG.info('%s %s of server %s has ended: %s',
                     type(later).__name__, later.plan.run_id,
                     later.log_fields['server'], result,
                     extra={**later.log_fields, 'result': result})
            self._counters.ended(result)
            return None
        if later.progress != found.progress:
            followed.since = time.monotonic()
        return self._pause(held, followed, later)

    def _pause(self, held: _TrackedTrust, followed: _TrackedRun,
               run: record.Run | restore.Restore | switch_over.SwitchOver
               ) -> float:
        if (isinstance(run, record.Run) and run.server.task_state
                and self._watch.waits(held.trust.id, run.server)):
            return backoff.LISTED
        return backoff.after_look(
            run, time.monotonic() - followed.since,
            self._queue.crowd(held.trust.project_id), self._rate)

    def _finish(self, held: _TrackedTrust, cloud: services.Cloud,
                run: record.Run) -> None:
        if run.superseded:
            self._enqueue(held)  # whether that is so
            return
        self._take_back(held.trust.id, cloud)
        result = failures.known(run.progress.failure) or 'done'
        LOG.info('Run %s on server %s has ended: %s', run.plan.run_id,
                 run.server.id, result,
                 extra={**run.log_fields, 'result': result})
        self._counters.ended(result)


def _in_turns(held: list[_TrackedTrust]) -> list[_TrackedTrust]:
    """First one of each project, then the second of each, and so on."""
    before: collections.Counter[str] = collections.Counter()
    numbered = []
    for one in held:
        numbered.append((before[one.trust.project_id], one))
        before[one.trust.project_id] += 1
    return [one for _, one in sorted(numbered, key=lambda item: item[0])]


def _server(cloud: services.Cloud, server_id: str) -> types.Server | None:
    """A run's server; None when it is not to be found.

    While Nova is still at the same task nothing else needs to be asked.

    :raises Unauthorized: when the trust does not open Nova any more; Keystone
        says 403 when its user was disabled or has lost the role.
    :raises ServiceError: when Nova does not tell.
    """
    try:
        return observe.server_now(cloud, server_id)
    except errors.Forbidden as error:
        raise errors.Unauthorized(error.service, error.detail,
                                  error.status) from error
