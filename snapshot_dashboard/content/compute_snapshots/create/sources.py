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

"""What the wizard can take a snapshot of: an instance, or one volume."""

import abc
from collections.abc import Collection
from collections.abc import Iterable
import re
import time
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from snapshot_dashboard import settings
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import texts
from snapshot_dashboard.cloud import types
from snapshot_dashboard.content.compute_snapshots import cells
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots import memory
from snapshot_dashboard.content.compute_snapshots import permissions
from snapshot_dashboard.content.compute_snapshots import states
from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.content.compute_snapshots.create import submission
from snapshot_dashboard.content.compute_snapshots.create import (
    wording as create_wording,
)
from snapshot_dashboard.preflight import disk_facts
from snapshot_dashboard.preflight import guest_checklist
from snapshot_dashboard.preflight import instance_facts
from snapshot_dashboard.preflight import volume_facts
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import reconcile
from snapshot_dashboard.runs import record
from snapshot_dashboard.runs import volume_snapshot
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model

#: What to do with an instance that had to be powered off by force.
GO_ON, STOP = 'go-on', 'stop'


class Source(abc.ABC):
    """Something to take a snapshot of, and the facts about it.

    :ivar state: what the user's decision rests on.
    :ivar server: its instance; None for a volume that is at none.
    :ivar latest_request: on that; empty if it is not known.
    :ivar name: to call the snapshot after.
    :ivar can_power_off: whether powering off first is something to offer.
    :ivar template: shows the facts.
    """

    _request: HttpRequest
    facts: instance_facts.Facts | volume_facts.Facts
    state: str
    server: types.Server | None
    latest_request: str
    name: str
    can_power_off: bool
    template: str

    @abc.abstractmethod
    def obstacles(self, chosen: Collection[str] = (),
                  power_off: bool = False) -> list[str]:
        """All that is in the way of a snapshot, in words.

        :param chosen: the ids of the attached volumes to be captured too.
        """

    @abc.abstractmethod
    def can_choose(self, chosen: Collection[str]) -> bool:
        """Whether these volumes can be captured with it."""

    @abc.abstractmethod
    def begin(self, wish: dict[str, Any]) -> Any:
        """Begin the snapshot; everything was checked.

        :param wish: the wizard's fields.
        :returns: the message of that, with a place for the snapshot's name.
        :raises Busy: when a run of its instance is open.
        :raises ServiceError: when nothing was begun.
        """

    @property
    def remembers(self) -> bool:
        """Whether the run's record has room for what comes at its end.

        That of a locked instance stands in tags.
        """
        return True

    def find_again(self) -> None:
        """Let a run of its instance be found that is under way and got lost.
        """
        run = journal.read(self.server) if self.server else None
        if run is not None and run.open and not run.indexed:
            reconcile.find_again(connect.cloud(self._request), run)

    @abc.abstractmethod
    def template_context(self) -> dict[str, Any]:
        """What the template needs to show the facts."""

    @property
    def default_name(self) -> str:
        """The name and the minute, as every service takes it."""
        stamp = _stamp()
        name = texts.usable(self.name)[:self.name_length - len(stamp)]
        return name.strip() + stamp

    @property
    def name_length(self) -> int:
        """The longest name that a snapshot of it can have."""
        return texts.NAME_LENGTH


#: The end of a name that is suggested: the minute.
_STAMPED = re.compile(r'-\d{4}-\d\d-\d\d-\d{4}$')


def _stamp() -> str:
    return timezone.localtime().strftime('-%Y-%m-%d-%H%M')


def stamped_anew(name: str) -> str:
    """A name that ends with a minute, with that of now."""
    return _STAMPED.sub(_stamp(), name)


