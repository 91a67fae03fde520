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

"""The page of one snapshot says what it holds, and what was made of it."""

import bs4
import pytest

from snapshot_dashboard import marks
from tests import fakes
from tests.views.pages import CREATE
from tests.views.pages import INDEX
from tests.views.pages import row_id
from tests.views.pages import told
from tests.views.pages import words


def look(client, body, what='detail'):
    response = client.get(f'{INDEX}{row_id(body)}/{what}/')
    assert response.status_code == 200
    return bs4.BeautifulSoup(response.content, 'html.parser')


def facts(client, body):
    """The facts of the page by their names."""
    page = look(client, body).select_one('.snapshot-detail')
    return {words(name): words(name.find_next_sibling('dd'))
            for name in page.select('dt')}


def test_a_part_names_the_sets_that_need_it(client, openstack, member):
    part = openstack.snapshot('snapshot for db')
    images = [openstack.set_image('renamed', [part]),
              openstack.set_image('hidden', [part], os_hidden=True)]
    page = look(client, part).select_one('.snapshot-belongs')
    assert {link.get_text() for link in page.select('a')} == {
        'renamed', 'hidden'}
    for image in images:
        assert page.select(f'a[href*="{row_id(image)}"]')


@pytest.mark.parametrize(('fault', 'text'), [
    (200, 'No instance snapshot needs it.'), (504, 'Unknown')])
def test_what_needs_a_volume_snapshot_is_said_as_far_as_it_is_known(
        client, openstack, member, fault, text):
    body = openstack.snapshot('alone')
    if fault != 200:
        openstack.faults['GET', '/v2/images'] = fault
    assert facts(client, body)['Part Of'] == text


def test_what_is_encrypted_is_named_as_such(client, openstack, member):
    volume = openstack.volume(encrypted=True)
    part = openstack.snapshot('data', volume_id=volume['id'])
    image = openstack.set_image('db', [openstack.snapshot('root'), part])
    assert 'key of its volume' in facts(client, part)['Encrypted']
    page = look(client, image)
    (row,) = [row for row in page.select('.snapshot-detail-parts tbody tr')
              if row.select('.snapshot-encrypted')]
    assert 'data' in words(row)
    assert 'useless elsewhere' in words(page.select_one('.snapshot-along'))


def test_the_page_begins_with_what_it_is_in_a_sentence(client, openstack,
                                                       member):
    def lead(body):
        return words(look(client, body).select_one('.snapshot-lead'))
    server = openstack.server('web-1')
    volume = openstack.volume('data')
    assert lead(openstack.image('i', instance_uuid=server['id'])) == (
        'A copy of the root disk of web-1.')
    assert lead(openstack.image('i')) == (
        'A copy of the root disk of an instance.')
    assert lead(openstack.snapshot('s', volume_id=volume['id'])) == (
        'A copy of the volume data.')
    root = openstack.volume('root')
    openstack.attach(openstack.server('db-1', image=''), root, '/dev/vda')
    # Where the root volume is attached today proves nothing.
    assert lead(openstack.set_image('db', [openstack.snapshot(
        'r', volume_id=root['id'])])) == (
        'A copy of an instance whose root disk is a volume: 1 volume '
        'snapshot.')
    assert lead(openstack.image('i', instance_uuid=fakes.new_id())) == (
        'A copy of the root disk of an instance.')  # a deleted one


def test_what_cannot_be_used_says_so_first_and_claims_no_way_back(
        client, openstack, member):
    def unusable(body):
        page = look(client, body)
        assert not page.select('.snapshot-lead, .snapshot-no-rebuild')
        return words(page.select_one('.snapshot-unusable'))
    assert unusable(openstack.image('i', status='killed')) == (
        'Nothing that can be used.')
    gone = openstack.set_image('db', [openstack.snapshot('d')])
    openstack.snapshots.clear()
    assert unusable(gone).startswith(
        'Nothing that can be used: none of its volume snapshots is left.')


