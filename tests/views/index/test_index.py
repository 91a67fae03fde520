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

"""The page with the list."""

import bs4
import pytest

from snapshot_dashboard import marks
from snapshot_dashboard.snapshots import mappings
from tests import fakes
from tests.views.pages import CREATE
from tests.views.pages import INDEX
from tests.views.pages import words


def page(client, path=INDEX, **query):
    response = client.get(path, query)
    assert response.status_code == 200
    return bs4.BeautifulSoup(response.content, 'html.parser')


def rows(soup):
    return [[' '.join(cell.get_text(' ').split())
             for cell in row.select('td:not(.multi_select_column)')]
            for row in soup.select('#compute_snapshots > tbody > tr')]


def notices(soup):
    return ' '.join(' '.join(alert.get_text(' ').split())
                    for alert in soup.select('.messages .alert'))


def test_a_name_is_found_by_a_part_of_it(client, openstack, member):
    openstack.image('Web-1', at=1)
    openstack.snapshot('old-web', at=2)
    openstack.image('db', at=3)
    assert names(page(client, name='WEB')) == ['old-web', 'Web-1']
    assert names(page(client, name='web-1', exact='on')) == []
    assert names(page(client, name='Web-1', exact='on')) == ['Web-1']


def test_a_search_says_how_far_it_looked_and_looks_further(client, openstack,
                                                           member):
    openstack.max_limit = 1000
    openstack.image('needle', at=0)
    for number in range(2500):
        openstack.image(f'x-{number}', at=number + 1)
    soup = page(client, name='needle')
    assert names(soup) == []
    said = soup.select_one('.snapshot-searched')
    assert 'Snapshots from before March 1, 2026,' in words(said)
    links = {words(link): link['href'] for link in said.select('a')}
    whole = client.get(INDEX + links[
        'search all snapshots for exactly this name'])
    assert names(bs4.BeautifulSoup(whole.content, 'html.parser')) == [
        'needle']
    for _ in range(4):
        if names(soup):
            break
        (further,) = [link['href'] for link in soup.select(
            '.snapshot-searched a') if words(link) == 'Look further']
        soup = bs4.BeautifulSoup(client.get(INDEX + further).content,
                                 'html.parser')
    assert names(soup) == ['needle']
    assert not soup.select('.snapshot-searched')


def test_filters_in_use_are_told_and_can_each_be_removed(client, openstack,
                                                         member):
    server = openstack.server('web-1')
    openstack.image('nightly', instance_uuid=server['id'])
    openstack.image('other')
    soup = page(client, name='night', instance=server['id'], kind='instance',
                since='2026-01-02', sort='name', names='1')
    chips = {words(chip): chip['href'] for chip in soup.select(
        '.snapshot-chip')}
    assert set(chips) == {'Name or ID: night', 'Kind: Instance snapshot',
                          'Created since: Jan. 2, 2026', 'Instance: web-1'}
    without = bs4.BeautifulSoup(client.get(
        INDEX + chips['Instance: web-1']).content, 'html.parser')
    assert {words(chip) for chip in without.select('.snapshot-chip')} == (
        set(chips) - {'Instance: web-1'})
    assert 'sort=name' in chips['Instance: web-1']
    hidden = {field['name']: field['value'] for field in soup.select(
        '.snapshot-filters input[type=hidden]') if field.get('value')}
    assert hidden == {'instance': server['id'], 'sort': 'name'}


def test_headings_sort_where_both_services_can(client, openstack, member):
    openstack.image('b', at=1)
    openstack.snapshot('a', at=2)
    def heading(soup, label):
        return soup.find(lambda tag: tag.name == 'th'
                         and words(tag) == label)
    def follow(soup, label):
        return bs4.BeautifulSoup(client.get(
            INDEX + heading(soup, label).a['href']).content, 'html.parser')
    soup = page(client, kind='')
    assert names(soup) == ['a', 'b']
    assert heading(soup, 'Created')['aria-sort'] == 'descending'
    assert 'aria-sort' not in heading(soup, 'Name').attrs
    oldest = follow(soup, 'Created')
    assert names(oldest) == ['b', 'a']
    assert heading(oldest, 'Created')['aria-sort'] == 'ascending'
    assert names(follow(oldest, 'Created')) == ['a', 'b']
    by_name = follow(oldest, 'Name')
    assert names(by_name) == ['a', 'b']
    assert heading(by_name, 'Name')['aria-sort'] == 'ascending'
    assert not heading(by_name, 'Size').a


