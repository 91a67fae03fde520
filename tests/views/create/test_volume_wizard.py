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

"""The wizard takes a snapshot of one volume, attached or not."""

import bs4
import pytest

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import types
from snapshot_dashboard.content.compute_snapshots import permissions
from snapshot_dashboard.runs import journal
from tests import fakes
from tests.views.pages import CREATE
from tests.views.pages import INDEX
from tests.views.pages import told


def facts(client, volume):
    response = client.get(f'{INDEX}facts/?source=volume-{volume["id"]}')
    assert response.status_code == 200
    return bs4.BeautifulSoup(response.content, 'html.parser')


def submit(client, volume, seen, **changed):
    values = {'source': f'volume-{volume["id"]}', 'seen_status': seen,
              'name': 'before', 'description': 'the upgrade', **changed}
    return client.post(CREATE, values)


def attached(openstack, **fields):
    server, volume = openstack.server('db', **fields), openstack.volume()
    openstack.attach(server, volume, '/dev/vdb')
    return server, volume


def words(soup, part):
    return ' '.join(soup.select_one(f'[data-for={part}]').get_text(
        ' ').split())


def only(openstack):
    (snapshot,) = openstack.snapshots.values()
    return snapshot


@pytest.mark.parametrize(('attachment', 'text'), [
    ({'server_id': None, 'host_name': 'backup-1'}, 'Host backup-1'),
    ({'server_id': None, 'host_name': None}, 'A host'),
    ({'server_id': fakes.new_id()}, 'A deleted instance')])
def test_what_it_is_attached_to_is_told_rightly(client, openstack, member,
                                                attachment, text):
    volume = openstack.volume(attachments=[attachment])
    soup = facts(client, volume)
    assert text in words(soup, 'disks')
    assert 'no usable answer from' not in soup.get_text()
    assert 'may be writing to it' in words(soup, 'how')
    submit(client, volume, 'in-use')
    assert only(openstack)['metadata'][marks.CONSISTENCY] == marks.LIVE


def test_an_encrypted_volume_is_named_as_such(client, openstack, member):
    soup = facts(client, openstack.volume(encrypted=True))
    assert 'encrypted with the same key' in words(soup, 'disks')


def test_volumes_are_offered_beside_the_instances(client, openstack, member):
    server = openstack.server('web-1')
    openstack.volume('data', created_at=fakes.stamp(2)[:-1] + '.000000')
    root = openstack.volume('', bootable='true', size=9)
    openstack.attach(server, root, '/dev/vda')
    soup = bs4.BeautifulSoup(client.get(CREATE).content, 'html.parser')
    assert {group['label']: [option.get_text() for option in
                             group.select('option')]
            for group in soup.select('[name=source] optgroup')} == {
        'Instances': ['web-1 – Active'], 'Volumes': [
            'data – 5 GiB, not attached',
            'Unnamed bootable volume of web-1 – 9 GiB, attached to '
            'web-1']}


def test_a_volume_without_a_name_is_called_after_its_instance(
        client, openstack, member):
    server, volume = attached(openstack)
    volume['name'] = ''
    html = client.get(INDEX + 'facts/', {
        'source': f'volume-{volume["id"]}'}).content.decode()
    assert f'data-name="{server["name"]}-2' in html


def test_a_volume_snapshot_has_its_end_date_from_the_beginning(
        client, openstack, member):
    """What is noted before Cinder has finished it is lost."""
    volume = openstack.volume(status='available')
    submit(client, volume, 'available', keep_until='2999-12-31')
    body = next(body for method, path, body in openstack.calls
                if method == 'POST' and path.endswith('/snapshots'))
    assert marks.expiry(body['snapshot']['metadata'], volume['id'])
    page = client.get(f'{INDEX}volume-{only(openstack)["id"]}/detail/')
    assert b'Dec. 31, 2999' in page.content


def test_what_a_volume_snapshot_is_for_is_remembered(client, openstack,
                                                     member):
    volume = openstack.volume(status='available')
    submit(client, volume, 'available', purpose='change')
    snapshot = only(openstack)
    assert snapshot['metadata']['snapshot_dashboard_purpose'] == 'change'
    snapshot['created_at'] = fakes.stamp(
        int(snapshot['metadata']['snapshot_dashboard_taken'])
        - fakes.seconds(0))[:-1] + '.000000'
    html = client.get(f'{INDEX}volume-{snapshot["id"]}/detail/').content
    assert b'Before a change or upgrade' in html
    server, volume = attached(openstack)
    submit(client, volume, 'ACTIVE', power_off='on', purpose='backup')
    assert server['metadata']['snapshot_dashboard.purpose'] == 'backup'


def test_without_cinder_the_instances_are_offered_all_the_same(
        client, openstack, member):
    openstack.server('web-1')
    openstack.faults['GET', '/volumes'] = 503
    html = client.get(CREATE).content
    assert b'web-1' in html and b'volumes could not be listed' in html


