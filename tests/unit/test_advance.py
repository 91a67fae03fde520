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

import pytest

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import types
from snapshot_dashboard.runs import advance
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import steps


@pytest.fixture
def web(openstack):
    return openstack.server('web-1')


def begin(openstack, server, power_off=True, power_on=True):
    plan = advance.new_plan('nightly', 'before the upgrade',
                            power_off=power_off, power_on=power_on,
                            by='alice')
    cloud = openstack.cloud()
    return cloud, advance.begin(cloud, types.Server.from_api(server), plan)


def settle(server, status):
    """Let Nova finish what it was doing."""
    server['status'], server['OS-EXT-STS:task_state'] = status, None


def only_image(openstack):
    (image,) = openstack.images.values()
    return image


def test_a_run_powers_off_captures_and_powers_on(openstack, web):
    cloud, run = begin(openstack, web)
    run = advance.advance(cloud, run)
    assert openstack.actions() == ['os-stop']
    settle(web, 'SHUTOFF')
    run = advance.advance(cloud, run)
    assert openstack.actions() == ['os-stop', 'createImage']
    settle(web, 'SHUTOFF')
    only_image(openstack)['status'] = 'active'
    run = advance.advance(cloud, run)
    assert openstack.actions() == ['os-stop', 'createImage', 'os-start']
    settle(web, 'ACTIVE')
    run = advance.advance(cloud, run)
    assert not run.open and not run.progress.failure
    assert openstack.actions() == ['os-stop', 'createImage', 'os-start']


def test_the_image_carries_the_marks_of_its_run(openstack, web):
    cloud, run = begin(openstack, web, power_off=False)
    advance.advance(cloud, run)
    image = only_image(openstack)
    assert image['name'] == 'nightly'
    assert {name: image[name] for name in (
        marks.RUN, marks.INSTANCE_ID, marks.INSTANCE_NAME,
        marks.IMAGE_TYPE, marks.CONSISTENCY, marks.DESCRIPTION)} == {
            marks.RUN: run.plan.run_id, marks.INSTANCE_ID: web['id'],
            marks.INSTANCE_NAME: 'web-1', marks.IMAGE_TYPE: 'snapshot',
            marks.CONSISTENCY: marks.LIVE,
            marks.DESCRIPTION: 'before the upgrade'}


def test_a_capture_while_off_is_marked_so(openstack):
    server = openstack.server(status='SHUTOFF')
    cloud, run = begin(openstack, server, power_off=False)
    advance.advance(cloud, run)
    assert only_image(openstack)[marks.CONSISTENCY] == marks.POWERED_OFF


def test_the_plan_is_on_the_server_before_anything_is_done(openstack, web):
    begin(openstack, web)
    assert openstack.actions() == []
    assert web['tags'] == [journal.TAG]
    assert journal.read(types.Server.from_api(web)).plan.power_off


def test_one_call_finds_the_runs_of_a_project(openstack, web):
    openstack.server('idle-1')
    cloud, run = begin(openstack, web)
    openstack.calls.clear()
    assert [found.plan for found in advance.runs(cloud)] == [run.plan]
    assert len(openstack.calls) == 1


def test_a_second_run_on_a_server_is_refused(openstack, web):
    begin(openstack, web)
    with pytest.raises(advance.Busy):
        begin(openstack, web)


def test_a_locked_server_is_captured_at_once_without_a_record(openstack):
    server = openstack.server(locked=True)
    cloud, run = begin(openstack, server, power_off=False)
    assert run is None
    assert openstack.actions() == ['createImage']
    assert only_image(openstack)[marks.RUN]
    assert server['metadata'] == {} and server['tags'] == []


def test_a_refused_power_off_fails_and_changes_nothing(openstack, web):
    cloud, run = begin(openstack, web)
    openstack.faults['POST', '/action$'] = 403
    run = advance.advance(cloud, run)
    assert run.progress.failure == 'stop-refused'
    assert not run.open
    assert openstack.images == {} and web['status'] == 'ACTIVE'


def test_a_refused_capture_still_powers_the_instance_on(openstack, web):
    cloud, run = begin(openstack, web)
    run = advance.advance(cloud, run)
    settle(web, 'SHUTOFF')
    openstack.faults['POST', '/action$'] = 403
    run = advance.take(cloud, run, steps.next_step(
        run.plan, run.progress, advance.observe(cloud, run)))
    assert run.progress.failure == 'capture-refused'
    openstack.faults.clear()
    run = advance.advance(cloud, run)
    assert openstack.actions()[-1] == 'os-start'
    settle(web, 'ACTIVE')
    run = advance.advance(cloud, run)
    assert not run.open and run.progress.failure == 'capture-refused'
    assert run.progress.detail == 'as the test wishes'


def test_a_vanished_image_fails_and_powers_the_instance_on(openstack, web):
    cloud, run = begin(openstack, web)
    run = advance.advance(cloud, run)
    settle(web, 'SHUTOFF')
    run = advance.advance(cloud, run)
    openstack.images.clear()
    settle(web, 'SHUTOFF')
    run = advance.advance(cloud, run)
    assert run.progress.failure == 'image-vanished'
    assert openstack.actions()[-1] == 'os-start'


def test_a_lost_answer_to_create_image_makes_no_second_image(openstack, web):
    cloud, run = begin(openstack, web, power_off=False)
    real = openstack._nova_action

    def answer_lost(server, body):
        real(server, body)
        return 500

    openstack._nova_action = answer_lost
    run = advance.advance(cloud, run)
    assert run.progress.image_id == only_image(openstack)['id']
    assert openstack.actions() == ['createImage']


def test_a_service_that_is_down_changes_nothing(openstack, web):
    cloud, run = begin(openstack, web)
    openstack.faults['GET', '/servers/'] = 503
    with pytest.raises(errors.Unavailable):
        advance.advance(cloud, run)
    assert openstack.actions() == []
    openstack.faults.clear()
    assert advance.advance(cloud, run).progress.stops == 1


def test_a_cancelled_run_powers_the_instance_on_again(openstack, web):
    cloud, run = begin(openstack, web)
    run = advance.advance(cloud, run)
    run = advance.cancel(cloud, run)
    settle(web, 'SHUTOFF')
    run = advance.advance(cloud, run)
    settle(web, 'ACTIVE')
    run = advance.advance(cloud, run)
    assert openstack.actions() == ['os-stop', 'os-start']
    assert (run.open, run.progress.failure) == (False, 'cancelled')


def test_a_run_that_captures_cannot_be_cancelled(openstack, web):
    cloud, run = begin(openstack, web, power_off=False)
    run = advance.advance(cloud, run)
    assert advance.cancel(cloud, run) == run


def test_a_dismissed_run_leaves_nothing_on_the_server(openstack, web):
    web['metadata']['owner'] = 'alice'
    cloud, run = begin(openstack, web, power_off=False)
    run = advance.advance(cloud, run)
    advance.dismiss(cloud, run)
    assert web['metadata'] == {'owner': 'alice'}
    assert web['tags'] == []


def test_a_run_that_another_one_followed_is_not_advanced(openstack, web):
    cloud, run = begin(openstack, web)
    web['metadata'].clear()
    assert advance.advance(cloud, run) == run
    assert openstack.actions() == []


def test_nothing_secret_stands_in_the_record(openstack, web):
    begin(openstack, web)
    assert 'alice' in str(web['metadata'])
    assert "'t'" not in str(web['metadata'])
    sent = [body for _, _, body in openstack.calls if body]
    assert sent and not any('X-Auth' in str(body) for body in sent)
