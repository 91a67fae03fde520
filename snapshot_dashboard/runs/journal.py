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
import hashlib
import json
import re
from typing import Any

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import types
from snapshot_dashboard.runs.failures import Failure

#: On a server with a record, until that is dismissed; and while it is open.
TAG = 'snapshot-dashboard'
OPEN_TAG = f'{TAG}.open'
#: With a run's id: it was cancelled; it has powered the instance off, which
#: is to run again; it has powered it on, of which there was no room for a
#: note; it was dismissed while the server was locked.
_CANCELLED = f'{TAG}.cancel:'
_OWED = f'{TAG}.owed:'
_STARTED = f'{TAG}.started:'
_DISMISSED = f'{TAG}.gone:'
_PREFIX = 'snapshot_dashboard.'
PLAN = f'{_PREFIX}plan'
_NAME = f'{_PREFIX}name'
_DESCRIPTION = f'{_PREFIX}description'
_PURPOSE = f'{_PREFIX}purpose'
_KEEP = f'{_PREFIX}keep'
_BY = f'{_PREFIX}by'
SEAL = f'{_PREFIX}seal'
_VOLUMES = f'{_PREFIX}volumes.'
#: Nova's limits: of a metadata value, of a tag, and of the tags of a server.
VALUE_LENGTH = 255
_TAG_LENGTH = 60
_MOST_TAGS = 50
#: What the mark of one of our calls looks like.
_CALL = re.compile('[0-9a-f]{16}')
#: Volume ids in one metadata value.
_IDS = 6
#: Records of these versions are read; a newer one is left to whoever knows it.
_VERSIONS = (5, 6)
#: It goes into logs and names.
_RUN_ID = re.compile(r'[\w-]{1,32}', re.ASCII)
#: What a plan says yes or no to; one value has no room for more words.
_FLAGS = ('power_off', 'power_on', 'stop_if_forced', 'agent', 'running',
          'image', 'volume_backed', 'bare')
#: Seconds that a plan has room for.
_LONGEST = 99_999
#: How often one write is tried that has no effect.
TRIES = 3


