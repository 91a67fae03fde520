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

"""The wizard, and what it lets through."""

import bs4
from django.test import Client
import pytest

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import types
from snapshot_dashboard.runs import journal
from tests import fakes
from tests.views.pages import CREATE
from tests.views.pages import INDEX
from tests.views.pages import told


def fields(server, **changed):
    return {'source': f'instance-{server["id"]}', 'power_off': 'on',
            'power_on': 'on', 'seen_status': server['status'],
            'name': 'nightly', 'description': '', **changed}


def submit(client, server, **changed):
    values = fields(server, **changed)
    return client.post(CREATE, {key: value for key, value in values.items()
                                if value is not None})


def validate(client, server, step, **changed):
    return client.post(
        CREATE, fields(server, **changed),
        headers={'X-Horizon-Validate-Step-Start': step,
                 'X-Horizon-Validate-Step-End': step}).json()


def facts(client, server):
    response = client.get(f'{INDEX}facts/?source=instance-{server["id"]}')
    assert response.status_code == 200
    return bs4.BeautifulSoup(response.content, 'html.parser')


def run_of(server):
    return journal.read(types.Server.from_api(server))


def test_it_offers_the_instances_of_the_project(client, openstack, member):
    openstack.server('web-1')
    openstack.server('web-2')
    soup = bs4.BeautifulSoup(client.get(CREATE).content, 'html.parser')
    assert [option.get_text() for option in soup.select(
        '[name=source] option')] == ['Choose an instance or a volume',
                                     'web-1 – Active', 'web-2 – Active']


def test_the_address_may_name_the_instance(client, openstack, member):
    openstack.server('web-1')
    chosen = openstack.server('web-2')
    soup = bs4.BeautifulSoup(
        client.get(CREATE, {'source': f'instance-{chosen["id"]}'}).content,
        'html.parser')
    (option,) = soup.select('[name=source] option[selected]')
    assert option.get_text() == 'web-2 – Active'


def test_what_was_captured_last_is_offered_first_and_not_chosen(
        client, openstack, member):
    """Else one is shut down that nobody meant."""
    openstack.server('web-1')
    last = openstack.server('web-2')
    submit(client, last)
    soup = bs4.BeautifulSoup(client.get(CREATE).content, 'html.parser')
    group = soup.select_one('[name=source] optgroup')
    assert group['label'] == 'Used last'
    value = f'instance-{last["id"]}'
    assert [option['value'] for option in group.select('option')] == [value]
    assert len(soup.select(f'[name=source] option[value="{value}"]')) == 1
    assert not [option for option in soup.select(
        '[name=source] option[selected]') if option['value']]


def test_what_was_captured_last_and_is_gone_is_not_offered(client, openstack,
                                                          member):
    last = openstack.server('web-1')
    submit(client, last)
    del openstack.servers[last['id']]
    openstack.server('web-2')
    html = client.get(CREATE).content
    assert last['id'].encode() not in html


def test_checking_a_step_lists_no_choices(client, openstack, member):
    server = openstack.server('web-1')
    openstack.calls.clear()
    validate(client, server, '0')
    assert not [path for _, path, _ in openstack.calls
                if path.endswith('/detail')]


def test_a_size_that_is_not_known_is_not_made_up(client, openstack, member):
    server = openstack.server('web-1')
    server['flavor']['disk'] = 0
    review = ' '.join(facts(client, server).select_one(
        '.snapshot-review').get_text(' ').split())
    assert 'Space: not known.' in review


@pytest.mark.parametrize(('count', 'found'), [(10, False), (11, True)])
def test_many_choices_can_be_narrowed(client, openstack, member, count,
                                      found):
    for number in range(count):
        openstack.server(f'web-{number}')
    soup = bs4.BeautifulSoup(client.get(CREATE).content, 'html.parser')
    assert bool(soup.select('[data-narrow]')) is found


