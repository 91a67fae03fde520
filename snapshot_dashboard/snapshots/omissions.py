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

"""What a snapshot of an instance does not hold of it.

It is noted on the image when it is taken: later nobody can tell, for volumes
are detached and instances resized or deleted.
"""

from collections.abc import Collection
from collections.abc import Mapping
import dataclasses
import datetime

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import ids
from snapshot_dashboard.cloud import types

#: What stands there where nothing is left out.
_NOTHING = 'nothing'
#: Volumes that the property has room for.
_NAMED = 4


@dataclasses.dataclass(frozen=True)
class Omissions:
    """The data of an instance that are not in a snapshot of it.

    :ivar tpm: whether there is the state of a virtual TPM.
    :ivar volume_ids: volumes that were attached.
    :ivar more_volumes: how many more of them there were.
    """

    ephemeral_gib: int = 0
    swap_mib: int = 0
    tpm: bool = False
    volume_ids: tuple[str, ...] = ()
    more_volumes: int = 0

    @property
    def volumes(self) -> int:
        """How many volumes there were."""
        return len(self.volume_ids) + self.more_volumes


def of(server: types.Server, volume_backed: bool,
       chosen: Collection[str]) -> Omissions:
    """What a snapshot that is taken now leaves out.

    :param volume_backed: whether the root disk is a volume: then the
        snapshot holds all volumes.
    :param chosen: the ids of the volumes that are captured beside a local
        root disk.
    """
    return Omissions(
        server.ephemeral_gib, server.swap_mib, server.has_tpm,
        () if volume_backed else tuple(
            volume_id for volume_id in server.volume_ids
            if volume_id not in chosen))


def write(found: Omissions) -> dict[str, str]:
    """The property of an image that says so; as many ids as it has room for.
    """
    words = [*([f'ephemeral:{found.ephemeral_gib}'] if found.ephemeral_gib
               else ()),
             *([f'swap:{found.swap_mib}'] if found.swap_mib else ()),
             *(['tpm'] if found.tpm else ())]
    named = found.volume_ids[:_NAMED]
    words += [f'volume:{volume_id}' for volume_id in named]
    if more := found.volumes - len(named):
        words.append(f'volumes:{more}')
    return {marks.LEFT_OUT: ' '.join(words) or _NOTHING}


def read(properties: Mapping[str, str],
         created: datetime.datetime) -> Omissions | None:
    """What an image says of it; None if it does not, or not of itself.

    What cannot be read was not written by us: then nothing is known.
    """
    text = marks.trusted(properties, created).get(marks.LEFT_OUT, '')
    if not text:
        return None
    counts, volume_ids, tpm = {}, [], False
    for word in [] if text == _NOTHING else text.split():
        name, _, value = word.partition(':')
        if name == 'volume' and ids.is_id(value):
            volume_ids.append(value)
        elif name in ('ephemeral', 'swap', 'volumes') and (
                types.whole_number(value)):
            counts[name] = types.whole_number(value) or 0
        elif word == 'tpm':
            tpm = True
        else:
            return None
    return Omissions(counts.get('ephemeral', 0), counts.get('swap', 0), tpm,
                   tuple(volume_ids), counts.get('volumes', 0))
