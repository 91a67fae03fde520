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
   that somebody has given to another port meanwhile.
4. It is not over before all cards are at the taker, or lie ready because that
   is gone. While something is in the way, it is tried again.
"""

import dataclasses
import enum

from snapshot_dashboard.cloud import types
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import record
from snapshot_dashboard.switch_overs import switch_over

#: Seconds after which a request is made again whose effect is not seen. Nova
#: may take that long to detach a card, or to let a guest shut down.
PATIENCE = {'stop': 90, 'detach': 60, 'attach': 60}
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
        return ' '.join((self.do.value, self.server_id or self.thing_id
                         or (self.card.mac if self.card else '')))


@dataclasses.dataclass(frozen=True)
class Sight:
    """What the cloud shows of a switch-over.

    :ivar taker: None when it is not to be found; likewise the giver.
    :ivar ports: those with the MAC addresses of the cards, and the copy's
        own ones.
    """

    now: int
    taker: types.Server | None
    giver: types.Server | None
    ports: tuple[types.Port, ...] = ()
    floating: tuple[types.FloatingAddress, ...] = ()

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
        if seen.port(card) is None:
            return Step(Do.CREATE, card=card)
    if taker is None:
        return Step(Do.END, failure=switch_over.Failure.INSTANCE_GONE)
    for server in filter(None, (taker, giver)):
        run = journal.read(server)
        if run is not None and run.open or record.is_being_restored(server):
            return Step(Do.WAIT, held=switch_over.Held.RUN,
                        detail=server.name)
    move = _move(found, seen, taker)
    if move is not None:
        return _with_both_off(move, taker, giver)
    return _afterwards(found, seen, taker)


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
        if there is None or there.server_id == taker.id:
            continue
        if not there.server_id:
            return Step(Do.ATTACH, taker.id, there.id)
        if there.server_id != giver_id or seen.giver is None:
            return Step(Do.WAIT, held=switch_over.Held.TAKEN,
                        detail=', '.join(card.fixed))
        return Step(Do.DETACH, giver_id, there.id)
    return None


def _afterwards(found: switch_over.SwitchOver, seen: Sight,
                taker: types.Server) -> Step:
    """What is left when all ports are there."""
    plan, floating = found.plan, {one.id: one for one in seen.floating}
    olds = {card.port_id for card in plan.cards}
    for card in plan.cards:
        port = seen.port(card)
        for floating_id, fixed in card.floating:
            there = floating.get(floating_id)
            if port and there and there.port_id != port.id and (
                    not there.port_id or there.port_id in olds):
                return Step(Do.ASSOCIATE, thing_id=there.id, card=card,
                            fixed=fixed)
    if not plan.runs or taker.status == 'ACTIVE':
        return Step(Do.END)
    if taker.task_state:
        return Step(Do.WAIT)
    if taker.status == 'SHUTOFF' and (
            found.progress.start_count < record.TRIES):
        return Step(Do.START, taker.id)
    return Step(Do.END, failure=switch_over.Failure.START_FAILED)