def test_what_is_in_the_way_is_said_once_and_stops_the_wizard(
        client, openstack, member):
    server = openstack.server(image='')
    for number in range(2):
        openstack.attach(server, openstack.volume(f'v{number}'), '/dev/vda')
    openstack.quotas['snapshots'] = {'limit': 1, 'in_use': 1, 'reserved': 0}
    openstack.quotas['gigabytes'] = {'limit': 1, 'in_use': 1, 'reserved': 0}
    soup = facts(client, server)
    (box,) = soup.select('.alert-danger')
    assert len(box.select('li')) == 2
    assert soup.select_one('[data-facts]')['data-possible'] == 'false'
    assert facts(client, openstack.server()).select_one(
        '[data-facts]')['data-possible'] == 'true'


def test_the_review_says_how_long_how_much_and_how_clean(client, openstack,
                                                         member):
    review = ' '.join(facts(client, openstack.server()).select_one(
        '.snapshot-review').get_text(' ').split())
    assert 'Consistency: clean, if the guest shuts down in time.' in review
    assert 'Offline: until the image is saved' in review
    assert 'Space: up to 10 GiB of image storage' in review
    server = openstack.server(image='')
    for size in (4, 7):
        openstack.attach(server, openstack.volume(size=size), '/dev/vda')
    review = ' '.join(facts(client, server).select_one(
        '.snapshot-review').get_text(' ').split())
    assert 'Offline: usually less than a minute.' in review
    assert 'Space: up to 11 GiB of volume storage.' in review


def test_an_end_date_and_protection_are_asked_for_at_once(client, openstack,
                                                          member):
    server = openstack.server('web-1')
    submit(client, server, keep_until='2999-12-31', protect='on')
    plan = run_of(server).plan
    assert (plan.keep_until, plan.protect) == ('2999-12-31', True)


def test_a_day_that_has_passed_is_refused(client, openstack, member):
    server = openstack.server('web-1')
    assert b'This day has passed.' in submit(
        client, server, keep_until='2020-01-01').content
    assert run_of(server) is None


def test_a_locked_instance_has_no_room_for_what_comes_later(client, openstack,
                                                            member):
    server = openstack.server('vault', locked=True)
    assert facts(client, server).select_one(
        '[data-facts]')['data-can-date'] == 'false'
    html = submit(client, server, power_off=None, power_on=None,
                  keep_until='2999-12-31').content
    assert b'cannot be noted for this instance' in html
    assert openstack.images == {}


@pytest.mark.parametrize(('firmware', 'told'), [('uefi', True),
                                                ('bios', False)])
def test_what_a_power_on_may_forget_is_said_for_uefi(
        client, openstack, member, firmware, told):
    server = openstack.server(image={'id': fakes.new_id(1), 'properties': {
        'hw_firmware_type': firmware}})
    assert bool(facts(client, server).select('.snapshot-uefi')) is told

def test_an_address_that_names_no_instance_is_no_error(client, openstack,
                                                       member):
    openstack.server('web-1')
    response = client.get(CREATE, {'source': 'nonsense'})
    assert response.status_code == 200


def test_a_project_without_instances_is_told_so(client, openstack, member):
    html = client.get(CREATE).content
    assert b'This project has no instances or volumes' in html


def test_without_nova_the_wizard_says_so(client, openstack, member):
    openstack.faults['GET', '/servers'] = 503
    assert b'could not be listed' in client.get(CREATE).content


def test_a_reader_gets_no_wizard(client, openstack, reader):
    server = openstack.server()
    assert client.get(CREATE).status_code in (302, 403)
    assert submit(client, server).status_code in (302, 403)
    assert openstack.writes() == []


def test_the_disk_table_tells_each_disk(client, openstack, member):
    server = openstack.server(flavor={'disk': 10, 'ephemeral': 20,
                                      'swap': 512})
    openstack.attach(server, openstack.volume('data'), '/dev/vdb')
    soup = facts(client, server)
    assert [' '.join(row.get_text(' ').split())
            for row in soup.select('.snapshot-disks tbody tr')] == [
        'Root disk 10 GiB Captured', 'Ephemeral disk 20 GiB Not captured',
        'Swap disk 512 MiB Recreated empty',
        'Volume data (/dev/vdb) 5 GiB Capture it too, as a volume snapshot : '
        'data '
        'Not captured']


