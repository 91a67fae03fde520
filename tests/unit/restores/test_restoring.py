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

import json

import pytest

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.restores import circumstances
from snapshot_dashboard.restores import restore
from snapshot_dashboard.restores import restoring
from snapshot_dashboard.restores import sight
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import record
from tests import fakes
from tests.unit.restores import world

KINDS = pytest.mark.parametrize('volume_backed', [False, True],
                                ids=['image', 'volumes'])


@pytest.fixture
def made(openstack):
    def make(volume_backed, **options):
        return world.World(openstack, volume_backed, **options)
    return make


@KINDS
def test_an_instance_goes_back_and_its_present_state_is_saved_first(
        made, volume_backed):
    here = made(volume_backed)
    here.begin()
    found = here.finish()
    assert not found.progress.failure
    assert set(here.content()) == {'A'}
    assert set(here.safety_holds(found)) == {'B'}
    assert here.server['status'] == 'ACTIVE'
    assert not here.image['protected']
    assert here.run() is None


def good(here, found, safety=True):
    """What must be so after a restore that nobody interfered with."""
    assert not found.progress.failure, found.progress
    assert set(here.content()) == {'A'}
    if safety:
        assert set(here.safety_holds(found)) == {'B'}
    assert here.server['status'] == 'ACTIVE'
    left_nothing(here)


def left_nothing(here):
    """No pointer, no lock, no tag of what is under way, nothing mislabelled.
    """
    assert not here.image['protected']
    assert not [image for image in here.openstack.images.values()
                if circumstances.POINTER in image]
    assert not {record.RESTORING, record.RESTORING_ON} & set(
        here.server['tags'])
    assert not [volume for volume in here.openstack.volumes.values()
                if volume['status'] == 'available'
                and sight.MADE_BY in volume['metadata']]
    for number, volume in enumerate(here.volumes):
        assert volume['status'] == 'in-use'
        assert volume['bootable'] == str(number == 0).lower()
        assert volume['volume_image_metadata'] == (
            {'os_type': 'linux'} if number == 0 else {})


def calls(volume_backed, safety):
    """How many calls an undisturbed restore takes."""
    with fakes.faked() as openstack:
        here = world.World(openstack, volume_backed)
        here.begin(safety)
        before = len(openstack.calls)
        here.finish()
        return len(openstack.calls) - before


def played(volume_backed, safety, number, fault):
    """A restore of which one call fails, or is done and its answer lost."""
    with fakes.faked() as openstack:
        here = world.World(openstack, volume_backed)
        here.begin(safety)
        at = len(openstack.calls) + number
        if fault == 'lost':
            openstack.lose_at = at
        else:
            openstack.fail_at = at, fault
        return here, here.finish()


@pytest.mark.parametrize(('fault', 'first', 'every'), [
    ('lost', 0, 1), (503, 0, 3), (429, 1, 3), (409, 2, 3)])
@KINDS
def test_no_fault_at_any_call_loses_anything(volume_backed, fault, first,
                                             every):
    count = calls(volume_backed, safety=False)
    assert count > 20
    for number in range(first, count, every):
        here, found = played(volume_backed, False, number, fault)
        good(here, found, safety=False)


@pytest.mark.parametrize('fault', [503, 'lost'])
@KINDS
def test_no_fault_while_the_present_state_is_saved_loses_anything(
        volume_backed, fault):
    """Every thirteenth call, for the run that saves it has its own tests."""
    for number in range(0, calls(volume_backed, safety=True), 13):
        here, found = played(volume_backed, True, number, fault)
        good(here, found)


def untouched(here):
    """Nothing was overwritten, and the instance runs as before."""
    assert set(here.content()) == {'B'}
    assert here.server['status'] == 'ACTIVE'
    left_nothing(here)


@KINDS
def test_who_looks_twice_at_the_same_time_does_nothing_twice(made,
                                                             volume_backed):
    here = made(volume_backed)
    here.begin()
    good(here, here.finish(meanwhile=lambda number: here.advance()))
    done = here.openstack.actions()
    for action in ('rebuild', 'shelve', 'unshelve', 'createImage'):
        assert done.count(action) <= 1


