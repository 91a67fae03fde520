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

"""The page shows what rules keep, and why, before anything is deleted."""

import datetime

import bs4
from django.utils import html
import pytest

from tests import fakes
from tests.views.pages import INDEX
from tests.views.pages import row_id
from tests.views.pages import told

DAY = 24 * 3600


def page(client, source_id, **rules):
    response = client.get(f'{INDEX}of/{source_id}/thin-out/', rules)
    assert response.status_code == 200
    return bs4.BeautifulSoup(response.content, 'html.parser')


def decisions(soup):
    """By name: whether it is kept, and why."""
    found = {}
    for row in soup.select('.snapshot-decisions tbody tr'):
        cells = [' '.join(cell.get_text().split())
                 for cell in row.select('th, td')]
        found[cells[0]] = cells[3], cells[4]
    return found


@pytest.fixture
def server(openstack):
    return openstack.server('web')


@pytest.fixture
def nightly(openstack, server):
    def take(days, **fields):
        openstack.did(server, 'createImage', at=days * DAY)
        return openstack.image(f'night-{days}', at=days * DAY,
                               instance_uuid=server['id'], **fields)
    return take


@pytest.fixture
def source_id(server):
    return f'instance-{server["id"]}'


def test_each_snapshot_has_its_decision_and_its_reason(
        client, openstack, member, nightly, source_id):
    for days in (0, 1, 40, 41):
        nightly(days)
    assert decisions(page(client, source_id, last=1, daily=1, monthly=1)) == {
        'night-41': ('Keep', 'Last: number 1 of 1.'),
        'night-40': ('Keep', 'Daily: number 1 of 1.'),
        'night-1': ('Keep', 'Monthly: number 1 of 1.'),
        'night-0': ('Delete', '"night-1" is kept for that month.')}
    assert openstack.writes() == []


def test_what_is_suggested_is_shown_at_first(client, openstack, member,
                                             nightly, source_id):
    for days in range(12):
        nightly(days)
    soup = page(client, source_id)
    assert {field['name']: field['value'] for field in soup.select(
        '.snapshot-rules input')} == {
            'last': '3', 'hourly': '0', 'daily': '7', 'weekly': '4',
            'monthly': '6', 'yearly': '0'}
    shown = decisions(soup)
    assert shown['night-11'][1] == 'Last: number 1 of 3.'
    assert shown['night-8'][1] == 'Daily: number 1 of 7.'


def test_the_sum_tells_how_many_and_how_much(client, openstack, member,
                                             nightly, source_id):
    for days in range(3):
        nightly(days, size=1024 ** 3)
    soup = page(client, source_id, last=1)
    text = ' '.join(soup.select_one('.snapshot-verdict-sum').get_text(
        ).split())
    assert text == ('1 snapshot is kept. 2 snapshots can be deleted. '
                    'Deleting frees up to 2 GiB.')
    (link,) = soup.select('a.btn-primary')
    assert link.get_text().split() == 'Review 2 snapshots to delete'.split()
    assert link['href'].endswith('/thin-out/review/?last=1')


def test_the_review_offers_what_the_page_has_shown(client, openstack, member,
                                                   nightly, source_id):
    images = {f'night-{days}': nightly(days) for days in range(20)}
    soup = page(client, source_id, daily=2, weekly=2)
    (link,) = soup.select('a.btn-primary')
    review = bs4.BeautifulSoup(client.get(link['href']).content,
                               'html.parser')
    assert {box['value'] for box in review.select('input[name=row]')} == {
        row_id(images[name]) for name, (decision, _) in decisions(soup).items()
        if decision == 'Delete'}
    assert openstack.writes() == []


def test_nothing_to_delete_has_no_button(client, openstack, member, nightly,
                                         source_id):
    nightly(1)
    assert not page(client, source_id, last=1).select('a.btn-primary')


def test_numbers_of_nothing_keep_all(client, openstack, member, nightly,
                                     source_id):
    nightly(1)
    nightly(2)
    assert {decision for decision in decisions(page(
        client, source_id, last=0)).values()} == {
            ('Keep', 'All numbers are 0, so all are kept.')}


@pytest.mark.parametrize('value', ['-1', '1000', 'many', '1e3', '٣٣٣٣'])
def test_a_number_that_cannot_be_read_is_told(client, openstack, member,
                                              nightly, source_id, value):
    nightly(1)
    soup = page(client, source_id, last=value)
    assert soup.select('.has-error .help-block')
    assert not decisions(soup) and not soup.select('a.btn-primary')


