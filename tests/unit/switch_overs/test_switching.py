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

"""A copy takes addresses over, and gives them back."""

import dataclasses
import json

import pytest

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import record
from snapshot_dashboard.snapshots import details
from snapshot_dashboard.switch_overs import choices
from snapshot_dashboard.switch_overs import switch_over
from snapshot_dashboard.switch_overs import switching
from tests import fakes
from tests.unit.switch_overs import world
from tests.unit.switch_overs.world import SIDES

KINDS = pytest.mark.parametrize('made_by_nova', [True, False],
                                ids=['ports of Nova', 'ports of a user'])


@pytest.fixture
def here(openstack):
    return world.World(openstack)


@KINDS
def test_all_cards_move_and_the_copy_runs(openstack, made_by_nova):
    here = world.World(openstack, made_by_nova)
    here.begin()

    found = here.finish()

    assert found.progress.failure == ''
    here.check(SIDES.COPY)
    assert here.original['status'] == 'SHUTOFF'
    assert here.own['id'] not in openstack.ports


@KINDS
def test_they_move_back_by_one_wish(openstack, made_by_nova):
    here = world.World(openstack, made_by_nova)
    here.begin()
    here.finish()

    here.turn()
    found = here.finish()

    assert found.progress.failure == ''
    here.check(SIDES.ORIGINAL)
    assert here.copy['status'] == 'SHUTOFF'


def test_no_port_is_touched_while_an_instance_runs(here, openstack):
    here.begin()
    for _ in range(60):
        before = len(openstack.calls)
        status = {server['id']: server['status']
                  for server in openstack.servers.values()}
        found = here.advance()
        if {'ACTIVE'} & set(status.values()):
            for method, path, _body in openstack.calls[before:]:
                assert method == 'GET' or 'os-interface' not in path
        if not found.open:
            break
        here.settle()
    here.check(SIDES.COPY)


def test_two_that_were_off_stay_off(here):
    here.original['status'] = here.copy['status'] = 'SHUTOFF'
    here.begin()

    assert here.finish().progress.failure == ''

    assert here.cards(here.copy) == here.identity
    assert here.copy['status'] == 'SHUTOFF'


def test_a_lost_port_is_made_anew_before_anything_else(here, openstack):
    here.begin()
    openstack.delete_port(here.ports[1])

    here.advance()

    first = next((method, path) for method, path in openstack.writes()[::-1]
                 if path.endswith('/ports') or path.endswith('/action'))
    assert first == ('POST', '/v2.0/ports') or (
        [path for _, path in openstack.writes()].index('/v2.0/ports')
        < [path.endswith('/action') for _, path in openstack.writes()].index(
            True))
    here.finish()
    here.check(SIDES.COPY)


@pytest.mark.parametrize('fate', ['lost', 409, 500])
def test_no_fault_at_any_write_loses_an_address(openstack, fate):
    here = world.World(openstack, cards=1)
    here.begin()
    begun = len(openstack.calls)
    here.finish()
    writes = [number for number, (method, _, _) in enumerate(
                  openstack.calls) if number > begun and method != 'GET']
    assert len(writes) > 15
    for number in writes:
        with fakes.faked() as services:
            here = world.World(services, cards=1)
            here.begin()
            if fate == 'lost':
                services.lose_at = number
            else:
                services.fail_at = number, fate
            assert here.finish().progress.failure == ''
            here.check(SIDES.COPY)


def test_an_address_that_somebody_takes_is_waited_for(here, openstack):
    here.begin()
    openstack.servers[here.original['id']]['status'] = 'SHUTOFF'
    here.copy['status'] = 'SHUTOFF'
    fixed = here.ports[0]['fixed_ips']

    def take():
        if here.ports[0]['id'] not in openstack.ports and not any(
                port['fixed_ips'] == fixed
                for port in openstack.ports.values()):
            openstack.port(fixed_ips=fixed, mac_address='fa:16:3e:ff:ff:ff')
    openstack.meanwhile['POST', '/v2.0/ports'] = take
    for _ in range(6):
        found = here.advance()
        here.settle()
    assert found.open and 'in use' in found.progress.hindrance
    assert found.progress.not_before

    openstack.meanwhile.clear()
    thief = next(port for port in openstack.ports.values()
                 if port['mac_address'] == 'fa:16:3e:ff:ff:ff')
    openstack.delete_port(thief)
    here.finish()
    here.check(SIDES.COPY)


def test_a_port_that_was_given_to_another_instance_stays_there(here,
                                                               openstack):
    other = openstack.server('other')
    here.begin()
    here.ports[1]['device_id'] = other['id']
    for _ in range(6):
        found = here.advance()
        here.settle()

    assert here.ports[1]['device_id'] == other['id']
    assert found.open and found.progress.held == 'taken 10.0.0.2'

    here.ports[1].update(device_id='', dns_name='')
    here.finish()
    here.check(SIDES.COPY)


