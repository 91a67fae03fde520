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

"""What a screen reader and a keyboard need is there: axe-core finds it so.

Only the panel's own part of each page is looked at. The frame around it is
Horizon's, and its themes' links and buttons are paler than axe-core wants.
What the panel puts on a coloured ground has to be read all the same.
"""

import json

from axe_playwright_python import sync_playwright as axe
import pytest

from tests.browser import screens

_GRAVE = ('serious', 'critical')


def check(user, part):
    """Fail for each serious finding, by its rule and the element."""
    expect_one = user.page.locator(part)
    screens.sync_api.expect(expect_one).to_have_count(1)
    found = axe.Axe().run(
        user.page, context={'include': [[part]]},
        options={'resultTypes': ['violations', 'passes'],
                 'rules': {'color-contrast': {'enabled': False}}}).response
    assert found['passes'], 'nothing was looked at'
    grave = [(finding['id'], finding['help'],
              [node['html'] for node in finding['nodes']])
             for finding in found['violations']
             if finding['impact'] in _GRAVE]
    assert not grave, json.dumps(grave, indent=1)


def contrast(user, part):
    """Fail for what is ours and too pale, by its colours and the element."""
    found = axe.Axe().run(user.page, context={'include': [[part]]}, options={
        'runOnly': ['color-contrast'],
        'resultTypes': ['violations', 'passes']}).response
    assert found['passes'], 'nothing was looked at'
    pale = [(node['any'][0]['data']['fgColor'],
             node['any'][0]['data']['bgColor'], node['html'])
            for finding in found['violations'] for node in finding['nodes']
            if not user.page.locator(node['target'][0]).first.evaluate(
                _OF_THE_THEME)]
    assert not pale, json.dumps(pale, indent=1)


#: Whether something is a link or a button as the theme draws it, on its own
#: ground.
_OF_THE_THEME = """one => Boolean(one.closest('.btn, .nav') || (
    one.closest('a') && !one.closest('.panel, .alert')))"""


def test_the_list(screen):
    user = screen()
    user.page.locator('.snapshot-usage').wait_for()
    user.row('db-1-before-upgrade').locator('summary').click()
    check(user, '#content_body')


@pytest.mark.parametrize('name, shows', [('web-1', '.snapshot-disks'),
                                         ('web-data', '.snapshot-volume')])
def test_each_step_of_the_wizard(screen, name, shows):
    user = screen()
    user.open_wizard(name, shows=shows)
    check(user, '.modal-dialog')
    for shown in ('[data-facts-how]', '.workflow [name=name]'):
        user.next_step(shown)
        check(user, '.modal-dialog')


def test_the_page_of_a_snapshot(screen):
    user = screen()
    user.follow(user.row('db-1-before-upgrade').locator('.snapshot-name'))
    for summary in user.page.locator('.snapshot-detail summary').all():
        summary.click()
    check(user, '#content_body')


@pytest.mark.parametrize('action', ['Edit Snapshot', 'Delete Snapshot'])
def test_the_dialogs_of_a_row(screen, action):
    user = screen()
    user.choose('db-1-before-upgrade', action)
    user.page.locator('.modal-dialog form').wait_for()
    check(user, '.modal-dialog')