@KINDS
@pytest.mark.parametrize('status', ['ACTIVE', 'SHUTOFF'])
@pytest.mark.parametrize('run_again', [True, False])
def test_afterwards_it_runs_or_is_off_as_its_user_wished(
        made, volume_backed, status, run_again):
    here = made(volume_backed, status=status)
    here.begin(run_again=run_again)
    found = here.finish()
    assert not found.progress.failure and set(here.content()) == {'A'}
    here.tick()
    assert here.server['status'] == ('ACTIVE' if run_again else 'SHUTOFF')


@KINDS
@pytest.mark.parametrize('looks', range(4))
@pytest.mark.parametrize('safety', [True, False])
def test_it_can_be_given_up_until_something_is_overwritten(
        made, volume_backed, looks, safety):
    here = made(volume_backed)
    here.begin(safety)
    for _ in range(looks):
        here.advance()
        here.tick()
    if not here.recorded().can_cancel:
        with pytest.raises(errors.Conflict):
            restoring.cancel(here.cloud, here.recorded(), here.clock)
        return
    restoring.cancel(here.cloud, here.recorded(), here.clock)
    found = here.finish()
    assert found.cancelled
    here.tick()
    untouched(here)


@KINDS
def test_who_gives_it_up_at_the_moment_it_is_overwritten_is_not_deceived(
        made, volume_backed):
    here = made(volume_backed)
    here.begin(safety=False)
    while here.recorded().can_cancel:
        before = dict(here.image)
        here.advance()
        here.tick()
    # Glance has lost what was noted, as of two who write at once it may.
    for name in [name for name in here.image if 'overwrite_at' in name
                 or 'rebuild_count' in name or 'copy_count' in name]:
        here.image.pop(name)
        if name in before:
            here.image[name] = before[name]
    restoring.cancel(here.cloud, here.recorded(), here.clock)
    good(here, here.finish(), safety=False)


@KINDS
def test_what_others_write_on_its_disks_meanwhile_is_not_overwritten(
        made, volume_backed):
    here = made(volume_backed)
    here.begin()

    def start(number):
        if here.recorded().progress.safety_id == '' and (
                here.run() and not here.run().open):
            here.server['status'] = 'ACTIVE'
            here.openstack.did(here.server, 'start', at=here.after)
            here.write('C')
    found = here.finish(meanwhile=start)
    assert found.progress.failure == 'started-by-others'
    assert set(here.content()) == {'C'}
    assert here.server['status'] == 'ACTIVE'
    left_nothing(here)


@KINDS
def test_without_a_safety_snapshot_nothing_is_overwritten(made, openstack,
                                                          volume_backed):
    here = made(volume_backed)
    here.begin()

    def spoil(number):
        for image in openstack.images.values():
            if image['status'] == 'queued':
                image['status'] = 'killed'
        for snapshot in openstack.snapshots.values():
            if snapshot['status'] == 'creating':
                snapshot['status'] = 'error'
    found = here.finish(meanwhile=spoil)
    assert found.progress.failure == 'safety-failed'
    here.tick()
    untouched(here)


def test_a_rebuild_that_fails_is_told_and_the_way_back_is_open(made):
    here = made(volume_backed=False)
    here.begin()
    found = here.finish(meanwhile=here.fail_rebuild)
    assert found.progress.failure == 'rebuild-failed'
    assert found.progress.detail == 'No valid host'
    assert here.safety_holds(found) == ['B']
    assert record.is_being_restored(here.cloud.compute.server(
        here.server['id']))
    here.image = here.safety_image(found)
    here.begin(safety=False)  # recorded where its tags lead, still
    assert not here.finish().progress.failure
    here.tick()
    assert here.content() == ['B'] and here.server['status'] == 'ACTIVE'
    assert not any(image['protected']
                   for image in here.openstack.images.values())


def test_tags_that_could_not_be_taken_away_go_when_they_can(made):
    here = made(volume_backed=False)
    here.begin(safety=False)
    found = here.finish(meanwhile=here.fail_rebuild)
    assert found.progress.failure == 'rebuild-failed'
    here.advance()
    assert record.RESTORING_ON in here.server['tags']
    here.server['status'] = 'SHUTOFF'  # an operator has put it right
    here.advance()
    assert record.RESTORING_ON not in here.server['tags']
    assert here.recorded() == found


def test_a_copy_that_fails_is_told_and_the_instance_stays_shelved(made):
    here = made(volume_backed=True)
    here.begin()

    def fail(number):
        if here.volumes[0]['status'] == 'downloading':
            here.volumes[0]['status'] = 'error'
    found = here.finish(meanwhile=fail)
    assert found.progress.failure == 'copy-failed'
    assert here.server['status'] == 'SHELVED_OFFLOADED'
    assert set(here.safety_holds(found)) == {'B'}
    assert not here.image['protected']


