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
import requests

from snapshot_dashboard.boot_tests import boot_test
from snapshot_dashboard.boot_tests import testing
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.inspection import boot_reports
from snapshot_dashboard.inspection.console import Verdict
from snapshot_dashboard.runs import delegate
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import record
from snapshot_dashboard.runs import seals
from snapshot_dashboard.snapshots import details
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import launch
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.snapshots import recipes
from tests import fakes

SEAL = seals.Seal('secret')
SECONDS = 300
WORKER = delegate.Delegation('worker', 'alice', 'member', 3600)


class Clock:
    def __init__(self, openstack):
        self.openstack, self.after = openstack, 0

    def __call__(self):
        return fakes.seconds(self.after)

    def advance(self, seconds):
        self.after += seconds
        self.openstack.now = self.after


@pytest.fixture
def clock(openstack):
    return Clock(openstack)


@pytest.fixture
def image(openstack):
    return openstack.image('web', os_hash_value='a' * 128)


@pytest.fixture
def begun(openstack, clock, image):
    """Begins a test of an image; its instance."""
    def begin(body=image, worker=None):
        cloud = openstack.cloud()
        found = details.get(cloud, model.row_id(kinds.Kind.INSTANCE,
                                                body['id']))
        options = launch.fetch_options(cloud, True, isolated=True)
        testing.begin(cloud, found, testing.smallest_flavor(found, options),
                      SECONDS, 'alice', 'boot test', SEAL, worker, clock)
        return [server for server in openstack.servers.values()
                if record.TEST_TAG in server['tags']][-1]
    return begin


def look(openstack, clock):
    """What the next look at all tests brings."""
    cloud = openstack.cloud()
    return [testing.advance(cloud, test, clock) for test in testing.find(cloud)
            if testing.approves(SEAL, test)]


def runs(openstack, server, said=''):
    """The instance runs, and says something."""
    server.update({'status': 'ACTIVE',
                   'OS-SRV-USG:launched_at': fakes.stamp(openstack.now)[:-1]
                   + '.000000'})
    openstack.consoles[server['id']] = said


def verdict(openstack, body):
    report = boot_reports.read(openstack.cloud().images.image(body['id']))
    return report and report.verdict


def test_an_instance_without_networks_boots_from_it_and_goes(
        openstack, clock, image, begun):
    server = begun()
    (asked,) = [body['server'] for method, path, body in openstack.calls
                if method == 'POST' and path.endswith('/servers')]
    assert asked['networks'] == 'none' and asked['imageRef'] == image['id']
    assert asked['flavorRef'] == 'id-of-m1.small'
    look(openstack, clock)
    assert server['id'] in openstack.servers
    runs(openstack, server, 'Linux version 6.1\n')
    look(openstack, clock)
    assert verdict(openstack, image) is None
    openstack.consoles[server['id']] += 'web login: '
    look(openstack, clock)
    assert openstack.servers == {}
    assert verdict(openstack, image) is Verdict.BOOTED


@pytest.mark.parametrize(('state', 'said', 'wanted'), [
    ({}, 'Kernel panic - not syncing: no init\n', Verdict.PANICKED),
    ({}, '(initramfs) ', Verdict.STUCK),
    ({'status': 'SHUTOFF'}, 'Power down\n', Verdict.UNFINISHED),
    ({'status': 'SHUTOFF'}, 'web login: \nPower down\n', Verdict.BOOTED),
    ({'status': 'ERROR', 'fault': {'message': 'No valid host', 'code': 500}},
     '', Verdict.NOT_LAUNCHED),
    # It ran, and what failed then is not known.
    ({'status': 'ERROR', 'OS-SRV-USG:launched_at': fakes.stamp(0)}, '',
     Verdict.UNKNOWN)])
