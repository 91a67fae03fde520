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

"""Deleting: no snapshot that is whole is broken unnoticed."""

import json

import pytest

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.snapshots import deletion
from snapshot_dashboard.snapshots import fetch
from snapshot_dashboard.snapshots import sets
from tests import fakes


def rows(cloud, *bodies):
    return [fetch.snapshot(
        cloud, f'{"instance" if "owner" in body else "volume"}-{body["id"]}')
        for body in bodies]


def delete(cloud, *bodies, agreed=()):
    """What became of each."""
    plan = deletion.plan(cloud, rows(cloud, *bodies))
    return [outcome for _, outcome in deletion.carry_out(cloud, plan, agreed)]


def copied(openstack, image, **fields):
    """Another image that needs the same volume snapshots."""
    body = {key: value for key, value in image.items()
            if key not in ('id', 'name')}
    return openstack.image('copy', **{'image_type': None, **body, **fields})


def test_a_set_is_deleted_as_a_whole_the_image_first(openstack):
    parts = [openstack.snapshot('a'), openstack.snapshot('b')]
    image = openstack.set_image('db', parts)
    assert delete(openstack.cloud(), image) == [[]]
    paths = [path.rpartition('/')[2] for method, path in openstack.writes()]
    assert paths[0] == image['id']
    # These go at the same time.
    assert sorted(paths[1:]) == sorted(part['id'] for part in parts)


def test_a_part_that_is_gone_does_not_stop_the_deletion(openstack):
    parts = [openstack.snapshot('a'), openstack.snapshot('b')]
    image = openstack.set_image('db', parts)
    openstack.snapshots.pop(parts[0]['id'])
    assert delete(openstack.cloud(), image) == [[]]
    assert openstack.snapshots[parts[1]['id']]['status'] == 'deleting'


def test_an_image_that_glance_keeps_keeps_all_its_parts(openstack):
    part = openstack.snapshot('a')
    image = openstack.set_image('db', [part])
    cloud = openstack.cloud()
    plan = deletion.plan(cloud, rows(cloud, image, part))
    openstack.faults['DELETE', '/v2/images/'] = 403
    (_, first), (_, second) = deletion.carry_out(cloud, plan)
    assert isinstance(first, errors.Forbidden)
    assert second is deletion.Hindrance.NEEDED
    assert part['status'] == 'available'


@pytest.mark.parametrize('change', [
    {}, {'os_hidden': True}, {'visibility': 'community'}, {'bdm_v2': None},
    {'status': 'deactivated'}], ids=str)
def test_a_part_that_another_image_needs_stays(openstack, change):
    part, own = openstack.snapshot('shared'), openstack.snapshot('own')
    image = openstack.set_image('db', [part, own])
    other = copied(openstack, image, **change, block_device_mapping=json.dumps(
        json.loads(image['block_device_mapping'])[:2]))
    cloud = openstack.cloud()
    (entry,) = deletion.plan(cloud, rows(cloud, image)).entries
    assert [owner.id for owner in entry.needed[part['id']]] == [other['id']]
    assert delete(cloud, image) == [[]]
    assert (part['status'], own['status']) == ('available', 'deleting')
    # With the last one it goes, too.
    assert delete(cloud, other) == [[]]
    assert part['status'] == 'deleting'


def test_a_mapping_of_the_old_form_counts(openstack):
    part = openstack.snapshot('root')
    openstack.image('old', size=0, root_device_name='/dev/vda',
                    block_device_mapping=json.dumps([
                        {'device_name': 'vda', 'snapshot_id': part['id']}]))
    assert delete(openstack.cloud(), part) == [deletion.Hindrance.NEEDED]
    assert openstack.writes() == []


def test_sets_that_share_a_part_go_together(openstack):
    part = openstack.snapshot('shared')
    image = openstack.set_image('db', [part])
    other = copied(openstack, image)
    assert delete(openstack.cloud(), image, other) == [[], []]
    assert part['status'] == 'deleting' and openstack.images == {}


def test_a_part_goes_alone_only_when_that_is_agreed_to(openstack):
    part = openstack.snapshot('data')
    image = openstack.set_image('renamed', [openstack.snapshot('root'), part])
    cloud = openstack.cloud()
    (entry,) = deletion.plan(cloud, rows(cloud, part)).entries
    assert [owner.name for owner in entry.breaks] == ['renamed']
    assert delete(cloud, part) == [deletion.Hindrance.NEEDED]
    other = openstack.snapshot('other')
    for pair in ((part['id'], fakes.new_id()), (other['id'], image['id'])):
        assert delete(cloud, part, agreed=[pair]) == [
            deletion.Hindrance.NEEDED]
    assert part['status'] == 'available'
    assert delete(cloud, part, agreed=[(part['id'], image['id'])]) == [[]]
    assert part['status'] == 'deleting'


def test_agreeing_to_one_part_lets_no_other_one_go(openstack):
    first, second = openstack.snapshot('a'), openstack.snapshot('b')
    image = openstack.set_image('db', [first, second])
    assert delete(openstack.cloud(), first, second, agreed=[
        (first['id'], image['id'])]) == [[], deletion.Hindrance.NEEDED]
    assert second['status'] == 'available'


def test_a_part_of_a_protected_set_stays(openstack):
    part = openstack.snapshot('data')
    image = openstack.set_image('db', [part], protected=True)
    assert delete(openstack.cloud(), part, agreed=[
        (part['id'], image['id'])]) == [deletion.Hindrance.OWNER_PROTECTED]
    assert openstack.writes() == []


