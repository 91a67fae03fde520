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

"""How many faults in the rules of a run no test notices: ``tox -e mutants``.

The rules are pure functions, so faults are made in them one by one, in a copy
for each processor, and the tests of the rules are played on each. Those that
no test notices are printed with their difference, to be looked at.
"""

import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile

_ROOT = pathlib.Path(__file__).resolve().parents[1]
_RULES = [f'snapshot_dashboard/runs/{name}.py'
          for name in ('steps', 'situation', 'observation', 'consistency')]
_SESSION = 'session.sqlite'
#: The quick ones first: most faults are noticed by them.
_TESTS = 'tests/unit/runs/test_steps.py tests/unit/runs/test_reconcile.py'
#: Faults that people make; arithmetic of other kinds would be noticed at once.
_KINDS = (
    'ReplaceAndWithOr', 'ReplaceOrWithAnd', 'ReplaceUnaryOperator_Delete_Not',
    'NumberReplacer', 'ReplaceTrueWithFalse', 'ReplaceFalseWithTrue',
    'ReplaceBinaryOperator_Sub_Add', 'ReplaceBinaryOperator_Add_Sub',
    'ReplaceBinaryOperator_BitOr_BitAnd',
    *(f'ReplaceComparisonOperator_{kind}' for kind in (
        'Eq_NotEq', 'NotEq_Eq', 'Is_IsNot', 'IsNot_Is', 'Lt_GtE', 'Lt_LtE',
        'LtE_Lt', 'Gt_LtE', 'Gt_GtE', 'GtE_Lt', 'GtE_Gt')))
_CONFIGURATION = '''
[cosmic-ray]
module-path = {rules}
timeout = 300.0
excluded-modules = []
test-command = "{python} -m pytest -x -q -p no:django -p no:cacheprovider -c \
empty.ini --rootdir . {tests}"
[cosmic-ray.distributor]
name = "local"
'''


def main() -> int:
    tool = str(pathlib.Path(sys.executable).with_name('cosmic-ray'))
    shares = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder:
        places = [pathlib.Path(folder, str(share)) for share in range(shares)]
        for place in places:
            _copy(place)

        def start(place: pathlib.Path, *arguments: str) -> subprocess.Popen:
            return subprocess.Popen([tool, *arguments], cwd=place,
                                    stdin=subprocess.DEVNULL)
        for arguments in (('baseline', 'rules.toml'),
                          ('init', 'rules.toml', _SESSION)):
            if start(places[0], *arguments).wait():
                return 1
        for place in places[1:]:
            shutil.copy(places[0] / _SESSION, place / _SESSION)
        for share, place in enumerate(places):
            _keep(place, share, shares)
        running = [start(place, 'exec', 'rules.toml', _SESSION)
                   for place in places]
        try:
            codes = [process.wait() for process in running]
        finally:
            for process in running:
                process.kill()
                process.wait()
        if any(codes):
            return 1
        return _report(places)


def _copy(place: pathlib.Path) -> None:
    """What faults are made in, and the tests that are to notice them."""
    for name in ('snapshot_dashboard', 'tests'):
        shutil.copytree(_ROOT / name, place / name, ignore=(
            shutil.ignore_patterns('node_modules')))
    (place / 'empty.ini').touch()
    (place / 'rules.toml').write_text(_CONFIGURATION.format(
        rules=_RULES, python=sys.executable, tests=_TESTS))


def _keep(place: pathlib.Path, share: int, shares: int) -> None:
    """Leave one share of the faults of our kinds to be made."""
    with sqlite3.connect(place / _SESSION) as session:
        wanted = [job for job, kind in session.execute(
            'select job_id, operator_name from mutation_specs '
            'order by job_id') if kind.removeprefix('core/') in _KINDS]
        keep = wanted[share::shares]
        for table in ('mutation_specs', 'work_items'):
            session.execute(
                f'delete from {table} where job_id not in '  # noqa: S608
                f'({", ".join("?" * len(keep))})', keep)


def _report(places: list[pathlib.Path]) -> int:
    found = []
    for place in places:
        with sqlite3.connect(place / _SESSION) as session:
            found += session.execute(
                'select test_outcome, diff from work_results').fetchall()
    alive = [diff for outcome, diff in found if 'SURVIVED' in outcome]
    for diff in alive:
        print('\n'.join(line for line in diff.splitlines()
                        if line.startswith(('+', '-', '@@'))), end='\n\n')
    print(f'{len(found)} faults, of which {len(alive)} were not noticed')
    return 0


if __name__ == '__main__':
    sys.exit(main())