def test_however_it_goes_it_is_noted_and_the_instance_goes(
        openstack, clock, image, begun, state, said, wanted):
    server = begun()
    if state.get('status') != 'ERROR':
        runs(openstack, server, said)
    server.update(state)
    look(openstack, clock)
    assert openstack.servers == {}
    assert verdict(openstack, image) is wanted


@pytest.mark.parametrize(('said', 'wanted'), [
    ('\r\n', Verdict.SILENT), ('Booting...\n', Verdict.UNFINISHED),
    (None, Verdict.UNKNOWN)])
def test_what_says_nothing_that_tells_is_waited_for_and_not_for_ever(
        openstack, clock, image, begun, said, wanted):
    server = begun()
    clock.advance(100)
    runs(openstack, server, said)
    if said is None:
        del openstack.consoles[server['id']]
    clock.advance(SECONDS - 1)
    look(openstack, clock)
    assert server['id'] in openstack.servers
    clock.advance(1)
    look(openstack, clock)
    assert openstack.servers == {}
    assert verdict(openstack, image) is wanted


def test_what_nova_does_not_launch_is_not_waited_for_for_ever(
        openstack, clock, image, begun):
    server = begun()
    clock.advance(testing.LAUNCH_WITHIN - 1)
    look(openstack, clock)
    assert server['id'] in openstack.servers
    clock.advance(1)
    look(openstack, clock)
    assert openstack.servers == {}
    assert verdict(openstack, image) is Verdict.NOT_LAUNCHED


def test_the_volumes_of_a_set_are_made_for_it_and_go_with_it(openstack,
                                                             begun):
    root, data = openstack.snapshot('root'), openstack.snapshot('data')
    body = openstack.set_image('db', [root, data])
    begun(body)
    (asked,) = [body['server'] for method, path, body in openstack.calls
                if method == 'POST' and path.endswith('/servers')]
    assert not asked['imageRef']
    assert [(disk['uuid'], disk['boot_index'], disk['source_type'],
             disk['delete_on_termination'])
            for disk in asked['block_device_mapping_v2']] == [
                (root['id'], 0, 'snapshot', True),
                (data['id'], -1, 'snapshot', True)]


def test_a_verdict_is_of_the_data_that_was_tested(openstack, clock, image,
                                                  begun):
    """Nova copies properties to the snapshots of what was launched from it.
    """
    runs(openstack, begun(), 'web login: ')
    look(openstack, clock)
    heir = openstack.image('heir', **{
        boot_reports.TESTED: image[boot_reports.TESTED],
        'os_hash_value': 'b' * 128})
    assert verdict(openstack, heir) is None
    one, another = openstack.snapshot('a'), openstack.snapshot('b')
    tested = openstack.set_image('db', [one])
    tested.update(boot_reports.write(Verdict.BOOTED, 1, boot_reports.digest(
        openstack.cloud().images.image(tested['id']))))
    assert verdict(openstack, tested) is Verdict.BOOTED
    assert verdict(openstack, openstack.set_image('other', [another], **{
        boot_reports.TESTED: tested[boot_reports.TESTED]})) is None


@pytest.mark.parametrize('text', [
    '', 'booted', 'booted x y', 'nonsense 1 aaaaaaaaaaaaaaaa',
    'booted 9999999999 aaaaaaaaaaaaaaaa', '\0 1 a', 'booted 1 ' + 'b' * 16])
def test_a_forged_verdict_is_none_or_has_a_time(openstack, image, text):
    image[boot_reports.TESTED] = text
    report = boot_reports.read(openstack.cloud().images.image(image['id']))
    assert report is None or report.at.year > 2000


def test_a_snapshot_is_tested_once_at_a_time(begun):
    begun()
    with pytest.raises(testing.Busy):
        begun()


