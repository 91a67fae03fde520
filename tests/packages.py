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

"""Make the packages, and a bill of what an install of them brings.

``python3 -m tests packaging`` puts both into ``dist``.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

_ROOT = pathlib.Path(__file__).resolve().parents[1]
_DIST = _ROOT / 'dist'
_VERSIONS = _ROOT / 'tests' / 'requirements' / 'test.txt'


def main() -> int:
    tools = pathlib.Path(sys.executable).parent

    def run(tool: str, *arguments: object) -> None:
        subprocess.run([tools / tool, *map(str, arguments)], cwd=_ROOT,
                       check=True, stdin=subprocess.DEVNULL)
    shutil.rmtree(_DIST, ignore_errors=True)
    run('python', '-m', 'build', '--no-isolation', '--outdir', _DIST)
    wheel, = _DIST.glob('*.whl')
    run('twine', 'check', '--strict', *_DIST.iterdir())
    with tempfile.TemporaryDirectory() as venv:
        run('uv', 'venv', '--quiet', venv)
        run('uv', 'pip', 'install', '--quiet', '--python', venv,
            '--constraints', _VERSIONS, f'{wheel}[worker]')
        run('cyclonedx-py', 'environment', '--output-reproducible',
            '--output-file', wheel.with_suffix('.cdx.json'), venv)
    return 0


if __name__ == '__main__':
    sys.exit(main())
