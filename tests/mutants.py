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

The rules are pure functions, so faults are made in them one by one, in a
copy, and the tests of the rules are played on each. Those that no test
notices are printed with their difference, to be looked at.
"""

import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile

_ROOT = pathlib.Path(__file__).resolve().parents[1]
_RULES = [f'snapshot_dashboard/runs/{name}.py'
          for name in ('steps', 'situation', 'observation', 'consistency')]
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
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        for name in ('snapshot_dashboard', 'tests'):
            shutil.copytree(_ROOT / name, place / name)
        (place / 'empty.ini').touch()
        (place / 'rules.toml').write_text(_CONFIGURATION.format(
            rules=_RULES, python=sys.executable, tests=_TESTS))
        tool = str(pathlib.Path(sys.executable).with_name('cosmic-ray'))

        def run(*arguments: str) -> None:
            subprocess.run([tool, *arguments], cwd=place, check=True,
                           stdin=subprocess.DEVNULL)
        run('baseline', 'rules.toml')
        run('init', 'rules.toml', 'session.sqlite')
        with sqlite3.connect(place / 'session.sqlite') as session:
            for (kind,) in session.execute(
                    'select distinct operator_name from mutation_specs'):
                if kind.removeprefix('core/') not in _KINDS:
                    session.execute(
                        'delete from mutation_specs where operator_name = ?',
                        [kind])
            session.execute(
                'delete from work_items where job_id not in '
                '(select job_id from mutation_specs)')
        run('exec', 'rules.toml', 'session.sqlite')
        return _report(place)


def _report(place: pathlib.Path) -> int:
    with sqlite3.connect(place / 'session.sqlite') as session:
        found = session.execute(
            'select test_outcome, diff from work_results').fetchall()
    alive = [diff for outcome, diff in found if 'SURVIVED' in outcome]
    for diff in alive:
        print('\n'.join(line for line in diff.splitlines()
                        if line.startswith(('+', '-', '@@'))), end='\n\n')
    print(f'{len(found)} faults, of which {len(alive)} were not noticed')
    return 0


if __name__ == '__main__':
    sys.exit(main())