def data_of(openstack, server):
    """A set of an instance with a root disk of its own, and its volume."""
    volume = openstack.volume('web-data')
    openstack.attach(server, volume, '/dev/vdb')
    part = openstack.snapshot('nightly', volume_id=volume['id'])
    return openstack.image('nightly', **{
        'instance_uuid': server['id'], marks.INSTANCE: server['id'],
        marks.TAKEN: str(int(fakes.seconds(0))),
        **marks.name_parts([part['id']])})


def test_a_part_tells_its_volume_and_which_device_that_is_now(
        client, openstack, member):
    body = data_of(openstack, openstack.server('web-1'))
    row = words(look(client, body).select_one(
        '.snapshot-detail-parts tbody tr'))
    assert 'web-data /dev/vdb (now)' in row
    answer = client.get(f'{INDEX}{row_id(body)}/parts/')
    assert words(bs4.BeautifulSoup(answer.content, 'html.parser')) == (
        'nightly (volume web-data, /dev/vdb (now), 5 GiB, Available)')


def test_another_instances_device_is_not_said(client, openstack, member):
    server = openstack.server('web-1')
    body = data_of(openstack, server)
    (volume,) = openstack.volumes.values()
    volume['attachments'][0]['server_id'] = fakes.new_id()
    assert '/dev/vdb' not in words(look(client, body).select_one(
        '.snapshot-detail-parts tbody tr'))


def test_parts_that_cannot_be_had_leave_the_row_as_it_is(client, openstack,
                                                         member):
    body = data_of(openstack, openstack.server('web-1'))
    assert client.get(f'{INDEX}instance-nothing/parts/').status_code == 404
    openstack.faults['GET', '/v2/images'] = 503
    assert client.get(f'{INDEX}{row_id(body)}/parts/').status_code == 503


def test_the_names_in_the_list_lead_to_the_page(client, openstack, member):
    body = openstack.image('nightly')
    page = bs4.BeautifulSoup(client.get(INDEX).content, 'html.parser')
    link = page.select_one('a.snapshot-name')
    assert link['href'] == f'{INDEX}{row_id(body)}/detail/'
    assert client.get(link['href']).status_code == 200


def test_an_instance_snapshot_tells_all_that_is_known(client, openstack,
                                                      member):
    server = openstack.server('web-1')
    base = openstack.image('Debian 13', image_type=None)
    body = openstack.image(
        'nightly', instance_uuid=server['id'], base_image_ref=base['id'],
        min_disk=10, min_ram=512, description='before the upgrade',
        user_id='alice', os_type='linux')
    found = facts(client, body)
    assert found['Kind'] == 'Instance snapshot'
    assert found['ID'] == body['id']
    assert found['Description'] == 'before the upgrade'
    assert found['Source'].startswith('web-1')
    assert found['Base Image'] == 'Debian 13'
    assert found["Created By"] == 'alice'
    assert (found['Minimum Disk'], found['Minimum Memory']) == (
        '10 GiB', '512 MiB')
    assert found['Captured'] == 'The root disk of the instance.'
    assert found['Not Captured'].startswith('Attached volumes, ephemeral')
    assert found['Consistency'].startswith('Unknown')
    assert found['os_type'] == 'linux'
    assert 'disk_format' not in found


def left_out(server, words, **more):
    """The marks of a snapshot that says what it does not hold."""
    return {'instance_uuid': server['id'], marks.INSTANCE: server['id'],
            marks.TAKEN: str(int(fakes.seconds(0))), marks.LEFT_OUT: words,
            **more}


