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

"""Horizon's own pages lead to the snapshots of what they show."""

import types

from django.test import RequestFactory
import pytest

from openstack_dashboard.dashboards.project.instances import (
    tables as instances,
)
from openstack_dashboard.dashboards.project.volumes import tables as volumes
from openstack_dashboard.dashboards.project.volumes import tabs as volume_tabs

from snapshot_dashboard.content.compute_snapshots.horizon_pages import (
    instance_tab,
)
from snapshot_dashboard.content.compute_snapshots.horizon_pages import (
    row_actions,
)
from snapshot_dashboard.content.compute_snapshots.horizon_pages import (
    volume_tab,
)
from tests import fakes
from tests.views.pages import CREATE
from tests.views.pages import INDEX
from tests.views.pages import words


@pytest.fixture
def tab(show):
    """Shows the tab of a server."""
    return lambda server: show(
        instance_tab.SnapshotsTab,
        instance=types.SimpleNamespace(id=server['id']))


@pytest.fixture
def of_volume(show):
    """Shows the tab of a volume."""
    return lambda volume: show(
        volume_tab.SnapshotsTab, volume=types.SimpleNamespace(
            **{name: volume[name] for name in ('id', 'name', 'bootable')}))


def test_each_snapshot_on_the_tab_can_be_acted_on(openstack, tab):
    server = openstack.server('web-1')
    body = openstack.image('nightly', instance_uuid=server['id'])
    page = tab(server)
    links = {link.get_text(strip=True): link.get('href')
             for link in page.select('.actions_column a')}
    assert f'instance-{body["id"]}/edit/' in links['Edit Snapshot']
    assert 'Launch' in links and 'Delete Snapshot' in links


def names(soup):
    return [link.get_text() for link in soup.select('.snapshot-tab th a')]


def test_the_tab_shows_all_of_an_instance_newest_first(openstack, tab):
    server, volume = openstack.server('web'), openstack.volume('data')
    openstack.attach(server, volume, '/dev/vdb')
    openstack.image('older', at=1, instance_uuid=server['id'])
    openstack.image('newer', at=3, instance_uuid=server['id'])
    openstack.snapshot('of-volume', at=2, volume_id=volume['id'])
    openstack.image('others', at=4, instance_uuid=fakes.new_id())
    openstack.snapshot('others', at=5)
    soup = tab(server)
    assert names(soup) == ['newer', 'of-volume', 'older']
    link = soup.select_one('.snapshot-tab th a')
    assert link['href'].startswith(f'{INDEX}instance-')
    assert soup.select_one('a.ajax-modal')['href'] == (
        f'{CREATE}?source=instance-{server["id"]}')


def test_those_of_a_volume_backed_instance_are_found_by_its_volumes(
        openstack, tab):
    server = openstack.server('db', image='')
    volume = openstack.volume('root', bootable='true')
    openstack.attach(server, volume, '/dev/vda')
    part = openstack.snapshot('snapshot for db-1', volume_id=volume['id'])
    openstack.set_image('db-1', [part])
    soup = tab(server)
    assert names(soup) == ['db-1']  # one row, which its part is in
    assert ('newest usable snapshot that is probably of this instance'
            in words(soup))


def test_a_set_of_another_instance_is_not_the_last_good_one_of_this(
        openstack, tab):
    server, moved = openstack.server('web'), openstack.volume('moved')
    openstack.attach(server, moved, '/dev/vdb')
    openstack.set_image('db-1', [
        openstack.snapshot('root'),
        openstack.snapshot('snapshot for db-1', volume_id=moved['id'])])
    soup = tab(server)
    assert names(soup) == ['db-1']
    assert 'No usable snapshot of this instance was found' in words(soup)


def test_only_a_good_one_counts_as_the_last_good_one(openstack, tab):
    server = openstack.server('web')
    openstack.image('i', instance_uuid=server['id'], status='saving')
    assert 'No usable snapshot' in words(tab(server))


def test_an_instance_without_any_is_told_so(openstack, tab):
    assert 'There are no snapshots of this instance' in words(
        tab(openstack.server()))


