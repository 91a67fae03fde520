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

"""With a bound Glance looks at less, and says the same."""

import datetime
from urllib import parse

import hypothesis
from hypothesis import strategies
import pytest

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.snapshots import newest
from snapshot_dashboard.snapshots.listing import pages
from tests import fakes
from tests.unit import examples

FILTERS = {'owner': fakes.PROJECT, 'image_type': 'backup'}


def asked(openstack):
    """The bounds of the questions so far; empty for none."""
    found = [dict(parse.parse_qsl(parse.urlsplit(request.url).query))
             for request in openstack.requests]
    return [query.get('created_at', query.get('updated_at', ''))
            for query in found if 'image_type' in query]


@pytest.fixture
def cloud(openstack, monkeypatch):
    monkeypatch.setattr(newest, '_CLOCKS_DIFFER', datetime.timedelta())
    return openstack.cloud()


def look(cloud, limit=2):
    return [image.name for image in newest.images(cloud, limit, FILTERS)]


def backup(openstack, name, at):
    return openstack.image(name, at, image_type='backup')


def test_the_oldest_of_the_last_answer_is_the_bound(openstack, cloud):
    for at in (1, 2, 3):
        backup(openstack, f'b{at}', at)
    assert look(cloud) == look(cloud) == ['b3', 'b2']
    assert asked(openstack) == ['', f'gte:{fakes.stamp(2)}']


def test_what_is_new_is_there_at_once(openstack, cloud):
    for at in (1, 2):
        backup(openstack, f'b{at}', at)
    look(cloud)
    backup(openstack, 'b9', 9)
    assert look(cloud) == ['b9', 'b2']
    assert len(asked(openstack)) == 2


def test_when_one_is_gone_it_is_asked_without_a_bound(openstack, cloud):
    first, second, third = (backup(openstack, f'b{at}', at)
                            for at in (1, 2, 3))
    look(cloud)
    del openstack.images[third['id']]
    assert look(cloud) == ['b2', 'b1']
    assert look(cloud) == ['b2', 'b1']
    assert asked(openstack)[2:] == ['', f'gte:{fakes.stamp(1)}']


def test_where_there_were_none_what_has_changed_is_looked_at(openstack,
                                                             cloud):
    old = openstack.image('old', 0)
    assert look(cloud) == look(cloud) == []
    assert asked(openstack) == ['', f'gte:{fakes.stamp(openstack.changes)}']
    old.update({'image_type': 'backup', 'updated_at': openstack.changed()})
    assert look(cloud) == ['old']


def test_clocks_that_differ_hide_nothing(openstack):
    """Of the gateway, by whose clock it is, and of Glance's database."""
    cloud = openstack.cloud()
    openstack.now = 3000
    assert look(cloud) == []
    backup(openstack, 'early', 0)
    assert look(cloud) == ['early']


@pytest.mark.parametrize('header', ['', 'yesterday', 'Mon, 1 x'])
def test_without_a_time_there_is_no_bound(openstack, cloud, monkeypatch,
                                          header):
    monkeypatch.setattr(fakes.utils, 'format_datetime',
                        lambda *args, **options: header)
    look(cloud)
    look(cloud)
    assert asked(openstack) == ['', '']


def test_an_error_is_no_answer(openstack, cloud):
    backup(openstack, 'b1', 1)
    backup(openstack, 'b2', 2)
    look(cloud)
    openstack.faults['GET', '/v2/images'] = 503
    with pytest.raises(errors.ServiceError):
        look(cloud)
    openstack.faults.clear()
    assert look(cloud) == ['b2', 'b1']


@pytest.mark.parametrize(('name', 'value'), [
    ('project_id', 'other'),
    # A policy may hide from one user what another one sees.
    ('user_id', 'bob')])
def test_who_asks_from_elsewhere_has_bounds_of_its_own(openstack, cloud, name,
                                                       value):
    look(cloud)
    other = openstack.cloud()
    other.memory = cloud.memory
    setattr(other, name, value)
    look(other)
    assert asked(openstack) == ['', '']


def test_a_bound_follows_what_is_new(openstack, cloud):
    """So it lasts as long as somebody looks, and spares as much."""
    for at in range(1, 6):
        backup(openstack, f'b{at}', at)
        look(cloud)
    assert asked(openstack)[-1] == f'gte:{fakes.stamp(3)}'


@pytest.mark.parametrize('kept', ['text', 7, None, {}])
def test_what_another_release_has_kept_is_not_read(openstack, cloud, kept):
    backup(openstack, 'b1', 1)
    look(cloud)
    (key,) = cloud.memory._kept
    cloud.memory.keep({key: kept}, 60)
    assert look(cloud) == ['b1']


def test_a_bound_that_is_refused_is_left_out(openstack, cloud):
    for at in (1, 2):
        backup(openstack, f'b{at}', at)
    look(cloud)
    (key,) = cloud.memory._kept
    cloud.memory.keep({key: {'created_at': 'gte:nonsense'}}, 60)
    openstack.faults['GET', 'nonsense'] = 400
    assert look(cloud) == ['b2', 'b1']


def test_the_list_asks_with_bounds_the_second_time(openstack):
    for at in range(40):
        openstack.image(f'i{at}', at)
    cloud = openstack.cloud()
    first = pages.fetch(cloud, 20)
    before = len(asked(openstack))
    assert pages.fetch(cloud, 20).rows == first.rows
    again = asked(openstack)[before:]
    # What others share with it is not among what has changed.
    assert sorted(map(bool, again)) == [False, True, True]


OPERATIONS = strategies.lists(strategies.tuples(
    strategies.sampled_from(['make', 'delete', 'turn', 'hide', 'look']),
    strategies.integers(0, 12)), max_size=40)


@hypothesis.settings(max_examples=examples.EXAMPLES, deadline=None)
@hypothesis.given(OPERATIONS, strategies.integers(1, 4),
                  strategies.booleans())
def test_whatever_happens_meanwhile_the_answers_are_the_same(
        operations, limit, ascending):
    with fakes.faked() as openstack, pytest.MonkeyPatch.context() as patch:
        patch.setattr(newest, '_CLOCKS_DIFFER', datetime.timedelta())
        cloud = openstack.cloud()
        cloud.memory = services.Memory()
        for what, number in operations:
            there = list(openstack.images.values())
            if what == 'make':
                backup(openstack, f'b{number}', number)
            elif what == 'look':
                assert newest.images(cloud, limit, FILTERS, ascending) == (
                    cloud.images.images(limit, FILTERS, ascending=ascending))
            elif there:
                image = there[number % len(there)]
                if what == 'delete':
                    del openstack.images[image['id']]
                elif what == 'turn':
                    other = image['image_type'] == 'backup'
                    image['image_type'] = 'snapshot' if other else 'backup'
                else:
                    image['os_hidden'] = not image['os_hidden']
                image['updated_at'] = openstack.changed()
