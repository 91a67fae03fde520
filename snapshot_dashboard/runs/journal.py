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

The plan and the progress stand in the server's metadata: that is the record.
Tags are its index: one call finds all runs of a project by them. Other tools
replace either as a whole, so whichever is left leads back to the run. Any
member of the project can read and write both, and the guest can read the
metadata, so nothing here is secret and nothing here is trusted: a plan that
cannot be read is no plan, a progress that cannot be read did not happen.

Nova saves all items of metadata when one is written, so who writes at the
same moment may undo that; a tag is written by itself. What must not be lost
is a tag: that the owner has cancelled, and that the instance is owed a
power-on.

A locked server takes no metadata but takes tags. It cannot be powered off
either, so little is to be written down of its run, and that stands in tags.
"""

from collections.abc import Mapping
import dataclasses
import datetime
import json
import re
from typing import Any

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import limits
from snapshot_dashboard.cloud import types
from snapshot_dashboard.runs import failures
from snapshot_dashboard.runs import record

_PREFIX = 'snapshot_dashboard.'
PLAN = f'{_PREFIX}plan'
_NAME = f'{_PREFIX}name'
_DESCRIPTION = f'{_PREFIX}description'
_PURPOSE = f'{_PREFIX}purpose'
_KEEP = f'{_PREFIX}keep_count'
_BY = f'{_PREFIX}requested_by'
SEAL = f'{_PREFIX}seal'
_VOLUMES = f'{_PREFIX}volumes.'
#: What the mark of one of our calls looks like.
_CALL = re.compile('[0-9a-f]{16}')
#: Records of these versions are read; a newer one is left to whoever knows it.
_VERSIONS = (7,)
#: The tag of a run's id tells the version of its record.
_RUN = f'run{_VERSIONS[-1]}'
#: It goes into logs and names.
_RUN_ID = re.compile(r'[\w-]{1,32}', re.ASCII)
#: What a plan says yes or no to, and in which word: they stand in one value.
_FLAGS = {'power_off': 'power_off', 'power_on': 'power_on',
          'stop_if_forced': 'stop_if_forced', 'agent_announced': 'agent',
          'was_running': 'running', 'captures_image': 'image',
          'volume_backed': 'volume_backed', 'without_recipe': 'bare',
          'protect': 'protect'}
#: Seconds that a plan has room for.
_LONGEST = 99_999


#: What a locked server's tags hold of it. The capture was asked for once,
#: right after the first tag was written, and is not tried again.
_TAGGED = ('trust_id', 'idle_since', 'not_before', 'mark_count',
           'removal_count', 'removed_calls', 'failure', 'captured_at',
           'ended_at')
#: What is noted of how a run ended.
_END = ('captured_at', 'failure', 'detail')
#: Tags that a run needs: the two of the index, and what is owed, started and
#: cancelled. One that is recorded in tags owes and starts nothing, but has its
#: id there, when it began, and its progress.
_NEEDS, _NEEDS_TAGGED = 2 + 3, 2 + 1 + 2 + len(_TAGGED)


def write(plan: record.Plan, seal: str = '',
          progress: record.Progress | None = None) -> dict[str, str]:
    """The metadata of a run that begins: all that there will ever be."""
    chunks = [plan.volumes[start:start + limits.IDS_PER_VALUE]
              for start in range(0, len(plan.volumes), limits.IDS_PER_VALUE)]
    values = dataclasses.asdict(progress or record.Progress())
    return {
        PLAN: json.dumps(
            {'v': _VERSIONS[-1], 'id': plan.run_id, 'on': plan.server_id,
             'at': plan.began_at,
             **{name: min(seconds, _LONGEST) for name, seconds in (
                 ('down', plan.shutdown_timeout),
                 ('wait', plan.snapshot_timeout),
                 ('within', plan.begin_within),
                 ('expected', plan.expected_seconds))},
             'is': ' '.join(word for name, word in _FLAGS.items()
                            if getattr(plan, name)),
             **({'until': plan.keep_until} if plan.keep_until else {})},
            separators=(',', ':')),
        _NAME: plan.name,
        _DESCRIPTION: plan.description,
        _PURPOSE: plan.purpose,
        _KEEP: str(plan.keep_count or ''),
        _BY: plan.requested_by,
        SEAL: seal,
        **{f'{_VOLUMES}{number}': ' '.join(chunk)
           for number, chunk in enumerate(chunks)},
        **{f'{_PREFIX}{name}': _cut(value)
           for name, value in values.items()},
    }


def as_recorded(plan: record.Plan) -> record.Plan:
    """A plan as it will be read again."""
    return _read_plan(write(plan))


def items_needed(volumes: int) -> int:
    """How many items of metadata the record of a run takes."""
    return len(write(record.Plan('', volumes=('',) * volumes)))


def changes(old: record.Progress, new: record.Progress) -> dict[str, str]:
    """The metadata that makes the new progress out of the old one.

    Whether the run has ended is always among it: who takes a step opens it
    again, should somebody else have closed it in the meantime. Who powers off
    takes on the duty to power on. And who closes it says how it ended: what
    was noted of that may have been undone by who wrote at the same time.
    """
    before, after = dataclasses.asdict(old), dataclasses.asdict(new)
    changed = {'ended_at', *(_END if new.ended_at else ()), *(
                   ['start_count'] if new.stop_count > old.stop_count else []),
               *(name for name in after if after[name] != before[name])}
    return {f'{_PREFIX}{name}': _cut(after[name])
            for name in sorted(changed)}


def _cut(value: object, most: int = limits.VALUE_LENGTH) -> str:
    """A value as Nova takes it; a list of ids loses whole ones."""
    text = str(value or '')
    if len(text) <= most:
        return text
    whole, _, _ = text[:most + 1].rpartition(' ')
    return whole or text[:most]


def same_run(metadata: Mapping[str, str], plan: record.Plan) -> bool:
    """Whether a server's metadata still records this run."""
    try:
        return _read_plan(metadata).run_id == plan.run_id
    except (ValueError, TypeError, KeyError, OverflowError):
        return False


