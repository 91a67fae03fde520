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

"""Launching an instance from a snapshot, like the original or another one.

``fetch_options`` asks what there is to choose from, ``missing`` and
``obstacles`` decide, purely, ``launch`` does it.
"""

from collections.abc import Mapping
import dataclasses
import enum
from typing import Any

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types
from snapshot_dashboard.snapshots import details
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.snapshots import recipes


class Piece(enum.Enum):
    """What an instance is made of beside its disks."""

    FLAVOR = 'flavor'
    NETWORK = 'network'
    GROUP = 'group'
    KEY = 'key'
    ZONE = 'zone'


class Code(enum.Enum):
    """What may stand in the way."""

    BROKEN = 'broken'
    UNKNOWN = 'unknown'
    DISK = 'disk'
    RAM = 'ram'
    INSTANCES = 'instances'
    CORES = 'cores'
    QUOTA_RAM = 'quota-ram'
    VOLUMES = 'volumes'
    GIGABYTES = 'gigabytes'
    VOLUME_SIZE = 'volume-size'


@dataclasses.dataclass(frozen=True)
class Obstacle:
    """Something that makes it impossible.

    :ivar needed: how much it takes, of what the code says; ``left`` how much
        there is.
    """

    code: Code
    needed: int = 0
    left: int = 0


@dataclasses.dataclass(frozen=True)
class Options:
    """What there is to choose from.

    :ivar networks: the names by the ids.
    :ivar limits: Nova's and Cinder's quotas: ``instances``, ``cores``, ``ram``
        (MiB), ``volumes``, ``gigabytes``; empty where not known.
    :ivar problems: why some of it is not known.
    """

    flavors: tuple[types.Flavor, ...] = ()
    networks: Mapping[str, str] = dataclasses.field(default_factory=dict)
    groups: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    limits: Mapping[str, types.Quota] = dataclasses.field(
        default_factory=dict)
    problems: tuple[errors.ServiceError, ...] = ()

    def flavor(self, name: str) -> types.Flavor | None:
        return next((flavor for flavor in self.flavors
                     if flavor.name == name), None)


@dataclasses.dataclass(frozen=True)
class Choice:
    """What an instance is to be like.

    :ivar networks: ids; none for an instance without a network.
    :ivar key: a name, or nothing; likewise the zone.
    """

    name: str
    flavor: types.Flavor
    networks: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    key: str = ''
    zone: str = ''


def fetch_options(cloud: services.Cloud, volumes: bool,
                  isolated: bool = False) -> Options:
    """Ask for all of it, in one round.

    :param volumes: whether volumes are made for it.
    :param isolated: what joins it to others is not asked for.
    """
    calls: dict[str, Any] = {
        'flavors': lambda: cloud.compute.flavors(),
        'limits': lambda: cloud.compute.limits()}
    if not isolated:
        calls |= {
            'keys': lambda: cloud.compute.key_names(),
            'zones': lambda: cloud.compute.zones(),
            'networks': lambda: cloud.networks.names(),
            'groups': lambda: cloud.networks.security_groups()}
    if volumes:
        calls['quotas'] = lambda: cloud.volumes.quotas()
    answers = cloud.gather_named(calls)
    lost = errors.among(answers.values())
    found = errors.without(answers)
    return Options(
        flavors=tuple(found.get('flavors', ())),
        networks=found.get('networks', {}),
        groups=tuple(found.get('groups', ())),
        keys=tuple(found.get('keys', ())),
        zones=tuple(found.get('zones', ())),
        limits={**found.get('quotas', {}), **found.get('limits', {})},
        problems=errors.deduplicate_by_service(lost))


def missing(recipe: recipes.Recipe | None,
            options: Options) -> list[tuple[Piece, str]]:
    """What the original had and the project does not have any more."""
    if recipe is None:
        return []
    unknown = {problem.service for problem in options.problems}
    found: list[tuple[Piece, str]] = []
    if 'compute' not in unknown:
        if recipe.flavor and options.flavor(recipe.flavor) is None:
            found.append((Piece.FLAVOR, recipe.flavor))
        if recipe.key and recipe.key not in options.keys:
            found.append((Piece.KEY, recipe.key))
        if recipe.zone and recipe.zone not in options.zones:
            found.append((Piece.ZONE, recipe.zone))
    if 'network' not in unknown:
        found += [(Piece.NETWORK, network) for network in recipe.networks
                  if network not in options.networks]
        found += [(Piece.GROUP, group) for group in recipe.groups
                  if group not in options.groups]
    return found


def obstacles(details: details.Details, options: Options,
              flavor: types.Flavor | None = None,
              with_parts: bool = False) -> list[Obstacle]:
    """What makes it impossible to launch the snapshot, with a flavor or any.

    :param with_parts: volumes are made of all volume snapshots that belong
        to it, and not of those alone that Nova makes them of.
    """
    snapshot = details.snapshot
    if not snapshot.usable:
        return [Obstacle(Code.BROKEN)]
    if snapshot.bootable is None or any(
            problem.service in ('compute', 'network')
            for problem in options.problems):
        # What cannot be offered would be left off without a word.
        return [Obstacle(Code.UNKNOWN)]
    found = []
    from_volume = snapshot.kind is kinds.Kind.VOLUME
    if flavor is not None:
        # A flavor without a disk takes what the image says, and the disk of
        # a volume-backed instance is not the flavor's.
        disk = flavor.disk_gib
        if disk and not (snapshot.volume_backed or from_volume) and (
                disk < details.min_disk_gib):
            found.append(Obstacle(Code.DISK, details.min_disk_gib, disk))
        if flavor.ram_mib < details.min_ram_mib:
            found.append(Obstacle(Code.RAM, details.min_ram_mib,
                                  flavor.ram_mib))
    needed = [(Code.INSTANCES, 'instances', 1),
              (Code.CORES, 'cores', flavor.cores if flavor else 1),
              (Code.QUOTA_RAM, 'ram', flavor.ram_mib if flavor else 1)]
    disks = ([] if not (snapshot.volume_backed or with_parts) else
             [part.size_gib for part in snapshot.parts
              if with_parts or part.device or part.boot])
    sizes = [snapshot.size_bytes // model.GIB] if from_volume else disks
    if sizes:
        needed += [(Code.VOLUMES, 'volumes', len(sizes)),
                   (Code.GIGABYTES, 'gigabytes', sum(sizes))]
        each = options.limits.get('per_volume_gigabytes')
        if each is not None and 0 <= each.limit < max(sizes):
            found.append(Obstacle(Code.VOLUME_SIZE, max(sizes), each.limit))
    for code, name, count in needed:
        quota = options.limits.get(name)
        if quota is not None and quota.left is not None and (
                quota.left < count):
            found.append(Obstacle(code, count, quota.left))
    return found


def launch(cloud: services.Cloud, snapshot: model.Snapshot,
           choice: Choice) -> str:
    """Launch an instance from a snapshot; its id.

    :raises ServiceError: when it was refused.
    """
    source: dict[str, Any] = (
        {'image_id': snapshot.id, 'tag': f'{marks.COPY_OF}{snapshot.id}'}
        if snapshot.kind is kinds.Kind.INSTANCE
        else {'image_id': None, 'snapshot_id': snapshot.id})
    return cloud.compute.create_server(
        choice.name, flavor_id=choice.flavor.id, networks=choice.networks,
        groups=choice.groups, key=choice.key, zone=choice.zone, **source)