def test_a_volume_of_no_instance_is_at_rest(client, openstack, member):
    volume = openstack.volume(status='available')
    soup = facts(client, volume)
    assert 'not attached to an instance' in words(soup, 'how')
    assert soup.select_one('[data-facts]')['data-can-power-off'] == 'false'
    assert not soup.select('[data-for=disks] .alert, [data-for=how] .alert')
    submit(client, volume, 'available')
    snapshot = only(openstack)
    assert (snapshot['name'], snapshot['volume_id']) == (
        'before', volume['id'])
    assert snapshot['metadata'][marks.CONSISTENCY] == marks.DETACHED
    assert openstack.actions() == []


def test_a_volume_of_an_instance_that_is_off_is_at_rest(client, openstack,
                                                        member):
    server, volume = attached(openstack, status='SHUTOFF')
    openstack.did(server, 'stop')
    assert 'is off, so nothing is writing to it' in words(
        facts(client, volume), 'how')
    submit(client, volume, 'SHUTOFF')
    metadata = only(openstack)['metadata']
    assert metadata[marks.CONSISTENCY] == marks.POWERED_OFF
    assert metadata[marks.INSTANCE] == server['id']
    assert metadata[marks.INSTANCE_NAME] == 'db'


def test_a_volume_in_use_is_crash_consistent_and_that_is_said(
        client, openstack, member):
    server, volume = attached(openstack)
    soup = facts(client, volume)
    assert 'as after a power failure' in words(soup, 'how')
    assert soup.select_one('[data-facts]')['data-can-power-off'] == 'true'
    # A choice of the user, not a suggestion: most systems recover from it.
    assert soup.select_one(
        '[data-facts]')['data-suggest-power-off'] == 'false'
    submit(client, volume, 'ACTIVE')
    assert only(openstack)['metadata'][marks.CONSISTENCY] == marks.LIVE
    assert openstack.actions() == []
    assert journal.read(types.Server.from_api(server)) is None


def test_a_guest_agent_says_nothing_of_a_volume(client, openstack, member):
    server, volume = attached(openstack)
    base = openstack.image('base', hw_qemu_guest_agent='yes')
    server['image'] = {'id': base['id']}
    submit(client, volume, 'ACTIVE')
    assert only(openstack)['metadata'][marks.CONSISTENCY] == marks.LIVE


def test_an_instance_that_is_just_being_powered_on_is_not_at_rest(
        client, openstack, member):
    _server, volume = attached(openstack, status='SHUTOFF', **{
        'OS-EXT-STS:task_state': 'powering-on'})
    assert 'may be writing' in words(facts(client, volume), 'how')
    submit(client, volume, 'SHUTOFF')
    assert only(openstack)['metadata'][marks.CONSISTENCY] == marks.LIVE


def test_its_instance_can_be_powered_off_for_it(client, openstack, member):
    server, volume = attached(openstack)
    openstack.did(server, 'start')
    latest = openstack.done[server['id']][0]['request_id']
    submit(client, volume, 'ACTIVE', power_off='on', power_on='on')
    assert openstack.actions() == ['os-stop']
    run = journal.read(types.Server.from_api(server))
    plan = run.plan
    assert run.progress.begin_request == latest
    assert plan.power_off and plan.power_on and not plan.captures_image
    assert plan.volumes == (volume['id'],)
    assert not openstack.snapshots  # it comes when the instance is off


@pytest.mark.parametrize('fields', [{'locked': True}, {}])
def test_what_cannot_be_powered_off_is_captured_as_it_is(
        client, openstack, member, fields):
    _server, volume = attached(openstack, **fields)
    if not fields:  # attached to two: nobody can tell which one writes
        openstack.attach(openstack.server('other'), volume, '/dev/vdc')
    soup = facts(client, volume)
    assert soup.select_one('[data-facts]')['data-can-power-off'] == 'false'
    assert 'may be writing' in words(soup, 'how')
    seen = soup.select_one('[data-facts]')['data-status']
    submit(client, volume, seen, power_off='on')
    assert openstack.writes() == []
    submit(client, volume, seen)
    assert only(openstack)['metadata'][marks.CONSISTENCY] == marks.LIVE


def test_a_full_quota_of_its_type_is_said_before_the_button(
        client, openstack, member):
    volume = openstack.volume(status='available', volume_type='ssd')
    openstack.quotas = {'gigabytes_ssd': {'limit': 4, 'in_use': 0,
                                          'reserved': 0}}
    (alert,) = facts(client, volume).select('.alert-danger')
    assert 'needed 5 GiB' in alert.get_text()
    assert 'ssd' in alert.get_text()
    submit(client, volume, 'available')
    assert openstack.writes() == []


def test_a_broken_volume_is_refused_with_the_reason(client, openstack,
                                                    member):
    volume = openstack.volume(status='error')
    (alert,) = facts(client, volume).select('.alert-danger')
    assert 'status is Error' in alert.get_text()
    submit(client, volume, 'error')
    assert openstack.writes() == []