@pytest.mark.parametrize(('fields', 'words'), [
    ({'protected': True}, 'It is protected. It does not count.'),
    ({'status': 'uploading'}, 'It is being created or deleted.'),
    ({'status': 'pending_delete'}, 'It is being created or deleted.'),
    ({'status': 'deactivated'}, 'not known whether it is complete'),
    ({'status': 'from-the-future'}, 'not known whether it is complete')])
def test_what_does_not_count_is_kept_and_told(client, openstack, member,
                                              nightly, source_id, fields,
                                              words):
    nightly(2, **fields)
    nightly(1)
    nightly(0)
    shown = decisions(page(client, source_id, last=1))
    assert shown['night-2'][0] == 'Keep' and words in shown['night-2'][1]
    assert shown['night-1'] == ('Keep', 'Last: number 1 of 1.')
    assert shown['night-0'][0] == 'Delete'


@pytest.mark.parametrize(('days', 'expected'), [
    (7, 'It is to be kept until'), (-7, '"night-1" is kept for that day.')])
def test_what_is_wanted_until_a_day_stays_until_then(
        client, openstack, member, nightly, source_id, days, expected):
    nightly(1)
    old = nightly(1, created_at=fakes.stamp(DAY - 10))
    day = datetime.date.today() + datetime.timedelta(days=days)
    old.update({'name': 'old', 'snapshot_dashboard_expires':
                f'{day.isoformat()} {old["id"]}',
                'snapshot_dashboard_expiring': 'True'})
    assert expected in decisions(page(client, source_id, daily=1))['old'][1]


def test_what_failed_is_kept_until_a_newer_one_is_complete(
        client, openstack, member, nightly, source_id):
    for days, status in enumerate(('killed', 'active', 'killed')):
        nightly(days, status=status)
    assert decisions(page(client, source_id, last=3)) == {
        'night-2': ('Keep', 'It failed, and no newer one that counts is '
                            'complete.'),
        'night-1': ('Keep', 'Last: number 1 of 3.'),
        'night-0': ('Delete', 'It failed, and a newer one is complete.')}


def test_what_is_only_probably_of_the_instance_does_not_count(
        client, openstack, member, nightly, server, source_id):
    nightly(1)
    nightly(2)
    openstack.image('copied', at=400 * DAY, instance_uuid=server['id'])
    shown = decisions(page(client, source_id, last=1))
    assert 'not certain' in shown['copied'][1]
    assert [shown[f'night-{days}'][0] for days in (1, 2)] == ['Delete', 'Keep']


@pytest.mark.parametrize('path', ['/v2/images', '/os-instance-actions'])
def test_a_service_that_does_not_answer_lets_nothing_go(
        client, openstack, member, nightly, source_id, path):
    nightly(1)
    nightly(2)
    openstack.faults['GET', path] = 503
    soup = page(client, source_id, last=1)
    assert not soup.select('a.btn-primary')
    assert all(decision == 'Keep' for decision, _ in decisions(soup).values())


def test_without_nova_the_page_says_so(client, openstack, member, source_id):
    openstack.faults['GET', '/servers'] = 503
    assert 'Nova' in page(client, source_id).select_one(
        '.alert-warning').get_text()


@pytest.mark.parametrize('source', [
    f'instance-{fakes.new_id()}', f'volume-{fakes.new_id()}', 'instance-7',
    'nothing', f'image-{fakes.new_id()}'])
def test_what_is_not_there_is_not_found(client, openstack, member, source):
    assert client.get(f'{INDEX}of/{source}/thin-out/').status_code == 404


def test_a_reader_is_refused(client, openstack, reader, nightly, source_id):
    nightly(1)
    assert client.get(f'{INDEX}of/{source_id}/thin-out/').status_code == 403


def test_hostile_names_are_text(client, openstack, member, server, nightly,
                                source_id):
    server['name'] = hostile = '<script>alert(1)</script>%(name)s'
    nightly(2)['name'] = hostile
    nightly(1)
    response = client.get(f'{INDEX}of/{source_id}/thin-out/', {'daily': 1})
    assert hostile.encode() not in response.content
    assert html.escape(hostile) in response.content.decode()


def test_a_volume_is_thinned_out_likewise(client, openstack, member):
    volume = openstack.volume('data')
    for at in (0, 1):
        openstack.snapshot(f'v{at}', at * DAY, volume_id=volume['id'])
    assert {name: decision for name, (decision, _) in decisions(page(
        client, f'volume-{volume["id"]}', last=1)).items()} == {
            'v1': 'Keep', 'v0': 'Delete'}


def test_an_instance_without_snapshots_is_told_so(client, openstack, member,
                                                  source_id):
    text = page(client, source_id).get_text()
    assert 'It has no snapshots of its own.' in text
    assert told(client) == ''


