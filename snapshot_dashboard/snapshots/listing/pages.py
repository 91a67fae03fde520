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

"""One page of the project's snapshots.

A few sorted streams are asked for their beginning, at the same time, and
merged; then the images are looked up that volume snapshots belong to. So a
page costs the same few calls, in two rounds, however many snapshots there
are.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
import dataclasses
import functools
import heapq
import time

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.snapshots import row_builder
from snapshot_dashboard.snapshots import sets
from snapshot_dashboard.snapshots.listing import cursors
from snapshot_dashboard.snapshots.listing import queries
from snapshot_dashboard.snapshots.listing import streams

#: Calls that it may cost; one more finds the runs that stand above it.
_CALLS = 7
#: Rounds of calls that it may wait for.
_ROUNDS = 2
#: How often more is asked for, when most of it turned out to be no rows.
_TRIES = 50
#: Up to how many times as much is asked for then.
_GROWTH = 16
#: For how many rows is asked at least where something is looked for.
_PIECE = 330
#: Entries among which a text is looked for, for one page.
_SEARCHED = 1000


@dataclasses.dataclass(frozen=True)
class Page:
    """A page of the list.

    :ivar problems: why some services' snapshots are missing from it.
    :ivar vague: why names or parts of those shown are not known.
    :ivar unnamed: whether some of that is not known because it was not
        asked for, to keep the page quick.
    :ivar alphabet: by what it is ordered, if that is by name.
    :ivar searched: the last entry that was looked at, where something was
        looked for and there are more entries in this direction.
    :ivar vague_boot: whether there are more bootable volumes than are known.
    """

    rows: tuple[model.Snapshot, ...]
    after: cursors.Cursor | None = None
    before: cursors.Cursor | None = None
    problems: tuple[errors.ServiceError, ...] = ()
    vague: tuple[errors.ServiceError, ...] = ()
    unnamed: bool = False
    alphabet: streams.Alphabet = streams.Alphabet.LETTERS
    searched: kinds.Entry | None = None
    vague_boot: bool = False


@dataclasses.dataclass
class _Draft:
    """What one attempt to fill a page has brought.

    :ivar shown: the entries that make rows, in their order.
    :ivar passed: all entries that it went over, shown or not.
    :ivar first: by the names of the streams, the first entry that the page
        could have gone over.
    :ivar last: likewise, the last one that it went over.
    :ivar more: whether a row stands beyond the page in this direction.
    :ivar unread: whether a stream goes on in what was not asked for, which
        may be no rows.
    """

    shown: list[kinds.Entry] = dataclasses.field(default_factory=list)
    passed: list[kinds.Entry] = dataclasses.field(default_factory=list)
    first: dict[str, str] = dataclasses.field(default_factory=dict)
    last: dict[str, str] = dataclasses.field(default_factory=dict)
    more: bool = False
    unread: bool = False
    belonging: sets.Belonging = sets.Belonging()
    seen: list[kinds.Entry] = dataclasses.field(default_factory=list)
    problems: list[errors.ServiceError] = dataclasses.field(
        default_factory=list)
    calls: int = 0
    rounds: int = 0
    alphabet: streams.Alphabet = streams.Alphabet.LETTERS

    @property
    def goes_on(self) -> bool:
        """Whether there is, or may be, more in this direction."""
        return self.more or self.unread

    def add(self, other: '_Draft') -> None:
        """Go on with what the next attempt has brought."""
        known = {entry.id for entry in self.shown}
        self.shown += [entry for entry in other.shown
                       if entry.id not in known]
        self.passed += other.passed
        self.first = self.first or other.first
        self.last.update(other.last)
        self.more, self.unread = other.more, other.unread
        self.belonging = sets.joined(self.belonging, other.belonging)
        self.seen += other.seen
        self.problems += other.problems
        self.calls += other.calls
        self.rounds += other.rounds
        self.alphabet = other.alphabet


def fetch(cloud: services.Cloud, size: int, query: queries.Query | None = None,
          cursor: cursors.Cursor | None = None,
          names: row_builder.SourceCache | None = None,
          thorough: bool = False) -> Page:
    """The page at a cursor, or the first one.

    :param size: how many rows at the most.
    :param names: what is known of instances and volumes already.
    :param thorough: ask for all names and parts, each by its id, which may
        take many calls; else for as many as a page may cost.
    :raises ServiceError: when the place of a page by name is gone.
    """
    query = query or queries.Query()
    draft, place = _Draft(), cursor
    bootable = _bootable(cloud, query, draft)
    for attempt in range(_TRIES):
        asked = (max(size, _PIECE) if query.looks
                 else size * min(2 ** attempt, _GROWTH))
        draft.add(_fill(cloud, asked, size - len(draft.shown), query,
                        place, bootable))
        if draft.more or not draft.unread or (
                query.looks and len(draft.passed) >= _SEARCHED):
            break
        if draft.passed:
            place = _onward(query, draft, place)
    back = cursor is not None and cursor.back
    if cursor is not None and not draft.goes_on and (
            back or not query.looks) and (
            len(draft.shown) < (size if back else 1)):
        # Back where it begins, or beyond where it ends by now.
        return fetch(cloud, size, query, None, names, thorough)
    before, after = _neighbours(query, draft, cursor)
    if back:
        draft.shown.reverse()
    room = _CALLS - draft.calls if draft.rounds < _ROUNDS else 0
    rows, lost, unnamed = row_builder.build(
        cloud, draft.shown, draft.seen, draft.belonging,
        names or row_builder.SourceCache(), None if thorough else room,
        time.time())
    return Page(
        rows=tuple(rows), after=after, before=before,
        problems=errors.deduplicate_by_service(draft.problems),
        vague=errors.deduplicate_by_service(lost),
        unnamed=unnamed,
        alphabet=draft.alphabet,
        searched=draft.passed[-1] if query.looks and draft.goes_on and (
            draft.passed and not back) else None,
        vague_boot=len(bootable) >= types.BOOTABLE_MOST)


def _bootable(cloud: services.Cloud, query: queries.Query,
              draft: _Draft) -> frozenset[str]:
    """The ids of the volumes that can be booted from, where that matters."""
    if not query.launchable or query.kind is kinds.Kind.INSTANCE or not (
            cloud.has('volume')):
        return frozenset()
    draft.calls, draft.rounds = 1, 1
    answer, = cloud.gather(cloud.volumes.bootable)
    if isinstance(answer, errors.ServiceError):
        draft.problems.append(answer)
        return frozenset()
    return frozenset(answer)


def _fill(cloud: services.Cloud, size: int, wanted: int, query: queries.Query,
          cursor: cursors.Cursor | None, bootable: frozenset[str]) -> _Draft:
    """Ask for a page's part of each stream, and take so many rows."""
    draft = _Draft()
    found = streams.streams(cloud, query, size, cursor)
    answers = cloud.gather(*(
        functools.partial(stream.begin, cursor) for stream in found))
    draft.calls, draft.rounds = len(found), 1
    batches = []
    for answer in answers:
        if isinstance(answer, errors.ServiceError):
            if query.order is queries.Sort.NAME and cursor is not None and (
                    isinstance(answer, (errors.NotFound, errors.Refused))):
                raise answer
            draft.problems.append(answer)
        else:
            batches.append(answer)
            draft.seen += answer.entries
    draft.belonging, calls = sets.find(
        cloud,
        [entry for entry in draft.seen
         if isinstance(entry, types.VolumeSnapshot)],
        [entry for entry in draft.seen if isinstance(entry, types.Image)])
    draft.problems += draft.belonging.problems
    draft.calls += calls
    draft.rounds += bool(calls)
    parts = {entry.id: entry for entry in draft.seen
             if isinstance(entry, types.VolumeSnapshot)}

    def admits(entry: kinds.Entry) -> bool:
        return query.finds(entry.name, entry.id) and (
            not query.launchable or _launches(
                entry, parts, bootable, cloud.project_id))
    _merge(draft, batches, wanted, query, cursor, admits)
    return draft


