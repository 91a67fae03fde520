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

import time

import bs4
import pytest

from snapshot_dashboard.restores import choices
from snapshot_dashboard.restores import restore
from snapshot_dashboard.runs import record
from snapshot_dashboard.runs import situation
from tests import fakes
from tests.unit.restores import world
from tests.views.pages import INDEX
from tests.views.pages import begin
from tests.views.pages import row_id
from tests.views.pages import told
from tests.views.pages import words

KINDS = pytest.mark.parametrize('volume_backed', [False, True],
                                ids=['image', 'volumes'])


@pytest.fixture(autouse=True)
def vouched(settings):
    settings.SNAPSHOT_DASHBOARD = {'OVERWRITABLE_VOLUME_TYPES': ['*']}


@pytest.fixture
def made(openstack):
    def make(volume_backed, **options):
        here = world.World(openstack, volume_backed, **options)
        here.after = openstack.now = time.time() - fakes.seconds(0)
        return here
    return make


def soup(response):
    return bs4.BeautifulSoup(response.content, 'html.parser')


def address(here):
    return f'{INDEX}{row_id(here.image)}/go-back/'


def form(client, here):
    return soup(client.get(address(here))).select_one('#go_back')


def send(client, here, **fields):
    return client.post(address(here), {
        'safety': 'on', 'run_again': 'on', 'confirm': 'web-1', **fields})


def card(client):
    return soup(client.get(INDEX)).select_one('.snapshot-restore')


def advance(client):
    return soup(client.post(f'{INDEX}runs/advance/',
                            headers={'x-requested-with': 'XMLHttpRequest'}))


def finish(client, here):
    for _ in range(60):
        page = advance(client)
        if page.select_one('[data-runs]')['data-open'] == 'false':
            return page
        here.tick()
    raise AssertionError('it does not end')


@KINDS
def test_a_member_puts_an_instance_back_and_undoes_it(client, made, member,
                                                      volume_backed):
    here = made(volume_backed)
    shown = form(client, here)
    assert not shown.select('.alert-danger')
    assert shown.select_one('[name=safety]').has_attr('checked')
    assert shown.select_one('[name=run_again]').has_attr('checked')
    assert send(client, here).url == INDEX
    assert '"web-1" is going back' in told(client)
    assert 'Going back: web-1' in words(card(client))
    assert 'Saving the present state' in words(card(client))
    page = finish(client, here)
    assert set(here.content()) == {'A'}
    assert 'The instance has the disks of the snapshot again' in words(page)
    assert here.server['status'] == 'ACTIVE'
    found = here.recorded()
    safety = here.safety_image(found)
    assert 'before going back' in safety['name']
    assert safety['snapshot_dashboard_purpose'] == 'safety'
    assert safety['snapshot_dashboard_expiring'] == 'True'
    client.post(f'{INDEX}restores/{here.server["id"]}/undo/')
    finish(client, here)
    assert set(here.content()) == {'B'}
    client.post(f'{INDEX}restores/{here.server["id"]}/dismiss/')
    assert card(client) is None
    assert not [tag for tag in here.server['tags'] if 'restor' in tag]


@KINDS
def test_the_page_says_disk_by_disk_what_becomes_of_it(client, made, member,
                                                       openstack,
                                                       volume_backed):
    here = made(volume_backed)
    here.server['flavor'].update(ephemeral=20, swap=1024)
    other = openstack.volume('archive')
    openstack.attach(here.server, other, '/dev/vdf')
    rows = {words(row.find('th')): words(row.find_all('td')[-1])
            for row in form(client, here).select('.snapshot-fates tbody tr')}
    assert 'lost for good' in words(form(client, here))
    said = list(rows.values())
    assert said.count('Overwritten with the snapshot') == (
        2 if volume_backed else 1)
    assert rows['Ephemeral disk'] == rows['Swap disk'] == 'Recreated empty'
    assert rows['Volume archive (/dev/vdf)'] == 'Stays as it is now'


@pytest.mark.parametrize('fields', [
    {'confirm': ''}, {'confirm': 'web-2'}])
def test_nothing_begins_without_the_name_of_the_instance(client, made, member,
                                                         fields):
    here = made(volume_backed=False)
    page = soup(send(client, here, **fields))
    assert page.select('.has-error')
    assert restore.keys(here.image) == [] and here.server['tags'] == []