def test_one_comes_back_to_the_list_as_it_was(client, openstack, member):
    for number in range(30):
        body = openstack.image(f'web-{number}', at=number)
    second = page(client, name='web').select_one('tfoot a')['href']
    client.get(INDEX + second)
    detail = client.get(f'{INDEX}instance-{body["id"]}/detail/')
    assert detail.context['url'] == INDEX + second
    response = client.post(f'{INDEX}delete/', {
        'row': f'instance-{body["id"]}', 'going': body['id']})
    assert response.url == INDEX + second


def test_what_no_cookie_has_room_for_is_not_remembered(client, openstack,
                                                       member):
    page(client, name='🚀' * 255)
    assert client.session['snapshot_dashboard_list'] == [fakes.PROJECT, '']
    page(client, name='web')
    assert client.session['snapshot_dashboard_list'] == [
        fakes.PROJECT, 'sort=newest&name=web']


def test_what_was_looked_at_in_another_project_is_not_come_back_to(
        client, openstack, member):
    page(client, name='web')
    member.tenant_id = 'another'
    body = openstack.image('i', owner='another')
    detail = client.get(f'{INDEX}instance-{body["id"]}/detail/')
    assert detail.context['url'] == INDEX


def test_a_search_that_ends_leads_back_to_what_it_found(client, openstack,
                                                        member):
    openstack.max_limit = 1000
    for number in range(1500):
        openstack.image(f'x-{number}', at=number)
    openstack.image('needle', at=1600)
    soup = page(client, name='needle')
    assert names(soup) == ['needle']
    for _ in range(5):
        links = {words(link): link['href']
                 for link in soup.select('.snapshot-searched a')}
        if 'Look further' not in links:
            break
        soup = bs4.BeautifulSoup(client.get(
            INDEX + links['Look further']).content, 'html.parser')
    empty = soup.select_one('tr.empty')
    assert 'No further snapshots match these filters.' in words(empty)
    back = client.get(INDEX + empty.a['href'])
    assert names(bs4.BeautifulSoup(back.content, 'html.parser')) == ['needle']


def test_headings_are_no_links_where_a_date_decides_the_order(
        client, openstack, member):
    openstack.image('i')
    assert not page(client, since='2026-01-01').select('th a')


def test_a_filter_without_a_name_offers_no_search_for_one(client, openstack,
                                                          member):
    openstack.max_limit = 1000
    for number in range(1500):
        openstack.image(f'x-{number}', status='saving', at=number)
    soup = page(client, launchable='on')
    assert [words(link) for link in soup.select('.snapshot-searched a')] == [
        'Look further']


def test_what_can_be_asked_of_nobody_is_no_id_meanwhile(client, openstack,
                                                        member):
    """Names that are asked for a moment later leave no ids to flash."""
    for number in range(20):
        openstack.image(f'i-{number}', instance_uuid=openstack.server(
            f'web-{number}')['id'])
    soup = page(client)
    assert soup.select_one('[data-snapshots-list]')[
        'data-unnamed'] == 'true'
    assert {link.find(string=True) for link in soup.select(
        'a.snapshot-source')} == {'…'}


def test_who_may_only_look_is_told_and_gets_no_empty_column(
        client, openstack, reader):
    openstack.image('i')
    soup = page(client)
    assert 'your roles allow no more' in words(soup)
    assert 'Actions' not in [words(cell) for cell in soup.select('th')]
    assert names(soup) == ['i']


def test_the_box_of_each_row_has_a_name(client, openstack, member):
    openstack.image('<b>nightly')
    (box,) = page(client, kind='').select('tbody .table-row-multi-select')
    assert box['aria-label'] == 'Select <b>nightly'
    assert box['name'] == 'object_ids' and not box.has_attr('checked')


def test_a_protected_snapshot_has_a_lock_that_says_why(client, openstack,
                                                       member):
    openstack.image('kept', protected=True, at=1)
    openstack.image('free', at=2)
    free, kept = page(client).select('#compute_snapshots > tbody > tr')
    assert not free.select('.snapshot-lock')
    assert 'cannot be deleted' in kept.select_one('.snapshot-lock')['title']


