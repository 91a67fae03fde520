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

"""Browser tests: a real Chromium clicks what a user clicks."""

import pytest

from snapshot_dashboard.runs import lifecycle
from tests.browser import screens
from tests.cloud import launcher
from tests.cloud import processes
from tests.scenario import clouds


@pytest.fixture(scope='module')
def alice(where):
    """The cloud as a member of the project sees it."""
    return clouds.connect(where, 'alice')


@pytest.fixture(scope='module')
def finished(alice):
    """Two runs that are over, and shown above the list."""
    runs = [alice.finish(alice.begin(alice.find(name), clouds.unique(name),
                                     power_off=False))
            for name in ('web-1', 'batch-1')]
    yield runs
    for run in runs:
        lifecycle.dismiss(alice, run.server.id)
        alice.images.delete(run.progress.image_id)


@pytest.fixture(scope='session')
def horizon(where):
    """The address of a real Horizon with the plugin."""
    # A page looks at its runs so often that a test need not wait long.
    (where.root / 'snapshot_dashboard_settings.py').write_text(
        "SNAPSHOT_DASHBOARD['POLL_INTERVAL'] = 0.5\n")
    launcher.dashboard_up(where, print)
    return where.url('horizon')


@pytest.fixture(scope='module')
def restarted(where, horizon):
    """Starts Horizon anew, with more settings; as it was afterwards."""
    settings = where.root / 'snapshot_dashboard_settings.py'
    before = settings.read_text()

    def restart(more=''):
        settings.write_text(before + more)
        processes.stop(where, 'horizon')
        launcher.dashboard_up(where, print)

    yield restart
    restart()


@pytest.fixture(scope='session')
def chromium():
    with screens.chromium() as browser:
        yield browser


@pytest.fixture
def screen(chromium, horizon, request):
    """Signs a user in and opens the panel; a failure leaves a picture."""
    contexts = []

    def make(user='alice'):
        context = chromium.new_context(
            viewport={'width': 1300, 'height': 960})
        contexts.append(context)
        made = screens.Screen(context.new_page(), horizon)
        made.sign_in(user)
        made.open_panel()
        return made

    yield make
    for context in contexts:
        for page in context.pages:
            screens.ARTIFACTS.mkdir(exist_ok=True)
            page.screenshot(
                path=screens.ARTIFACTS / f'last-of-{request.node.name}.png')
        context.close()
