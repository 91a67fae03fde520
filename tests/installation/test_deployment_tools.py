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

"""What deployment tools look for in a plugin is there, once, and by its name.

The patterns are theirs: os_horizon, ``tasks/horizon_post_install_source.yml``;
kolla, ``horizon/extend_start.sh`` and ``horizon/Dockerfile.j2``.
"""

import os
import pathlib
import re
import subprocess
import sys
import tarfile

import pytest

from tests import packages
from tests.installation import environments


@pytest.fixture(scope='module')
def sdist(tmp_path_factory, folder):
    return packages.build_sdist(folder / 'snapshot-dashboard',
                                tmp_path_factory.mktemp('dist'), 1)


@pytest.fixture(scope='module')
def site_packages(tmp_path_factory, sdist):
    """What an install of the sdist puts into an empty environment."""
    target = tmp_path_factory.mktemp('site-packages')
    subprocess.run(
        [sys.executable, '-m', 'pip', 'install', '--quiet', '--no-index',
         '--no-deps', '--no-build-isolation', '--target', str(target),
         str(sdist)], check=True, stdin=subprocess.DEVNULL)
    return target


def names(folder, pattern):
    """Those that a whole name's beginning matches, as Ansible's find does."""
    return [path for path in sorted(folder.iterdir())
            if re.match(pattern, path.name)]


def test_openstack_ansible_finds_the_package_and_its_one_panel(site_packages):
    package, = [path for path in names(site_packages, r'^.*(dashboard|ui)$')
                if path.is_dir()]
    assert package.name == 'snapshot_dashboard'
    for releases in ('{2,4}', '{2,5}'):
        panel, = names(package / 'enabled', rf'^_[0-9]{releases}_.*.py$')
        assert panel.name == '_1055_project_compute_snapshots_panel.py'


def test_kolla_takes_the_sdist_and_finds_one_panel(sdist, site_packages):
    assert tarfile.is_tarfile(sdist)
    found = subprocess.run(
        ['bash', '-c', 'ls snapshot_dashboard/enabled/_*[^__].py'],
        cwd=site_packages, check=True, capture_output=True, text=True)
    panel, = map(pathlib.PurePath, found.stdout.split())
    assert f'&& cp {panel.name} ' in environments.INSTALL.read_text()


def test_kolla_compiles_the_languages(site_packages):
    # It runs "cd ${locale%/*} && django-admin compilemessages" for each.
    locale, = site_packages.glob('*/locale')
    assert locale.parent.name == 'snapshot_dashboard'
    subprocess.run(
        [sys.executable, '-m', 'django', 'compilemessages'],
        cwd=locale.parent, check=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items()
             if name != 'DJANGO_SETTINGS_MODULE'})
    assert len(list(locale.glob('*/LC_MESSAGES/*.mo'))) == 4
