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

"""A run over HTTP: what is asked of which service, and in which order."""

import contextlib
import dataclasses
import datetime
import json
import time

import pytest

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import types
from snapshot_dashboard.runs import execute
from snapshot_dashboard.runs import failures
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import observe
from snapshot_dashboard.runs import reconcile
from snapshot_dashboard.runs import record
from snapshot_dashboard.runs import situation
from snapshot_dashboard.runs import steps
from tests import fakes

#: When the time of the fakes begins, in seconds since the epoch.
START = fakes.seconds(0)


@pytest.fixture
def web(openstack):
    return openstack.server('web-1')


def begin(openstack, server, power_off=True, power_on=True, **options):
    plan = lifecycle.new_plan('nightly', 'before the upgrade',
                              power_off=power_off, power_on=power_on,
                              requested_by='alice', **options)
    cloud = openstack.cloud()
    return cloud, lifecycle.begin(cloud, types.Server.from_api(server), plan)


def settle(server, status):
    """Let Nova finish what it was doing."""
    server['status'], server['OS-EXT-STS:task_state'] = status, None


def only_image(openstack):
    (image,) = openstack.images.values()
    return image


def off_with_volume(openstack, web, **options):
    """A run of an instance with a volume, which it has powered off."""
    volume = openstack.volume('data')
    openstack.attach(web, volume, '/dev/vdb')
    cloud, run = begin(openstack, web, volumes=(volume['id'],), **options)
    run = reconcile.advance(cloud, run)
    settle(web, 'SHUTOFF')
    return cloud, run, volume


def undisturbed(openstack, web, cloud, run):
    """Advance a run to its end, with Nova doing its part in between."""
    for status in ('SHUTOFF', 'SHUTOFF', 'ACTIVE'):
        run = reconcile.advance(cloud, run)
        settle(web, status)
        for image in openstack.images.values():
            fakes.finish(image)
    return reconcile.advance(cloud, run)


def undisturbed_until_saved(openstack, web, cloud, run):
    """Advance a run until nothing is left but to power its instance on."""
    for _ in range(2):
        run = reconcile.advance(cloud, run)
        settle(web, 'SHUTOFF')
    fakes.finish(only_image(openstack))
    return run


def test_a_run_powers_off_captures_and_powers_on(openstack, web):
    cloud, run = begin(openstack, web)
    run = reconcile.advance(cloud, run)
    assert openstack.actions() == ['os-stop']
    settle(web, 'SHUTOFF')
    run = reconcile.advance(cloud, run)
    assert openstack.actions() == ['os-stop', 'createImage']
    settle(web, 'SHUTOFF')
    fakes.finish(only_image(openstack))
    run = reconcile.advance(cloud, run)
    assert openstack.actions() == ['os-stop', 'createImage', 'os-start']
    settle(web, 'ACTIVE')
    run = reconcile.advance(cloud, run)
    assert not run.open and not run.progress.failure
    assert openstack.actions() == ['os-stop', 'createImage', 'os-start']


def test_who_has_seen_it_in_a_list_asks_for_no_server_to_see_it_wait(
        openstack, web):
    cloud, run = begin(openstack, web)
    run = reconcile.advance(cloud, run)
    openstack.calls.clear()
    run = journal.read(cloud.compute.server(web['id']))
    openstack.calls.clear()
    assert reconcile.advance(cloud, run, glimpse=run.server) is run
    assert [path for _, path, _ in openstack.calls] == ['/v2/images']


def test_nothing_is_done_by_what_a_list_has_shown(openstack, web):
    """It may be old: the instance runs again, and the run is over."""
    cloud, run = begin(openstack, web)
    run = reconcile.advance(cloud, run)
    settle(web, 'SHUTOFF')
    in_list = journal.read(cloud.compute.server(web['id']))
    assert not undisturbed(openstack, web, cloud, run).open
    writes = len(openstack.writes())
    after = reconcile.advance(cloud, in_list, glimpse=in_list.server)
    assert not after.open
    assert len(openstack.writes()) == writes


@pytest.mark.parametrize('spoil', [
    lambda web: web['tags'].clear(), lambda web: web['metadata'].clear(),
    lambda web: settle(web, 'SHUTOFF')])
def test_what_a_list_shows_amiss_is_looked_at(openstack, web, spoil):
    cloud, run = begin(openstack, web)
    run = reconcile.advance(cloud, run)
    spoil(web)
    server = cloud.compute.server(web['id'])
    openstack.calls.clear()
    reconcile.advance(cloud, run, glimpse=server)
    assert ('GET', f'/v2.1/servers/{web["id"]}') in [
        (method, path) for method, path, _ in openstack.calls]


def test_the_image_carries_the_marks_of_its_run(openstack, web):
    cloud, run = begin(openstack, web, power_off=False)
    reconcile.advance(cloud, run)
    image = only_image(openstack)
    assert image['name'] == 'nightly'
    assert {name: image[name] for name in (
        marks.RUN, marks.INSTANCE_ID, marks.INSTANCE_NAME,
        marks.IMAGE_TYPE, marks.CONSISTENCY, marks.DESCRIPTION)} == {
            marks.RUN: run.plan.run_id, marks.INSTANCE_ID: web['id'],
            marks.INSTANCE_NAME: 'web-1', marks.IMAGE_TYPE: 'snapshot',
            marks.CONSISTENCY: marks.LIVE,
            marks.DESCRIPTION: 'before the upgrade'}


def test_an_end_date_and_protection_come_with_the_snapshot(openstack, web):
    cloud, run = begin(openstack, web, keep_until='2026-12-31', protect=True)
    run = undisturbed(openstack, web, cloud, run)
    image = only_image(openstack)
    assert not run.open and not run.progress.failure
    assert image[marks.EXPIRES] == f'2026-12-31 {image["id"]}'
    assert image[marks.EXPIRING] == 'True' and image['protected'] is True


def test_an_image_is_protected_only_when_it_is_whole(openstack):
    """One that was given up can be removed again."""
    server = openstack.server('db', image='')
    openstack.attach(server, openstack.volume('root'), '/dev/vda')
    cloud, run = begin(openstack, server, power_off=False, protect=True,
                       volume_backed=True)
    reconcile.advance(cloud, run)
    next(iter(openstack.snapshots.values()))['status'] = 'error'
    run = reconcile.advance(cloud, run)
    assert run.progress.failure == 'part-failed'
    assert not only_image(openstack)['protected']


def test_a_protection_that_is_refused_ends_no_run(openstack, web):
    cloud, run = begin(openstack, web, power_off=False, protect=True)
    reconcile.advance(cloud, run)
    fakes.finish(only_image(openstack))
    settle(web, 'ACTIVE')
    openstack.faults['PATCH', '/images/'] = 403
    run = reconcile.advance(cloud, run)
    assert not run.open and run.progress.captured_at
    assert run.progress.mark_count == record.TRIES


def test_a_volume_alone_has_its_end_date_on_itself(openstack, web):
    volume = openstack.volume('data')
    openstack.attach(web, volume, '/dev/vdb')
    cloud, run = begin(openstack, web, keep_until='2026-12-31',
                       captures_image=False, volumes=(volume['id'],))
    for status in ('SHUTOFF', 'SHUTOFF', 'ACTIVE'):
        run = reconcile.advance(cloud, run)
        settle(web, status)
        for snapshot in openstack.snapshots.values():
            snapshot['status'] = 'available'
    run = reconcile.advance(cloud, run)
    (snapshot,) = openstack.snapshots.values()
    assert not run.open and not run.progress.failure
    assert snapshot['metadata'][marks.EXPIRES] == (
        f'2026-12-31 {snapshot["id"]}')
    assert run.progress.mark_count == 1


