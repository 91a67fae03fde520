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

"""How an instance was when it was captured, to launch one like it.

A few names in the properties of the image, each of which any member can
have changed: they are offered for choice, and never taken for granted.
"""

from collections.abc import Mapping
import dataclasses
import datetime
import json

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import limits
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What it was made of.

    :ivar flavor: the flavor's name.
    :ivar networks: the ids of the networks.
    :ivar groups: the names of the security groups.
    :ivar key: the name of the key pair.
    :ivar zone: the availability zone.
    """

    flavor: str = ''
    networks: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    key: str = ''
    zone: str = ''


def of(cloud: services.Cloud, server: types.Server) -> Recipe:
    """How an instance is now; it takes a call where it has networks.

    No snapshot fails for that: what Nova does not tell is left out.
    """
    networks: list[str] = []
    if server.networked:
        try:
            networks = cloud.compute.networks(server.id)
        except errors.ServiceError:
            pass
    return Recipe(server.flavor, tuple(dict.fromkeys(networks)),
                  server.groups, server.key, server.zone)


def write(recipe: Recipe) -> dict[str, str]:
    """The properties of an image; what is not known has none."""
    groups = list(recipe.groups)
    while len(json.dumps(groups)) > limits.VALUE_LENGTH:
        groups.pop()
    found = {marks.FLAVOR: recipe.flavor, marks.KEY: recipe.key,
             marks.ZONE: recipe.zone,
             marks.GROUPS: json.dumps(groups) if groups else '',
             **marks.name_ids(marks.NETWORKS, recipe.networks)}
    return {name: value for name, value in found.items()
            if value and len(value) <= limits.VALUE_LENGTH}


def read(properties: Mapping[str, str],
         created: datetime.datetime) -> Recipe | None:
    """The recipe on an image; None where there is none of its own."""
    own = marks.trusted(properties, created)
    if marks.FLAVOR not in own:
        return None
    return Recipe(
        flavor=own[marks.FLAVOR],
        networks=tuple(marks.ids_named(marks.NETWORKS, own)),
        groups=_groups(own.get(marks.GROUPS, '')),
        key=own.get(marks.KEY, ''), zone=own.get(marks.ZONE, ''))


def _groups(text: str) -> tuple[str, ...]:
    try:
        found = json.loads(text or '[]')
    except (ValueError, RecursionError):
        return ()
    return tuple(name for name in found if isinstance(name, str)) if (
        isinstance(found, list)) else ()
