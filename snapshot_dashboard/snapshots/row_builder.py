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

"""The rows of a page, with what they were taken of and what belongs to them.

That takes one call for each instance, volume and part: neither Nova nor
Cinder lets a member ask for several by their ids. But most parts of a large
set bear its mark or its name, by which Cinder lists them.
"""

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import functools
from typing import Any
from typing import TypeAlias

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import texts
from snapshot_dashboard.cloud import types
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.snapshots import sets

#: What a call is about: instance, volume, part or root; and its id.
Key: TypeAlias = tuple[str, str]
_PART = 'part'
#: Parts of a set that are asked for one by one, and the most that are listed.
_FEW_PARTS, _MOST_PARTS = 4, 100
#: The instance that a root volume is attached to.
_ROOT = 'root'


class SourceCache:
    """A cache of instances and volumes, which saves calls.

    This is the null cache; subclasses keep what they are given for a while.
    """

    #: Whether it is worth asking of what instance a set probably is.
    guesses = True

    def find(self, keys: Collection[Key]) -> dict[Key, model.Source]:
        return {}

    def keep(self, found: Mapping[Key, model.Source]) -> None:
        """Remember these."""


def build(cloud: services.Cloud, shown: Sequence[kinds.Entry],
          seen: Iterable[kinds.Entry], belonging: sets.Belonging,
          names: SourceCache, room: int | None, now: float
          ) -> tuple[list[model.Snapshot], list[errors.ServiceError], bool]:
    """The rows for entries.

    :param seen: all that the services answered; the parts of an image are
        among it mostly.
    :param belonging: what is known of the images that need these.
    :param room: ask for nothing where it would take more calls than this;
        None for no bound.
    :param now: seconds since the epoch.
    :returns: the rows, why some of what belongs to them could not be found
        out, and whether some of it was not asked for.
    """
    parts: dict[str, types.VolumeSnapshot | None] = {
        entry.id: entry for entry in seen
        if isinstance(entry, types.VolumeSnapshot)}
    # It knows more parts as more of them are found.
    draw = functools.partial(_row, parts=parts, belonging=belonging, now=now,
                             project=cloud.project_id)
    drafts = [draw(entry) for entry in shown]
    known = names.find({(row.source.kind.value, row.source.id)
                        for row in drafts if row.source})
    if room is None and (listed := _listed_parts(cloud, drafts)):
        parts.update(listed)
        drafts = [draw(entry) for entry in shown]
    calls = _calls(cloud, drafts, known, now)
    if room is not None and len(calls) > room:
        found = [_named(row, known) for row in drafts]
        return _guessed(cloud, found, names, ask=False)[0], [], True
    answers = cloud.gather_named(calls)
    fresh: dict[Key, model.Source] = {}
    for (what, thing_id), answer in answers.items():
        if isinstance(answer, model.Source):
            fresh[what, thing_id] = answer
        elif isinstance(answer, types.VolumeSnapshot):
            parts[thing_id] = answer
        elif isinstance(answer, errors.NotFound) and what == _PART:
            parts[thing_id] = None
    names.keep(fresh)
    rows = [_named(draw(entry), {**known, **fresh}) for entry in shown]
    rows, whole = _guessed(cloud, rows, names, ask=room is None)
    return [row.with_left_over_flag(now) for row in rows], errors.among(
        answers.values(), errors.NotFound), not whole


def _guessed(cloud: services.Cloud, rows: list[model.Snapshot],
             names: SourceCache, ask: bool
             ) -> tuple[list[model.Snapshot], bool]:
    """The rows with a guess where nothing says of what instance they are.

    Nova writes that on no image of a volume-backed instance; but its root
    volume is probably still where it was.

    :param ask: whether it may be asked for what is not known already.
    :returns: the rows, and whether there is nothing more to ask for.
    """
    roots = {row.root.volume_id for row in rows if _is_nobodys(row)
             and row.root} if names.guesses else set()
    known = dict(names.find({(_ROOT, root) for root in roots}))
    lacking = sorted(roots - {root for _, root in known})
    if ask and lacking:
        answers = cloud.gather(*(
            functools.partial(_server_of, cloud, root) for root in lacking))
        fresh: dict[Key, model.Source] = {
            (_ROOT, root): answer for root, answer in zip(lacking, answers)
            if isinstance(answer, model.Source)}
        names.keep(fresh)
        known.update(fresh)
    return [_with_guess(row, known) for row in rows], ask or not lacking


