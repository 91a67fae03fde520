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

"""Bring a run forward: observe, decide, execute, look again.

Any number of callers at once, and a crash between any two lines, lead to
the same end: each write is safe to repeat, and each look is a new one.
"""

from collections.abc import Callable
from collections.abc import Collection
import contextlib
import dataclasses
import logging
import time

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types
from snapshot_dashboard.runs import execute
from snapshot_dashboard.runs import failures
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import observation
from snapshot_dashboard.runs import observe
from snapshot_dashboard.runs import record
from snapshot_dashboard.runs import steps

LOG = logging.getLogger(__name__)

#: The most steps that one call takes; the next call continues.
_STEPS = 10
#: Steps after which it is enough to see that Nova is at work.
_NOVA_TAKES_TIME = (steps.Do.POWER_OFF, steps.Do.CAPTURE, steps.Do.POWER_ON)
#: Seconds after which an observation is too old to act on.
_LONGEST_LOOK = 60
#: Says whether a run's record is what its user asked for.
Approves = Callable[[record.Run], bool]


def advance(cloud: services.Cloud, run: record.Run,
            clock: execute.Clock = time.time,
            server: types.Server | None = None,
            approves: Approves | None = None,
            surely_gone: bool = False,
            glimpse: types.Server | None = None) -> record.Run:
    """Advance a run as far as possible without waiting.

    :param server: the run's server, if the caller has just fetched it.
    :param approves: whether a record is what its user asked for. Of a record
        that is not, nothing is carried out but the power-on that is owed.
    :param surely_gone: whether a server that is not found counts as deleted,
        so that what the run left behind may be removed.
    :param glimpse: the run's server as a list has shown it a moment ago. That
        does to see that there is nothing to do; it is asked for anew before
        anything is done.
    :returns: the run as it is now.
    :raises ServiceError: when a service could not be asked. Nothing is lost:
        the next call continues.
    """
    attempts: set[str] = set()
    if glimpse is not None and _has_to_wait(cloud, run, glimpse, clock):
        return run
    for _ in range(_STEPS):
        now = int(clock())
        seen = observe.observe(cloud, run, now, server)
        server = None
        if clock() - now > _LONGEST_LOOK:
            break  # it was suspended meanwhile, and what it saw is old
        if seen.server is None:
            return _after_the_server(cloud, run, seen, clock) if (
                surely_gone) else run
        try:
            run = _as_recorded(cloud, run, seen.server, now, approves,
                               attempts)
            step = steps.next_step(run.plan, run.progress, seen, run.tagged)
            if step.do in (steps.Do.WAIT, steps.Do.NOTHING):
                break
            _log(run, step)
            run = execute.execute(cloud, run, step, int(clock()), clock)
        except execute.Superseded:
            return dataclasses.replace(run, superseded=True)
        if step.do in execute.ATTEMPTS:
            attempts.add(run.progress.attempt)
        if step.do in _NOVA_TAKES_TIME:
            there = None
            with contextlib.suppress(errors.ServiceError):
                there = _if_intact(run, observe.server_now(
                    cloud, run.server.id))
            if there is not None and there.open and there.server.task_state:
                return there
        if step.do is steps.Do.POWER_ON or (
                run.progress.ended_at and step.do is steps.Do.REMOVE):
            break  # tried once; the next look shows what came of it
    return run


def _has_to_wait(cloud: services.Cloud, run: record.Run,
                 glimpse: types.Server, clock: execute.Clock) -> bool:
    """Whether nothing is to be done for a run that its server records."""
    there = _if_intact(run, glimpse)
    if there is None:
        return False
    seen = observe.observe(cloud, there, int(clock()), glimpse)
    return steps.next_step(there.plan, there.progress, seen,
                           there.tagged).do is steps.Do.WAIT


def _if_intact(run: record.Run,
               server: types.Server | None) -> record.Run | None:
    """A run as its server records it, if nobody spoilt the record."""
    there = journal.read(server, run.plan.run_id) if server else None
    return there if there is not None and there.plan == run.plan and (
        there.indexed or there.tagged) else None


def _as_recorded(cloud: services.Cloud, run: record.Run,
                 server: types.Server, now: int, approves: Approves | None,
                 attempts: Collection[str]) -> record.Run:
    """A run as its server records it now, and found by its index.

    :param attempts: what this caller has asked for; who closed the run did
        perhaps not know.
    :raises Superseded: when the server records it no more.
    :raises Unavailable: when that cannot be told.
    """
    there = journal.read(server, run.plan.run_id)
    if there is None and journal.has_plan(server):
        raise errors.Unavailable('compute', 'the record cannot be read')
    if there is None or there.plan.run_id != run.plan.run_id:
        raise execute.Superseded(run.plan.run_id)
    if approves is not None:
        there = _trusted(there, approves)
    if run.open and run.progress.attempt in attempts and not there.open:
        there = execute.reopen(cloud, there, run.progress, now)
    return find_again(cloud, there)


def _trusted(run: record.Run, approves: Approves) -> record.Run:
    """A run, or what may be done of one whose plan is not to be trusted.

    That is to power its instance on again, if that is owed.
    """
    if run.lost or run.tagged or run.copied or approves(run) or (
            run.progress.failure == failures.Failure.RECORD_LOST.value):
        return run
    owed = journal.read_owed(run.server, run.plan.run_id)
    if owed is not None and owed.plan.run_id == run.plan.run_id:
        return owed
    return run.failed(failures.Failure.RECORD_LOST)


def find_again(cloud: services.Cloud, run: record.Run) -> record.Run:
    """Put a run back into the index, of which others have replaced the tags.

    What they took away may have said that a power-on is owed; not of a run
    that has noted nothing, for it has powered nothing off. Where one tag is
    left nobody replaced them: the run was closed, and the note of that undone.
    """
    if run.indexed or run.tagged or not run.open or observation.is_held(
            run.server, run.tagged):
        return run
    replaced = record.TAG not in run.server.tags
    owes = run.plan.power_off and run.plan.power_on and (
        replaced and run.server.status != 'ACTIVE' and run.progress.updated_at
        or run.progress.stop_count)
    try:
        if owes:
            execute.owe(cloud, run)
        execute.index(cloud, run.server)
    except errors.ServiceError as error:
        LOG.warning('Run %s: its tags could not be set again: %s',
                    run.plan.run_id, error,
                    extra=run.log_fields)
    if owes and not run.progress.stop_count:
        return dataclasses.replace(run, progress=dataclasses.replace(
            run.progress, stop_count=1))
    return run


def _log(run: record.Run, step: steps.Step) -> None:
    LOG.info('Run %s on server %s: next step: %s', run.plan.run_id,
             run.server.id,
             step.do.value, extra={**run.log_fields, 'step': step.do.value})


def _after_the_server(cloud: services.Cloud, run: record.Run,
                      seen: observation.Observation,
                      clock: execute.Clock) -> record.Run:
    """Tidy up; the record went with the server."""
    step = steps.next_step(run.plan, run.progress, seen, run.tagged)
    if step.do in (steps.Do.WAIT, steps.Do.NOTHING):
        return run
    _log(run, step)
    run = dataclasses.replace(run, progress=step.note or run.progress)
    return execute.execute(cloud, run, dataclasses.replace(step, note=None),
                           seen.now, clock)