@dataclasses.dataclass(frozen=True)
class Plan:
    """What the user asked for. It never changes during a run.

    :ivar server_id: the server that it is for: a record that was copied to
        another one is none. Empty in records of version 5.
    :ivar power_off: power the running instance off first.
    :ivar power_on: power it on again afterwards.
    :ivar running: the instance ran when this was asked for.
    :ivar image: whether the instance is captured, and not its volumes alone.
    :ivar volume_backed: whether the root disk is a volume, which Nova does
        not show of an instance that was launched from a set.
    :ivar bare: whether the image has no room for how the instance is.
    :ivar purpose: what it is meant for, one of ``marks.PURPOSES`` or nothing.
    :ivar keep: how many snapshots of the instance its owner wants to keep; 0
        for all.
    :ivar began: seconds since the epoch.
    :ivar begin_within: seconds after which nothing of it is begun any more.
    :ivar by: the name of the user who asked for it.
    :ivar volumes: the ids of the attached volumes that are captured with an
        image-backed instance, or alone.
    :ivar stop_if_forced: power on again and take no snapshot, should the
        guest not shut down by itself.
    :ivar shutdown_timeout: seconds that the guest has for that.
    :ivar snapshot_timeout: seconds after which a volume snapshot that Cinder
        is still at counts as failed, and a capture that is refused for now.
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
    bare: bool = False
    begin_within: int = 3600
    server_id: str = ''

    @property
    def to_run_again(self) -> bool:
        """Whether the instance is to run when this is over."""
        return self.power_on if self.power_off else self.running

    @property
    def fingerprint(self) -> str:
        """Tells this plan from any other, in 64 characters."""
        return hashlib.sha256(json.dumps(
            dataclasses.asdict(self), sort_keys=True).encode()).hexdigest()


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far it went. Times are seconds since the epoch, 0 for not yet.

    Each field is an item of its own, and only what changes is written, so
    that who knows less than another does not undo what that one noted. All
    are there from the beginning: so no quota of items is met on the way.

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
    :ivar put_off: how often in a row a service did not want it now; likewise
        refusals, of what it does not want at all.
    :ivar not_before: when what a service did not want may be tried again.
    :ivar hindrance: what it said to that.
    :ivar capture_from: when a capture was first asked for.
    :ivar image_id: the image that Nova named.
    :ivar unseen: since when that image is not to be found.
    :ivar marked: how often it was tried to put right the marks of what was
        made.
    :ivar idle: since when Nova has been doing nothing about an image that
        is not finished.
    :ivar captured: when the snapshot was whole.
    :ivar failure: the code of what went wrong, else empty.
    :ivar detail: what the service said to that.
    :ivar cleared: the images that the run removed, each by the call that made
        it (:func:`bearer`). Whatever else bears the mark of that call has
        inherited it.
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
    put_off: int = 0
    refusals: int = 0
    not_before: int = 0
    hindrance: str = ''
    capture_from: int = 0
    image_id: str = ''
    unseen: int = 0
    idle: int = 0
    marked: int = 0
    captured: int = 0
    starts: int = 0
    removals: int = 0
    cleared: str = ''
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
_TAGGED = ('trust', 'idle', 'not_before', 'marked', 'removals', 'cleared',
           'failure', 'captured', 'ended')
#: Tags that a run needs: the two of the index and two that may come; for one
#: that is recorded in tags also the id, when it began, and its progress.
_NEEDS, _NEEDS_TAGGED = 4, 4 + len(_TAGGED)


@dataclasses.dataclass(frozen=True)
class Journal:
    """A run as its server records it.

    :ivar noted: the progress as it stands in the metadata; tags and readers
        may know more.
    :ivar seal: what shows who wrote the plan.
    :ivar tagged: the record stands in tags.
    :ivar lost: somebody took the record away, and tags tell what is owed.
    :ivar superseded: the server records this run no more: it was dismissed,
        or another one follows it.
    """

    server: types.Server
    plan: Plan
    progress: Progress
    seal: str = ''
    noted: Progress = Progress()
    tagged: bool = False
    lost: bool = False
    superseded: bool = False

    @property
    def open(self) -> bool:
        return not (self.progress.ended or self.superseded)

    @property
    def indexed(self) -> bool:
        """Whether its tags find it, as long as it is open."""
        return {TAG, OPEN_TAG} <= set(self.server.tags)

    @property
    def copied(self) -> bool:
        """Whether the record is about another server."""
        return self.plan.server_id not in ('', self.server.id)

    @property
    def fields(self) -> dict[str, str]:
        """What log lines about it hold for machines."""
        return {'run': self.plan.run_id, 'server': self.server.id}

    @property
    def cancel_tag(self) -> str:
        return _CANCELLED + self.plan.run_id

    @property
    def owed_tag(self) -> str:
        return _OWED + self.plan.run_id

    @property
    def started_tag(self) -> str:
        return _STARTED + self.plan.run_id

    @property
    def dismissed_tag(self) -> str:
        return _DISMISSED + self.plan.run_id

    def failed(self, failure: Failure) -> 'Journal':
        """The same run, which does nothing more than bring back what it
        took away.
        """
        return dataclasses.replace(self, progress=dataclasses.replace(
            self.progress, failure=failure.value))


def write(plan: Plan, seal: str = '',
          progress: Progress | None = None) -> dict[str, str]:
    """The metadata of a run that begins: all that there will ever be."""
    chunks = [plan.volumes[start:start + _IDS]
              for start in range(0, len(plan.volumes), _IDS)]
    values = dataclasses.asdict(progress or Progress())
    return {
        PLAN: json.dumps(
            {'v': _VERSIONS[-1], 'id': plan.run_id, 'on': plan.server_id,
             'at': plan.began,
             **{name: min(seconds, _LONGEST) for name, seconds in (
                 ('down', plan.shutdown_timeout),
                 ('wait', plan.snapshot_timeout),
                 ('within', plan.begin_within),
                 ('expected', plan.expected))},
             'is': ' '.join(name for name in _FLAGS
                            if getattr(plan, name))},
            separators=(',', ':')),
        _NAME: plan.name,
        _DESCRIPTION: plan.description,
        _PURPOSE: plan.purpose,
        _KEEP: str(plan.keep or ''),
        _BY: plan.by,
        SEAL: seal,
        **{f'{_VOLUMES}{number}': ' '.join(chunk)
           for number, chunk in enumerate(chunks)},
        **{f'{_PREFIX}{name}': _cut(value)
           for name, value in values.items()},
    }


def as_recorded(plan: Plan) -> Plan:
    """A plan as it will be read again."""
    return _read_plan(write(plan))


def items_needed(volumes: int) -> int:
    """How many items of metadata the record of a run takes."""
    return len(write(Plan('', volumes=('',) * volumes)))


def changes(old: Progress, new: Progress) -> dict[str, str]:
    """The metadata that makes the new progress out of the old one.

    Whether the run has ended is always among it: who takes a step opens it
    again, should somebody else have closed it in the meantime. And who
    powers off takes on the duty to power on.
    """
    before, after = dataclasses.asdict(old), dataclasses.asdict(new)
    changed = {'ended', *(['starts'] if new.stops > old.stops else []),
               *(name for name in after if after[name] != before[name])}
    return {f'{_PREFIX}{name}': _cut(after[name])
            for name in sorted(changed)}


def _cut(value: object, most: int = VALUE_LENGTH) -> str:
    """A value as Nova takes it; a list of ids loses whole ones."""
    text = str(value or '')
    if len(text) <= most:
        return text
    whole, _, _ = text[:most + 1].rpartition(' ')
    return whole or text[:most]


def same_run(metadata: Mapping[str, str], plan: Plan) -> bool:
    """Whether a server's metadata still records this run."""
    try:
        return _read_plan(metadata).run_id == plan.run_id
    except (ValueError, TypeError, KeyError, OverflowError):
        return False