def test_what_no_snapshot_holds_is_named(client, openstack, member):
    server = openstack.server(flavor={
        'disk': 10, 'extra_specs': {'hw:tpm_version': '2.0'}})
    openstack.shares[server['id']] = ['homes']
    openstack.attach(server, openstack.volume('secret', encrypted=True),
                     '/dev/vdb')
    text = ' '.join(facts(client, server).get_text(' ').split())
    assert 'File share homes – Not captured' in text
    assert 'State of the virtual TPM – Not captured' in text
    assert 'secret (/dev/vdb) Encrypted' in text
    assert 'cannot be moved to another cloud' in text


def test_an_ephemeral_disk_is_flagged_in_words(client, openstack, member):
    server = openstack.server(flavor={'disk': 10, 'ephemeral': 20})
    (warning,) = facts(client, server).select('.snapshot-ephemeral')
    assert 'Ephemeral disk, 20 GiB: not captured' in ' '.join(
        warning.get_text(' ').split())
    assert warning['role'] == 'alert'


def test_an_instance_without_one_gets_no_such_warning(client, openstack,
                                                      member):
    assert not facts(client, openstack.server()).select('.alert-warning')[1:]


def test_power_off_is_offered_to_a_running_instance(client, openstack,
                                                    member):
    soup = facts(client, openstack.server())
    assert soup.select_one('[data-facts]')['data-can-power-off'] == 'true'
    text = soup.select_one('[data-for=how]').get_text(' ')
    assert 'ACPI' in text and '60' in text and 'forced off' in text


def test_an_instance_that_is_off_gets_no_warning(client, openstack, member):
    soup = facts(client, openstack.server(status='SHUTOFF'))
    assert soup.select_one('[data-facts]')['data-can-power-off'] == 'false'
    how = soup.select_one('[data-for=how]')
    assert 'nothing is writing to its disks' in how.get_text()
    assert not how.select('.alert')


def test_a_locked_instance_is_told_why_it_cannot_be_powered_off(
        client, openstack, member):
    soup = facts(client, openstack.server(locked=True))
    assert soup.select_one('[data-facts]')['data-can-power-off'] == 'false'
    assert 'locked' in soup.select_one('[data-for=how]').get_text()


@pytest.mark.parametrize('change, words', [
    ({'status': 'SHELVED_OFFLOADED'}, 'Shelved Offloaded'),
    ({'OS-EXT-STS:task_state': 'image_uploading'}, 'Another snapshot')])
def test_what_is_in_the_way_is_said_before_the_button(client, openstack,
                                                      member, change, words):
    server = openstack.server(**change)
    (alert,) = facts(client, server).select('.alert-danger')
    assert words in alert.get_text()
    answer = validate(client, server, '0')
    assert answer['has_errors'] and words in str(answer['errors'])
    submit(client, server)
    assert openstack.actions() == []


def test_a_full_quota_is_said_before_the_button(client, openstack, member):
    server = openstack.server(image='')
    openstack.attach(server, openstack.volume(bootable='true'), '/dev/vda')
    openstack.quotas = {'snapshots': {'limit': 4, 'in_use': 4,
                                      'reserved': 0}}
    (alert,) = facts(client, server).select('.alert-danger')
    assert '0 of 4' in alert.get_text()
    submit(client, server)
    assert openstack.actions() == []


def test_a_full_glance_is_said_by_the_first_step(client, openstack, member):
    """What is shown does not wait for Glance, which may count for seconds."""
    openstack.usage = {'image_count_total': {'limit': 3, 'usage': 3}}
    server = openstack.server()
    assert 'image quota' not in facts(client, server).get_text()
    assert not asked_glance_for_room(openstack)
    assert 'image quota' in str(validate(client, server, '0'))
    assert asked_glance_for_room(openstack)


def test_a_full_glance_that_the_list_has_shown_is_said_before_the_button(
        client, openstack, member):
    openstack.usage = {'image_count_total': {'limit': 3, 'usage': 3}}
    client.get(f'{INDEX}usage/')
    assert 'image quota' in facts(client, openstack.server()).get_text()


def asked_glance_for_room(openstack):
    return any(path == '/v2/info/usage' for _, path, _ in openstack.calls)


def test_facts_of_a_strangers_instance_are_not_found(client, openstack,
                                                     member):
    server = openstack.server('theirs', tenant_id='another-project')
    response = client.get(f'{INDEX}facts/?source=instance-{server["id"]}')
    assert response.status_code == 404
    submit(client, server)
    assert openstack.writes() == []


