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

"""What rules do not keep is offered for deletion, and no more."""

import datetime

import bs4
from django.test import Client
import pytest

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import types
from snapshot_dashboard.runs import journal
from tests import fakes
from tests.views.pages import CREATE
from tests.views.pages import INDEX
from tests.views.pages import row_id
from tests.views.pages import told


def address(server):
    return f'{INDEX}of/instance-{server["id"]}/thin-out/review/'


def older(client, server, keep):
    """The rows that the deletion is offered for."""
    response = client.get(address(server), {'last': keep})
    plan = bs4.BeautifulSoup(response.content, 'html.parser')
    return [box['value'] for box in plan.select('input[name=row]')]


@pytest.fixture
def server(openstack):
    return openstack.server('web')


def nightly(openstack, server, at, **fields):
    openstack.did(server, 'createImage', at=at)
    return openstack.image(f'night-{at}', at=at,
                           instance_uuid=server['id'], **fields)


def ours(server, taken):
    """What a run writes on its image."""
    return {marks.TAKEN: str(int(datetime.datetime.fromisoformat(
                fakes.stamp(taken)).timestamp())),
            marks.INSTANCE: server['id'], marks.INSTANCE_ID: server['id']}


def test_all_but_the_newest_good_ones_are_offered(client, openstack, member,
                                                  server):
    first, second, third = (nightly(openstack, server, at)
                            for at in (1, 2, 5))
    nightly(openstack, server, 6, status='saving')
    failed = nightly(openstack, server, 0, status='killed')
    nightly(openstack, server, 7, status='killed')  # says what went wrong
    openstack.image('of-another', at=0, instance_uuid=fakes.new_id())
    assert older(client, server, 2) == [row_id(first), row_id(failed)]
    assert older(client, server, 1)[-3:] == [
        row_id(second), row_id(first), row_id(failed)]
    assert row_id(third) not in older(client, server, 1)
    assert openstack.writes() == []


def test_nothing_is_offered_when_there_are_no_more(client, openstack, member,
                                                   server):
    nightly(openstack, server, 1)
    assert older(client, server, 3) == []
    assert 'no snapshots to thin out' in told(client)


@pytest.mark.parametrize('fields', [
    {}, {'snapshot_dashboard_call': 'call', 'snapshot_dashboard_taken': '7'}])
def test_an_image_that_came_by_way_of_a_volume_is_not_offered(
        client, openstack, member, server, fields):
    """Cinder hands on what an image said of its instance."""
    real = [nightly(openstack, server, at) for at in (1, 2)]
    openstack.image('of a copy', at=9999, instance_uuid=server['id'],
                    **fields)
    assert older(client, server, 1) == [row_id(real[0])]
    assert older(client, server, 2) == []
    assert 'not certain' not in told(client)


def test_without_knowing_what_was_done_only_our_own_are_certain(
        client, openstack, member, server):
    for at in (1, 2):
        nightly(openstack, server, at)
    openstack.faults['GET', '/os-instance-actions'] = 403
    assert older(client, server, 1) == []
    assert 'not certain' in told(client)


def test_what_is_only_probably_of_the_instance_is_left_alone(
        client, openstack, member):
    server = openstack.server('db', image='')
    root, moved = (openstack.volume(bootable='true'), openstack.volume())
    openstack.attach(server, root, '/dev/vda')
    openstack.attach(server, moved, '/dev/vdb')
    own = [openstack.set_image(f'own-{at}', [openstack.snapshot(
        f'snapshot for own-{at}', volume_id=root['id'])], at=at)
        for at in (3, 4)]
    openstack.set_image('theirs', [
        openstack.snapshot('snapshot for theirs'),
        openstack.snapshot('snapshot for theirs', volume_id=moved['id'])],
        at=1)
    assert older(client, server, 1) == []
    assert ('not certain that they are snapshots of this instance: own-4, '
            'own-3' in told(client))
    for image, at in zip(own, (3, 4)):
        image.update(ours(server, at))
    assert older(client, server, 1) == [row_id(own[0])]


def test_a_snapshot_that_has_inherited_its_instance_is_not_offered(
        client, openstack, member):
    """Nova hands marks on to what is taken of an heir."""
    server = openstack.server('db-1', image='')
    root = openstack.volume(bootable='true')
    openstack.attach(server, root, '/dev/vda')
    first, second = (openstack.set_image(
        f'db-1-{at}', [openstack.snapshot('p', volume_id=root['id'])], at=at,
        **ours(server, at), snapshot_dashboard_call=f'call-{at}')
        for at in (1, 2))
    # Of the last one's original there is nothing left.
    heirs = [openstack.set_image(
        'of sec-b', [openstack.snapshot('q')], at=at, **ours(server, 2),
        snapshot_dashboard_call=call)
        for at, call in ((9, 'call-2'), (9999, 'call-2'), (9998, 'gone'))]
    assert older(client, server, 1) == [row_id(first)]
    assert older(client, server, 2) == []
    assert 'of sec-b' not in told(client)
    assert heirs and second