def test_a_floating_address_that_somebody_moved_stays_there(here, openstack):
    elsewhere = openstack.port(openstack.server('other'))
    here.begin()
    here.floating.update(port_id=elsewhere['id'])

    assert here.finish().progress.failure == ''

    assert here.floating['port_id'] == elsewhere['id']


@pytest.mark.parametrize('slow', [0, 1, 4], ids=[
    'nova is quick', 'nova takes its time', 'nova takes minutes'])
@pytest.mark.parametrize('looks', range(12))
def test_it_can_be_given_up_at_any_moment(here, looks, slow):
    here.begin()
    for number in range(looks):
        if here.recorded().open:
            here.advance()
            if not slow or number < looks - 1:
                here.settle()

    here.turn()
    for _ in range(slow):
        here.advance()
        here.settle(90, detaches=False)
    assert here.finish().progress.failure == ''
    here.settle()

    here.check(SIDES.ORIGINAL)


def test_to_wish_the_same_twice_is_to_wish_it_once(here):
    here.begin()
    here.finish()

    here.turn(SIDES.ORIGINAL)
    here.turn(SIDES.ORIGINAL)
    here.finish()

    here.check(SIDES.ORIGINAL)
    before = len(here.openstack.writes())
    here.turn(SIDES.ORIGINAL)
    assert len(here.openstack.writes()) == before


def test_a_floating_address_that_was_freed_on_purpose_stays_free(here):
    here.begin()
    here.finish()
    here.floating.update(port_id=None, fixed_ip_address=None)

    here.turn()
    assert here.finish().progress.failure == ''

    assert here.floating['port_id'] is None


def test_a_card_that_cannot_be_made_anew_is_given_up_and_told(here,
                                                              openstack):
    here.begin()
    openstack.faults['POST', '/v2.0/ports'] = 403
    found = here.finish()

    assert found.progress.failure == 'not-all'
    assert 'as the test wishes' in found.progress.hindrance
    assert here.copy['status'] == 'ACTIVE'
    openstack.faults.clear()
    here.turn(SIDES.COPY)
    assert here.finish().progress.failure == ''
    here.check(SIDES.COPY)


@pytest.mark.parametrize(('method', 'path', 'status'), [
    ('POST', '/os-interface', 400), ('PUT', '/v2.0/floatingips', 403)],
    ids=['a card', 'a floating address'])
def test_what_is_refused_keeps_nobody_off(here, openstack, method, path,
                                          status):
    here.begin()
    openstack.faults[method, path] = status

    found = here.finish()

    assert found.progress.failure == 'not-all'
    assert here.copy['status'] == 'ACTIVE'
    openstack.faults.clear()
    here.turn(SIDES.COPY)
    assert here.finish().progress.failure == ''
    here.check(SIDES.COPY)


def test_an_address_that_came_out_differently_is_told(here, openstack):
    here.begin()
    card = here.recorded().plan.cards[0]
    for _ in range(60):
        found = here.advance()
        for port in openstack.ports.values():
            if port['mac_address'] == card.mac and not port['made_by_nova']:
                port['fixed_ips'] = [{'subnet_id': fakes.new_id(70),
                                      'ip_address': '10.0.0.77'}]
        if not found.open:
            break
        here.settle()

    assert found.progress.failure == 'not-all'


@KINDS
def test_when_the_copy_is_deleted_midway_the_addresses_are_kept(
        openstack, made_by_nova):
    here = world.World(openstack, made_by_nova)
    here.begin()
    for _ in range(5):
        here.advance()
        here.settle()
    del openstack.servers[here.copy['id']]
    for port in list(openstack.ports.values()):
        if port['device_id'] == here.copy['id']:
            port['device_id'] = ''

    found = here.finish()

    assert found.progress.failure == 'instance-gone'
    macs = {port['mac_address'] for port in openstack.ports.values()}
    assert {card.mac for card in found.plan.cards} <= macs
    here.turn()
    assert here.finish().progress.failure == ''
    here.check(SIDES.ORIGINAL)


def test_when_the_original_is_deleted_midway_the_copy_gets_them_all(
        here, openstack):
    here.begin()
    here.advance()
    here.settle()
    del openstack.servers[here.original['id']]
    for port in list(openstack.ports.values()):
        if port['device_id'] == here.original['id']:
            openstack.delete_port(port)

    assert here.finish().progress.failure == ''

    assert here.cards(here.copy) == here.identity


