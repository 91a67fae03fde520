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

"""Whether quotas bear as many snapshots as there will be."""

from collections.abc import Callable
from collections.abc import Mapping

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types
from snapshot_dashboard.preflight import obstacles
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.snapshots import usage

_MIB = 1024 ** 2


def find_obstacles(cloud: services.Cloud, example: model.Snapshot,
                   count: int, volume_type: str = ''
                   ) -> list[obstacles.Obstacle]:
    """The quotas that so many more snapshots like one would exceed.

    What is not known of them is no obstacle.

    :param volume_type: of the volume that it is of, if that is known.
    """
    if count <= 0:
        return []
    is_image = example.kind is kinds.Kind.INSTANCE
    volumes_gib = [part.size_gib for part in example.parts] if is_image else [
        example.size_bytes // model.GIB]
    image_mib = (example.size_bytes - sum(volumes_gib) * model.GIB) // _MIB
    calls: dict[str, Callable[[], Mapping[str, types.Quota]]] = {}
    if volumes_gib and cloud.has('volume'):
        calls['volumes'] = lambda: cloud.volumes.quotas()
    if is_image and cloud.has('image'):
        calls['images'] = lambda: usage.of_images(cloud, decides=True)
    quotas = errors.without(cloud.gather_named(calls))
    return [*obstacles.over_quota(quotas.get('volumes', {}), [
                (volume_type, size) for size in volumes_gib] * count),
            *obstacles.over_image_quota(quotas.get('images', {}), count,
                                        count * image_mib)]