def test_with_whom_it_is_shared_is_said_to_its_owner(client, openstack,
                                                     member):
    body = openstack.image('i', visibility='shared')
    assert facts(client, body)['Shared With'] == 'No project'
    openstack.members[body['id']] = {'b' * 32: 'pending', 'c' * 32: 'accepted'}
    assert facts(client, body)['Shared With'] == (
        f'{"b" * 32} (not accepted yet) {"c" * 32} (accepted)')
    openstack.faults['GET', '/members$'] = 503
    assert facts(client, body)['Shared With'] == 'Unknown'
    assert 'Shared With' not in facts(client, openstack.image(
        'mine', visibility='private'))


def test_a_set_warns_of_the_rebuild_that_would_break_its_instance(
        client, openstack, member):
    body = openstack.set_image('db', [openstack.snapshot('root')])
    assert 'Do not choose Rebuild Instance' in words(look(client, body))
    assert 'Rebuild' not in words(look(client, openstack.image('i')))


def test_what_was_not_captured_is_remembered(client, openstack, member):
    server, volume = openstack.server('web-1'), openstack.volume('web-data')
    gone = fakes.new_id(8)
    body = openstack.image('nightly', **left_out(
        server, f'ephemeral:20 swap:512 tpm volume:{volume["id"]} '
        f'volume:{gone} volumes:3'))
    lines = [words(line) for line in look(client, body).select(
        '.snapshot-not-captured li')]
    assert lines == [
        'Ephemeral disk, 20 GiB', 'Swap, 512 MiB',
        'The state of the virtual TPM', 'Volume web-data', f'Volume {gone}',
        '3 more volumes', 'Memory, and file shares, if any']


def test_nothing_is_missed_where_nothing_was_left_out(client, openstack,
                                                      member):
    body = openstack.image('nightly', **left_out(openstack.server('web-1'),
                                                 'nothing'))
    assert facts(client, body)['Not Captured'] == (
        'Memory, and file shares, if any')


def test_a_foreign_snapshot_says_what_its_instance_has_today(
        client, openstack, member):
    server = openstack.server('web-1')
    server['flavor']['ephemeral'] = 20
    body = openstack.image('nightly', instance_uuid=server['id'])
    text = facts(client, body)['Not Captured']
    assert 'Attached volumes, ephemeral disks and swap, if any' in text
    assert 'has an ephemeral disk of 20 GiB today' in text


@pytest.mark.parametrize(('status', 'captured'), [
    ('error', 'Nothing that can be used.'),
    ('creating', 'Nothing yet: the snapshot is still being taken.'),
    ('available', 'The volume, as it was at that moment.')])
def test_what_is_captured_is_not_more_than_the_status_allows(
        client, openstack, member, status, captured):
    body = openstack.snapshot('weekly', status=status)
    assert facts(client, body)['Captured'] == captured


def test_an_incomplete_set_says_so_once(client, openstack, member):
    body = openstack.set_image('db', [
        openstack.snapshot('root'), openstack.snapshot('d', status='error')])
    page = words(look(client, body))
    assert page.count('so it cannot be launched') == 1
    assert facts(client, body)['Captured'].startswith('Not everything')


def test_what_cannot_be_used_is_not_called_bootable(client, openstack,
                                                    member):
    torn = openstack.set_image('db', [openstack.snapshot('d', status='error')])
    assert facts(client, torn)['Bootable'] == 'Not as it is: see its status.'


@pytest.mark.parametrize(('bootable', 'text'), [
    ('true', 'Yes, its volume is bootable.'),
    ('false', 'No, it holds data only.'), (None, 'Unknown')])
def test_whether_it_can_be_booted_from_is_said(client, openstack, member,
                                               bootable, text):
    volume = openstack.volume('data', bootable=bootable)
    body = openstack.snapshot('weekly', volume_id=volume['id'])
    if bootable is None:
        openstack.faults['GET', '/volumes/'] = 503
    assert facts(client, body)['Bootable'].startswith(text)
    assert facts(client, openstack.image('i'))['Bootable'] == 'Yes'