def test_to_an_instance_that_is_gone_nothing_can_be_given_back(here,
                                                               openstack):
    here.begin()
    here.finish()
    del openstack.servers[here.original['id']]

    with pytest.raises(errors.NotFound):
        here.turn()

    assert not here.recorded().open
    assert here.cards(here.copy) == here.identity


def test_one_that_will_not_start_is_told_and_keeps_the_addresses(here,
                                                                 openstack):
    here.begin()
    original_settle = here.settle

    def settle(seconds=20):
        if here.copy['OS-EXT-STS:task_state'] == 'powering-on':
            here.copy.update({'OS-EXT-STS:task_state': None})
        original_settle(seconds)
    here.settle = settle

    assert here.finish().progress.failure == 'start-failed'

    assert here.cards(here.copy) == here.identity


def test_while_a_snapshot_is_taken_it_waits(here, openstack):
    found = here.begin()
    body = {'snapshot_dashboard.plan': 'x'}
    run = {}

    def read(server, *args, _read=journal.read):
        return run.get(server.id) or _read(server, *args)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal, 'read', read)
        run[here.copy['id']] = dataclasses.make_dataclass(
            'Run', [('open', bool)])(True)
        found = here.advance()
        assert found.progress.held == 'run web-2', body
        assert openstack.actions() == []


def test_no_run_and_no_restore_begins_meanwhile(here):
    here.begin()
    server = here.cloud.compute.server(here.copy['id'])

    assert record.is_switching(server)
    assert switching.is_busy(here.cloud, server)


def test_it_is_begun_once(here):
    here.begin()
    facts = here.facts()

    assert {obstacle.code for obstacle in choices.find_obstacles(facts)} == {
        choices.Code.RECORDED}
    with pytest.raises(switching.Busy):
        switching.begin(here.cloud, choices.wish(facts, 'alice'), world.SEAL,
                        here.clock)


@pytest.mark.parametrize(('method', 'path'), [
    ('PATCH', '/v2/images'), ('PUT', '/tags/snapshot-dashboard-switching'),
    ('PUT', '/tags/snapshot-dashboard-switch$')])
def test_one_that_is_refused_leaves_nothing_behind(here, openstack, method,
                                                   path):
    openstack.faults[method, path] = 403

    with pytest.raises(errors.Forbidden):
        here.begin()

    openstack.faults.clear()
    for server in (here.original, here.copy):
        assert server['tags'] == []
    if method == 'PUT':
        assert here.recorded() is None
    assert not openstack.images[here.image['id']]['protected']


@pytest.mark.parametrize(('change', 'code'), [
    (lambda here: here.original.update(status='PAUSED'), 'state'),
    (lambda here: here.copy.update(locked=True), 'locked'),
    (lambda here: here.copy.update(
        {'OS-EXT-STS:task_state': 'rebooting'}), 'busy'),
    (lambda here: here.copy.update(tags=[str(number)
                                         for number in range(48)]), 'tags'),
    (lambda here: here.ports[0].update(
        network_id=fakes.new_id(8)), 'network'),
    (lambda here: here.ports[0].update(
        {'binding:vnic_type': 'direct'}), 'hardware'),
    (lambda here: here.ports[0].update(trunk_details={'trunk_id': 'x'}),
     'hardware'),
    (lambda here: here.ports[0].update(description='x' * 20000), 'too-many'),
    (lambda here: [port.update(description='x' * 15000, port_security=1)
                   for port in (*here.ports, here.openstack.port(
                       here.original, description='x' * 15000))],
     'too-many'),
    (lambda here: here.ports[0].update(qos_policy_id=fakes.new_id(6)), 'qos'),
    (lambda here: [port.update(device_owner='network:dhcp')
                   for port in here.ports], 'no-ports'),
    (lambda here: here.openstack.ports.clear(), 'no-ports'),
    (lambda here: here.openstack.servers.pop(here.copy['id']), 'no-copy'),
    (lambda here: here.openstack.servers.pop(here.original['id']),
     'source-gone'),
    (lambda here: here.image.update({f'p{number}': 'x'
                                     for number in range(125)}),
     'properties'),
], ids=lambda value: value if isinstance(value, str) else '')
def test_what_is_in_the_way_is_told_before_anything_is_touched(here, change,
                                                               code):
    change(here)

    assert [obstacle.code for obstacle in choices.find_obstacles(
        here.facts())] == [choices.Code(code)]


def test_a_port_that_is_older_than_its_instance_moves_on_any_network(
        openstack):
    here = world.World(openstack, made_by_nova=False)
    for port in here.ports:
        port['network_id'] = fakes.new_id(8)

    assert choices.find_obstacles(here.facts()) == []


