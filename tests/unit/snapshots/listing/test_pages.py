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

from hypothesis import example
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import pytest

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.snapshots import fetch
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import mappings
from snapshot_dashboard.snapshots import row_builder
from snapshot_dashboard.snapshots.listing import cursors
from snapshot_dashboard.snapshots.listing import pages
from snapshot_dashboard.snapshots.listing import queries
from snapshot_dashboard.snapshots.listing import streams
from tests import fakes
from tests.unit.examples import EXAMPLES


def names(page):
    return [row.name for row in page.rows]


def walk(cloud, size, query=None):
    """All pages forward, and all but the last one again on the way back."""
    query = query or queries.Query()

    def at(cursor):
        return pages.fetch(cloud, size, query,
                           cursors.parse(str(cursor), query.order))

    forward, page = [], pages.fetch(cloud, size, query)
    forward.append(page)
    while page.after:
        page = at(page.after)
        forward.append(page)
        assert len(forward) < 100, 'it goes on for ever'
    back = []
    while page.before:
        page = at(page.before)
        back.insert(0, page)
    return forward, back


def test_both_kinds_stand_in_one_list_newest_first(openstack):
    openstack.image('old', at=1)
    openstack.snapshot('middle', at=2)
    openstack.image('new', at=3, image_type='backup')
    page = pages.fetch(openstack.cloud(), 10)
    assert names(page) == ['new', 'middle', 'old']
    assert page.after is None and page.before is None


def test_a_volume_backed_snapshot_is_listed_with_its_parts_below_it(
        openstack):
    parts = [openstack.snapshot('snapshot for db', at=5, size=10),
             openstack.snapshot('snapshot for db', at=5, size=8)]
    openstack.set_image('db', parts, at=5)
    (row,) = pages.fetch(openstack.cloud(), 10).rows
    assert [(part.size_gib, part.boot) for part in row.parts] == [
        (10, True), (8, False)]
    assert row.size_bytes == 18 * 1024 ** 3


def test_a_snapshot_that_two_filters_find_is_listed_once(openstack):
    part = openstack.snapshot('snapshot for db', at=5)
    openstack.set_image('db', [part], at=5, image_type='snapshot')
    assert names(pages.fetch(openstack.cloud(), 10)) == ['db']


def test_other_images_are_not_listed(openstack):
    openstack.image('base', image_type=None)
    openstack.image('shared by another project', owner='another')
    assert names(pages.fetch(openstack.cloud(), 10)) == []


def test_a_part_that_failed_makes_the_snapshot_incomplete(openstack):
    parts = [openstack.snapshot('a', status='error'),
             openstack.snapshot('b')]
    openstack.set_image('db', parts)
    (row,) = pages.fetch(openstack.cloud(), 10).rows
    assert row.status == 'incomplete' and not row.usable


def test_a_part_that_is_gone_makes_the_snapshot_incomplete(openstack):
    part = openstack.snapshot('a')
    openstack.set_image('db', [part])
    openstack.snapshots.clear()
    (row,) = pages.fetch(openstack.cloud(), 10).rows
    assert row.status == 'incomplete'


def test_sources_are_named_and_deleted_ones_are_known_as_such(openstack):
    server = openstack.server('web-1')
    volume = openstack.volume('data', bootable='true')
    openstack.image('a', at=4, instance_uuid=server['id'])
    openstack.image('b', at=3, instance_uuid=fakes.new_id())
    openstack.snapshot('c', at=2, volume_id=volume['id'])
    openstack.snapshot('d', at=1)
    a, b, c, d = (row.source
                  for row in pages.fetch(openstack.cloud(), 9,
                                  thorough=True).rows)
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
    (row,) = pages.fetch(openstack.cloud(), 9).rows
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
    new, old = pages.fetch(cloud, 9).rows
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


@settings(max_examples=EXAMPLES)
@given(images=st.lists(st.integers(0, 12), max_size=25),
       snapshots=st.lists(st.integers(0, 12), max_size=25),
       backups=st.lists(st.integers(0, 12), max_size=5),
       size=st.integers(1, 8))
def test_each_snapshot_is_shown_once_and_in_order(images, snapshots, backups,
                                                  size):
    """Also when many of them were made within one second."""
    with fakes.faked() as openstack:
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
    first = pages.fetch(cloud, 6)
    assert names(first)[-1] == 'i7'
    openstack.image('late', at=100)
    gone = openstack.snapshots.pop(first.rows[-2].id)
    second = pages.fetch(cloud, 6, cursor=first.after)
    assert gone['name'] == 'v7'
    assert names(second) == ['v6', 'i6', 'v5', 'i5', 'v4', 'i4']


