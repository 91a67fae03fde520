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

"""Pin what the tests install, with hashes: ``python3 -m tests lock``.

Versions that are pinned stay as they are while they fit; ``--upgrade`` takes
the newest ones. The files hold for each Python and each system, so that no
package but those that were chosen here is ever installed by the tests.
"""

import pathlib
import subprocess
import sys

_ROOT = pathlib.Path(__file__).resolve().parents[1]
_FOLDER = 'tests/requirements'
#: What each file is made from, in this order. Tools that are installed beside
#: the tests share their versions.
_SOURCES = {
    'test.txt': ['setup.cfg', '--extra', 'test'],
    **{f'horizon-{release}.txt': [
        'setup.cfg', f'{_FOLDER}/horizon-{release}.in', '--extra', 'test']
       for release in ('25.3', '25.5', '25.7')},
    'django-6.1.txt': ['setup.cfg', f'{_FOLDER}/django-6.1.in',
                       '--extra', 'test'],
    # What an install of the worker brings, in the versions of the tests.
    'worker.txt': ['setup.cfg', '--extra', 'worker',
                   '-c', f'{_FOLDER}/test.txt'],
    'tools.txt': [f'{_FOLDER}/tools.in', '-c', f'{_FOLDER}/test.txt'],
    **{f'{name}.txt': [f'{_FOLDER}/{name}.in']
       for name in ('docs', 'hypervisor', 'lint', 'services', 'tox')},
}
#: The oldest Python that each file is for, where it is not the oldest of all.
_PYTHONS = {'django-6.1.txt': '3.12'}


def main(arguments: list[str]) -> int:
    uv = str(pathlib.Path(sys.executable).with_name('uv'))
    for name, source in _SOURCES.items():
        done = subprocess.run(
            [uv, 'pip', 'compile', *source, '--universal',
             '--python-version', _PYTHONS.get(name, '3.11'),
             '--generate-hashes', '--no-annotate',
             '--quiet', '--custom-compile-command', 'python3 -m tests lock',
             '--output-file', f'{_FOLDER}/{name}', *arguments],
            cwd=_ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        if done.returncode:
            return done.returncode
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
