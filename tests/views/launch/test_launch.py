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

"""An instance like the original is launched from its snapshot."""

import bs4
from django.test import Client
import pytest

from snapshot_dashboard.snapshots import recipes
from tests import fakes
from tests.views.pages import INDEX
from tests.views.pages import row_id
from tests.views.pages import told
from tests.views.pages import words

PRIVATE = fakes.new_id(7)
RECIPE = recipes.Recipe('m1.small', (PRIVATE,), ('web',), 'alice', 'west')


def address(body):
    return f'{INDEX}{row_id(body)}/launch/'


@pytest.fixture
def marked(openstack):
    """Gives an image the marks of a run, and a recipe."""
    def mark(body, made_of=RECIPE):
        server_id = fakes.new_id()
        body.update({
            'instance_uuid': server_id,
            'snapshot_dashboard_instance': server_id,
            'snapshot_dashboard_instance_name': 'web-1',
            'snapshot_dashboard_taken': '1772366400',
            **recipes.write(made_of)})
        return body
    return mark


def form(client, body):
    response = client.get(address(body))
    assert response.status_code == 200
    return bs4.BeautifulSoup(response.content, 'html.parser').select_one(
        'form#launch_like')


def chosen(soup, name):
    return [field['value'] for field in soup.select(
        f'[name={name}] option[selected], input[name={name}][checked]')]


def launch(client, body, **changed):
    return client.post(address(body), {
        'name': 'again', 'flavor': 'm1.small', 'networks': [PRIVATE],
        'groups': ['web'], 'key': 'alice', 'zone': 'west', **changed})


def launched(openstack):
    """What Nova was asked for."""
    return [body['server'] for method, path, body in openstack.calls
            if method == 'POST' and path.endswith('/servers')]


def test_all_is_as_it_was(client, openstack, member, marked):
    soup = form(client, marked(openstack.image('i')))
    assert soup.select_one('[name=name]')['value'] == 'web-1'
    assert {name: chosen(soup, name) for name in (
        'flavor', 'networks', 'groups', 'key', 'zone')} == {
            'flavor': ['m1.small'], 'networks': [PRIVATE],
            'groups': ['web'], 'key': ['alice'], 'zone': ['west']}
    assert not soup.select('.alert')


def test_nova_is_asked_for_just_that(client, openstack, member, marked):
    body = marked(openstack.image('i'))
    assert launch(client, body).status_code == 302
    (server,) = launched(openstack)
    assert (server['name'], server['imageRef'], server['flavorRef']) == (
        'again', body['id'], 'id-of-m1.small')
    assert server['networks'] == [{'uuid': PRIVATE}]
    assert server['security_groups'] == [{'name': 'web'}]
    assert server['key_name'] == 'alice'
    assert server['availability_zone'] == 'west'
    assert 'Launching "again"' in told(client)


def test_without_networks_and_the_like_none_are_asked_for(
        client, openstack, member, marked):
    body = marked(openstack.image('i'))
    launch(client, body, networks=[], groups=[], key='', zone='')
    (server,) = launched(openstack)
    assert server['networks'] == 'none'
    assert not {'security_groups', 'key_name',
                'availability_zone'} & set(server)


def test_what_is_gone_is_named_and_can_be_replaced(client, openstack, member,
                                                   marked):
    gone = fakes.new_id()
    body = marked(openstack.image('i'), recipes.Recipe(
        'm1.gone', (gone, fakes.new_id(9)), ('<b>', 'web'), 'bob', 'east'))
    soup = form(client, body)
    said = [words(alert) for alert in soup.select('.snapshot-missing')]
    assert len(said) == 6
    for number, name in enumerate(
            ('m1.gone', 'bob', 'east', gone, fakes.new_id(9), '<b>')):
        assert name in said[number]
    assert chosen(soup, 'flavor') == [] and chosen(soup, 'groups') == ['web']
    assert b'has-error' in launch(client, body, flavor='m1.gone').content
    assert launched(openstack) == []
    launch(client, body)
    assert launched(openstack)


def test_external_networks_are_not_offered(client, openstack, member, marked):
    soup = form(client, marked(openstack.image('i')))
    assert [box['value'] for box in soup.select('[name=networks]')] == [
        PRIVATE, fakes.new_id(8)]


@pytest.mark.parametrize(('small', 'why'), [
    ({'disk': 5}, 'the snapshot needs 10 GiB, the flavor has 5 GiB'),
    ({'ram': 256}, 'the snapshot needs 512 MiB, the flavor has 256 MiB'),
    ({'cores': 40}, 'needed 40, left 19'),
    ({'ram': 60000}, 'needed 60000 MiB, left 49152 MiB')])
