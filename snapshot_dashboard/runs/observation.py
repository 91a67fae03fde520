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

"""What the cloud shows of a run."""

import dataclasses

from snapshot_dashboard.cloud import types

#: createImage is allowed in these states (Nova API, Create Image), and the
#: same ones take metadata and tags.
CAPTURABLE = ('ACTIVE', 'SHUTOFF', 'PAUSED', 'SUSPENDED')


@dataclasses.dataclass(frozen=True)
class Observation:
    """What the cloud shows of a run.

    :ivar server: None when it is gone.
    :ivar now: seconds since the epoch.
    :ivar images: those that the run made.
    :ivar snapshots: the volume snapshots that the run made: marked with its
        id, or made by Nova for an image of the run, finished or not.
    :ivar actions: what was done to the server, the latest first; asked for
        only where it matters.
    :ivar unreachable: the services that do not answer, of ``image`` and
        ``volume``.
    :ivar gone_ids: the volume snapshots that the run's image names, and that
        Cinder does not know.
    """

    server: types.Server | None
    now: int
    images: tuple[types.Image, ...] = ()
    snapshots: tuple[types.VolumeSnapshot, ...] = ()
    actions: tuple[types.Action, ...] = ()
    unreachable: frozenset[str] = frozenset()
    gone_ids: frozenset[str] = frozenset()


def is_held(server: types.Server, tagged: bool) -> bool:
    """Whether nothing about a run can be written down now.

    A locked server takes no note but in its tags, and one that is shelved,
    rescued, resized or in error takes none at all.
    """
    return server.locked and not tagged or (
        server.status not in CAPTURABLE and not server.task_state)
