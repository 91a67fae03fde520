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

from snapshot_dashboard.boot_tests import testing
from snapshot_dashboard.inspection import boot_reports
from tests.browser import test_accessibility as accessibility
from tests.cloud import knobs
from tests.scenario.test_details import row_named
from tests.scenario.waiting import until

IMAGE, SET = 'web-1-2026-01-15', 'db-1-before-upgrade'


@pytest.fixture
def untested(alice):
    """Nothing is under way, and no verdict stands on the two afterwards."""
    yield
    for test in testing.find(alice):
        alice.compute.delete_server(test.server.id)
    until(lambda: not testing.find(alice), 'no test is under way')
    for name in (IMAGE, SET):
        alice.images.set_properties(row_named(alice, name).id,
                                    {boot_reports.TESTED: ''})


def start(user, name):
    """Start a test on the page of a snapshot; what the page says of it."""
    user.open_panel()
    user.follow(user.row(name).locator('.snapshot-name'))
    said = user.page.locator('.snapshot-tested')
    expect(said).to_contain_text('Not tested.')
    user.page.click('#snapshot-boot-test')
    user.page.wait_for_selector('#boot_test')
    accessibility.check(user, '#boot_test')
    user.shoot('boot-test-form')
    user.follow(user.page.locator('#boot_test [type=submit]'))
    return said


def test_it_is_seen_on_the_page_whether_a_snapshot_boots(
        screen, where, alice, untested):
    box = knobs.Knobs(where.knobs)
    user = screen()
    with box.turned('server.console', says='Linux version 6.1\n'):
        said = start(user, IMAGE)
        expect(said).to_contain_text('Waiting for it to boot')
        user.shoot('boot-test')
        accessibility.check(user, '.snapshot-tested')
        accessibility.contrast(user, '.snapshot-tested')
    expect(said).to_contain_text('Boots: an instance of it came up by itself.')
    user.shoot('boot-tested')
    assert user.errors == []
    until(lambda: not testing.find(alice), 'the instance is gone')


def test_the_list_goes_on_with_the_test_of_a_set_and_leaves_no_volume(
        screen, where, alice, untested):
    before = {volume.id for volume in alice.volumes.volumes(1000)}
    box = knobs.Knobs(where.knobs)
    user = screen()
    with box.turned('server.console',
                    says='Kernel panic - not syncing: VFS\n'):
        start(user, SET)
        user.open_panel()
        until(lambda: not testing.find(alice), 'the instance is gone')
    until(lambda: {volume.id for volume in alice.volumes.volumes(1000)}
          == before, 'its volumes are gone')
    user.follow(user.row(SET).locator('.snapshot-name'))
    expect(user.page.locator('.snapshot-tested')).to_contain_text(
        'Does not boot: the kernel of the test instance panicked.')


def test_a_test_is_stopped_by_a_click(screen, where, alice, untested):
    box = knobs.Knobs(where.knobs)
    user = screen()
    with box.turned('server.console', says='Linux version 6.1\n'):
        said = start(user, IMAGE)
        stop = said.get_by_role('button', name='Stop Test')
        expect(stop).to_be_visible()
        user.follow(stop)
    expect(user.page.locator('.alert-success')).to_contain_text(
        'No verdict was noted')
    expect(user.page.locator('.snapshot-tested')).to_contain_text(
        'Not tested.')
    until(lambda: not testing.find(alice), 'the instance is gone')
