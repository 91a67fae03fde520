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

"""The wizard says whether one may leave, and one may."""

from playwright.sync_api import expect
import pytest

from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import lifecycle
from tests.browser import test_accessibility as accessibility
from tests.cloud import launcher
from tests.cloud import processes
from tests.scenario.clouds import image_of
from tests.scenario.clouds import unique
from tests.scenario.waiting import until


@pytest.fixture(scope='module', autouse=True)
def named(where, restarted):
    """Horizon knows a worker's user; there need not be a worker."""
    launcher.name_worker(where)
    restarted()
    yield
    processes.stop(where, 'worker')
    where.worker_user.unlink()


def open_last_step(user):
    user.open_wizard('web-1')
    user.next_step('[data-power-fields]')
    user.next_step('.workflow [name=name]')
    return user.page.locator('.modal [data-worker-says]')


def test_where_nobody_answers_the_wizard_says_so_before_the_button(screen):
    user = screen()
    expect(open_last_step(user)).to_contain_text(
        'No background worker has answered')
    user.shoot('worker-silent')
    assert user.errors == []


def test_a_browser_that_is_closed_after_the_button_loses_nothing(
        screen, alice, where):
    launcher.worker_up(where, print)
    user = screen()
    expect(open_last_step(user)).to_contain_text('in the background')
    user.shoot('worker-alive')
    accessibility.check(user, '.modal-dialog')
    name = unique('left')
    user.page.fill('.workflow [name=name]', name)
    user.page.click('.button-final')
    expect(user.page.locator('.messages')).to_contain_text(
        'in the background')
    user.page.context.close()
    server = alice.find('web-1')

    def ended():
        run = journal.read(alice.compute.server(server.id))
        return run if run and not run.open else None
    run = until(ended, 'the worker sees it through')
    assert (run.plan.name, run.progress.failure) == (name, '')
    assert image_of(alice, run).status == 'active'
    assert alice.compute.server(server.id).status == 'ACTIVE'
    until(lambda: alice.identity.is_gone(run.progress.trust_id),
          'the trust was taken back')
    lifecycle.dismiss(alice, server.id)
    alice.images.delete(run.progress.image_id)


def test_a_run_under_way_says_whether_one_may_leave(screen, alice, where,
                                                    drivers):
    launcher.worker_up(where, print)
    user = screen()
    open_last_step(user)
    name = unique('watched')
    with drivers.turned('server.upload', hold=True, only='web-1'):
        user.page.fill('.workflow [name=name]', name)
        user.page.click('.button-final')
        expect(user.page.locator('.snapshot-runs [data-worker-says]')
               ).to_contain_text('in the background')
        user.shoot('worker-run')
    expect(user.run(name)).to_contain_text('Finished')
    expect(user.page.locator('.snapshot-runs [data-worker-says]')
           ).to_be_empty()
    user.dismiss_all()
    (image,) = [image for image in alice.images.images(10, {'name': name})]
    alice.images.delete(image.id)
    assert user.errors == []
