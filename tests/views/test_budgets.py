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

"""What each page costs: calls to services, and how many one after another."""

import functools
import threading
import types

import pytest

from snapshot_dashboard.cloud import services
from snapshot_dashboard.content.compute_snapshots.horizon_pages import (
    instance_tab,
)
from snapshot_dashboard.runs import record
from tests import fakes
from tests.views.pages import INDEX
from tests.views.pages import begin
from tests.views.pages import row_id


class Meter:
    """Counts the calls of a page, and rounds: those that wait for others."""

    def __init__(self, openstack, monkeypatch):
        self._here, self.calls = threading.local(), 0
        answer, gather = openstack._answer, services.Cloud.gather

        def counted(request, context):
            self._here.rounds = self.rounds + 1
            self.calls += 1
            return answer(request, context)

        def at_once(cloud, *calls):
            before, after = self.rounds, [self.rounds]

            def follow(call):
                self._here.rounds = before
                try:
                    return call()
                finally:
                    after.append(self.rounds)
            found = gather(cloud, *(functools.partial(follow, call)
                                    for call in calls))
            self._here.rounds = max(after)
            return found
        monkeypatch.setattr(openstack, '_answer', counted)
        monkeypatch.setattr(services.Cloud, 'gather', at_once)

    @property
    def rounds(self):
        return getattr(self._here, 'rounds', 0)

    def reset(self):
        self.calls = self._here.rounds = 0


@pytest.fixture
def meter(openstack, monkeypatch):
    return Meter(openstack, monkeypatch)


@pytest.fixture(params=[1, 20, 100])
def volumes(request):
    """How many volumes the instance has."""
    return request.param


@pytest.fixture
def there(openstack, volumes):
    """An instance with volumes, and a snapshot of it with them; and what else
    the project has, which is not to cost anything.
    """
    server = openstack.server('web-1')
    attached = [openstack.volume(f'data-{number}')
                for number in range(volumes)]
    for number, volume in enumerate(attached):
        openstack.attach(server, volume, fakes.disk_name(number))
    parts = [openstack.snapshot('snapshot for set', 5, volume_id=volume['id'])
             for volume in attached]
    whole = openstack.set_image('set', parts, 5, instance_uuid=server['id'])
    single = openstack.image('single', 6, instance_uuid=server['id'])
    for number in range(30):
        other = openstack.server(f'other-{number}')
        openstack.image(f'i{number}', number, instance_uuid=other['id'])
        openstack.snapshot(f'v{number}', number, volume_id=openstack.volume(
            f'other-{number}')['id'])
    return {'server': server['id'], 'volume': attached[0]['id'],
            'part': row_id(parts[0]), 'set': row_id(whole),
            'image': row_id(single)}


#: Of each page, by its address: the calls beside those for the volumes of the
#: instance, those for each of its volumes, and the rounds.
BUDGETS = {
    '': (7, 0, 2),
    'overview/': (8, 0, 2),
    'usage/': (2, 0, 1),
    'coverage/': (4, 0, 1),
    '{set}/detail/': (6, 1, 5),
    '{image}/detail/': (2, 0, 2),
    '{part}/detail/': (4, 0, 3),
    '{set}/parts/': (6, 1, 5),
    '{set}/history/': (2, 0, 2),
    '{set}/dependants/': (3, 0, 2),
    'create/': (2, 0, 1),
    'facts/?source=instance-{server}': (7, 1, 3),
    'facts/?source=volume-{volume}': (9, 1, 4),
    'delete/?row={set}': (9, 0, 6),
    'delete/?row={set}&row={image}': (12, 0, 7),
    '{set}/go-back/': (13, 2, 8),
    '{set}/switch-over/': (10, 1, 7),
    '{set}/launch/': (13, 1, 6),
    '{image}/boot-test/': (4, 0, 3),
    '{set}/edit/': (1, 0, 1),
    '{image}/share/': (1, 0, 1),
    'of/instance-{server}/thin-out/': (5, 1, 3),
    'of/volume-{volume}/thin-out/?every=day': (5, 0, 4),
    'runs/': (1, 0, 1),
}


@pytest.mark.parametrize('page', BUDGETS, ids=lambda page: page or 'list')
def test_no_page_costs_more_than_its_budget(client, member, there, meter,
                                            volumes, page):
    calls, each, rounds = BUDGETS[page]
    answer = client.get(INDEX + page.format_map(there))
    assert answer.status_code == 200
    assert meter.calls <= calls + each * volumes
    assert meter.rounds <= rounds


def test_after_a_deletion_the_list_costs_three_calls_more(
        client, openstack, member, there, meter):
    """What the last look has set as a bound is too late then, once."""
    client.get(INDEX)
    openstack.images.pop(there['set'].removeprefix('instance-'))
    for calls, rounds in ((10, 3), (7, 2)):
        meter.reset()
        client.get(INDEX)
        assert meter.calls <= calls and meter.rounds <= rounds


def test_the_tab_of_an_instance_costs_no_more_for_its_volumes(
        show, there, meter, volumes):
    show(instance_tab.SnapshotsTab,
         instance=types.SimpleNamespace(id=there['server']))
    assert meter.calls <= 3 + volumes and meter.rounds <= 3


def test_a_look_at_what_goes_on_costs_two_calls(client, openstack, member,
                                                there, meter):
    begin(openstack, openstack.servers[there['server']])
    client.post(f'{INDEX}runs/advance/')
    meter.reset()
    client.post(f'{INDEX}runs/advance/')
    assert meter.calls <= 2 and meter.rounds <= 2


def test_a_look_at_a_boot_test_costs_two_calls(client, openstack, member,
                                               there, meter, volumes):
    address = f'{INDEX}{there["image"]}/boot-test/'
    client.post(address, {'flavor': 'm1.small'})
    (server,) = (one for one in openstack.servers.values()
                 if record.TEST_TAG in one['tags'])
    openstack.consoles[server['id']] = ''
    server.update({'status': 'ACTIVE',
                   'OS-SRV-USG:launched_at': fakes.stamp(openstack.now)})
    meter.reset()
    client.post(f'{address}progress/')
    assert meter.calls <= 2