def test_what_cannot_be_used_offers_the_way_out_first(client, openstack,
                                                      member):
    openstack.snapshot('broken', status='error', at=1)
    openstack.snapshot('coming', status='creating', at=2)
    coming, broken = page(client).select('#compute_snapshots > tbody > tr')
    first = broken.select_one('.data-table-action')
    assert words(first) == 'Delete Snapshot' and 'btn-danger' in first['class']
    assert 'Edit Snapshot' not in words(coming)
    assert 'Being taken' in words(coming)


def test_what_can_be_launched_is_found_in_both_kinds(client, openstack,
                                                     member):
    boot = openstack.volume('root', bootable='true')
    data = openstack.volume('data', bootable='false')
    for number, (name, volume, status) in enumerate([
            ('of root', boot, 'available'), ('of data', data, 'available'),
            ('broken', boot, 'error')]):
        openstack.snapshot(name, volume_id=volume['id'], status=status,
                           at=number)
    openstack.image('i', at=5)
    openstack.image('saving', status='saving', at=6)
    openstack.set_image('torn', [openstack.snapshot(
        'of torn', status='error', at=7)], at=8)
    openstack.set_image('coming', [openstack.snapshot(
        'of coming', status='creating', at=9)], at=10)
    soup = page(client, launchable='on')
    assert names(soup) == ['i', 'of root']
    assert words(soup.select_one('.snapshot-chip')) == 'Can be launched'
    openstack.faults['GET', '/volumes/detail'] = 503
    response = client.get(INDEX, {'launchable': 'on'})
    assert names(bs4.BeautifulSoup(response.content, 'html.parser')) == ['i']
    assert 'Volume snapshots are missing' in ' '.join(
        str(message) for message in response.context['messages'])


def test_an_administrator_learns_that_users_have_no_guide(
        client, openstack, admin, settings, sign_in):
    assert page(client, kind='').select('.snapshot-unguided')
    settings.SNAPSHOT_DASHBOARD = {'GUIDE_URL': 'https://guide.example/'}
    assert not page(client, kind='').select('.snapshot-unguided')
    settings.SNAPSHOT_DASHBOARD = {}
    sign_in('member', 'reader')
    assert not page(client, kind='').select('.snapshot-unguided')


def test_a_bootable_volume_is_called_so(client, openstack, member):
    boot = openstack.volume('root', bootable='true')
    openstack.snapshot('of root', volume_id=boot['id'], at=1)
    openstack.snapshot('of data', volume_id=openstack.volume(
        'data', bootable='false')['id'], at=2)
    data, root = page(client, names='1').select(
        '#compute_snapshots > tbody > tr')
    assert [words(row.select_one('.snapshot-kind')) for row in (data, root)
            ] == ['Volume', 'Volume , bootable']


def test_instances_without_a_recent_snapshot_are_named(client, openstack,
                                                       member):
    server = openstack.server('web<b>')
    openstack.server('test', tags=['snapshot-dashboard.boot-test'])
    soup = overview(client, 'coverage')
    assert '1 instance without a snapshot since' in soup.summary.get_text()
    detail, create = soup.select('li a')
    assert detail.get_text() == 'web<b>'
    assert create['href'].endswith(f'?source=instance-{server["id"]}')


def test_only_so_many_of_them_are_named(client, openstack, member):
    for number in range(12):
        openstack.server(f's{number}')
    items = overview(client, 'coverage').select('li')
    assert len(items) == 11 and items[-1].get_text() == 'and 2 more'


def test_an_operator_may_not_want_that(client, openstack, member, settings):
    settings.SNAPSHOT_DASHBOARD = {'COVERED_WITHIN_DAYS': 0}
    openstack.server('web')
    assert not overview(client, 'coverage').select('li')
    assert openstack.calls == []


def test_a_reader_is_not_offered_to_create_one(client, openstack, reader):
    openstack.server('web')
    assert len(overview(client, 'coverage').select('li a')) == 1


