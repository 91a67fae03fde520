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

"""What people do in the middle of a run wins, and the run ends well."""

import time

from keystoneauth1 import exceptions as keystone_errors
import pytest

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import reconcile
from tests.cloud import seed
from tests.cloud import site
from tests.scenario import advancer
from tests.scenario import clouds
from tests.scenario.clouds import image_of
from tests.scenario.clouds import unique
from tests.scenario.waiting import until

pytestmark = pytest.mark.usefixtures('tidy')


def state(cloud, server):
    now = cloud.compute.server(server.id)
    return now.status, now.task_state


def kept(cloud, run):
    return cloud.images.images(10, {marks.RUN: run.plan.run_id})


def test_started_before_the_capture_it_stays_on_and_no_snapshot_is_kept(
        alice, bob, drivers, victim):
    run = clouds.powered_off(alice, victim, drivers)
    bob.compute.start(victim.id)
    until(lambda: state(alice, victim) == ('ACTIVE', None), 'it runs')
    run = alice.finish(run, advancer.clock(time.time()))
    assert run.progress.failure == 'started-by-others'
    assert state(alice, victim) == ('ACTIVE', None) and not kept(alice, run)


@pytest.mark.parametrize(('leave', 'back', 'meanwhile'), [
    ('shelve', 'unshelve', 'SHELVED_OFFLOADED'),
    ('rescue', 'unrescue', 'RESCUE')])
def test_in_a_state_that_takes_no_note_it_is_left_alone_until_it_is_back(
        alice, bob, drivers, victim, leave, back, meanwhile):
    run = clouds.powered_off(alice, victim, drivers)
    servers = bob.nova.servers
    getattr(servers, leave)(victim.id)
    until(lambda: state(alice, victim) == (meanwhile, None), meanwhile)
    run = reconcile.advance(alice, run)
    assert run.open and state(alice, victim) == (meanwhile, None)
    getattr(servers, back)(victim.id)
    until(lambda: state(alice, victim)[0] == 'ACTIVE', 'it is back')
    run = alice.finish(run, advancer.clock(time.time()))
    assert run.progress.failure == 'started-by-others'
    assert state(alice, victim) == ('ACTIVE', None)
    assert not kept(alice, run)


def test_rebuilt_before_the_capture_it_is_captured_as_it_is_then(
        alice, bob, drivers, victim):
    run = clouds.powered_off(alice, victim, drivers)
    bob.nova.servers.rebuild(victim.id, victim.image_id)
    run = alice.finish(run)
    assert not run.progress.failure
    assert state(alice, victim) == ('ACTIVE', None)
    assert image_of(alice, run).status == 'active'


def test_snapshotted_by_hand_in_the_middle_it_gets_both_snapshots(
        alice, bob, drivers, victim):
    run = clouds.powered_off(alice, victim, drivers)
    with drivers.turned('server.upload', hold=True, only=victim.name):
        by_hand = bob.compute.create_image(victim.id, unique('by-hand'), {})
        # Nova refuses a second one until the first is saved.
        run = reconcile.advance(alice, run)
        assert not run.progress.image_id
    run = alice.finish(run)
    assert not run.progress.failure
    assert len(kept(alice, run)) == 1
    assert alice.images.image(by_hand).status == 'active'
    alice.images.delete(by_hand)
    assert state(alice, victim) == ('ACTIVE', None)


@pytest.mark.parametrize('captured', [False, True])
def test_deleted_in_the_middle_it_is_gone_and_nothing_half_is_kept(
        alice, bob, drivers, victim, captured):
    run = clouds.powered_off(alice, victim, drivers)
    with drivers.turned('server.upload', hold=True, only=victim.name):
        if captured:
            run = reconcile.advance(alice, run)
        bob.nova.servers.delete(victim.id)
    until(lambda: clouds.is_gone(
        lambda: alice.compute.server(victim.id)), 'it is gone')
    run = reconcile.advance(alice, run)
    until(lambda: all(image.status == 'active' for image in kept(alice, run)),
          'there is a whole image or none')


def test_powered_off_by_hand_after_the_snapshot_it_stays_off(
        alice, bob, drivers, victim):
    run = clouds.powered_off(alice, victim, drivers)
    with drivers.turned('server.start', hold=True, only=victim.name):
        run, _ = alice.advance_until(
            run, lambda run: run.progress.start_count,
            'it is being powered on')
    until(lambda: state(alice, victim) == ('ACTIVE', None), 'it runs')
    bob.compute.stop(victim.id)
    until(lambda: state(alice, victim) == ('SHUTOFF', None), 'it is off')
    run = alice.finish(run)
    assert run.progress.captured_at and not run.progress.failure
    assert state(alice, victim) == ('SHUTOFF', None)


def test_a_forged_progress_makes_neither_two_snapshots_nor_an_absence(
        alice, bob, drivers, victim):
    run = clouds.powered_off(alice, victim, drivers)
    bob.compute.set_metadata(victim.id, {
        'snapshot_dashboard.capture_count': '2', 'snapshot_dashboard.image_id':
        'nonsense', 'snapshot_dashboard.idle_since': '-4'})
    run = alice.finish(run, advancer.clock(time.time()))
    assert len(kept(alice, run)) <= 1
    assert state(alice, victim) == ('ACTIVE', None)


def test_a_cut_record_is_found_by_its_tags_and_leaves_nothing_off(
        alice, bob, drivers, victim):
    run = clouds.powered_off(alice, victim, drivers)
    bob.compute.delete_metadata(victim.id, ['snapshot_dashboard.plan'])
    found = {run.server.id: run for run in lifecycle.list_runs(bob).runs}
    assert found[victim.id].lost
    run = bob.finish(run)
    assert run.progress.failure == 'record-lost'
    assert state(alice, victim) == ('ACTIVE', None)


def test_a_token_that_expires_loses_nothing(
        alice, bob, where, drivers, victim):
    run = clouds.powered_off(alice, victim, drivers)
    other = clouds.connect(where, 'alice')
    token = other.session.get_token()
    other.session.delete(
        f'{where.auth_url}/auth/tokens', headers={'X-Subject-Token': token})
    stale = other.session.auth
    stale.invalidate = lambda: False  # as Horizon, which cannot renew one
    with pytest.raises(errors.Unauthorized):
        until(lambda: reconcile.advance(other, run).progress.failure,
              'the token is refused')
    assert not bob.finish(run).progress.failure
    assert state(alice, victim) == ('ACTIVE', None)


def test_a_role_that_is_taken_away_loses_nothing(alice, admin, where, drivers,
                                                 victim):
    identity = admin.identity
    project = identity.find_project(seed.PROJECT)
    member = identity.find_role('member')
    user = identity.create_user(name=unique('dave'), password=site.PASSWORD,
                                domain_id='default')
    identity.assign_project_role_to_user(project, user, member)
    dave = clouds.connect(where, user.name)
    run = clouds.powered_off(dave, victim, drivers)
    identity.unassign_project_role_from_user(project, user, member)
    with pytest.raises(keystone_errors.Unauthorized):
        clouds.connect(where, user.name)
    assert not alice.finish(run).progress.failure
    assert state(alice, victim) == ('ACTIVE', None)
