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

"""A snapshot of one volume: the facts before it, and taking it at once.

``look`` asks the services, ``obstacles`` decides, ``create`` takes it. To
power its instance off for the moment is a run (:mod:`.advance`).
"""

import dataclasses
import functools
from typing import Any

from snapshot_dashboard import cloud as clouds
from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import types
from snapshot_dashboard.runs import consistency
from snapshot_dashboard.runs import observe
from snapshot_dashboard.runs import preflight


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
    instance: preflight.Facts | None
    quotas: dict[str, types.Quota]
    unknown: tuple[errors.ServiceError, ...] = ()
    vanished: bool = False

    @property
    def detached(self) -> bool:
        return not (self.volume.server_ids or self.volume.hosts)

    @property
    def at_rest(self) -> bool:
        """Whether nobody can be writing to it now."""
        return self.detached or (
            self.instance is not None
            and self.instance.server.status == 'SHUTOFF'
            # Nova calls it so, too, while it powers it on.
            and not preflight.busy(self.instance.server))

    @property
    def can_power_off(self) -> bool:
        """Whether powering its instance off first is something to offer."""
        return self.instance is not None and self.instance.can_power_off

    @property
    def state(self) -> str:
        """What a decision rests on: the instance's status or the volume's."""
        return (self.instance.server.status if self.instance
                else self.volume.status)


def look(cloud: clouds.Cloud, volume_id: str) -> Facts:
    """Ask for the facts, in four rounds at the most.

    :raises ServiceError: when Cinder cannot tell about the volume; what else
        is not known is left open.
    """
    volume = cloud.volumes.volume(volume_id)
    calls: list[Any] = [lambda: cloud.volumes.quotas()]
    if len(volume.server_ids) == 1:
        calls.append(functools.partial(preflight.look, cloud,
                                       volume.server_ids[0]))
    quotas, *instances = cloud.together(*calls)
    lost = [answer for answer in (quotas, *instances)
            if isinstance(answer, errors.ServiceError)
            and not isinstance(answer, errors.NotFound)]
    instance = next((answer for answer in instances
                     if isinstance(answer, preflight.Facts)), None)
    return Facts(volume, instance,
                 quotas if isinstance(quotas, dict) else {},
                 errors.once_each(lost),
                 any(isinstance(answer, errors.NotFound)
                     for answer in instances))


def obstacles(facts: Facts, power_off: bool = False
              ) -> list[preflight.Obstacle]:
    """What makes a snapshot of this volume impossible now.

    :param power_off: whether its instance is to be powered off for it.
    """
    volume, found = facts.volume, []
    if volume.status not in ('in-use', 'available'):
        found.append(preflight.Obstacle(preflight.Code.VOLUME_STATE, {
            'volume': volume.name or volume.id, 'status': volume.status}))
    found += preflight.over_quota(facts.quotas,
                                  [(volume.type, volume.size_gib)])
    if power_off and facts.instance is not None:
        found += preflight.busy(facts.instance.server)
        found += preflight.record_obstacles(facts.instance, 1,
                                            needs_metadata=True)
    return found


def create(cloud: clouds.Cloud, facts: Facts, name: str, description: str, *,
           now: int, shutdown_timeout: int) -> str:
    """Take the snapshot as things are, marked with how they are; its id.

    :param now: seconds since the epoch.
    :param shutdown_timeout: seconds that the guest had to shut down, should
        it be off.
    :raises ServiceError: when it was not begun.
    """
    metadata = {marks.CONSISTENCY: _mark(cloud, facts, shutdown_timeout),
                **({marks.TAKEN: str(now)} if facts.instance is None
                   else marks.of_server(facts.instance.server, now))}
    return cloud.volumes.create_snapshot(facts.volume.id, name, description,
                                         metadata)


def _mark(cloud: clouds.Cloud, facts: Facts, shutdown_timeout: int) -> str:
    """How the volume is now; whoever is not known to rest may be writing."""
    if facts.detached:
        return marks.DETACHED
    if facts.instance is None or not facts.at_rest:
        return marks.LIVE
    server = facts.instance.server
    stop = consistency.last_stop(observe.actions(cloud, server))
    return consistency.mark(server.status, stop, shutdown_timeout,
                            agent=False)