def _merge(draft: _Draft, batches: Sequence[streams.Batch], wanted: int,
           query: queries.Query, cursor: cursors.Cursor | None,
           admits: Callable[[kinds.Entry], bool]) -> None:
    """Go over the entries in their order until the page is full."""
    back = cursor is not None and cursor.back
    reverse = (query.order is queries.Sort.NEWEST) is not back
    name_key: Callable[[str], str] = str.lower
    if query.order is queries.Sort.NAME:
        draft.alphabet, name_key = streams.alphabet(batches, reverse)
    order = streams.key(query, name_key)
    merged = heapq.merge(
        *(_named(batch, query, reverse) for batch in batches),
        key=lambda pair: order(pair[1]), reverse=reverse)
    for batch in batches:
        draft.first[batch.stream.name] = next(
            (entry.id for entry in batch.entries if cursor is None
             or cursor.admits((entry.created, entry.id))), '')
    shown: set[str] = set()
    try:
        for name, entry in merged:
            if query.since and entry.created < query.since:
                return
            if cursor is not None and not cursor.admits(
                    (entry.created, entry.id)):
                continue
            rows = [row for row in _row_entries(query, entry, draft.belonging)
                    if row.id not in shown and admits(row)]
            if rows and len(draft.shown) >= wanted:
                draft.more = True
                return
            draft.last[name] = entry.id
            draft.passed.append(entry)
            shown.update(row.id for row in rows)
            draft.shown += rows
    except streams.Exhausted:
        draft.unread = True