def _is_nobodys(row: model.Snapshot) -> bool:
    return bool(row.source is None and not row.foreign and row.root
                and row.root.volume_id)


def _with_guess(row: model.Snapshot,
                known: Mapping[Key, model.Source]) -> model.Snapshot:
    if not _is_nobodys(row) or row.root is None:
        return row
    found = known.get((_ROOT, row.root.volume_id))
    return dataclasses.replace(
        row, source=found) if found and found.id else row


def _server_of(cloud: services.Cloud, volume_id: str) -> model.Source:
    """The instance that a volume is attached to; its id is empty for none."""
    try:
        servers = cloud.volumes.volume(volume_id).server_ids
    except errors.NotFound:
        servers = ()
    found = model.Source(kinds.Kind.INSTANCE,
                         servers[0] if len(servers) == 1 else '')
    return dataclasses.replace(_source(cloud, found) if found.id else found,
                               certain=False)


def _listed_parts(cloud: services.Cloud, drafts: Iterable[model.Snapshot]
                  ) -> dict[str, types.VolumeSnapshot]:
    """The parts of large sets that two lists show: by our mark, and by the
    name that Nova gave them.
    """
    wanted: set[str] = set()
    calls: list[Callable[[], Any]] = []
    for row in drafts:
        lacking = {part.id for part in row.parts if part.status is None}
        if len(lacking) > _FEW_PARTS and cloud.has('volume'):
            wanted |= lacking
            calls += [functools.partial(
                cloud.volumes.snapshots, _MOST_PARTS, filters) for filters in (
                    {'metadata': {marks.IMAGE: row.id}},
                    {'name': texts.PART_PREFIX + row.name})]
    return {found.id: found for answer in cloud.gather(*calls)
            if not isinstance(answer, errors.ServiceError)
            for found in answer if found.id in wanted}


def _calls(cloud: services.Cloud, drafts: Iterable[model.Snapshot],
           known: Collection[Key], now: float) -> dict[Key, Callable[[], Any]]:
    """What is to be asked for to know all about some rows."""
    calls: dict[Key, Callable[[], Any]] = {}
    for row in drafts:
        for part in row.parts:
            if part.status is None and cloud.has('volume'):
                calls[_PART, part.id] = functools.partial(
                    _part, cloud, part.id)
        source = row.source
        if source is not None:
            key = source.kind.value, source.id
            if key not in known or row.may_be_left_over(now):
                calls[key] = functools.partial(_source, cloud, source)
    return calls


def _row(entry: kinds.Entry,
         parts: Mapping[str, types.VolumeSnapshot | None],
         belonging: sets.Belonging, now: float,
         project: str) -> model.Snapshot:
    if isinstance(entry, types.Image):
        return (model.from_image(entry, parts) if entry.owner == project
                else model.from_foreign_image(entry))
    return dataclasses.replace(
        model.from_volume_snapshot(entry),
        owners=tuple(map(model.Owner.of, belonging.of(entry.id))),
        owners_known=entry.id in belonging.known,
        orphaned=belonging.orphaned(entry, now))


def _part(cloud: services.Cloud, snapshot_id: str) -> types.VolumeSnapshot:
    return cloud.volumes.snapshot(snapshot_id)


def _source(cloud: services.Cloud, source: model.Source) -> model.Source:
    try:
        if source.kind is kinds.Kind.INSTANCE:
            server = cloud.compute.server(source.id)
            return dataclasses.replace(
                source, name=server.name, exists=True,
                busy=bool(server.task_state),
                ephemeral_gib=server.ephemeral_gib)
        volume = cloud.volumes.volume(source.id)
    except errors.NotFound:
        return dataclasses.replace(source, exists=False)
    return dataclasses.replace(source, name=volume.name, exists=True,
                               bootable=volume.bootable,
                               encrypted=volume.encrypted)


def _named(row: model.Snapshot,
           known: Mapping[Key, model.Source]) -> model.Snapshot:
    if row.source is None:
        return row
    found = known.get((row.source.kind.value, row.source.id))
    if row.foreign and (found is None or not found.exists):
        # Of which instance it is cannot be seen, unless an administrator
        # has taken it of one of ours.
        return dataclasses.replace(row, source=None)
    if found is None:
        return row
    return dataclasses.replace(row, source=dataclasses.replace(
        found, name=found.name or row.source.name,
        certain=row.source.certain))
