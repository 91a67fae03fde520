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

"""Services that die in the middle of a snapshot, and come back."""

import time

import pytest

from snapshot_dashboard import marks
from snapshot_dashboard.runs import reconcile
from snapshot_dashboard.runs import situation
from tests.scenario.clouds import image_of
from tests.scenario.clouds import unique
from tests.scenario.waiting import until

pytestmark = pytest.mark.usefixtures('tidy')


@pytest.fixture
def dies(dead):
    """A service is killed and starts again at once."""
    def kill_and_start(service):
        with dead(service):
            pass
    return kill_and_start


@pytest.fixture
def looks(where, dies):
    """A Nova that, once it came back, looks at what its guests do."""
    file = where.etc / 'nova.conf'
    before = file.read_text()
    assert 'sync_power_state_interval = -1' in before
    file.write_text(before.replace('sync_power_state_interval = -1',
                                   'sync_power_state_interval = 2'))
    yield
    file.write_text(before)
    dies('nova')


def saving(cloud, run):
    return cloud.advance_until(
        run, lambda run: run.progress.image_id and image_of(
            cloud, run).status == 'saving', 'the image is being saved')[0]


def give_up(cloud, run):
    """Look until nobody works on it, and again when the grace is over."""
    until(lambda: not cloud.compute.server(run.server.id).task_state, 'idle')
    run = reconcile.advance(cloud, run)
    assert run.open and run.progress.idle_since
    return cloud.finish(
        run, lambda: time.time() + situation.IDLE_GRACE + 1)


def test_a_glance_that_dies_in_the_upload_leaves_no_image(alice, drivers,
                                                          dead):
    with drivers.turned('server.upload', hold=True, only='web-1'):
        run = saving(alice, alice.begin(alice.find('web-1'), unique('cut')))
        with dead('glance'):
            drivers.clear()
            # So Nova cannot remove the image either.
            until(lambda: not alice.compute.server(
                run.server.id).task_state, 'Nova has given up')
    run = give_up(alice, run)
    assert run.progress.failure == 'image-abandoned'
    assert not alice.images.images(10, {marks.RUN: run.plan.run_id})
    assert alice.compute.server(run.server.id).status == 'ACTIVE'


def test_a_nova_that_dies_in_the_upload_leaves_the_instance_running(
        alice, drivers, dies):
    with drivers.turned('server.upload', hold=True, only='web-1'):
        run = saving(alice, alice.begin(alice.find('web-1'), unique('cut')))
        dies('nova')
    run = give_up(alice, run)
    assert run.progress.failure or image_of(alice, run).status == 'active'
    assert alice.compute.server(run.server.id).status == 'ACTIVE'


def test_an_instance_left_off_by_a_live_snapshot_is_powered_on(
        alice, drivers, dies, looks):
    server = alice.find('web-1')
    with drivers.turned('server.snapshot', hold=True, saves_guest=True,
                        only='web-1'):
        run, _ = alice.advance_until(
            alice.begin(server, unique('live'), power_off=False,
                        was_running=True),
            lambda run: run.progress.image_id, 'there is an image')
        until(lambda: alice.compute.server(
            server.id).task_state == 'image_pending_upload', 'the guest is '
            'saved')
        dies('nova')
    # It says ACTIVE until it looks at the hypervisor.
    until(lambda: alice.compute.server(server.id).status == 'SHUTOFF',
          'Nova has seen it')
    run = give_up(alice, run)
    assert run.progress.failure == 'image-abandoned'
    assert alice.compute.server(server.id).status == 'ACTIVE'
