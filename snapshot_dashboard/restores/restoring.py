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
from snapshot_dashboard.cloud import limits
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import texts
from snapshot_dashboard.cloud import types
from snapshot_dashboard.restores import course
from snapshot_dashboard.restores import restore
from snapshot_dashboard.restores import sight
from snapshot_dashboard.restores import writes
from snapshot_dashboard.runs import delegate
from snapshot_dashboard.runs import execute
from snapshot_dashboard.runs import image_records
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import observation
from snapshot_dashboard.runs import record
from snapshot_dashboard.runs import seals

LOG = logging.getLogger(__name__)
#: The most steps that one call takes; the next call continues.
_STEPS = 20
#: Seconds after which a look is too old to act on.
_LONGEST_LOOK = 60
#: Tags of a restore, and of the run of its safety snapshot.
_TAGS = 3 + 5
#: Characters of a name that the plan has room for.
_NAME = 64


class Busy(Exception):
    """The instance is being put back, or its snapshot is being taken."""


@dataclasses.dataclass(frozen=True)
class Wish:
    """What is to be put back, and how.

    :ivar image: the instance snapshot; None where volumes alone go back.
    :ivar disks: the volumes of a volume-backed instance that are overwritten.
    :ivar swaps: the volumes that are exchanged.
    :ivar run_again: whether the instance is to run afterwards.
    :ivar latest_request: on the instance; empty if that is not known.
    :ivar requested_by: the name of the user.
    :ivar begin_within: seconds after which nothing of it is begun.
    :ivar safety: the plan of the run that takes the safety snapshot; None for
        none. It leaves the instance off.
    """

    image: types.Image | None
    disks: tuple[restore.Disk, ...] = ()
    swaps: tuple[restore.Swap, ...] = ()
    run_again: bool = False
    requested_by: str = ''
    begin_within: int = 3600
    latest_request: str = ''
    safety: record.Plan | None = None


def begin(cloud: services.Cloud, server: types.Server, wish: Wish,
          seal: seals.Seal, clock: writes.Clock = time.time
          ) -> restore.Restore:
    """Write a restore down, and begin its safety snapshot.

    :param server: the instance, as it is now.
    :raises Busy: when something is under way there already.
    :raises ServiceError: when it was not begun, as far as is known. If it
        was, it ends as not begun, or shows in the list.
    """
    run = journal.read(server)
    if (run is not None and run.open or is_under_way(cloud, server)
            or record.is_switching(server)):
        raise Busy(server.id)
    if not has_room(server):
        raise errors.OverQuota(
            'compute', 'The instance has no room for more tags: Nova allows '
            '50.')
    home, image, now = _home(cloud, server, wish), wish.image, int(clock())
    there = restore.read(home)
    if there is not None and there.open and (
            now - there.plan.began_at < there.plan.begin_within
            or _leads_to(cloud, there)):
        raise Busy(server.id)
    safety = wish.safety and journal.as_recorded(dataclasses.replace(
        wish.safety, server_id=server.id))
    plan = restore.Plan(
        uuid.uuid4().hex, image.id if image else '', home.id, server.id,
        texts.usable(server.name)[:_NAME],
        image is not None and not wish.disks, wish.disks, wish.swaps,
        safety.run_id if safety else '', safety.fingerprint if safety else '',
        wish.run_again, server.status == 'ACTIVE',
        not (image or home).protected, wish.latest_request, now,
        wish.begin_within, texts.usable(wish.requested_by)[:_NAME])
    written = restore.write(plan, seal.of(plan.fingerprint))
    try:
        cloud.images.set_properties(home.id, written)
        _index(cloud, server, plan)
        if plan.protect:
            cloud.images.set_properties((image or home).id,
                                        {'protected': True})
        if safety is not None:
            lifecycle.begin(cloud, server, safety, clock, seal)
    except (*execute.NOT_DONE, Busy, lifecycle.Busy):
        _withdraw(cloud, server, plan)
        raise
    return restore.Restore(plan, seal=written[restore.SEAL])


def has_room(server: types.Server) -> bool:
    """Whether an instance can take the tags of a restore, and of the run of
    its safety snapshot.
    """
    others = len(server.tags) - len(restore.all_tags(server)) - len(
        journal.all_tags(server))
    return others + _TAGS <= limits.MOST_TAGS


def _leads_to(cloud: services.Cloud, there: restore.Restore) -> bool:
    """Whether the instance of an open record has a tag that leads there."""
    try:
        server = cloud.compute.server(there.plan.server_id)
    except errors.NotFound:
        return False
    return there.plan.home_id in restore.home_ids(server)