def tags(plan: Plan, progress: Progress) -> list[str]:
    """The tags that record the run of a locked server, in their order.

    Each is written by itself, so that the run is over comes last.
    """
    values = dataclasses.asdict(progress)
    return [f'{TAG}.run:{plan.run_id}', f'{TAG}.began:{plan.began}', *(
        _cut(f'{TAG}.{name}:{values[name]}', _TAG_LENGTH)
        for name in _TAGGED if values[name])]


def bearer(image: types.Image) -> str:
    """An image and the call that made it, in a word of 17 characters.

    Nothing for a mark that is none of ours: anybody can write one.
    """
    call = image.properties.get(marks.CALL, '')
    return f'{call[:8]}:{image.id[-8:]}' if _CALL.fullmatch(call) else ''


def inherited(progress: Progress, image: types.Image) -> bool:
    """Whether an image bears the mark of a call whose image was removed."""
    word = bearer(image)
    return any(cleared != word and cleared[:9] == word[:9]
               for cleared in progress.cleared.split())


def has_room(server: types.Server, tagged: bool) -> bool:
    """Whether a server can take the tags of a run that begins."""
    others = len(server.tags) - len(all_tags(server))
    return others + (_NEEDS_TAGGED if tagged else _NEEDS) <= _MOST_TAGS


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
                   if tag == TAG or tag.startswith(f'{TAG}.')
                   and not (server.locked and is_dismissal(tag))),
                  key=lambda tag: (tag in (TAG, OPEN_TAG), tag == TAG))


def has_plan(server: types.Server) -> bool:
    """Whether there is a plan on a server, readable or not.

    Not if it was dismissed while the server was locked.
    """
    return bool(server.metadata.get(PLAN)) and not any(
        tag.startswith(_DISMISSED) for tag in server.tags)


def is_dismissal(tag: str) -> bool:
    """Whether a tag says that the metadata count no more."""
    return tag.startswith(_DISMISSED)


def is_there(server: types.Server) -> bool:
    """Whether a server shows anything of a run."""
    return has_plan(server) or bool({TAG, OPEN_TAG} & set(server.tags))