def test_parts_are_called_by_their_volumes(client, openstack, member):
    volume = openstack.volume('db-data')
    body = openstack.set_image('db', [
        openstack.snapshot('root'),
        openstack.snapshot('snapshot for db', volume_id=volume['id'])])
    assert 'including its root disk' in facts(client, body)['Captured']
    table = look(client, body).select_one('.snapshot-detail-parts')
    assert table.select_one(f'a[href$="{volume["id"]}/"]').get_text() == (
        'db-data')


def test_a_volume_snapshot_tells_all_that_is_known(client, openstack,
                                                   member):
    volume = openstack.volume('data')
    body = openstack.snapshot('weekly', volume_id=volume['id'], size=7,
                              user_id='somebody', metadata={'rack': '12'},
                              description='for the audit')
    found = facts(client, body)
    assert found['Kind'] == 'Volume snapshot'
    assert found['Source'].startswith('data')
    assert found["Created By"] == 'somebody'
    assert found['Description'] == 'for the audit'
    assert found['Size'] == '7 GiB'
    assert found['rack'] == '12'
    assert 'Protected' not in found


def test_the_consistency_is_explained(client, openstack, member):
    server = openstack.server('web-1')
    body = openstack.image('nightly', instance_uuid=server['id'], **{
        marks.INSTANCE: server['id'], marks.TAKEN: '1772366400',
        marks.CONSISTENCY: marks.FORCED_OFF})
    assert 'forced off' in facts(client, body)['Consistency']


def test_the_parts_of_a_set_are_listed_with_their_states(client, openstack,
                                                         member):
    body = openstack.set_image('db', [
        openstack.snapshot('root'), openstack.snapshot('d', status='error')])
    table = words(look(client, body).select_one('.snapshot-detail-parts'))
    assert '/dev/vda (root disk)' in table and 'Error' in table


def test_what_was_made_from_a_set_is_found(client, openstack, member):
    part = openstack.snapshot('root')
    body = openstack.set_image('db', [part])
    openstack.server('db-copy', image={'id': body['id']})
    openstack.server('other')
    openstack.volume('from-part', snapshot_id=part['id'],
                     created_at=fakes.stamp(9)[:-1] + '.500000')
    openstack.volume('from-image',
                     volume_image_metadata={'image_id': body['id']})
    openstack.volume('of-its-own')
    openstack.calls.clear()
    made = words(look(client, body, 'dependants').select_one(
        '.snapshot-dependants'))
    assert made == ('Instance db-copy Volume from-part Volume from-image')
    lists = [path for _, path, _ in openstack.calls
             if path.endswith('/detail')]
    assert len(lists) == 2


def test_volumes_older_than_a_snapshot_are_not_looked_through(
        client, openstack, member):
    body = openstack.snapshot('weekly', at=100)
    openstack.volume('older')
    look(client, body, 'dependants')
    (asked,) = [request for request in openstack.requests
                if '/volumes/detail' in request.url]
    assert asked.qs['created_at'] == ['gte:2026-03-01t12:01:40']


def test_nothing_made_from_it_is_said(client, openstack, member):
    assert 'No existing instance' in words(
        look(client, openstack.image('i'), 'dependants'))


def test_a_service_that_fails_is_told_and_the_rest_shown(client, openstack,
                                                         member):
    body = openstack.image('i')
    openstack.volume('from-image',
                     volume_image_metadata={'image_id': body['id']})
    openstack.faults['GET', '/servers/detail'] = 500
    text = words(look(client, body, 'dependants'))
    assert 'It is not known whether instances were launched from it' in text
    assert 'from-image' in text


def test_a_service_that_is_down_leads_back_to_the_list(client, openstack,
                                                       member):
    body = openstack.image('i')
    openstack.faults['GET', f'/v2/images/{body["id"]}'] = 503
    response = client.get(f'{INDEX}{row_id(body)}/detail/')
    assert response.status_code == 302 and response.url == INDEX
    told = [str(message) for message in client.get(INDEX).context['messages']]
    assert any('cannot be shown now' in text for text in told)


