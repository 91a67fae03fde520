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

"""The bytes of a snapshot are looked at from its page."""

import bs4
import pytest

from snapshot_dashboard.inspection import check
from tests.unit.inspection import images
from tests.views.pages import INDEX
from tests.views.pages import row_id
from tests.views.pages import told
from tests.views.pages import words


@pytest.fixture
def image(openstack):
    content = images.ext()
    body = openstack.image('i', size=len(content), os_hash_value='a' * 128)
    openstack.data[body['id']] = content
    return body


def press(client, body):
    return client.post(f'{INDEX}{row_id(body)}/check/')


def shown(client, body):
    page = bs4.BeautifulSoup(client.get(
        f'{INDEX}{row_id(body)}/detail/').content, 'html.parser')
    return page.select_one('.snapshot-checked')


def test_what_the_file_systems_note_is_shown_with_its_time(
        client, openstack, member, image):
    assert words(shown(client, image)) == 'Not checked. Check'
    assert press(client, image).url == f'{INDEX}{row_id(image)}/detail/'
    text = words(shown(client, image))
    assert text.startswith('Clean, according to the file systems themselves')
    assert 'Checked 0 minutes ago. ext4' in text and 'Check Again' in text


def test_it_is_a_question_to_the_services_and_changes_one_property(
        client, openstack, member, image):
    openstack.calls.clear()
    press(client, image)
    assert [method for method, _ in openstack.writes()] == ['PATCH']
    assert len([path for _, path, _ in openstack.calls
                if path.endswith('/file')]) <= 3
    assert image[check.CHECKED].startswith('clean ')


def test_a_service_that_fails_is_told(client, openstack, member, image):
    openstack.faults['GET', '/file$'] = 503
    press(client, image)
    assert 'could not be checked, and was not changed' in told(client)


def test_nobody_is_offered_what_they_may_not(client, openstack, reader,
                                             image):
    assert shown(client, image) is None
    assert press(client, image).status_code == 403
    assert check.CHECKED not in image


@pytest.mark.parametrize('make', [
    lambda cloud: cloud.set_image('db', [cloud.snapshot('d')]),
    lambda cloud: cloud.snapshot('v')])
def test_what_cinder_keeps_cannot_be_looked_at(client, openstack, member,
                                               make):
    body = make(openstack)
    assert shown(client, body) is None
    openstack.calls.clear()
    press(client, body)
    assert openstack.writes() == []


def test_another_projects_snapshot_is_not_looked_at(client, openstack, member,
                                                    image):
    image['owner'] = 'another'
    assert press(client, image).url == INDEX
    assert check.CHECKED not in image