def test_the_verdict_that_was_found_first_stays(openstack, clock, image,
                                                begun):
    """Glance is away; meanwhile the guest goes on."""
    server = begun()
    runs(openstack, server, 'web login: ')
    openstack.faults['PATCH', '/images/'] = 503
    with pytest.raises(errors.Unavailable):
        look(openstack, clock)
    assert server['id'] in openstack.servers
    openstack.consoles[server['id']] = 'Kernel panic - not syncing: later\n'
    openstack.faults.clear()
    look(openstack, clock)
    assert openstack.servers == {}
    assert verdict(openstack, image) is Verdict.BOOTED


@pytest.mark.parametrize('status', [403, 404, 409, 413])
def test_where_no_verdict_can_be_noted_the_instance_goes_all_the_same(
        openstack, clock, begun, status):
    runs(openstack, begun(), 'web login: ')
    openstack.faults['PATCH', '/images/'] = status
    look(openstack, clock)
    assert openstack.servers == {}


def test_glance_is_not_waited_for_for_ever(openstack, clock, begun):
    runs(openstack, begun(), 'web login: ')
    openstack.faults['PATCH', '/images/'] = 503
    with pytest.raises(errors.Unavailable):
        look(openstack, clock)
    clock.advance(testing.PATIENCE - 1)
    with pytest.raises(errors.Unavailable):
        look(openstack, clock)
    clock.advance(1)
    look(openstack, clock)
    assert openstack.servers == {}


def test_a_test_that_was_not_looked_at_for_hours_is_judged_all_the_same(
        openstack, clock, image, begun):
    """Glance and Nova's consoles are away for a moment just then."""
    runs(openstack, begun(), 'web login: ')
    clock.advance(SECONDS + 1800)
    openstack.faults['POST', '/action$'] = 503
    with pytest.raises(errors.Unavailable):
        look(openstack, clock)
    openstack.faults.clear()
    clock.advance(10_000)
    openstack.faults['GET', '/images/'] = 503
    with pytest.raises(errors.Unavailable):
        look(openstack, clock)
    openstack.faults.clear()
    look(openstack, clock)
    assert verdict(openstack, image) is Verdict.BOOTED


def test_a_console_is_not_waited_for_for_ever(openstack, clock, image, begun):
    runs(openstack, begun(), 'web login: ')
    clock.advance(SECONDS + testing.PATIENCE)
    openstack.faults['POST', '/action$'] = 503
    look(openstack, clock)
    assert openstack.servers == {}
    assert verdict(openstack, image) is Verdict.UNKNOWN


def test_what_tells_of_the_cloud_alone_keeps_what_was_known(
        openstack, clock, image, begun):
    runs(openstack, begun(), 'web login: ')
    look(openstack, clock)
    for _ in range(2):
        begun().update(status='ERROR')
        look(openstack, clock)
        report = boot_reports.read(openstack.cloud().images.image(image['id']))
        assert report.verdict is Verdict.NOT_LAUNCHED
        assert report.before.verdict is Verdict.BOOTED
    runs(openstack, begun(), 'Kernel panic - not syncing: x\n')
    look(openstack, clock)
    report = boot_reports.read(openstack.cloud().images.image(image['id']))
    assert (report.verdict, report.before) == (Verdict.PANICKED, None)


@pytest.mark.parametrize('state', [
    {'status': 'SOFT_DELETED'}, {'OS-EXT-STS:task_state': 'deleting'},
    {'OS-EXT-STS:task_state': 'soft-deleting'}])
@pytest.mark.parametrize('noted', [
    {}, boot_test.write_verdict(Verdict.BOOTED, 1)])
def test_what_nova_is_removing_is_not_asked_for_again(openstack, clock, begun,
                                                      state, noted):
    """Each request would have it kept for longer."""
    server = begun()
    runs(openstack, server, 'web login: ')
    server.update(state)
    clock.advance(SECONDS)
    server['metadata'].update(noted)
    openstack.calls.clear()
    assert look(openstack, clock) == [None]
    assert openstack.writes() == []