def test_an_instance_that_was_off_is_off_again_when_it_is_given_up(made):
    """Unshelving has powered it on."""
    here = made(volume_backed=True, status='SHUTOFF')
    here.begin(safety=False)
    here.advance()
    assert here.server['OS-EXT-STS:task_state'] == 'shelving'
    restoring.cancel(here.cloud, here.recorded(), here.clock)
    assert here.finish().cancelled
    here.tick()
    assert here.server['status'] == 'SHUTOFF'


def test_an_instance_for_which_there_is_no_room_is_brought_back_later(made):
    here = made(volume_backed=True)
    here.begin()
    refusals = []

    def no_room(number):
        if here.server['OS-EXT-STS:task_state'] == 'unshelving' and (
                len(refusals) < 30):
            refusals.append(number)
            here.server['OS-EXT-STS:task_state'] = None
    good(here, here.finish(looks=600, meanwhile=no_room))
    assert len(refusals) == 30


@KINDS
def test_an_instance_whose_snapshot_vanishes_runs_again(made, openstack,
                                                        volume_backed):
    here = made(volume_backed)
    begun = here.begin(safety=False)
    here.advance()
    here.tick()
    assert here.server['status'] == 'SHUTOFF'
    del openstack.images[here.image['id']]
    server = here.cloud.compute.server(here.server['id'])
    (found,), problems = restoring.find(here.cloud, [server])
    assert found.lost and not problems
    for one in (found, begun):
        here.advance(one)
        here.tick()
    assert here.server['status'] == 'ACTIVE'
    here.advance(found)
    assert not {record.RESTORING, record.RESTORING_ON} & set(
        here.server['tags'])
    assert set(here.content()) == {'B'}


@KINDS
def test_a_service_that_does_not_allow_it_ends_it_and_nothing_is_lost(
        made, openstack, volume_backed):
    here = made(volume_backed)
    here.begin(safety=False)
    asked = []

    def refuse():
        body = openstack.calls[-1][2] or {}
        if {'rebuild', 'os-reimage', 'shelve'} & set(body):
            asked.append(body)
            raise fakes.common.Refusal(403, 'not you')
    openstack.meanwhile['POST', '/action$'] = refuse
    found = here.finish()
    assert found.progress.failure == 'refused'
    assert 'not you' in found.progress.detail and len(asked) == 2
    here.tick()
    untouched(here)


@KINDS
def test_an_instance_that_is_deleted_meanwhile_ends_it(made, openstack,
                                                       volume_backed):
    here = made(volume_backed)
    here.begin(safety=False)
    here.advance()
    del openstack.servers[here.server['id']]
    found = here.finish()
    assert found.progress.failure == 'server-gone'
    assert not here.image['protected']


def test_one_whose_safety_snapshot_was_never_begun_is_not_begun(made,
                                                                openstack):
    here = made(volume_backed=False)
    openstack.faults['POST', 'metadata$'] = 503
    with pytest.raises(errors.Unavailable):
        here.begin()
    openstack.faults.clear()
    assert record.is_being_restored(here.cloud.compute.server(
        here.server['id']))
    found = here.finish()
    assert found.progress.failure == 'not-begun'
    untouched(here)


def test_nothing_else_is_begun_while_it_is_under_way(made):
    here = made(volume_backed=False)
    here.begin(safety=False)
    with pytest.raises(restoring.Busy):
        here.begin()
    server = here.cloud.compute.server(here.server['id'])
    with pytest.raises(lifecycle.Busy):
        lifecycle.begin(here.cloud, server, lifecycle.new_plan(
            'x', '', requested_by='bob'))


@pytest.mark.parametrize('spoil', [
    # Another plan than was sealed, a copy, what is not to be read.
    lambda text: text.replace('"run_again":true', '"run_again":false'),
    lambda text: text.replace('"image_id":"', '"image_id":"0'),
    lambda text: '{"v": 1}', lambda text: '[]', lambda text: '{' * 9999,
    lambda text: text.replace('"began_at":', '"began_at":"x","y":'),
    lambda text: text.replace('"server_id":"', '"server_id":"../')])
