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

"""Whether an instance can take over the addresses of another.

``gather`` asks the services, ``find_obstacles`` decides, purely.
"""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import enum
import json
from typing import Any

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types
from snapshot_dashboard.preflight import instance_facts
from snapshot_dashboard.runs import record
from snapshot_dashboard.snapshots import details
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.switch_overs import switch_over
from snapshot_dashboard.switch_overs import switching

#: Instances launched from the snapshot that are offered.
_COPIES = 50
#: Seconds before its server that a port was created which Nova did not make.
BEFORE = 60
_READY = ('ACTIVE', 'SHUTOFF')


class Code(enum.Enum):
    """What may stand in the way."""

    SOURCE_GONE = 'source-gone'
    NO_NETWORKS = 'no-networks'
    NO_COPY = 'no-copy'
    NO_PORTS = 'no-ports'
    TOO_MANY = 'too-many'
    STATE = 'state'
    LOCKED = 'locked'
    BUSY = 'busy'
    UNDER_WAY = 'under-way'
    RECORDED = 'recorded'
    NETWORK = 'network'
    HARDWARE = 'hardware'
    QOS = 'qos'
    TAGS = 'tags'
    PROPERTIES = 'properties'


@dataclasses.dataclass(frozen=True)
class Obstacle:
    """Something that makes it impossible now.

    :ivar facts: the numbers and names for the message.
    """

    code: Code
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Facts:
    """What is known before an instance takes addresses over.

    :ivar image: the snapshot's.
    :ivar original: the instance that the snapshot is of; None if it is gone.
    :ivar copies: the instances that were launched from the snapshot.
    :ivar copy: the one of these that is to have the addresses.
    :ivar ports: the original's; ``own_ports`` the copy's.
    :ivar owners: the projects that the ports' networks are of, by id.
    :ivar busy: the instances at which something is under way.
    :ivar networks: whether the cloud has networks at all.
    """

    snapshot: model.Snapshot
    project_id: str
    image: types.Image
    original: types.Server | None = None
    copies: tuple[types.Server, ...] = ()
    copy: types.Server | None = None
    ports: tuple[types.Port, ...] = ()
    own_ports: tuple[types.Port, ...] = ()
    floating: tuple[types.FloatingAddress, ...] = ()
    owners: Mapping[str, str] = dataclasses.field(default_factory=dict)
    busy: tuple[types.Server, ...] = ()
    networks: bool = True

    def keeps(self, port: types.Port) -> bool:
        """Whether Nova surely did not make a port, so that it outlasts being
        detached: no API tells, but it is older than the instance.
        """
        return bool(self.original and port.created and port.created + BEFORE
                    < self.original.created)

    def can_make(self, port: types.Port) -> bool:
        """Whether a port like it can be made anew: Neutron leaves addresses
        of one's own choice to the network's owner.
        """
        return self.owners.get(port.network_id) == self.project_id


def gather(cloud: services.Cloud, found: details.Details,
           copy_id: str = '') -> Facts:
    """Ask for the facts.

    :param found: what is known of the snapshot.
    :param copy_id: of the instance that is to have the addresses; without
        one it is the latest that was launched from the snapshot.
    :raises ServiceError: when they cannot be had.
    """
    snapshot = found.snapshot
    source_id = snapshot.source.id if snapshot.source else ''
    facts = Facts(snapshot, cloud.project_id, cloud.images.image(snapshot.id),
                  networks=cloud.has('network'))
    if snapshot.foreign or not (snapshot.source and facts.networks):
        return facts
    answers = cloud.gather_named({
        'original': lambda: cloud.compute.server(source_id),
        'tagged': lambda: cloud.compute.tagged(
            _COPIES, f'{marks.COPY_OF}{snapshot.id}')[0],
        'launched': lambda: cloud.compute.servers(_COPIES, snapshot.id),
        'ports': lambda: cloud.networks.ports_of(source_id)})
    for name, error in answers.items():
        if isinstance(error, errors.ServiceError) and not (
                name == 'original' and isinstance(error, errors.NotFound)):
            raise error
    known = errors.without(answers)
    original = known.get('original')
    copies = {server.id: server for server in sorted(
        (*known['tagged'], *known['launched']),
        key=lambda server: server.created, reverse=True)
        if server.id != source_id and record.TEST_TAG not in server.tags}
    # The latest one that can be taken, as far as its state tells.
    latest = sorted(copies.values(), key=lambda server: (
        server.status not in _READY or bool(server.task_state)))
    copy = copies.get(copy_id) if copy_id else next(iter(latest), None)
    facts = dataclasses.replace(
        facts, original=original, copies=tuple(copies.values()), copy=copy,
        ports=_in_order(known['ports'], original))
    return _closer(cloud, facts) if original and copy else facts