def test_with_some_missing_nothing_is_offered(client, openstack, member,
                                              server):
    for at in (1, 2):
        nightly(openstack, server, at)
    openstack.faults['GET', '/v2/images'] = 503
    assert older(client, server, 1) == []
    openstack.faults.clear()
    assert 'Glance' in told(client)


def test_the_offer_comes_when_the_run_is_over(client, openstack, member,
                                              server):
    client.post(CREATE, {
        'source': f'instance-{server["id"]}', 'seen_status': 'ACTIVE',
        'name': 'nightly', 'keep': '3', 'purpose': 'backup'})
    plan = journal.read(types.Server.from_api(server)).plan
    assert (plan.keep_count, plan.purpose) == (3, 'backup')
    assert b'snapshot-older' not in client.get(f'{INDEX}runs/').content
    (image,) = openstack.images.values()
    assert image['snapshot_dashboard_purpose'] == 'backup'
    server['OS-EXT-STS:task_state'] = None
    fakes.finish(image)
    for _ in range(3):
        client.post(f'{INDEX}runs/advance/')
    html = client.get(f'{INDEX}runs/').content.decode()
    assert f'{address(server)}?last=3' in html


def test_a_reader_is_offered_nothing(client, openstack, reader, server):
    assert client.get(address(server), {'last': 1}).status_code == 403
    assert Client().post(address(server)).status_code in (302, 403, 405)


def test_rules_that_cannot_be_read_lead_back_to_them(client, openstack,
                                                     member, server):
    nightly(openstack, server, 1)
    response = client.get(address(server), {'last': '-1', 'daily': '2'})
    assert response.status_code == 302
    assert response['Location'].endswith('/thin-out/?last=-1&daily=2')


def test_an_address_without_rules_offers_nothing_that_is_not_asked_for(
        client, openstack, member, server):
    """It has those that are suggested, and keeps all of these."""
    for at in (1, 2, 3):
        nightly(openstack, server, at)
    assert client.get(address(server)).status_code == 302


def test_of_a_volume_its_own_snapshots_are_offered(client, openstack, member):
    volume = openstack.volume('data')
    old, _new = (openstack.snapshot(f'v{at}', at, volume_id=volume['id'])
                 for at in (1, 2))
    openstack.set_image('whole', [openstack.snapshot(
        'snapshot for whole', 0, volume_id=volume['id'])], at=0)
    response = client.get(
        f'{INDEX}of/volume-{volume["id"]}/thin-out/review/', {'last': 1})
    page = bs4.BeautifulSoup(response.content, 'html.parser')
    assert [box['value'] for box in page.select('input[name=row]')] == [
        row_id(old)]


def confirm(client, server, keep, rows):
    return client.post(f'{address(server)}?last={keep}', {'row': rows})


def test_what_is_confirmed_is_deleted(client, openstack, member, server):
    old, new = (nightly(openstack, server, at) for at in (1, 2))
    rows = older(client, server, 1)
    plan = bs4.BeautifulSoup(client.get(
        address(server), {'last': 1}).content, 'html.parser')
    assert f'{address(server)}?last=1' in [
        form.get('action') for form in plan.select('form')]
    confirm(client, server, 1, rows)
    assert set(openstack.images) == {new['id']}
    assert rows == [row_id(old)]


def test_what_the_rules_need_by_then_stays(client, openstack, member, server):
    old, new = (nightly(openstack, server, at) for at in (1, 2))
    rows = older(client, server, 1)
    new['status'] = 'killed'
    confirm(client, server, 1, rows)
    assert old['id'] in openstack.images
    assert 'needed by now: night-1' in told(client)


def test_what_was_not_offered_is_not_deleted(client, openstack, member,
                                             server):
    images = [nightly(openstack, server, at) for at in (1, 2)]
    other = openstack.image('other', at=0, instance_uuid=fakes.new_id())
    confirm(client, server, 2, list(map(row_id, [*images, other])))
    assert openstack.writes() == []


def test_with_a_service_that_fails_nothing_is_deleted(client, openstack,
                                                      member, server):
    for at in (1, 2):
        nightly(openstack, server, at)
    rows = older(client, server, 1)
    openstack.faults['GET', '/os-instance-actions'] = 503
    openstack.faults['GET', '/v2/images'] = 503
    confirm(client, server, 1, rows)
    assert openstack.writes() == []


def test_more_than_a_page_of_them_is_told(client, openstack, member, server,
                                          monkeypatch):
    monkeypatch.setattr(
        'snapshot_dashboard.content.compute_snapshots.delete.views.MOST', 2)
    for at in range(1, 6):
        nightly(openstack, server, at)
    plan = bs4.BeautifulSoup(client.get(
        address(server), {'last': 1}).content, 'html.parser')
    assert len(plan.select('input[name=row]')) == 2
    assert 'There are 2 more' in plan.get_text()