def test_a_record_that_this_horizon_did_not_write_does_nothing(made, spoil):
    here = made(volume_backed=False)
    here.begin(safety=False)
    here.image[restore.PLAN] = spoil(here.image[restore.PLAN])
    found = here.recorded()
    if found is not None:
        assert not restoring.approves(world.SEAL, found)
        here.advance(found)
    assert here.openstack.actions() == []


def test_what_inherited_a_record_records_nothing(made, openstack):
    here = made(volume_backed=False)
    here.begin(safety=False)
    heir = openstack.image('heir', **{
        name: here.image[name] for name in restore.keys(here.image)})
    assert restore.read(here.cloud.images.image(heir['id'])) is None


@KINDS
def test_what_is_dismissed_leaves_nothing(made, volume_backed):
    here = made(volume_backed)
    here.begin()
    here.dismiss()
    assert here.recorded().open  # not before it is over
    here.finish()
    here.dismiss()
    assert here.recorded() is None and here.server['tags'] == []
    assert restore.keys(here.image) == []


def ran_meanwhile(here):
    """Somebody starts it, works, and powers it off again."""
    here.openstack.did(here.server, 'start', at=here.after)
    here.write('C')
    here.openstack.did(here.server, 'stop', at=here.after)


@KINDS
@pytest.mark.parametrize('looks', range(1, 9))
@pytest.mark.parametrize('safety', [True, False])
def test_what_was_written_while_nobody_looked_is_not_overwritten(
        made, volume_backed, looks, safety):
    here = made(volume_backed)
    here.begin(safety)
    for _ in range(looks):
        here.advance()
        here.tick()
    found = here.recorded()
    if found.progress.overwrite_at or here.server['status'] != 'SHUTOFF':
        return
    ran_meanwhile(here)
    found = here.finish()
    assert found.progress.failure == 'started-by-others'
    assert set(here.content()) == {'C'}
    assert here.server['status'] == 'SHUTOFF'  # as they left it


def test_what_was_written_between_two_shelvings_is_not_overwritten(made):
    here = made(volume_backed=True)
    here.begin(safety=False)
    here.until('SHELVED_OFFLOADED')
    for action in ('unshelve', 'shelve'):
        here.openstack.did(here.server, action, at=here.after)
    here.write('C')
    found = here.finish()
    assert found.progress.failure == 'started-by-others'
    assert set(here.content()) == {'C'}


@KINDS
def test_an_instance_is_not_overwritten_whose_safety_snapshot_is_deleted(
        made, volume_backed):
    here = made(volume_backed)
    here.begin()
    while here.run().open:
        here.advance()
        here.tick()
    for image in list(here.openstack.images.values()):
        if image['name'] == 'safety':
            del here.openstack.images[image['id']]
    found = here.finish()
    assert found.progress.failure == 'safety-failed'
    here.tick()
    untouched(here)


@KINDS
def test_later_is_not_no(made, openstack, volume_backed):
    """A service puts each request off for minutes."""
    here = made(volume_backed)
    here.begin(safety=False)
    asked = []

    def later():
        body = openstack.calls[-1][2] or {}
        name = next(iter(body), '')
        if name in ('rebuild', 'shelve', 'os-reimage', 'os-start', 'os-stop',
                    'unshelve') and asked.count(name) < 8:
            asked.append(name)
            raise fakes.common.Refusal(429, 'later')
    openstack.meanwhile['POST', '/action$'] = later
    good(here, here.finish(looks=900), safety=False)
    assert len(asked) > 15


def test_an_image_that_a_volume_was_uploaded_to_is_not_removed(made,
                                                               openstack):
    """Cinder gives it what the volume says of its own image."""
    here = made(volume_backed=True)
    here.begin(safety=False)
    while here.server['status'] != 'ACTIVE' or not (
            here.recorded().progress.unshelve_count):
        here.advance()
        here.tick()
    said = here.volumes[0]['volume_image_metadata']
    assert circumstances.POINTER in said
    upload = openstack.image('upload', **{
        name: value for name, value in said.items()
        if name not in ('image_id', 'min_disk')})
    good_without = here.finish()
    assert not good_without.progress.failure
    assert upload['id'] in openstack.images
    del openstack.images[upload['id']]
    left_nothing(here)


