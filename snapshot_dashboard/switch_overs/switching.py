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

"""The life of a switch-over: begin, advance, turn round, dismiss.

Any number of callers at once, and a crash between any two lines, lead to the
same end: what is done next is decided from what is seen.
"""

from collections.abc import Callable
from collections.abc import Iterable
import contextlib
import dataclasses
import functools
import json
import logging
import time
import uuid

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import identity
from snapshot_dashboard.cloud import limits
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import texts
from snapshot_dashboard.cloud import types
from snapshot_dashboard.restores import restoring
from snapshot_dashboard.restores import sight
from snapshot_dashboard.runs import delegate
from snapshot_dashboard.runs import image_records
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import observation
from snapshot_dashboard.runs import record
from snapshot_dashboard.runs import seals
from snapshot_dashboard.runs import situation
from snapshot_dashboard.switch_overs import course
from snapshot_dashboard.switch_overs import switch_over

LOG = logging.getLogger(__name__)
#: Steps of one advance, and seconds after which a look is too old to act on.
_STEPS, _LONGEST_LOOK = 40, situation.STALE
#: Tries, of some minutes together, until something is given up.
_MOST_TRIES = 8
_NAME = 64
Clock = Callable[[], float]
SwitchOver = switch_over.SwitchOver


class Busy(Exception):
    """Something is under way at one of the two instances already."""


@dataclasses.dataclass(frozen=True)
class Wish:
    """What a user asks for.

    :ivar image: the snapshot that the copy was launched from.
    :ivar ports: the original's; ``own_ports`` the copy's.
    :ivar floating: the floating addresses of the original's ports.
    """

    image: types.Image
    original: types.Server
    copy: types.Server
    ports: tuple[types.Port, ...]
    own_ports: tuple[types.Port, ...]
    floating: tuple[types.FloatingAddress, ...] = ()
    requested_by: str = ''


def begin(cloud: services.Cloud, wish: Wish, seal: seals.Seal,
          clock: Clock = time.time) -> SwitchOver:
    """Write a switch-over down; :func:`advance` does the rest.

    :raises Busy: when something is under way there already.
    :raises ServiceError: when it was not begun, as far as is known.
    """
    image, both = wish.image, (wish.original, wish.copy)
    if any(is_busy(cloud, server) for server in both):
        raise Busy(image.id)
    if not all(map(has_room, both)):
        raise errors.OverQuota(
            'compute', 'The instance has no room for more tags: Nova allows '
            '50.')
    there = switch_over.read(image)
    if there is not None and there.open and _is_indexed(cloud, there):
        raise Busy(image.id)
    plan = switch_over.Plan(
        uuid.uuid4().hex, image.id, wish.original.id,
        texts.usable(wish.original.name)[:_NAME], wish.copy.id,
        texts.usable(wish.copy.name)[:_NAME],
        tuple(_card(port, wish.floating) for port in wish.ports),
        tuple(port.id for port in wish.own_ports),
        'ACTIVE' in (wish.original.status, wish.copy.status),
        not image.protected or bool(there and there.plan.protect),
        int(clock()),
        texts.usable(wish.requested_by)[:_NAME])
    sealed = seal.of(plan.fingerprint)
    try:
        cloud.images.set_properties(
            image.id, {**switch_over.write(plan, sealed), 'protected': True})
        for server in both:
            _index(cloud, server, plan)
    except (errors.ServiceError, Busy):
        _withdraw(cloud, plan)
        raise
    return SwitchOver(plan, seal=sealed)


def _card(port: types.Port, floating: Iterable[types.FloatingAddress]
          ) -> switch_over.Card:
    return switch_over.Card(
        port.id, port.network_id, port.mac,
        json.dumps(dict(port.body), separators=(',', ':')), port.addresses,
        tuple((one.id, one.fixed) for one in floating
              if one.port_id == port.id))


