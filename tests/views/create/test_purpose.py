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

"""Before a machine becomes a template, the wizard says what to do in it."""

import bs4
import pytest

from tests.views.pages import INDEX
from tests.views.pages import row_id


def commands(client, openstack, os_type):
    fields = {'os_type': os_type} if os_type else {}
    base = openstack.image('base', **fields)
    server = openstack.server(image={'id': base['id']})
    html = client.get(f'{INDEX}facts/?source=instance-{server["id"]}')
    soup = bs4.BeautifulSoup(html.content, 'html.parser')
    (listed,) = soup.select('[data-purpose=template]')
    assert 'hidden' in listed['class']  # until that is chosen
    return ' '.join(pre.get_text() for pre in listed.select('pre'))


@pytest.mark.parametrize(('os_type', 'linux', 'windows'), [
    ('linux', True, False), ('Windows', False, True), ('', True, True),
    ('<b>odd</b>', True, True)])
def test_the_list_fits_the_system(client, openstack, member, os_type, linux,
                                  windows):
    text = commands(client, openstack, os_type)
    assert ('machine-id' in text) is ('ssh_host' in text) is linux
    assert ('sysprep' in text) is windows


def test_a_volume_has_no_checklist(client, openstack, member):
    volume = openstack.volume(status='available')
    html = client.get(f'{INDEX}facts/?source=volume-{volume["id"]}')
    assert b'data-purpose' not in html.content


def test_the_page_of_a_snapshot_says_what_it_is_for(client, openstack,
                                                    member):
    server = openstack.server()
    marks = {'instance_uuid': server['id'],
             'snapshot_dashboard_instance': server['id'],
             'snapshot_dashboard_taken': '1772366400'}
    for purpose, shown in (('template', b'Template for new machines'),
                           ('<b>', b'ID')):
        body = openstack.image('i', snapshot_dashboard_purpose=purpose,
                               **marks)
        html = client.get(f'{INDEX}{row_id(body)}/detail/').content
        assert shown in html and b'<dd><b>' not in html
    body = openstack.image('heir', snapshot_dashboard_purpose='template')
    html = client.get(f'{INDEX}{row_id(body)}/detail/').content
    assert b'Template for new machines' not in html