def test_a_deleted_marker_costs_time_but_loses_nothing(openstack):
    for number in range(40):
        openstack.snapshot(f'v{number}', at=number)
    cloud = openstack.cloud()
    first = pages.fetch(cloud, 20)
    openstack.snapshots.pop(first.after.markers['volume'])
    assert names(pages.fetch(cloud, 20, cursor=first.after)) == [
        f'v{number}' for number in range(19, -1, -1)]


def test_one_page_costs_two_rounds_whatever_the_project_holds(openstack):
    server, volume = openstack.server(), openstack.volume()
    for number in range(200):
        openstack.image(f'i{number}', at=number * 2,
                        instance_uuid=server['id'])
        openstack.snapshot(f'v{number}', at=number * 2 + 1,
                           volume_id=volume['id'])
    cloud = openstack.cloud()
    page = pages.fetch(cloud, 20)
    openstack.calls.clear()
    pages.fetch(cloud, 20, cursor=page.after)
    # Five streams, one instance, one volume.
    assert len(openstack.calls) == 7


@pytest.mark.parametrize('path, service, left', [
    ('/v2/images', 'image', ['v']), ('/v3/.*/snapshots', 'volume', ['i'])])
@pytest.mark.parametrize('status', [403, 500, 503])
def test_a_service_that_fails_leaves_the_rows_of_the_others(
        openstack, path, service, left, status):
    openstack.image('i', at=1)
    openstack.snapshot('v', at=2)
    openstack.faults['GET', path] = status
    page = pages.fetch(openstack.cloud(), 10)
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
    page = pages.fetch(openstack.cloud(endpoints), 10)
    assert names(page) == left
    assert [problem for problem in page.problems
            if problem.service == missing] == []


def chosen_set(openstack, name, at, snapshots, **properties):
    """What a run leaves that captured chosen volumes beside the image."""
    taken = {marks.TAKEN: str(int(moment(at).timestamp())),
             marks.INSTANCE: fakes.new_id(3),
             marks.INSTANCE_ID: fakes.new_id(3)}
    image = openstack.image(name, at, **taken, **marks.name_parts(
        [snapshot['id'] for snapshot in snapshots]), **properties)
    for snapshot in snapshots:
        snapshot['metadata'] = {**taken, marks.IMAGE: image['id']}
    return image


def moment(at):
    return datetime.datetime.fromisoformat(fakes.stamp(at))


def test_chosen_volumes_stand_below_the_image_of_their_run(openstack):
    parts = [openstack.snapshot('both', at=4, size=8),
             openstack.snapshot('both', at=4, size=2)]
    chosen_set(openstack, 'both', 5, parts, size=1024 ** 3)
    (row,) = pages.fetch(openstack.cloud(), 10).rows
    assert {part.id for part in row.parts} == {part['id'] for part in parts}
    assert row.size_bytes == 11 * 1024 ** 3
    assert row.status == 'active'
    parts[1]['status'] = 'error'
    (row,) = pages.fetch(openstack.cloud(), 10).rows
    assert row.status == 'incomplete'


@pytest.mark.parametrize('marked', [True, False])
def test_a_part_shows_on_no_page_while_its_image_exists(openstack, marked):
    """Also where the image stands on another page, much newer."""
    for number in range(12):
        part = openstack.snapshot(f'snapshot for set{number}', number)
        if marked:
            chosen_set(openstack, f'set{number}', number + 200, [part])
        else:
            openstack.set_image(f'set{number}', [part], number + 200)
    forward, back = walk(openstack.cloud(), 5)
    rows = [row for page in forward for row in page.rows]
    assert [row.kind for row in rows] == [kinds.Kind.INSTANCE] * 12
    assert [names(page) for page in back] == [
        names(page) for page in forward[:-1]]


@pytest.fixture
def left(openstack):
    """Volume snapshots that no image needs; two were parts, or may be."""
    openstack.snapshot('snapshot for gone', at=1)
    part = openstack.snapshot('both', at=2)
    openstack.images.pop(chosen_set(openstack, 'both', 3, [part])['id'])
    openstack.snapshot('by hand', at=3)


def orphans(cloud):
    return {row.name: row.orphaned.value
            for row in pages.fetch(cloud, 10).rows}


