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

import time

import pytest

from snapshot_dashboard.boot_tests import boot_test
from snapshot_dashboard.boot_tests import testing
from snapshot_dashboard.inspection import boot_reports
from snapshot_dashboard.runs import seals
from snapshot_dashboard.snapshots import details
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import launch
from snapshot_dashboard.snapshots import model
from tests import fakes
from tests.unit.worker.handing_on import WORKER


@pytest.fixture
def tested(openstack):
    """An image, and the instance of its test, handed on, at its login."""
    openstack.now = time.time() - fakes.seconds(0)
    image = openstack.image('web', os_hash_value='a' * 128)
    cloud = openstack.cloud()
    found = details.get(cloud, model.row_id(kinds.Kind.INSTANCE, image['id']))
    options = launch.fetch_options(cloud, True, isolated=True)
    assert testing.begin(
        cloud, found, testing.smallest_flavor(found, options), 300, 'alice',
        'boot test', seals.Seal('of another Horizon'), WORKER)
    (server,) = openstack.servers.values()
    server.update({'status': 'ACTIVE',
                   'OS-SRV-USG:launched_at': '2999-01-01T00:00:00.000000'})
    openstack.consoles[server['id']] = 'web login: '
    return image, server


def followed(openstack, worker):
    """What the worker does next for the only trust."""
    (trust_id,) = openstack.trusts
    worker._list_trusts()
    worker._find_run(trust_id)
    return worker._queue._jobs['run', trust_id]


def test_a_test_that_was_handed_on_is_seen_through(openstack, worker,
                                                   monkeypatch, tested):
    image, _server = tested
    job = followed(openstack, worker)
    assert job() is not None
    assert openstack.servers == {}
    assert image[boot_reports.TESTED].startswith('booted ')
    # The trust stays until it is certain that the instance is gone.
    assert openstack.trusts
    now = time.monotonic()
    for look in range(3):
        monkeypatch.setattr(time, 'monotonic',
                            lambda look=look: now + 40 * look)
        job()
    assert openstack.trusts == {}


@pytest.mark.parametrize('change', [
    lambda server: server['metadata'].update({boot_test.PLAN: server[
        'metadata'][boot_test.PLAN].replace(':300', ':1')}),
    lambda server: server['metadata'].clear(),
    lambda server: server['tags'].clear()])
def test_an_instance_whose_record_is_another_is_left_alone(
        openstack, worker, monkeypatch, tested, change):
    _image, server = tested
    job = followed(openstack, worker)
    change(server)
    now = time.monotonic()
    assert job() is not None and openstack.trusts
    # It is not looked at for ever.
    for look in range(3):
        monkeypatch.setattr(time, 'monotonic',
                            lambda look=look: now + 40 * look)
        job()
    assert server['id'] in openstack.servers and not openstack.trusts


def test_what_nova_keeps_for_a_while_is_done_with(openstack, worker, tested):
    """It would count anew from each request."""
    _image, server = tested
    job = followed(openstack, worker)
    server['status'] = 'SOFT_DELETED'
    openstack.calls.clear()
    assert job() is None
    assert openstack.trusts == {}
    assert [method for method, path in openstack.writes()
            if '/servers/' in path] == []


def test_it_is_seen_through_in_one_go_as_well(openstack, worker, tested):
    image, _server = tested
    worker.once()
    assert openstack.servers == {}
    assert image[boot_reports.TESTED].startswith('booted ')


def test_no_trust_brings_a_test_forward_that_it_was_not_made_for(
        openstack, worker, tested):
    _image, server = tested
    (trust,) = openstack.trusts.values()
    trust['snapshot_dashboard']['plan'] = 'x' * 64
    worker.once()
    assert server['id'] in openstack.servers