def test_a_flavor_that_does_not_do_is_refused_with_the_reason(
        client, openstack, member, marked, small, why):
    openstack.choices['flavors'] = {'flavors': [
        fakes.flavor('m1.small', **small)]}
    body = marked(openstack.image('i', min_disk=10, min_ram=512))
    page = bs4.BeautifulSoup(launch(client, body).content, 'html.parser')
    assert why in words(page)
    assert launched(openstack) == []


def test_a_flavor_without_a_disk_takes_the_images(client, openstack, member,
                                                  marked):
    openstack.choices['flavors'] = {'flavors': [
        fakes.flavor('m1.small', disk=0)]}
    launch(client, marked(openstack.image('i', min_disk=10)))
    assert launched(openstack)


def test_a_full_quota_is_said_before_the_button(client, openstack, member,
                                                marked):
    openstack.choices['limits']['limits']['absolute'][
        'totalInstancesUsed'] = 10
    body = marked(openstack.image('i'))
    assert 'instance quota is used up' in words(form(client, body))
    launch(client, body)
    assert launched(openstack) == []


def test_a_set_needs_room_for_its_volumes(client, openstack, member, marked):
    body = marked(openstack.set_image('db', [
        openstack.snapshot('root', size=10), openstack.snapshot('d', size=8)],
        min_disk=10))
    openstack.quotas = {'gigabytes': {'limit': 20, 'in_use': 5,
                                      'reserved': 0}}
    assert 'needed 18 GiB, left 15 GiB' in words(form(client, body))
    launch(client, body)
    assert launched(openstack) == []
    openstack.quotas = {}
    # The disk of its flavor does not matter.
    openstack.choices['flavors'] = {'flavors': [
        fakes.flavor('m1.small', disk=1)]}
    launch(client, body)
    assert launched(openstack)


def test_a_broken_set_is_refused(client, openstack, member, marked):
    body = marked(openstack.set_image('db', [
        openstack.snapshot('root', status='error')]))
    assert 'is not complete' in words(form(client, body))
    launch(client, body)
    assert launched(openstack) == []


def test_that_chosen_volumes_do_not_come_with_it_is_said(
        client, openstack, member, marked):
    part = openstack.snapshot('part')
    body = marked(openstack.image('i', snapshot_dashboard_parts=part['id']))
    assert 'create volumes from the volume snapshots' in words(
        form(client, body))


@pytest.mark.parametrize('path, service', [
    ('/networks$', 'Neutron'), ('/os-keypairs', 'Nova')])
def test_what_one_service_does_not_tell_is_said(client, openstack, member,
                                                marked, path, service):
    body = marked(openstack.image('i'))
    openstack.faults['GET', path] = 503
    soup = form(client, body)
    assert f'no usable answer from {service}' in words(soup)
    assert 'nothing was launched' in words(soup)
    assert not soup.select('.snapshot-missing')
    launch(client, body, networks=[], groups=[], key='')
    assert launched(openstack) == []


def test_a_cloud_without_neutron_does_not_call_all_missing(
        client, openstack, sign_in, marked):
    sign_in('member', 'reader', endpoints={
        name: url for name, url in fakes.ENDPOINTS.items()
        if name != 'network'})
    soup = form(client, marked(openstack.image('i')))
    assert 'no usable answer from Neutron' in words(soup)
    assert not soup.select('.snapshot-missing')


def test_a_refusal_is_told_in_the_form(client, openstack, member, marked):
    body = marked(openstack.image('i'))
    openstack.faults['POST', '/servers$'] = 403
    html = launch(client, body).content
    assert b'Nothing was launched. Error from Nova' in html


def test_what_does_not_say_how_its_instance_was_is_launched_by_choice(
        client, openstack, member):
    body = openstack.image('i')
    soup = form(client, body)
    assert soup.select_one('[name=name]')['value'] == 'i'
    assert chosen(soup, 'flavor') == ['']
    assert chosen(soup, 'networks') == chosen(soup, 'groups') == []
    page = words(bs4.BeautifulSoup(client.get(address(body)).content,
                                   'html.parser'))
    assert 'It does not say what an instance of it is to be like' in page
    assert 'Original Settings' not in page
    launch(client, body)
    server, = launched(openstack)
    assert server['imageRef'] == body['id']