@pytest.mark.parametrize('locked', [False, True])
def test_the_image_says_what_it_does_not_hold(openstack, locked):
    """Whether its record is in metadata or, of a locked one, in tags."""
    server = openstack.server('web-1', locked=locked)
    server['flavor'].update(ephemeral=20, swap=0)
    volume = openstack.volume('data')
    openstack.attach(server, volume, '/dev/vdb')
    cloud, run = begin(openstack, server, power_off=False)
    reconcile.advance(cloud, run)
    assert only_image(openstack)[marks.LEFT_OUT] == (
        f'ephemeral:20 volume:{volume["id"]}')


def test_a_set_leaves_out_no_volume_whatever_its_plan_knew(openstack):
    server = openstack.server('db', image='')
    openstack.attach(server, openstack.volume('root'), '/dev/vda')
    cloud, run = begin(openstack, server, power_off=False)
    reconcile.advance(cloud, run)
    assert only_image(openstack)[marks.LEFT_OUT] == 'nothing'


def test_a_capture_while_off_is_marked_so(openstack):
    server = openstack.server(status='SHUTOFF')
    openstack.did(server, 'stop')
    cloud, run = begin(openstack, server, power_off=False)
    reconcile.advance(cloud, run)
    assert only_image(openstack)[marks.CONSISTENCY] == marks.POWERED_OFF


def test_the_plan_is_on_the_server_before_anything_is_done(openstack, web):
    begin(openstack, web)
    assert openstack.actions() == []
    assert web['tags'] == [record.OPEN_TAG, record.TAG]
    assert journal.read(types.Server.from_api(web)).plan.power_off


def test_one_call_finds_the_runs_of_a_project(openstack, web):
    openstack.server('idle-1')
    cloud, run = begin(openstack, web)
    openstack.calls.clear()
    found = lifecycle.list_runs(cloud)
    assert [other.plan for other in found.runs] == [run.plan]
    assert found.unreadable == () and not found.more
    assert len(openstack.calls) == 1


def test_a_second_run_on_a_server_is_refused(openstack, web):
    begin(openstack, web)
    with pytest.raises(lifecycle.Busy):
        begin(openstack, web)


def test_a_cut_record_is_told(openstack, web):
    cloud, run = begin(openstack, web)
    web['metadata'].clear()
    found = lifecycle.list_runs(cloud)
    assert found.runs == ()
    assert [server.id for server in found.unreadable] == [web['id']]


def test_a_locked_server_is_captured_at_once_and_recorded_in_tags(openstack):
    server = openstack.server(locked=True)
    cloud, run = begin(openstack, server, power_off=False)
    assert openstack.actions() == ['createImage']
    assert server['metadata'] == {} and record.TAG in server['tags']
    settle(server, 'ACTIVE')
    fakes.finish(only_image(openstack))
    run = reconcile.advance(cloud, run)
    assert not run.open and not run.progress.failure
    (found,) = lifecycle.list_runs(cloud).runs
    assert found.tagged and not found.open
    lifecycle.dismiss(cloud, server['id'])
    assert server['tags'] == []


def test_a_failed_snapshot_of_a_locked_server_is_told(openstack):
    server = openstack.server(locked=True)
    cloud, run = begin(openstack, server, power_off=False)
    openstack.images.clear()
    settle(server, 'ACTIVE')
    later = run.plan.began_at + situation.ANSWER_GRACE + 1
    run = reconcile.advance(cloud, run, lambda: later)
    assert run.progress.failure == 'capture-failed' and not run.open
    (found,) = lifecycle.list_runs(cloud).runs
    assert found.progress.failure == 'capture-failed'


def test_a_refused_snapshot_of_a_locked_server_leaves_no_record(openstack):
    server = openstack.server(locked=True)
    openstack.faults['POST', '/action$'] = 403
    with pytest.raises(errors.Forbidden):
        begin(openstack, server, power_off=False)
    assert server['tags'] == []


def test_chosen_volumes_are_captured_with_the_marks_of_the_run(openstack,
                                                               web):
    cloud, run, volume = off_with_volume(openstack, web)
    run = reconcile.advance(cloud, run)
    (snapshot,) = openstack.snapshots.values()
    assert snapshot['volume_id'] == volume['id']
    assert snapshot['metadata'][marks.RUN] == run.plan.run_id
    assert marks.CONSISTENCY not in snapshot['metadata']  # until it is whole
    assert openstack.actions() == ['os-stop', 'createImage']
    settle(web, 'SHUTOFF')
    fakes.finish(only_image(openstack))
    run = reconcile.advance(cloud, run)
    assert openstack.actions()[-1] == 'createImage'  # still creating
    snapshot['status'] = 'available'
    reconcile.advance(cloud, run)
    assert snapshot['metadata'][marks.CONSISTENCY] == marks.POWERED_OFF
    assert openstack.actions()[-1] == 'os-start'


def set_is_whole(openstack, web):
    """A run of an instance with a volume, whose parts are all finished."""
    cloud, run, _volume = off_with_volume(openstack, web)
    run = reconcile.advance(cloud, run)
    settle(web, 'SHUTOFF')
    fakes.finish(only_image(openstack))
    (snapshot,) = openstack.snapshots.values()
    snapshot['status'] = 'available'
    return cloud, run, snapshot


def test_a_part_that_is_gone_when_the_image_is_finished_is_told(openstack,
                                                                web):
    """Whoever gave the run up, by a clock of its own, had it removed."""
    cloud, run, snapshot = set_is_whole(openstack, web)
    del openstack.snapshots[snapshot['id']]
    run = reconcile.advance(cloud, run)
    assert run.open and not run.progress.failure  # an answer may be old
    run = reconcile.advance(
        cloud, run, lambda: time.time() + situation.UNSEEN_GRACE + 1)
    assert run.progress.failure == failures.Failure.PART_FAILED.value
    assert only_image(openstack)
    assert openstack.actions()[-1] == 'os-start'


def test_parts_that_an_image_inherited_are_not_its_own(openstack, web):
    """Nova copies the properties of the image that it was launched from, and
    who has fewer parts than that writes over fewer of them.
    """
    cloud, run, _snapshot = set_is_whole(openstack, web)
    only_image(openstack).update({
        f'{marks.PARTS}{number}': ' '.join(
            fakes.new_id() for _ in range(6)) for number in (1, 2, 10)})
    openstack.calls.clear()
    run = reconcile.advance(cloud, run)
    assert run.progress.captured_at and not run.progress.failure
    assert not [path for method, path, _ in openstack.calls
                if method == 'GET' and '/snapshots/' in path
                and 'detail' not in path]


def test_a_power_on_is_none_the_worse_for_a_look_that_fails(openstack, web):
    cloud, run = begin(openstack, web)
    run = undisturbed_until_saved(openstack, web, cloud, run)
    path = f'/servers/{web["id"]}$'

    def fails():
        openstack.meanwhile.clear()
        openstack.faults['GET', path] = 503
    openstack.meanwhile['POST', '/action'] = fails
    run = reconcile.advance(cloud, run)
    assert openstack.actions()[-1] == 'os-start' and run.open


@pytest.mark.parametrize('marked', [
    pytest.param(True, id='listed late'),
    pytest.param(False, id='marks replaced')])
def test_a_part_that_no_list_shows_is_there_by_its_id(
        openstack, web, monkeypatch, marked):
    cloud, run, snapshot = set_is_whole(openstack, web)
    monkeypatch.setattr(cloud.volumes, 'snapshots', lambda *args, **more: [])
    if not marked:
        snapshot['metadata'] = {'owner': 'others'}
    run = reconcile.advance(cloud, run)
    assert run.progress.captured_at and not run.progress.failure
    assert openstack.actions()[-1] == 'os-start'