def test_a_count_of_some_minutes_ago_is_told_as_such(client, openstack,
                                                     member, monkeypatch):
    monkeypatch.setattr('snapshot_dashboard.snapshots.usage._LONG', 0)
    openstack.usage = {'image_count_total': {'limit': 50, 'usage': 2}}
    assert 'were counted at' not in usage(client).get_text()
    assert 'Images were counted at' in usage(client).get_text()


@pytest.mark.parametrize(('used', 'high'), [(79, False), (80, True)])
def test_usage_is_folded_and_says_when_it_is_nearly_full(
        client, openstack, member, used, high):
    openstack.quotas['snapshots'] = {'limit': 100, 'in_use': used,
                                     'reserved': 0}
    folded = usage(client).select_one('.snapshot-usage')
    assert 'open' not in folded.attrs
    assert ('nearly full' in words(folded.summary)) is high


def test_a_volume_snapshot_with_an_error_is_pointed_out(client, openstack,
                                                        member):
    openstack.snapshot('broken', status='error')
    line = overview(client).select_one('.snapshot-health')
    assert 'Need attention: 1 with an error' in words(line.summary)
    assert words(line.a) == 'broken'


def test_a_row_says_what_its_snapshot_lacks(client, openstack, member):
    server = openstack.server('web-1')
    server['flavor']['ephemeral'] = 40
    own = {'instance_uuid': server['id'], marks.INSTANCE: server['id'],
           marks.TAKEN: str(int(fakes.seconds(0)))}
    openstack.image('ours', **own, **{
        marks.LEFT_OUT: f'ephemeral:20 volume:{fakes.new_id(5)} volumes:1'})
    openstack.image('whole', **own, **{marks.LEFT_OUT: 'nothing'})
    openstack.image('by hand', instance_uuid=server['id'])
    response = client.get(INDEX + '?names=1')
    said = {row.select_one('.snapshot-name').get_text(): [
        words(line) for line in row.select('.snapshot-lacks')]
        for row in bs4.BeautifulSoup(
            response.content, 'html.parser').select('tbody tr')}
    assert said == {
        'ours': ['Without the ephemeral disk (20 GiB)',
                 'Without 2 attached volumes'],
        'whole': [],
        'by hand': ['May lack an ephemeral disk: its instance has one of 40 '
                    'GiB today']}


def test_both_kinds_stand_in_one_table(client, openstack, member):
    server = openstack.server('web-1')
    openstack.image('i', at=2, instance_uuid=server['id'])
    openstack.snapshot('v', at=1)
    first, second = rows(page(client))
    assert first[:5] == [
        'i', 'Instance', 'web-1 Show only the snapshots of web-1',
        '4 MiB', 'Active']
    assert second[:2] == ['v', 'Volume']
    assert '(not in this project)' in second[2]
    assert second[3:5] == ['5 GiB', 'Available']


def test_an_empty_list_explains_both_kinds_and_offers_the_wizard(
        client, openstack, member):
    soup = page(client)
    text = soup.select_one('.snapshot-empty').get_text(' ')
    assert 'instance snapshot' in text and 'volume snapshot' in text
    assert soup.select_one('.snapshot-empty a[href$="create/"]')


def test_a_reader_sees_everything_and_no_action(client, openstack, reader):
    openstack.image('i')
    openstack.snapshot('v')
    soup = page(client)
    assert len(rows(soup)) == 2
    assert not soup.select('#compute_snapshots button, '
                           '#compute_snapshots .btn, a[href$="create/"]')


def test_a_reader_of_an_empty_list_is_offered_no_wizard(client, openstack,
                                                        reader):
    assert not page(client).select('a[href$="create/"]')


def test_a_member_gets_the_actions_that_fit_the_row(client, openstack,
                                                    member):
    bootable = openstack.volume(bootable='true')
    data = openstack.volume()
    image = openstack.image('i', at=5)
    openstack.snapshot('root', at=4, volume_id=bootable['id'])
    openstack.snapshot('data', at=3, volume_id=data['id'])
    openstack.snapshot('broken', at=2, volume_id=data['id'], status='error')
    openstack.image('kept', at=1, protected=True)
    soup = page(client)
    actions = {row.select_one('.snapshot-name').get_text(): {
        link.get_text().strip() for link in row.select(
            '.actions_column a, .actions_column button')} - {''}
        for row in soup.select('#compute_snapshots > tbody > tr')}
    launch, back, volume, edit, share, delete = (
        'Launch', 'Go Back to This Snapshot', 'Create Volume',
        'Edit Snapshot', 'Share Snapshot', 'Delete Snapshot')
    assert actions == {
        'i': {launch, back, volume, edit, share, delete},
        'root': {launch, back, volume, edit, delete},
        'data': {back, volume, edit, delete}, 'broken': {edit, delete},
        'kept': {launch, back, volume, edit, share}}
    assert soup.select_one(f'a[href*="image_id={image["id"]}"]')