def test_a_pointer_says_nothing_but_where_it_points(made, openstack):
    """Glance deletes keys with images that name them, keeps names for itself,
    and takes fields from properties.
    """
    here = made(volume_backed=True)
    said = {'cinder_encryption_key_id': fakes.new_id(), 'visibility': 'public',
            'cinder_encryption_key_deletion_policy': 'on_image_deletion',
            'os_glance_import_task': 'x', 'img_signature': 'x',
            'image_id': fakes.new_id(), 'os_type': 'linux'}
    here.volumes[0]['volume_image_metadata'] = dict(said)
    here.begin(safety=False)
    here.finish()
    made_as = [body for method, path, body in openstack.calls
               if method == 'POST' and path == '/v2/images']
    assert len(made_as) == 2
    for body in made_as:
        assert set(body) == {
            'name', 'disk_format', 'container_format', 'visibility', 'bdm_v2',
            'root_device_name', 'block_device_mapping', circumstances.POINTER,
            'snapshot_dashboard_kept'}
        assert body['visibility'] == 'private'
    assert here.volumes[0]['volume_image_metadata'] == said


def test_an_instance_is_brought_back_whose_snapshot_goes_while_it_is_shelved(
        made, openstack):
    here = made(volume_backed=True)
    begun = here.begin(safety=False)
    here.until('SHELVED_OFFLOADED')
    del openstack.images[here.image['id']]
    (found,), _ = restoring.find(here.cloud, [
        here.cloud.compute.server(here.server['id'])])
    for one in (found, begun, found, begun):
        here.advance(one)
        here.tick()
    assert here.server['status'] == 'ACTIVE'
    here.advance(found)
    assert not record.is_being_restored(here.cloud.compute.server(
        here.server['id']))


def test_a_volume_that_was_taken_away_ends_it_and_the_instance_comes_back(
        made, openstack):
    here = made(volume_backed=True)
    here.begin(safety=False)
    here.until('SHELVED_OFFLOADED')
    openstack.detach(here.server, here.volumes.pop())
    found = here.finish()
    assert found.progress.failure == 'changed-by-others'
    assert here.server['status'] == 'ACTIVE'


def test_without_room_for_its_tags_nothing_is_begun(made):
    here = made(volume_backed=False)
    here.server['tags'] = [f'tag-{number}' for number in range(44)]
    with pytest.raises(errors.OverQuota):
        here.begin()
    assert restore.keys(here.image) == [] and not here.image['protected']


@pytest.mark.parametrize('refused', ['tags/', 'metadata$', '/v2/images/'])
def test_what_is_refused_at_the_beginning_leaves_nothing(made, openstack,
                                                         refused):
    here = made(volume_backed=False)
    openstack.faults['PUT', refused] = 403
    openstack.faults['POST', refused] = 403
    if refused == '/v2/images/':
        openstack.faults['PATCH', refused] = 403
    with pytest.raises(errors.ServiceError):
        here.begin()
    assert here.server['tags'] == [] and not here.image['protected']
    assert restore.keys(here.image) == []


def test_of_two_that_begin_at_the_same_moment_none_leaves_the_instance_off(
        made, openstack):
    here = made(volume_backed=False)
    first, other = here.image, openstack.image('x', instance_uuid=here.server[
        'id'])
    here.snapshot_of[other['id']] = 'A'
    server = here.cloud.compute.server(here.server['id'])
    second = restoring.Wish(here.cloud.images.image(other['id']),
                            run_again=True)

    def another():
        openstack.before.clear()
        with pytest.raises(restoring.Busy):
            restoring.begin(here.cloud, server, second, world.SEAL,
                            here.clock)
    openstack.meanwhile['PUT', 'tags/snapshot-dashboard-restore$'] = (
        lambda: (openstack.meanwhile.clear(), another()))
    here.begin(safety=False)
    assert restoring.of_server(here.cloud, here.cloud.compute.server(
        here.server['id'])).plan.image_id == first['id']
    good(here, here.finish(), safety=False)


@KINDS
def test_tags_that_others_took_away_are_set_again(made, volume_backed):
    here = made(volume_backed)
    here.begin(safety=False)
    here.server['tags'][:] = ['production']
    here.advance()
    assert record.RESTORE_TAG in here.server['tags']
    good(here, here.finish(), safety=False)


def test_no_restore_waits_for_room_for_its_tags(made):
    here = made(volume_backed=False)
    here.begin(safety=False)
    here.server['tags'][:] = [f'tag-{number}' for number in range(50)]
    good(here, here.finish(), safety=False)


