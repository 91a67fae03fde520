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

"""The Django application."""

from collections.abc import Sequence
import logging
from typing import Any

from django import apps
from django.core import checks

from snapshot_dashboard import releases
from snapshot_dashboard import settings

LOG = logging.getLogger(__name__)


def check_horizon(app_configs: Sequence[apps.AppConfig] | None,
                  **kwargs: Any) -> list[checks.CheckMessage]:
    """Whether this Horizon is one that the panel works in.

    :returns: a warning if it is not, or if that cannot be known.
    """
    found, oldest = releases.installed(), releases.OLDEST
    if found >= oldest:
        return []
    return [checks.Warning(
        'snapshot-dashboard needs Horizon {}.{} or newer; '.format(*oldest)
        + ('this is {}.{}.'.format(*found) if any(found)
           else 'the version of this one is not known.'),
        id='snapshot_dashboard.W001')]


class SnapshotDashboardConfig(apps.AppConfig):
    """Reaches into Horizon's own tables, if the operator wants that."""

    name = 'snapshot_dashboard'

    def ready(self) -> None:
        checks.register(check_horizon)
        for warning in check_horizon(None):
            LOG.warning('%s', warning.msg)
        if settings.get('ROW_ACTIONS'):
            # Horizon's tables can be imported when all applications are there.
            from .content.compute_snapshots.horizon_pages import row_actions
            row_actions.install()