def test_what_is_left_of_a_set_is_told_when_that_is_certain(openstack, left):
    cloud = openstack.cloud()
    mappings.Index(cloud).update(1)
    assert orphans(cloud) == {'by hand': 'no', 'both': 'yes',
                              'snapshot for gone': 'maybe'}


def test_before_all_images_are_known_nothing_is_called_left_over(openstack,
                                                                 left):
    assert set(orphans(openstack.cloud()).values()) == {'no'}


def test_nothing_is_called_left_over_while_glance_is_down(openstack, left):
    cloud = openstack.cloud()
    mappings.Index(cloud).update(1)
    openstack.faults['GET', '/v2/images'] = 503
    assert set(orphans(cloud).values()) == {'no'}


@pytest.mark.parametrize('change', [
    {'name': 'renamed'}, {'os_hidden': True}, {'visibility': 'community'},
    {'bdm_v2': None}, {'name': 'a' * 255}, {'name': 'q"\\'}],
    ids=lambda change: next(iter(change)))
def test_a_part_of_a_set_that_was_changed_is_never_left_over(openstack,
                                                             change):
    part = openstack.snapshot('snapshot for db', at=1)
    image = openstack.set_image('db', [part], at=2)
    openstack.images[image['id']] = {
        key: value for key, value in {**image, **change}.items()
        if value is not None}
    cloud = openstack.cloud()
    assert 'maybe' not in orphans(cloud).values()
    mappings.Index(cloud).update(1)
    assert 'maybe' not in orphans(cloud).values()
    row = fetch.snapshot(cloud, f'volume-{part["id"]}')
    assert [owner.id for owner in row.owners] == [image['id']]


def test_what_is_called_like_a_part_by_its_owner_is_not_called_gone(
        openstack):
    openstack.snapshot('snapshot for release 1.2', at=1)
    cloud = openstack.cloud()
    mappings.Index(cloud).update(1)
    assert orphans(cloud) == {'snapshot for release 1.2': 'maybe'}


@pytest.mark.parametrize(('how', 'order'), [
    (lambda name: name, streams.Alphabet.CAPITALS),
    (str.lower, streams.Alphabet.LETTERS),
    (str.upper, streams.Alphabet.LETTERS),
    (lambda name: name[::-1], streams.Alphabet.OWN)])
def test_names_are_merged_as_the_services_sort_them(openstack, how, order):
    """Databases sort as their collation says, which no call tells."""
    openstack.collation = how
    names_there = ['alpha', 'Beta', '_x', 'gamma', 'Zeta', 'b_a', 'Bb', 'eta']
    for number, name in enumerate(names_there):
        make = openstack.image if number % 2 else openstack.snapshot
        make(name, number)
    page = pages.fetch(openstack.cloud(), 10,
                       queries.Query(sort=queries.Sort.NAME))
    assert page.alphabet is order
    if order is not streams.Alphabet.OWN:
        assert names(page) == sorted(names_there, key=how)
    assert sorted(names(page)) == sorted(names_there)


def test_names_with_commas_and_quotes_break_no_look_up(openstack):
    for number, name in enumerate(['a,b', 'c"d', 'e:f', 'g\\h']):
        part = openstack.snapshot(f'snapshot for {name}', number)
        openstack.set_image(name, [part], number + 1)
    page = pages.fetch(openstack.cloud(), 10)
    assert not page.problems
    assert sorted(names(page)) == sorted(['a,b', 'c"d', 'e:f', 'g\\h'])


@pytest.fixture
def mixed(openstack):
    """Some of everything that can be filtered."""
    server, volume = fakes.new_id(3), fakes.new_id(4)
    openstack.image('web', 1, instance_uuid=server)
    openstack.image('other', 2, instance_uuid=fakes.new_id(5),
                    status='saving')
    openstack.snapshot('data', 3, volume_id=volume)
    openstack.snapshot('broken', 4, status='error')
    openstack.snapshot('new', 5, status='creating')
    part = openstack.snapshot('snapshot for db', 6, status='error',
                              volume_id=volume)
    openstack.set_image('db', [part], 7)
    part = openstack.snapshot('both', 8, volume_id=volume)
    chosen_set(openstack, 'both', 9, [part])
    live = chosen_set(openstack, 'live', 10, [])
    live[marks.CONSISTENCY] = marks.LIVE
    # It has inherited the mark of the snapshot that it was launched from.
    openstack.image('clone', 11, **{
        **{key: value for key, value in live.items()
           if key.startswith('snapshot_dashboard_')},
        'instance_uuid': fakes.new_id(8)})
    return openstack


