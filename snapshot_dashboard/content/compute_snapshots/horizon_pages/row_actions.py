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

"""Where Horizon's own pages lead into the wizard."""

from collections.abc import Callable
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode

from openstack_dashboard.dashboards.project.instances import (
    tables as instances,
)
from openstack_dashboard.dashboards.project.volumes import tables as volumes

from snapshot_dashboard.snapshots import kinds

#: Horizon's Create Snapshot of a row, and what it is a snapshot of.
_ACTIONS = ((instances.CreateSnapshot, kinds.Kind.INSTANCE),
            (volumes.CreateSnapshot, kinds.Kind.VOLUME))


def install() -> None:
    """Let Create Snapshot on the rows of Horizon's tables open the wizard.

    When it is offered stays Horizon's decision; only its address changes,
    and not that of other projects' things, which administrators see.
    """
    for action, kind in _ACTIONS:
        action.get_link_url = _link_to(kind, action.get_link_url)


def _link_to(kind: kinds.Kind, horizons: Any) -> Callable[[Any, Any], str]:
    def get_link_url(self: Any, datum: Any) -> str:
        project = getattr(datum, 'tenant_id', None) or getattr(
            datum, 'os-vol-tenant-attr:tenant_id', None)
        if project != self.table.request.user.tenant_id:
            return horizons(self, datum)  # an administrator's table
        source = urlencode({'source': f'{kind.value}-{datum.id}'})
        return (f'{reverse("horizon:project:compute_snapshots:create")}'
                f'?{source}')
    return get_link_url
