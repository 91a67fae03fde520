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

"""The releases of Horizon."""

from importlib import metadata
import re

#: The first one that the panel is tested in: 2025.1. What is installed does
#: not require it, for that could replace an operator's Horizon.
OLDEST = (25, 3)
#: The first one whose policy knows of readers: 2026.2.
KNOWS_READERS = (27, 0)


def installed() -> tuple[int, int]:
    """The first two numbers of Horizon's version; zeros if nothing tells it.
    """
    try:
        found = re.match(r'(\d+)\.(\d+)', metadata.version('horizon') or '')
    except metadata.PackageNotFoundError:
        found = None
    return (int(found[1]), int(found[2])) if found else (0, 0)
