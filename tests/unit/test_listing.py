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

"""One list of both kinds, page by page."""

import datetime
import time

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import pytest
import requests_mock

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.snapshots import cursor as cursors
from snapshot_dashboard.snapshots import listing
from tests import fakes


def names(page):
    return [row.name for row in page.rows]


def walk(cloud, size):
    """All pages forward, and all but the last one again on the way back."""
    forward, page = [], listing.page(cloud, size)
    forward.append(page)
    while page.older:
        page = listing.page(cloud, size, cursors.parse(str(page.older)))
        forward.append(page)
    back = []
    while page.newer:
        page = listing.page(cloud, size, cursors.parse(str(page.newer)))
        back.insert(0, page)
    return forward, back


def test_both_kinds_stand_in_one_list_newest_first(openstack):
    openstack.image('old', at=1)
    openstack.snapshot('middle', at=2)
    openstack.image('new', at=3, image_type='backup')
    page = listing.page(openstack.cloud(), 10)
    assert names(page) == ['new', 'middle', 'old']
    assert page.older is None and page.newer is None


def test_a_volume_backed_snapshot_is_listed_with_its_parts_below_it(
        openstack):
    parts = [openstack.snapshot('snapshot for db', at=5, size=10),
             openstack.snapshot('snapshot for db', at=5, size=8)]
    openstack.set_image('db', parts, at=5)
    (row,) = listing.page(openstack.cloud(), 10).rows
    assert [(part.size_gib, part.boot) for part in row.parts] == [
        (10, True), (8, False)]
    assert row.size_bytes == 18 * 1024 ** 3


def test_a_snapshot_that_two_filters_find_is_listed_once(openstack):
    part = openstack.snapshot('snapshot for db', at=5)
    openstack.set_image('db', [part], at=5, image_type='snapshot')
    assert names(listing.page(openstack.cloud(), 10)) == ['db']


def test_other_images_are_not_listed(openstack):
    openstack.image('base', image_type=None)
    openstack.image('shared by another project', owner='another')
    assert names(listing.page(openstack.cloud(), 10)) == []


def test_a_part_that_failed_makes_the_snapshot_incomplete(openstack):
    parts = [openstack.snapshot('a', status='error'),
             openstack.snapshot('b')]
    openstack.set_image('db', parts)
    (row,) = listing.page(openstack.cloud(), 10).rows
    assert row.status == 'incomplete' and not row.usable


def test_a_part_that_is_gone_makes_the_snapshot_incomplete(openstack):
    part = openstack.snapshot('a')
    openstack.set_image('db', [part])
    openstack.snapshots.clear()
    (row,) = listing.page(openstack.cloud(), 10).rows
    assert row.status == 'incomplete'


def test_sources_are_named_and_deleted_ones_are_known_as_such(openstack):
    server = openstack.server('web-1')
    volume = openstack.volume('data', bootable='true')
    openstack.image('a', at=4, instance_uuid=server['id'])
    openstack.image('b', at=3, instance_uuid=fakes.new_id())
    openstack.snapshot('c', at=2, volume_id=volume['id'])
    openstack.snapshot('d', at=1)
    a, b, c, d = (row.source
                  for row in listing.page(openstack.cloud(), 9).rows)
    assert (a.name, a.exists) == ('web-1', True)
    assert b.exists is False
    assert (c.name, c.exists, c.bootable) == ('data', True, True)
    assert d.exists is False


@pytest.mark.parametrize(('status', 'task', 'expected'), [
    ('queued', None, 'left-over'),
    ('saving', None, 'left-over'),
    ('saving', 'image_uploading', 'saving'),
    ('active', None, 'active'),
])
def test_an_image_that_nobody_works_on_any_more_is_left_over(
        openstack, status, task, expected):
    server = openstack.server(**{'OS-EXT-STS:task_state': task})
    openstack.image('begun', instance_uuid=server['id'], status=status)
    (row,) = listing.page(openstack.cloud(), 9).rows
    assert row.status == expected


def test_what_was_begun_just_now_or_is_not_known_of_is_not_left_over(
        openstack):
    at = time.time() - datetime.datetime.fromisoformat(
        fakes.stamp(0)).timestamp()
    server = openstack.server()
    openstack.image('new', at, instance_uuid=server['id'], status='queued')
    openstack.image('old', instance_uuid=fakes.new_id(7), status='queued')
    cloud = openstack.cloud()
    openstack.faults['GET', f'servers/{fakes.new_id(7)}'] = 503
    new, old = listing.page(cloud, 9).rows
    assert (new.status, old.status) == ('queued', 'queued')