@pytest.mark.parametrize('status', [400, 403, 409])
def test_an_instance_that_takes_no_note_is_judged_and_goes(
        openstack, clock, image, begun, status):
    runs(openstack, begun(), 'web login: ')
    openstack.faults['POST', '/metadata$'] = status
    look(openstack, clock)
    assert openstack.servers == {}
    assert verdict(openstack, image) is Verdict.BOOTED


def test_no_fault_at_any_call_leaves_an_instance_or_a_wrong_verdict(
        openstack, clock, image, begun):
    """Each call fails once, before or after it was carried out."""
    runs(openstack, begun(), 'web login: ')
    before = len(openstack.calls)
    look(openstack, clock)
    count = len(openstack.calls) - before
    assert count >= 5
    for number in range(count):
        for fault in (500, requests.ConnectTimeout, requests.ReadTimeout):
            image.pop(boot_reports.TESTED, None)
            runs(openstack, begun(), 'web login: ')
            openstack.fail_at = len(openstack.calls) + number, fault
            try:
                look(openstack, clock)
            except errors.ServiceError:
                assert verdict(openstack, image) in (None, Verdict.BOOTED)
            openstack.fail_at = None
            look(openstack, clock)
            assert openstack.servers == {}, (number, fault)
            assert verdict(openstack, image) is Verdict.BOOTED


@pytest.mark.parametrize('change', [
    # Made by hand, or by another Horizon.
    lambda server, other: other['metadata'].update(
        {**server['metadata'], boot_test.SEAL: 'x'}),
    # Copied, to an older one and to one of another image.
    lambda server, other: other.update(
        metadata=dict(server['metadata']), created=fakes.stamp(-3600)),
    lambda server, other: other.update(
        metadata=dict(server['metadata']), image={'id': fakes.new_id(9)}),
    # On a volume, and with networks, which no test has.
    lambda server, other: other.update(
        metadata=dict(server['metadata']), image=None),
    lambda server, other: other.update(
        metadata=dict(server['metadata']), addresses={'private': [{}]}),
    # With a shorter life.
    lambda server, other: other.update(metadata={
        name: text.replace(':300', ':1')
        for name, text in server['metadata'].items()})])
def test_no_other_instance_is_ever_removed(openstack, clock, image, begun,
                                           change):
    server = begun()
    other = openstack.server('production', tags=[record.TEST_TAG],
                             image={'id': image['id']},
                             created=fakes.stamp(0))
    runs(openstack, other, 'production login: ')
    change(server, other)
    look(openstack, clock)
    assert other['id'] in openstack.servers
    # It is still shown, so that somebody can see to it.
    assert other['id'] in [test.server.id for test in testing.find(
        openstack.cloud())]


@pytest.mark.parametrize('text', [
    '', 'null', '[]', '{}', '{"v":2}', '{"v":1,"id":1}', '[' * 1000,
    '{"v":1,"id":"a","image":"b","of":"c","at":-1,"for":1,"by":""}',
    '{"v":1,"id":"a","image":"b","of":"c","at":true,"for":[],"by":""}'])
def test_a_record_that_cannot_be_read_is_none(openstack, clock, text):
    openstack.server('x', tags=[record.TEST_TAG],
                     metadata={boot_test.PLAN: text})
    assert testing.find(openstack.cloud()) == []
    assert look(openstack, clock) == []


def test_the_smallest_flavor_that_fits_and_lets_a_guest_boot_is_taken(
        openstack, image):
    openstack.choices['flavors'] = {'flavors': [
        fakes.flavor('large', disk=40, ram=8192),
        fakes.flavor('no disk', disk=0, ram=1024),
        fakes.flavor('nano', disk=10, ram=64),
        fakes.flavor('small', disk=10, ram=1024),
        fakes.flavor('short', disk=5, ram=512)]}
    cloud = openstack.cloud()
    found = details.get(cloud, model.row_id(kinds.Kind.INSTANCE, image['id']))
    options = launch.fetch_options(cloud, True, isolated=True)
    assert testing.smallest_flavor(found, options).name == 'small'
    image['min_ram'] = 4096
    found = details.get(cloud, model.row_id(kinds.Kind.INSTANCE, image['id']))
    assert testing.smallest_flavor(found, options).name == 'large'
    image['min_disk'] = 100
    found = details.get(cloud, model.row_id(kinds.Kind.INSTANCE, image['id']))
    assert testing.smallest_flavor(found, options) is None


