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

"""One page of all the project's snapshots, newest first.

Four sorted streams are asked for one page each, at the same time, and
merged. What one page costs does not depend on how many there are.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
import dataclasses
import functools
import heapq
import itertools
from typing import TypeAlias

from snapshot_dashboard import cloud as clouds
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import types
from snapshot_dashboard.snapshots import cursor as cursors
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.snapshots import sources

Entry: TypeAlias = types.Image | types.VolumeSnapshot
#: Asks for so many entries beyond a marker.
Fetch: TypeAlias = Callable[..., Sequence[Entry]]

#: Beyond a page's size: one entry tells that there is another page, the
#: others make it likely that no stream must be asked twice.
_SLACK = 10


@dataclasses.dataclass(frozen=True)
class Page:
    """A page of the list.

    :ivar problems: why some services' snapshots are missing from it.
    :ivar vague: why names or parts of those shown are not known.
    """

    rows: tuple[model.Snapshot, ...]
    older: cursors.Cursor | None = None
    newer: cursors.Cursor | None = None
    problems: tuple[errors.ServiceError, ...] = ()
    vague: tuple[errors.ServiceError, ...] = ()


def page(cloud: clouds.Cloud, size: int,
         cursor: cursors.Cursor | None = None) -> Page:
    """The page at a cursor, or the first one.

    :param size: how many rows at the most.
    """
    problems: list[errors.ServiceError] = []
    seen: list[Entry] = []
    limit = size + _SLACK
    newest_first = cursor is None or not cursor.newer
    entries = merge(_streams(cloud, cursor, limit, seen, problems),
                    newest_first)
    parts = {disk.snapshot_id for entry in seen
             if isinstance(entry, types.Image) for disk in entry.disks}
    chosen = list(itertools.islice(
        (entry for entry in entries
         if entry.id not in parts
         and (cursor is None or cursor.admits(_order(entry)))), size + 1))
    beyond = len(chosen) > size
    chosen = chosen[:size]
    if cursor is not None and cursor.newer:
        if len(chosen) < size:
            return page(cloud, size)
        chosen.reverse()
        has_newer, has_older = beyond, True
    else:
        has_newer, has_older = cursor is not None, beyond
    rows, lost = sources.resolve(cloud, chosen, seen)
    return Page(
        rows=tuple(rows),
        older=(_beyond(chosen[-1], False, seen, cursor)
               if chosen and has_older else None),
        newer=(_beyond(chosen[0], True, seen, cursor)
               if chosen and has_newer else None),
        problems=_once_each(problems),
        vague=_once_each(lost))


def _streams(cloud: clouds.Cloud, cursor: cursors.Cursor | None, limit: int,
             seen: list[Entry],
             problems: list[errors.ServiceError]) -> list[Iterator[Entry]]:
    """Three kinds of images and the volume snapshots, all asked at once.

    A volume-backed instance's snapshot has no ``image_type``; its
    ``bdm_v2`` tells it. One that the plugin made has both.

    :param seen: takes all that the services answer, also later.
    :param problems: takes their errors.
    """
    newest_first = cursor is None or not cursor.newer

    def images(kind: Mapping[str, str], limit: int,
               marker: str | None = None) -> Sequence[Entry]:
        beyond = {'marker': marker} if marker else {}
        if cursor:
            beyond['created_at'] = (cursor.set_bound if 'bdm_v2' in kind
                                    else cursor.bound)
        found = cloud.images.images(
            limit, {'owner': cloud.project_id, **kind, **beyond},
            newest_first)
        seen.extend(found)
        return found

    def volume_snapshots(limit: int,
                         marker: str | None = None) -> Sequence[Entry]:
        found = cloud.volumes.snapshots(
            limit, newest_first=newest_first, marker=marker)
        seen.extend(found)
        return found

    def first_volume_snapshots(limit: int) -> Sequence[Entry]:
        if cursor and cursor.marker:
            with contextlib.suppress(errors.NotFound, errors.Refused):
                return volume_snapshots(limit, cursor.marker)
        # No marker, or one that was deleted meanwhile: from the beginning.
        return volume_snapshots(limit)

    fetches: list[tuple[Fetch, Fetch]] = []
    if cloud.has('image'):
        for name, value in (('image_type', 'snapshot'),
                            ('image_type', 'backup'), ('bdm_v2', 'True')):
            fetch = functools.partial(images, {name: value})
            fetches.append((fetch, fetch))
    if cloud.has('volume'):
        fetches.append((first_volume_snapshots, volume_snapshots))
    answers = cloud.together(
        *(functools.partial(first, limit) for first, _ in fetches))
    found = []
    for answer, (_, more) in zip(answers, fetches):
        if isinstance(answer, errors.ServiceError):
            problems.append(answer)
            continue
        found.append(stream(answer, more, limit, newest_first, problems))
    return found


def _beyond(entry: Entry, newer: bool, seen: Iterable[Entry],
            cursor: cursors.Cursor | None) -> cursors.Cursor:
    """The cursor of the page beyond an entry.

    Cinder's marker is its snapshot nearest to the entry on this side of it,
    the entry itself included.
    """
    side = [other for other in seen
            if isinstance(other, types.VolumeSnapshot)
            and (_order(other) <= _order(entry) if newer
                 else _order(other) >= _order(entry))]
    nearest = (max if newer else min)(side, key=_order, default=None)
    if nearest is not None:
        marker = nearest.id
    else:
        marker = cursor.marker if cursor and cursor.newer is newer else ''
    return cursors.Cursor(entry.created, entry.id, newer, marker)


def _order(entry: Entry) -> tuple:
    return entry.created, entry.id


def stream(first: Sequence[Entry], fetch: Fetch, limit: int,
           newest_first: bool,
           problems: list[errors.ServiceError]) -> Iterator[Entry]:
    """A service's entries in our order, asked for as they are needed.

    Within one second Glance's order is not ours, for it does not show the
    fractions that it sorts by. So a second is passed on when it is whole.

    :param first: what the service answered when asked for ``limit``.
    :param problems: takes the error, should a later call fail.
    """
    batch, held = first, list[Entry]()
    while True:
        held = sorted([*held, *batch], key=_order, reverse=newest_first)
        if len(batch) < limit:
            yield from held
            return
        last = held[-1].created.replace(microsecond=0)
        whole = [entry for entry in held
                 if entry.created.replace(microsecond=0) != last]
        yield from whole
        held = held[len(whole):]
        try:
            batch = fetch(limit, marker=batch[-1].id)
        except errors.ServiceError as error:
            problems.append(error)
            batch = ()


def merge(streams: Iterable[Iterator[Entry]],
          newest_first: bool) -> Iterator[Entry]:
    """All streams as one, in order, each entry once."""
    merged = heapq.merge(*streams, key=_order, reverse=newest_first)
    for _, same in itertools.groupby(merged, key=_order):
        yield next(same)


def _once_each(problems: Iterable[errors.ServiceError]
               ) -> tuple[errors.ServiceError, ...]:
    return tuple({error.service: error for error in problems}.values())
