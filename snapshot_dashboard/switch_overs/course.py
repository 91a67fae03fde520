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

"""What is done next of a switch-over. It decides, purely.

What is wanted is one state: the cards are at the taker, the floating
addresses lead to them, and the taker runs. Whatever is seen, the next step is
one towards that; so it does not matter who has done what before, nor whether
it goes forth or back. These promises hold:

1. A card whose port is gone is made anew before anything else, so that its
   address is free for others for as short a time as possible.
2. No port is taken from an instance, or given to one, that runs.
3. No port is taken that is at neither of the two, and no floating address
   that somebody has given to another port, or freed, meanwhile.
4. A detaching that was asked for is seen through, whatever is wanted since.
5. It is not over before all cards are at the taker, or lie ready because that
   is gone. What is in the way is tried again; what cannot be made anew for
   minutes is given up, and that is told.
"""

import dataclasses
import enum

from snapshot_dashboard.cloud import types
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import record
from snapshot_dashboard.switch_overs import switch_over

#: Seconds after which a request is made again whose effect is not seen. Of
#: power Nova shows at once that it is at work, of cards not.
PATIENCE = {'detach': 60, 'attach': 60}
_PATIENCE = 15


class Do(enum.Enum):
    """What is done next."""

    WAIT = 'wait'
    STOP = 'stop'
    DETACH = 'detach'
    CREATE = 'create'
    ATTACH = 'attach'
    ASSOCIATE = 'associate'
    START = 'start'
    END = 'end'


@dataclasses.dataclass(frozen=True)
class Step:
    """One step.

    :ivar thing_id: of the port, or of the floating address.
    :ivar held: why it waits, with ``detail`` to that.
    """

    do: Do
    server_id: str = ''
    thing_id: str = ''
    card: switch_over.Card | None = None
    fixed: str = ''
    failure: switch_over.Failure | None = None
    held: switch_over.Held | None = None
    detail: str = ''

    @property
    def waits_for(self) -> str:
        """What it waits for, as it is recorded."""
        return f'{self.held.value} {self.detail}' if self.held else ''

    @property
    def request(self) -> str:
        """Tells one request from another."""
        mac = self.card.mac if self.card and self.do is Do.CREATE else ''
        return ' '.join(filter(None, (
            self.do.value, self.server_id, self.thing_id, mac)))


@dataclasses.dataclass(frozen=True)
class Sight:
    """What the cloud shows of a switch-over.

    :ivar taker: None when it is not to be found; likewise the giver.
    :ivar ports: those with the MAC addresses of the cards, and the copy's
        own ones.
    :ivar protected: whether the image that records it is.
    """

    now: int
    taker: types.Server | None
    giver: types.Server | None
    ports: tuple[types.Port, ...] = ()
    floating: tuple[types.FloatingAddress, ...] = ()
    protected: bool = True

    def port(self, card: switch_over.Card) -> types.Port | None:
        return next((port for port in self.ports
                     if (port.network_id, port.mac.lower())
                     == (card.network_id, card.mac.lower())), None)


def next_step(found: switch_over.SwitchOver, seen: Sight) -> Step:
    """What is to be done, or asked again, now."""
    if not found.open:
        return Step(Do.WAIT)
    step = _wanted(found, seen)
    progress = found.progress
    if step.do in (Do.WAIT, Do.END):
        return step
    patience = PATIENCE.get(step.do.value, _PATIENCE)
    if seen.now < progress.not_before or (
            step.request == progress.asked
            and not progress.put_off_count
            and seen.now - progress.asked_at < patience):
        return Step(Do.WAIT)
    return step


def _wanted(found: switch_over.SwitchOver, seen: Sight) -> Step:
    plan, taker, giver = found.plan, seen.taker, seen.giver
    if taker is None and giver is None:
        return Step(Do.END, failure=switch_over.Failure.INSTANCE_GONE)
    for card in plan.cards:
        if seen.port(card) is None and not _is_given_up(found, card.mac):
            return Step(Do.CREATE, card=card)
    if taker is None:
        return Step(Do.END, failure=switch_over.Failure.INSTANCE_GONE)
    for server in filter(None, (taker, giver)):
        run = journal.read(server)
        if run is not None and run.open or record.is_being_restored(server):
            return Step(Do.WAIT, held=switch_over.Held.RUN,
                        detail=server.name)
    move = _pending(found, seen) or _move(found, seen, taker)
    if move is not None:
        return _with_both_off(move, taker, giver)
    return _afterwards(found, seen, taker)


