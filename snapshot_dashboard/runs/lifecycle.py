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

"""The life of a run as its user asks for it: begin, cancel, dismiss.

What happens in between is :mod:`.reconcile`.
"""

from collections.abc import Collection
from collections.abc import Sequence
import contextlib
import dataclasses
import functools
import logging
import time
from typing import Any
import uuid

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types
from snapshot_dashboard.runs import consistency
from snapshot_dashboard.runs import execute
from snapshot_dashboard.runs import failures
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import observe
from snapshot_dashboard.runs import reconcile
from snapshot_dashboard.runs import record
from snapshot_dashboard.runs import seals
from snapshot_dashboard.runs import situation
from snapshot_dashboard.snapshots import recipes

LOG = logging.getLogger(__name__)

#: Runs of one project that are shown, and open ones that are looked for.
_SHOWN, _OPEN = 100, 5000


class TooLate(errors.Conflict):
    """A run cannot be cancelled any more."""


class Busy(Exception):
    """There is an open run on this server already, it is being put back, or
    its addresses are moving.
    """


class Unclear(Exception):
    """Whether a run was begun is not known, for its service went silent."""

    def __init__(self, error: errors.ServiceError):
        super().__init__(str(error))
        self.error = error


@dataclasses.dataclass(frozen=True)
class Found:
    """The runs of a project.

    :ivar runs: the latest first; those that are over among them.
    :ivar unreadable: the servers that should have one but whose record
        cannot be read.
    :ivar more: whether there are more that are over.
    :ivar test_servers: the instances that are there for a boot test alone.
    :ivar restored_servers: those that are being put back to a snapshot, or
        were.
    :ivar switched_servers: those whose addresses move, or did.
    """

    runs: tuple[record.Run, ...]
    unreadable: tuple[types.Server, ...] = ()
    more: bool = False
    test_servers: tuple[types.Server, ...] = ()
    restored_servers: tuple[types.Server, ...] = ()
    switched_servers: tuple[types.Server, ...] = ()

    @property
    def open(self) -> list[record.Run]:
        return [run for run in self.runs if run.open]


def new_plan(name: str, description: str, *, requested_by: str,
             server_id: str = '',
             seal: seals.Seal | None = None,
             clock: execute.Clock = time.time, **options: Any) -> record.Plan:
    """The plan of a run that begins now.

    :param seal: of who writes it, that others can tell.
    :param options: the other fields of the plan.
    """
    plan = record.Plan(
        run_id=seal.new_run_id(server_id) if seal else uuid.uuid4().hex,
        name=name, description=description, began_at=int(clock()),
        requested_by=requested_by, server_id=server_id, **options)
    return dataclasses.replace(plan,
                               power_on=plan.power_off and plan.power_on)


def begin(cloud: services.Cloud, server: types.Server, plan: record.Plan,
          clock: execute.Clock = time.time, seal: seals.Seal | None = None,
          tagged: bool = False, after: str = '') -> record.Run:
    """Write a run down on its server; :mod:`.reconcile` does the rest.

    A locked server takes no metadata, but it cannot be powered off either,
    and createImage does not mind the lock: its snapshot is taken at once.

    :param tagged: whether there is no room for metadata either.
    :param after: the latest request on the server, if that is known: what
        others do after it was not asked for with the run.
    :raises Busy: when a run is open on this server.
    :raises OverQuota: when there is no room for the record.
    :raises ServiceError: when the record or the snapshot is refused, or was
        not written; then the run is not begun, and will not be.
    :raises Unclear: when that is not certain.
    """
    there = journal.read(server)
    if (there is not None and there.open or record.is_being_restored(server)
            or record.is_switching(server)):
        raise Busy(server.id)
    tagged = (tagged or server.locked) and plan.captures_image
    if not journal.has_room(server, tagged):
        raise errors.OverQuota(
            'compute', 'The instance has no room for more tags: Nova allows '
            '50.')
    plan = journal.as_recorded(dataclasses.replace(plan,
                                                   server_id=server.id))
    if tagged:
        return _begin_tagged(cloud, server, plan, clock)
    sealed = seal.of(plan.fingerprint) if seal else ''
    progress = record.Progress(begin_request=after)
    # Without the old index nobody takes up what is not all there yet; but an
    # old record that was dismissed is to stay so until it is written over.
    dismissals = list(filter(journal.is_dismissal, server.tags))
    _delete_tags(cloud, server, keep=dismissals)
    try:
        cloud.compute.set_metadata(server.id, {
            **dict.fromkeys(journal.keys(server), ''),
            **journal.write(plan, sealed, progress)})
    except execute.NOT_DONE:
        raise
    except errors.ServiceError as error:
        _withdraw(cloud, server, error)
        raise
    try:
        for tag in dismissals:
            cloud.compute.delete_tag(server.id, tag)
        execute.index(cloud, server)
    except errors.ServiceError as error:
        _withdraw(cloud, server, error, execute.INDEX)
        raise
    return record.Run(server, plan, progress, sealed, noted=progress)