def test_chosen_volumes_and_wishes_stand_in_the_plan(client, openstack,
                                                     member):
    server = openstack.server()
    volume = openstack.volume('data')
    openstack.attach(server, volume, '/dev/vdb')
    (box,) = facts(client, server).select('input[name=volumes]')
    assert box['value'] == volume['id']
    submit(client, server, volumes=[volume['id']], if_forced='stop')
    plan = run_of(server).plan
    assert plan.volumes == (volume['id'],) and plan.stop_if_forced


def test_a_volume_that_is_not_attached_cannot_be_chosen(client, openstack,
                                                        member):
    server = openstack.server()
    submit(client, server, volumes=[openstack.volume('other')['id']])
    assert openstack.writes() == []


def test_the_quota_counts_the_chosen_volumes(client, openstack, member):
    server = openstack.server()
    volume = openstack.volume('data')
    openstack.attach(server, volume, '/dev/vdb')
    openstack.quotas = {'gigabytes': {'limit': 4, 'in_use': 0,
                                      'reserved': 0}}
    assert not facts(client, server).select('.alert-danger')
    submit(client, server, volumes=[volume['id']])
    assert openstack.writes() == []


def test_a_page_without_facts_begins_nothing(client, openstack, member):
    server = openstack.server()
    submit(client, server, seen_status='')
    assert openstack.writes() == []


def test_an_id_that_is_none_opens_the_wizard_all_the_same(client, openstack,
                                                          member):
    for odd in ('detail', 'a/b', fakes.new_id()):
        assert client.get(CREATE, {
            'source': odd}).status_code == 200


def test_without_nova_the_facts_say_so(client, openstack, member):
    server = openstack.server()
    openstack.faults['GET', '/servers/'] = 500
    assert 'Try again' in facts(client, server).get_text()


def test_pressing_the_button_begins_a_run(client, openstack, member):
    server = openstack.server('web-1')
    response = submit(client, server, description='before the upgrade')
    assert response.status_code == 302 and response['Location'] == INDEX
    assert openstack.actions() == ['os-stop']
    plan = run_of(server).plan
    assert (plan.name, plan.description, plan.requested_by) == (
        'nightly', 'before the upgrade', 'alice')
    assert plan.power_off and plan.power_on
    assert 'Keep Compute > Snapshots open' in told(client)


def test_a_run_knows_after_what_it_was_asked_for(client, openstack, member):
    server = openstack.server('web-1')
    openstack.did(server, 'start')
    latest = openstack.done[server['id']][0]['request_id']
    submit(client, server)
    assert run_of(server).progress.begin_request == latest


def test_as_it_is_means_that_nothing_is_powered_off(client, openstack,
                                                    member):
    server = openstack.server()
    submit(client, server, power_off=None)
    assert openstack.actions() == ['createImage']
    assert not run_of(server).plan.power_off


def test_a_locked_instance_is_captured_as_it_is(client, openstack, member):
    server = openstack.server(locked=True)
    submit(client, server, power_off=None)
    (image,) = openstack.images.values()
    assert image[marks.CONSISTENCY] == marks.LIVE


@pytest.mark.parametrize('status', ['SHUTOFF', 'PAUSED'])
def test_an_instance_that_does_not_run_cannot_be_powered_off(
        client, openstack, member, status):
    server = openstack.server(status=status)
    response = submit(client, server)
    assert b'cannot be powered off now' in response.content
    assert openstack.writes() == []


def test_a_stale_page_does_no_harm(client, openstack, member):
    server = openstack.server()
    response = submit(client, server, power_off=None, seen_status='SHUTOFF')
    assert b'check the details again' in response.content
    assert openstack.writes() == []


def test_an_instance_that_is_gone_is_told(client, openstack, member):
    server = openstack.server()
    openstack.servers.clear()
    response = submit(client, server)
    assert response.status_code == 200
    assert openstack.writes() == []


@pytest.mark.parametrize('name', ['', 'n' * 243, 'before 🚀', 'a\u200bb'])
def test_a_name_is_one_that_every_service_takes(client, openstack, member,
                                                name):
    server = openstack.server()
    assert validate(client, server, '2', name=name)['has_errors']
    submit(client, server, name=name)
    assert openstack.writes() == []


