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

"""From Horizon's own pages into the wizard, and to an instance's snapshots."""

from playwright.sync_api import expect


def test_an_instances_page_has_a_tab_with_its_snapshots(screen, alice,
                                                        horizon):
    user = screen()
    page = user.page
    server = alice.find('db-1')
    page.goto(f'{horizon}/project/instances/{server.id}/')
    page.click('a[data-target="#instance_details__snapshots"]')
    expect(page.locator('.snapshot-tab')).to_contain_text(
        'db-1-before-upgrade')
    expect(page.locator('.snapshot-last-good')).to_contain_text(
        'newest usable snapshot')
    user.shoot('instance-tab')
    page.locator('.snapshot-last-good a.ajax-modal').click()
    expect(page.locator('.snapshot-disks caption')).to_contain_text('db-1')
    assert user.errors == []


def test_create_snapshot_of_horizons_rows_opens_the_wizard(screen, alice,
                                                           horizon):
    user = screen()
    page = user.page
    server, volume = alice.find('web-1'), alice.find_volume('archive')
    page.goto(f'{horizon}/project/instances/')
    page.locator(f'#instances__row_{server.id}__action_snapshot').click()
    expect(page.locator('.snapshot-disks caption')).to_contain_text('web-1')
    page.goto(f'{horizon}/project/volumes/')
    row = page.locator(f'#volumes__row__{volume.id}')
    row.locator('.dropdown-toggle').click()
    row.get_by_role('link', name='Create Snapshot').click()
    expect(page.locator('.snapshot-volume')).to_contain_text('archive')
    assert user.errors == []