def back_at_the_list(answer):
    """Whether a page leads there, and says why."""
    return answer.status_code == 302 and answer.url == INDEX


@pytest.mark.parametrize('row', [
    f'instance-{fakes.new_id()}', f'volume-{fakes.new_id()}', 'instance-x',
    'nothing'])
def test_what_is_not_there_is_not_found(client, openstack, member, row):
    assert client.get(f'{INDEX}{row}/dependants/').status_code == 404
    assert back_at_the_list(client.get(f'{INDEX}{row}/detail/'))
    assert 'There is no such snapshot' in told(client)


@pytest.mark.parametrize('make', [
    lambda cloud: cloud.image('i', owner='another'),
    lambda cloud: cloud.snapshot('v', **{
        'os-extended-snapshot-attributes:project_id': 'another'})])
def test_another_projects_snapshot_is_not_found(client, openstack, member,
                                                make):
    row = row_id(make(openstack))
    assert client.get(f'{INDEX}{row}/dependants/').status_code == 404
    assert back_at_the_list(client.get(f'{INDEX}{row}/detail/'))


def test_a_reader_sees_it_and_can_change_nothing(client, openstack, reader):
    page = look(client, openstack.image('i'))
    assert 'Delete Snapshot' not in words(page)


def test_a_member_may_act_from_there(client, openstack, member):
    page = look(client, openstack.image('i'))
    assert 'Delete Snapshot' in words(page.select_one('.detail-actions'))


def test_hostile_names_and_properties_are_text(client, openstack, member):
    evil = '<script>alert(1)</script>{{ 7|add:7 }}'
    body = openstack.image(evil, description=evil, os_evil=evil)
    page = look(client, body)
    assert not [tag for tag in page.select('script') if 'alert(1)' in str(
        tag.string)]
    assert '<script>' in page.select_one('.detail-title').get_text()
    assert facts(client, body)['os_evil'] == evil


def message(thing, text):
    return {'id': fakes.new_id(), 'resource_uuid': thing['id'],
            'resource_type': 'VOLUME_SNAPSHOT', 'user_message': text,
            'created_at': '2026-03-01T12:00:00.000000'}


def test_what_cinder_says_of_the_parts_is_shown(client, openstack, member):
    part, other = openstack.snapshot('p'), openstack.snapshot('o')
    body = openstack.set_image('db', [part])
    openstack.messages = [message(part, 'no <b>room</b>'),
                          message(other, 'something else')]
    page = look(client, body, 'history')
    (said,) = page.select('.snapshot-messages li')
    assert 'no <b>room</b>' in words(said)


def test_the_run_that_made_it_is_shown(client, openstack, member):
    server = openstack.server('web')
    client.post(CREATE, {
        'source': f'instance-{server["id"]}', 'seen_status': 'ACTIVE',
        'name': 'nightly'})
    (body,) = openstack.images.values()
    # The fake services' clock stands still.
    body[marks.TAKEN] = '1772366400'
    assert 'Saving the snapshot' in words(look(client, body, 'history'))
    body[marks.RUN] = 'of another run'
    assert 'no snapshot in progress' in words(look(client, body, 'history'))


@pytest.mark.parametrize('path', ['/messages', '/snapshots/'])
def test_what_happened_may_be_unknown(client, openstack, member, path):
    body = openstack.snapshot('v')
    openstack.faults['GET', path] = 503
    assert 'Part of the history could not be loaded' in words(
        look(client, body, 'history'))


def test_marks_that_somebody_mangled_break_nothing(client, openstack, member):
    body = openstack.snapshot('v', metadata={
        marks.RUN: 'r', marks.TAKEN: '1772366400'})
    assert 'no snapshot in progress' in words(look(client, body, 'history'))


def test_of_what_is_gone_there_is_no_history(client, openstack, member):
    address = f'{INDEX}volume-{fakes.new_id()}/history/'
    assert client.get(address).status_code == 404