def is_busy(cloud: services.Cloud, server: types.Server) -> bool:
    """Whether something is under way at an instance already.

    :raises ServiceError: when Glance does not tell.
    """
    run = journal.read(server)
    return bool(run is not None and run.open) or restoring.is_under_way(
        cloud, server) or is_under_way(cloud, server)


def is_under_way(cloud: services.Cloud, server: types.Server) -> bool:
    """Whether an instance's addresses are moving.

    :raises ServiceError: when Glance does not tell.
    """
    return record.is_switching(server) and any(
        found is not None and found.open
        and server.id in (found.plan.copy_id, found.plan.original_id)
        for found in (read(cloud, home_id)
                      for home_id in switch_over.home_ids(server)))


def has_room(server: types.Server) -> bool:
    """Whether an instance can take the tags of a switch-over."""
    return (len(server.tags) - len(switch_over.all_tags(server))
            + len(switch_over.tags('')) <= limits.MOST_TAGS)


def _is_indexed(cloud: services.Cloud, there: SwitchOver) -> bool:
    """Whether a tag of one of its instances leads to an open record."""
    found = _instances(cloud, there.plan)
    return any(there.plan.home_id in switch_over.home_ids(server)
               for server in errors.without(found).values())


def _instances(cloud: services.Cloud, plan: switch_over.Plan
               ) -> dict[switch_over.Side, types.Server | errors.NotFound]:
    """Both instances, or that one is gone.

    :raises ServiceError: when Nova does not tell.
    """
    answers = cloud.gather_named({
        side: functools.partial(cloud.compute.server, plan.instance_id(side))
        for side in switch_over.Side})
    for error in errors.among(answers.values(), errors.NotFound):
        raise error
    return answers


def _index(cloud: services.Cloud, server: types.Server,
           plan: switch_over.Plan) -> None:
    """Let it be found by an instance.

    :raises Busy: when somebody else did the same at the same moment.
    """
    image_records.index(cloud, server.id, switch_over.all_tags(server),
                        switch_over.tags(plan.home_id))
    if switch_over.home_ids(cloud.compute.server(server.id)) != [
            plan.home_id]:
        raise Busy(server.id)


def _withdraw(cloud: services.Cloud, plan: switch_over.Plan) -> None:
    """Take back what was written of one that is not begun."""
    with contextlib.suppress(errors.ServiceError):
        _forget(cloud, plan)
    for side in switch_over.Side:
        with contextlib.suppress(errors.ServiceError):
            server = cloud.compute.server(plan.instance_id(side))
            if switch_over.home_ids(server) == [plan.home_id]:
                _delete_tags(cloud, server)


def _forget(cloud: services.Cloud, plan: switch_over.Plan) -> None:
    """Take a record away."""
    image = cloud.images.image(plan.home_id)
    there = switch_over.read(image)
    if there is not None and there.plan.run_id == plan.run_id:
        cloud.images.set_properties(
            image.id, {'protected': False} if plan.protect else {},
            switch_over.keys(image.properties))


def hand_on(cloud: services.Cloud, found: SwitchOver,
            worker: delegate.Delegation,
            clock: Clock = time.time) -> SwitchOver:
    """Let a worker go on with it.

    :raises ServiceError: when it was not handed on.
    """
    plan = found.plan
    trust = delegate.trust(cloud, worker, clock, identity.Errand(
        plan.run_id, plan.copy_id, plan.fingerprint, image_id=plan.home_id))
    return note(cloud, found, int(clock()), trust_id=trust.id)


def note(cloud: services.Cloud, found: SwitchOver, now: int,
         **changes: str | int) -> SwitchOver:
    """Write down how far it is; only what has changed."""
    progress = dataclasses.replace(
        found.progress, **changes, updated_at=now)  # type: ignore[arg-type]
    cloud.images.set_properties(found.plan.home_id, switch_over.changes(
        found.progress, progress))
    return dataclasses.replace(found, progress=progress)


