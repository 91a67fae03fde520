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

"""What works with what: ``python3 -m tests matrix``.

Unit and view tests, and what a user does in a browser on real services, in
each environment of tox with another Horizon or Python; or in those that are
named. What comes of it is kept, and written into the README as a table.
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import time

from tests import lanes

_ROOT = pathlib.Path(__file__).resolve().parents[1]
README = _ROOT / 'README.rst'
RESULTS = _ROOT / 'doc' / 'source' / 'measured' / 'releases.json'
#: The environments, and the release of OpenStack whose Horizon each has.
ENVIRONMENTS = {'horizon-25.3': '2025.1', 'horizon-25.5': '2025.2',
                'horizon-25.7': '2026.1', 'unit': '2026.2',
                'python-3.12': '2026.2', 'python-3.13': '2026.2',
                'python-3.14': '2026.2', 'django-6.1': '2026.2'}
#: Those that take another Python than the one that runs this.
_PYTHONS = {'python-3.12': 'python3.12', 'python-3.13': 'python3.13',
            'python-3.14': 'python3.14', 'django-6.1': 'python3.12'}
_KINDS = ('unit', 'views', 'browser')
_BEGIN, _END = '.. The matrix begins.\n', '.. The matrix ends.\n'
#: Says which versions an environment has.
_VERSIONS = """
import importlib.metadata, json, platform
print(json.dumps({
    'python': platform.python_version(),
    **{name: importlib.metadata.version(name)
       for name in ('horizon', 'django')}}))
"""


def table(results: dict[str, dict]) -> str:
    """The table, as reStructuredText."""
    lines = ['.. list-table::', '   :header-rows: 1', '',
             '   * - OpenStack', '     - Horizon', '     - Django',
             '     - Python',
             *(f'     - {text}' for text in (
                 'Unit tests', 'View tests', 'In a browser'))]
    for name in ENVIRONMENTS:
        found = results.get(name)
        if found is None:
            continue
        lines += [f'   * - {ENVIRONMENTS[name]}',
                  *(f'     - {found[what]}'
                    for what in ('horizon', 'django', 'python')),
                  *(f'     - {_count(found[kind])}' for kind in _KINDS)]
    return '\n'.join(lines) + '\n'


def _count(result: dict[str, int]) -> str:
    failed = result['failed']
    return f'{result["passed"]} passed' + (
        f', {failed} failed' if failed else '')


def write(results: dict[str, dict]) -> None:
    RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + '\n')
    text = README.read_text()
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    README.write_text(
        f'{before}{_BEGIN}\n{table(results)}\n{_END}{after}')


def _play(environment: str) -> dict | None:
    """Play the tests; None where there is no such Python."""
    if not shutil.which(_PYTHONS.get(environment, sys.executable)):
        print(f'{environment}: there is no such Python here.')
        return None
    done = subprocess.run(
        [lanes.tox(), '-q', '-e', environment, '--', '--release'], cwd=_ROOT,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True)
    ends = dict(re.findall(r'(?m)^(\w+): (.*\bin \d.*)$', done.stdout))
    counts = {kind: {
        word: sum(map(int, re.findall(rf'(\d+) {word}', ends.get(kind, ''))))
        for word in ('passed', 'failed', 'error')} for kind in _KINDS}
    if done.returncode or not all(
            count['passed'] for count in counts.values()):
        print(done.stdout[-5000:])
        print(f'{environment}: not all passed, or not all was played.')
    python = _ROOT / '.tox' / environment / 'bin' / 'python'
    versions = json.loads(subprocess.run(
        [python, '-c', _VERSIONS], check=True, stdin=subprocess.DEVNULL,
        capture_output=True).stdout)
    commit = subprocess.run(
        ['git', 'rev-parse', '--short', 'HEAD'], cwd=_ROOT, check=True,
        stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout
    return {**versions, 'on': time.strftime('%Y-%m-%d'),
            'commit': commit.strip(), **counts}


def main(chosen: list[str]) -> int:
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for environment in chosen or ENVIRONMENTS:
        found = _play(environment)
        if found is not None:
            print(environment, json.dumps(found), flush=True)
            results[environment] = found
            write(results)
    return int(any(
        result[kind]['failed'] or result[kind]['error']
        or not result[kind]['passed']
        for result in results.values() for kind in _KINDS))


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
