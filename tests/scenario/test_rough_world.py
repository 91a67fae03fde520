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

"""What others do to a run's record and to its things, on the real cloud."""

import threading

import pytest

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.preflight import instance_facts
from snapshot_dashboard.preflight import obstacles
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import reconcile
from snapshot_dashboard.runs import record
from tests.cloud import seed
from tests.scenario.clouds import image_of
from tests.scenario.clouds import powered_off
from tests.scenario.clouds import unique
from tests.scenario.waiting import until

pytestmark = pytest.mark.usefixtures('tidy')


def test_another_tool_that_replaces_all_tags_stops_no_run(
        alice, bob, drivers, victim):
    run = powered_off(alice, victim, drivers)
    bob.nova.servers.set_tags(victim.id, ['terraform'])
    run = alice.finish(run)
    assert not run.progress.failure
    server = alice.compute.server(victim.id)
    assert server.status == 'ACTIVE'
    assert set(server.tags) == {'terraform', record.TAG}


def test_another_tool_that_replaces_all_metadata_leaves_no_instance_off(
        alice, bob, drivers, victim):
    run = powered_off(alice, victim, drivers)
    servers = bob.nova.servers
    servers.delete_meta(victim.id, journal.keys(
        bob.compute.server(victim.id)))
    servers.set_meta(victim.id, {'managed': 'elsewhere'})
    run = alice.finish(run)
    assert run.progress.failure == 'record-lost'
    server = alice.compute.server(victim.id)
    assert server.status == 'ACTIVE'
    assert server.metadata['managed'] == 'elsewhere'


@pytest.fixture
def room(admin, alice):
    """Sets how many items of metadata a server may have."""
    address = f'/os-quota-sets/{alice.project_id}'
    before = admin.compute.get(address).json()['quota_set']['metadata_items']

    def leave(items):
        answer = admin.compute.put(address, json={
            'quota_set': {'metadata_items': items}})
        assert answer.ok, answer.text
    yield leave
    leave(before)


def test_too_small_a_quota_of_metadata_is_known_before_anything_is_done(
        alice, victim, room):
    needed = journal.items_needed(0)
    room(needed - 1)
    found = instance_facts.find_obstacles(
        instance_facts.gather(alice, victim.id), power_off=True)
    assert [obstacle.code for obstacle in found] == [
        obstacles.Code.QUOTA_METADATA]
    with pytest.raises(errors.OverQuota):
        alice.begin(victim, unique('full'))
    server = alice.compute.server(victim.id)
    assert server.status == 'ACTIVE' and not server.tags
    assert not journal.keys(server)
    # Exactly enough is enough to the end.
    room(needed)
    run = alice.finish(alice.begin(server, unique('just')))
    assert not run.progress.failure
    assert alice.compute.server(victim.id).status == 'ACTIVE'


def test_without_room_for_metadata_a_live_snapshot_is_recorded_in_tags(
        alice, victim, room):
    room(15)
    facts = instance_facts.gather(alice, victim.id)
    assert instance_facts.find_obstacles(facts) == []
    assert not facts.has_room_for_recipe()
    plan = lifecycle.new_plan(unique('tagged'), '', requested_by='a test',
                              without_recipe=True)
    run = alice.finish(lifecycle.begin(alice, victim, plan, tagged=True))
    assert run.tagged and not run.progress.failure
    (image,) = alice.images.images(10, {marks.RUN: plan.run_id})
    assert image.status == 'active'


def test_a_snapshot_of_an_instance_rebuilt_from_the_runs_stays(alice, bob,
                                                               victim):
    run = alice.finish(alice.begin(victim, unique('before')))
    servers = bob.nova.servers
    servers.rebuild(victim.id, run.progress.image_id)
    until(lambda: (alice.compute.server(victim.id).status,
                   alice.compute.server(victim.id).task_state)
          == ('ACTIVE', None), 'it is rebuilt')
    by_hand = bob.compute.create_image(victim.id, unique('by-hand'), {})
    until(lambda: alice.images.image(by_hand).status == 'active', 'saved')
    assert alice.images.image(by_hand).properties[
        marks.RUN] == run.plan.run_id  # Nova hands it on
    lifecycle.tidy(alice, run)
    lifecycle.dismiss(alice, victim.id)
    assert alice.images.image(by_hand).status == 'active'
    assert image_of(alice, run).status == 'active'
    alice.images.delete(by_hand)


def test_a_run_is_cancelled_though_others_write_metadata_all_the_time(
        alice, bob, victim):
    """Nova saves all items when one is written, so writes undo each other."""
    run = alice.begin(victim, unique('cancelled'))
    over = threading.Event()

    def write():
        number = 0
        while not over.is_set():
            number += 1
            bob.compute.set_metadata(victim.id, {'theirs': str(number)})
    writer = threading.Thread(target=write)
    writer.start()
    try:
        cancelled = lifecycle.cancel(alice, run)
        assert cancelled.progress.failure == 'cancelled'
        run = alice.finish(cancelled)
    finally:
        over.set()
        writer.join()
    assert run.progress.failure == 'cancelled'
    assert alice.compute.server(victim.id).status == 'ACTIVE'
    assert not [action for action in alice.compute.actions(victim.id, 20)
                if action.name == 'stop']


def test_a_record_that_is_copied_to_another_instance_does_nothing(
        alice, bob, victim):
    run = alice.begin(victim, unique('origin'))
    origin = alice.compute.server(victim.id)
    other = alice.find('batch-1')
    bob.compute.set_metadata(other.id, origin.metadata)
    for tag in origin.tags:
        bob.compute.add_tag(other.id, tag)
    copy = journal.read(alice.compute.server(other.id))
    assert copy.copied and not copy.open
    assert reconcile.advance(alice, copy).progress.failure == 'not-begun'
    assert alice.compute.server(other.id).status == other.status
    lifecycle.dismiss(alice, other.id)
    assert not alice.finish(run).progress.failure


def test_what_the_image_says_later_does_not_count(alice, victim):
    """Nova acts by what it said when the instance was launched."""
    facts = instance_facts.gather(alice, victim.id)
    assert facts.server.image_properties is not None
    assert facts.inherited == len(facts.server.image_properties)
    assert seed.PROJECT