def foreseen(soup):
    """Of each moment: how many, the day of the oldest one, and the size."""
    return [[' '.join(cell.get_text().split()) for cell in row.select('td')]
            for row in soup.select('.snapshot-forecast tbody tr')]


def test_nothing_is_foreseen_unless_it_is_asked_for(client, openstack, member,
                                                    nightly, source_id):
    nightly(1)
    assert foreseen(page(client, source_id, last=1)) == []


@pytest.mark.parametrize(('every', 'kept'), [
    ('hour', '20'), ('six-hours', '20'), ('day', '20'), ('week', '20'),
    ('month', '13')])
def test_a_month_and_a_year_are_foreseen(client, openstack, member, nightly,
                                         source_id, every, kept):
    nightly(1, size=1024 ** 3)
    _month, year = foreseen(page(client, source_id, last=3, daily=7, weekly=4,
                                 monthly=6, every=every))
    assert (year[0], year[2]) == (kept, f'{kept} GiB')


def test_without_a_snapshot_it_is_foreseen_without_a_size(
        client, openstack, member, source_id):
    _month, year = foreseen(page(client, source_id, every='day'))
    assert (year[0], year[2]) == ('20', '–')


def test_a_quota_that_is_too_small_for_it_is_told(client, openstack, member):
    volume = openstack.volume('data')
    openstack.snapshot('v', volume_id=volume['id'], size=5)
    openstack.quotas = {
        'snapshots': {'limit': 3, 'in_use': 1, 'reserved': 0},
        'gigabytes': {'limit': 100, 'in_use': 5, 'reserved': 0}}
    soup = page(client, f'volume-{volume["id"]}', last=4, every='day')
    assert [alert.get_text() for alert in soup.select('.alert-warning')] == [
        'Not enough quota for volume snapshots: needed 4, left 2 of 3.']


def test_a_glance_that_is_too_small_for_it_is_told(
        client, openstack, member, nightly, source_id):
    nightly(1)
    openstack.usage = {'image_count_total': {'limit': 3, 'usage': 2},
                       'image_size_total': {'limit': 8, 'usage': 4}}
    soup = page(client, source_id, last=3, every='day')
    assert [alert.get_text() for alert in soup.select('.alert-warning')] == [
        'Not enough quota for images: needed 3, left 1 of 3.',
        'Not enough quota for image storage: needed 12 MiB, left 4 of 8 MiB.']


def test_without_cinder_no_quota_is_said_to_be_enough_or_not(
        client, openstack, member):
    volume = openstack.volume('data')
    openstack.snapshot('v', volume_id=volume['id'])
    openstack.faults['GET', '/os-quota-sets'] = 503
    soup = page(client, f'volume-{volume["id"]}', last=4, every='day')
    assert foreseen(soup) and not soup.select('.alert-warning')


def test_what_cannot_be_supposed_is_told(client, openstack, member, nightly,
                                         source_id):
    nightly(1)
    soup = page(client, source_id, last=1, every='minute')
    assert soup.select('.has-error .help-block') and not foreseen(soup)


def test_too_many_are_not_foreseen(client, openstack, member, nightly,
                                   source_id):
    nightly(1)
    soup = page(client, source_id, hourly=400, last=1, every='hour')
    assert not foreseen(soup) and decisions(soup)
    assert 'come to 400 or less' in soup.get_text()


def test_nothing_is_foreseen_from_what_is_not_known(client, openstack, member,
                                                    nightly, source_id):
    nightly(1)
    openstack.faults['GET', '/v2/images'] = 503
    assert foreseen(page(client, source_id, last=1, every='day')) == []


def test_what_is_there_is_counted_with_its_own_size(client, openstack, member,
                                                    nightly, source_id):
    nightly(1, size=100 * 1024 ** 3, protected=True)
    nightly(2, size=1024 ** 3)
    month, _year = foreseen(page(client, source_id, last=2, every='day'))
    assert (month[0], month[2]) == ('3', '102 GiB')


def test_the_quota_of_the_volumes_type_is_looked_at(client, openstack, member):
    volume = openstack.volume('data', volume_type='ssd')
    openstack.snapshot('v', volume_id=volume['id'])
    openstack.quotas = {'snapshots_ssd': {'limit': 2, 'in_use': 1,
                                          'reserved': 0}}
    (alert,) = page(client, f'volume-{volume["id"]}', last=4, every='day'
                    ).select('.alert-warning')
    assert 'needed 4, left 1 of 2' in alert.get_text()


def test_an_error_is_tied_to_its_number(client, openstack, member, nightly,
                                        source_id):
    nightly(1)
    soup = page(client, source_id, last=-1)
    field = soup.select_one('[name=last]')
    assert soup.find(id=f'{field["id"]}_error')
    assert soup.select_one('fieldset legend')