@pytest.mark.parametrize(('spoil', 'code'), [
    (lambda here: here.server.update(locked=True), choices.Code.LOCKED),
    (lambda here: here.server.update(status='PAUSED'), choices.Code.STATE),
    (lambda here: here.server.update(status='ERROR'), choices.Code.STATE),
    (lambda here: here.openstack.servers.clear(), choices.Code.SOURCE_GONE),
    (lambda here: here.server['flavor'].update(
        extra_specs={'hw:tpm_version': '2.0'}), choices.Code.TPM),
    (lambda here: here.openstack.shares.update({here.server['id']: ['s']}),
     choices.Code.SHARES),
    (lambda here: here.image.update(min_disk=11), choices.Code.MIN_DISK),
    (lambda here: here.server.update(image={
        'id': fakes.new_id(1), 'properties': {'hw_numa_nodes': '2'}}),
     choices.Code.NUMA),
    (lambda here: here.server.update(image=None), choices.Code.OTHER_ROOT),
])
def test_what_is_in_the_way_is_told_before_anything_is_touched(
        client, made, member, spoil, code):
    here = made(volume_backed=False)
    spoil(here)
    page = form(client, here)
    assert page.select('.alert-danger')
    assert page.select('[type=submit]') == []
    before = len(here.openstack.writes())
    assert soup(send(client, here)).select('.alert-danger')
    assert len(here.openstack.writes()) == before
    assert code.value


@pytest.mark.parametrize('release, newest', [
    ('2025.1', '2.100'), ('2025.2', '2.100'), ('2026.1', '2.103')])
def test_every_release_whose_cinder_overwrites_is_new_enough(
        client, made, member, release, newest):
    here = made(volume_backed=True)
    here.openstack.newest['compute'] = newest
    assert not form(client, here).select('.alert-danger'), release


@pytest.mark.parametrize('spoil', [
    lambda here: here.openstack.newest.update(compute='2.96'),  # of 2024.2
    lambda here: here.volumes[0].update(size=1),
    lambda here: here.volumes[1]['attachments'].append(
        {'server_id': fakes.new_id(), 'device': '/dev/vdb'}),
    lambda here: here.openstack.snapshots.popitem(),
    lambda here: here.openstack.attachments[here.server['id']].pop(0),
])
def test_what_is_in_the_way_of_volumes_is_told_too(client, made, member,
                                                   spoil):
    here = made(volume_backed=True)
    spoil(here)
    before = len(here.openstack.writes())
    page = form(client, here)
    assert page.select('.alert-danger'), page
    send(client, here)
    assert len(here.openstack.writes()) == before


@pytest.mark.parametrize(('types', 'said'), [
    ([], False), (['fast'], False), (['fast', '__DEFAULT__'], True),
    (['*'], True)])
def test_volumes_are_overwritten_only_where_an_operator_vouches_for_their_type(
        client, made, member, settings, types, said):
    here = made(volume_backed=True)
    settings.SNAPSHOT_DASHBOARD = {'OVERWRITABLE_VOLUME_TYPES': types}
    before = len(here.openstack.writes())
    shown = form(client, here)
    assert bool(shown.select('.alert-danger')) is not said
    assert ('every byte' in words(shown)) is not said
    if not said:
        send(client, here)
        assert len(here.openstack.writes()) == before


def test_an_instance_that_cannot_be_saved_can_still_go_back(client, made,
                                                            member):
    here = made(volume_backed=False)
    here.server['metadata'] = {f'key{number}': 'x' for number in range(120)}
    shown = form(client, here)
    assert 'cannot be saved now' in words(shown)
    assert not shown.select_one('[name=safety]').has_attr('checked')
    assert soup(send(client, here)).select('.has-error, .alert-danger')
    assert restore.keys(here.image) == []
    client.post(address(here), {'confirm': 'web-1', 'run_again': 'on'})
    finish(client, here)
    assert here.content() == ['A']