def _withdraw(cloud: services.Cloud, server: types.Server,
              reason: errors.ServiceError, tags: Sequence[str] = ()) -> None:
    """Take back a record that may have been written.

    :param tags: those of it, in the order in which they were written.
    :raises Unclear: when it cannot be.
    """
    try:
        if not server.locked:
            cloud.compute.delete_metadata(server.id, [journal.PLAN])
        for tag in reversed(tags):
            cloud.compute.delete_tag(server.id, tag)
    except errors.ServiceError:
        raise Unclear(reason) from reason


def _begin_tagged(cloud: services.Cloud, server: types.Server,
                  plan: record.Plan, clock: execute.Clock) -> record.Run:
    made_of = (recipes.Recipe() if plan.without_recipe
               else recipes.of(cloud, server))
    stop = consistency.last_stop(observe.actions(cloud, server))
    _delete_tags(cloud, server)
    run = record.Run(server, plan, record.Progress(), tagged=True)
    tags = [*journal.tags(plan, run.progress), record.OPEN_TAG, record.TAG]
    try:
        for tag in tags:
            cloud.compute.add_tag(server.id, tag)
    except errors.ServiceError as error:
        _withdraw(cloud, server, error, tags)
        raise
    try:
        execute.create_image(cloud, server, plan, consistency.classify(
            server.status, stop, plan.shutdown_timeout, plan.agent_announced),
            int(clock()), made_of)
    except execute.NOT_DONE as error:
        _withdraw(cloud, server, error, tags)
        raise
    except errors.ServiceError as error:
        # It may have been done, and the record tells what comes of it.
        LOG.warning('Run %s: whether Nova takes the snapshot is not known: '
                    '%s', plan.run_id, error, extra=run.log_fields)
    return run


def plan_again(run: record.Run, requested_by: str, name: str,
               seal: seals.Seal | None = None,
               clock: execute.Clock = time.time) -> record.Plan:
    """The plan that tries a failed run once more.

    An instance that is off by now needs no powering off, but is still to be
    powered on where the first try had promised that.
    """
    server_id = run.server.id
    return dataclasses.replace(
        run.plan, requested_by=requested_by, name=name, began_at=int(clock()),
        server_id=server_id,
        run_id=seal.new_run_id(server_id) if seal else uuid.uuid4().hex)


def list_runs(cloud: services.Cloud) -> Found:
    """The runs of the project, the instances of its boot tests, and those
    that are put back or switched over, in one call where they are not too
    many.

    Those that are open are found however many are over.
    """
    servers, more = cloud.compute.tagged(
        _SHOWN, record.TAG, record.OPEN_TAG, record.TEST_TAG,
        record.RESTORE_TAG, record.SWITCH_TAG)
    if more:
        known = {server.id for server in servers}
        servers += [server for server in cloud.compute.tagged(
                        _OPEN, record.OPEN_TAG, record.TEST_TAG,
                        record.RESTORING, record.RESTORING_ON,
                        record.SWITCHING)[0]
                    if server.id not in known]
    found = [(server, journal.read(server)) for server in servers]
    return Found(
        tuple(sorted((run for _, run in found if run is not None),
                     key=lambda run: run.plan.began_at, reverse=True)),
        tuple(server for server, run in found
              if run is None and journal.is_there(server)), more,
        tuple(server for server in servers
              if record.TEST_TAG in server.tags),
        tuple(server for server in servers
              if record.RESTORE_TAG in server.tags
              or record.is_being_restored(server)),
        tuple(server for server in servers
              if record.SWITCH_TAG in server.tags
              or record.is_switching(server)))


