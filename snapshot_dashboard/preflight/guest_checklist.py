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

"""What to do inside a guest before it becomes a template.

Machines that are launched from one image share all that was on it: two with
the same machine id or SSH host keys take each other's place on a network.
"""

from collections.abc import Sequence
import dataclasses
import enum


class Task(enum.Enum):
    """What a command is for."""

    FSTAB = 'fstab'
    CLOUD_INIT = 'cloud-init'
    MACHINE_ID = 'machine-id'
    HOST_KEYS = 'host-keys'
    SYSPREP = 'sysprep'


@dataclasses.dataclass(frozen=True)
class Item:
    """One command of the list, for a shell in the guest."""

    task: Task
    command: str


#: In this order: without its keys nobody can sign in by SSH any more.
LINUX = (
    Item(Task.FSTAB, 'findmnt --fstab --evaluate'),
    Item(Task.CLOUD_INIT, 'sudo cloud-init clean --logs'),
    Item(Task.MACHINE_ID, 'sudo truncate --size 0 /etc/machine-id'),
    Item(Task.HOST_KEYS, "sudo sh -c 'rm -f /etc/ssh/ssh_host_*'"),
)
WINDOWS = (
    Item(Task.SYSPREP, r'C:\Windows\System32\Sysprep\sysprep.exe '
         '/generalize /oobe /shutdown'),
)


def template(os_type: str) -> Sequence[Item]:
    """The list for a guest; both where it is not known which it is.

    :param os_type: the image's property of that name, ``linux`` or
        ``windows``.
    """
    return {'linux': LINUX, 'windows': WINDOWS}.get(
        os_type.lower(), LINUX + WINDOWS)