def test_a_reader_is_offered_nothing_and_may_do_nothing(client, made,
                                                        sign_in):
    sign_in('reader')
    here = made(volume_backed=False)
    assert 'Go Back' not in words(soup(client.get(INDEX)))
    assert client.get(address(here)).status_code == 403
    assert send(client, here).status_code == 403
    for action in ('cancel', 'dismiss', 'undo'):
        assert client.post(f'{INDEX}restores/{here.server["id"]}/{action}/'
                           ).status_code == 403
    assert here.openstack.writes() == []


def test_it_is_cancelled_by_a_click(client, made, member):
    here = made(volume_backed=False)
    send(client, here)
    assert card(client).select_one('[id^=snapshot-run-restore-cancel]')
    client.post(f'{INDEX}restores/{here.server["id"]}/cancel/')
    page = finish(client, here)
    assert 'Nothing was overwritten' in words(page)
    assert here.content() == ['B']
    here.tick()
    assert here.server['status'] == 'ACTIVE'


def test_no_snapshot_is_taken_meanwhile(client, made, member):
    here = made(volume_backed=False)
    client.post(address(here), {'confirm': 'web-1'})
    assert record.RESTORE_TAG in here.server['tags']
    facts = client.get(f'{INDEX}facts/', {
        'source': f'instance-{here.server["id"]}'})
    assert 'being put back' in words(soup(facts))


def test_a_record_that_was_changed_is_shown_and_left_alone(client, made,
                                                           member):
    here = made(volume_backed=False)
    send(client, here)
    here.image[restore.SEAL] = 'x'
    before = here.openstack.actions()
    page = advance(client)
    assert 'not written by this dashboard' in words(page)
    assert 'rebuild' not in here.openstack.actions()[len(before):]


def test_the_list_asks_nothing_more_where_nothing_goes_back(client, openstack,
                                                            member):
    openstack.server()
    openstack.image('i')
    client.get(INDEX)
    before = len(openstack.calls)
    client.get(INDEX)
    plain = len(openstack.calls) - before
    here = world.World(openstack, volume_backed=False)
    here.after = openstack.now = time.time() - fakes.seconds(0)
    here.begin(safety=False)
    client.get(INDEX)
    before = len(openstack.calls)
    client.get(INDEX)
    assert len(openstack.calls) - before <= plain + 1


@pytest.mark.parametrize('deleted_with', [False, True])
def test_a_volume_goes_back_and_the_old_one_is_kept(
        client, made, member, openstack, deleted_with):
    here = made(volume_backed=False, swaps=1)
    taken, old = here.taken[0], here.data[0]
    for one in openstack.attachments[here.server['id']]:
        one['delete_on_termination'] = deleted_with
    address = f'{INDEX}{row_id(taken)}/go-back/'
    page = soup(client.get(address))
    assert 'the volume “data-0” is detached' in words(page)
    assert not page.select('#go_back .alert-danger')
    assert client.post(address, {}).url == INDEX
    assert 'Create Volumes' in words(card(client))
    page = finish(client, here)
    assert 'A new volume, made from the snapshot, is in the place' in words(
        page)
    assert here.content() == ['B', 'A'] and here.holds[old['id']] == 'B'
    attached, = (
        body['volumeAttachment'] for method, path, body in openstack.calls
        if method == 'POST' and path.endswith('/os-volume_attachments'))
    assert attached.get('delete_on_termination', False) is deleted_with
    client.post(f'{INDEX}restores/{here.server["id"]}/dismiss/')
    assert card(client) is None
    assert set(openstack.images) == {here.image['id']}


@pytest.mark.parametrize('spoil', [
    lambda here: here.openstack.detach(here.server, here.data[0]),
    lambda here: here.openstack.volumes.clear(),
    lambda here: here.server.update(locked=True),
    lambda here: here.server.update(status='PAUSED'),
    lambda here: here.openstack.quotas.update(
        volumes={'limit': 2, 'in_use': 2, 'reserved': 0}),
    lambda here: here.data[0]['attachments'].append(
        {'server_id': fakes.new_id(), 'device': '/dev/vdb'})])
def test_what_is_in_the_way_of_one_volume_is_told(client, made, member,
                                                  spoil):
    here = made(volume_backed=False, swaps=1)
    spoil(here)
    address = f'{INDEX}{row_id(here.taken[0])}/go-back/'
    before = len(here.openstack.writes())
    page = soup(client.get(address))
    assert page.select('#go_back .alert-danger')
    client.post(address, {})
    assert len(here.openstack.writes()) == before


