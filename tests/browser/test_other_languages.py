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

"""Languages whose words are longer, and those that are written leftwards."""

import io
import pathlib

from babel.messages import mofile
from babel.messages import pofile
import pytest

from tests.browser.screens import sync_api

expect = sync_api.expect
CATALOGUE = (pathlib.Path(__file__).parents[2] / 'snapshot_dashboard'
             / 'locale' / 'django.pot')
#: A language that Django knows and nobody has translated the panel into.
PSEUDO = 'eo'
OPEN, CLOSE = '⟦', '⟧'
#: Text that cannot be seen whole, in a part of the page: cut off by what it is
#: in, or outside of the window where nothing scrolls. Horizon shortens its
#: breadcrumbs itself.
CUT = """part => {
    const found = [];
    const scrolls = node => node && (/auto|scroll/.test(
        getComputedStyle(node).overflowX) || scrolls(node.parentElement));
    for (const node of document.querySelectorAll(`${part} *`)) {
        const style = getComputedStyle(node);
        if (!node.checkVisibility({visibilityProperty: true})
            || node.closest('.sr-only, select, .breadcrumb')) { continue; }
        if (node.clientWidth > 1  /* what is read aloud alone is not cut */
            && /hidden|clip/.test(style.overflowX) && node.textContent.trim()
            && node.scrollWidth > node.clientWidth + 1) {
            found.push(`cut: ${node.textContent.trim()}`);
        }
        for (const text of node.childNodes) {
            if (text.nodeType !== Node.TEXT_NODE || !text.data.trim()) {
                continue;
            }
            const range = document.createRange();
            range.selectNodeContents(text);
            const box = range.getBoundingClientRect();
            if ((box.left < -1 || box.right > innerWidth + 1)
                && box.width && !scrolls(node)) {
                found.push(`outside: ${text.data.trim()}`);
            }
        }
    }
    return found;
}"""


def longer(text):
    """A text that is at least 40 per cent longer, in brackets."""
    padding = ' verlängert' * max(1, round(len(text) * 0.4 / 11))
    return f'{OPEN}{text}{padding}{CLOSE}'


@pytest.fixture(scope='module')
def pseudo(tmp_path_factory, restarted):
    """A Horizon in which every text of the panel is longer."""
    with CATALOGUE.open('rb') as file:
        catalogue = pofile.read_po(file, locale=PSEUDO)
    for message in catalogue:
        if message.id:
            message.string = (
                tuple(map(longer, message.id)) if message.pluralizable
                else longer(message.id))
    compiled = io.BytesIO()
    mofile.write_mo(compiled, catalogue)
    folder = tmp_path_factory.mktemp('locale')
    (folder / PSEUDO / 'LC_MESSAGES').mkdir(parents=True)
    (folder / PSEUDO / 'LC_MESSAGES' / 'django.mo').write_bytes(
        compiled.getvalue())
    restarted(f"LOCALE_PATHS = [{str(folder)!r}]\n"
              f"LANGUAGES = [('en', 'English'), ('{PSEUDO}', 'Pseudo')]\n")


def speak(user, language):
    user.page.context.add_cookies([{
        'name': 'horizon_language', 'value': language,
        'url': user.page.url}])


def check(user, name, part='#content_body'):
    """Nothing is cut, and no page scrolls sideways."""
    page = user.page
    page.wait_for_load_state('networkidle')
    user.shoot(name)
    assert page.evaluate(CUT, part) == []
    width = page.viewport_size['width']
    assert page.evaluate('document.documentElement.scrollWidth') <= width


def look_around(user, alice, name, prepare=lambda: None):
    """The list, a snapshot, what can be done with it, the tabs on Horizon's
    own pages, and the wizard.
    """
    page = user.page
    user.open_panel()
    page.locator('.snapshot-usage').wait_for()
    prepare()
    check(user, f'{name}-list')
    whole, part = (user.row(snapshot).locator('.snapshot-name').get_attribute(
        'href').removesuffix('detail/')
        for snapshot in ('db-1-before-upgrade', 'archive-2026-01'))
    panel = whole.rpartition('instance-')[0]
    row_ids = [path.strip('/').rpartition('/')[2] for path in (whole, part)]
    addresses = {
        **{what: f'{whole}{what}/' for what in (
            'detail', 'go-back', 'switch-over', 'launch', 'edit', 'share',
            'boot-test')},
        'volume': f'{part}detail/', 'volume-back': f'{part}go-back/',
        'delete': f'{panel}delete/?row={row_ids[0]}&row={row_ids[1]}',
        'instance-tab': f'/project/instances/{alice.find("web-1").id}/'
                        '?tab=instance_details__snapshots',
    }
    for what, address in addresses.items():
        page.goto(page.url.split('/project/')[0] + address)
        prepare()
        check(user, f'{name}-{what}', '.snapshot-tab' if (
            what == 'instance-tab') else '#content_body')
    user.open_panel()
    prepare()
    user.open_wizard('web-1')
    expect(page.locator('.modal.in')).to_have_css('opacity', '1')
    check(user, f'{name}-wizard-1', '.modal')
    for step, shows in ((2, '[data-power-fields]'), (3, '[name=name]')):
        user.next_step(f'.workflow {shows}')
        check(user, f'{name}-wizard-{step}', '.modal')
    assert user.errors == []


@pytest.mark.usefixtures('pseudo', 'finished')
@pytest.mark.parametrize('width', [1300, 390])
def test_nothing_is_cut_where_all_words_are_longer(screen, alice, width):
    user = screen()
    speak(user, PSEUDO)
    user.page.set_viewport_size({'width': width, 'height': 960})
    look_around(user, alice, f'long-{width}')
    assert OPEN in user.page.locator('.modal').inner_text()


@pytest.mark.usefixtures('finished')
@pytest.mark.parametrize('width', [1300, 390])
def test_nothing_breaks_where_it_is_read_from_right_to_left(screen, alice,
                                                            width):
    """Horizon sets no direction itself; who translates it does."""
    user = screen()
    page = user.page
    page.set_viewport_size({'width': width, 'height': 960})
    look_around(user, alice, f'rtl-{width}', lambda: page.evaluate(
        'document.getElementById("content_body").dir = "rtl"'))
    user.open_panel()
    page.evaluate('document.getElementById("content_body").dir = "rtl"')
    parts = user.row('db-1-before-upgrade')
    name, actions = (parts.locator(selector).bounding_box()['x']
                     for selector in ('.snapshot-name', '.actions_column'))
    assert name > actions
    delete = page.locator('[data-snapshots-delete]').bounding_box()
    count = page.get_by_text('Displaying').first.bounding_box()
    assert delete['x'] + delete['width'] < count['x'] or (
        delete['y'] + delete['height'] <= count['y'])
