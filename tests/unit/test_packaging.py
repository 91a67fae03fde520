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

"""The wheel and the sdist hold all that Horizon needs, and nothing by chance.
"""

import os
import pathlib
import shutil
import tarfile
import zipfile

import pytest

from tests import packages

ROOT = pathlib.Path(__file__).resolve().parents[2]


def wanted():
    """What must be in them: all that is in the tree beside Python."""
    package = ROOT / 'snapshot_dashboard'
    found = [path.relative_to(ROOT) for path in package.rglob('*')
             if path.is_file() and path.suffix != '.pyc']
    assert {path.suffix for path in found} >= {'.py', '.html', '.js',
                                               '.scss', '.pot'}
    return {str(path) for path in found}


#: What a package is made of.
SOURCES = ('CONTRIBUTING.rst', 'LICENSE', 'MANIFEST.in', 'README.rst',
           'SECURITY.md', 'enabled', 'ruff.toml', 'setup.cfg', 'setup.py',
           'snapshot_dashboard', 'tox.ini')


@pytest.fixture(scope='module')
def built(tmp_path_factory):
    out = tmp_path_factory.mktemp('dist')
    packages.build(ROOT, out, 1_800_000_000)
    return out


def test_another_machine_makes_the_same_bytes(built, tmp_path):
    """In another folder, at another time, with other rights and by another
    order.
    """
    elsewhere = tmp_path / 'elsewhere'
    elsewhere.mkdir()
    for name in reversed(SOURCES):
        source, target = ROOT / name, elsewhere / name
        if source.is_dir():
            shutil.copytree(source, target, copy_function=shutil.copyfile,
                            ignore=shutil.ignore_patterns('*.pyc'))
        else:
            shutil.copyfile(source, target)
    for path in elsewhere.rglob('*'):
        if path.is_file():
            path.chmod(0o600)
            os.utime(path, (1, 1))
    packages.build(elsewhere, tmp_path / 'dist', 1_800_000_000)
    for path in built.iterdir():
        assert path.read_bytes() == (
            tmp_path / 'dist' / path.name).read_bytes(), path.name


def test_the_wheel_holds_every_file_and_the_enabled_file(built):
    (wheel,) = built.glob('*.whl')
    held = set(zipfile.ZipFile(wheel).namelist())
    assert wanted() <= held
    enabled = {f'snapshot_dashboard/enabled/{path.name}'
               for path in (ROOT / 'enabled').glob('*.py')}
    assert len(enabled) == 2 and enabled <= held
    outside = {name.split('/')[0] for name in held}
    assert len(outside) == 2  # the package and its metadata


def test_the_sdist_holds_every_file_and_the_enabled_file(built):
    (sdist,) = built.glob('*.tar.gz')
    held = {name.partition('/')[2]
            for name in tarfile.open(sdist).getnames()}
    assert wanted() <= held
    assert {'enabled/_1055_project_compute_snapshots_panel.py',
            'README.rst', 'LICENSE', 'setup.cfg', 'setup.py'} <= held