def cancel(cloud: services.Cloud, run: record.Run,
           clock: execute.Clock = time.time) -> record.Run:
    """Give a run up before its capture; the instance is powered on again.

    A tag says so, which nobody undoes who writes at the same time, and a note,
    which stays when another tool replaces the tags.

    :raises ServiceError: when it was not written down, or not in both places,
        as far as is known; it can be asked for again.
    :returns: the run as it was read then: whether it is cancelled is there.
    """
    if not can_cancel(run):
        return run
    try:
        cloud.compute.add_tag(run.server.id, run.cancel_tag)
        suppressed: tuple[type[errors.ServiceError], ...] = (
            errors.Conflict,)
    except errors.Refused:  # no room: the note has to do
        suppressed = ()
    with contextlib.suppress(*suppressed):
        execute.note(cloud, run, int(clock()), dataclasses.replace(
            run.progress, failure=failures.Failure.CANCELLED.value))
    return journal.read(cloud.compute.server(run.server.id)) or run


def can_cancel(run: record.Run) -> bool:
    progress = run.progress
    return not (progress.snapshot_count or progress.capture_count
                or progress.ended_at or progress.failure)


def adopt(cloud: services.Cloud, run: record.Run,
          seal: seals.Seal) -> None:
    """Seal a run that somebody else wrote down, on the word of a user."""
    cloud.compute.set_metadata(
        run.server.id, {journal.SEAL: seal.of(run.plan.fingerprint)})


def remove_leftovers(cloud: services.Cloud, run: record.Run,
                     clock: execute.Clock = time.time) -> None:
    """Remove what a run has left, at its owner's wish.

    That is what nobody needs; and the snapshot itself where it is known to
    be incomplete.

    :raises ServiceError: when something of it could not be removed.
    """
    now = int(clock())
    seen = observe.observe(cloud, run, now)
    for service in sorted(seen.unreachable):
        raise errors.Unavailable(service, 'what is left is not known')
    left = situation.Situation(run.plan, run.progress, seen, run.tagged)
    if run.progress.failure in failures.KEEPING:
        images = [image.id for image in seen.images]
        snapshots = [snapshot.id for snapshot in seen.snapshots]
    else:
        images, snapshots = map(list, left.leftovers)
    # First, so that what inherited from them is known for that afterwards.
    run = execute.note(cloud, run, now, dataclasses.replace(
        run.progress, removed_calls=situation.with_removed(run.progress, (
            image for image in seen.images if image.id in images))))
    execute.remove(cloud, images, snapshots)
    execute.note(cloud, run, now, dataclasses.replace(
        run.progress, leftover_ids='', removed_at=now))


def tidy(cloud: services.Cloud, run: record.Run,
         clock: execute.Clock = time.time) -> None:
    """Remove what a late call has left behind of a run that is over.

    An error is logged and not raised: nothing depends on it.
    """
    try:
        reconcile.advance(cloud, run, clock)
    except errors.ServiceError as error:
        LOG.info('Run %s: the check for leftovers failed: %s', run.plan.run_id,
                 error)


def dismiss(cloud: services.Cloud, server_id: str,
            ended_run_id: str = '') -> None:
    """Take a run's record away.

    :param ended_run_id: take that of this run alone, and only if it is over:
        somebody may have begun another one.

    A tag that the record counts no more comes first and goes last, or nobody
    could tell what is left in between from a record that somebody has
    damaged. A locked server that keeps its metadata keeps it, too.
    """
    server = cloud.compute.server(server_id)
    run = journal.read(server)
    if ended_run_id and (run is None or run.open
                         or run.plan.run_id != ended_run_id):
        return
    if run is not None:
        with contextlib.suppress(errors.Refused):  # there is no room for it
            cloud.compute.add_tag(server.id, run.dismissed_tag)
    for tag in journal.all_tags(server):
        if tag != record.TAG:
            cloud.compute.delete_tag(server.id, tag)
    if not server.locked:
        cloud.compute.delete_metadata(server.id, [journal.PLAN])
        # Each is a call, for no other one leaves others' items alone.
        cloud.gather_or_raise(*(functools.partial(
            cloud.compute.delete_metadata, server.id, [key])
            for key in journal.keys(server) if key != journal.PLAN))
    cloud.compute.delete_tag(server.id, record.TAG)
    if run is not None and (run.tagged or not server.locked):
        cloud.compute.delete_tag(server.id, run.dismissed_tag)


def _delete_tags(cloud: services.Cloud, server: types.Server,
                 keep: Collection[str] = ()) -> None:
    """The index first: without it nobody takes up what is half there."""
    for tag in reversed(journal.all_tags(server)):
        if tag not in keep:
            cloud.compute.delete_tag(server.id, tag)