@pytest.mark.parametrize('change', [
    {'snapshot_dashboard_taken': '7'}, {'instance_uuid': None}],
    ids=['the clocks differ', 'somebody edited it'])
def test_an_image_that_names_a_part_counts_though_its_marks_are_doubtful(
        openstack, change):
    part, server = openstack.snapshot('data'), fakes.new_id()
    marked = {marks.TAKEN: str(int(fakes.seconds(1))), marks.INSTANCE: server,
              marks.INSTANCE_ID: server}
    image = openstack.image('web', 1, **{
        **marked, **marks.name_parts([part['id']]), **change})
    part['metadata'] = {**marked, marks.IMAGE: image['id']}
    cloud = openstack.cloud()
    assert delete(cloud, part) == [deletion.Hindrance.NEEDED]
    assert rows(cloud, part)[0].orphaned is sets.Orphaned.NO


def test_every_part_of_a_very_large_set_counts(openstack):
    parts = [openstack.snapshot(f'p-{number}') for number in range(70)]
    image = openstack.set_image('large', parts[:1])
    image['block_device_mapping'] = json.dumps([
        {'source_type': 'snapshot', 'snapshot_id': part['id'],
         'boot_index': '0' if part is parts[0] else None}
        for part in parts])
    cloud = openstack.cloud()
    assert delete(cloud, parts[-1]) == [deletion.Hindrance.NEEDED]
    # Not all of them can be shown, so it does not go as a whole.
    assert delete(cloud, image) == [deletion.Hindrance.PARTS_UNKNOWN]
    assert openstack.writes() == []


def test_another_regions_glance_may_need_it(openstack):
    part = openstack.snapshot('data')
    openstack.set_image('db', [part])
    cloud = openstack.cloud({
        'compute': fakes.NOVA, 'volume': openstack.cloud().address('volume')})
    assert delete(cloud, part) == [deletion.Hindrance.NEEDS_UNKNOWN]


def test_no_more_goes_than_was_shown(openstack):
    part = openstack.snapshot('shared')
    image, other = (openstack.set_image(name, [part]) for name in 'ab')
    cloud = openstack.cloud()
    assert not deletion.plan(cloud, rows(cloud, image)).entries[0].going
    del openstack.images[other['id']]  # between the plan and the button
    plan = deletion.plan(cloud, rows(cloud, image))
    ((_, outcome),) = deletion.carry_out(cloud, plan, shown=[])
    assert [stayed.id for stayed, _ in outcome] == [part['id']]
    assert part['status'] == 'available'


def test_an_image_that_came_after_the_plan_is_seen(openstack):
    part = openstack.snapshot('data')
    cloud = openstack.cloud()
    assert deletion.plan(cloud, rows(cloud, part)).entries[0].breaks == ()
    openstack.set_image('late', [part])
    assert delete(cloud, part) == [deletion.Hindrance.NEEDED]


@pytest.mark.parametrize('where', ['list', 'image'])
def test_nothing_goes_while_glance_does_not_tell_who_needs_it(openstack,
                                                              where):
    part = openstack.snapshot('data')
    image = openstack.set_image('db', [part])
    openstack.images[copied(openstack, image)['id']]['os_hidden'] = True
    cloud = openstack.cloud()
    found = rows(cloud, part, image)
    openstack.faults['GET', '/v2/images$' if where == 'list' else
                     '/v2/images'] = 503
    plan = deletion.plan(cloud, found)
    assert {entry.hindrance for entry in plan.entries} == {
        deletion.Hindrance.NEEDS_UNKNOWN}
    assert plan.problems
    assert [outcome for _, outcome in deletion.carry_out(cloud, plan)] == [
        deletion.Hindrance.NEEDS_UNKNOWN] * 2
    assert openstack.writes() == []


def test_more_images_than_may_be_gone_through_let_nothing_go(openstack,
                                                             monkeypatch):
    part = openstack.snapshot('data')
    for number in range(15):
        openstack.image(f'image-{number}')
    openstack.max_limit = 2
    monkeypatch.setattr(deletion, '_PAGES', 2)
    cloud = openstack.cloud()
    assert delete(cloud, part) == [deletion.Hindrance.NEEDS_UNKNOWN]
    # But the next times go on where this one has ended.
    assert [[]] in [delete(cloud, part) for _ in range(3)]


def test_a_set_of_which_a_part_is_not_known_stays_as_it_is(openstack):
    """It may be another project's, which an administrator can delete."""
    part = openstack.snapshot('a')
    image = openstack.set_image('db', [part])
    openstack.faults['GET', '/snapshots/'] = 503
    assert delete(openstack.cloud(), image) == [
        deletion.Hindrance.PARTS_UNKNOWN]
    assert openstack.writes() == []


@pytest.mark.parametrize(('fields', 'why'), [
    ({'status': 'backing-up'}, deletion.Hindrance.BACKUP),
    ({'status': 'restoring'}, deletion.Hindrance.BACKUP),
    ({'status': 'unmanaging'}, deletion.Hindrance.DELETING),
    ({'status': 'deleting'}, deletion.Hindrance.DELETING),
    ({'group_snapshot_id': 'g'}, deletion.Hindrance.GROUP)], ids=str)
def test_what_cinder_would_refuse_is_not_asked_for(openstack, fields, why):
    assert delete(openstack.cloud(),
                  openstack.snapshot('v', **fields)) == [why]
    assert openstack.writes() == []


def test_without_a_part_nothing_is_gone_through(openstack):
    image = openstack.image('local disk')
    cloud = openstack.cloud()
    found = rows(cloud, image)
    before = len(openstack.calls)
    deletion.plan(cloud, found)
    assert len(openstack.calls) == before