def _is_given_up(found: switch_over.SwitchOver, thing: str) -> bool:
    return thing in found.progress.given_up.split()


def _pending(found: switch_over.SwitchOver, seen: Sight) -> Step | None:
    """A detaching that was asked for, also if its user has turned round.

    Nova may yet do it, and then delete the port: nobody would make it anew.
    """
    server_id, _space, port_id = found.progress.detaching.partition(' ')
    there = next((port for port in seen.ports if port.id == port_id), None)
    sides = [server.id for server in (seen.taker, seen.giver) if server]
    if there is None or there.server_id != server_id or (
            server_id not in sides):
        return None
    return Step(Do.DETACH, server_id, port_id)


def _with_both_off(move: Step, taker: types.Server,
                   giver: types.Server | None) -> Step:
    """A step that moves a port, or what has to be done before it."""
    for server in filter(None, (giver, taker)):
        if server.task_state:
            return Step(Do.WAIT)
        if server.status == 'ACTIVE':
            return Step(Do.STOP, server.id)
        if server.status != 'SHUTOFF':
            return Step(Do.WAIT, held=switch_over.Held.STATE,
                        detail=server.name)
    return move


def _move(found: switch_over.SwitchOver, seen: Sight,
          taker: types.Server) -> Step | None:
    """The next port that is not where it is to be; None when all are."""
    plan = found.plan
    if found.taker is switch_over.Side.COPY:
        for port in seen.ports:
            if port.id in plan.own_ports and port.server_id == taker.id:
                return Step(Do.DETACH, taker.id, port.id)
    giver_id = plan.instance_id(found.taker.other)
    for card in plan.cards:
        there = seen.port(card)
        if there is None or there.server_id == taker.id or _is_given_up(
                found, card.mac):
            continue
        if not there.server_id:
            return Step(Do.ATTACH, taker.id, there.id, card)
        if there.server_id != giver_id or seen.giver is None:
            return Step(Do.WAIT, held=switch_over.Held.TAKEN,
                        detail=', '.join(card.fixed))
        return Step(Do.DETACH, giver_id, there.id)
    return None


def _afterwards(found: switch_over.SwitchOver, seen: Sight,
                taker: types.Server) -> Step:
    """What is left when all ports are there."""
    plan, progress = found.plan, found.progress
    if taker.task_state:
        return Step(Do.WAIT)
    if plan.runs and taker.status == 'SHUTOFF' and (
            progress.start_count < record.TRIES):
        return Step(Do.START, taker.id)
    floating = {one.id: one for one in seen.floating}
    for card in plan.cards:
        port = seen.port(card)
        for floating_id, fixed in card.floating:
            there = floating.get(floating_id)
            # One that led there was freed by Neutron with the port; one whose
            # port has stayed was freed by somebody.
            if (port and there and not there.port_id
                    and card.mac in progress.anew.split()
                    and not _is_given_up(found, floating_id)):
                return Step(Do.ASSOCIATE, thing_id=there.id, card=card,
                            fixed=fixed)
    if plan.runs and taker.status != 'ACTIVE':
        return Step(Do.END, failure=switch_over.Failure.START_FAILED)
    return Step(Do.END, failure=None if _is_whole(found, seen)
                else switch_over.Failure.NOT_ALL)


def _is_whole(found: switch_over.SwitchOver, seen: Sight) -> bool:
    """Whether nothing was given up, and what was made anew is as it was."""
    for card in found.plan.cards:
        port = seen.port(card)
        if port is None or card.mac in found.progress.anew.split() and (
                not set(card.fixed) <= set(port.addresses)):
            return False
    return not found.progress.given_up
