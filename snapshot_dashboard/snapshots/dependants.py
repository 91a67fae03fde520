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

"""What was made from a snapshot, and is still there."""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import functools
from typing import Any

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model

#: Instances and volumes that are looked at for what was made from a snapshot.
MOST = 1000
#: Images of which it is asked, one by one, what was launched from them.
_ASKED = 20


@dataclasses.dataclass(frozen=True)
class Dependants:
    """What was made from a snapshot and is still there.

    :ivar partial: whether there are more of either than were looked at.
    :ivar problems: why some of it is not known.
    """

    servers: tuple[types.Server, ...] = ()
    volumes: tuple[types.Volume, ...] = ()
    partial: bool = False
    problems: tuple[errors.ServiceError, ...] = ()


def find(cloud: services.Cloud, snapshots: Sequence[model.Snapshot]
         ) -> dict[str, Dependants]:
    """What was made from snapshots, by their row ids, in one round of calls.

    Nova finds servers by their image. Cinder finds no volumes by the
    snapshot, so those that were made since are looked through.
    """
    images = [snapshot for snapshot in snapshots
              if snapshot.kind is kinds.Kind.INSTANCE][:_ASKED]
    calls: dict[str, Callable[[], Any]] = {}
    if cloud.has('compute'):
        calls.update({snapshot.id: functools.partial(
            cloud.compute.servers, MOST, image_id=snapshot.id)
            for snapshot in images})
    if cloud.has('volume') and snapshots:
        calls['volumes'] = functools.partial(
            cloud.volumes.volumes, MOST,
            since=min(snapshot.created for snapshot in snapshots))
    answers = cloud.gather_named(calls)
    return {snapshot.row_id: _of(snapshot, answers)
            for snapshot in snapshots}


def _of(snapshot: model.Snapshot, answers: Mapping[str, Any]) -> Dependants:
    mine = [answers[name] for name in (snapshot.id, 'volumes')
            if name in answers]
    known = errors.without(answers)
    of = {snapshot.id, *(part.id for part in snapshot.parts)}
    return Dependants(
        servers=tuple(known.get(snapshot.id, ())),
        volumes=tuple(volume for volume in known.get('volumes', ())
                      if volume.snapshot_id in of
                      or volume.image_properties.get('image_id') in of),
        partial=any(len(answer) >= MOST for answer in known.values()) or (
            snapshot.kind is kinds.Kind.INSTANCE
            and snapshot.id not in answers),
        problems=tuple(errors.among(mine)))
