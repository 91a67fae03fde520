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

"""The life of a restore: begin, advance, cancel, dismiss.

Any number of callers at once, and a crash between any two lines, lead to the
same end: what is done next is decided from what is seen.
"""

from collections.abc import Callable
from collections.abc import Iterable
import contextlib
import dataclasses
import functools
import logging
import time
import uuid

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import identity
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import texts
from snapshot_dashboard.cloud import types
from snapshot_dashboard.restores import course
from snapshot_dashboard.restores import restore
from snapshot_dashboard.restores import sight
from snapshot_dashboard.restores import writes
from snapshot_dashboard.runs import delegate
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import record
from snapshot_dashboard.runs import seals

LOG = logging.getLogger(__name__)
#: The most steps that one call takes; the next call continues.
_STEPS = 20
#: Seconds after which a look is too old to act on.
_LONGEST_LOOK = 60
#: Characters of a name that the plan has room for.
_NAME = 64


class Busy(Exception):
    """The instance is being put back, or its snapshot is being taken."""


def begin(cloud: services.Cloud, server: types.Server, image: types.Image,
          disks: Iterable[restore.Disk], *, run_again: bool,
          requested_by: str, begin_within: int, seal: seals.Seal,
          safety: record.Plan | None = None,
          clock: writes.Clock = time.time) -> restore.Restore:
    """Write a restore down, and begin its safety snapshot.

    :param server: the instance, as it is now.
    :param image: the snapshot.
    :param disks: the volumes of a volume-backed instance.
    :param run_again: whether it is to run afterwards.
    :param safety: the plan of the run that takes the safety snapshot; None
        for none. It leaves the instance off.
    :raises Busy: when something is under way there already.
    :raises ServiceError: when it was not begun, as far as is known. If it
        was, it ends as not begun, or shows in the list.
    """
    home = (cloud.images.image(restore.home_id(server))
            if server.status == 'ERROR' else image)
    run, there = journal.read(server), restore.read(home)
    if (run is not None and run.open or there is not None and there.open
            or is_under_way(cloud, server)):
        raise Busy(server.id)
    if safety is not None:
        safety = journal.as_recorded(dataclasses.replace(
            safety, server_id=server.id))
    plan = restore.Plan(
        uuid.uuid4().hex, image.id, home.id, server.id,
        texts.usable(server.name)[:_NAME], tuple(disks),
        safety.run_id if safety else '', safety.fingerprint if safety else '',
        run_again, server.status == 'ACTIVE', not image.protected,
        int(clock()), begin_within, texts.usable(requested_by)[:_NAME])
    written = restore.write(plan, seal.of(plan.fingerprint))
    cloud.images.set_properties(home.id, written, [
        name for name in restore.keys(home.properties)
        if name not in written])
    if plan.protect:
        cloud.images.set_properties(image.id, {'protected': True})
    begun = restore.Restore(plan, seal=written[restore.SEAL])
    _index(cloud, server, plan)
    if safety is not None:
        lifecycle.begin(cloud, server, safety, clock, seal)
    return begun


def _index(cloud: services.Cloud, server: types.Server,
           plan: restore.Plan) -> None:
    """Let it be found by the instance, where Nova takes that."""
    wanted = restore.tags(plan)
    if server.status == 'ERROR':
        return
    for tag in restore.all_tags(server):
        if tag not in wanted:
            cloud.compute.delete_tag(server.id, tag)
    for tag in reversed(wanted):
        cloud.compute.add_tag(server.id, tag)


def hand_on(cloud: services.Cloud, found: restore.Restore,
            worker: delegate.Delegation,
            clock: writes.Clock = time.time) -> restore.Restore:
    """Let a worker go on with it.

    :raises ServiceError: when it was not handed on.
    """
    plan = found.plan
    trust = delegate.trust(cloud, worker, clock, identity.Errand(
        plan.run_id, plan.server_id, plan.fingerprint,
        image_id=plan.home_id))
    return writes.note(cloud, found, dataclasses.replace(
        found.progress, trust_id=trust.id), int(clock()))


