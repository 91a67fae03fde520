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

"""What is known of one volume before its snapshot, and what is in the way.

``gather`` asks the services, ``find_obstacles`` decides, purely.
"""

import dataclasses
import functools
from typing import Any

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types
from snapshot_dashboard.preflight import instance_facts
from snapshot_dashboard.preflight import obstacles


@dataclasses.dataclass(frozen=True)
class Facts:
    """All that is known of a volume before its snapshot.

    :ivar instance: the facts about the instance that it is attached to; None
        when there is none or several, or when Nova could not be asked.
    :ivar quotas: Cinder's; empty when they are not known.
    :ivar unknown: which services could not be asked.
    :ivar vanished: whether the instance that it is attached to is gone.
    """

    volume: types.Volume
    instance: instance_facts.Facts | None
    quotas: dict[str, types.Quota]
    unknown: tuple[errors.ServiceError, ...] = ()
    vanished: bool = False

    @property
    def server(self) -> types.Server | None:
        return self.instance.server if self.instance else None

    @property
    def at_rest(self) -> bool:
        """Whether nobody can be writing to it now."""
        return not self.volume.attached or (
            self.instance is not None
            and self.instance.server.status == 'SHUTOFF'
            # Nova calls it so, too, while it powers it on.
            and not obstacles.busy(self.instance.server))

    @property
    def can_power_off(self) -> bool:
        """Whether powering its instance off first is something to offer."""
        return self.instance is not None and self.instance.can_power_off

    @property
    def state(self) -> str:
        """What a decision rests on: the instance's status or the volume's."""
        return (self.instance.server.status if self.instance
                else self.volume.status)


def gather(cloud: services.Cloud, volume_id: str) -> Facts:
    """Ask for the facts, in four rounds at the most.

    :raises ServiceError: when Cinder cannot tell about the volume; what else
        is not known is left open.
    """
    volume = cloud.volumes.volume(volume_id)
    calls: list[Any] = [lambda: cloud.volumes.quotas()]
    if len(volume.server_ids) == 1:
        calls.append(functools.partial(instance_facts.gather, cloud,
                                       volume.server_ids[0]))
    quotas, *instances = cloud.gather(*calls)
    lost = errors.among((quotas, *instances), errors.NotFound)
    instance = next((answer for answer in instances
                     if isinstance(answer, instance_facts.Facts)), None)
    return Facts(volume, instance,
                 quotas if isinstance(quotas, dict) else {},
                 errors.deduplicate_by_service(lost),
                 any(isinstance(answer, errors.NotFound)
                     for answer in instances))


def find_obstacles(facts: Facts, power_off: bool = False
                   ) -> list[obstacles.Obstacle]:
    """What makes a snapshot of this volume impossible now.

    :param power_off: whether its instance is to be powered off for it.
    """
    volume, found = facts.volume, []
    if volume.status not in ('in-use', 'available'):
        found.append(obstacles.Obstacle(obstacles.Code.VOLUME_STATE, {
            'volume': volume.name or volume.id, 'status': volume.status}))
    found += obstacles.over_quota(facts.quotas,
                                  [(volume.type, volume.size_gib)])
    if power_off and facts.instance is not None:
        found += obstacles.busy(facts.instance.server)
        found += instance_facts.record_obstacles(facts.instance, 1,
                                                 needs_metadata=True)
    return found
