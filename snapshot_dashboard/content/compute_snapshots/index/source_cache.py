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

"""Names of instances and volumes, kept for a while in Django's cache."""

from collections.abc import Collection
from collections.abc import Mapping
import hashlib

from snapshot_dashboard.cloud import services
from snapshot_dashboard.content.compute_snapshots import memory
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.snapshots import row_builder

#: Seconds for which a name is believed.
_LIFETIME = 120


class DjangoSourceCache(row_builder.SourceCache):
    """What is known of one project's instances and volumes."""

    def __init__(self, cloud: services.Cloud):
        # Other regions have others, and may have the same Glance.
        self._place = hashlib.sha256(' '.join([cloud.project_id, *(
            cloud.address(service) for service in ('compute', 'volume')
            if cloud.has(service))]).encode()).hexdigest()[:32]

    def find(self,
             keys: Collection[row_builder.Key]) -> dict[row_builder.Key,
                                                        model.Source]:
        asked = {self._address(key): key for key in keys}
        return {asked[address]: source for address, source
                in memory.MEMORY.find(asked).items()}

    def keep(self, found: Mapping[row_builder.Key, model.Source]) -> None:
        memory.MEMORY.keep({self._address(key): source
                            for key, source in found.items()}, _LIFETIME)

    def _address(self, key: row_builder.Key) -> str:
        return ':'.join(('snapshot_dashboard', self._place, *key))