class InstanceSource(Source):
    """An instance."""

    facts: instance_facts.Facts
    template = 'project/compute_snapshots/create/_instance_facts.html'

    def __init__(self, request: HttpRequest, server_id: str) -> None:
        self._request = request
        # What is shown is not to wait for what each step asks again.
        self.facts = instance_facts.gather(
            connect.cloud(request), server_id,
            decides=request.method == 'POST')
        self.server = server = self.facts.server
        self.latest_request = self.facts.latest_request
        self.state, self.name = server.status, server.name or server.id
        self.can_power_off = (self.facts.can_power_off
                              and permissions.can_power(request))

    @property
    def name_length(self) -> int:
        return texts.IMAGE_NAME_LENGTH

    def obstacles(self, chosen: Collection[str] = (),
                  power_off: bool = False) -> list[str]:
        found = [create_wording.obstacle(obstacle)
                 for obstacle in instance_facts.find_obstacles(
                     self.facts, chosen, power_off)]
        if not (permissions.can_create(self._request,
                                       self.facts.server.volume_backed)
                and permissions.can_record(self._request)
                and (not chosen
                     or permissions.can_snapshot_volumes(self._request))):
            found.append(_("You are not allowed to take a snapshot of this "
                           "instance. Ask an administrator for a role that "
                           "allows it."))
        return found

    @property
    def remembers(self) -> bool:
        return not (self.facts.server.locked or self.facts.lacks_metadata())

    def can_choose(self, chosen: Collection[str]) -> bool:
        return not chosen or (
            self.facts.can_choose_volumes
            and len(self.facts.taken(chosen)) == len(chosen))

    def template_context(self) -> dict[str, Any]:
        facts = self.facts
        may_snapshot = permissions.can_snapshot_volumes(self._request)
        return {
            'facts': facts,
            'server': facts.server,
            'disks': [
                {'disk': disk,
                 'role': create_wording.ROLES[disk.role],
                 'fate': create_wording.FATES[disk.fate],
                 'size': cells.size_text(disk.size_mib * 1024 ** 2)
                 if disk.size_mib else '',
                 'can_choose': bool(disk.volume and facts.can_choose_volumes
                                    and may_snapshot)}
                for disk in facts.disks],
            'root_size': _size(disk.size_mib for disk in facts.disks
                               if disk.role is disk_facts.Role.ROOT),
            'volume_size': _size(disk.size_mib for disk in facts.disks
                                 if disk.volume_id),
            'uefi': facts.uefi,
            'encrypted': any(disk.volume and disk.volume.encrypted
                             for disk in facts.disks),
            'not_captured': facts.not_captured,
            'checklist': [
                {'text': create_wording.TASKS[item.task],
                 'command': item.command}
                for item in guest_checklist.template(facts.os_type)],
            'suggest_power_off': settings.get('POWER_OFF_BY_DEFAULT'),
            'shutdown_timeout': shutdown_timeout(facts),
            'agent': facts.agent,
            'expected': wording.about(facts.expected),
        }

    def begin(self, wish: dict[str, Any]) -> Any:
        return _submit(
            self._request, self.facts, wish,
            volumes=tuple(wish['volumes'] or ()),
            purpose=wish['purpose'], keep_count=int(wish['keep'] or 0))


