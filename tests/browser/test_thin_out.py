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

"""Snapshots are thinned out by rules that one can play with."""

import re

from playwright.sync_api import expect
import pytest

from tests.browser import test_accessibility as accessibility
from tests.scenario import clouds
from tests.scenario import waiting


@pytest.fixture
def volume(alice):
    """A volume with three snapshots; all of it goes again."""
    found = alice.cinder.volumes.create(1, name=clouds.unique('thin'))
    waiting.until(lambda: alice.volumes.volume(found.id).status
                  == 'available', 'the volume is there')
    for number in range(3):
        made = alice.volumes.create_snapshot(
            found.id, f'{found.name}-{number}', '', {})
        waiting.until(lambda made=made: alice.volumes.snapshot(made).status
                      == 'available', 'its snapshot is there')
    yield found
    left = alice.volumes.snapshots(10, {'volume_id': found.id})
    for one in left:
        alice.volumes.delete_snapshot(one.id)
    waiting.until(lambda: not alice.volumes.snapshots(
        10, {'volume_id': found.id}), 'its snapshots are gone')
    alice.cinder.volumes.delete(found.id)


def test_what_the_preview_has_shown_is_deleted(screen, horizon, volume):
    user = screen()
    page = user.page
    page.goto(f'{horizon}/project/volumes/{volume.id}/')
    page.click('a[data-target="#volume_details__snapshots_tab"]')
    user.follow(page.get_by_role('link', name='Thin Out Snapshots'))
    expect(page.locator('h1')).to_have_text('Thin Out Snapshots')
    page.get_by_label('Last').fill('1')
    for label in ('Daily', 'Weekly', 'Monthly'):
        page.get_by_label(label, exact=True).fill('0')
    page.get_by_label('Suppose from now on').select_option(
        label='One every day')
    user.follow(page.get_by_role('button', name='Preview'))
    rows = page.locator('.snapshot-decisions tbody tr')
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text(f'{volume.name}-2')
    expect(rows.first).to_contain_text('Last: number 1 of 1.')
    expect(page.locator('.snapshot-verdict-sum')).to_contain_text(
        '1 snapshot is kept. 2 snapshots can be deleted.')
    year = page.locator('.snapshot-forecast tbody tr').last
    expect(year.locator('td').first).to_have_text('1')
    accessibility.check(user, '#content_body')
    user.shoot('thin-out')
    user.follow(page.get_by_role('link', name=re.compile('^Review 2')))
    expect(page.locator('.snapshot-plan > li')).to_have_count(2)
    with page.expect_navigation():
        page.locator('#content_body input[type=submit]').click()
    expect(user.row(f'{volume.name}-2')).to_have_count(1)
    for number in range(2):
        expect(user.row(f'{volume.name}-{number}')).to_have_count(0)
    assert user.errors == []


def test_an_instance_shows_what_its_rules_keep(screen, horizon, alice):
    user = screen()
    page = user.page
    server = alice.find('web-1')
    page.goto(f'{horizon}/project/compute_snapshots/of/'
              f'instance-{server.id}/thin-out/')
    expect(page.get_by_label('Daily')).to_have_value('7')
    expect(page.locator('.snapshot-decisions tbody tr').first
           ).to_contain_text('Keep')
    accessibility.check(user, '#content_body')
    user.shoot('thin-out-instance')
    assert user.errors == []