def test_a_part_that_cannot_be_asked_for_is_not_gone(openstack, web,
                                                     monkeypatch):
    cloud, run, snapshot = set_is_whole(openstack, web)
    monkeypatch.setattr(cloud.volumes, 'snapshots', lambda *args, **more: [])
    openstack.faults['GET', f'/snapshots/{snapshot["id"]}$'] = 503
    run = reconcile.advance(
        cloud, run, lambda: time.time() + situation.UNSEEN_GRACE + 1)
    assert run.open and not (run.progress.captured_at
                             or run.progress.unseen_since)


def volume_begun(openstack, web):
    """A run of a volume alone, whose snapshot Cinder has begun."""
    cloud, run, _volume = off_with_volume(openstack, web,
                                          captures_image=False)
    run = reconcile.advance(cloud, run)
    return cloud, run


def test_a_volume_alone_is_captured_while_its_instance_is_off(openstack,
                                                              web):
    cloud, run = volume_begun(openstack, web)
    assert openstack.actions() == ['os-stop']  # still creating
    (snapshot,) = openstack.snapshots.values()
    snapshot['status'] = 'available'
    run = reconcile.advance(cloud, run)
    assert snapshot['metadata'][marks.CONSISTENCY] == marks.POWERED_OFF
    assert marks.IMAGE not in snapshot['metadata']
    assert openstack.actions() == ['os-stop', 'os-start']
    settle(web, 'ACTIVE')
    run = reconcile.advance(cloud, run)
    assert not run.open and not run.progress.failure
    assert not openstack.images.keys() - {web['image']['id']}
    assert list(openstack.snapshots) == [snapshot['id']]


def test_a_volume_alone_that_fails_leaves_nothing_behind(openstack, web):
    cloud, run = volume_begun(openstack, web)
    (snapshot,) = openstack.snapshots.values()
    snapshot['status'] = 'error'
    run = reconcile.advance(cloud, run)
    assert openstack.actions() == ['os-stop', 'os-start']
    settle(web, 'ACTIVE')
    run = reconcile.advance(cloud, run)
    assert run.progress.failure == 'snapshot-failed'
    assert snapshot['status'] == 'deleting'


def test_a_cloud_that_hides_actions_leaves_no_instance_off(openstack, web):
    openstack.faults['GET', '/os-instance-actions$'] = 403
    cloud, run = begin(openstack, web)
    run = undisturbed(openstack, web, cloud, run)
    assert not run.open and not run.progress.failure


def test_a_refused_volume_snapshot_leaves_nothing_behind(openstack, web):
    cloud, run, _volume = off_with_volume(openstack, web)
    openstack.faults['POST', '/snapshots$'] = 413
    run = reconcile.advance(cloud, run)
    assert openstack.actions() == ['os-stop', 'os-start']  # it is a quota
    settle(web, 'ACTIVE')
    run = reconcile.advance(cloud, run)
    assert run.progress.failure == 'snapshot-refused' and not run.open
    assert not openstack.snapshots and not openstack.images


def test_a_set_of_an_instance_that_came_of_a_set_waits_for_its_parts(
        openstack):
    origin = openstack.set_image('origin', [openstack.snapshot('root')])
    server = openstack.server('again', image={'id': origin['id']})
    openstack.attach(server, openstack.volume(bootable='true'), '/dev/vda')
    openstack.volume_backed.add(server['id'])
    cloud, run = begin(openstack, server)
    reconcile.advance(cloud, run)
    settle(server, 'SHUTOFF')
    run = reconcile.advance(cloud, run)
    (part,) = [one for one in openstack.snapshots.values()
               if one['status'] == 'creating']
    assert openstack.actions() == ['os-stop', 'createImage']
    part['status'] = 'available'
    run = reconcile.advance(cloud, run)
    assert not run.progress.failure
    assert openstack.actions()[-1] == 'os-start'
    assert part['metadata'][marks.CONSISTENCY] == marks.POWERED_OFF


def test_a_volume_backed_set_is_marked_part_by_part(openstack):
    server = openstack.server(image='')
    openstack.attach(server, openstack.volume('root'), '/dev/vda')
    cloud, run = begin(openstack, server, power_off=False)
    reconcile.advance(cloud, run)
    (snapshot,) = openstack.snapshots.values()
    assert snapshot['metadata'] == {}
    snapshot['status'] = 'available'
    run = reconcile.advance(cloud, run)
    assert not run.open and not run.progress.failure
    assert snapshot['metadata'][marks.RUN] == run.plan.run_id


def test_a_set_that_was_disturbed_says_so_on_the_image_too(openstack):
    server = openstack.server(image='', status='SHUTOFF')
    openstack.did(server, 'stop')
    openstack.attach(server, openstack.volume('root'), '/dev/vda')
    cloud, run = begin(openstack, server, power_off=False)
    reconcile.advance(cloud, run)
    (image,), (snapshot,) = (openstack.images.values(),
                             openstack.snapshots.values())
    assert image[marks.CONSISTENCY] == marks.POWERED_OFF
    server['status'] = 'ACTIVE'
    reconcile.advance(cloud, run)
    snapshot['status'] = 'available'
    run = reconcile.advance(cloud, run)
    assert not run.open and not run.progress.failure
    assert image[marks.CONSISTENCY] == marks.LIVE
    assert snapshot['metadata'][marks.CONSISTENCY] == marks.LIVE
    assert marks.trusted(snapshot['metadata'], types.parse_time(
        snapshot['created_at']))


def test_an_image_that_inherited_the_run_is_not_taken_for_its_own(openstack,
                                                                  web):
    cloud, run = begin(openstack, web, power_off=False)
    others = openstack.image('clone', **{
        marks.RUN: run.plan.run_id, marks.INSTANCE: web['id'],
        marks.INSTANCE_ID: fakes.new_id(7)})
    run = reconcile.advance(cloud, run)
    assert openstack.actions() == ['createImage']
    assert others['id'] in openstack.images


def captured_with_an_heir(openstack, web):
    """A run, its image, and one that has inherited that one's marks."""
    cloud, run = begin(openstack, web, power_off=False)
    run = reconcile.advance(cloud, run)
    image = only_image(openstack)
    fakes.finish(image)
    heir = openstack.image('by others', 10 ** 9, **{
        name: value for name, value in image.items()
        if name.startswith(('snapshot_dashboard', 'instance', 'image_type'))})
    settle(web, 'ACTIVE')
    return cloud, run, image, heir


def test_what_inherited_from_a_removed_image_is_not_removed_after_it(
        openstack, web):
    """Somebody rebuilt the instance from it, and took another one."""
    cloud, run, image, heir = captured_with_an_heir(openstack, web)
    web['metadata']['snapshot_dashboard.failure'] = 'started-by-others'
    for _ in range(3):
        run = reconcile.advance(cloud, run)
        settle(web, 'ACTIVE')
    assert image['id'] not in openstack.images
    assert run.progress.ended_at and heir['id'] in openstack.images
    lifecycle.remove_leftovers(cloud, run)
    assert heir['id'] in openstack.images


def test_what_inherited_stays_when_the_owner_has_the_snapshot_removed(
        openstack, web):
    """It is incomplete, and somebody has rebuilt the instance from it."""
    cloud, _run, image, heir = captured_with_an_heir(openstack, web)
    web['metadata'].update({'snapshot_dashboard.failure': 'part-failed',
                            'snapshot_dashboard.ended_at': '1'})
    for _ in range(2):  # a second click finds the heir alone
        lifecycle.remove_leftovers(cloud, journal.read(
            cloud.compute.server(web['id'])))
    assert image['id'] not in openstack.images
    assert heir['id'] in openstack.images


