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

"""Virtual environments, and the commands of the documentation."""

import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
INSTALL = ROOT / 'doc' / 'source' / 'install.rst'


def blocks(path, title):
    """The blocks of commands of a section of a document, as they stand there.
    """
    _before, _title, section = path.read_text().partition(
        f'\n{title}\n{"=" * len(title)}\n')
    section = re.split(r'\n[^\n]+\n====+\n', section)[0]
    found = re.findall(r'::\n\n((?:    .*\n|\n)+)', section)
    return [re.sub('(?m)^    ', '', block).strip() for block in found]


class Environment:
    """A virtual environment, and what is done in it."""

    def __init__(self, path, lock):
        """Make it, with what was chosen once for the tests.

        :param lock: the name of the file that pins it.
        """
        self.path = path
        subprocess.run([sys.executable, '-m', 'venv', str(path)], check=True)
        # The file names all there is, so nothing is to be looked up.
        self.run('pip install --quiet --no-deps --require-hashes -r '
                 f'{ROOT}/tests/requirements/{lock}', PIP_NO_INDEX='')

    def run(self, script, cwd=None, **environment):
        """Run commands as somebody who has activated the environment.

        Whatever is installed by them has to be there, or is not needed.

        :returns: what they wrote.
        """
        done = subprocess.run(
            ['bash', '-eu', '-o', 'pipefail', '-c', script],
            cwd=cwd or self.path, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**{name: value for name, value in os.environ.items()
                    if not name.startswith(('PYTHON', 'COV', 'DJANGO'))},
                 'PIP_DISABLE_PIP_VERSION_CHECK': '1', 'PIP_NO_INDEX': '1',
                 'PIP_NO_BUILD_ISOLATION': '0',  # as pip says "without"
                 'PATH': f'{self.path}/bin:{os.environ["PATH"]}',
                 **environment})
        assert done.returncode == 0, done.stdout
        return done.stdout

    def packages(self):
        return set(self.run('pip freeze --all').split())

    def folder(self, package):
        """Where a package is installed."""
        return pathlib.Path(self.run(
            f'python -c "import {package} as it; print(it.__path__[0])"'
        ).strip())
