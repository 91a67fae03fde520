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
and nothing here is trusted: a plan that cannot be read is no plan, a
progress that cannot be read did not happen.

A locked server takes no metadata but takes tags. It cannot be powered off
either, so little is to be written down of its run, and that stands in tags.
"""

from collections.abc import Mapping
import dataclasses
import json
import re
from typing import Any

from snapshot_dashboard.cloud import types

TAG = 'snapshot-dashboard'
_PREFIX = 'snapshot_dashboard.'
_PLAN = f'{_PREFIX}plan'
_NAME = f'{_PREFIX}name'
_DESCRIPTION = f'{_PREFIX}description'
_PURPOSE = f'{_PREFIX}purpose'
_KEEP = f'{_PREFIX}keep'
_VOLUMES = f'{_PREFIX}volumes.'
#: Nova's limits: of a metadata value, and of a tag.
VALUE_LENGTH = 255
_TAG_LENGTH = 60
#: Volume ids in one metadata value.
_IDS = 6
_VERSION = 5
#: It goes into logs and names.
_RUN_ID = re.compile(r'[\w-]{1,64}', re.ASCII)
#: What a plan says yes or no to; one value has no room for more words.
_FLAGS = ('power_off', 'power_on', 'stop_if_forced', 'agent', 'running',
          'image', 'volume_backed')
#: How often one write is tried that has no effect.
TRIES = 3


@dataclasses.dataclass(frozen=True)
class Plan:
    """What the user asked for. It never changes during a run.

    :ivar power_off: power the running instance off first.
    :ivar power_on: power it on again afterwards.
    :ivar running: the instance ran when this was asked for.
    :ivar image: whether the instance is captured, and not its volumes alone.
    :ivar volume_backed: whether the root disk is a volume, which Nova does
        not show of an instance that was launched from a set.
    :ivar purpose: what it is meant for, one of ``marks.PURPOSES`` or nothing.
    :ivar keep: how many snapshots of the instance its owner wants to keep; 0
        for all.
    :ivar began: seconds since the epoch.
    :ivar by: the name of the user who asked for it.
    :ivar volumes: the ids of the attached volumes that are captured with an
        image-backed instance, or alone.
    :ivar stop_if_forced: power on again and take no snapshot, should the
        guest not shut down by itself.
    :ivar shutdown_timeout: seconds that the guest has for that.
    :ivar snapshot_timeout: seconds after which a volume snapshot that Cinder
        is still at counts as failed.
    :ivar agent: whether the image announces a guest agent.
    :ivar expected: seconds that the saving took earlier; 0 if not known.
    """

    run_id: str
    name: str = ''
    description: str = ''
    power_off: bool = False
    power_on: bool = False
    began: int = 0
    by: str = ''
    volumes: tuple[str, ...] = ()
    stop_if_forced: bool = False
    shutdown_timeout: int = 60
    snapshot_timeout: int = 600
    agent: bool = False
    expected: int = 0
    running: bool = False
    image: bool = True
    volume_backed: bool = False
    purpose: str = ''
    keep: int = 0

    @property
    def to_run_again(self) -> bool:
        """Whether the instance is to run when this is over."""
        return self.power_on if self.power_off else self.running


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far it went. Times are seconds since the epoch, 0 for not yet.

    Each field is an item of its own, and only what changes is written, so
    that two who write at once do not undo each other's.

    :ivar before: the latest request on the server when the run first powered
        it off or saw it off.
    :ivar attempt: drawn anew whenever something is asked for that must be
        seen to its end: powering off, or a capture.
    :ivar stops: how often power-off was asked for; likewise snapshots (of
        the chosen volumes), captures, starts, removals.
    :ivar off: when the instance was first seen off, ready for the capture.
    :ivar stop_id: the request that had powered it off by then, if any.
    :ivar consistency: how it was then, one of the values in ``marks``.
    :ivar asked: when a write was sent whose answer is not known.
    :ivar image_id: the image that Nova named.
    :ivar marked: how often it was tried to put right the marks of what was
        made.
    :ivar idle: since when Nova has been doing nothing about an image that
        is not finished.
    :ivar captured: when the snapshot was whole.
    :ivar failure: the code of what went wrong, else empty.
    :ivar detail: what the service said to that.
    :ivar left: what could not be removed after a failure: ids.
    :ivar removed: when the owner had the leftovers removed.
    :ivar ended: when the run was closed.
    :ivar closed: the attempt that its closer knew of. It is not closed if
        there was another since.
    :ivar trust: the id of the trust by which a worker goes on with it.
    :ivar at: when this was last written.
    """

    before: str = ''
    attempt: str = ''
    stops: int = 0
    off: int = 0
    stop_id: str = ''
    consistency: str = ''
    snapshots: int = 0
    captures: int = 0
    asked: int = 0
    image_id: str = ''
    idle: int = 0
    marked: int = 0
    captured: int = 0
    starts: int = 0
    removals: int = 0
    failure: str = ''
    detail: str = ''
    left: str = ''
    removed: int = 0
    ended: int = 0
    closed: str = ''
    trust: str = ''
    at: int = 0


#: What a locked server's tags hold of it. The capture was asked for once,
#: right after the first tag was written, and is not tried again.
_TAGGED = {'idle', 'marked', 'captured', 'failure', 'removals', 'ended',
           'trust'}


@dataclasses.dataclass(frozen=True)
class Journal:
    """A run as its server records it.

    :ivar tagged: the record stands in tags.
    :ivar superseded: the server records this run no more: it was dismissed,
        or another one follows it.
    """

    server: types.Server
    plan: Plan
    progress: Progress
    tagged: bool = False
    superseded: bool = False

    @property
    def open(self) -> bool:
        return not (self.progress.ended or self.superseded)

    @property
    def fields(self) -> dict[str, str]:
        """What log lines about it hold for machines."""
        return {'run': self.plan.run_id, 'server': self.server.id}


