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

"""Begin a run, and bring it forward: observe, decide, take, look again.

Any number of callers at once, and a crash between any two lines, lead to
the same end: each write is safe to repeat, and each look is a new one.
"""

import dataclasses
import logging
import time
from typing import Any
import uuid

from snapshot_dashboard import cloud as clouds
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import types
from snapshot_dashboard.runs import consistency
from snapshot_dashboard.runs import failures
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import observe
from snapshot_dashboard.runs import steps
from snapshot_dashboard.runs import take
from snapshot_dashboard.snapshots import recipe

LOG = logging.getLogger(__name__)

#: Steps that one call takes at the most; the next call goes on.
_STEPS = 10
#: Runs of one project that are looked for.
_RUNS = 100


class Busy(Exception):
    """There is an open run on this server already."""


def new_plan(name: str, description: str, *, by: str,
             clock: take.Clock = time.time, **options: Any) -> journal.Plan:
    """The plan of a run that begins now.

    :param options: the other fields of the plan.
    """
    plan = journal.Plan(run_id=uuid.uuid4().hex, name=name,
                        description=description, began=int(clock()), by=by,
                        **options)
    return dataclasses.replace(plan,
                               power_on=plan.power_off and plan.power_on)


def begin(cloud: clouds.Cloud, server: types.Server, plan: journal.Plan,
          clock: take.Clock = time.time) -> journal.Journal:
    """Write a run down on its server; :func:`advance` does the rest.

    A locked server takes no metadata, but it cannot be powered off either,
    and createImage does not mind the lock: its snapshot is taken at once.

    :raises Busy: when a run is open on this server.
    :raises ServiceError: when the record or the snapshot is refused.
    """
    there = journal.read(server)
    if there is not None and there.open:
        raise Busy(server.id)
    if server.locked and plan.image:
        return _begin_locked(cloud, server, plan, clock)
    cloud.compute.set_metadata(server.id, {
        **dict.fromkeys(journal.keys(server), ''),
        **journal.write_plan(plan)})
    _delete_tags(cloud, server)
    cloud.compute.add_tag(server.id, journal.TAG)
    return journal.Journal(server, plan, journal.Progress())


def _begin_locked(cloud: clouds.Cloud, server: types.Server,
                  plan: journal.Plan, clock: take.Clock) -> journal.Journal:
    made_of = recipe.of(cloud, server)
    _delete_tags(cloud, server)
    run = journal.Journal(server, plan, journal.Progress(), tagged=True)
    # The index last: what it finds is readable.
    for tag in [*sorted(journal.tags(plan, run.progress)), journal.TAG]:
        cloud.compute.add_tag(server.id, tag)
    stop = consistency.last_stop(observe.actions(cloud, server.id))
    try:
        take.create_image(cloud, server, plan, consistency.mark(
            server.status, stop, plan.shutdown_timeout, plan.agent),
            int(clock()), made_of)
    except errors.ServiceError as error:
        if error.status:  # without an answer it may have been done
            forget(cloud, server.id)
        raise
    return run


def runs(cloud: clouds.Cloud, everything: bool = False
         ) -> tuple[list[journal.Journal], list[types.Server]]:
    """The runs of the project, those that are over among them.

    :param everything: not those on the newest servers alone; that takes a
        call for each hundred.
    :returns: the runs, the latest first, and the servers that should have
        one but whose record cannot be read.
    """
    servers = page = cloud.compute.servers(_RUNS, tag=journal.TAG)
    while everything and len(page) == _RUNS:
        page = cloud.compute.servers(_RUNS, tag=journal.TAG,
                                     after=page[-1].id)
        servers = [*servers, *page]
    found = [(server, journal.read(server)) for server in servers]
    return (sorted((run for _, run in found if run is not None),
                   key=lambda run: run.plan.began, reverse=True),
            [server for server, run in found if run is None])