def test_a_row_in_motion_is_asked_for_again(client, openstack, member):
    openstack.image('moving', at=2, status='saving')
    openstack.image('still', at=1)
    moving, still = page(client).select('#compute_snapshots > tbody > tr')
    assert 'ajax-update' in moving['class'] and 'warning' in moving['class']
    assert 'warning' not in still['class']


def test_a_status_that_nobody_knows_is_shown_and_not_asked_for_again(
        client, openstack, member):
    openstack.snapshot('v', status='hibernating')
    soup = page(client)
    assert rows(soup)[0][4] == 'hibernating'
    assert 'warning' not in soup.select_one(
        '#compute_snapshots > tbody > tr')['class']


def update(client, row_id):
    return client.get(
        INDEX, {'action': 'row_update', 'table': 'compute_snapshots',
                'obj_id': row_id},
        headers={'x-requested-with': 'XMLHttpRequest'})


def test_a_row_can_be_fetched_alone(client, openstack, member):
    image = openstack.image('done')
    answer = update(client, f'instance-{image["id"]}')
    assert answer.status_code == 200 and b'done' in answer.content
    assert b'Active' in answer.content


def test_a_row_that_cannot_be_asked_for_breaks_nothing(client, openstack,
                                                       member):
    image = openstack.image('saved', status='saving')
    openstack.faults['GET', '/v2/images/'] = 503
    assert update(client, f'instance-{image["id"]}').status_code == 503


def test_a_row_whose_snapshot_is_gone_is_not_found(client, openstack,
                                                   member):
    assert update(client, 'volume-gone').status_code == 404


@pytest.mark.parametrize('path, service, name', [
    ('/v2/images', 'Glance', 'v'), ('/snapshots/', 'Cinder', 'i')])
def test_a_service_that_is_down_leaves_the_other_rows_and_one_notice(
        client, openstack, member, path, service, name):
    openstack.image('i')
    openstack.snapshot('v')
    openstack.faults['GET', path] = 503
    soup = page(client)
    assert [row[0] for row in rows(soup)] == [name]
    assert service in notices(soup)
    assert notices(soup).count('missing') == 1
    assert 'HTTP' not in notices(soup)


def test_without_nova_the_list_is_there(client, openstack, member):
    openstack.image('i', instance_uuid=fakes.new_id())
    openstack.faults['GET', '/servers'] = 500
    soup = page(client)
    assert rows(soup)[0][0] == 'i'
    assert 'Nothing is lost' in soup.select_one('.snapshot-runs').get_text()


@pytest.mark.parametrize('missing, left', [('image', 'v'), ('volume', 'i')])
def test_a_cloud_without_one_of_the_services_shows_the_other(
        client, openstack, sign_in, missing, left):
    sign_in('member', 'reader', endpoints={
        name: url for name, url in fakes.ENDPOINTS.items()
        if name != missing})
    openstack.image('i')
    openstack.snapshot('v')
    soup = page(client)
    assert [row[0] for row in rows(soup)] == [left]
    assert notices(soup) == ''


def test_an_expired_token_leads_to_the_login(client, openstack, member):
    openstack.faults['GET', '/v2/images'] = 401
    response = client.get(INDEX)
    assert response.status_code == 302
    assert '/auth/' in response['Location']


def test_pages_lead_on_and_back(client, openstack, member, settings):
    settings.API_RESULT_PAGE_SIZE = 3
    for number in range(7):
        openstack.image(f'i{number}', at=number)
    seen, path, soup = [], INDEX, None
    while path and len(seen) < 5:
        soup = page(client, path)
        seen.append([row[0] for row in rows(soup)])
        path = _link(soup, 'next')
    assert seen == [['i6', 'i5', 'i4'], ['i3', 'i2', 'i1'], ['i0']]
    soup = page(client, _link(soup, 'prev'))
    assert [row[0] for row in rows(soup)] == seen[1]