def test_copies_are_found_by_their_tag_and_by_their_image(here, openstack):
    tagged = openstack.server('of volumes', image=None, tags=[
        f'snapshot-dashboard-copy:{here.image["id"]}'])
    openstack.server('a test', image={'id': here.image['id']},
                     tags=[record.TEST_TAG])

    assert {server.id for server in here.facts().copies} == {
        here.copy['id'], tagged['id']}


def test_the_latest_copy_that_is_ready_is_offered_first(here, openstack):
    openstack.server('broken', status='ERROR', created=fakes.stamp(800),
                     image={'id': here.image['id']})
    cloud = here.cloud

    facts = choices.gather(cloud, details.get(cloud, here.row_id))

    assert facts.copy.id == here.copy['id'] and len(facts.copies) == 2


def test_cards_keep_the_order_in_which_the_guest_has_them(here):
    here.original['addresses'] = {'private': [
        {'OS-EXT-IPS-MAC:mac_addr': port['mac_address'], 'addr': '?'}
        for port in reversed(here.ports)]}

    assert [port.id for port in here.facts().ports] == [
        port['id'] for port in reversed(here.ports)]


def test_a_derived_address_is_left_to_neutron(openstack):
    here = world.World(openstack, cards=1)
    here.ports[0]['fixed_ips'].append({
        'subnet_id': fakes.new_id(72),
        'ip_address': '2001:db8::f816:3eff:fe00:1'})

    (port,) = here.facts().ports

    assert port.body['fixed_ips'] == [
        {'subnet_id': fakes.new_id(70), 'ip_address': '10.0.0.1'},
        {'subnet_id': fakes.new_id(72)}]


def test_a_record_is_read_back_as_it_was_written(here):
    found = here.begin()

    assert here.recorded() == found


@pytest.mark.parametrize('change', [
    lambda plan: plan.update(v=2), lambda plan: plan.pop('cards'),
    lambda plan: plan.update(cards=[]), lambda plan: plan.update(cards=[7]),
    lambda plan: plan.update(copy_id='../x'),
    lambda plan: plan.update(run_id=7),
    lambda plan: plan['cards'][0].update(port_id='detail'),
    lambda plan: plan['cards'][0].update(mac='?'),
    lambda plan: plan['cards'][0].update(body='7'),
    lambda plan: plan['cards'][0].update(floating=[['x', 'y', 'z']]),
    lambda plan: plan.update(home_id=fakes.new_id(5)),
    lambda plan: plan.update(copy_name='a\nb'),
    lambda plan: plan.update(runs='yes')])
def test_what_anybody_wrote_is_no_record(here, change):
    here.begin()
    plan = json.loads(here.image[switch_over.PLAN])
    change(plan)
    here.image[switch_over.PLAN] = json.dumps(plan)

    assert here.recorded() is None


def test_nothing_is_done_by_a_record_that_was_changed(here, openstack):
    here.begin()
    plan = json.loads(here.image[switch_over.PLAN])
    plan['own_ports'] = [port['id'] for port in here.ports]
    here.image[switch_over.PLAN] = json.dumps(plan)
    before = len(openstack.writes())

    here.advance()

    assert len(openstack.writes()) == before
    switching.dismiss(here.cloud, here.image['id'], world.approves)
    assert here.recorded() is None


def test_one_that_is_over_is_dismissed_with_its_tags(here):
    here.begin()
    switching.dismiss(here.cloud, here.image['id'], world.approves)
    assert here.recorded() is not None  # it is open
    here.finish()

    switching.dismiss(here.cloud, here.image['id'], world.approves)

    assert here.recorded() is None
    assert here.original['tags'] == here.copy['tags'] == []


def test_a_tag_that_stayed_for_nothing_goes(here, openstack):
    here.begin()
    here.finish()
    here.copy['tags'].append(record.SWITCHING)

    switching.sweep(here.cloud, here.cloud.compute.server(here.copy['id']))

    assert record.SWITCHING not in here.copy['tags']


def test_a_look_takes_six_calls_in_one_round(here, openstack):
    here.begin()
    here.finish()
    before = len(openstack.calls)

    switching.look(here.cloud, here.recorded(), int(here.clock()))

    assert len(openstack.calls) - before == 7  # one of them for the record


def test_tags_that_another_tool_took_away_are_set_again(here):
    here.begin()
    here.original['tags'].clear()
    here.copy['tags'].clear()

    here.advance()

    for server in (here.original, here.copy):
        assert len(server['tags']) == 3
    here.finish()
    here.check(SIDES.COPY)


def test_when_both_are_deleted_it_ends_and_no_port_is_made(here, openstack):
    here.begin()
    openstack.servers.clear()
    openstack.ports.clear()

    assert here.finish().progress.failure == 'instance-gone'

    assert openstack.ports == {}
    assert not here.image['protected']
