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

"""What Horizon calls the states of instances and volumes, in its languages."""

from openstack_dashboard.dashboards.project.instances import (
    tables as instances,
)
from openstack_dashboard.dashboards.project.volumes import tables as volumes

_INSTANCES = dict(instances.STATUS_DISPLAY_CHOICES)
_TASKS = dict(instances.TASK_DISPLAY_CHOICES)
_VOLUMES = dict(volumes.VolumesTableBase.STATUS_DISPLAY_CHOICES)


def status(text: str) -> str:
    """A status of Nova's, which are in capitals, or one of Cinder's.

    :returns: it as it came, if Horizon has no word for it.
    """
    if text.isupper():
        return str(_INSTANCES.get(text.lower(), text))
    return str(_VOLUMES.get(text, text))


def task(text: str) -> str:
    """What Nova is doing with an instance (``OS-EXT-STS:task_state``)."""
    return str(_TASKS.get(text, text))