def test_what_a_forged_image_maps_is_not_removed_with_it(openstack):
    server = openstack.server(image='')
    openstack.attach(server, openstack.volume('root'), '/dev/vda')
    cloud, run = begin(openstack, server, power_off=False)
    run = reconcile.advance(cloud, run)
    theirs = openstack.snapshot('of another volume', time.time() - START,
                                volume_id=openstack.volume('else')['id'])
    forged = openstack.set_image('forged', [theirs], 10 ** 9, **{
        marks.RUN: run.plan.run_id, marks.INSTANCE: server['id'],
        marks.INSTANCE_ID: server['id'], marks.CALL: 'f' * 16})
    for part in openstack.snapshots.values():
        part['status'] = 'available'
    for later in (1, 40, 80, 400, 900):
        run = reconcile.advance(
            cloud, run, lambda later=later: time.time() + later)
        settle(server, 'ACTIVE')
    assert not run.open and forged['id'] not in openstack.images
    assert theirs['status'] == 'available'


@pytest.mark.parametrize('call', ['', '/../../?', 'z' * 16, 'f' * 15])
def test_a_mark_that_is_none_of_ours_is_not_written_down(call):
    image = types.Image('i', 'n', 'active', datetime.datetime.now(), 1, 'p',
                        False, 1, {marks.CALL: call})
    assert journal.bearer(image) == ''
    assert not journal.inherited(
        record.Progress(removed_calls='ffffffff:12345678'), image)


def test_a_tag_holds_whole_words_only():
    plan = lifecycle.new_plan('snap', '', requested_by='alice')
    words = 'aaaaaaaa:11111111 bbbbbbbb:22222222'
    (tag,) = [tag for tag in journal.tags(plan, record.Progress(
        removed_calls=words)) if 'removed_calls' in tag]
    assert tag.endswith('.removed_calls:aaaaaaaa:11111111')


def test_a_name_with_a_colon_is_no_operator_to_glance(openstack):
    server = openstack.server(image='')
    openstack.attach(server, openstack.volume('root'), '/dev/vda')
    cloud = openstack.cloud()
    plan = lifecycle.new_plan('db: before', '', requested_by='alice')
    run = lifecycle.begin(cloud, cloud.compute.server(server['id']), plan)
    # Of an earlier try, whose image never came about.
    openstack.snapshot('snapshot for db: before', time.time() - START,
                       volume_id=server[
                           'os-extended-volumes:volumes_attached'][0]['id'])
    reconcile.advance(cloud, run)
    run = reconcile.advance(cloud, run)
    assert run.progress.image_id


def test_an_undisturbed_run_needs_at_most_17_calls_besides_the_looks(
        openstack, web):
    cloud, run = begin(openstack, web)
    run = undisturbed(openstack, web, cloud, run)
    assert not run.open
    looks = [path for method, path, _ in openstack.calls
             if method == 'GET' and (path.endswith(web['id'])
                                     or path == '/v2/images')]
    assert len(openstack.calls) - len(looks) <= 17


def test_a_refused_power_off_fails_and_changes_nothing(openstack, web):
    cloud, run = begin(openstack, web)
    openstack.faults['POST', '/action$'] = 403
    run = reconcile.advance(cloud, run)
    assert run.open and run.progress.hindrance.startswith('as the test')
    run = reconcile.advance(cloud, run, lambda: time.time() + 6)
    assert run.progress.failure == 'stop-refused'
    assert not run.open
    assert openstack.images == {} and web['status'] == 'ACTIVE'


def test_a_refused_capture_still_powers_the_instance_on(openstack, web):
    cloud, run = begin(openstack, web)
    run = reconcile.advance(cloud, run)
    settle(web, 'SHUTOFF')
    openstack.faults['POST', '/action$'] = 403
    for later in (0, 6):
        run = reconcile.advance(cloud, run, lambda later=later: (
            time.time() + later))
    assert run.progress.failure == 'capture-refused'
    openstack.faults.clear()
    run = reconcile.advance(cloud, run, lambda: time.time() + 60)
    assert openstack.actions()[-1] == 'os-start'
    settle(web, 'ACTIVE')
    run = reconcile.advance(cloud, run)
    assert not run.open and run.progress.failure == 'capture-refused'
    assert run.progress.detail.startswith('as the test wishes [req-')


@pytest.mark.parametrize('needed', [True, False])
def test_what_another_image_needs_by_now_is_not_tidied_away(openstack, web,
                                                            needed):
    volume = openstack.volume('data')
    openstack.attach(web, volume, '/dev/vdb')
    cloud, run = begin(openstack, web, volumes=(volume['id'],))
    reconcile.advance(cloud, run)
    settle(web, 'SHUTOFF')
    openstack.faults['POST', '/action$'] = 403
    reconcile.advance(cloud, run)
    (snapshot,) = openstack.snapshots.values()
    snapshot['status'] = 'available'
    if needed:
        openstack.set_image('of somebody else', [snapshot], os_hidden=True)
    run = reconcile.advance(cloud, run, lambda: time.time() + 20)
    openstack.faults.clear()
    for later in (60, 200, 300, 400, 500):
        run = reconcile.advance(cloud, run, lambda later=later: (
            time.time() + later))
        settle(web, 'ACTIVE')
    assert not run.open and run.progress.failure == 'capture-refused'
    assert (snapshot['status'] == 'available') is needed


def test_a_vanished_image_fails_and_powers_the_instance_on(openstack, web):
    cloud, run = begin(openstack, web)
    run = reconcile.advance(cloud, run)
    settle(web, 'SHUTOFF')
    run = reconcile.advance(cloud, run)
    openstack.images.clear()
    settle(web, 'SHUTOFF')
    run = reconcile.advance(cloud, run)
    assert not run.progress.failure
    run = reconcile.advance(cloud, run, lambda: time.time() + 31)
    assert run.progress.failure == 'image-vanished'
    assert openstack.actions()[-1] == 'os-start'


def test_a_lost_answer_to_create_image_makes_no_second_image(openstack, web):
    cloud, run = begin(openstack, web, power_off=False)
    openstack.lost['POST', '/action'] = 500
    with pytest.raises(errors.Unavailable):
        reconcile.advance(cloud, run)
    openstack.lost.clear()
    reconcile.advance(cloud, run)
    assert openstack.actions() == ['createImage']
    assert len(openstack.images) == 1


def test_a_service_that_is_down_changes_nothing(openstack, web):
    cloud, run = begin(openstack, web)
    openstack.faults['GET', '/servers/'] = 503
    with pytest.raises(errors.Unavailable):
        reconcile.advance(cloud, run)
    assert openstack.actions() == []
    openstack.faults.clear()
    assert reconcile.advance(cloud, run).progress.stop_count == 1


def test_a_cancelled_run_powers_the_instance_on_again(openstack, web):
    cloud, run = begin(openstack, web)
    run = reconcile.advance(cloud, run)
    run = lifecycle.cancel(cloud, run)
    settle(web, 'SHUTOFF')
    run = reconcile.advance(cloud, run)
    settle(web, 'ACTIVE')
    run = reconcile.advance(cloud, run)
    assert openstack.actions() == ['os-stop', 'os-start']
    assert (run.open, run.progress.failure) == (False, 'cancelled')


def test_a_run_that_captures_cannot_be_cancelled(openstack, web):
    cloud, run = begin(openstack, web, power_off=False)
    run = reconcile.advance(cloud, run)
    assert lifecycle.cancel(cloud, run) == run


def test_a_dismissed_run_leaves_nothing_on_the_server(openstack, web):
    web['metadata']['owner'] = 'alice'
    cloud, run = begin(openstack, web, power_off=False)
    run = reconcile.advance(cloud, run)
    lifecycle.dismiss(cloud, web['id'])
    assert web['metadata'] == {'owner': 'alice'}
    assert web['tags'] == []


def test_a_run_that_another_one_followed_is_not_advanced(openstack, web):
    cloud, run = begin(openstack, web)
    web['metadata'].clear()
    after = reconcile.advance(cloud, run)
    assert after.superseded and not after.open
    assert openstack.actions() == []


