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

"""Users are told what their operator has to say."""

import datetime

import bs4
from django.utils import timezone
import pytest

from snapshot_dashboard import notices
from tests.views.pages import CREATE
from tests.views.pages import INDEX
from tests.views.pages import row_id
from tests.views.pages import words

TODAY = timezone.localdate()
DAY = datetime.timedelta(days=1)


def told(client, address):
    soup = bs4.BeautifulSoup(client.get(address).content, 'html.parser')
    return [words(notice) for notice in soup.select('.snapshot-notice')]


def test_without_any_nothing_stands_there(client, openstack, member):
    assert told(client, INDEX) == told(client, CREATE) == []
    assert b'snapshot-guide' not in client.get(INDEX).content


def test_notices_stand_where_they_are_meant_for(client, openstack, member,
                                                settings):
    settings.SNAPSHOT_DASHBOARD = {'NOTICES': [
        {'text': 'on the list', 'where': 'list'},
        {'text': 'in the wizard', 'where': 'wizard'},
        {'text': 'on both', 'level': 'danger',
         'link': 'https://cloud.test/why'}]}
    assert told(client, INDEX) == ['on the list', 'on both Learn more']
    assert told(client, CREATE) == ['in the wizard',
                                    'on both Learn more']
    soup = bs4.BeautifulSoup(client.get(INDEX).content, 'html.parser')
    notice = soup.select('.snapshot-notice')[1]
    assert 'alert-danger' in notice['class']
    assert notice.a['href'] == 'https://cloud.test/why'


@pytest.mark.parametrize(('since', 'until', 'shown'), [
    (TODAY - DAY, TODAY + DAY, True), (TODAY + 2 * DAY, None, False),
    (None, TODAY - DAY, False), (str(TODAY - DAY), str(TODAY + DAY), True)])
def test_notices_have_their_time(client, openstack, member, settings, since,
                                 until, shown):
    settings.SNAPSHOT_DASHBOARD = {'NOTICES': [
        {'text': 'x', 'from': since, 'to': until}]}
    assert told(client, INDEX) == ['x'] * shown


def test_the_first_and_the_last_day_belong_to_it():
    day = datetime.date(2026, 2, 3)
    (notice,) = notices.parse_all([{'text': 'x', 'from': day, 'to': day}])
    assert [notice.shown(notices.LIST, '', day + offset * DAY)
            for offset in (-1, 0, 1)] == [False, True, False]


def test_notices_have_their_region(client, openstack, member, settings):
    settings.SNAPSHOT_DASHBOARD = {'NOTICES': [
        {'text': 'here', 'region': 'RegionOne'},
        {'text': 'elsewhere', 'region': 'RegionTwo'}]}
    assert told(client, INDEX) == ['here']


def test_markup_in_a_notice_is_text(client, openstack, member, settings):
    settings.SNAPSHOT_DASHBOARD = {'NOTICES': [
        {'text': '<img src=x>', 'link': 'https://x.test/"onclick="x'}]}
    html = client.get(INDEX).content
    assert b'<img src=x>' not in html and b'"onclick=' not in html
    assert told(client, INDEX) == ['<img src=x> Learn more']


def test_the_local_guide_is_linked(client, openstack, member, settings):
    settings.SNAPSHOT_DASHBOARD = {'GUIDE_URL': 'https://cloud.test/guide'}
    for address in (INDEX, CREATE):
        soup = bs4.BeautifulSoup(client.get(address).content, 'html.parser')
        assert soup.select_one('.snapshot-guide a')['href'] == (
            'https://cloud.test/guide')


def test_an_old_snapshot_comes_with_advice(client, openstack, member,
                                           settings):
    body = openstack.image('i')
    address = f'{INDEX}{row_id(body)}/detail/'
    assert b'snapshot-old' not in client.get(address).content
    settings.SNAPSHOT_DASHBOARD = {'OLD_AFTER_DAYS': 1}
    assert b'later updates are missing' in client.get(address).content
    settings.SNAPSHOT_DASHBOARD = {'OLD_AFTER_DAYS': 100_000}
    assert b'snapshot-old' not in client.get(address).content