def find(cloud: services.Cloud, servers: Iterable[types.Server],
         suspects: Iterable[str] = ()
         ) -> tuple[list[SwitchOver], list[errors.ServiceError]]:
    """The switch-overs that instances' tags lead to, the latest first, and
    the open ones without such tags.

    :param suspects: the ids of images that may record one of the latter.
    :returns: them, and why others cannot be read.
    """
    homes = {home_id for server in servers
             for home_id in switch_over.home_ids(server)}
    answers = cloud.gather_named({
        home_id: functools.partial(read, cloud, home_id)
        for home_id in (*homes, *suspects)})
    found = [answer for home_id, answer in answers.items()
             if isinstance(answer, SwitchOver)
             and (home_id in homes or answer.open)]
    return (sorted(found, key=lambda one: one.plan.began_at, reverse=True),
            errors.among(answers.values()))


def read(cloud: services.Cloud, home_id: str) -> SwitchOver | None:
    """The switch-over that an image records; None if there is none.

    :raises ServiceError: when Glance does not tell.
    """
    try:
        return switch_over.read(cloud.images.image(home_id))
    except errors.NotFound:
        return None


def approves(seal: seals.Seal, found: SwitchOver) -> bool:
    """Whether this Horizon wrote the plan, and nobody changed it since."""
    return seal.holds(found.plan.fingerprint, found.seal)


def sweep(cloud: services.Cloud, server: types.Server) -> None:
    """Take away the tag that says that addresses are moving, where nothing
    records that.
    """
    if (record.is_switching(server) and not server.task_state
            and server.status in observation.CAPTURABLE
            and not is_under_way(cloud, server)):
        cloud.compute.delete_tag(server.id, record.SWITCHING)


def look(cloud: services.Cloud, found: SwitchOver,
         now: int) -> tuple[SwitchOver, course.Sight]:
    """Look at it, in one round of calls.

    :returns: the switch-over as it is recorded now, and what is seen of it.
    :raises Superseded: when it is recorded no more.
    :raises ServiceError: when a service does not tell.
    """
    plan = found.plan
    macs = sorted({card.mac for card in plan.cards})
    floating = [one for card in plan.cards for one, _ in card.floating]
    answers = cloud.gather_named({
        'image': lambda: cloud.images.image(plan.home_id),
        'copy': lambda: cloud.compute.server(plan.copy_id),
        'original': lambda: cloud.compute.server(plan.original_id),
        'ports': lambda: cloud.networks.ports_with(macs),
        'own': lambda: cloud.networks.ports_of(plan.copy_id),
        'floating': lambda: cloud.networks.floating(floating)})
    for name, error in answers.items():
        if isinstance(error, errors.ServiceError) and not (
                name in ('copy', 'original', 'image')
                and isinstance(error, errors.NotFound)):
            raise error
    known = errors.without(answers)
    there = switch_over.read(known['image']) if 'image' in known else None
    if there is None or there.plan.run_id != plan.run_id:
        raise sight.Superseded(plan.run_id)
    found, side = there, there.taker
    ports = {port.id: port for port in (*known['own'], *known['ports'])}
    return found, course.Sight(
        now, known.get(side.value), known.get(side.other.value),
        tuple(ports.values()), tuple(known['floating']),
        known['image'].protected)


def advance(cloud: services.Cloud, found: SwitchOver,
            approves: Callable[[SwitchOver], bool],
            clock: Clock = time.time) -> SwitchOver:
    """Advance it as far as possible without waiting.

    :param approves: whether a record is what its user asked for. Nothing is
        done by any other.
    :returns: the switch-over as it is now.
    :raises Superseded: when it is recorded no more.
    :raises ServiceError: when a service could not be asked. Nothing is lost:
        the next call continues.
    """
    for number in range(_STEPS):
        now = int(clock())
        found, seen = look(cloud, found, now)
        if clock() - now > _LONGEST_LOOK or not approves(found):
            break
        if not number and found.open and _mark_again(cloud, found, seen):
            continue
        step = course.next_step(found, seen)
        if step.do is course.Do.WAIT:
            if step.held and step.waits_for != found.progress.held:
                found = note(cloud, found, now, held=step.waits_for)
            break
        LOG.info('Switch-over %s: next step: %s', found.plan.run_id,
                 step.request, extra={**found.log_fields,
                                      'step': step.do.value})
        if step.do is course.Do.END:
            # What another has done since the record was read shows in the
            # rest of the look, without what was noted of it.
            if read(cloud, found.plan.home_id) != found:
                continue
            return _end(cloud, found, step, seen)
        found = _take(cloud, found, step, seen, clock)
    return found


