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

"""The place in the list that an address carries."""

import base64
import datetime
import json

import pytest

from snapshot_dashboard.snapshots.listing import cursors
from snapshot_dashboard.snapshots.listing import queries

MOMENT = datetime.datetime(2026, 3, 1, 12, 0, 0, 250000,
                           tzinfo=datetime.UTC)


@pytest.mark.parametrize('back', [True, False])
@pytest.mark.parametrize('markers', [{}, {'volume': 'f00'}])
@pytest.mark.parametrize('sort', queries.Sort)
def test_a_cursor_is_read_as_it_was_written(sort, back, markers):
    cursor = cursors.Cursor(sort, MOMENT, 'abc', back, markers)
    assert cursors.parse(str(cursor), sort) == cursor


def text(*parts):
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


@pytest.mark.parametrize('tampered', [
    'x', '~~~', '../../etc/passwd', 'é', text(), text(1, 2, 3, 4, 5),
    text('newest', '2026', 'a', False, {}),
    text('newest', 'now', 'a', False, {}),
    text('newest', '2026-03-01T12:00:00', 'a', False, {}),
    text('oldest', MOMENT.isoformat(), 'a', False, {}),
    text('newest', MOMENT.isoformat(), 7, False, {}),
    text('newest', MOMENT.isoformat(), 'a', 'no', {}),
    text('newest', MOMENT.isoformat(), 'a', False, {'volume': 7}),
    text('newest', MOMENT.isoformat(), 'a', False, [])])
def test_a_tampered_cursor_is_refused(tampered):
    with pytest.raises(ValueError):
        cursors.parse(tampered, queries.Sort.NEWEST)


def place(back, sort=queries.Sort.NEWEST, entry_id='b'):
    return cursors.Cursor(sort, MOMENT, entry_id, back)


def test_the_bound_takes_in_the_whole_second():
    assert place(False).bound == 'lt:2026-03-01T12:00:01Z'
    assert place(True).bound == 'gte:2026-03-01T12:00:00Z'
    assert place(
        False, queries.Sort.OLDEST).bound == 'gte:2026-03-01T12:00:00Z'


@pytest.mark.parametrize('older', [
    place(False), place(True, queries.Sort.OLDEST)])
def test_a_cursor_admits_one_side_only(older):
    assert older.admits((MOMENT, 'a'))
    assert not older.admits((MOMENT, 'b'))
    assert not older.admits((MOMENT, 'c'))


@pytest.mark.parametrize('newer', [
    place(True), place(False, queries.Sort.OLDEST)])
def test_the_other_direction_admits_the_other_side(newer):
    assert newer.admits((MOMENT, 'c')) and not newer.admits((MOMENT, 'b'))