def test_nothing_secret_stands_in_the_record(openstack, web):
    begin(openstack, web)
    assert 'alice' in str(web['metadata'])
    assert "'t'" not in str(web['metadata'])
    sent = [body for _, _, body in openstack.calls if body]
    assert sent and not any('X-Auth' in str(body) for body in sent)


def test_who_closes_a_run_does_not_close_what_others_began_since(openstack,
                                                                 web):
    cloud, run = begin(openstack, web)
    closer = reconcile.advance(cloud, run)
    # Another one asks for a power-off; the closer has not seen that.
    other = execute.note(cloud, run, 1790000000, dataclasses.replace(
        closer.progress, stop_count=2, attempt='others'))
    execute.note(cloud, closer, 1790000000, dataclasses.replace(
        closer.progress, ended_at=1790000000,
        closed_attempt=closer.progress.attempt))
    now = journal.read(cloud.compute.server(web['id']))
    assert now.open and now.progress.stop_count == 2
    cloud.compute.delete_tag(web['id'], run.owed_tag)
    execute.note(cloud, other, 1790000000, dataclasses.replace(
        other.progress, ended_at=1790000000, closed_attempt='others'))
    assert not journal.read(cloud.compute.server(web['id'])).open


def test_nothing_is_done_that_was_noted_long_ago(openstack, web):
    cloud, run = begin(openstack, web)
    now = int(run.plan.began_at)
    step = steps.next_step(run.plan, run.progress,
                           observe.observe(cloud, run, now))
    late = now + situation.STALE + 1
    # Suspended before the note, or after it.
    for times in ([now, late], [now, now, late]):
        clock = iter(times)
        run = execute.execute(cloud, run, step, now,
                              lambda clock=clock: next(clock))
        assert openstack.actions() == []
    run = reconcile.advance(cloud, run, lambda: late)
    assert openstack.actions() == ['os-stop']


# A rough world: no room, foreign things, other tools.

def every_call(openstack, call):
    """How many calls something makes, tried on an idle cloud."""
    openstack.calls.clear()
    call()
    return len(openstack.calls)


@pytest.mark.parametrize('limit', range(0, 45))
def test_the_quota_of_metadata_is_met_before_anything_is_done_or_never(
        openstack, web, limit):
    openstack.metadata_items = limit
    web['metadata']['owner'] = 'others'
    try:
        cloud, run = begin(openstack, web)
    except errors.OverQuota as error:
        assert f'exceeds {limit}' in error.detail
        assert web['metadata'] == {'owner': 'others'} and not web['tags']
        assert openstack.actions() == []
        return
    openstack.metadata_items = max(limit, 16)  # the image's marks need some
    run = undisturbed(openstack, web, cloud, run)
    assert not run.open and not run.progress.failure
    assert web['status'] == 'ACTIVE'


@pytest.mark.parametrize(('others', 'locked', 'fits'), [
    (45, False, True), (46, False, False), (36, True, True),
    (37, True, False)])
def test_the_room_for_tags_is_known_before_anything_is_done(
        openstack, others, locked, fits):
    server = openstack.server(
        tags=[f'other-{number}' for number in range(others)], locked=locked)
    before = list(server['tags'])
    if not fits:
        with pytest.raises(errors.OverQuota):
            begin(openstack, server, power_off=not locked)
        assert server['tags'] == before and server['metadata'] == {}
        assert openstack.writes() == []
        return
    cloud, run = begin(openstack, server, power_off=not locked)
    if locked:
        settle(server, 'ACTIVE')
        fakes.finish(only_image(openstack))
        run = reconcile.advance(cloud, run)
    else:
        run = undisturbed(openstack, server, cloud, run)
    assert not run.open and not run.progress.failure


def test_without_room_for_metadata_a_live_snapshot_is_recorded_in_tags(
        openstack, web):
    cloud = openstack.cloud()
    server = cloud.compute.server(web['id'])
    run = lifecycle.begin(cloud, server, lifecycle.new_plan(
        'nightly', '', requested_by='alice'), tagged=True)
    assert web['metadata'] == {} and run.tagged
    settle(web, 'ACTIVE')
    fakes.finish(only_image(openstack))
    run = reconcile.advance(cloud, run)
    assert not run.open and not run.progress.failure


def test_what_was_not_begun_is_not_begun_later(openstack, web):
    """Whichever call of the beginning fails, and however."""
    steps_of_begin = every_call(openstack, lambda: begin(openstack, web))
    for fault in (403, 409, 429, 500, (504, ''), (200, '<html>')):
        for number in range(steps_of_begin):
            server = openstack.server()
            fail_at(openstack, number, fault)
            try:
                begin(openstack, server)
            except errors.ServiceError:
                found = journal.read(types.Server.from_api(server))
                assert found is None, (fault, number)
                assert not {record.TAG, record.OPEN_TAG} & set(
                    server['tags'])
            else:
                assert fault == (200, '<html>')
            finally:
                openstack.fail_at = None


def test_it_is_said_when_it_is_not_clear_whether_it_was_begun(openstack,
                                                              web):
    openstack.faults['PUT', '/tags/'] = 503
    openstack.faults['DELETE', '/metadata/'] = 503
    with pytest.raises(lifecycle.Unclear) as caught:
        begin(openstack, web)
    assert caught.value.error.status == 503


def test_a_refused_snapshot_whose_record_stays_is_not_called_not_begun(
        openstack):
    server = openstack.server(locked=True)
    openstack.faults['POST', '/action$'] = 403
    openstack.faults['DELETE', '/tags/'] = 503
    with pytest.raises(lifecycle.Unclear) as caught:
        begin(openstack, server, power_off=False)
    assert caught.value.error.status == 403


def fail_at(openstack, number, fault):
    """Let the call of this number from now on fail."""
    openstack.fail_at = (len(openstack.calls) + number, fault)


def test_a_locked_server_with_half_a_record_is_not_blocked(openstack):
    server = openstack.server(locked=True)
    plan = record.Plan('a' * 32, began_at=1790000000)
    server['tags'] += journal.tags(plan, record.Progress())[:2]
    cloud, run = begin(openstack, server, power_off=False)
    assert run.plan.run_id != plan.run_id
    assert openstack.actions() == ['createImage']


def taken(image, seconds=0):
    """As if Glance had made an image when it was asked for."""
    image['created_at'] = fakes.stamp(
        int(image[marks.TAKEN]) - START + seconds)
    return image


@pytest.mark.parametrize('whole', [True, False])
def test_a_snapshot_of_a_rebuilt_server_is_not_the_runs(openstack, web,
                                                        whole):
    """Nova hands all marks on, in the same second."""
    cloud, run = begin(openstack, web, power_off=False)
    reconcile.advance(cloud, run)
    image = taken(only_image(openstack))
    fakes.finish(image)
    settle(web, 'ACTIVE')
    run = reconcile.advance(cloud, run)
    assert not run.open
    heir = openstack.image('taken-by-cli', status='active' if whole
                           else 'queued', **{
        name: value for name, value in image.items()
        if name.startswith(('snapshot_dashboard', 'instance_uuid'))})
    taken(heir, seconds=1)
    for later in (0, 3600):
        lifecycle.tidy(cloud, run, lambda later=later: time.time() + later)
    assert set(openstack.images) == {image['id'], heir['id']}


def test_of_a_hundred_heirs_the_snapshot_itself_is_known(openstack, web):
    cloud, run = begin(openstack, web, power_off=False)
    reconcile.advance(cloud, run)
    image = taken(only_image(openstack))
    fakes.finish(image)
    for number in range(120):
        taken(openstack.image(f'heir-{number}', **{
            name: value for name, value in image.items()
            if name.startswith(('snapshot_dashboard', 'instance_uuid'))}),
            seconds=number + 1)
    settle(web, 'ACTIVE')
    run = reconcile.advance(cloud, run)
    assert not run.progress.failure and len(openstack.images) == 121
    assert run.progress.image_id == image['id']


