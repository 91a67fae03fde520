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

"""What lets an instance take over the addresses of another.

A copy was launched from a snapshot, beside the original. Who switches over
moves the original's ports, with their MAC, fixed and floating addresses, to
the copy; to switch back is the same the other way round.

The record stands on the snapshot's image, for both instances may go. Tags on
both are its index. Any member of the project can write one: it is carried out
where it is sealed, or where a worker has a trust for just this plan.
"""

from collections.abc import Mapping
import dataclasses
import enum
import json
import re
from typing import Any

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import ids
from snapshot_dashboard.cloud import types
from snapshot_dashboard.runs import image_records
from snapshot_dashboard.runs import record
from snapshot_dashboard.runs import seals

PLAN = marks.SWITCH_OVER
SEAL = f'{PLAN}_seal'
_PROGRESS = marks.SWITCH_OVER_PROGRESS
_VERSION = 1
_RUN_ID = re.compile('[0-9a-f]{32}')
_MAC = re.compile('[0-9a-f]{2}(:[0-9a-f]{2}){5}', re.IGNORECASE)
#: Characters of a text of the plan, and of how a port is made.
_TEXT, MOST_BODY = 255, 16000
#: Ports of one instance, and characters of how all are made: Glance has room
#: for 64 KiB.
MOST_PORTS, MOST_IN_ALL = 32, 40000


class Failure(enum.Enum):
    """Why an instance did not take the addresses over, or does not run."""

    INSTANCE_GONE = 'instance-gone'
    START_FAILED = 'start-failed'
    NOT_ALL = 'not-all'


class Held(enum.Enum):
    """What it waits for that others have to do."""

    RUN = 'run'
    STATE = 'state'
    TAKEN = 'taken'


class Side(enum.Enum):
    """Which of the two instances."""

    COPY = 'copy'
    ORIGINAL = 'original'

    @property
    def other(self) -> 'Side':
        return Side.ORIGINAL if self is Side.COPY else Side.COPY


@dataclasses.dataclass(frozen=True)
class Card:
    """A port that moves: a network card, as the guest sees it.

    :ivar port_id: of the port that the original had at first.
    :ivar body: as JSON, what a port like it is created from. Nova deletes a
        port that it made itself when it is detached.
    :ivar fixed: its fixed addresses, and ``floating`` the ids of those that
        lead there, with the fixed address of each.
    """

    port_id: str
    network_id: str
    mac: str
    body: str
    fixed: tuple[str, ...] = ()
    floating: tuple[tuple[str, str], ...] = ()