def test_a_busy_instance_matters_only_if_it_is_to_be_powered_off(
        client, openstack, member):
    _server, volume = attached(
        openstack, **{'OS-EXT-STS:task_state': 'image_uploading'})
    submit(client, volume, 'ACTIVE', power_off='on')
    assert openstack.writes() == []
    submit(client, volume, 'ACTIVE')
    assert only(openstack)


def test_without_nova_a_volume_in_use_counts_as_written_to(
        client, openstack, member):
    _server, volume = attached(openstack)
    openstack.faults['GET', '/servers/'] = 503
    soup = facts(client, volume)
    assert 'no usable answer from Nova' in soup.get_text(' ')
    assert 'may be writing' in words(soup, 'how')


def test_what_cinder_refuses_is_told_and_nothing_was_done(client, openstack,
                                                          member):
    volume = openstack.volume(status='available')
    openstack.faults['POST', '/snapshots$'] = 413
    submit(client, volume, 'available')
    assert not openstack.snapshots
    message = told(client)
    assert 'nothing was changed' in message
    assert 'Error from Cinder (volumes)' in message


def test_a_cinder_that_does_not_answer_may_have_begun_it(client, openstack,
                                                         member):
    volume = openstack.volume(status='available')
    openstack.lost['POST', '/snapshots$'] = 504
    submit(client, volume, 'available')
    assert openstack.snapshots
    message = told(client)
    assert 'not known whether' in message and 'Cinder (volumes)' in message
    assert 'was not started' not in message


def test_a_strangers_volume_is_not_found(client, openstack, member):
    volume = openstack.volume(**{
        'os-vol-tenant-attr:tenant_id': fakes.new_id()})
    assert client.get(f'{INDEX}facts/?source=volume-{volume["id"]}'
                      ).status_code == 404
    submit(client, volume, 'available')
    assert openstack.writes() == []


def test_a_reader_takes_no_snapshot_of_a_volume(client, openstack, reader):
    volume = openstack.volume(status='available')
    assert submit(client, volume, 'available').status_code in (302, 403)
    assert openstack.writes() == []


def test_hostile_names_of_volumes_are_text(client, openstack, member):
    volume = openstack.volume('<img src=x>', status='error')
    html = client.get(f'{INDEX}facts/?source=volume-{volume["id"]}').content
    assert b'<img' not in html


def test_a_failed_run_of_a_volume_is_tried_again_as_such(
        client, openstack, member, no_pauses):
    server, volume = attached(openstack)
    openstack.faults['POST', '/action$'] = 403
    submit(client, volume, 'ACTIVE', power_off='on', power_on='on')
    openstack.faults.clear()
    run = journal.read(types.Server.from_api(server))
    assert not run.open and run.progress.failure == 'stop-refused'
    client.post(f'{INDEX}runs/{server["id"]}/retry/')
    again = journal.read(types.Server.from_api(server))
    assert again.open and again.plan.run_id != run.plan.run_id
    assert not again.plan.captures_image and again.plan.volumes == (
        volume['id'],)


def test_who_wished_no_forced_power_off_may_wish_it_otherwise(
        client, openstack, member):
    server, volume = attached(openstack)
    submit(client, volume, 'ACTIVE', power_off='on', power_on='on',
           if_forced='stop')
    noted = server['metadata']
    noted.update({
        'snapshot_dashboard.failure': 'forced-off',
        'snapshot_dashboard.ended_at': '1790000000',
        'snapshot_dashboard.closed_attempt':
            noted['snapshot_dashboard.attempt']})
    server['tags'] = [tag for tag in server['tags'] if 'owed' not in tag]
    card = bs4.BeautifulSoup(client.get(INDEX).content, 'html.parser'
                             ).select_one(f'#snapshot-run-{server["id"]}')
    assert card.select(f'a[href$="create/?source=volume-{volume["id"]}"]')
    # The same wish would only pull the plug once more.
    assert not card.select_one(f'#snapshot-run-retry-{server["id"]}')


def test_a_volume_that_was_detached_since_is_not_tried_again(
        client, openstack, member, no_pauses):
    server, volume = attached(openstack)
    openstack.faults['POST', '/action$'] = 403
    submit(client, volume, 'ACTIVE', power_off='on', power_on='on')
    openstack.faults.clear()
    before = len(openstack.actions())
    server['os-extended-volumes:volumes_attached'] = []
    volume.update(attachments=[], status='available')
    client.post(f'{INDEX}runs/{server["id"]}/retry/')
    assert 'no longer attached to the instance' in told(client)
    assert len(openstack.actions()) == before
    assert not journal.read(types.Server.from_api(server)).open


def test_who_may_snapshot_volumes_alone_brings_such_a_run_forward(
        client, openstack, member, monkeypatch):
    monkeypatch.setattr(permissions, 'can_create', lambda *args: False)
    server, volume = attached(openstack)
    submit(client, volume, 'ACTIVE', power_off='on', power_on='on')
    server.update({'status': 'SHUTOFF', 'OS-EXT-STS:task_state': None})
    html = client.post(f'{INDEX}runs/advance/', headers={
        'X-Requested-With': 'XMLHttpRequest'}).content
    assert b'data-may-advance="true"' in html
    assert only(openstack)
