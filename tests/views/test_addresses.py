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
"""No address grows with the project: what stands before a service refuses it.

The fakes refuse addresses of more than 3,500 characters, as the gateway of
the test cloud does.
"""

from urllib import parse

import bs4
import pytest

from snapshot_dashboard import marks
from tests import fakes
from tests.views.pages import INDEX

#: The longest name: 255 characters, of three bytes each.
LONG = '語' * 242


@pytest.fixture
def crowded(openstack):
    """Very many snapshots with very long names, parts of sets mostly."""
    server, volume = openstack.server(), openstack.volume()
    openstack.attach(server, volume, '/dev/vdb')
    for number in range(120):
        name = f'{LONG[:-3]}{number:03}'
        part = openstack.snapshot(f'snapshot for {name}', number,
                                  volume_id=volume['id'])
        own = openstack.snapshot('own', number, volume_id=volume['id'],
                                 metadata={marks.IMAGE: fakes.new_id()})
        if number % 3:
            openstack.set_image(name, [part, own], number)
    return server


@pytest.mark.parametrize('page', [
    '', '?sort=name', '?state=failed', '?names=1', 'overview/',
    'create/'])
def test_every_page_gets_by_with_short_addresses(client, openstack, member,
                                                 settings, crowded, page):
    settings.API_RESULT_PAGE_SIZE = 100
    response = client.get(INDEX + page)
    assert response.status_code == 200
    text = response.content.decode()
    assert 'There is a fault' not in text and 'No response' not in text


def test_they_are_filled_all_the_same(client, openstack, member, crowded):
    client.get(INDEX)
    assert max(len(request.url) for request in openstack.requests) > 2000


def test_an_instances_snapshots_are_found_with_short_addresses(
        client, openstack, member, crowded):
    response = client.get(f'{INDEX}of/instance-{crowded["id"]}/thin-out/'
                          'review/', {'last': 1})
    assert response.status_code == 302  # nothing is certainly of it


def test_no_link_of_a_page_is_long(client, openstack, member, crowded):
    address = f'{INDEX}?' + parse.urlencode({
        'name': '語' * 255, 'sort': 'name', 'kind': 'volume',
        'state': 'ready', 'since': '2026-01-01'})
    for where in (INDEX, INDEX + '?sort=name', address):
        soup = bs4.BeautifulSoup(client.get(where).content, 'html.parser')
        links = [link['href'] for link in soup.select('[href]')]
        assert links and max(map(len, links)) < 3500
        after = soup.select_one('a[href*="marker="], a[href*="page="]')
        if after is not None:
            assert client.get(INDEX + after['href']).status_code == 200


def test_a_name_for_which_no_address_has_room_is_not_asked_for(
        client, openstack, member):
    openstack.image('i')
    soup = bs4.BeautifulSoup(client.get(INDEX, {
        'name': '🚀' * 255, 'exact': 'on'}).content, 'html.parser')
    assert 'too long for a name' in soup.get_text()
    assert max(len(link['href']) for link in soup.select('[href]')) < 3500
