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

"""A Debian package of the panel, beside Debian's own Horizon."""

import json

import pytest

#: What a Horizon that was just started tells.
STARTED = """
import json
import os
os.environ['DJANGO_SETTINGS_MODULE'] = 'openstack_dashboard.settings'
import django
django.setup()
from django import test
from django import urls
from django.conf import settings
from django.utils import translation
import horizon
urls.get_resolver().url_patterns
settings.ALLOWED_HOSTS = ['*']
panels = horizon.get_dashboard('project').get_panels()
folder = os.path.join(settings.STATIC_ROOT, 'dashboard', 'js')
client = test.Client()
with translation.override('de'):
    german = translation.gettext('Go Back to This Snapshot')
print('STARTED ' + json.dumps({
    'panel': 'compute_snapshots' in [panel.slug for panel in panels],
    'sign-in': client.get('/auth/login/').status_code,
    'page': client.get('/project/compute_snapshots/').status_code,
    'scripts': any(
        'snapshotDashboard' in open(os.path.join(folder, name)).read()
        for name in os.listdir(folder)),
    'german': german != 'Go Back to This Snapshot'}))
"""


def start(debian):
    """What the dashboard is like for somebody who comes now."""
    (debian.root / 'started.py').write_text(STARTED)
    said = debian.run(
        'cd /; runuser -u www-data -- python3 -W ignore /started.py')
    return next(json.loads(line.removeprefix('STARTED '))
                for line in said.splitlines() if line.startswith('STARTED '))


@pytest.fixture
def installed(debian, package):
    debian.run(f'apt-get install --yes --no-install-recommends {package}')
    yield
    debian.run('apt-get purge --yes python3-snapshot-dashboard')


def test_it_names_what_it_needs_by_debians_names(debian, package):
    fields = debian.run(f'dpkg-deb -f {package} Depends Suggests')
    for name in ('python3-novaclient', 'python3-cinderclient',
                 'python3-glanceclient', 'python3-keystoneauth1',
                 'openstack-dashboard (>= 3:25.3)', 'python3-openstacksdk',
                 'python3-tooz'):
        assert name in fields
    assert 'python3-django' not in fields


def test_the_panel_is_there_with_its_scripts_and_languages(debian, installed):
    assert start(debian) == {
        'panel': True, 'sign-in': 200, 'page': 302, 'scripts': True,
        'german': True}


def test_after_it_is_purged_the_dashboard_is_as_before(debian, package):
    debian.run(f'apt-get install --yes --no-install-recommends {package}; '
               'apt-get purge --yes python3-snapshot-dashboard')
    assert start(debian) == {
        'panel': False, 'sign-in': 200, 'page': 404, 'scripts': False,
        'german': False}
    assert debian.run('dpkg --audit; dpkg -V openstack-dashboard '
                      'python3-django-horizon') == ''