def read(server: types.Server, run_id: str = '') -> Journal | None:
    """The run that a server records; None if there is none to be read.

    What is owed outlives the record: if that is gone, or others have put
    that of another run or server in its place.

    :param run_id: of the run that is looked for, should there be traces of
        several.
    """
    run = _read_tags(server) or _read_metadata(server)
    if run is None or run.copied or run.progress.ended:
        owed = read_owed(server, run_id)
        if owed is not None and (
                run is None or run.plan.run_id != owed.plan.run_id):
            run = owed
    if run is None or run.dismissed_tag in server.tags:
        return None
    progress = run.progress
    if run.copied:
        progress = dataclasses.replace(
            Progress(), failure=Failure.NOT_BEGUN.value,
            ended=run.plan.began or 1)
    elif run.cancel_tag in server.tags and not (
            progress.captured or progress.failure):
        progress = dataclasses.replace(
            progress, failure=Failure.CANCELLED.value)
    return dataclasses.replace(run, progress=progress)


def _read_metadata(server: types.Server) -> Journal | None:
    if not server.metadata.get(PLAN):
        return None
    try:
        plan = _read_plan(server.metadata)
    except (ValueError, TypeError, KeyError, OverflowError):
        return None
    progress = _read_progress({
        key.removeprefix(_PREFIX): value
        for key, value in server.metadata.items()})
    run = Journal(server, plan, progress, server.metadata.get(SEAL, ''),
                  progress)
    if run.owed_tag in server.tags:
        # Who closed the run, or undid that note, did not know of it: a run
        # that is over owes nothing.
        return dataclasses.replace(run, progress=dataclasses.replace(
            progress, stops=progress.stops or 1, ended=0))
    return run


def read_owed(server: types.Server, run_id: str = '') -> Journal | None:
    """A run of which nothing counts but that it owes a power-on.

    :param run_id: of the run that is meant, should there be several.
    """
    run_ids = {tag.removeprefix(_OWED) for tag in server.tags
               if tag.startswith(_OWED)}
    if run_id in run_ids:
        run_ids = {run_id}
    if len(run_ids) != 1:
        return None
    owed, = run_ids
    if not _RUN_ID.fullmatch(owed) or _is_newer(
            server.metadata.get(PLAN, '')):
        return None
    return Journal(
        server, Plan(owed, power_off=True, power_on=True, running=True,
                     server_id=server.id),
        Progress(stops=1, starts=int(_STARTED + owed in server.tags),
                 failure=Failure.RECORD_LOST.value), lost=True)


def _is_newer(plan: str) -> bool:
    """Whether a later version of this plugin wrote a plan."""
    try:
        version = json.loads(plan)['v']
        return isinstance(version, int) and version > _VERSIONS[-1]
    except (ValueError, TypeError, KeyError, RecursionError):
        return False


def _read_plan(metadata: Mapping[str, str]) -> Plan:
    packed = json.loads(metadata[PLAN])
    if packed['v'] not in _VERSIONS:
        raise ValueError(packed['v'])
    volumes = sorted((key for key in metadata if key.startswith(_VOLUMES)
                      and metadata[key]), key=lambda key: (len(key), key))
    volume_ids = tuple(volume_id for key in volumes
                       for volume_id in metadata[key].split())
    said = set(_text(packed['is']).split())
    flags = {name: name in said for name in _FLAGS}
    if not flags['image'] and not volume_ids:
        raise ValueError('nothing to capture')
    return Plan(
        run_id=_run_id(packed['id']),
        name=metadata.get(_NAME, ''),
        description=metadata.get(_DESCRIPTION, ''),
        began=int(packed['at']),
        by=metadata.get(_BY, '') or _text(packed.get('by', '')),
        purpose=metadata.get(_PURPOSE, ''),
        keep=types.whole_number(metadata.get(_KEEP, '')) or 0,
        **flags,
        volumes=volume_ids,
        shutdown_timeout=int(packed['down']),
        snapshot_timeout=int(packed['wait']),
        begin_within=int(packed.get('within', Plan.begin_within)),
        expected=int(packed['expected']),
        server_id=_text(packed.get('on', '')),
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
    if TAG not in server.tags:
        return None  # it comes last, when all others are there
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
