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

"""The list, the facts and the rights on the real services."""

import dataclasses
import datetime
import time

import pytest

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.preflight import disk_facts
from snapshot_dashboard.preflight import instance_facts
from snapshot_dashboard.preflight import obstacles
from snapshot_dashboard.snapshots import fetch
from snapshot_dashboard.snapshots import health
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import usage
from snapshot_dashboard.snapshots.listing import pages
from snapshot_dashboard.snapshots.listing import queries
from tests.cloud import seed
from tests.scenario.clouds import delete_snapshots


def everything(cloud, size=100, **asked):
    query = queries.Query(**asked)
    page = pages.fetch(cloud, size, query, thorough=True)
    rows = list(page.rows)
    assert page.problems == ()
    while page.after:
        page = pages.fetch(cloud, size, query, page.after, thorough=True)
        rows += page.rows
    return rows


def test_the_sample_data_is_listed_of_both_kinds(alice):
    rows = {row.name: row for row in everything(alice)}
    assert rows['web-1-2026-01-15'].source.name == 'web-1'
    assert len(rows['db-1-before-upgrade'].parts) == 2
    assert rows['retired-1-final'].source.exists is False
    assert rows['archive-2026-01'].source.name == 'archive'
    assert rows['scratch-broken'].status == 'error'
    assert not any(name.startswith('snapshot for ') for name in rows)


def test_small_pages_hold_the_same_rows_as_a_large_one(alice):
    whole = [row.row_id for row in everything(alice)]
    assert len(whole) >= 6
    for size in (1, 2, 4):
        assert [row.row_id for row in everything(alice, size)] == whole


def test_walking_back_on_real_services_gives_the_same_page(alice):
    first = pages.fetch(alice, 2)
    second = pages.fetch(alice, 2, cursor=first.after)
    assert pages.fetch(alice, 2, cursor=second.before).rows == first.rows


@pytest.mark.parametrize('size', [2, 100])
def test_real_services_find_by_each_filter_and_sort_by_name(alice, size):
    def names(**asked):
        return [row.name for row in everything(alice, size, **asked)]

    every = names()
    assert sorted(names(sort=queries.Sort.OLDEST)) == sorted(every)
    assert names(sort=queries.Sort.OLDEST) == every[::-1]
    assert names(sort=queries.Sort.NAME) == sorted(every)
    assert names(kind=kinds.Kind.VOLUME) == [
        'scratch-broken', 'scratch-1', 'archive-2026-01']
    assert names(name='scratch-1') == ['scratch-1']
    assert names(name='db-1-before-upgrade') == ['db-1-before-upgrade']
    assert names(state=queries.State.FAILED) == ['scratch-broken']
    assert set(every) - set(names(state=queries.State.READY)) == {
        'scratch-broken'}
    assert names(state=queries.State.MOVING) == []
    assert names(instance_id=alice.find('web-1').id) == ['web-1-2026-01-15']
    archive = next(row.source.id for row in everything(alice)
                   if row.name == 'archive-2026-01')
    assert names(volume_id=archive) == ['archive-2026-01']
    assert names(consistency=marks.POWERED_OFF) == []
    data, = (row for row in everything(alice)
             if row.name == 'db-1-before-upgrade')
    assert names(volume_id=data.parts[0].volume_id) == [
        'db-1-before-upgrade']
    later = datetime.datetime.now(datetime.UTC)
    assert names(since=later) == []
    assert names(since=later - datetime.timedelta(days=1)) == every


def test_the_health_of_the_sample_data_is_looked_at(alice):
    found = health.check(alice, time.time(), datetime.date.today())
    assert [row.name for row in found.failed] == ['scratch-broken']
    assert not found.problems
    assert not dataclasses.replace(found, failed=()).found
    used = usage.of_project(alice).quotas
    assert used['snapshots'].used >= 5
    assert used['image_count_total'].used >= 3


def test_other_projects_see_their_own_snapshots_only(alice, carol):
    mine = {row.name for row in everything(alice)}
    theirs = {row.name for row in everything(carol)}
    assert {'other-1-monday', 'secret-plans-1'} <= theirs
    assert mine.isdisjoint(theirs)


def test_the_disks_of_an_instance_are_known(alice):
    facts = instance_facts.gather(alice, alice.find('web-1').id)
    assert [(disk.role, disk.fate, disk.size_mib) for disk in facts.disks
            ] == [
        (disk_facts.Role.ROOT, disk_facts.Fate.CAPTURED, 10 * 1024),
        (disk_facts.Role.EPHEMERAL, disk_facts.Fate.NOT_CAPTURED, 20 * 1024),
        (disk_facts.Role.SWAP, disk_facts.Fate.EMPTY, 1024),
        (disk_facts.Role.VOLUME, disk_facts.Fate.NOT_CAPTURED, 5 * 1024)]
    facts = instance_facts.gather(alice, alice.find('db-1').id)
    assert [(disk.role, disk.fate, disk.size_mib) for disk in facts.disks
            ] == [
        (disk_facts.Role.ROOT, disk_facts.Fate.CAPTURED, 10 * 1024),
        (disk_facts.Role.VOLUME, disk_facts.Fate.CAPTURED, 8 * 1024)]


def test_quotas_are_known_to_every_reader(rita):
    assert rita.volumes.quotas()['snapshots'].limit == (
        seed.QUOTAS['snapshots'])
    assert rita.images.usage()['image_count_total'].limit == 1000


@pytest.mark.parametrize('resource, code', [
    ('snapshots', obstacles.Code.QUOTA_SNAPSHOTS),
    ('gigabytes', obstacles.Code.QUOTA_GIGABYTES)])
def test_a_full_quota_is_known_before_anything_is_done(alice, admin,
                                                       resource, code):
    server = alice.find('db-1')
    used = alice.volumes.quotas()[resource].used
    admin.set_volume_quotas('demo', **{resource: used + 1})
    try:
        found = instance_facts.find_obstacles(
            instance_facts.gather(alice, server.id))
        assert [obstacle.code for obstacle in found] == [code]
    finally:
        admin.set_volume_quotas(seed.PROJECT, **seed.QUOTAS)


def test_a_reader_is_refused_every_write(alice, rita):
    server = alice.find('web-1')
    rows = {row.name: row for row in everything(rita)}
    for write in (
            lambda: rita.begin(server, 'no'),
            lambda: rita.compute.create_image(server.id, 'no', {}),
            lambda: rita.compute.stop(server.id),
            lambda: delete_snapshots(rita, rows['web-1-2026-01-15']),
            lambda: delete_snapshots(rita, rows['archive-2026-01'])):
        with pytest.raises(errors.Forbidden):
            write()


def test_a_stranger_reaches_nothing(alice, carol):
    server = alice.find('web-1')
    with pytest.raises(errors.NotFound):
        instance_facts.gather(carol, server.id)
    for row in everything(alice):
        with pytest.raises(errors.NotFound):
            fetch.snapshot(carol, row.row_id)
