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

"""Each page in Horizon's material theme: to be looked at, and by axe-core.

The other tests see the default theme. Horizon's online compression makes
the styles of one theme, that of its settings, so it is started anew.
"""

import pytest

from snapshot_dashboard.runs import lifecycle
from tests.browser import test_accessibility as accessibility
from tests.scenario.clouds import unique


@pytest.fixture(scope='module', autouse=True)
def material(restarted):
    restarted("DEFAULT_THEME = 'material'\n")


@pytest.fixture
def run(alice):
    """A run that is done."""
    made = alice.finish(alice.begin(alice.find('batch-1'), unique('material'),
                                    power_off=False))
    yield made
    lifecycle.dismiss(alice, made.server.id)
    alice.images.delete(made.progress.image_id)


def _shoot(user, name, part='#content_body'):
    # That theme writes its buttons in capitals.
    assert 'uppercase' in user.page.locator('.btn').evaluate_all(
        'all => all.map(one => getComputedStyle(one).textTransform)')
    user.shoot(f'material-{name}')
    accessibility.check(user, part)


def _dialog(user, name):
    user.page.locator('.modal-dialog form').wait_for()
    _shoot(user, name, '.modal-dialog')
    user.open_panel()


def test_the_list_and_what_its_rows_open(screen, run):
    user = screen()
    user.page.locator('.snapshot-usage').wait_for()
    _shoot(user, 'list')
    for action, name in (('Edit Snapshot', 'edit'),
                         ('Delete Snapshot', 'delete'),
                         ('Share Snapshot', 'share'),
                         ('Launch', 'launch')):
        user.choose(run.plan.name, action)
        _dialog(user, name)
    assert user.errors == []


@pytest.mark.parametrize('name, shows', [('web-1', '.snapshot-disks'),
                                         ('web-data', '.snapshot-volume')])
def test_the_wizard(screen, name, shows):
    user = screen()
    user.open_wizard(name, shows=shows)
    _shoot(user, f'wizard-{name}-what', '.modal-dialog')
    for step, shown in (('how', '[data-facts-how]'),
                        ('details', '.workflow [name=name]')):
        user.next_step(shown)
        _shoot(user, f'wizard-{name}-{step}', '.modal-dialog')
    assert user.errors == []


def test_the_page_of_a_snapshot_and_the_tab_of_an_instance(screen, alice,
                                                           horizon):
    user = screen()
    user.follow(user.row('db-1-before-upgrade').locator('.snapshot-name'))
    _shoot(user, 'detail')
    user.page.locator('.snapshot-along summary').click()
    _shoot(user, 'along')
    server = alice.find('db-1')
    user.page.goto(f'{horizon}/project/instances/{server.id}/')
    user.page.click('a[data-target="#instance_details__snapshots"]')
    user.page.locator('.snapshot-last-good').wait_for()
    _shoot(user, 'tab', '.snapshot-tab')
    assert user.errors == []
