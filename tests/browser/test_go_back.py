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

from playwright.sync_api import expect
import pytest

from snapshot_dashboard.restores import restoring
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.snapshots import fetch
from tests.browser import test_accessibility as accessibility
from tests.scenario import test_going_back as going_back
from tests.scenario.clouds import delete_snapshots
from tests.scenario.clouds import unique
from tests.scenario.test_details import row_named
from tests.scenario.waiting import until


@pytest.fixture(params=['batch-1', 'db-2'], ids=['image', 'volumes'])
def instance(request, alice, where):
    """An instance of the sample data with A on its disks, a snapshot of
    that, and B on its disks now; as it was afterwards.
    """
    server = alice.find(request.param)
    disks = going_back.Disks(where, server)
    disks.write('A')
    before, name = disks.sums(), unique('before-upgrade')
    run = alice.finish(alice.begin(server, name, power_off=False))
    assert not run.progress.failure
    lifecycle.dismiss(alice, server.id)
    disks.write('B')
    yield server, name, disks, before
    restoring.dismiss(alice, server.id, lambda one: True)
    for image in alice.images.images(100, {'owner': alice.project_id}):
        if name in image.name or 'before going back' in image.name:
            delete_snapshots(alice, fetch.snapshot(
                alice, f'instance-{image.id}'))


def test_a_user_goes_back_after_an_upgrade_that_failed_and_forth_again(
        screen, alice, instance):
    server, name, disks, before = instance
    after = disks.sums()
    assert after != before
    user = screen()
    user.choose(name, 'Go Back to This Snapshot')
    user.page.wait_for_selector('#go_back')
    expect(user.page.locator('.snapshot-fates')).to_contain_text(
        'Overwritten with the snapshot')
    accessibility.check(user, '#go_back')
    user.shoot(f'go-back-{server.name}')
    user.page.fill('#id_confirm', 'another')
    user.page.click('#go_back [type=submit]')
    expect(user.page.locator('#go_back')).to_contain_text(
        'This is not the name of the instance.')
    user.page.fill('#id_confirm', server.name)
    user.follow(user.page.locator('#go_back [type=submit]'))
    card = user.page.locator('.snapshot-restore')
    expect(card).to_contain_text(f'Going back: {server.name}')
    user.shoot(f'going-back-{server.name}')
    accessibility.check(user, '.snapshot-restore')
    expect(card).to_contain_text(
        'The instance has the disks of the snapshot again.')
    user.shoot(f'gone-back-{server.name}')
    assert disks.sums() == before
    now = alice.compute.server(server.id)
    assert (now.status, now.volume_ids) == (server.status, server.volume_ids)
    card.get_by_role('button', name='Go Back to the Safety Snapshot').click()
    user.page.click('.modal .btn-primary')
    until(lambda: disks.sums() == after, 'it is undone', 120)
    expect(card).to_contain_text(
        'The instance has the disks of the snapshot again.')
    assert row_named(alice, name).status == 'active'
    dismiss = card.get_by_role('button', name='Dismiss')
    dismiss.click()
    expect(card).to_have_count(0)
    assert user.errors == []


@pytest.fixture
def volume(alice):
    """A volume at an instance of the sample data, with a snapshot of it; all
    gone afterwards.
    """
    server = alice.find('batch-1')
    made = going_back.attach_new(alice, server)
    name = unique('before-migration')
    taken = alice.volumes.create_snapshot(made.id, name, '', {})
    until(lambda: alice.volumes.snapshot(taken).status == 'available',
          'the snapshot is there')
    yield server, made, name
    restoring.dismiss(alice, server.id, lambda one: True)
    for volume_id in alice.compute.server(server.id).volume_ids:
        alice.compute.detach(server.id, volume_id)
        until(lambda volume_id=volume_id: alice.volumes.volume(
            volume_id).status == 'available', 'it is detached')
        alice.volumes.delete_volume(volume_id)
    alice.cinder.volumes.delete(made.id, cascade=True)


def test_a_user_goes_back_with_one_volume_and_keeps_the_old_one(
        screen, alice, volume):
    server, old, name = volume
    user = screen()
    user.choose(name, 'Go Back to This Snapshot')
    user.page.wait_for_selector('#go_back')
    accessibility.check(user, '#go_back')
    user.shoot('go-back-volume')
    user.follow(user.page.locator('#go_back [type=submit]'))
    card = user.page.locator('.snapshot-restore')
    expect(card).to_contain_text('is in the place of the old one')
    user.shoot('gone-back-volume')
    now = alice.compute.server(server.id)
    assert old.id not in now.volume_ids and len(now.volume_ids) == 1
    assert now.status == server.status
    assert '(until ' in alice.volumes.volume(old.id).name
    assert user.errors == []