def test_it_has_the_memory_that_the_original_had(openstack, image):
    openstack.choices['flavors'] = {'flavors': [
        fakes.flavor('small', ram=1024), fakes.flavor('web', ram=4096)]}
    image.update(instance_uuid=fakes.new_id(5), snapshot_dashboard_instance=(
        fakes.new_id(5)), snapshot_dashboard_taken='1772366400',
        **recipes.write(recipes.Recipe('web')))
    cloud = openstack.cloud()
    found = details.get(cloud, model.row_id(kinds.Kind.INSTANCE, image['id']))
    options = launch.fetch_options(cloud, True, isolated=True)
    assert testing.smallest_flavor(found, options).name == 'web'


@pytest.mark.parametrize('name', [
    'плотник' * 40, '"' * 300, '\n\x00' * 50, ' ', '\U0001f600'])
def test_any_users_name_has_room(openstack, clock, image, name):
    cloud = openstack.cloud()
    found = details.get(cloud, model.row_id(kinds.Kind.INSTANCE, image['id']))
    options = launch.fetch_options(cloud, True, isolated=True)
    testing.begin(cloud, found, options.flavors[0], SECONDS, name, name, SEAL,
                  clock=clock)
    (test,) = testing.find(cloud)
    assert testing.approves(SEAL, test)


def test_a_run_on_its_instance_takes_nothing_of_it(openstack, begun):
    server = openstack.cloud().compute.server(begun()['id'])
    assert record.TEST_TAG not in journal.all_tags(server)


def test_a_record_of_somebody_else_keeps_nobody_from_testing(
        openstack, begun):
    forged = begun()
    forged['metadata'][boot_test.SEAL] = 'forged'
    assert begun() is not forged


def test_an_image_with_data_and_a_mapping_is_not_tested(openstack, image):
    """Nova would make volumes that stay."""
    image['block_device_mapping'] = '[{"snapshot_id": "x"}]'
    assert boot_reports.digest(
        openstack.cloud().images.image(image['id'])) == ''


def test_a_look_costs_few_calls(openstack, clock, begun):
    server = begun()
    openstack.calls.clear()
    look(openstack, clock)
    assert len(openstack.calls) == 1  # while it is launched
    runs(openstack, server, 'Linux\n')
    openstack.calls.clear()
    look(openstack, clock)
    assert len(openstack.calls) == 2


def test_what_the_services_do_not_answer_stands_in_the_way_of_no_other(
        openstack, clock, image, begun):
    runs(openstack, begun(), 'web login: ')
    another = openstack.image('other', os_hash_value='c' * 128)
    cloud = openstack.cloud()
    found = details.get(cloud, model.row_id(kinds.Kind.INSTANCE,
                                            another['id']))
    options = launch.fetch_options(cloud, True, isolated=True)
    testing.begin(cloud, found, testing.smallest_flavor(found, options),
                  SECONDS, 'alice', 'boot test', SEAL, clock=clock)
    for server in list(openstack.servers.values()):
        runs(openstack, server, 'x login: ')
    openstack.faults['PATCH', f'/images/{image["id"]}'] = 503
    left, problems = testing.advance_all(cloud, testing.find(cloud), SEAL,
                                         clock)
    assert [test.plan.image_id for test in left] == [image['id']]
    assert [error.service for error in problems] == ['image']
    assert verdict(openstack, another) is Verdict.BOOTED