@pytest.mark.parametrize(('query', 'expected'), [
    (queries.Query(), ['clone', 'live', 'both', 'db', 'new', 'broken', 'data',
                       'other', 'web']),
    (queries.Query(sort=queries.Sort.OLDEST),
     ['web', 'other', 'data', 'broken', 'new', 'db', 'both', 'live',
      'clone']),
    (queries.Query(sort=queries.Sort.NAME),
     ['both', 'broken', 'clone', 'data', 'db', 'live', 'new', 'other',
      'web']),
    (queries.Query(kind=kinds.Kind.INSTANCE),
     ['clone', 'live', 'both', 'db', 'other', 'web']),
    (queries.Query(kind=kinds.Kind.VOLUME), ['new', 'broken', 'data']),
    (queries.Query(name='web'), ['web']),
    (queries.Query(name='data'), ['data']),
    (queries.Query(name='we'), []),
    (queries.Query(instance_id=fakes.new_id(3)), ['live', 'both', 'web']),
    (queries.Query(volume_id=fakes.new_id(4)), ['both', 'db', 'data']),
    (queries.Query(state=queries.State.MOVING), ['new', 'other']),
    (queries.Query(state=queries.State.FAILED), ['db', 'broken']),
    (queries.Query(consistency=marks.LIVE), ['live']),
    (queries.Query(since=datetime.datetime(2026, 3, 1, 12, 0, 9,
                                           tzinfo=datetime.UTC)),
     ['clone', 'live', 'both']),
], ids=str)
@pytest.mark.parametrize('size', [2, 20])
def test_a_filter_finds_all_that_there_is_on_whichever_page(
        mixed, query, expected, size):
    forward, back = walk(mixed.cloud(), size, query)
    assert sum(map(names, forward), []) == expected
    assert [names(page) for page in back] == [
        names(page) for page in forward[:-1]]


@settings(max_examples=EXAMPLES)
@given(things=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 3)),
                       max_size=30),
       size=st.integers(1, 6), sort=st.sampled_from(queries.Sort))
@example([(0, 0), *[(number, 3) for number in range(30)]], 1,
         queries.Sort.NAME)  # nothing but parts after the last row
def test_sets_and_singles_are_each_shown_once_in_any_order(things, size,
                                                           sort):
    with fakes.faked() as openstack:
        for number, (at, parts) in enumerate(things):
            openstack.set_image(f'n{number:02}', [
                openstack.snapshot(f'snapshot for n{number:02}', at)
                for _ in range(parts)], at + 1
            ) if parts else openstack.snapshot(f'n{number:02}', at)
        forward, back = walk(openstack.cloud(), size, queries.Query(sort=sort))
        rows = [row for page in forward for row in page.rows]
        assert sorted(row.name for row in rows) == [
            f'n{number:02}' for number in range(len(things))]
        assert all(len(page.rows) == size for page in forward[:-1])
        order = ((lambda row: row.name) if sort is queries.Sort.NAME
                 else lambda row: row.order)
        assert rows == sorted(rows, key=order,
                              reverse=sort is queries.Sort.NEWEST)
        assert [names(page) for page in back] == [
            names(page) for page in forward[:-1]]


@pytest.mark.parametrize(('text', 'found'), [
    ('WEB', {'web-1', 'Web-2', 'old web'}), ('b-1', {'web-1', 'db-1'}),
    (' db-1 ', {'db-1'}), ('straße', {'STRASSE'}), ('', None), ('%', set()),
    ('.*', set()), (fakes.new_id(77), {'by its id'})])
def test_a_part_of_a_name_is_found_in_both_kinds(openstack, text, found):
    openstack.image('web-1', 1)
    openstack.snapshot('Web-2', 2)
    openstack.image('STRASSE', 3)
    openstack.set_image('db-1', [openstack.snapshot('of db-1', 4)], 5)
    openstack.snapshot('old web', 6)
    openstack.image('by its id', 7)['id'] = fakes.new_id(77)
    every = {'web-1', 'Web-2', 'STRASSE', 'db-1', 'old web', 'by its id'}
    page = pages.fetch(openstack.cloud(), 20, queries.Query(text=text))
    assert set(names(page)) == (every if found is None else found)
    assert page.searched is None and page.after is None