def _mark_again(cloud: services.Cloud, found: SwitchOver,
                seen: course.Sight) -> bool:
    """Set the tags again that somebody has taken away, and the protection of
    the record; nothing waits for it.

    :returns: whether tags were set.
    """
    missing = [(server.id, tag) for server in (seen.taker, seen.giver)
               if server and server.status in observation.CAPTURABLE
               for tag in reversed(switch_over.tags(found.plan.home_id))
               if tag not in server.tags]
    try:
        if found.plan.protect and not seen.protected:
            cloud.images.set_properties(found.plan.home_id,
                                        {'protected': True})
        for server_id, tag in missing:
            cloud.compute.add_tag(server_id, tag)
    except errors.ServiceError as error:
        LOG.warning('Switch-over %s: it could not be marked again: %s',
                    found.plan.run_id, error, extra=found.log_fields)
    return bool(missing)


def _take(cloud: services.Cloud, found: SwitchOver, step: course.Step,
          seen: course.Sight, clock: Clock) -> SwitchOver:
    """Make a request whose effect the next look will show.

    It is noted first, so that of two who look at the same time the second
    waits. One that is not accepted is made again, later and later.
    """
    compute, networks = cloud.compute, cloud.networks
    calls: dict[course.Do, Callable[[], None]] = {
        course.Do.STOP: lambda: compute.stop(step.server_id),
        course.Do.START: lambda: compute.start(step.server_id),
        course.Do.DETACH: lambda: compute.detach_port(
            step.server_id, step.thing_id),
        course.Do.ATTACH: lambda: compute.attach_port(
            step.server_id, step.thing_id),
        course.Do.CREATE: lambda: networks.create_port(
            json.loads(step.card.body if step.card else '{}')),
        course.Do.ASSOCIATE: lambda: _associate(cloud, step, seen)}
    found = note(cloud, found, seen.now, asked=step.request,
                 asked_at=seen.now, held='', **_about(found, step, seen))
    if clock() - seen.now > situation.STALE:
        return found
    try:
        calls[step.do]()
    except errors.Unauthorized:
        raise
    except (errors.Conflict, errors.NotFound, errors.Throttled,
            errors.Forbidden, errors.Refused) as error:
        LOG.warning('Switch-over %s: %s was not accepted: %s',
                    found.plan.run_id, step.request, error,
                    extra=found.log_fields)
        return _put_off(cloud, found, step, seen, error)
    if found.progress.put_off_count or found.progress.hindrance:
        found = note(cloud, found, seen.now, put_off_count=0, not_before=0,
                     hindrance=found.progress.given_up
                     and found.progress.hindrance)
    return found


def _about(found: SwitchOver, step: course.Step,
           seen: course.Sight) -> dict[str, str | int]:
    """What is noted of a step beside that it is asked for."""
    progress = found.progress
    server_id, _space, port_id = progress.detaching.partition(' ')
    changes: dict[str, str | int] = {}
    if not any((port.id, port.server_id) == (port_id, server_id)
               for port in seen.ports):
        changes['detaching'] = ''
    if step.do is course.Do.DETACH:
        changes['detaching'] = f'{step.server_id} {step.thing_id}'
    if step.do is course.Do.START:
        changes['start_count'] = progress.start_count + 1
    if step.do is course.Do.CREATE and step.card:
        changes['anew'] = _with(progress.anew, step.card.mac)
    return changes