def tags(plan: record.Plan, progress: record.Progress) -> list[str]:
    """The tags that record the run of a locked server, in their order.

    Each is written by itself, so that the run is over comes last.
    """
    values = dataclasses.asdict(progress)
    return [f'{record.TAG}.{_RUN}:{plan.run_id}',
            f'{record.TAG}.began:{plan.began_at}', *(
                _cut(f'{record.TAG}.{name}:{values[name]}', limits.TAG_LENGTH)
        for name in _TAGGED if values[name])]


def bearer(image: types.Image) -> str:
    """An image and the call that made it, in a word of 17 characters.

    Nothing for a mark that is none of ours: anybody can write one.
    """
    call = image.properties.get(marks.CALL, '')
    return f'{call[:8]}:{image.id[-8:]}' if _CALL.fullmatch(call) else ''


def inherited(progress: record.Progress, image: types.Image) -> bool:
    """Whether an image bears the mark of a call whose image was removed."""
    word = bearer(image)
    return any(call != word and call[:9] == word[:9]
               for call in progress.removed_calls.split())


def has_room(server: types.Server, tagged: bool) -> bool:
    """Whether a server can take the tags of a run that begins."""
    others = len(server.tags) - len(all_tags(server))
    return others + (_NEEDS_TAGGED if tagged else _NEEDS) <= limits.MOST_TAGS


def keys(server: types.Server) -> list[str]:
    """The metadata of a server that is a run's record, or was once.

    The plan comes first: without it there is no record.
    """
    return sorted((key for key in server.metadata
                   if key.startswith(_PREFIX)), key=lambda key: key != PLAN)


def all_tags(server: types.Server) -> list[str]:
    """The tags of a server that are a run's, or were once.

    The index comes last: what it finds can be read. A locked server keeps
    those that say of its metadata that they count no more.
    """
    return sorted((tag for tag in server.tags
                   if tag == record.TAG or tag.startswith(f'{record.TAG}.')
                   and tag != record.TEST_TAG
                   and not (server.locked and is_dismissal(tag))),
                  key=lambda tag: (tag in (record.TAG, record.OPEN_TAG),
                                   tag == record.TAG))


def has_plan(server: types.Server) -> bool:
    """Whether there is a plan on a server, readable or not.

    Not if it was dismissed, and could not be taken away or not yet.
    """
    return bool(server.metadata.get(PLAN)) and not any(
        map(is_dismissal, server.tags))


def is_dismissal(tag: str) -> bool:
    """Whether a tag says that the metadata count no more."""
    return tag.startswith(record.DISMISSED)


def is_there(server: types.Server) -> bool:
    """Whether a server shows anything of a run that was not dismissed."""
    return has_plan(server) or bool(
        {record.TAG, record.OPEN_TAG} & set(server.tags)) and not any(
            map(is_dismissal, server.tags))


def read(server: types.Server, run_id: str = '') -> record.Run | None:
    """The run that a server records; None if there is none to be read.

    What is owed outlives the record: if that is gone, or others have put
    that of another run or server in its place.

    :param run_id: of the run that is looked for, should there be traces of
        several.
    """
    run = _read_tags(server) or _read_metadata(server)
    if run is None or run.copied or run.progress.ended_at:
        owed = read_owed(server, run_id)
        if owed is not None and (
                run is None or run.plan.run_id != owed.plan.run_id):
            run = owed
    if run is None or run.dismissed_tag in server.tags:
        return None
    progress = run.progress
    if run.copied:
        progress = dataclasses.replace(
            record.Progress(), failure=failures.Failure.NOT_BEGUN.value,
            ended_at=run.plan.began_at or 1)
    elif run.cancel_tag in server.tags and not (
            progress.captured_at or progress.failure):
        progress = dataclasses.replace(
            progress, failure=failures.Failure.CANCELLED.value)
    return dataclasses.replace(run, progress=progress)


