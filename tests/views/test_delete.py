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

"""Deleting from the list."""

import pytest

from tests.views.conftest import INDEX


def delete(client, row_id, **extra):
    return client.post(
        INDEX, {'action': f'compute_snapshots__delete__{row_id}'}, **extra)


def test_a_member_deletes_a_snapshot(client, openstack, member):
    image = openstack.image('i')
    response = delete(client, f'instance-{image["id"]}')
    assert response.status_code == 302
    assert openstack.images == {}


def test_a_set_goes_as_a_whole(client, openstack, member):
    part = openstack.snapshot('part')
    image = openstack.set_image('db', [part])
    delete(client, f'instance-{image["id"]}')
    assert openstack.images == {} and part['status'] == 'deleting'


def test_a_reader_deletes_nothing(client, openstack, reader):
    image = openstack.image('i')
    delete(client, f'instance-{image["id"]}')
    assert openstack.writes() == []


def test_a_get_deletes_nothing(client, openstack, member):
    image = openstack.image('i')
    client.get(INDEX, {
        'action': f'compute_snapshots__delete__instance-{image["id"]}'})
    assert openstack.writes() == []


def test_without_a_csrf_token_nothing_is_deleted(openstack, member):
    from django.test import Client
    image = openstack.image('i')
    client = Client(enforce_csrf_checks=True)
    response = delete(client, f'instance-{image["id"]}')
    assert response.status_code in (302, 403)
    assert openstack.writes() == []


def test_a_refusal_is_told_with_the_words_of_the_service(client, openstack,
                                                         member):
    snapshot = openstack.snapshot('v')
    openstack.faults['DELETE', '/snapshots/'] = 400
    response = delete(client, f'volume-{snapshot["id"]}')
    assert response.status_code == 302
    told = ' '.join(str(message) for message in
                    client.get(INDEX).context['messages'])
    assert 'could not be deleted' in told and 'as the test wishes' in told


@pytest.mark.parametrize('row_id', ['instance-gone', 'nonsense'])
def test_a_row_that_is_gone_is_no_error(client, openstack, member, row_id):
    response = delete(client, row_id)
    assert response.status_code == 302
    assert openstack.writes() == []
