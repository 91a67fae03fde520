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

"""Records that stand on an image, grow property by property, and are found by
the tags of an instance.
"""

from collections.abc import Collection
from collections.abc import Mapping
import dataclasses
from typing import Any

from snapshot_dashboard.cloud import ids
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types

#: Characters of a value; Glance has room for 64 KiB.
_LONGEST = 4000
#: Tags of an instance that are followed.
_HOMES = 5


def blank(kind: type, prefix: str) -> dict[str, str]:
    """The properties of a progress at its beginning: all that there will ever
    be, so that no quota of properties is met on the way.
    """
    return {prefix + field.name: '' for field in dataclasses.fields(kind)}


def changes(old: Any, new: Any, prefix: str) -> dict[str, str]:
    """The properties that make the new progress of the old one.

    An empty value says the same as none, and needs nothing to be there.
    """
    before, after = dataclasses.asdict(old), dataclasses.asdict(new)
    return {prefix + name: str(value or '')[:_LONGEST]
            for name, value in after.items() if value != before[name]}


def values(kind: type, properties: Mapping[str, str],
           prefix: str) -> dict[str, Any]:
    """What properties say of a progress, whatever anybody wrote there."""
    known: dict[str, Any] = {}
    for field in dataclasses.fields(kind):
        text = properties.get(prefix + field.name, '')
        known[field.name] = text if isinstance(field.default, str) else (
            types.whole_number(text) or 0)
    return known


def keys(properties: Mapping[str, str], plan: str, seal: str,
         prefix: str) -> list[str]:
    """The names of those properties that are a record, or were once.

    Without the plan there is no record, so it comes first.
    """
    return sorted((name for name in properties
                   if name in (plan, seal) or name.startswith(prefix)),
                  key=lambda name: name != plan)


# The index.

def all_tags(server: types.Server, index: str, of: str,
             others: Collection[str]) -> list[str]:
    """The tags of a kind of record that an instance bears; the index comes
    last.

    :param of: what stands before an image's id.
    """
    return sorted((tag for tag in server.tags
                   if tag == index or tag in others or tag.startswith(of)),
                  key=lambda tag: tag == index)


def home_ids(server: types.Server, of: str) -> list[str]:
    """The images where the record of an instance may stand.

    More than one where two began at the same moment, or somebody has put a
    tag there.
    """
    found = [tag.removeprefix(of) for tag in server.tags
             if tag.startswith(of)]
    return sorted(filter(ids.is_id, found))[:_HOMES]


def index(cloud: services.Cloud, server_id: str, old: Collection[str],
          new: list[str]) -> None:
    """Exchange the tags of an instance; the first of the new ones, by which
    the others are found, is set last.
    """
    for tag in old:
        cloud.compute.delete_tag(server_id, tag)
    for tag in reversed(new):
        cloud.compute.add_tag(server_id, tag)