def write_plan(plan: Plan) -> dict[str, str]:
    """The metadata of a run that begins."""
    chunks = [plan.volumes[start:start + _IDS]
              for start in range(0, len(plan.volumes), _IDS)]
    return {
        _PLAN: json.dumps(
            {'v': _VERSION, 'id': plan.run_id, 'at': plan.began,
             'by': plan.by[:64], 'down': plan.shutdown_timeout,
             'wait': plan.snapshot_timeout, 'expected': plan.expected,
             'is': ' '.join(name for name in _FLAGS
                            if getattr(plan, name))},
            separators=(',', ':'), ensure_ascii=False),
        _NAME: plan.name,
        _DESCRIPTION: plan.description,
        _PURPOSE: plan.purpose,
        _KEEP: str(plan.keep or ''),
        **{f'{_VOLUMES}{number}': ' '.join(chunk)
           for number, chunk in enumerate(chunks)},
    }


def changes(old: Progress, new: Progress) -> dict[str, str]:
    """The metadata that makes the new progress out of the old one.

    Whether the run has ended is always among it: who takes a step opens it
    again, should somebody else have closed it in the meantime. And who
    powers off takes on the duty to power on.
    """
    before, after = dataclasses.asdict(old), dataclasses.asdict(new)
    changed = {'ended', *(['starts'] if new.stops > old.stops else []),
               *(name for name in after if after[name] != before[name])}
    return {f'{_PREFIX}{name}': str(after[name] or '')[:VALUE_LENGTH]
            for name in sorted(changed)}


def same_run(metadata: Mapping[str, str], plan: Plan) -> bool:
    """Whether a server's metadata still records this run."""
    try:
        return _read_plan(metadata).run_id == plan.run_id
    except (ValueError, TypeError, KeyError, OverflowError):
        return False


def tags(plan: Plan, progress: Progress) -> set[str]:
    """The tags that record the run of a locked server."""
    values = dataclasses.asdict(progress)
    return {f'{TAG}.run:{plan.run_id}', f'{TAG}.began:{plan.began}'} | {
        f'{TAG}.{name}:{values[name]}'[:_TAG_LENGTH]
        for name in _TAGGED if values[name]}


def keys(server: types.Server) -> list[str]:
    """The metadata of a server that is a run's record, or was once."""
    return [key for key in server.metadata if key.startswith(_PREFIX)]


def all_tags(server: types.Server) -> list[str]:
    """The tags of a server that are a run's record, or were once."""
    return [tag for tag in server.tags
            if tag == TAG or tag.startswith(f'{TAG}.')]


def read(server: types.Server) -> Journal | None:
    """The run that a server records; None if there is none to be read."""
    tagged = _read_tags(server)
    if tagged is not None:
        return tagged
    if TAG not in server.tags or _PLAN not in server.metadata:
        return None
    try:
        plan = _read_plan(server.metadata)
    except (ValueError, TypeError, KeyError, OverflowError):
        return None
    return Journal(server, plan, _read_progress({
        key.removeprefix(_PREFIX): value
        for key, value in server.metadata.items()}))


def _read_plan(metadata: Mapping[str, str]) -> Plan:
    packed = json.loads(metadata[_PLAN])
    if packed['v'] != _VERSION:
        raise ValueError(packed['v'])
    volumes = sorted(key for key in metadata if key.startswith(_VOLUMES))
    said = set(_text(packed['is']).split())
    flags = {name: name in said for name in _FLAGS}
    if not flags['image'] and not volumes:
        raise ValueError('nothing to capture')
    return Plan(
        run_id=_run_id(packed['id']),
        name=metadata.get(_NAME, ''),
        description=metadata.get(_DESCRIPTION, ''),
        began=int(packed['at']),
        by=_text(packed['by']),
        purpose=metadata.get(_PURPOSE, ''),
        keep=types.whole_number(metadata.get(_KEEP, '')) or 0,
        **flags,
        volumes=tuple(volume_id for key in volumes
                      for volume_id in metadata[key].split()),
        shutdown_timeout=int(packed['down']),
        snapshot_timeout=int(packed['wait']),
        expected=int(packed['expected']),
    )


def _read_progress(values: Mapping[str, str]) -> Progress:
    known: dict[str, Any] = {}
    for field in dataclasses.fields(Progress):
        text = values.get(field.name, '')
        if isinstance(field.default, str):
            known[field.name] = text
        else:
            known[field.name] = types.whole_number(text) or 0
    progress = Progress(**known)
    if progress.closed != progress.attempt:
        return dataclasses.replace(progress, ended=0)
    return progress


def _read_tags(server: types.Server) -> Journal | None:
    values = dict(tag.removeprefix(f'{TAG}.').split(':', 1)
                  for tag in sorted(server.tags)
                  if tag.startswith(f'{TAG}.') and ':' in tag)
    began = types.whole_number(values.get('began', ''))
    if not _RUN_ID.fullmatch(values.get('run', '')) or began is None:
        return None
    progress = dataclasses.replace(
        _read_progress({name: values.get(name, '') for name in _TAGGED}),
        captures=TRIES, asked=began)
    return Journal(server, Plan(run_id=values['run'], began=began),
                   progress, tagged=True)


def _run_id(value: Any) -> str:
    if not _RUN_ID.fullmatch(_text(value)):
        raise ValueError(value)
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(value)
    return value