@dataclasses.dataclass(frozen=True)
class Plan:
    """What the user asked for. It never changes.

    :ivar home_id: the snapshot's image, on which the record stands.
    :ivar own_ports: the ids of the copy's own ports, which it gives up.
    :ivar runs: whether the instance that has the addresses is to run.
    :ivar protect: whether the image was not protected, and is only as long
        as it is needed.
    :ivar began_at: in seconds since the epoch.
    :ivar requested_by: the name of the user who asked for it.
    """

    run_id: str
    home_id: str
    original_id: str
    original_name: str
    copy_id: str
    copy_name: str
    cards: tuple[Card, ...] = ()
    own_ports: tuple[str, ...] = ()
    runs: bool = True
    protect: bool = False
    began_at: int = 0
    requested_by: str = ''

    @property
    def fingerprint(self) -> str:
        """Tells this plan from any other, in 64 characters."""
        return seals.fingerprint(self)

    def instance_id(self, side: Side) -> str:
        return self.copy_id if side is Side.COPY else self.original_id

    def instance_name(self, side: Side) -> str:
        return (self.copy_name if side is Side.COPY else self.original_name
                ) or self.instance_id(side)


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far it is. Times are seconds since the epoch, 0 for not yet.

    :ivar taker: who is to have the addresses, a :class:`Side`; at first, when
        it is empty, the copy. It changes when a user switches back.
    :ivar asked: the latest request, and ``asked_at`` when that was sent.
    :ivar detaching: the server and the port of a request to detach whose
        effect was not seen yet.
    :ivar anew: the MAC addresses of cards that were made anew since the user
        last asked for something.
    :ivar given_up: the MAC addresses of cards, and the ids of floating
        addresses, that could not be had.
    :ivar start_count: of requests to power the taker on.
    :ivar put_off_count: how often in a row a request was not accepted.
    :ivar not_before: when it may be asked again.
    :ivar hindrance: what the service said to that.
    :ivar held: what others have to do first, a :class:`Held`, and of what.
    :ivar failure: the code of what went wrong.
    :ivar ended_at: when it was over, and ``ended_for`` for which taker: who
        ends it may not know yet that the user has changed that.
    :ivar trust_id: the trust by which a worker goes on with it.
    :ivar updated_at: when this was last written.
    """

    taker: str = ''
    asked: str = ''
    asked_at: int = 0
    detaching: str = ''
    anew: str = ''
    given_up: str = ''
    start_count: int = 0
    put_off_count: int = 0
    not_before: int = 0
    hindrance: str = ''
    held: str = ''
    failure: str = ''
    ended_at: int = 0
    ended_for: str = ''
    trust_id: str = ''
    updated_at: int = 0


@dataclasses.dataclass(frozen=True)
class SwitchOver:
    """A switch-over as it is recorded.

    :ivar seal: what shows who wrote the plan.
    """

    plan: Plan
    progress: Progress = Progress()
    seal: str = ''

    @property
    def open(self) -> bool:
        progress = self.progress
        return not (progress.ended_at
                    and progress.ended_for == self.taker.value)

    @property
    def taker(self) -> Side:
        """Who is to have the addresses."""
        return (Side.ORIGINAL if self.progress.taker == Side.ORIGINAL.value
                else Side.COPY)

    @property
    def log_fields(self) -> dict[str, str]:
        """The structured fields of log lines about it."""
        return {'run': self.plan.run_id,
                'server': self.plan.instance_id(self.taker)}


def write(plan: Plan, seal: str) -> dict[str, str]:
    """The properties of an image that a switch-over begins with."""
    return {PLAN: json.dumps({'v': _VERSION, **dataclasses.asdict(plan)},
                             separators=(',', ':')),
            SEAL: seal, **image_records.blank(Progress, _PROGRESS)}


def changes(old: Progress, new: Progress) -> dict[str, str]:
    """The properties that make the new progress of the old one."""
    return image_records.changes(old, new, _PROGRESS)


def keys(properties: Mapping[str, str]) -> list[str]:
    """The names of those properties that are a record, or were once."""
    return image_records.keys(properties, PLAN, SEAL, _PROGRESS)


def read(image: types.Image) -> SwitchOver | None:
    """The switch-over that an image records; None if there is none to be
    read. Whatever anybody wrote, and whatever was inherited or copied.
    """
    try:
        plan = _plan(json.loads(image.properties.get(PLAN, '')))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if plan.home_id != image.id:
        return None
    return SwitchOver(plan, Progress(**image_records.values(
        Progress, image.properties, _PROGRESS)),
        image.properties.get(SEAL, ''))


def _plan(found: Any) -> Plan:
    if found['v'] != _VERSION:
        raise ValueError(found['v'])
    values: dict[str, Any] = {}
    for field in dataclasses.fields(Plan):
        value = found[field.name]
        if field.name == 'cards':
            value = tuple(map(_card, value[:MOST_PORTS]))
        elif field.name == 'own_ports':
            value = tuple(filter(ids.is_id, value[:MOST_PORTS]))
        elif type(value) is not field.type or len(str(value)) > _TEXT:
            raise ValueError(field.name)
        values[field.name] = value
    plan = Plan(**values)
    if not (_RUN_ID.fullmatch(plan.run_id) and plan.cards
            and all(map(ids.is_id, (plan.home_id, plan.original_id,
                                    plan.copy_id)))
            and all(text.isprintable() for text in (
                plan.original_name, plan.copy_name, plan.requested_by))):
        raise ValueError(plan)
    return plan


def _card(found: Any) -> Card:
    card = Card(
        found['port_id'], found['network_id'], found['mac'], found['body'],
        tuple(str(address)[:_TEXT] for address in found['fixed']),
        tuple((floating, str(fixed)[:_TEXT])
              for floating, fixed in found['floating']))
    if not (all(map(ids.is_id, (card.port_id, card.network_id, *(
                floating for floating, _ in card.floating))))
            and _MAC.fullmatch(card.mac) and len(card.body) <= MOST_BODY
            and isinstance(json.loads(card.body), dict)):
        raise ValueError(found)
    return card


# The index.

def tags(home_id: str) -> list[str]:
    """The tags of both instances; the first is the index, and is set last."""
    return [record.SWITCH_TAG, f'{record.SWITCH_OF}{home_id}',
            record.SWITCHING]


def all_tags(server: types.Server) -> list[str]:
    """Those that an instance bears; the index comes last."""
    return image_records.all_tags(
        server, record.SWITCH_TAG, record.SWITCH_OF, (record.SWITCHING,))


def home_ids(server: types.Server) -> list[str]:
    """The images where the record of an instance may stand."""
    return image_records.home_ids(server, record.SWITCH_OF)