def test_a_run_of_the_instance_is_shown(client, openstack, tab):
    server = openstack.server('web')
    client.post(CREATE, {
        'source': f'instance-{server["id"]}', 'seen_status': 'ACTIVE',
        'power_off': 'on', 'name': 'nightly'})
    text = words(tab(server).select_one('.snapshot-run-line'))
    assert 'Snapshot “nightly”' in text and 'Powering off' in text


@pytest.mark.parametrize('path', ['/v2/images', '/snapshots/detail'])
def test_what_one_service_does_not_tell_is_said(openstack, tab, path):
    server, volume = openstack.server('web'), openstack.volume('data')
    openstack.attach(server, volume, '/dev/vdb')
    openstack.image('i', instance_uuid=server['id'])
    openstack.snapshot('v', volume_id=volume['id'])
    openstack.faults['GET', path] = 503
    soup = tab(server)
    assert soup.select('.alert-warning') and len(names(soup)) == 1


def test_without_nova_the_tab_says_so(openstack, tab):
    server = openstack.server('web')
    openstack.faults['GET', '/servers/'] = 503
    assert tab(server).select('.alert-warning')


def test_create_snapshot_on_horizons_rows_opens_the_wizard(monkeypatch,
                                                           member):
    for action in (instances.CreateSnapshot, volumes.CreateSnapshot):
        # Put back afterwards what was there.
        monkeypatch.setattr(action, 'get_link_url', lambda self, datum: 'old')
    row_actions.install()

    def link(action, project, field):
        made = action()
        made.table = types.SimpleNamespace(
            request=types.SimpleNamespace(user=member))
        thing = types.SimpleNamespace(id='x', **{field: project})
        return made.get_link_url(thing)

    for action, field, kind in (
            (instances.CreateSnapshot, 'tenant_id', 'instance'),
            (volumes.CreateSnapshot, 'os-vol-tenant-attr:tenant_id',
             'volume')):
        assert link(action, fakes.PROJECT, field) == (
            f'{CREATE}?source={kind}-x')
        # Administrators see others' in the same tables.
        assert link(action, 'another', field) == 'old'


def test_the_tab_of_a_volume_shows_its_own_and_those_it_is_in(
        openstack, of_volume):
    volume = openstack.volume('root', bootable='true')
    openstack.snapshot('alone', at=1, volume_id=volume['id'])
    part = openstack.snapshot('snapshot for db-1', at=2,
                              volume_id=volume['id'])
    openstack.set_image('db-1', [part], at=2)
    openstack.snapshot('others', at=3)
    page = of_volume(volume)
    assert names(page) == ['db-1', 'alone']
    assert 'newest usable snapshot of this volume is' in words(page)
    assert page.select_one('a.ajax-modal')['href'] == (
        f'{CREATE}?source=volume-{volume["id"]}')
    alone = page.select('.actions_column')[1]
    assert 'Launch' in words(alone)  # its volume is bootable
    assert 'Create Volume' in words(alone)


def test_the_part_of_an_incomplete_set_is_good_for_its_own_volume(
        openstack, of_volume):
    volume = openstack.volume('data')
    openstack.set_image('db-1', [
        openstack.snapshot('root', status='error'),
        openstack.snapshot('data', volume_id=volume['id'])])
    assert 'newest usable snapshot of this volume is' in words(
        of_volume(volume))


def test_a_volume_without_any_is_told_so(openstack, of_volume):
    page = of_volume(openstack.volume('data'))
    assert 'No usable snapshot of this volume was found.' in words(page)
    assert 'There are no snapshots of this volume.' in words(page)


def test_without_cinder_the_tab_of_a_volume_says_so(openstack, of_volume):
    volume = openstack.volume('data')
    openstack.faults['GET', '/snapshots/detail'] = 503
    page = of_volume(volume)
    assert 'Some snapshots cannot be shown now' in words(page)
    assert 'No usable' not in words(page)


def test_the_tab_stands_in_the_place_of_horizons_own(member):
    request = RequestFactory().get('/')
    request.user, request.session = member, {}
    volume = types.SimpleNamespace(id='x', name='')
    group = volume_tabs.VolumeDetailTabs(request, volume=volume, snapshots=[])
    assert [type(one) for one in group.get_tabs()] == [
        volume_tabs.OverviewTab, volume_tab.SnapshotsTab,
        volume_tabs.VolumeMessagesTab]
