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

"""A user lets a copy take the addresses of its original over, and back."""

from playwright.sync_api import expect
import pytest

from tests.browser import test_accessibility as accessibility
from tests.scenario import networks
from tests.scenario import test_switching_over as switching_over


@pytest.fixture
def pair(alice, where):
    with networks.routed(where) as network, switching_over.launched(
            alice, network, []) as made:
        yield made


def test_a_user_switches_over_and_back(screen, alice, pair):
    before = pair.cards(pair.original)
    name = alice.images.image(pair.row_id.removeprefix('instance-')).name
    user = screen()
    user.choose(name, 'Go Back to This Snapshot')
    user.page.wait_for_selector('#go_back')
    user.page.get_by_role('link', name='Switch Over…').click()
    user.page.wait_for_selector('#switch_over')
    expect(user.page.locator('#switch_over')).to_contain_text('10.77.0.')
    accessibility.check(user, '#switch_over')
    user.shoot('switch-over')
    user.follow(user.page.locator('#switch_over [type=submit]'))
    card = user.page.locator('.snapshot-switch-over')
    expect(card).to_contain_text('keeps its disks.')
    accessibility.check(user, '.snapshot-switch-over')
    user.shoot('switched-over')
    assert pair.cards(pair.copy) == before
    assert pair.status(pair.copy) == 'ACTIVE'
    card.get_by_role('button', name='Switch Back').click()
    user.page.click('.modal .btn-primary')
    expect(card.get_by_role('button', name='Switch Over Again')
           ).to_be_visible()
    expect(card).to_contain_text('keeps its disks.')
    assert pair.cards(pair.original) == before
    assert pair.status(pair.original) == 'ACTIVE'
    card.get_by_role('button', name='Dismiss').click()
    user.page.click('.modal .btn-primary')
    expect(card).to_have_count(0)
    assert user.errors == []
