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

import dataclasses
import datetime

_OLDER = 'older'
_NEWER = 'newer'


@dataclasses.dataclass(frozen=True)
class Cursor:
    """The row next to a page: what lies beyond it is the page.

    It names a time and an id, not a page number, so that nothing is shown
    twice or left out when snapshots come and go between two clicks.

    :ivar marker: the volume snapshot beyond which Cinder's part of the page
        begins; empty for Cinder's first one.
    """

    moment: datetime.datetime
    id: str
    newer: bool
    marker: str = ''

    def __str__(self) -> str:
        direction = _NEWER if self.newer else _OLDER
        moment = self.moment.isoformat()
        return f'{direction}~{moment}~{self.id}~{self.marker}'

    @property
    def order(self) -> tuple[datetime.datetime, str]:
        return self.moment, self.id

    def admits(self, order: tuple[datetime.datetime, str]) -> bool:
        """Whether something lies on this page's side."""
        return order > self.order if self.newer else order < self.order

    @property
    def bound(self) -> str:
        """The bound for Glance's own filter on ``created_at``.

        It shows whole seconds but sorts and compares by fractions, so
        the bound takes in the whole second; :meth:`admits` does the rest.
        """
        second = self.moment.replace(microsecond=0)
        if self.newer:
            return f'gte:{_stamp(second)}'
        return f'lt:{_stamp(second + datetime.timedelta(seconds=1))}'

    @property
    def set_bound(self) -> str:
        """The bound for images that volume snapshots may belong to.

        Nova makes such an image after its volume snapshots, so it may stand
        on the page before theirs.
        """
        if self.newer:
            return self.bound
        return f'lt:{_stamp(self.moment + _SET_TAKES)}'


#: How long Nova may take from the first volume snapshot to the image.
_SET_TAKES = datetime.timedelta(minutes=10)


def _stamp(moment: datetime.datetime) -> str:
    return moment.astimezone(datetime.UTC).strftime(
        '%Y-%m-%dT%H:%M:%SZ')


def parse(text: str) -> Cursor:
    """A cursor from an address.

    :raises ValueError: when the text was not made by :class:`Cursor`.
    """
    direction, moment, row_id, marker = text.split('~')
    if direction not in (_OLDER, _NEWER):
        raise ValueError(text)
    when = datetime.datetime.fromisoformat(moment)
    if when.tzinfo is None or not 1970 <= when.year < 9000:
        raise ValueError(text)
    return Cursor(when, row_id, direction == _NEWER, marker)
