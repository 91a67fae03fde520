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

import ast
import configparser
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = 'snapshot_dashboard'
PANEL = f'{PACKAGE}.content.compute_snapshots'
#: Each may import those before it, and the panel and the worker neither the
#: other. The settings are Django's, so the panel alone reads them, and asks
#: which Horizon it is in.
LAYERS = ('notices', 'cloud', 'inspection', 'marks', 'snapshots', 'runs',
          'boot_tests', 'preflight', 'restores', 'switch_overs', 'schedules',
          'traces', 'worker', 'releases', 'settings', 'content')
#: What every slice of the panel may have, and who imports it says of which.
ROLES = {'views', 'forms', 'tables', 'wording'}


def module(path):
    return '.'.join(path.relative_to(ROOT).with_suffix('').parts
                    ).removesuffix('.__init__')


MODULES = {module(path): path
           for path in sorted((ROOT / PACKAGE).rglob('*.py'))}


def imports(name):
    """Our own modules that one imports: (module, name in it, what for)."""
    return [(node.module, alias.name, alias.asname)
            for node in ast.walk(ast.parse(MODULES[name].read_text()))
            if isinstance(node, ast.ImportFrom)
            and (node.module or '').partition('.')[0] == PACKAGE
            for alias in node.names]


def imported(name):
    return {f'{package}.{thing}' for package, thing, _ in imports(name)}


@pytest.mark.parametrize('name', MODULES)
def test_a_module_imports_modules_under_their_own_names(name):
    for package, thing, called in imports(name):
        full = f'{package}.{thing}'
        assert full in MODULES, f'{full} is no module'
        of_slice = (thing in ROLES and package != PANEL
                    and package.startswith(PANEL))
        assert called == (f'{package.rpartition(".")[2]}_{thing}'
                          if of_slice else None), full


@pytest.mark.parametrize('name', [
    name for name in MODULES if name.split('.')[1:2] not in ([], ['apps'])])
def test_no_module_imports_from_a_layer_above_its_own(name):
    layer = name.split('.')[1]
    lower = set(LAYERS[:LAYERS.index(layer) + 1]) - (
        {'worker'} if layer == 'content' else set())
    assert {other.split('.')[1] for other in imported(name)} <= lower


def test_no_module_and_no_slice_of_the_panel_imports_itself_in_a_circle():
    def room(name):
        """A slice is one room; other modules are each their own."""
        return '.'.join(name.split('.')[:4])

    for room_of in (str, room):
        needs = {}
        for name in MODULES:
            needs.setdefault(room_of(name), set()).update(
                room_of(other) for other in imported(name)
                if room_of(other) != room_of(name))
        while True:
            free = {name for name, others in needs.items() if not others}
            if not free:
                break
            needs = {name: others - free for name, others in needs.items()
                     if name not in free}
        assert needs == {}


def test_the_core_imports_neither_django_nor_horizon():
    core = [name for name in MODULES if name.split('.')[1:2] not in (
        ['content'], ['apps'], ['settings'])
        and not name.endswith('__main__')]
    code = (f'import sys, importlib\n'
            f'for name in {core!r}: importlib.import_module(name)\n'
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
