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

import datetime

import pytest

from snapshot_dashboard.snapshots import cursor as cursors

MOMENT = datetime.datetime(2026, 3, 1, 12, 0, 0, 250000,
                           tzinfo=datetime.UTC)


@pytest.mark.parametrize('newer', [True, False])
@pytest.mark.parametrize('marker', ['', 'f00'])
def test_a_cursor_is_read_as_it_was_written(newer, marker):
    cursor = cursors.Cursor(MOMENT, 'abc', newer, marker)
    assert cursors.parse(str(cursor)) == cursor


@pytest.mark.parametrize('text', [
    'x', 'older', 'older~~~', 'older~2026~a~', 'sideways~2026-03-01~a~b',
    'older~2026-03-01T12:00:00~naive~', '~~~~~~', 'older~now~a~b',
    '../../etc/passwd', "older~2026-03-01T12:00:00+00:00~'~b~c"])
def test_a_tampered_cursor_is_refused(text):
    with pytest.raises(ValueError):
        cursors.parse(text)


def test_the_bound_takes_in_the_whole_second():
    assert cursors.Cursor(MOMENT, 'a', False).bound == (
        'lt:2026-03-01T12:00:01Z')
    assert cursors.Cursor(MOMENT, 'a', True).bound == (
        'gte:2026-03-01T12:00:00Z')


def test_a_cursor_admits_one_side_only():
    older = cursors.Cursor(MOMENT, 'b', False)
    assert older.admits((MOMENT, 'a'))
    assert not older.admits((MOMENT, 'b'))
    assert not older.admits((MOMENT, 'c'))
    newer = cursors.Cursor(MOMENT, 'b', True)
    assert newer.admits((MOMENT, 'c')) and not newer.admits((MOMENT, 'b'))