def _in_order(ports: Sequence[types.Port],
              server: types.Server | None) -> tuple[types.Port, ...]:
    """The ports in the order in which the guest has them, if that is known.
    """
    macs = server.macs if server else ()
    return tuple(sorted(ports, key=lambda port: (
        macs.index(port.mac) if port.mac in macs else len(macs))))


def _closer(cloud: services.Cloud, facts: Facts) -> Facts:
    both = [server for server in (facts.original, facts.copy) if server]
    answers = cloud.gather_or_raise(
        lambda: cloud.networks.ports_of(facts.copy.id if facts.copy else ''),
        lambda: cloud.networks.owners(sorted(
            {port.network_id for port in facts.ports})) if facts.ports else {},
        lambda: cloud.networks.floating_of(
            [port.id for port in facts.ports]),
        *(lambda server=server: switching.is_busy(cloud, server)
          for server in both))
    own_ports, owners, floating, *busy = answers
    return dataclasses.replace(
        facts, own_ports=tuple(own_ports), owners=owners,
        floating=tuple(floating), busy=tuple(
            server for server, is_busy in zip(both, busy, strict=True)
            if is_busy))


def find_obstacles(facts: Facts) -> list[Obstacle]:
    """What makes it impossible that the copy takes the addresses over."""
    if not facts.networks:
        return [Obstacle(Code.NO_NETWORKS)]
    if facts.original is None:
        return [Obstacle(Code.SOURCE_GONE)]
    if facts.copy is None:
        return [Obstacle(Code.NO_COPY)]
    if switch_over.read(facts.image) is not None:
        return [Obstacle(Code.RECORDED)]
    found = [obstacle for server in (facts.original, facts.copy)
             for obstacle in _of_server(facts, server)]
    if not instance_facts.takes(facts.image, switch_over.write(
            switch_over.Plan('', '', '', '', '', ''), '')):
        found.append(Obstacle(Code.PROPERTIES, {
            'limit': instance_facts.IMAGE_PROPERTIES}))
    return found + _of_ports(facts, facts.ports)


def wish(facts: Facts, requested_by: str) -> switching.Wish:
    """What a user wishes who knows these facts.

    :raises NotFound: where one of the two instances is gone.
    """
    if facts.original is None or facts.copy is None:
        raise errors.NotFound('compute', 'there is no instance')
    return switching.Wish(
        facts.image, facts.original, facts.copy, facts.ports,
        facts.own_ports, facts.floating, requested_by)


def _of_server(facts: Facts, server: types.Server) -> list[Obstacle]:
    name = {'instance': server.name or server.id}
    found = []
    if server in facts.busy:
        found.append(Obstacle(Code.UNDER_WAY, name))
    elif server.status not in _READY:
        found.append(Obstacle(Code.STATE, {**name, 'status': server.status}))
    elif server.task_state:
        found.append(Obstacle(Code.BUSY, {**name, 'task': server.task_state}))
    if server.locked:
        found.append(Obstacle(Code.LOCKED, name))
    if not switching.has_room(server):
        found.append(Obstacle(Code.TAGS, name))
    return found


def _of_ports(facts: Facts, ports: Sequence[types.Port]) -> list[Obstacle]:
    if not ports:
        return [Obstacle(Code.NO_PORTS)]
    sizes = [len(json.dumps(dict(port.body))) for port in ports]
    if len(ports) > switch_over.MOST_PORTS or sum(sizes) > (
            switch_over.MOST_IN_ALL) or max(sizes) > switch_over.MOST_BODY:
        return [Obstacle(Code.TOO_MANY)]
    found = []
    for port in ports:
        address = {'address': ', '.join(port.addresses) or port.mac}
        if not port.plain:
            found.append(Obstacle(Code.HARDWARE, address))
        elif not (facts.keeps(port) or facts.can_make(port)):
            found.append(Obstacle(Code.NETWORK, address))
        elif port.body.get('qos_policy_id') and not facts.keeps(port):
            found.append(Obstacle(Code.QOS, address))
    return found