def test_an_image_that_somebody_hid_is_still_the_runs(openstack, web):
    cloud, run = begin(openstack, web, power_off=False)
    run = reconcile.advance(cloud, run)
    image = taken(only_image(openstack))
    image['snapshot_dashboard_run'] = 'no list shows it'
    settle(web, 'ACTIVE')
    image_id = run.progress.image_id
    openstack.calls.clear()
    run = reconcile.advance(cloud, run)
    assert ('GET', f'/v2/images/{image_id}', None) in openstack.calls
    assert run.progress.unseen_since and not run.progress.failure


def test_a_snapshot_that_came_about_after_it_was_given_up_is_left_alone(
        openstack, web):
    cloud, run = begin(openstack, web, power_off=False)
    run = reconcile.advance(cloud, run)
    image = taken(only_image(openstack))
    settle(web, 'ACTIVE')
    reconcile.advance(cloud, run)
    # Nova seems to have stopped working on it, and then had not.
    openstack.faults['DELETE', '/v2/images'] = 409
    for later in (31, 60, 90, 120, 150):
        run = reconcile.advance(cloud, run,
                                lambda later=later: time.time() + later)
    assert run.progress.failure == 'image-abandoned' and not run.open
    openstack.faults.clear()
    fakes.finish(image)
    lifecycle.tidy(cloud, run, lambda: time.time() + 600)
    assert image['id'] in openstack.images


def test_metadata_that_others_replaced_leave_no_instance_off(openstack, web):
    cloud, run = begin(openstack, web)
    run = reconcile.advance(cloud, run)
    settle(web, 'SHUTOFF')
    web['metadata'].clear()
    run = reconcile.advance(cloud, run)
    assert openstack.actions() == ['os-stop', 'os-start']
    settle(web, 'ACTIVE')
    run = reconcile.advance(cloud, run)
    assert not run.open and run.progress.failure == 'record-lost'
    again = journal.read(types.Server.from_api(web))
    assert again.progress.failure == 'record-lost' and not again.open


def off_without_room_for_a_record(openstack, web, room=0):
    """A run that has its instance off; others took its record away."""
    cloud, run = begin(openstack, web)
    run = reconcile.advance(cloud, run)
    openstack.did(web, 'stop', at=1)
    settle(web, 'SHUTOFF')
    openstack.metadata_items = room
    web['metadata'].clear()
    return cloud, run


@pytest.mark.parametrize('room', [0, 3, 30])
def test_others_who_take_all_room_for_a_record_leave_no_instance_off(
        openstack, web, room):
    cloud, run = off_without_room_for_a_record(openstack, web, room)
    run = reconcile.advance(cloud, run)
    assert openstack.actions() == ['os-stop', 'os-start']
    settle(web, 'ACTIVE')
    assert not reconcile.advance(cloud, run).open
    assert openstack.actions() == ['os-stop', 'os-start']
    # It owes nothing any more, and does not vanish.
    settle(web, 'SHUTOFF')
    found = lifecycle.list_runs(cloud)
    assert [server.id for server in found.unreadable] == [web['id']]
    lifecycle.dismiss(cloud, web['id'])
    assert web['tags'] == []


def test_who_powers_off_what_was_powered_on_without_a_note_is_not_undone(
        openstack, web):
    openstack.did(web, 'start')
    cloud, run = off_without_room_for_a_record(openstack, web)
    run = reconcile.advance(cloud, run)
    openstack.did(web, 'start', at=10)
    openstack.did(web, 'stop', at=60)  # nobody has looked in between
    settle(web, 'SHUTOFF')
    run = reconcile.advance(cloud, run, lambda: START + 700)
    assert openstack.actions() == ['os-stop', 'os-start'] and not run.open
    assert web['tags'] == [record.TAG]


def test_an_unnoted_power_on_that_fails_is_tried_once_a_look(openstack, web):
    cloud, run = off_without_room_for_a_record(openstack, web)
    for number in range(1, 4):
        run = reconcile.advance(cloud, run)
        openstack.did(web, 'start', at=number)
        settle(web, 'SHUTOFF')
        assert openstack.actions() == ['os-stop', *number * ['os-start']]


def test_a_guest_that_crashes_long_after_a_power_off_without_effect_runs_again(
        openstack, web):
    openstack.did(web, 'start')
    cloud, run = begin(openstack, web)
    reconcile.advance(cloud, run)
    openstack.did(web, 'stop')
    settle(web, 'ACTIVE')  # nothing came of it
    later = time.time() + 4000
    openstack.did(web, 'stop', at=later - START)
    openstack.done[web['id']][0]['user_id'] = None  # Nova saw it off
    settle(web, 'SHUTOFF')
    reconcile.advance(cloud, run, lambda: later + 60)
    assert openstack.actions() == ['os-stop', 'os-start']


def test_the_last_trace_of_a_run_stays_until_there_is_a_record_again(
        openstack, web):
    cloud, run = begin(openstack, web)
    run = reconcile.advance(cloud, run)
    settle(web, 'SHUTOFF')
    web['metadata'].clear()
    openstack.faults['POST', '/metadata$'] = 400
    with pytest.raises(errors.Refused):
        reconcile.advance(cloud, run)
    web['status'] = 'ACTIVE'  # somebody was faster
    openstack.did(web, 'start')
    with pytest.raises(errors.Refused):
        reconcile.advance(cloud, run)
    assert journal.read(types.Server.from_api(web)).open
    openstack.faults.clear()
    assert not reconcile.advance(cloud, run).open
    assert not journal.read(types.Server.from_api(web)).open


def test_tags_that_others_replaced_are_set_again(openstack, web):
    cloud, run = begin(openstack, web)
    run = reconcile.advance(cloud, run)
    settle(web, 'SHUTOFF')
    web['tags'][:] = ['theirs']
    run = undisturbed(openstack, web, cloud, run)
    assert not run.open and not run.progress.failure
    assert set(web['tags']) == {'theirs', record.TAG}


def test_what_a_user_powered_off_first_stays_off_whatever_tags_are_gone(
        openstack, web):
    """A run that has noted nothing has powered nothing off."""
    cloud, run = begin(openstack, web)
    openstack.did(web, 'stop', at=time.time() - START)
    settle(web, 'SHUTOFF')
    web['tags'][:] = ['theirs']
    run = reconcile.advance(cloud, run)
    fakes.finish(only_image(openstack))
    settle(web, 'SHUTOFF')
    run = reconcile.advance(cloud, run)
    assert not run.open and not run.progress.failure
    assert openstack.actions() == ['createImage']
    assert not [tag for tag in web['tags'] if 'owed' in tag]


def test_what_a_user_powers_off_after_a_cancel_stays_off(openstack, web):
    """Also where the note of the end was undone by that of the cancel."""
    cloud, run = begin(openstack, web)
    before = dict(web['metadata'])
    lifecycle.cancel(cloud, run)
    assert not reconcile.advance(cloud, run).open
    noted = {key: web['metadata'][key] for key in web['metadata']
             if key.endswith('updated_at')}
    web['metadata'] = {**before, **noted}  # what Nova does with two writes
    openstack.did(web, 'stop')
    settle(web, 'SHUTOFF')
    run = journal.read(types.Server.from_api(web))
    assert run.open
    for _ in range(3):
        run = reconcile.advance(cloud, run)
        settle(web, 'SHUTOFF')
    assert not run.open and run.progress.failure == 'cancelled'
    assert openstack.actions() == []


