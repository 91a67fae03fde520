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

"""A real Chromium, and the panel as its user sees it."""

from collections.abc import Iterator
import contextlib
import os
import pathlib
import re

from playwright import sync_api

from tests import provide
from tests.cloud import site

ARTIFACTS = pathlib.Path(__file__).resolve().parents[2] / 'artifacts'
PATIENCE = 60_000
sync_api.expect.set_options(timeout=PATIENCE)
# Chromium looks its maker up at each start.
_ARGUMENTS = ['--disable-background-networking', '--disable-sync',
              '--disable-component-update', '--no-first-run',
              '--disable-gpu', '--disable-dev-shm-usage']


@contextlib.contextmanager
def chromium() -> Iterator[sync_api.Browser]:
    """A browser, for as long as the block lasts."""
    # It has no sandbox for root.
    root = ['--no-sandbox'] if os.geteuid() == 0 else []
    path = provide.browser()
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path,
                                             args=[*_ARGUMENTS, *root])
        yield browser
        browser.close()


class Screen:
    """A page of one signed-in user."""

    def __init__(self, page, address):
        self.page = page
        self._address = address
        #: What the page's own code failed with.
        self.errors: list[str] = []
        page.on('pageerror', lambda error: self.errors.append(str(error)))
        page.set_default_timeout(PATIENCE)

    def sign_in(self, user):
        self.page.goto(self._address)
        self.page.fill('[name=username]', user)
        self.page.fill('[name=password]', site.PASSWORD)
        self.page.click('#loginBtn')
        self.page.wait_for_url('**/project/**')
        self.page.wait_for_load_state('networkidle')

    def open_panel(self):
        self.page.goto(f'{self._address}/project/compute_snapshots/')
        self.page.wait_for_load_state('networkidle')

    def open_wizard(self, name, shows='.snapshot-disks'):
        self.page.click('#compute_snapshots__action_create')
        self.choose_source(name)
        self.page.wait_for_selector(shows)

    def choose_source(self, name):
        option = self.page.locator('[name=source] option').filter(
            has_text=re.compile(rf'^\W?{re.escape(name)} – '))
        self.page.select_option('[name=source]',
                                value=option.get_attribute('value'))

    def next_step(self, shows):
        self.page.click('.button-next')
        self.page.wait_for_selector(shows, state='visible')

    def follow(self, locator):
        """Click what leads to another page, and wait for that."""
        with self.page.expect_navigation():
            locator.click()
        self.page.wait_for_load_state('networkidle')

    def shoot(self, name):
        ARTIFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTIFACTS / f'{name}.png')

    def row(self, name):
        return self.page.locator('#compute_snapshots > tbody > tr').filter(
            has=self.page.get_by_text(name, exact=True))

    def choose(self, name, action):
        """Choose an action of a row."""
        row = self.row(name)
        link = row.get_by_role('link', name=action, exact=True)
        if not link.is_visible():  # it is not the first one
            row.locator('.dropdown-toggle').click()
        link.click()

    def run(self, name):
        return self.page.locator('.snapshot-run').filter(
            has=self.page.get_by_text(name))

    def dismiss_all(self):
        dismiss = self.page.get_by_role('button', name='Dismiss', exact=True)
        while dismiss.count():
            left = dismiss.count()
            dismiss.first.click()
            sync_api.expect(dismiss).to_have_count(left - 1)