def test_the_longest_name_and_a_description_of_lines_are_taken(
        client, openstack, member):
    server = openstack.server()
    submit(client, server, name='n' * 242, description='first\r\nsecond')
    run = run_of(server)
    assert run.plan.name == 'n' * 242
    assert run.plan.description == 'first second'


def test_a_description_that_a_service_refuses_is_told(client, openstack,
                                                      member):
    server = openstack.server()
    submit(client, server, description='soon 🚀')
    assert openstack.writes() == []


def test_the_name_that_is_suggested_is_one_that_every_service_takes(
        client, openstack, member):
    server = openstack.server('🚀 web\u200b ' + 'x' * 240)
    name = facts(client, server).select_one('[data-name]')[
        'data-name']
    assert name.startswith('web x') and len(name) <= 242


def test_no_room_for_the_record_is_said_before_the_button(client, openstack,
                                                          member):
    server = openstack.server()
    openstack.metadata_items = 20
    submit(client, server)
    assert openstack.writes() == []
    # One that powers nothing off is recorded in tags.
    submit(client, server, power_off=None)
    assert openstack.actions() == ['createImage']
    assert run_of(server).tagged


def test_what_may_have_begun_is_told_as_such(client, openstack, member):
    server = openstack.server()
    openstack.faults['PUT', '/tags/'] = 503
    openstack.faults['DELETE', '/metadata/'] = 503
    submit(client, server)
    assert 'not known whether' in told(client)
    assert openstack.actions() == []


def test_a_refused_beginning_is_told_and_changes_nothing(client, openstack,
                                                         member):
    server = openstack.server()
    openstack.faults['POST', '/metadata$'] = 403
    submit(client, server)
    assert openstack.actions() == []
    message = told(client)
    assert 'nothing was changed' in message
    assert 'as the test wishes' in message


def test_without_a_csrf_token_nothing_begins(openstack, member):
    server = openstack.server()
    client = Client(enforce_csrf_checks=True)
    assert submit(client, server).status_code in (302, 403)
    assert openstack.writes() == []


def test_hostile_names_are_text_in_facts_and_errors(client, openstack,
                                                    member):
    hostile = '<img src=x onerror=alert(1)>'
    server = openstack.server(hostile, image='')
    openstack.attach(server, openstack.volume(
        hostile, status='error', bootable='true'), '/dev/vda')
    response = client.get(f'{INDEX}facts/?source=instance-{server["id"]}')
    assert b'<img' not in response.content
    # Horizon's wizard puts the errors into the page as HTML.
    assert '<img' not in str(validate(client, server, '0')['errors'])


#: What a link may name instead of an instance.
HOSTILE_SOURCES = (
    'instance-x/../../../instances/x/console?length=50#',
    'instance-../../../instances', 'instance-%2e%2e%2f', 'instance-',
    'instance-"><script>alert(1)</script>', 'volume-javascript:alert(1)',
    'image-' + fakes.new_id(), '../overview', '\u202einstance-\x00',
    'instance-' + fakes.new_id() + '/console', 'instance-' + 'x' * 9000)


@pytest.mark.parametrize('source', HOSTILE_SOURCES)
def test_what_is_no_source_is_never_a_choice(client, openstack, member,
                                             source):
    openstack.server()
    response = client.get(CREATE, {'source': source})
    soup = bs4.BeautifulSoup(response.content, 'html.parser')
    values = [option['value'] for option in soup.select('[name=source] option')
              ]
    assert source not in values and len(values) == 2
    assert soup.select('[name=source] option[selected]') == []


@pytest.mark.parametrize('source', HOSTILE_SOURCES)
def test_what_is_no_source_is_asked_of_no_service(client, openstack, member,
                                                  source):
    assert client.get(f'{INDEX}facts/', {'source': source}
                      ).status_code == 404
    assert openstack.calls == []


def test_a_source_that_is_not_listed_can_be_named_by_a_link(client, openstack,
                                                            member):
    openstack.server()
    soup = bs4.BeautifulSoup(client.get(CREATE, {
        'source': f'volume-{fakes.new_id()}'}).content, 'html.parser')
    assert len(soup.select('[name=source] option[selected]')) == 1
