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

"""Project > Compute > Snapshots."""

from typing import Any

from django.utils.translation import gettext_lazy as _

import horizon

from snapshot_dashboard.cloud import services


class ComputeSnapshots(horizon.Panel):
    """The panel; Horizon's own ``snapshots`` is the one of Cinder alone."""

    name = _("Snapshots")
    slug = 'compute_snapshots'
    # Any of them: there may be no Glance, or no Cinder.
    policy_rules = (("image", "get_images"),
                    ("volume", "volume:get_all_snapshots"))

    def allowed(self, context: dict[str, Any]) -> bool:
        catalogue = context['request'].user.service_catalog or ()
        types = {service.get('type') for service in catalogue}
        return super().allowed(context) and bool(
            types & {*services.SERVICE_TYPES['image'],
                     *services.SERVICE_TYPES['volume']})