def forget(cloud: clouds.Cloud, server_id: str) -> None:
    """Take a run's record away; a locked server keeps what is not seen."""
    server = cloud.compute.server(server_id)
    if not server.locked:
        cloud.compute.delete_metadata(server.id, journal.keys(server))
    _delete_tags(cloud, server)


def _delete_tags(cloud: clouds.Cloud, server: types.Server) -> None:
    for tag in journal.all_tags(server):
        cloud.compute.delete_tag(server.id, tag)


def tidy(cloud: clouds.Cloud, run: journal.Journal,
         clock: take.Clock = time.time) -> None:
    """Look once more at a run that is over: a late call may have left
    something. It is in nobody's way if that cannot be done now.
    """
    try:
        advance(cloud, run, clock)
    except errors.ServiceError as error:
        LOG.info('Run %s: not tidied up: %s', run.plan.run_id, error)


def remove(cloud: clouds.Cloud, run: journal.Journal,
           clock: take.Clock = time.time) -> None:
    """Remove all that a failed run has left, at its owner's wish.

    :raises ServiceError: when something of it could not be removed.
    """
    now = int(clock())
    seen = observe.observe(cloud, run, now)
    for service in sorted(seen.dark):
        raise errors.Unavailable(service, 'what is left is not known')
    take.remove(cloud, [image.id for image in seen.images],
                [snapshot.id for snapshot in seen.snapshots])
    take.note(cloud, run, now, dataclasses.replace(
        run.progress, left='', removed=now))


def cancel(cloud: clouds.Cloud, run: journal.Journal,
           clock: take.Clock = time.time) -> journal.Journal:
    """Give a run up before its capture; the instance is powered on again."""
    if not can_cancel(run):
        return run
    return take.note(cloud, run, int(clock()), dataclasses.replace(
        run.progress, failure=failures.Failure.CANCELLED.value))


def can_cancel(run: journal.Journal) -> bool:
    progress = run.progress
    return not (progress.snapshots or progress.captures or progress.ended
                or progress.failure)


def again(run: journal.Journal, by: str,
          clock: take.Clock = time.time) -> journal.Plan:
    """The plan that tries a failed run once more.

    An instance that is off by now needs no powering off, but is still to be
    powered on where the first try had promised that.
    """
    return dataclasses.replace(run.plan, run_id=uuid.uuid4().hex, by=by,
                               began=int(clock()))


def advance(cloud: clouds.Cloud, run: journal.Journal,
            clock: take.Clock = time.time,
            server: types.Server | None = None) -> journal.Journal:
    """Bring a run as far forward as it goes without waiting.

    :param server: the run's, as it is now, for who has just asked.
    :returns: the run as it is now.
    :raises ServiceError: when a service could not be asked; nothing is lost
        by that, and the next call goes on.
    """
    for _ in range(_STEPS):
        now = int(clock())
        seen = observe.observe(cloud, run, now, server)
        server = None
        if seen.server is not None:
            there = journal.read(seen.server)
            if there is None or there.plan.run_id != run.plan.run_id:
                return dataclasses.replace(run, superseded=True)
            run = there
        step = steps.next_step(run.plan, run.progress, seen, run.tagged)
        if step.do in (steps.Do.WAIT, steps.Do.NOTHING):
            break
        LOG.info('Run %s on server %s: %s', run.plan.run_id, run.server.id,
                 step.do.value, extra={**run.fields, 'step': step.do.value})
        if seen.server is None:
            # The record went with the server; what is left is tidied up.
            return _after_the_server(cloud, run, step, now, clock)
        try:
            run = take.take(cloud, run, step, now, clock)
        except take.Superseded:
            return dataclasses.replace(run, superseded=True)
        if run.progress.ended and step.do is steps.Do.REMOVE:
            break  # tried once, for what came after the end
    return run


def _after_the_server(cloud: clouds.Cloud, run: journal.Journal,
                      step: steps.Step, now: int,
                      clock: take.Clock) -> journal.Journal:
    run = dataclasses.replace(run, progress=step.note or run.progress)
    return take.take(cloud, run, dataclasses.replace(step, note=None), now,
                     clock)