def _link(soup, which):
    text = {'next': 'Next', 'prev': 'Prev'}[which]
    links = [link for link in soup.select('#compute_snapshots tfoot a')
             if text in link.get_text()]
    return INDEX + links[0]['href'] if links else None


@pytest.mark.parametrize('cursor', ['x', 'older~1~2~3', '<script>', '~~~'])
def test_a_tampered_page_is_the_first_one_with_a_notice(client, openstack,
                                                        member, cursor):
    openstack.image('i')
    soup = page(client, f'{INDEX}?page={cursor}')
    assert [row[0] for row in rows(soup)] == ['i']
    assert 'no longer exists' in notices(soup)


HOSTILE = '<script>alert(1)</script>{$ constructor.constructor("x")() $}'


def test_hostile_names_are_text(client, openstack, member):
    server = openstack.server(HOSTILE)
    part = openstack.snapshot(HOSTILE)
    openstack.set_image(HOSTILE, [part], instance_uuid=server['id'],
                        image_type='snapshot', description=HOSTILE)
    html = client.get(INDEX).content.decode()
    assert '<script>alert(1)' not in html
    assert '&lt;script&gt;alert(1)' in html
    assert '{$ constructor' not in html


@pytest.mark.parametrize('odd', [
    {'bdm_v2': 'True', 'block_device_mapping':
     '[{"source_type": "snapshot", "snapshot_id": ["x"]}]'},
    {'bdm_v2': 'True', 'block_device_mapping':
     '[{"source_type": "snapshot", "snapshot_id": "detail"}]'},
    {'bdm_v2': 'True', 'block_device_mapping':
     '[{"source_type": "snapshot", "volume_size": Infinity, "snapshot_id":'
     f' "{fakes.new_id(3)}"}}]'},
    {'bdm_v2': 'True', 'block_device_mapping':
     '[{"source_type": "snapshot", "volume_size": 1e400, "snapshot_id":'
     f' "{fakes.new_id(3)}"}}]'},
    {'instance_uuid': 'detail'},
    {'instance_uuid': 'a/b'},
    {'snapshot_dashboard_taken': '²', 'snapshot_dashboard_consistency': '<'},
])
def test_no_property_that_a_member_can_write_breaks_the_page(
        client, openstack, member, odd):
    openstack.image('odd', **odd)
    openstack.image('plain')
    assert {row[0].split()[0] for row in rows(page(client))} == {
        'odd', 'plain'}


@pytest.mark.parametrize('cursor', [
    'older~9999-12-31T23:59:59+00:00~x~', 'older~x~y~z', '~~~', 'x',
    'newer~0001-01-01T00:00:00+00:00~x~'])
def test_no_cursor_breaks_the_page(client, openstack, member, cursor):
    openstack.image('plain')
    assert rows(page(client, f'{INDEX}?page={cursor.replace("+", "%2B")}'))


def names(soup):
    return [name.get_text() for name in soup.select(
        '#compute_snapshots .snapshot-name')]


def test_filters_stand_above_the_list_and_pages_keep_them(
        client, openstack, member, settings):
    for number in range(4):
        openstack.image(f'i{number}', at=number)
        openstack.snapshot(f'v{number}', at=number)
    settings.API_RESULT_PAGE_SIZE = 2
    soup = page(client, kind='volume', sort='oldest')
    assert soup.select_one('.snapshot-filters')['action'] == INDEX
    assert names(soup) == ['v0', 'v1']
    assert soup.select_one('[name=kind] [selected]')['value'] == 'volume'
    following = soup.select_one('tfoot a[href*="page="]')['href']
    assert 'kind=volume' in following and 'sort=oldest' in following
    response = client.get(INDEX + following)
    assert names(bs4.BeautifulSoup(response.content, 'html.parser')) == [
        'v2', 'v3']


def test_no_two_things_on_the_page_have_the_same_id(client, openstack,
                                                    member):
    openstack.image('i')
    soup = page(client)
    wizard = page(client, CREATE)
    found = [tag['id'] for one in (soup.select_one('.snapshot-filters'),
                                   wizard.select_one('.workflow'))
             for tag in one.select('[id]')]
    assert found and len(found) == len(set(found))


