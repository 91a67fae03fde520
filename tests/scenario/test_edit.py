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

"""Snapshots of both kinds are edited and dated, on a real cloud."""

import datetime

import pytest

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.snapshots import deletion
from snapshot_dashboard.snapshots import details
from snapshot_dashboard.snapshots import editing
from snapshot_dashboard.snapshots import fetch
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.snapshots.listing import pages
from snapshot_dashboard.snapshots.listing import queries
from tests.scenario.clouds import unique
from tests.scenario.test_details import row_named

TODAY = datetime.date(2026, 6, 15)
DAY = datetime.timedelta(days=1)


def as_it_is(cloud, row_id):
    """What an edit would leave unchanged."""
    found = details.get(cloud, row_id)
    return editing.Edit(found.snapshot.name, found.description,
                        found.snapshot.protected, found.snapshot.expires)


def edit(cloud, row_id, wish):
    editing.edit(cloud, fetch.entry(cloud, row_id), wish)


@pytest.fixture(params=['web-1-2026-01-15', 'archive-2026-01'])
def row(request, alice):
    """One of each kind, which is after the test as it was before."""
    found = row_named(alice, request.param)
    before = as_it_is(alice, found.row_id)
    yield found
    edit(alice, found.row_id, before)
    assert as_it_is(alice, found.row_id) == before


def expired(cloud, day):
    return [row.row_id for row in pages.fetch(
        cloud, 50, queries.Query(expired_on=day)).rows]


def test_all_of_it_is_changed_and_found_again(alice, row):
    wish = editing.Edit(unique('edited'), 'for the audit', False, TODAY)
    edit(alice, row.row_id, wish)
    assert as_it_is(alice, row.row_id) == wish
    assert row_named(alice, wish.name).row_id == row.row_id
    # Wanted until that day, and expired on the next.
    assert row.row_id not in expired(alice, TODAY)
    assert row.row_id in expired(alice, TODAY + DAY)


def test_a_date_that_is_taken_away_leaves_no_mark(alice, row):
    before = as_it_is(alice, row.row_id)
    edit(alice, row.row_id, editing.Edit(
        before.name, before.description, before.protected, TODAY))
    edit(alice, row.row_id, before)
    entry = fetch.entry(alice, row.row_id)
    there = model.properties(entry)
    assert marks.EXPIRES not in there and marks.EXPIRING not in there


def test_a_protected_image_is_not_deleted(alice):
    row = row_named(alice, 'web-1-2026-01-15')
    before = as_it_is(alice, row.row_id)
    edit(alice, row.row_id, editing.Edit(
        before.name, before.description, True, before.expires))
    try:
        found = fetch.snapshot(alice, row.row_id)
        assert found.protected
        (entry,) = deletion.plan(alice, [found]).entries
        assert entry.hindrance is deletion.Hindrance.PROTECTED
        with pytest.raises(errors.Forbidden):  # nor does Glance allow it
            alice.images.delete(found.id)
    finally:
        edit(alice, row.row_id, before)
    assert not fetch.snapshot(alice, row.row_id).protected


def test_a_reader_and_another_project_change_nothing(alice, rita, carol,
                                                     row):
    entry = fetch.entry(alice, row.row_id)
    wish = editing.Edit('theirs', '', False, TODAY)
    for cloud in (rita, carol):
        with pytest.raises((errors.Forbidden, errors.NotFound)):
            editing.edit(cloud, entry, wish)
