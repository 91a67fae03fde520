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

"""A place in the list, as the address of a page carries it."""

import base64
from collections.abc import Mapping
import dataclasses
import datetime
import json

from snapshot_dashboard.cloud import types
from snapshot_dashboard.snapshots.listing import queries

#: How long Nova may take from the first volume snapshot to its image.
_SET_TAKES = datetime.timedelta(minutes=10)


@dataclasses.dataclass(frozen=True)
class Cursor:
    """The entry next to a page: what lies beyond it is the page.

    It names a time and an id, not a page number, so that nothing is shown
    twice or left out when snapshots come and go between two clicks.

    :ivar back: the page lies before the entry, not after it.
    :ivar markers: by the name of a stream the id beyond which its part of
        the page begins, where a service can name no other place.
    """

    sort: queries.Sort
    moment: datetime.datetime
    id: str
    back: bool = False
    markers: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __str__(self) -> str:
        text = json.dumps([
            self.sort.value, self.moment.isoformat(), self.id, self.back,
            dict(self.markers)], separators=(',', ':'))
        return base64.urlsafe_b64encode(text.encode()).decode()

    @property
    def newer(self) -> bool:
        """Whether the page holds what is newer than the entry."""
        return self.back is (self.sort is queries.Sort.NEWEST)

    def admits(self, order: tuple[datetime.datetime, str]) -> bool:
        """Whether something lies on this page's side."""
        if self.sort is queries.Sort.NAME:
            return True  # the streams' markers see to that
        place = self.moment, self.id
        return order > place if self.newer else order < place

    @property
    def bound(self) -> str:
        """The bound for Glance's own filter on ``created_at``.

        It shows whole seconds but sorts and compares by fractions, so
        the bound takes in the whole second; :meth:`admits` does the rest.
        """
        second = self.moment.replace(microsecond=0)
        if self.newer:
            return f'gte:{types.format_time(second)}'
        later = second + datetime.timedelta(seconds=1)
        return f'lt:{types.format_time(later)}'

    @property
    def set_bound(self) -> str:
        """The bound for images that volume snapshots may belong to.

        Nova makes such an image after its volume snapshots, so it may stand
        on the page before theirs.
        """
        if self.newer:
            return self.bound
        return f'lt:{types.format_time(self.moment + _SET_TAKES)}'


def parse(text: str, sort: queries.Sort) -> Cursor:
    """A cursor from an address.

    :param sort: the order of the list that it is for.
    :raises ValueError: when the text was not made by :class:`Cursor`, or
        for another order.
    """
    try:
        order, moment, entry_id, back, markers = json.loads(
            base64.urlsafe_b64decode(text.encode()))
        when = datetime.datetime.fromisoformat(moment)
        good = (order == sort.value and isinstance(entry_id, str)
                and isinstance(back, bool) and when.tzinfo is not None
                and 1970 <= when.year < 9000 and all(
                    isinstance(value, str) for value in markers.values()))
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(text) from error
    if not good:
        raise ValueError(text)
    return Cursor(sort, when, entry_id, back, markers)
