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

"""Nothing moves, nothing is cut off, and the keyboard does everything."""

import pytest

from tests.browser import test_accessibility as accessibility
from tests.browser.screens import sync_api
from tests.scenario import clouds

expect = sync_api.expect
#: A shift that is felt begins at this score (Web Vitals, CLS).
_FELT = 0.1
_SHIFTS = '''
    window.shifted = 0;
    new PerformanceObserver(list => {
      for (const one of list.getEntries()) {
        if (!one.hadRecentInput) { window.shifted += one.value; }
      }
    }).observe({type: 'layout-shift', buffered: true});
'''


@pytest.mark.usefixtures('finished')
def test_nothing_moves_under_the_mouse(screen):
    user = screen()
    user.page.add_init_script(_SHIFTS)
    user.open_panel()
    user.page.locator('.snapshot-usage').wait_for()
    user.page.wait_for_load_state('networkidle')
    assert user.page.evaluate(
        'PerformanceObserver.supportedEntryTypes.includes("layout-shift")')
    # What was observed is told after the frame.
    score = user.page.evaluate('''() => new Promise(tell => {
        requestAnimationFrame(() => setTimeout(() => tell(window.shifted)));
    })''')
    print(f'layout shift of the list: {score:.3f}')
    assert score < _FELT


@pytest.mark.usefixtures('finished')
def test_the_list_stands_above_the_fold(screen):
    user = screen()
    user.page.set_viewport_size({'width': 1440, 'height': 900})
    user.open_panel()
    user.page.locator('.snapshot-usage').wait_for()
    assert user.page.locator('.snapshot-run').count() >= 2
    row = user.page.locator('#compute_snapshots > tbody > tr').nth(2)
    assert row.bounding_box()['y'] < 750
    user.shoot('list-1440')


@pytest.mark.usefixtures('finished')
@pytest.mark.parametrize('width', [390, 720, 1024])
def test_no_page_scrolls_sideways(screen, width):
    """Half of 1440 is what a page has at 200 % zoom."""
    user = screen()
    page = user.page
    page.set_viewport_size({'width': width, 'height': 844})
    user.open_panel()
    page.locator('.snapshot-usage').wait_for()

    def wide():
        return page.evaluate('document.documentElement.scrollWidth')
    assert wide() <= width
    create = page.locator('#compute_snapshots__action_create')
    box = create.bounding_box()
    assert box['x'] >= 0 and box['x'] + box['width'] <= width
    user.shoot(f'list-{width}')
    user.open_wizard('web-1')
    expect(page.locator('.modal.in')).to_have_css('opacity', '1')
    user.shoot(f'wizard-{width}')
    assert wide() <= width
    user.open_panel()
    user.follow(user.row('db-1-before-upgrade').locator('.snapshot-name'))
    user.shoot(f'detail-{width}')
    assert wide() <= width


def test_a_snapshot_can_be_taken_by_keyboard_alone(screen, alice):
    user = screen()
    page = user.page

    def focused():
        return page.evaluate('document.activeElement.name')

    def until(name, key='Tab', most=12):
        for _ in range(most):
            if focused() == name:
                return
            page.keyboard.press(key)
        raise AssertionError(f'{focused()} is focused, and not {name}')

    page.locator('#compute_snapshots__action_create').focus()
    page.keyboard.press('Enter')
    page.wait_for_selector('.modal.in [name=source]')
    expect(page.locator('.modal.in')).to_have_css('opacity', '1')
    until('source')
    page.keyboard.type('batch-1')
    page.wait_for_selector('.snapshot-disks')
    page.locator('.button-next').focus()
    page.keyboard.press('Enter')
    page.wait_for_selector('.workflow [name=name]', state='visible')
    until('name')
    name = clouds.unique('keys')
    page.keyboard.press('Control+A')
    page.keyboard.type(name)
    until('protect')
    page.keyboard.press('Space')
    expect(page.locator('[name=protect]')).to_be_checked()
    page.keyboard.press('Space')
    page.locator('.button-final').focus()
    page.keyboard.press('Enter')
    expect(user.run(name).locator('[data-run-now]')).to_have_attribute(
        'data-run-now', 'Finished')
    user.dismiss_all()
    assert user.errors == []


@pytest.mark.usefixtures('finished')
def test_what_is_ours_can_be_read(screen):
    """Its contrast with its ground; the theme's own links are the theme's."""
    user = screen()
    user.page.locator('.snapshot-usage').wait_for()
    accessibility.contrast(user, '#content_body')
    user.open_wizard('web-1')
    expect(user.page.locator('.modal.in')).to_have_css('opacity', '1')
    accessibility.contrast(user, '.modal-dialog')
