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

"""A click on a name of the list opens the page of that snapshot."""

import contextlib

from playwright.sync_api import expect
import pytest

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.snapshots import sharing
from tests.browser import test_accessibility as accessibility
from tests.cloud import seed
from tests.scenario.clouds import connect
from tests.scenario.clouds import is_gone
from tests.scenario.clouds import unique
from tests.scenario.test_details import row_named
from tests.scenario.waiting import until


def test_a_set_shows_what_it_holds_and_what_was_made_of_it(screen):
    user = screen()
    user.follow(user.row('db-1-before-upgrade').locator('.snapshot-name'))
    page = user.page
    expect(page.locator('.detail-title')).to_contain_text(
        'db-1-before-upgrade')
    expect(page.locator('.snapshot-captured')).to_contain_text(
        'including its root disk')
    expect(page.locator('.snapshot-detail-parts tbody tr')).to_have_count(2)
    expect(page.locator('[data-url$="/dependants/"]')).to_contain_text(
        'No existing instance')
    user.shoot('detail')
    page.locator('.snapshot-properties summary').click()
    expect(page.locator('.snapshot-properties dt').first).to_be_visible()


@pytest.fixture
def draft(alice):
    """The name of a volume snapshot that is gone after the test."""
    volume = alice.find_volume('scratch')
    name = unique('draft')
    snapshot_id = alice.volumes.create_snapshot(volume.id, name, '', {})
    until(lambda: alice.volumes.snapshot(snapshot_id).status == 'available',
          'it is there')
    yield name
    with contextlib.suppress(errors.NotFound):
        alice.volumes.delete_snapshot(snapshot_id)
    until(lambda: is_gone(lambda: alice.volumes.snapshot(snapshot_id)),
          'it is gone')


@pytest.fixture
def unshared(alice):
    """An image that is private after the test."""
    image_id = row_named(alice, 'web-1-2026-01-15').id
    yield
    for member in sharing.members(alice, alice.images.image(image_id)):
        alice.images.remove_member(image_id, member.project_id)
    alice.images.set_properties(image_id, {'visibility': 'private'})


def test_a_snapshot_is_renamed_and_dated_from_the_list(screen, draft):
    new = unique('kept')
    user = screen()
    page = user.page
    user.choose(draft, 'Edit Snapshot')
    page.fill('#edit_snapshot [name=name]', new)
    page.fill('#edit_snapshot [name=description]', 'until the audit')
    page.fill('#edit_snapshot [name=expires]', '2026-01-31')
    user.shoot('edit')
    with page.expect_navigation():
        page.click('#edit_snapshot [type=submit]')
    expect(user.row(new)).to_contain_text('Expired')
    expect(page.locator('.snapshot-health')).to_contain_text(new)
    page.locator('.snapshot-more-filters summary').click()
    page.check('.snapshot-filters [name=expired]')
    with page.expect_navigation():
        page.get_by_role('button', name='Filter', exact=True).click()
    expect(page.locator('.snapshot-name')).to_have_text([new])
    user.shoot('expired')
    user.follow(user.row(new).locator('.snapshot-name'))
    expect(page.locator('.snapshot-detail')).to_contain_text(
        'until the audit')


def test_the_commands_to_take_it_along_can_be_copied(screen):
    user = screen()
    page = user.page
    page.context.grant_permissions(['clipboard-read', 'clipboard-write'])
    user.follow(user.row('web-1-2026-01-15').locator('.snapshot-name'))
    page.locator('.snapshot-along summary').click()
    first = page.locator('.snapshot-command').first
    first.get_by_role('button', name='Copy').click()
    expect(first.get_by_role('button')).to_have_text('Copied')
    copied = page.evaluate('navigator.clipboard.readText()')
    assert copied == first.locator('pre').inner_text()
    assert copied.startswith('openstack image save --file ')
    user.shoot('along')


def test_a_snapshot_is_deleted_from_its_page(screen, alice):
    volume = alice.find_volume('scratch')
    name = unique('doomed')
    snapshot_id = alice.volumes.create_snapshot(volume.id, name, '', {})
    until(lambda: alice.volumes.snapshot(snapshot_id).status == 'available',
          'it is there')
    user = screen()
    user.follow(user.row(name).locator('.snapshot-name'))
    actions = user.page.locator('.detail-actions')
    actions.locator('.dropdown-toggle').click()
    actions.get_by_role('link', name='Delete Snapshot').click()
    with user.page.expect_navigation():
        user.page.locator('.modal input[type=submit]').click()
    expect(user.page.locator('.messages')).to_contain_text(name)
    until(lambda: is_gone(lambda: alice.volumes.snapshot(snapshot_id)),
          'it is gone')


@pytest.mark.usefixtures('unshared')
def test_a_snapshot_is_shared_and_taken_back(screen, where):
    other = connect(where, 'carol', seed.OTHER_PROJECT).project_id
    user = screen()
    page = user.page
    row = user.row('web-1-2026-01-15')
    row.locator('.dropdown-toggle').click()
    row.get_by_role('link', name='Share Snapshot').click()
    dialog = page.locator('.modal .snapshot-share:visible')
    dialog.get_by_label('Project ID').fill('nonsense')
    dialog.get_by_role('button', name='Share', exact=True).click()
    expect(dialog.locator('.has-error')).to_be_visible()
    dialog.get_by_label('Project ID').fill(other)
    user.follow(dialog.get_by_role('button', name='Share', exact=True))
    expect(page.locator('.snapshot-members')).to_contain_text(
        'not accepted yet')
    expect(page.locator('.snapshot-share pre')).to_contain_text('--accept')
    user.shoot('share')
    accessibility.check(user, '#content_body')
    user.follow(page.get_by_role('button', name='Stop sharing'))
    expect(page.locator('.snapshot-members')).to_have_count(0)


def test_one_like_the_original_is_launched(screen, alice):
    run = alice.finish(alice.begin(alice.find('batch-1'), unique('like'),
                                   power_off=False))
    user = screen()
    page = user.page
    user.choose(run.plan.name, 'Launch')
    form = page.locator('form#launch_like')
    expect(form.locator('[name=name]')).to_have_value('batch-1')
    expect(form.locator('[name=flavor]')).to_have_value('m1.small')
    user.shoot('launch')
    accessibility.check(user, '.modal-dialog')
    name = unique('again')
    form.locator('[name=name]').fill(name)
    with page.expect_navigation():
        form.locator('[type=submit]').click()
    expect(page.locator('#instances')).to_contain_text(name)
    server = until(lambda: next(
        (server for server in alice.compute.servers(100)
         if server.name == name and server.status == 'ACTIVE'), None),
        'it runs')
    assert server.image_id == run.progress.image_id
    alice.nova.servers.delete(server.id)
    until(lambda: is_gone(lambda: alice.compute.server(server.id)),
          'it is gone')
    lifecycle.dismiss(alice, run.server.id)
    alice.images.delete(run.progress.image_id)
    assert user.errors == []
