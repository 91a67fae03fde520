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

"""A Debian of its own in a folder, with Debian's own Horizon."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from tests import packages
from tests import programs
from tests.cloud import site
from tests.installation import environments

#: The one whose Horizon is 25.3.
RELEASE = 'trixie'
_TOOLS = ('debhelper', 'dh-python', 'gettext', 'pybuild-plugin-pyproject',
          'python3-all', 'python3-setuptools')
#: A mount and a process namespace of its own: whatever happens, nothing stays.
_ENTER = """
mount --make-rprivate /
mount -t proc proc "$1/proc"
mount --bind /dev "$1/dev"
exec chroot "$1" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
    sh -ec "$2"
"""


class Debian:
    """What is done in it."""

    def __init__(self, root):
        self.root = root

    def run(self, script):
        """Run a shell's commands as its root; what they wrote."""
        done = subprocess.run(
            ['unshare', '--mount', '--pid', '--fork', '--kill-child', 'sh',
             '-ec', _ENTER, 'sh', str(self.root), script], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout[-4000:]
        return done.stdout

    def put(self, source, target):
        """Copy a file or a folder into it."""
        place = self.root / target
        place.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, place, dirs_exist_ok=True)
        else:
            shutil.copy(source, place)


def _mirror():
    """Where this machine has its packages from."""
    for path in (*pathlib.Path('/etc/apt').glob('*.list'),
                 *pathlib.Path('/etc/apt/sources.list.d').glob('*')):
        found = re.search(r'https?://\S+/debian/?(?=\s)', path.read_text())
        if found:
            return found[0]
    return 'http://deb.debian.org/debian'


@pytest.fixture(scope='session')
def debian():
    """With the tools that make packages, and with Horizon; made once."""
    if os.geteuid() or not pathlib.Path('/etc/debian_version').exists():
        pytest.skip('It takes root, and Debian.')
    if programs.find('mmdebstrap', 'mmdebstrap') is None:
        pytest.fail('mmdebstrap is missing.', pytrace=False)
    root = site.HOME.absolute() / 'debian'
    found = Debian(root)
    if not (root / 'ready').exists():
        shutil.rmtree(root, ignore_errors=True)
        root.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ['mmdebstrap', '--quiet', '--variant=buildd',
             f'--include={",".join(_TOOLS)}', RELEASE, str(root),
             'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] '
             f'{_mirror()} {RELEASE} main'],
            check=True, stdin=subprocess.DEVNULL)
        # No service is started in it.
        policy = root / 'usr' / 'sbin' / 'policy-rc.d'
        policy.write_text('#!/bin/sh\nexit 101\n')
        policy.chmod(0o755)
        found.run('apt-get update; '
                  'apt-get install --yes --no-install-recommends '
                  'openstack-dashboard; touch /ready')
    return found


@pytest.fixture(scope='session')
def package(debian, tmp_path_factory):
    """Our package, made of the sdist by the files of the documentation."""
    sdist = packages.build_sdist(
        environments.ROOT, tmp_path_factory.mktemp('dist'), 1)
    version = sdist.name.split('-')[1].removesuffix('.tar.gz')
    debian.run('rm -rf /build; mkdir /build')
    debian.put(sdist, f'build/snapshot-dashboard_{version}.orig.tar.gz')
    folder = f'/build/snapshot_dashboard-{version}'
    debian.run('cd /build; tar xf *.orig.tar.gz')
    debian.put(environments.ROOT / 'doc' / 'source' / 'debian',
               f'{folder[1:]}/debian')
    debian.run(f'cd {folder}; dpkg-buildpackage -us -uc -b')
    return debian.run('ls /build/*.deb').strip()