def _withdraw(cloud: services.Cloud, server: types.Server,
              plan: restore.Plan) -> None:
    """Take back what was written of a restore that is not begun.

    Should that fail, it ends as not begun when somebody looks at it.
    """
    with contextlib.suppress(errors.ServiceError):
        for tag in reversed(restore.tags(plan)):
            cloud.compute.delete_tag(server.id, tag)
        _forget(cloud, plan)


def _forget(cloud: services.Cloud, plan: restore.Plan) -> None:
    """Take a record away, and the image that is there for it alone."""
    image = cloud.images.image(plan.home_id)
    if plan.image_id:
        cloud.images.set_properties(
            plan.home_id, {'protected': False} if plan.protect
            and plan.home_id == plan.image_id else {},
            restore.keys(image.properties))
    elif not image.size_bytes:
        cloud.images.set_properties(plan.home_id, {'protected': False})
        cloud.images.delete(plan.home_id)


def _home(cloud: services.Cloud, server: types.Server,
          wish: Wish) -> types.Image:
    """Where the record is to stand."""
    if server.status == 'ERROR':  # its tags cannot be changed
        home = cloud.images.image(next(iter(restore.home_ids(server)), ''))
        if home.owner != cloud.project_id:
            raise errors.NotFound('image', f'{home.id} is not this project\'s')
        return home
    if wish.image is not None:
        return wish.image
    name = f'{server.name or server.id} {wish.swaps[0].name}'
    return cloud.images.image(cloud.images.create_pointer(
        texts.usable(name)[:texts.NAME_LENGTH], {}))


def _index(cloud: services.Cloud, server: types.Server,
           plan: restore.Plan) -> None:
    """Let it be found by the instance, where Nova takes that.

    :raises Busy: when somebody else did the same at the same moment.
    """
    if server.status == 'ERROR':
        return
    image_records.index(cloud, server.id, restore.all_tags(server),
                        restore.tags(plan))
    if restore.home_ids(cloud.compute.server(server.id)) != [plan.home_id]:
        raise Busy(server.id)


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


def is_under_way(cloud: services.Cloud, server: types.Server) -> bool:
    """Whether an instance is being put back.

    Nova may have kept the tags of one that was.

    :raises ServiceError: when Glance does not tell.
    """
    if not record.is_being_restored(server):
        return False
    found = of_server(cloud, server)
    return found is not None and found.open


def find(cloud: services.Cloud, servers: Iterable[types.Server]
         ) -> tuple[list[restore.Restore], list[errors.ServiceError]]:
    """The restores that instances' tags lead to, the latest first.

    :returns: them, and why others cannot be read.
    """
    answers = cloud.gather(*(functools.partial(of_server, cloud, server)
                             for server in servers))
    found = [answer for answer in answers
             if isinstance(answer, restore.Restore)]
    return (sorted(found, key=lambda one: one.plan.began_at, reverse=True),
            errors.among(answers))


def of_server(cloud: services.Cloud,
              server: types.Server) -> restore.Restore | None:
    """The restore that an instance's tags lead to; None if there is none.

    :raises ServiceError: when Glance does not tell.
    """
    found = [one for one in (
        read(cloud, server, home_id) for home_id in restore.home_ids(server))
        if one is not None]
    return max(found, default=None, key=lambda one: (
        one.open, not one.lost, one.plan.began_at))


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


def sweep(cloud: services.Cloud, server: types.Server) -> None:
    """Take away tags that say that an instance is being put back, where
    nothing records that.
    """
    if (record.is_being_restored(server) and not server.task_state
            and server.status in observation.CAPTURABLE
            and not is_under_way(cloud, server)):
        writes.not_under_way(cloud, server)


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
    for number in range(_STEPS):
        now = int(clock())
        found, seen = sight.look(cloud, found, now)
        if clock() - now > _LONGEST_LOOK or not approves(found):
            break
        if not number:
            writes.tag_again(cloud, found, seen.server)
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


def dismiss(cloud: services.Cloud, server_id: str,
            approves: Callable[[restore.Restore], bool]) -> None:
    """Take away the record of a restore that is over, and its tags.

    One that is not what its user asked for goes, too: nothing is done by it.

    :raises Conflict: while Nova keeps the tags of an instance in error.
    """
    server = cloud.compute.server(server_id)
    found = of_server(cloud, server)
    if found is not None and found.open and approves(found):
        return
    # Without the record nobody would know what the tags are of.
    for tag in restore.all_tags(server):
        if tag != record.RESTORE_TAG:
            cloud.compute.delete_tag(server.id, tag)
    if found is not None and not found.lost:
        _forget(cloud, found.plan)
    cloud.compute.delete_tag(server.id, record.RESTORE_TAG)