def test_a_filter_that_finds_nothing_says_so(client, openstack, member):
    openstack.image('i')
    soup = page(client, name='nothing')
    assert 'No snapshots match these filters.' in soup.get_text()
    assert soup.find('a', string='Show All')


@pytest.mark.parametrize('given', [
    {'kind': 'x'}, {'state': '<b>'}, {'since': 'soon'}, {'instance': '../x'},
    {'sort': 'size'}, {'consistency': 'perfect'}, {'volume': '1'}])
def test_a_filter_that_cannot_be_read_filters_nothing(client, openstack,
                                                      member, given):
    openstack.image('i')
    soup = page(client, **given)
    assert names(soup) == ['i']


def test_the_source_of_a_row_leads_to_all_its_snapshots(client, openstack,
                                                        member):
    server = openstack.server('web-1')
    openstack.image('mine', instance_uuid=server['id'])
    openstack.image('other', instance_uuid=fakes.new_id())
    link = page(client).find('a', title='Show only the snapshots of web-1')
    response = client.get(INDEX + link['href'].rpartition('/')[2])
    soup = bs4.BeautifulSoup(response.content, 'html.parser')
    assert names(soup) == ['mine']
    assert 'only snapshots that record their instance' in soup.get_text()


def test_a_first_page_costs_at_most_eight_calls_and_the_rest_comes_later(
        client, openstack, member):
    for number in range(20):
        server = openstack.server(f'web-{number}')
        volume = openstack.volume(f'data-{number}')
        openstack.image(f'i{number}', number, instance_uuid=server['id'])
        part = openstack.snapshot(f'snapshot for s{number}', number)
        openstack.set_image(f's{number}', [part], number)
        openstack.snapshot(f'v{number}', number, volume_id=volume['id'])
    soup = page(client)
    assert len(openstack.calls) <= 8
    assert soup.select_one('[data-snapshots-list]')['data-unnamed'] == 'true'
    soup = page(client, names='1')
    assert 'web-19' in soup.get_text()
    assert soup.select_one('[data-snapshots-list]')['data-unnamed'] == 'false'
    openstack.calls.clear()
    soup = page(client)
    assert len(openstack.calls) <= 8 and 'web-19' in soup.get_text()
    assert soup.select_one('[data-snapshots-list]')['data-unnamed'] == 'false'


def test_a_service_that_hangs_is_waited_for_once(client, openstack, member,
                                                 monkeypatch):
    openstack.image('i')
    openstack.hang('cinder.test')
    for _ in range(3):
        soup = page(client)
        assert names(soup) == ['i']
        assert 'No response from Cinder' in notices(soup)
    assert openstack.hung == 1


def overview(client, what='overview'):
    response = client.get(f'{INDEX}{what}/')
    assert response.status_code == 200
    return bs4.BeautifulSoup(response.content, 'html.parser')


def usage(client):
    return overview(client, 'usage')


def test_nothing_is_said_of_healthy_snapshots(client, openstack, member):
    part = openstack.snapshot('snapshot for db')
    openstack.set_image('db', [part])
    assert not overview(client).select('.snapshot-health')


def test_a_begun_image_with_half_our_marks_is_no_error(client, openstack,
                                                       member):
    openstack.image('half', status='queued', **{
        marks.CONSISTENCY: 'live',
        marks.TAKEN: str(int(fakes.seconds(0)))})
    assert names(bs4.BeautifulSoup(client.get(INDEX).content,
                                   'html.parser')) == ['half']


def test_of_what_a_set_of_another_tool_was_taken_is_told_as_probable(
        client, openstack, member):
    server, root = openstack.server('db-1'), openstack.volume('root')
    openstack.attach(server, root, '/dev/vda')
    for name in ('one', 'two'):
        openstack.set_image(name, [openstack.snapshot(
            'p', volume_id=root['id'])])
    lone = openstack.volume('lone')
    openstack.set_image('three', [openstack.snapshot(
        'q', volume_id=lone['id'])])
    page = client.get(INDEX).content.decode()
    assert 'probably' not in page and 'data-unnamed="true"' in page
    soup = bs4.BeautifulSoup(client.get(INDEX + '?names=1').content,
                             'html.parser')
    shown = {words(row.select_one('.snapshot-name')): words(row)
             for row in soup.select('tr[data-object-id]')}
    for name in ('one', 'two'):
        assert 'probably db-1' in shown[name]
    assert 'Unknown' in shown['three']
    # For a while it is known then.
    before = len(openstack.calls)
    page = client.get(INDEX).content.decode()
    assert 'probably' in page and 'data-unnamed="false"' in page
    assert len(openstack.calls) - before <= 7