def test_a_cancel_is_kept_whoever_writes_at_the_same_time(openstack, web):
    cloud, run = begin(openstack, web)
    before = dict(web['metadata'])
    cancelled = lifecycle.cancel(cloud, run)
    assert cancelled.progress.failure == 'cancelled'
    web['metadata'] = before  # as Nova does when two write at once
    run = reconcile.advance(cloud, run)
    assert openstack.actions() == []
    assert run.progress.failure == 'cancelled' and not run.open
    again = journal.read(types.Server.from_api(web))
    assert again.progress.failure == 'cancelled'


def test_a_server_that_is_not_to_be_found_for_a_moment_is_not_gone(openstack,
                                                                   web):
    cloud, run = begin(openstack, web)
    run = reconcile.advance(cloud, run)
    settle(web, 'SHUTOFF')
    run = reconcile.advance(cloud, run)
    kept = openstack.servers.pop(web['id'])
    run = reconcile.advance(cloud, run)
    assert run.open and len(openstack.images) == 1
    openstack.servers[web['id']] = kept
    run = undisturbed(openstack, web, cloud, run)
    assert not run.progress.failure


def test_how_an_instance_is_is_left_out_before_the_snapshot_is(openstack,
                                                               web):
    """Of the first try, too, where it is known that there is no room."""
    cloud, run = begin(openstack, web, power_off=False, without_recipe=True)
    reconcile.advance(cloud, run)
    assert marks.FLAVOR not in only_image(openstack)
    openstack.images.clear()
    other = openstack.server()
    cloud, run = begin(openstack, other, power_off=False)
    openstack.faults['POST', '/action$'] = 500
    with pytest.raises(errors.Unavailable):
        reconcile.advance(cloud, run)
    openstack.faults.clear()
    later = time.time() + situation.FAULT_PAUSE + 1
    reconcile.advance(cloud, run, lambda: later)
    assert marks.FLAVOR not in only_image(openstack)


@pytest.mark.parametrize('seconds', [0, 10, 25])
def test_a_fault_for_half_a_minute_does_not_cost_the_snapshot(openstack, web,
                                                              seconds):
    """As when Keystone starts anew, without which Nova finds no Glance."""
    cloud, run = begin(openstack, web)
    began = time.time()
    run = reconcile.advance(cloud, run, lambda: began)
    settle(web, 'SHUTOFF')
    for after in range(0, 61, 1):
        openstack.faults.clear()
        if after <= seconds:
            openstack.faults['POST', '/action$'] = 500
        with contextlib.suppress(errors.Unavailable):
            run = reconcile.advance(cloud, run, lambda at=began + after: at)
    assert not run.progress.failure and only_image(openstack)


def test_a_power_on_that_conflicts_is_not_asked_for_at_once_again(openstack,
                                                                  web):
    """Nova may show an instance off and idle that it still works on."""
    cloud, run = begin(openstack, web)
    run = reconcile.advance(cloud, run)
    settle(web, 'SHUTOFF')
    run = reconcile.advance(cloud, run)
    settle(web, 'SHUTOFF')
    fakes.finish(only_image(openstack))
    openstack.faults['POST', '/action$'] = 409
    run = reconcile.advance(cloud, run)
    assert openstack.actions().count('os-start') == 1 and run.open
    for minute in range(1, 60):
        run = reconcile.advance(
            cloud, run, lambda minute=minute: time.time() + 60 * minute)
        assert run.open
    openstack.faults.clear()
    run = reconcile.advance(cloud, run, lambda: time.time() + 3660)
    settle(web, 'ACTIVE')
    run = reconcile.advance(cloud, run, lambda: time.time() + 3720)
    assert not run.open and not run.progress.failure


@pytest.mark.parametrize('status', [400, 403, 404, 408, 409, 413, 429, 500,
                                    502, 503, 504])
def test_whatever_nova_says_a_power_on_that_is_owed_comes_in_the_end(
        openstack, web, status):
    cloud, run = begin(openstack, web)
    run = reconcile.advance(cloud, run)
    settle(web, 'SHUTOFF')
    run = reconcile.advance(cloud, run)
    settle(web, 'SHUTOFF')
    fakes.finish(only_image(openstack))
    openstack.faults['POST', '/action$'] = status
    now = time.time()
    for _ in range(30):
        now += 61
        with contextlib.suppress(errors.ServiceError):
            reconcile.advance(cloud, run, lambda now=now: now)
    del openstack.faults['POST', '/action$']
    for _ in range(11):
        now += 61
        run = reconcile.advance(cloud, run, lambda now=now: now)
    assert web['OS-EXT-STS:task_state'] == 'powering-on'


def test_a_down_cell_ends_no_run(openstack, web):
    cloud, run = begin(openstack, web)
    kept = dict(web)
    for name in ('metadata', 'tags', 'image', 'flavor'):
        del web[name]
    web['status'] = 'UNKNOWN'
    with pytest.raises(errors.Unavailable):
        reconcile.advance(cloud, run)
    web.update(kept)
    assert reconcile.advance(cloud, run).open
    assert openstack.actions() == ['os-stop']


def test_a_forced_stop_is_told_before_nova_has_recorded_it(openstack, web):
    """It shows the instance off a moment earlier."""
    cloud, run = begin(openstack, web, shutdown_timeout=60)
    run = reconcile.advance(cloud, run)
    (stop,) = openstack.done[web['id']]
    stop['updated_at'] = stop['start_time']
    openstack.events[stop['request_id']] = {'finish_time': None}
    web['updated'] = fakes.stamp(61)
    settle(web, 'SHUTOFF')
    run = reconcile.advance(cloud, run)
    assert openstack.actions() == ['os-stop']
    # Or who answers does not know of it yet.
    openstack.faults['GET', f'/{stop["request_id"]}$'] = 404
    run = reconcile.advance(cloud, run)
    assert openstack.actions() == ['os-stop']
    openstack.faults.clear()
    openstack.events[stop['request_id']] = {
        'finish_time': fakes.stamp(61)[:-1] + '.000000'}
    run = reconcile.advance(cloud, run)
    assert run.progress.consistency == marks.FORCED_OFF


def test_that_a_stop_waited_for_its_host_is_no_shutdown(openstack, web):
    """The guest was off, though Nova said that it ran: its host had died."""
    cloud, run = begin(openstack, web, shutdown_timeout=60)
    run = reconcile.advance(cloud, run)
    (stop,) = openstack.done[web['id']]
    stop['updated_at'] = fakes.stamp(30)[:-1] + '.000000'
    openstack.events[stop['request_id']] = {
        'start_time': fakes.stamp(29)[:-1] + '.700000',
        'finish_time': fakes.stamp(30)[:-1] + '.000000'}
    settle(web, 'SHUTOFF')
    run = reconcile.advance(cloud, run)
    assert run.progress.consistency == marks.OFF


def test_a_forged_mapping_of_very_many_parts_costs_few_calls(openstack):
    server = openstack.server(image='')
    openstack.attach(server, openstack.volume('root'), '/dev/vda')
    cloud, run = begin(openstack, server, power_off=False)
    reconcile.advance(cloud, run)
    image = only_image(openstack)
    entry, = (entry for entry in json.loads(image['block_device_mapping'])
              if entry['source_type'] == 'snapshot')
    image['block_device_mapping'] = json.dumps([
        {**entry, 'snapshot_id': fakes.new_id(number)}
        for number in range(700)])
    openstack.calls.clear()
    with contextlib.suppress(errors.ServiceError):
        reconcile.advance(cloud, run)
    assert len(openstack.calls) < 10 * 70


# Found by somebody who attacked it with fresh eyes.

def changed_plan(server, **changed):
    key = 'snapshot_dashboard.plan'
    plan = json.loads(server['metadata'][key])
    server['metadata'][key] = json.dumps({**plan, **changed})


