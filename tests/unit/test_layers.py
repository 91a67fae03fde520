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

"""The borders of the design hold."""

import configparser
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.mark.parametrize('package', ['cloud', 'snapshots.listing',
                                     'snapshots.single', 'runs.advance',
                                     'runs.preflight', 'runs.phases',
                                     'worker.main'])
def test_the_core_imports_neither_django_nor_horizon(package):
    code = (f'import sys, snapshot_dashboard.{package};'
            'print([name for name in sys.modules if name.split(".")[0] in'
            ' ("django", "horizon", "openstack_dashboard")])')
    done = subprocess.run([sys.executable, '-c', code], cwd=ROOT,
                          capture_output=True, text=True)
    assert done.stdout.strip() == '[]', done.stderr


def test_only_one_module_reads_the_settings_of_the_plugin():
    readers = [path for path in (ROOT / 'snapshot_dashboard').rglob('*.py')
               if 'SNAPSHOT_DASHBOARD' in path.read_text()]
    assert [path.name for path in readers] == ['settings.py']


def test_every_package_is_listed_in_setup_cfg():
    config = configparser.ConfigParser()
    config.read(ROOT / 'setup.cfg')
    listed = set(config['options']['packages'].split())
    there = {'.'.join(path.parent.relative_to(ROOT).parts)
             for path in (ROOT / 'snapshot_dashboard').rglob('__init__.py')}
    assert listed == there | {'snapshot_dashboard.enabled'}


def test_every_module_carries_the_licence():
    sources = [path for name in ('snapshot_dashboard', 'enabled', 'tests')
               for path in (ROOT / name).rglob('*.py')
               if 'node_modules' not in path.parts]
    assert len(sources) > 40
    assert [path for path in sources
            if 'Apache License' not in path.read_text()] == []