class VolumeSource(Source):
    """One volume, attached or not."""

    facts: volume_facts.Facts
    template = 'project/compute_snapshots/create/_volume_facts.html'

    def __init__(self, request: HttpRequest, volume_id: str) -> None:
        self._request = request
        self.facts = volume_facts.gather(connect.cloud(request), volume_id)
        volume, instance = self.facts.volume, self.facts.instance
        self.server = self.facts.server
        self.latest_request = instance.latest_request if instance else ''
        self.state = self.facts.state
        # Nova gives the root volumes that it makes no names.
        self.name = volume.name or (
            self.server.name if self.server else '') or volume.id
        self.can_power_off = (self.facts.can_power_off
                              and permissions.can_power(request)
                              and permissions.can_record(request))

    def obstacles(self, chosen: Collection[str] = (),
                  power_off: bool = False) -> list[str]:
        found = [create_wording.obstacle(obstacle) for obstacle
                 in volume_facts.find_obstacles(self.facts, power_off)]
        if not permissions.can_snapshot_volumes(self._request):
            found.append(_("You are not allowed to take a snapshot of this "
                           "volume. Ask an administrator for a role that "
                           "allows it."))
        return found

    def can_choose(self, chosen: Collection[str]) -> bool:
        return not chosen

    def template_context(self) -> dict[str, Any]:
        volume, instance = self.facts.volume, self.facts.instance
        return {
            'facts': self.facts,
            'volume': volume,
            'server': self.server,
            'server_status': self.server and states.status(
                self.server.status),
            'suggest_power_off': False,
            'shutdown_timeout': shutdown_timeout(instance),
            'agent': instance is not None and instance.agent,
        }

    def begin(self, wish: dict[str, Any]) -> Any:
        volume, instance = self.facts.volume, self.facts.instance
        if not wish['power_off']:
            try:
                volume_snapshot.create(
                    connect.cloud(self._request), volume, self.server,
                    wish['name'], wish['description'],
                    at_rest=self.facts.at_rest, now=int(time.time()),
                    shutdown_timeout=shutdown_timeout(instance),
                    purpose=wish['purpose'], keep_until=wish['keep_until'])
            except errors.Unavailable as error:
                raise lifecycle.Unclear(error) from error
            return _('Snapshot "%s" started. Its status in the list says '
                     "whether it succeeds.")
        if instance is None:  # the wizard's steps have refused that
            raise errors.Conflict('compute', 'the instance is not known')
        return _submit(self._request, instance, wish, captures_image=False,
                       volumes=(volume.id,), purpose=wish['purpose'])


_KINDS = {kinds.Kind.INSTANCE: InstanceSource, kinds.Kind.VOLUME: VolumeSource}


def find(request: HttpRequest, source_id: str) -> Source:
    """The source of an id like a row's; looked up once per request.

    :raises ServiceError: ``NotFound`` also for a malformed id.
    """
    try:
        kind, service_id = model.parse_row_id(source_id)
    except ValueError:
        raise errors.NotFound('compute', repr(source_id)) from None
    found: Source = memory.once_per_request(
        request, ('source', source_id),
        lambda: _KINDS[kind](request, service_id))
    return found


def of_run(request: HttpRequest, run: record.Run) -> Source:
    """What a run takes a snapshot of, as it is now.

    :raises ServiceError: when that could not be looked at.
    """
    if run.plan.captures_image:
        return InstanceSource(request, run.server.id)
    return VolumeSource(request, run.plan.volumes[0])


def _size(sizes_mib: Iterable[int]) -> str:
    """Of all of them together; empty if one is not known."""
    sizes = list(sizes_mib)
    return cells.size_text(sum(sizes) * 1024 ** 2) if all(sizes) else ''


def shutdown_timeout(facts: instance_facts.Facts | None) -> int:
    """Seconds that the guest of an instance has to shut down."""
    if facts is None or facts.shutdown_timeout is None:
        return int(settings.get('SHUTDOWN_TIMEOUT'))
    return facts.shutdown_timeout


def _submit(request: HttpRequest, facts: instance_facts.Facts,
            wish: dict[str, Any], **options: Any) -> Any:
    """Begin a run of an instance.

    :returns: the message of that, with a place for the snapshot's name.
    """
    volumes = options.get('volumes', ())
    plan = lifecycle.new_plan(
        wish['name'], wish['description'], requested_by=request.user.username,
        server_id=facts.server.id, seal=connect.seal(),
        power_off=wish['power_off'], power_on=wish['power_on'],
        stop_if_forced=wish['if_forced'] == STOP,
        shutdown_timeout=shutdown_timeout(facts),
        snapshot_timeout=int(settings.get('SNAPSHOT_TIMEOUT')),
        begin_within=int(settings.get('BEGIN_WITHIN')),
        agent_announced=facts.agent, expected_seconds=facts.expected,
        volume_backed=facts.server.volume_backed,
        keep_until=wish['keep_until'].isoformat() if wish['keep_until']
        else '', protect=bool(wish['protect']) and options.get(
            'captures_image', True),
        without_recipe=not facts.has_room_for_recipe(len(volumes)),
        was_running=facts.server.status == 'ACTIVE', **options)
    tagged = not (plan.power_off or volumes) and facts.lacks_metadata() > 0
    return submission.submit(request, facts.server, plan, tagged,
                             after=facts.latest_request)