def test_what_is_wrong_is_said_above_the_list(client, openstack, member):
    part = openstack.snapshot('snapshot for torn', status='error')
    openstack.set_image('torn', [part])
    openstack.images[openstack.set_image(
        'lost', [{'id': fakes.new_id(), 'size': 1}])['id']]
    openstack.snapshot('snapshot for gone')
    server = openstack.server()
    openstack.image('begun', status='queued', instance_uuid=server['id'])
    soup = overview(client)
    lines = [' '.join(line.get_text(' ').split())
             for line in soup.select('.snapshot-health li')]
    assert [line.partition(':')[0] for line in lines] == [
        'Incomplete', 'Left over', 'Possibly orphaned']
    assert 'torn' in lines[0] and 'lost' in lines[0]
    assert 'begun' in lines[1] and 'snapshot for gone' in lines[2]
    summary = words(soup.select_one('.snapshot-health summary'))
    assert summary == (
        'Need attention: 2 incomplete , 1 left over , 1 possibly orphaned')
    link = soup.find('a', string='torn')['href']
    assert client.get(link).context['snapshot'].name == 'torn'


def test_a_snapshot_older_than_the_operators_limit_is_pointed_out(
        client, openstack, member, settings):
    openstack.image('ancient')
    assert 'ancient' not in overview(client).get_text()
    settings.SNAPSHOT_DASHBOARD = {'OLD_AFTER_DAYS': 30}
    assert 'ancient' in overview(client).get_text()


def test_images_that_were_not_gone_through_yet_are_at_the_next_look(
        client, openstack, member, monkeypatch):
    """Then what is orphaned is known; until then it is not said of any."""
    monkeypatch.setattr(mappings, '_PAGE', 10)
    openstack.snapshot('snapshot for gone')
    for number in range(25):
        openstack.image(f'i{number}')
    looks = [overview(client) for _ in range(4)]
    goes_on = [bool(soup.select('[data-snapshots-more]')) for soup in looks]
    assert goes_on[:2] == [True, True] and not goes_on[-1]
    assert [bool(soup.select('.snapshot-health')) for soup in looks] == [
        not more for more in goes_on]
    assert '1 possibly orphaned' in words(looks[-1])


def test_a_glance_that_does_not_answer_is_not_asked_on_and_on(
        client, openstack, member):
    openstack.snapshot('snapshot for gone')
    openstack.faults['GET', '/v2/images'] = 503
    assert not overview(client).select('[data-snapshots-more]')


def test_what_is_used_is_drawn_with_numbers_as_text(client, openstack,
                                                    member):
    openstack.quotas = {
        'snapshots': {'limit': 10, 'in_use': 8, 'reserved': 1},
        'gigabytes': {'limit': -1, 'in_use': 7, 'reserved': 0},
        'volumes': {'limit': 10, 'in_use': 1, 'reserved': 0},
        'snapshots_ssd': {'limit': 4, 'in_use': 4, 'reserved': 0},
        'snapshots_hdd': {'limit': -1, 'in_use': 1, 'reserved': 0}}
    openstack.usage = {'image_count_total': {'limit': 5, 'usage': 2}}
    meters = [' '.join(meter.get_text(' ').split())
              for meter in usage(client).select('.snapshot-meter')]
    assert meters == [
        'Volume snapshots 9 of 10',
        'Volume storage (with snapshots) 7 GiB, no limit',
        'Volume snapshots, type ssd 4 of 4', 'Images 2 of 5']


def test_a_service_that_is_down_leaves_the_rest_of_the_overview(
        client, openstack, member):
    openstack.usage = {'image_count_total': {'limit': 5, 'usage': 2}}
    openstack.faults['GET', '/v3/'] = 503
    assert 'Images' in usage(client).get_text()