def test_the_only_network_of_a_project_is_meant(client, openstack, member):
    del openstack.network['networks']['networks'][1]
    assert chosen(form(client, openstack.image('i')), 'networks') == [PRIVATE]


def test_an_instance_boots_from_a_snapshot_of_a_bootable_volume(
        client, openstack, member):
    volume = openstack.volume('root', bootable='true')
    body = openstack.snapshot('v', volume_id=volume['id'], size=volume['size'])
    launch(client, body)
    server, = launched(openstack)
    assert server['imageRef'] == ''
    assert server['block_device_mapping_v2'] == [{
        'uuid': body['id'], 'source_type': 'snapshot', 'boot_index': 0,
        'destination_type': 'volume', 'delete_on_termination': False}]
    assert 'tags' not in server


def test_such_a_volume_needs_room_and_no_disk_of_the_flavor(
        client, openstack, member):
    volume = openstack.volume('root', bootable='true')
    body = openstack.snapshot('v', volume_id=volume['id'], size=900)
    openstack.quotas = {'gigabytes': {'limit': 1000, 'in_use': 200,
                                      'reserved': 0}}
    assert 'needed 900 GiB, left 800 GiB' in words(form(client, body))
    launch(client, body)
    assert launched(openstack) == []
    openstack.quotas = {}
    openstack.choices['flavors'] = {'flavors': [
        fakes.flavor('m1.small', disk=1)]}
    launch(client, body)
    assert launched(openstack)


def test_a_volume_may_be_larger_than_one_is_allowed_to_be(client, openstack,
                                                          member):
    volume = openstack.volume('root', bootable='true')
    body = openstack.snapshot('v', volume_id=volume['id'], size=3)
    openstack.quotas = {'per_volume_gigabytes': {'limit': 2, 'in_use': 0,
                                                 'reserved': 0}}
    assert 'allows volumes of at most 2 GiB' in words(form(client, body))
    launch(client, body)
    assert launched(openstack) == []


def test_a_cinder_that_does_not_answer_loses_no_form(client, openstack,
                                                     member):
    volume = openstack.volume('root', bootable='true')
    body = openstack.snapshot('v', volume_id=volume['id'])
    openstack.faults['GET', f'/volumes/{volume["id"]}'] = 503
    response = launch(client, body, name='typed')
    assert 'nothing was launched. Try again later.' in words(
        bs4.BeautifulSoup(response.content, 'html.parser'))
    assert 'typed' in response.content.decode()
    assert launched(openstack) == []


def test_that_a_volume_stays_is_said(client, openstack, member):
    volume = openstack.volume('root', bootable='true')
    body = openstack.snapshot('v', volume_id=volume['id'])
    assert 'stays when the instance is deleted' in words(
        bs4.BeautifulSoup(client.get(address(body)).content, 'html.parser'))


def test_what_no_instance_boots_from_has_no_such_page(client, openstack,
                                                      member):
    volume = openstack.volume('data', bootable='false')
    body = openstack.snapshot('v', volume_id=volume['id'])
    assert client.get(address(body)).status_code == 404
    assert launch(client, body).status_code == 404
    assert openstack.writes() == []


def test_it_is_offered_where_there_is_a_recipe(client, openstack, member,
                                               marked):
    marked(openstack.image('with', at=2))
    openstack.image('without', at=1)
    rows = bs4.BeautifulSoup(client.get(INDEX).content, 'html.parser').select(
        '#compute_snapshots > tbody > tr')
    assert [[link['href'].rpartition('-')[2] for link in row.select(
        'a[href$="/launch/"]')] != [] for row in rows] == [True, False]
    # Without AngularJS it is our form for both.
    assert all(row.select('[data-launch-form$="/launch/"]') for row in rows)
    # Both open a form to launch it; Horizon's own has the plain name alone.
    assert ['Launch with Other Settings' in words(row) for row in rows] == [
        True, False]


def test_a_reader_launches_nothing(client, openstack, reader, marked):
    body = marked(openstack.image('i'))
    assert client.get(address(body)).status_code == 403
    assert launch(client, body).status_code == 403
    assert openstack.writes() == []


def test_another_projects_image_is_out_of_reach(client, openstack, member,
                                                marked):
    body = marked(openstack.image('i', owner='others'))
    assert launch(client, body).url == INDEX
    assert openstack.writes() == []


def test_without_a_csrf_token_nothing_is_launched(openstack, member, marked):
    body = marked(openstack.image('i'))
    assert launch(Client(enforce_csrf_checks=True), body).status_code in (
        302, 403)
    assert openstack.writes() == []