def _put_off(cloud: services.Cloud, found: SwitchOver, step: course.Step,
             seen: course.Sight, error: errors.ServiceError) -> SwitchOver:
    """Note that a request was not accepted, and when it is made again.

    Others wait for none that may never be.
    """
    progress, count = found.progress, found.progress.put_off_count + 1
    if count >= _MOST_TRIES and step.card and not isinstance(
            error, errors.Throttled):
        thing = (step.thing_id if step.do is course.Do.ASSOCIATE
                 else step.card.mac)
        return note(cloud, found, seen.now, put_off_count=0, not_before=0,
                    hindrance=error.report,
                    given_up=_with(progress.given_up, thing))
    return note(cloud, found, seen.now, put_off_count=count,
                hindrance=error.report, not_before=seen.now + min(
                    2 ** min(count, 10), situation.PUT_OFF_PAUSE))


def _with(words: str, word: str) -> str:
    return ' '.join(dict.fromkeys((*words.split(), word)))


def _associate(cloud: services.Cloud, step: course.Step,
               seen: course.Sight) -> None:
    port = seen.port(step.card) if step.card else None
    if port is not None:
        cloud.networks.associate(step.thing_id, port.id, step.fixed)


def _end(cloud: services.Cloud, found: SwitchOver, step: course.Step,
         seen: course.Sight) -> SwitchOver:
    """Note that it is over, when what is no longer needed was taken away."""
    for server in filter(None, (seen.taker, seen.giver)):
        # Nova changes no tags of one in error: it is swept up later.
        if record.is_switching(server) and (
                server.status in observation.CAPTURABLE):
            cloud.compute.delete_tag(server.id, record.SWITCHING)
    if found.plan.protect:
        cloud.images.set_properties(found.plan.home_id, {'protected': False})
    return note(cloud, found, seen.now, ended_at=seen.now,
                ended_for=found.taker.value, asked='', held='', detaching='',
                failure=step.failure.value if step.failure else '')


def turn(cloud: services.Cloud, found: SwitchOver, side: switch_over.Side,
         clock: Clock = time.time) -> SwitchOver:
    """Let one of the two have the addresses: give up, switch back, or try
    again.

    One that has them, or is about to, needs nothing: others may have wished
    the same before.

    :raises Busy: when something else is under way at one of the two.
    :raises NotFound: when that instance was deleted.
    :raises ServiceError: when it was not written down.
    """
    plan, is_over = found.plan, not found.open
    if found.taker is side and not (is_over and found.progress.failure):
        return found
    there = _instances(cloud, plan)
    for gone in errors.among([there[side]]):
        raise gone
    if is_over:
        servers = list(errors.without(there).values())
        if any(is_busy(cloud, server) for server in servers):
            raise Busy(plan.home_id)
        for server in servers:
            _index(cloud, server, plan)
    if plan.protect:
        cloud.images.set_properties(plan.home_id, {'protected': True})
    # The trust of one that is over was taken back. What was made anew may not
    # have its floating address yet, if that did not come to a good end.
    anew = found.progress.anew
    if is_over and not found.progress.failure:
        anew = ''
    return note(cloud, found, int(clock()), taker=side.value, ended_at=0,
                trust_id='' if is_over else found.progress.trust_id,
                anew=anew, given_up='',
                failure='', start_count=0, put_off_count=0, not_before=0,
                hindrance='', held='')


def dismiss(cloud: services.Cloud, home_id: str,
            approves: Callable[[SwitchOver], bool]) -> None:
    """Take away the record of a switch-over that is over, and its tags.

    One that is not what its user asked for goes, too: nothing is done by it.
    """
    found = read(cloud, home_id)
    if found is None or found.open and approves(found):
        return
    for side in switch_over.Side:
        with contextlib.suppress(errors.NotFound):
            server = cloud.compute.server(found.plan.instance_id(side))
            if home_id in switch_over.home_ids(server):
                _delete_tags(cloud, server)
    _forget(cloud, found.plan)


def _delete_tags(cloud: services.Cloud, server: types.Server) -> None:
    image_records.index(cloud, server.id, switch_over.all_tags(server), [])