@pytest.mark.parametrize('sort', queries.Sort)
def test_what_is_looked_for_is_found_once_however_far_one_looks(openstack,
                                                                sort):
    openstack.max_limit = 1000
    for number in range(1500):
        name = f'web-{number:04}' if number % 250 == 7 else f'x-{number:04}'
        openstack.image(name, number)
        openstack.snapshot(f'snapshot {name}', number)
    query, cloud = queries.Query(text='WEB-', sort=sort), openstack.cloud()
    found, searched, cursor = [], [], None
    while not searched or cursor:
        page = pages.fetch(cloud, 20, query, cursor)
        found += names(page)
        searched.append(page.searched)
        cursor = page.after
    assert len(found) == len(set(found)) == 12
    *on_the_way, last = searched
    assert len(on_the_way) >= 2 and last is None
    place = {queries.Sort.NAME: lambda entry: entry.name.lower(),
             queries.Sort.OLDEST: lambda entry: entry.created,
             queries.Sort.NEWEST: lambda entry: -entry.created.timestamp()}
    places = [place[sort](entry) for entry in on_the_way]
    assert places == sorted(places)


def test_looking_further_costs_a_bounded_number_of_calls(openstack):
    openstack.max_limit = 1000
    for number in range(3000):
        openstack.image(f'x-{number}', number)
    cloud = openstack.cloud()
    openstack.calls.clear()
    page = pages.fetch(cloud, 20, queries.Query(text='nowhere'))
    assert page.rows == () and page.after and page.searched
    assert len(openstack.calls) <= 24
    openstack.calls.clear()
    pages.fetch(cloud, 100, queries.Query(text='nowhere'))
    assert len(openstack.calls) <= 24


def test_a_page_by_name_whose_place_is_gone_says_so(openstack):
    for number in range(60):
        openstack.image(f'i{number:02}', number)
    cloud, query = openstack.cloud(), queries.Query(sort=queries.Sort.NAME)
    first = pages.fetch(cloud, 5, query)
    openstack.images.pop(first.after.markers['snapshot'])
    with pytest.raises(errors.ServiceError):
        pages.fetch(cloud, 5, query, first.after)


class Kept(row_builder.SourceCache):
    """Keeps names for as long as it lives."""

    def __init__(self):
        self.known = {}

    def find(self, keys):
        return {key: self.known[key] for key in keys if key in self.known}

    def keep(self, found):
        self.known.update(found)


def test_more_names_than_a_page_may_ask_for_are_left_to_the_next_request(
        openstack):
    for number in range(20):
        server = openstack.server(f'web-{number}')
        openstack.image(f'i{number}', number, instance_uuid=server['id'])
    cloud, known = openstack.cloud(), Kept()
    openstack.calls.clear()
    page = pages.fetch(cloud, 20, names=known)
    assert page.unnamed and len(openstack.calls) == 5
    assert {row.source.name for row in page.rows} == {''}
    page = pages.fetch(cloud, 20, names=known, thorough=True)
    assert not page.unnamed
    assert page.rows[0].source.name == 'web-19'
    openstack.calls.clear()
    page = pages.fetch(cloud, 20, names=known)
    assert not page.unnamed and len(openstack.calls) == 5
    assert page.rows[0].source.name == 'web-19'


@pytest.mark.parametrize('query', [
    queries.Query(), queries.Query(sort=queries.Sort.NAME),
    queries.Query(state=queries.State.FAILED),
    queries.Query(volume_id=fakes.new_id(4)),
    queries.Query(kind=kinds.Kind.INSTANCE),
    queries.Query(instance_id=fakes.new_id(3))], ids=str)
def test_a_page_takes_two_rounds_and_leaves_one_of_eight_calls(mixed, query):
    for number in range(60):
        mixed.snapshot(f'snapshot for lost{number}', number)
        mixed.image(f'i{number}', number, instance_uuid=fakes.new_id())
        chosen_set(mixed, f'c{number}', number + 900, [
            mixed.snapshot(f'c{number}', number, volume_id=fakes.new_id(4),
                           status='error')])
    cloud, rounds = mixed.cloud(), []
    gather = cloud.gather

    def counted(*calls):
        if calls:
            rounds.append(len(calls))
        return gather(*calls)

    cloud.gather = counted
    for cursor in (None, pages.fetch(cloud, 20, query).after):
        rounds.clear()
        mixed.calls.clear()
        pages.fetch(cloud, 20, query, cursor)
        assert len(rounds) <= 2 and len(mixed.calls) <= 7
