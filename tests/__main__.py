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

"""Run a tox environment on a machine that has nothing but Python.

``python3 -m tests`` runs every test, ``python3 -m tests demo`` the demo;
any other arguments are passed to tox. Whoever has tox can call it directly.
"""

import os
import pathlib
import shutil
import subprocess
import sys

_ROOT = pathlib.Path(__file__).resolve().parents[1]
_TOX = _ROOT / 'tests' / 'requirements' / 'tox.txt'
#: Programs beside Python, with their packages, by what is to be run. A
#: Chromium is not among them, for it may be had in several ways.
_DEMO = {'qemu-img': 'qemu-utils'}
_UNIT = {'xgettext': 'gettext'}
_ALL = {**_DEMO, **_UNIT, 'redis-server': 'redis-server',
        'etcd': 'etcd-server'}
_NEEDED = {'demo': _DEMO, 'unit': _UNIT, '': _ALL}
#: GiB of disk for the environments and the services of a cloud at first, and
#: for what it keeps later.
_FIRST, _LATER = 3, 1


def _missing(arguments: list[str]) -> list[str]:
    """The packages that are needed, and cannot be installed from here."""
    from tests import programs  # not before it is known that it can be read
    needed = _NEEDED.get(arguments[0] if arguments else '', {})
    return [package for name, package in needed.items()
            if programs.find(name, package) is None]


def _lacking_room(arguments: list[str]) -> str:
    """What is to be said of the disk; empty if it has room for a cloud."""
    if arguments[:1] not in ([], ['demo']):
        return ''
    from tests.cloud import site  # as above
    installed = (site.HOME / 'services' / 'installed').exists()
    needed = _LATER if installed else _FIRST
    there = next(path for path in (site.HOME, *site.HOME.absolute().parents)
                 if path.exists())
    free = shutil.disk_usage(there).free / 1024 ** 3
    return '' if free >= needed else (
        f'{needed} GiB of disk are needed below {site.HOME}; {free:.1f} are '
        'free.')


def main() -> int:
    if sys.version_info < (3, 11):
        print(f'Python 3.11 or newer is needed; this is '
              f'{sys.version.split()[0]}.', file=sys.stderr)
        return 1
    arguments = sys.argv[1:]
    missing = _missing(arguments)
    if missing:
        print('Programs are missing. On Debian and Ubuntu: apt-get install '
              + ' '.join(missing), file=sys.stderr)
        return 1
    lacking = _lacking_room(arguments)
    if lacking:
        print(lacking, file=sys.stderr)
        return 1
    venv = _ROOT / '.venv'
    tox = venv / 'bin' / 'tox'
    if not tox.exists():
        print('Installing tox into .venv (once).', flush=True)
        quiet = ['-q', '--disable-pip-version-check', '--no-input']
        for command in ([sys.executable, '-m', 'venv', str(venv)],
                        [str(venv / 'bin' / 'python'), '-m', 'pip',
                         'install', *quiet, '--require-hashes', '-r',
                         str(_TOX)]):
            if subprocess.run(command).returncode:
                print('tox could not be installed. On Debian and Ubuntu a '
                      'virtual environment needs: apt-get install '
                      'python3-venv', file=sys.stderr)
                return 1
    if arguments and not arguments[0].startswith('-'):
        arguments.insert(0, '-e')
    os.chdir(_ROOT)
    os.environ['SNAPSHOT_TOX'] = str(tox)  # by which its tests run others
    os.execv(tox, [str(tox), *arguments])


if __name__ == '__main__':
    sys.exit(main())