def test_two_short_absences_are_not_the_end(made, openstack):
    here = made(volume_backed=True)
    here.begin(safety=False)
    here.until('SHELVED_OFFLOADED')
    for _ in range(2):
        body = openstack.servers.pop(here.server['id'])
        here.advance()
        openstack.servers[here.server['id']] = body
        here.tick(3600)
        here.advance()
    good(here, here.finish(), safety=False)


def test_a_note_from_the_future_is_not_waited_for(made):
    here = made(volume_backed=False)
    here.begin(safety=False)
    for name in ('asked_at', 'not_before', 'put_off_since', 'unseen_since'):
        here.image[f'{restore.PLAN}_progress_{name}'] = str(
            int(here.clock()) + 10 ** 8)
    good(here, here.finish(looks=400), safety=False)


def test_a_volume_that_fails_when_all_is_copied_is_told(made):
    here = made(volume_backed=True)
    here.begin(safety=False)
    here.until('SHELVED_OFFLOADED')
    here.advance()
    here.tick()
    assert circumstances.POINTER in here.volumes[0]['volume_image_metadata']
    here.volumes[0]['status'] = 'error'
    assert here.finish().progress.failure == 'copy-failed'


def test_a_pointer_that_others_made_is_not_used(made, openstack):
    here = made(volume_backed=True)
    begun = here.begin(safety=False)
    forged = openstack.image('forged', size=100, **{
        circumstances.POINTER: circumstances.pointer_mark(
            begun.plan, begun.plan.disks[0])})
    good_end = here.finish()
    assert not good_end.progress.failure and set(here.content()) == {'A'}
    assert forged['id'] in openstack.images


@pytest.mark.parametrize('text', ['a/b c', '../x', '\ud800', 'x' * 300])
def test_no_text_of_a_record_goes_into_an_address_unseen(made, text):
    here = made(volume_backed=False)
    here.begin(safety=False)
    here.image[f'{restore.PLAN}_progress_safety_id'] = text
    assert here.recorded().progress.safety_id == ''
    plan = json.loads(here.image[restore.PLAN])
    here.image[restore.PLAN] = json.dumps({**plan, 'run_id': text})
    assert here.recorded() is None
    here.image[restore.PLAN] = json.dumps({**plan, 'requested_by': text})
    assert here.recorded() is None or text == '../x' or text == 'a/b c'


@pytest.mark.parametrize('root', [True, False], ids=['chosen', 'alone'])
def test_volumes_come_back_as_new_ones_and_the_old_ones_are_kept(made, root):
    here = made(volume_backed=False, swaps=2)
    here.begin(safety=root, root=root)
    found = here.finish()
    assert not found.progress.failure
    here.tick()
    assert here.content() == (['A'] if root else ['B']) + ['A', 'A']
    for volume in here.data:
        assert here.holds[volume['id']] == 'B'
        assert '(until 2026-03-01' in volume['name']
        assert volume['status'] == 'available'
    assert here.server['status'] == 'ACTIVE'
    here.dismiss()
    left_nothing(here)
    assert len(here.openstack.images) == (2 if root else 1)


@pytest.mark.parametrize(('fault', 'every'), [(503, 5), ('lost', 2)])
def test_no_fault_at_any_call_loses_a_volume(fault, every):
    def play(number):
        with fakes.faked() as openstack:
            here = world.World(openstack, False, swaps=1)
            here.begin(safety=False, root=False)
            if fault == 'lost':
                openstack.lose_at = len(openstack.calls) + number
            else:
                openstack.fail_at = len(openstack.calls) + number, fault
            before = len(openstack.calls)
            return here, here.finish(), len(openstack.calls) - before
    count = play(10 ** 6)[-1]
    for number in range(0, count, every):
        here, found, _ = play(number)
        assert not found.progress.failure, (number, found.progress)
        here.tick()
        assert here.content() == ['B', 'A']
        left_nothing(here)


def test_a_volume_that_cannot_be_attached_is_told_and_the_old_one_comes_back(
        made, openstack):
    here = made(volume_backed=False, swaps=1)
    here.begin(safety=False, root=False)

    def refuse():
        body = openstack.calls[-1][2]
        if body['volumeAttachment']['volumeId'] != here.data[0]['id']:
            raise fakes.common.Refusal(403, 'not you')
    openstack.meanwhile['POST', 'os-volume_attachments$'] = refuse
    found = here.finish()
    assert found.progress.failure == 'swap-failed'
    here.tick()
    assert here.content() == ['B', 'B']
    assert here.data[0]['status'] == 'in-use'
    left_nothing(here)