def _read_metadata(server: types.Server) -> record.Run | None:
    if not server.metadata.get(PLAN):
        return None
    try:
        plan = _read_plan(server.metadata)
    except (ValueError, TypeError, KeyError, OverflowError):
        return None
    progress = _read_progress({
        key.removeprefix(_PREFIX): value
        for key, value in server.metadata.items()})
    run = record.Run(server, plan, progress, server.metadata.get(SEAL, ''),
                     progress)
    if run.owed_tag in server.tags:
        # Who closed the run, or undid that note, did not know of it: a run
        # that is over owes nothing.
        return dataclasses.replace(run, progress=dataclasses.replace(
            progress, stop_count=progress.stop_count or 1, ended_at=0))
    return run


def read_owed(server: types.Server, run_id: str = '') -> record.Run | None:
    """A run of which nothing counts but that it owes a power-on.

    :param run_id: of the run that is meant, should there be several.
    """
    run_ids = {tag.removeprefix(record.OWED) for tag in server.tags
               if tag.startswith(record.OWED)}
    if run_id in run_ids:
        run_ids = {run_id}
    if len(run_ids) != 1:
        return None
    owed, = run_ids
    if not _RUN_ID.fullmatch(owed) or _is_newer(
            server.metadata.get(PLAN, '')):
        return None
    return record.Run(
        server,
        record.Plan(owed, power_off=True, power_on=True, was_running=True,
                    server_id=server.id),
        record.Progress(
            stop_count=1,
            start_count=int(record.STARTED + owed in server.tags),
            failure=failures.Failure.RECORD_LOST.value), lost=True)


def _is_newer(plan: str) -> bool:
    """Whether a later version of this plugin wrote a plan."""
    try:
        version = json.loads(plan)['v']
        return isinstance(version, int) and version > _VERSIONS[-1]
    except (ValueError, TypeError, KeyError, RecursionError):
        return False


def _read_plan(metadata: Mapping[str, str]) -> record.Plan:
    packed = json.loads(metadata[PLAN])
    if packed['v'] not in _VERSIONS:
        raise ValueError(packed['v'])
    volumes = sorted((key for key in metadata if key.startswith(_VOLUMES)
                      and metadata[key]), key=lambda key: (len(key), key))
    volume_ids = tuple(volume_id for key in volumes
                       for volume_id in metadata[key].split())
    said = set(_text(packed['is']).split())
    flags = {name: word in said for name, word in _FLAGS.items()}
    if not flags['captures_image'] and not volume_ids:
        raise ValueError('nothing to capture')
    return record.Plan(
        run_id=_run_id(packed['id']),
        name=metadata.get(_NAME, ''),
        description=metadata.get(_DESCRIPTION, ''),
        began_at=_moment(packed['at']),
        requested_by=metadata.get(_BY, ''),
        purpose=metadata.get(_PURPOSE, ''),
        keep_count=types.whole_number(metadata.get(_KEEP, '')) or 0,
        keep_until=_day(packed.get('until', '')),
        **flags,
        volumes=volume_ids,
        shutdown_timeout=int(packed['down']),
        snapshot_timeout=int(packed['wait']),
        begin_within=int(packed['within']),
        expected_seconds=int(packed['expected']),
        server_id=_text(packed['on']),
    )


def _read_progress(values: Mapping[str, str]) -> record.Progress:
    known: dict[str, Any] = {}
    for field in dataclasses.fields(record.Progress):
        text = values.get(field.name, '')
        if isinstance(field.default, str):
            known[field.name] = text
        else:
            known[field.name] = types.whole_number(text) or 0
    progress = record.Progress(**known)
    if progress.closed_attempt != progress.attempt:
        return dataclasses.replace(progress, ended_at=0)
    return progress


def _read_tags(server: types.Server) -> record.Run | None:
    if record.TAG not in server.tags:
        return None  # it comes last, when all others are there
    values = dict(tag.removeprefix(f'{record.TAG}.').split(':', 1)
                  for tag in sorted(server.tags)
                  if tag.startswith(f'{record.TAG}.') and ':' in tag)
    began = types.whole_number(values.get('began', ''))
    if not _RUN_ID.fullmatch(values.get(_RUN, '')) or began is None:
        return None
    progress = dataclasses.replace(
        _read_progress({name: values.get(name, '') for name in _TAGGED}),
        capture_count=record.TRIES, asked_at=began)
    return record.Run(server,
                      record.Plan(run_id=values[_RUN], began_at=began),
                      progress, tagged=True)


def _moment(value: Any) -> int:
    """Seconds since the epoch; what can be no time is refused."""
    moment = types.whole_number(str(value))
    if moment is None:
        raise ValueError(value)
    return moment


def _day(value: Any) -> str:
    return datetime.date.fromisoformat(value).isoformat() if value else ''


def _run_id(value: Any) -> str:
    if not _RUN_ID.fullmatch(_text(value)):
        raise ValueError(value)
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(value)
    return value
