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

"""The pages in the other theme that Horizon brings."""

from playwright.sync_api import expect

from tests.browser import test_accessibility as accessibility

NAME = 'db-1-before-upgrade'


def test_each_page_stands_in_the_material_theme(screen, horizon):
    user = screen()
    page = user.page
    page.context.add_cookies([
        {'name': 'theme', 'value': 'material', 'url': horizon}])
    user.open_panel()
    # A theme brings its own styles, which are compiled at the first visit.
    expect(page.locator('link[href*="material"]').first).to_be_attached()
    user.row(NAME).locator('summary').click()
    accessibility.check(user, '#content_body')
    user.shoot('material-list')
    user.open_wizard('web-1')
    user.shoot('material-wizard')
    user.open_panel()
    user.choose(NAME, 'Delete Snapshot')
    expect(page.locator('.modal .snapshot-plan')).to_be_visible()
    user.shoot('material-delete')
    user.open_panel()
    user.follow(user.row(NAME).locator('.snapshot-name'))
    expect(page.locator('.snapshot-detail-parts')).to_be_visible()
    user.shoot('material-detail')
    assert user.errors == []
