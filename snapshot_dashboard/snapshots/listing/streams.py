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

"""What the services are asked for to make one page of the list.

Each stream is one sorted list of one service, of which a page needs the
beginning only.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import datetime
import enum
from typing import Any
import unicodedata

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import newest
from snapshot_dashboard.snapshots.listing import cursors
from snapshot_dashboard.snapshots.listing import queries

#: Images of instances, by what tells them. A volume-backed instance's has no
#: ``image_type``; one that the plugin made has both.
_IMAGES = {
    'snapshot': (marks.IMAGE_TYPE, 'snapshot'),
    'backup': (marks.IMAGE_TYPE, 'backup'),
    'set': ('bdm_v2', 'True'),
}
#: Images that others share with the project, and that it has accepted. Its
#: own shared ones are among them; they are told by their ids.
_ACCEPTED = {'visibility': 'shared', 'member_status': 'accepted',
             marks.IMAGE_TYPE: 'snapshot', 'status': 'active'}
_GLANCE_STATES = {
    queries.State.READY: 'active',
    queries.State.MOVING: 'in:queued,saving,uploading,importing',
    queries.State.FAILED: 'killed',
    queries.State.DELETING: 'pending_delete',
    queries.State.DEACTIVATED: 'deactivated',
}
_CINDER_STATES = {
    queries.State.READY: ('available',),
    queries.State.MOVING: ('creating', 'backing-up', 'restoring'),
    queries.State.FAILED: ('error', 'error_deleting'),
    queries.State.DELETING: ('deleting', 'unmanaging'),
    queries.State.DEACTIVATED: (),
}
#: Extra entries per request: one shows whether there is a next page, the
#: others replace entries that are no rows.
_SLACK = 10
#: Cinder is asked for three times a page: of each three volume snapshots up to
#: two may be parts of a set.
_PARTS = 3


#: How much is asked for at once when there is far to go.
_FAR = 1000


class Exhausted(Exception):
    """A stream has more, but that was not asked for."""


@dataclasses.dataclass(frozen=True)
class Stream:
    """One list.

    :ivar limit: for how many entries it is asked first.
    :ivar fetch: asks for so many, those after a marker if there is one.
    :ivar marked: whether its place is named by a marker.
    """

    name: str
    limit: int
    fetch: Callable[[int, str], Sequence[kinds.Entry]]
    marked: bool = False

    def begin(self, cursor: cursors.Cursor | None) -> 'Batch':
        """The part of it that a page begins with.

        One call, but where more than a page lies between the place that
        the service can name and the one that the page begins at.
        """
        marker = (cursor.markers.get(self.name, '')
                  if cursor and self.marked else '')
        limit = self.limit
        try:
            found = list(self.fetch(limit, marker))
        except (errors.NotFound, errors.Refused):
            if (not marker or cursor is None
                    or cursor.sort is queries.Sort.NAME):
                raise
            # It was deleted meanwhile: from the beginning.
            found = list(self.fetch(limit, ''))
        more = len(found) >= limit
        while more and not _reaches(found, cursor):
            limit = _FAR
            batch = self.fetch(limit, found[-1].id)
            found += batch
            more = len(batch) >= limit
        return Batch(self, found, more)


@dataclasses.dataclass(frozen=True)
class Batch:
    """What was asked for of a stream.

    :ivar more: whether there is more of it.
    """

    stream: Stream
    entries: Sequence[kinds.Entry]
    more: bool

    def in_order(self, query: queries.Query,
                 reverse: bool) -> Iterator[kinds.Entry]:
        """Its entries in our order, as far as they are known.

        Within one second Glance's order is not ours, for it does not show
        the fractions that it sorts by. So a second is passed on when it is
        whole. By name the services' own order counts.

        :raises Exhausted: when the next one would be needed.
        """
        found = self.entries
        if query.order is not queries.Sort.NAME:
            found = sorted(found, key=key(query), reverse=reverse)
            if self.more:
                last = _second(found[-1])
                found = [entry for entry in found if _second(entry) != last]
        yield from found
        if self.more:
            raise Exhausted


def _second(entry: kinds.Entry) -> datetime.datetime:
    return entry.created.replace(microsecond=0)


def _reaches(found: Sequence[kinds.Entry],
             cursor: cursors.Cursor | None) -> bool:
    """Whether these cover at least one whole second of the page.

    The last second may go on in entries that were not asked for.
    """
    last = _second(found[-1])
    return any(_second(entry) != last and (
        cursor is None or cursor.admits((entry.created, entry.id)))
        for entry in found)


def streams(cloud: services.Cloud, query: queries.Query, size: int,
            cursor: cursors.Cursor | None) -> list[Stream]:
    """The streams of which a page is made, as far as the services exist."""
    found: list[Stream] = []
    if query.kind is not kinds.Kind.VOLUME and not query.volume_id and (
            cloud.has('image')):
        own = {'owner': cloud.project_id}
        found += [_images(cloud, query, size, cursor, name,
                          {**own, **dict([what])})
                  for name, what in _IMAGES.items()]
        if query.state in (None, queries.State.READY) and not cloud.sees_all:
            found.append(_images(cloud, query, size, cursor, 'accepted',
                                 _ACCEPTED))
    # For instances' snapshots alone, these tell the state of their parts.
    if cloud.has('volume'):
        statuses: tuple[str, ...] = ('',)
        if query.state is not None:
            statuses = _CINDER_STATES[query.state]
        found += [_volume_snapshots(cloud, query, size, cursor, status)
                  for status in statuses]
    return found


def _images(cloud: services.Cloud, query: queries.Query, size: int,
            cursor: cursors.Cursor | None, name: str,
            filters: Mapping[str, str]) -> Stream:
    filters = dict(filters)
    if query.name:
        filters['name'] = f'eq:{query.name}'
    if query.state is not None:
        filters['status'] = _GLANCE_STATES[query.state]
    if query.instance_id:
        filters[marks.INSTANCE_ID] = query.instance_id
    if query.consistency:
        filters[marks.CONSISTENCY] = query.consistency
    if query.expired_on:
        filters[marks.EXPIRING] = 'True'
    if query.since and cursor is None:
        filters['created_at'] = f'gte:{types.format_time(query.since)}'
    if cursor and query.order is not queries.Sort.NAME:
        filters['created_at'] = (cursor.set_bound if name == 'set'
                                 else cursor.bound)
    # That a project has accepted an image does not change that.
    may_be_bounded = ('owner' in filters and 'created_at' not in filters
                      and query.order is queries.Sort.NEWEST)

    def fetch(limit: int, marker: str) -> Sequence[kinds.Entry]:
        if may_be_bounded and not marker:
            return newest.images(cloud, limit, filters)
        beyond = {'marker': marker} if marker else {}
        return cloud.images.images(limit, {**filters, **beyond},
                                   **_order(query, cursor))

    return Stream(name, size + _SLACK, fetch, query.order is queries.Sort.NAME)


def _volume_snapshots(cloud: services.Cloud, query: queries.Query, size: int,
                      cursor: cursors.Cursor | None, status: str) -> Stream:
    filters: dict[str, Any] = {}
    if query.name:
        filters['name'] = query.name
    if status:
        filters['status'] = status
    if query.volume_id:
        filters['volume_id'] = query.volume_id
    wanted = {marks.INSTANCE_ID: query.instance_id,
              marks.CONSISTENCY: query.consistency,
              marks.EXPIRING: 'True' if query.expired_on else ''}
    metadata = {key: value for key, value in wanted.items() if value}
    if metadata:
        filters['metadata'] = metadata

    def fetch(limit: int, marker: str) -> Sequence[kinds.Entry]:
        return cloud.volumes.snapshots(limit, filters, marker=marker or None,
                                       **_order(query, cursor))

    return Stream(f'volume{status}', size * _PARTS + _SLACK, fetch, True)


def _order(query: queries.Query,
           cursor: cursors.Cursor | None) -> dict[str, Any]:
    ascending = query.order is not queries.Sort.NEWEST
    if cursor is not None and cursor.back:
        ascending = not ascending
    return {'by': 'name' if query.order is queries.Sort.NAME else 'created_at',
            'ascending': ascending}


class Alphabet(enum.Enum):
    """By what the services order names: their databases decide."""

    #: Capital and small letters are the same.
    LETTERS = 'letters'
    #: Capital letters come before small ones.
    CAPITALS = 'capitals'
    #: In some other way, or each service in its own.
    OWN = 'own'


def _bare(name: str) -> str:
    """A name without its accents, as some databases read it."""
    return ''.join(character for character
                   in unicodedata.normalize('NFKD', name)
                   if not unicodedata.combining(character))


#: Ways to order names, the first that fits counts. Databases that do not
#: tell letters apart compare them all as capitals or all as small ones.
_ALPHABETS: tuple[tuple[Alphabet, Callable[[str], str]], ...] = (
    (Alphabet.LETTERS, str.lower), (Alphabet.LETTERS, str.upper),
    (Alphabet.LETTERS, lambda name: _bare(name).upper()),
    (Alphabet.LETTERS, lambda name: _bare(name).lower()),
    (Alphabet.CAPITALS, lambda name: name))


def alphabet(batches: Sequence[Batch], reverse: bool
             ) -> tuple[Alphabet, Callable[[str], str]]:
    """By what the names of some batches are in order.

    :returns: that, and what makes of a name what is compared.
    """
    for found, made in _ALPHABETS:
        texts = [[made(entry.name) for entry in batch.entries]
                 for batch in batches]
        if all(some == sorted(some, reverse=reverse) for some in texts):
            return found, made
    return Alphabet.OWN, str.lower


def key(query: queries.Query, name_key: Callable[[str], str] = str.lower
        ) -> Callable[[kinds.Entry], tuple[Any, ...]]:
    """What entries are ordered by."""
    if query.order is queries.Sort.NAME:
        return lambda entry: (name_key(entry.name), entry.id)
    return lambda entry: (entry.created, entry.id)
