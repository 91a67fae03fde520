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

"""Which snapshots to list, and in which order."""

import dataclasses
import datetime
import enum

from snapshot_dashboard.snapshots import kinds


class State(enum.Enum):
    """Statuses of both services, as far as both can be asked for them."""

    READY = 'ready'
    MOVING = 'moving'
    FAILED = 'failed'
    DELETING = 'deleting'
    DEACTIVATED = 'deactivated'


class Sort(enum.Enum):
    """The orders that both services can give."""

    NEWEST = 'newest'
    OLDEST = 'oldest'
    NAME = 'name'


@dataclasses.dataclass(frozen=True)
class Query:
    """What is asked for. All but a part of a name is for the services to find.

    :ivar name: the whole name.
    :ivar text: a part of the name, capital or not, or the id. Neither service
        finds that, so it is looked for among what they list.
    :ivar instance_id: snapshots that say that they are of this instance.
    :ivar volume_id: snapshots of this volume.
    :ivar consistency: one of the values in ``marks``.
    :ivar since: those made at that time or later; newest first only, for
        Cinder cannot be asked for a time.
    :ivar launchable: those alone that an instance can be launched from. Which
        volumes can be booted from Cinder tells, and not of their snapshots.
    :ivar expired_on: those that are not wanted any more on this day.
    """

    kind: kinds.Kind | None = None
    name: str = ''
    text: str = ''
    state: State | None = None
    instance_id: str = ''
    volume_id: str = ''
    consistency: str = ''
    since: datetime.datetime | None = None
    expired_on: datetime.date | None = None
    launchable: bool = False
    sort: Sort = Sort.NEWEST

    @property
    def order(self) -> Sort:
        return Sort.NEWEST if self.since else self.sort

    @property
    def looks(self) -> bool:
        """Whether what is asked for is looked for among what is listed."""
        return bool(self.text or self.launchable)

    def finds(self, name: str, snapshot_id: str) -> bool:
        """Whether the text that is looked for is in a name, or is an id."""
        text = self.text.strip().casefold()
        return text in name.casefold() or text == snapshot_id.lower()

    @property
    def filtered(self) -> bool:
        return self != Query(sort=self.sort)