@pytest.mark.parametrize('flags', ['image', 'power_off image', ''])
def test_a_plan_that_says_otherwise_by_now_owes_a_power_on_all_the_same(
        openstack, web, flags):
    cloud, run = begin(openstack, web)
    run = reconcile.advance(cloud, run)
    settle(web, 'SHUTOFF')
    changed_plan(web, **{'is': flags})
    approves = lambda there: there.plan == run.plan  # noqa: E731
    run = reconcile.advance(cloud, run, approves=approves)
    assert openstack.actions() == ['os-stop', 'os-start']
    assert run.progress.failure == 'record-lost'


def test_another_servers_record_does_not_hide_that_a_power_on_is_owed(
        openstack, web):
    cloud, run = begin(openstack, web)
    run = reconcile.advance(cloud, run)
    settle(web, 'SHUTOFF')
    other = openstack.server('other')
    begin(openstack, other)
    openstack.calls.clear()
    web['metadata'] = dict(other['metadata'])
    run = reconcile.advance(cloud, run)
    assert openstack.actions() == ['os-start']
    settle(web, 'ACTIVE')
    assert not reconcile.advance(cloud, run).open


def test_a_note_that_was_refused_makes_no_old_start_one_by_others(openstack,
                                                                  web):
    """A tag that tells of a power-off is set when that is noted."""
    cloud, run = begin(openstack, web)
    openstack.did(web, 'start')
    openstack.faults['POST', '/metadata$'] = 429
    with pytest.raises(errors.Throttled):
        reconcile.advance(cloud, run)
    assert openstack.actions() == [] and run.owed_tag not in web['tags']
    openstack.faults.clear()
    run = reconcile.advance(cloud, run)
    assert openstack.actions() == ['os-stop'] and not run.progress.failure


def test_a_second_owed_tag_does_not_hide_the_first(openstack, web):
    cloud, run = begin(openstack, web)
    run = reconcile.advance(cloud, run)
    settle(web, 'SHUTOFF')
    web['metadata'].clear()
    web['tags'].append(f'{record.TAG}.owed:{"f" * 32}')
    run = reconcile.advance(cloud, run)
    assert openstack.actions() == ['os-stop', 'os-start']


@pytest.mark.parametrize('status', ['deleting', 'unmanaging', 'creating',
                                    'backing-up', 'error_deleting'])
def test_no_part_keeps_an_instance_off_for_ever(openstack, status):
    server = openstack.server(image='')
    openstack.attach(server, openstack.volume('root'), '/dev/vda')
    cloud, run = begin(openstack, server, snapshot_timeout=60)
    reconcile.advance(cloud, run)
    settle(server, 'SHUTOFF')
    reconcile.advance(cloud, run)
    (part,) = openstack.snapshots.values()
    part['status'] = status
    part['created_at'] = fakes.stamp(time.time() - START)[:-1] + '.0'
    reconcile.advance(cloud, run, lambda: time.time() + 120)
    assert openstack.actions()[-1] == 'os-start'


@pytest.mark.parametrize('fault', [400, 403, 404, 429, 503, (200, '<p>')])
@pytest.mark.parametrize('service', ['/v2/images', '/snapshots/detail'])
def test_no_service_that_tells_nothing_keeps_an_instance_off_for_ever(
        openstack, web, service, fault):
    volume = openstack.volume('data')
    openstack.attach(web, volume, '/dev/vdb')
    cloud, run = begin(openstack, web, volumes=(volume['id'],))
    reconcile.advance(cloud, run)
    settle(web, 'SHUTOFF')
    openstack.faults['GET', service] = fault
    for later in (5, 700, 1400):
        run = reconcile.advance(cloud, run,
                                lambda later=later: time.time() + later)
    assert openstack.actions() == ['os-stop', 'os-start']
    assert run.progress.failure


def test_what_was_seen_long_ago_is_no_ground_for_a_step(openstack, web):
    """A process that was suspended while it looked does nothing."""
    cloud, run = begin(openstack, web)
    times = iter([run.plan.began_at, run.plan.began_at + 61])
    reconcile.advance(cloud, run, lambda: next(times))
    assert openstack.actions() == []


def test_a_power_on_that_was_decided_on_long_ago_is_not_done(openstack, web):
    cloud, run = begin(openstack, web)
    now = int(time.time())
    step = steps.Step(steps.Do.POWER_ON, dataclasses.replace(
        run.progress, start_count=1))
    times = iter([now, now, now + situation.STALE + 1])
    execute.execute(cloud, run, step, now, lambda: next(times))
    assert openstack.actions() == []


def test_a_slow_nova_does_not_use_up_tries_that_never_were(openstack, web):
    cloud, run = begin(openstack, web)
    began = run.plan.began_at

    def clock():  # each call takes eight seconds
        return began + 8 * len(openstack.calls)
    openstack.calls.clear()
    waiting = 20
    while not openstack.actions() and waiting:
        run, waiting = reconcile.advance(cloud, run, clock), waiting - 1
    assert openstack.actions() == ['os-stop']
    assert run.progress.stop_count == 2 and not run.progress.failure


def test_a_count_that_anybody_wrote_takes_no_time(openstack, web):
    cloud, run = begin(openstack, web)
    for name in ('put_off_count', 'refusal_count', 'stop_count',
                 'start_count'):
        web['metadata'][f'snapshot_dashboard.{name}'] = '9999999999'
    web['metadata']['snapshot_dashboard.refusal_count'] = ''
    openstack.faults['POST', '/action$'] = 429
    began = time.monotonic()
    reconcile.advance(cloud, run)
    web['metadata']['snapshot_dashboard.failure'] = 'cancelled'
    settle(web, 'SHUTOFF')
    openstack.faults['POST', '/action$'] = 403
    reconcile.advance(cloud, run, lambda: time.time() + 700)
    assert time.monotonic() - began < 5


def test_a_preset_failure_does_not_exempt_a_changed_plan(openstack, web):
    cloud, run = begin(openstack, web, power_off=False)
    run = reconcile.advance(cloud, run)
    fakes.finish(only_image(openstack))
    settle(web, 'ACTIVE')
    web['metadata']['snapshot_dashboard.failure'] = 'snapshot-failed'
    reconcile.advance(cloud, run, approves=lambda there: False)
    assert len(openstack.images) == 1


def test_a_run_that_was_dismissed_while_locked_is_over(openstack, web):
    cloud, run = begin(openstack, web)
    web['locked'] = True
    lifecycle.dismiss(cloud, web['id'])
    assert reconcile.advance(cloud, run).superseded
    assert lifecycle.list_runs(cloud) == lifecycle.Found(())
    web['locked'] = False
    assert reconcile.advance(cloud, run).superseded
    # A new one may begin, and a crash in its beginning brings none back.
    for number in range(5):
        fail_at(openstack, number, 503)
        with contextlib.suppress(errors.ServiceError, lifecycle.Unclear):
            begin(openstack, web)
        openstack.fail_at = None
        there = journal.read(types.Server.from_api(web))
        assert there is None or there.plan.run_id != run.plan.run_id
        web['metadata'].pop(journal.PLAN, None)


def test_a_token_that_expired_begins_nothing_and_says_so(openstack, web):
    openstack.faults['POST', '/metadata$'] = 401
    with pytest.raises(errors.Unauthorized):
        begin(openstack, web)


def test_a_cancel_holds_on_a_locked_server(openstack, web):
    cloud, run = begin(openstack, web)
    web['locked'] = True
    assert lifecycle.cancel(cloud, run).progress.failure == 'cancelled'
    web['locked'] = False
    run = reconcile.advance(cloud, run)
    assert run.progress.failure == 'cancelled' and not run.open
    assert openstack.actions() == []


def test_a_plan_without_anything_to_capture_is_none(openstack, web):
    begin(openstack, web)
    changed_plan(web, **{'is': ''})
    web['metadata']['snapshot_dashboard.volumes.0'] = ' '
    assert journal.read(types.Server.from_api(web)) is None