def _named(batch: streams.Batch, query: queries.Query, reverse: bool
           ) -> Iterator[tuple[str, kinds.Entry]]:
    for entry in batch.in_order(query, reverse):
        yield batch.stream.name, entry


def _row_entries(query: queries.Query, entry: kinds.Entry,
                 belonging: sets.Belonging) -> Sequence[kinds.Entry]:
    """What stands in the list for an entry.

    A part is shown by its image alone. Where parts are asked for by what
    images do not tell, the images stand for them. A hidden image is not in
    the list, so its parts are.
    """
    if query.consistency and model.consistency(entry) != query.consistency:
        return ()  # it has inherited the mark of another one
    if query.expired_on and not model.summary(entry).expired(query.expired_on):
        return ()
    owners = [image for image in belonging.of(entry.id) if not image.hidden]
    if owners:
        asked = query.volume_id or query.state is queries.State.FAILED
        return owners if asked and query.kind is not kinds.Kind.VOLUME else ()
    if isinstance(entry, types.VolumeSnapshot) and (
            query.kind is kinds.Kind.INSTANCE):
        return ()
    return (entry,)


def _launches(entry: kinds.Entry, parts: dict[str, types.VolumeSnapshot],
              bootable: frozenset[str], project_id: str) -> bool:
    """Whether an instance can be launched from what is listed.

    :param parts: the volume snapshots that are known, by their ids.
    """
    if isinstance(entry, types.VolumeSnapshot):
        return (model.from_volume_snapshot(entry).usable
                and entry.volume_id in bootable)
    return (model.from_image(entry, parts) if entry.owner == project_id
            else model.from_foreign_image(entry)).usable


def _neighbours(query: queries.Query, draft: _Draft,
                cursor: cursors.Cursor | None
                ) -> tuple[cursors.Cursor | None, cursors.Cursor | None]:
    """The cursors of the page before, and of the page after."""
    if not draft.passed:
        return None, None
    onward = _onward(query, draft, cursor) if draft.goes_on else None
    if cursor is None:
        return None, onward
    first = draft.passed[0]
    returning = cursors.Cursor(query.order, first.created, first.id,
                               not cursor.back, draft.first)
    return (onward, returning) if cursor.back else (returning, onward)


def _onward(query: queries.Query, draft: _Draft,
            cursor: cursors.Cursor | None) -> cursors.Cursor:
    """The cursor of the next page in the same direction."""
    last = draft.passed[-1]
    markers = dict(cursor.markers) if cursor else {}
    return cursors.Cursor(query.order, last.created, last.id,
                          bool(cursor and cursor.back),
                          {**markers, **draft.last})