@pytest.mark.parametrize('size', [1, 2, 3, 7, 20])
def test_walking_back_gives_the_same_pages(openstack, size):
    for number in range(15):
        openstack.image(f'i{number}', at=number * 3)
        openstack.snapshot(f'v{number}', at=number * 2)
    forward, back = walk(openstack.cloud(), size)
    assert len(sum(map(names, forward), [])) == 30
    assert [names(page) for page in back] == [
        names(page) for page in forward[:-1]]


@settings(max_examples=150)
@given(images=st.lists(st.integers(0, 12), max_size=25),
       snapshots=st.lists(st.integers(0, 12), max_size=25),
       backups=st.lists(st.integers(0, 12), max_size=5),
       size=st.integers(1, 8))
def test_each_snapshot_is_shown_once_and_in_order(images, snapshots, backups,
                                                  size):
    """Also when many of them were made within one second."""
    with requests_mock.Mocker() as mocker:
        openstack = fakes.FakeOpenStack(mocker)
        for at in images:
            openstack.image(f'i{at}', at)
        for at in backups:
            openstack.image(f'b{at}', at, image_type='backup')
        for at in snapshots:
            openstack.snapshot(f'v{at}', at)
        forward, back = walk(openstack.cloud(), size)
        rows = [row for page in forward for row in page.rows]
        assert len({row.row_id for row in rows}) == len(rows) == (
            len(images) + len(snapshots) + len(backups))
        assert rows == sorted(rows, key=lambda row: row.order, reverse=True)
        assert [names(page) for page in back] == [
            names(page) for page in forward[:-1]]


def test_what_comes_and_goes_between_two_clicks_moves_nothing(openstack):
    for number in range(10):
        openstack.image(f'i{number}', at=number * 2)
        openstack.snapshot(f'v{number}', at=number * 2 + 1)
    cloud = openstack.cloud()
    first = listing.page(cloud, 6)
    assert names(first)[-1] == 'i7'
    openstack.image('late', at=100)
    gone = openstack.snapshots.pop(first.rows[-2].id)
    second = listing.page(cloud, 6, first.older)
    assert gone['name'] == 'v7'
    assert names(second) == ['v6', 'i6', 'v5', 'i5', 'v4', 'i4']


def test_a_deleted_marker_costs_time_but_loses_nothing(openstack):
    for number in range(40):
        openstack.snapshot(f'v{number}', at=number)
    cloud = openstack.cloud()
    first = listing.page(cloud, 20)
    openstack.snapshots.pop(first.older.marker)
    assert names(listing.page(cloud, 20, first.older)) == [
        f'v{number}' for number in range(19, -1, -1)]


def test_one_page_costs_two_rounds_whatever_the_project_holds(openstack):
    server, volume = openstack.server(), openstack.volume()
    for number in range(200):
        openstack.image(f'i{number}', at=number * 2,
                        instance_uuid=server['id'])
        openstack.snapshot(f'v{number}', at=number * 2 + 1,
                           volume_id=volume['id'])
    cloud = openstack.cloud()
    page = listing.page(cloud, 20)
    openstack.calls.clear()
    listing.page(cloud, 20, page.older)
    # Four streams, one instance, one volume.
    assert len(openstack.calls) == 6


@pytest.mark.parametrize('path, service, left', [
    ('/v2/images', 'image', ['v']), ('/v3/.*/snapshots', 'volume', ['i'])])
@pytest.mark.parametrize('status', [403, 500, 503])
def test_a_service_that_fails_leaves_the_rows_of_the_others(
        openstack, path, service, left, status):
    openstack.image('i', at=1)
    openstack.snapshot('v', at=2)
    openstack.faults['GET', path] = status
    page = listing.page(openstack.cloud(), 10)
    assert names(page) == left
    assert [problem.service for problem in page.problems] == [service]


@pytest.mark.parametrize('missing, left', [('image', ['v']),
                                           ('volume', ['i'])])
def test_a_service_that_the_catalogue_lacks_is_no_problem(openstack, missing,
                                                          left):
    openstack.image('i', at=1)
    openstack.snapshot('v', at=2)
    endpoints = {service: url for service, url in fakes.ENDPOINTS.items()
                 if service != missing}
    page = listing.page(openstack.cloud(endpoints), 10)
    assert names(page) == left
    assert [problem for problem in page.problems
            if problem.service == missing] == []


def test_a_service_that_fails_in_the_middle_of_a_page_is_told():
    now = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)
    entries = [_Entry(now, str(number)) for number in range(3)]
    problems = []

    def fetch(limit, marker):
        raise errors.Unavailable('image')

    found = list(listing.stream(entries, fetch, 3, True, problems))
    assert [entry.id for entry in found] == ['2', '1', '0']
    assert [problem.service for problem in problems] == ['image']


class _Entry:
    def __init__(self, created, entry_id):
        self.created, self.id = created, entry_id