def with_volumes(here):
    """Let the snapshot hold the data volumes, too."""
    here.image.update({
        'snapshot_dashboard_taken': str(int(fakes.seconds(0))),
        'snapshot_dashboard_instance': here.server['id'],
        'snapshot_dashboard_parts': ' '.join(
            taken['id'] for taken in here.taken)})


def test_chosen_volumes_of_a_set_go_back_with_the_root_disk(
        client, made, member, openstack):
    here = made(volume_backed=False, swaps=2)
    with_volumes(here)
    shown = form(client, here)
    assert len(shown.select('[name=volumes][checked]')) == 2
    assert 'Exchanged for a new volume' in words(shown)
    send(client, here, volumes=[here.data[0]['id']])
    finish(client, here)
    assert here.content()[0] == 'A'
    assert sorted(here.content()[1:]) == ['A', 'B']


def test_no_click_goes_back_to_a_snapshot_that_somebody_wrote_there(
        client, made, member, openstack):
    here = made(volume_backed=False)
    send(client, here)
    finish(client, here)
    other = openstack.server('other', image={'id': fakes.new_id(1)})
    image = openstack.image('of-other', instance_uuid=other['id'])
    here.image[f'{restore.PLAN}_progress_safety_id'] = image['id']
    before = len(openstack.actions())
    client.post(f'{INDEX}restores/{here.server["id"]}/undo/')
    client.post(f'{INDEX}restores/{other["id"]}/undo/')
    assert len(openstack.actions()) == before


def test_the_card_of_a_finished_snapshot_leads_there(client, made, member,
                                                     openstack):
    here = made(volume_backed=False)
    begin(openstack, here.server)
    finish(client, here)
    image = next(image for image in openstack.images.values()
                 if image['name'] == 'nightly')
    link = soup(client.get(INDEX)).select_one(
        f'.snapshot-run-over a[href$="{row_id(image)}/go-back/"]')
    assert link and 'ajax-modal' in link['class']
    assert client.get(link['href']).status_code == 200


@pytest.mark.parametrize('options', [
    {'volume_backed': False}, {'volume_backed': True},
    {'volume_backed': False, 'swaps': 1}], ids=['image', 'volumes', 'chosen'])
def test_when_its_instance_was_deleted_the_list_alone_finds_it_and_tidies_up(
        client, made, member, monkeypatch, options):
    monkeypatch.setattr(situation, 'UNSEEN_GRACE', 0)
    here = made(**options)
    cloud = here.openstack
    if here.data:
        with_volumes(here)
    there = set(cloud.volumes)
    send(client, here, volumes=[one['id'] for one in here.data])
    assert cloud.images[here.image['id']]['protected']
    assert len(cloud.volumes) == len(there) + len(here.data)
    here.tick()
    del cloud.servers[here.server['id']]
    shown = card(client)
    assert 'web-1' in words(shown) and not shown.select('button')
    homes = [one['value'] for one in soup(client.get(INDEX)).select(
        '[name=restoring]')]
    for _ in range(2):
        client.post(f'{INDEX}runs/advance/', {'restoring': homes},
                    headers={'x-requested-with': 'XMLHttpRequest'})
    assert not cloud.images[here.image['id']]['protected']
    assert card(client) is None
    assert all(volume['status'] == 'deleting' for volume in
               cloud.volumes.values() if volume['id'] not in there)


def test_a_record_without_tags_is_no_restore_while_its_instance_is_there(
        client, made, member):
    here = made(volume_backed=False)
    send(client, here)
    here.server['tags'].clear()
    assert card(client) is None


def test_what_others_inherited_or_wrote_there_is_no_restore(
        client, made, member, openstack):
    here = made(volume_backed=False)
    send(client, here)
    del openstack.servers[here.server['id']]
    plan = here.image[restore.PLAN]
    for _ in range(4):
        openstack.image('heir', **{restore.PLAN: plan[:255]})
    forged = openstack.image('forged')
    forged[restore.PLAN] = plan.replace(here.image['id'], forged['id'])
    assert len(soup(client.get(INDEX)).select('.snapshot-restore')) == 1
