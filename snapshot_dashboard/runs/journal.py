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

"""A run's record, kept on the server that it is about.

The plan and the progress stand in the server's metadata; a tag lets one
call find all runs of a project. Any member of the project can read and
write them, and the guest can read the metadata, so nothing here is secret
and nothing here is trusted: what cannot be read is no run.
"""

from collections.abc import Mapping
import dataclasses
import json
from typing import Any

from snapshot_dashboard.cloud import types

TAG = 'snapshot-dashboard'
_PLAN = 'snapshot_dashboard.plan'
_NAME = 'snapshot_dashboard.name'
_DESCRIPTION = 'snapshot_dashboard.description'
_PROGRESS = 'snapshot_dashboard.progress'
_DETAIL = 'snapshot_dashboard.detail'
KEYS = (_PLAN, _NAME, _DESCRIPTION, _PROGRESS, _DETAIL)
#: Nova's limit for a metadata value.
VALUE_LENGTH = 255
_VERSION = 1


@dataclasses.dataclass(frozen=True)
class Plan:
    """What the user asked for. It never changes during a run.

    :ivar power_off: power the running instance off first.
    :ivar power_on: power it on again afterwards.
    :ivar began: seconds since the epoch.
    :ivar by: the name of the user who asked for it.
    """

    run_id: str
    name: str
    description: str
    power_off: bool
    power_on: bool
    began: int
    by: str


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far it went. Times are seconds since the epoch, 0 for not yet.

    :ivar stops: how often power-off was asked for; likewise captures,
        starts.
    :ivar off: when the instance was first seen off, ready for the capture.
    :ivar idle: since when Nova has been doing nothing about an image that
        is not finished.
    :ivar captured: when the snapshot was whole.
    :ivar failure: the code of what went wrong, else empty.
    :ivar detail: what the service said to that.
    :ivar ended: when the run was closed.
    """

    stops: int = 0
    off: int = 0
    captures: int = 0
    image_id: str = ''
    idle: int = 0
    captured: int = 0
    starts: int = 0
    failure: str = ''
    detail: str = ''
    ended: int = 0


@dataclasses.dataclass(frozen=True)
class Journal:
    """A run as its server records it."""

    server: types.Server
    plan: Plan
    progress: Progress

    @property
    def open(self) -> bool:
        return not self.progress.ended


def write_plan(plan: Plan) -> dict[str, str]:
    """The metadata of a run that begins."""
    return {
        _PLAN: _pack({'v': _VERSION, 'id': plan.run_id,
                      'off': plan.power_off, 'on': plan.power_on,
                      'at': plan.began, 'by': plan.by[:64]}),
        _NAME: plan.name,
        _DESCRIPTION: plan.description,
        **write_progress(Progress()),
    }


def write_progress(progress: Progress) -> dict[str, str]:
    values = dataclasses.asdict(progress)
    detail = values.pop('detail')
    return {
        _PROGRESS: _pack({key: value for key, value in values.items()
                          if value}),
        _DETAIL: detail[:VALUE_LENGTH],
    }


def read(server: types.Server) -> Journal | None:
    """The run that a server records; None if there is none to be read."""
    metadata = server.metadata
    if _PLAN not in metadata:
        return None
    try:
        return Journal(server, _read_plan(metadata), _read_progress(metadata))
    except (ValueError, TypeError, KeyError):
        return None


def _read_plan(metadata: Mapping[str, str]) -> Plan:
    packed = json.loads(metadata[_PLAN])
    if packed['v'] != _VERSION:
        raise ValueError(packed['v'])
    return Plan(
        run_id=_text(packed['id']),
        name=metadata.get(_NAME, ''),
        description=metadata.get(_DESCRIPTION, ''),
        power_off=bool(packed['off']),
        power_on=bool(packed['on']),
        began=int(packed['at']),
        by=_text(packed['by']),
    )


def _read_progress(metadata: Mapping[str, str]) -> Progress:
    packed = json.loads(metadata.get(_PROGRESS) or '{}')
    known: dict[str, Any] = {}
    for field in dataclasses.fields(Progress):
        if field.name in packed:
            value = packed[field.name]
            known[field.name] = (int(value) if isinstance(field.default, int)
                                 else _text(value))
    return Progress(**{**known, 'detail': metadata.get(_DETAIL, '')})


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(value)
    return value


def _pack(values: Mapping[str, Any]) -> str:
    return json.dumps(values, separators=(',', ':'), ensure_ascii=False)
