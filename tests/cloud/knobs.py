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

"""Delays and failures of the two drivers, settable while the cloud runs.

The drivers look at one JSON file before each operation. It maps the name of
an operation to what shall happen there::

    {"server.stop": {"seconds": 2, "error": "no answer", "only": "web"}}

* ``seconds``: how long the operation takes, beyond what it takes anyway;
* ``hold``: it waits until the knob is changed or removed;
* ``error``: it fails with this text;
* ``only``: the knob holds for the resource with this name or id alone.

Operations: server.stop, server.start, server.snapshot (before the upload),
server.upload (while the image is ``saving``), volume.create,
volume.snapshot, volume.snapshot_delete. ``server.stop`` also knows
``deaf``: the guest does not obey the ACPI shutdown, so the stop lasts the
whole shutdown timeout. ``server.snapshot`` knows ``saves_guest``: a running
guest is off for as long as that operation lasts. ``server.console``
knows nothing but what it ``says``; a login prompt by default.

``gateway`` stands before the services: of the dashboard's calls a share that
is ``limited`` is answered by 429, and one that is ``late`` takes so many
``seconds``. And all calls come from so many seconds ``far`` away.
"""

from collections.abc import Iterator
import contextlib
import json
import os
import pathlib
import time
from typing import Any

OPERATIONS = (
    'server.stop',
    'server.start',
    'server.snapshot',
    'server.upload',
    'server.console',
    'volume.create',
    'volume.snapshot',
    'volume.snapshot_delete',
    'gateway',
)
_HOLD_POLL = 0.05


class Knobs:
    """The file of knobs, from either side."""

    def __init__(self, path: str | os.PathLike[str]):
        self.path = pathlib.Path(path)

    def read(self) -> dict[str, dict[str, Any]]:
        try:
            return json.loads(self.path.read_text())
        except FileNotFoundError:
            return {}

    def _write(self, knobs: dict[str, dict[str, Any]]) -> None:
        # A driver must never read half a file.
        new = self.path.with_suffix('.new')
        new.write_text(json.dumps(knobs, indent=1))
        new.replace(self.path)

    def turn(self, operation: str, **setting: Any) -> None:
        """Set one operation's knob; no setting at all removes it.

        :raises ValueError: for an operation that no driver looks at.
        """
        if operation not in OPERATIONS:
            raise ValueError(f'{operation!r} is none of {OPERATIONS}')
        knobs = self.read()
        knobs.pop(operation, None)
        if setting:
            knobs[operation] = setting
        self._write(knobs)

    def clear(self) -> None:
        self._write({})

    @contextlib.contextmanager
    def turned(self, operation: str, **setting: Any) -> Iterator[None]:
        """A knob that is set for the length of a block."""
        self.turn(operation, **setting)
        try:
            yield
        finally:
            self.turn(operation)

    def setting(self, operation: str, *names: str) -> dict[str, Any]:
        """What the operation shall do to a resource known by these names."""
        knob = self.read().get(operation, {})
        only = knob.get('only')
        return knob if only is None or only in names else {}

    def obey(self, operation: str, *names: str) -> None:
        """In a driver: be as slow or as broken as the knob says.

        :raises RuntimeError: when the knob says that the operation fails.
        """
        knob = self.setting(operation, *names)
        time.sleep(knob.get('seconds', 0))
        while self.setting(operation, *names).get('hold'):
            time.sleep(_HOLD_POLL)
        # Read anew: a held operation may be told to fail when let go.
        error = self.setting(operation, *names).get('error')
        if error:
            raise RuntimeError(error)
