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

"""The installation page, command by command, in an environment of its own."""

import pathlib
import re

import pytest

from tests.installation import environments

README = environments.ROOT / 'README.rst'
SETTINGS = """
SECRET_KEY = 'of-the-test'
ALLOWED_HOSTS = ['testserver']
OPENSTACK_KEYSTONE_URL = 'http://127.0.0.1:1/v3'
COMPRESS_OFFLINE = True
CACHES = {'default': {
    'BACKEND': 'django.core.cache.backends.locmem.LocMemCache'}}
"""
#: What a Horizon that was just started tells: whether the sign-in page is
#: drawn and the panel there, where its files are, and the page's scripts.
STARTED = """
import re
import django
django.setup()
from django import test
from django.conf import settings
import horizon
answer = test.Client().get('/auth/login/')
panels = horizon.get_dashboard('project').get_panels()
print('started', answer.status_code,
      'compute_snapshots' in [panel.slug for panel in panels],
      settings.STATIC_ROOT, *re.findall(r'/static/(dashboard/js/[^"?]+)',
                                        answer.content.decode()))
"""


@pytest.fixture(scope='module')
def horizon(tmp_path_factory):
    """An operator's Horizon, whose pages are compressed beforehand."""
    environment = environments.Environment(
        tmp_path_factory.mktemp('horizon') / 'venv', 'test.txt')
    (environment.folder('openstack_dashboard') / 'local'
     / 'local_settings.py').write_text(SETTINGS)
    (environment.path / 'started.py').write_text(STARTED)
    return environment


def start(horizon):
    """What a Horizon tells that was just started, and its compressed scripts.
    """
    said = horizon.run(
        'DJANGO_SETTINGS_MODULE=openstack_dashboard.settings '
        'python started.py')
    status, there, static, *files = re.search(
        '(?m)^started (.*)$', said)[1].split()
    assert files
    return status, there, '\n'.join(
        pathlib.Path(static, name).read_text() for name in files)


def commands(section, number=0):
    """What is to be typed.

    The repository was cloned before, and the web server is elsewhere.
    """
    script = environments.blocks(environments.INSTALL, section)[number]
    return re.sub('(?m)^(git clone|systemctl restart) .*$', '', script)


def test_the_readme_and_the_installation_page_say_the_same():
    assert environments.blocks(README, 'Install it')[0] == (
        environments.blocks(environments.INSTALL, 'Install')[0])


def test_the_panel_comes_and_goes_and_replaces_nothing(horizon, folder):
    before = horizon.packages()

    horizon.run(commands('Install'), cwd=folder)
    assert before <= horizon.packages()
    status, there, scripts = start(horizon)
    assert (status, there) == ('200', 'True')
    assert 'snapshotDashboard' in scripts

    horizon.run(commands('Languages'))
    compiled = horizon.folder('snapshot_dashboard').glob('locale/*/*/*.mo')
    assert len(list(compiled)) == 4

    horizon.run(commands('Uninstall'))
    assert horizon.packages() == before
    status, there, scripts = start(horizon)
    assert (status, there) == ('200', 'False')
    assert 'snapshotDashboard' not in scripts
