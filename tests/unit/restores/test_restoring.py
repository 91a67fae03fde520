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

import pytest

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.restores import course
from snapshot_dashboard.restores import restore
from snapshot_dashboard.restores import restoring
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
                if course.POINTER in image]
    assert not {record.RESTORING, record.RESTORING_ON} & set(
        here.server['tags'])
    for number, volume in enumerate(here.volumes):
        assert volume['status'] == 'in-use'
        assert volume['bootable'] == str(number == 0).lower()
        assert 'block_device_mapping' not in volume['volume_image_metadata']
        assert (number == 0) == (
            volume['volume_image_metadata'].get('os_type') == 'linux')


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
    """Every seventh call, for the run that saves it has its own tests."""
    for number in range(0, calls(volume_backed, safety=True), 7):
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

    def fail(number):
        if here.server['OS-EXT-STS:task_state'] == 'rebuilding':
            here.server.update({'status': 'ERROR', 'fault': {
                'message': 'No valid host'}, 'OS-EXT-STS:task_state': None})
    found = here.finish(meanwhile=fail)
    assert found.progress.failure == 'rebuild-failed'
    assert found.progress.detail == 'No valid host'
    assert here.safety_holds(found) == ['B']
    assert restoring.is_tagged(here.cloud.compute.server(here.server['id']))
    first, here.image = here.image, here.safety_image(found)
    here.begin(safety=False)
    here.image = first  # the tags of an instance in error cannot be changed
    assert not here.finish().progress.failure
    here.tick()
    assert here.content() == ['B'] and here.server['status'] == 'ACTIVE'
    assert not any(image['protected']
                   for image in here.openstack.images.values())


def test_tags_that_could_not_be_taken_away_go_when_they_can(made):
    here = made(volume_backed=False)
    here.begin(safety=False)

    def fail(number):
        if here.server['OS-EXT-STS:task_state'] == 'rebuilding':
            here.server.update({'status': 'ERROR',
                                'OS-EXT-STS:task_state': None})
    found = here.finish(meanwhile=fail)
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
    assert restoring.is_tagged(here.cloud.compute.server(here.server['id']))
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
    restoring.dismiss(here.cloud, here.server['id'])
    assert here.recorded().open  # not before it is over
    here.finish()
    restoring.dismiss(here.cloud, here.server['id'])
    assert here.recorded() is None and here.server['tags'] == []
    assert restore.keys(here.image) == []