def is_tagged(server: types.Server) -> bool:
    """Whether an instance is being put back, as far as its tags say."""
    return bool({record.RESTORING, record.RESTORING_ON} & set(server.tags))


def is_under_way(cloud: services.Cloud, server: types.Server) -> bool:
    """Whether an instance is being put back.

    Nova may have kept the tags of one that was.

    :raises ServiceError: when Glance does not tell.
    """
    if not is_tagged(server) or not restore.home_id(server):
        return False
    found = read(cloud, server, restore.home_id(server))
    return found is not None and found.open


def find(cloud: services.Cloud, servers: Iterable[types.Server]
         ) -> tuple[list[restore.Restore], list[errors.ServiceError]]:
    """The restores that instances' tags lead to, the latest first.

    :returns: them, and why others cannot be read.
    """
    there = [server for server in servers if restore.home_id(server)]
    answers = cloud.gather(*(
        functools.partial(read, cloud, server, restore.home_id(server))
        for server in there))
    found = [answer for answer in answers
             if isinstance(answer, restore.Restore)]
    return (sorted(found, key=lambda one: one.plan.began_at, reverse=True),
            errors.among(answers))


def read(cloud: services.Cloud, server: types.Server | None,
         home_id: str) -> restore.Restore | None:
    """The restore of an instance that an image records; None if there is
    none.

    :param server: as it is now; None where it is gone.
    :raises ServiceError: when Glance does not tell.
    """
    try:
        found = restore.read(cloud.images.image(home_id))
    except errors.NotFound:
        return restore.of_tags(server) if server else None
    if found and server and found.plan.server_id != server.id:
        return None
    return found


def approves(seal: seals.Seal, found: restore.Restore) -> bool:
    """Whether this Horizon wrote the plan, and nobody changed it since.

    What is left of one whose image is gone is no more than a power-on.
    """
    return found.lost or seal.holds(found.plan.fingerprint, found.seal)


def advance(cloud: services.Cloud, found: restore.Restore,
            approves: Callable[[restore.Restore], bool],
            clock: writes.Clock = time.time) -> restore.Restore:
    """Advance a restore as far as possible without waiting.

    :param approves: whether a record is what its user asked for. Nothing is
        done by any other.
    :returns: the restore as it is now.
    :raises Superseded: when it is recorded no more.
    :raises ServiceError: when a service could not be asked. Nothing is lost:
        the next call continues.
    """
    for _ in range(_STEPS):
        now = int(clock())
        found, seen = sight.look(cloud, found, now)
        if clock() - now > _LONGEST_LOOK or not approves(found):
            break
        step = course.next_step(found, seen)
        if step.do is course.Do.WAIT:
            break
        LOG.info('Restore %s of server %s: next step: %s',
                 found.plan.run_id, found.plan.server_id, step.do.value,
                 extra={**found.log_fields, 'step': step.do.value})
        found = writes.take(cloud, found, step, seen, clock)
        if step.do in (course.Do.SAVE, course.Do.POWER_ON,
                       course.Do.UNSHELVE, course.Do.END, course.Do.UNTAG):
            break  # tried once; the next look shows what came of it
    return found


def cancel(cloud: services.Cloud, found: restore.Restore,
           clock: writes.Clock = time.time) -> restore.Restore:
    """Give a restore up before anything is overwritten.

    :raises TooLate: when that is not so any more.
    """
    if not found.can_cancel:
        raise lifecycle.TooLate('image', 'It is too late to cancel.')
    return writes.note(cloud, found, dataclasses.replace(
        found.progress, failure=restore.Failure.CANCELLED.value),
        int(clock()))


def dismiss(cloud: services.Cloud, server_id: str) -> None:
    """Take away the record of a restore that is over, and its tags."""
    server = cloud.compute.server(server_id)
    home_id = restore.home_id(server)
    found = read(cloud, server, home_id) if home_id else None
    if found is not None and found.open:
        return
    if found is not None:
        image = cloud.images.image(home_id)
        cloud.images.set_properties(home_id, {}, restore.keys(
            image.properties))
    for tag in restore.all_tags(server):
        with contextlib.suppress(errors.Conflict):
            cloud.compute.delete_tag(server.id, tag)
