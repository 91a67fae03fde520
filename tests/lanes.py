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
"""Every test, in lanes at the same time: ``python -m tests.lanes``.

Unit and view tests, those of installations, and view tests in older Horizons
take a processor, and give way; those on a real cloud, under faults and on real
guests, and in a browser mostly wait. What a lane says is printed as it comes,
after the lane's name; what a lane that failed said last is said again at the
end.

With ``--quick`` it is unit and view tests alone; with ``--release`` the same,
and what a user does in a browser, in the Horizon of this environment. With
other arguments it is pytest.
"""

import collections
from collections.abc import Iterable
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading

from tests.cloud import processes

_PYTHON = ['tests/unit', 'tests/views', 'tests/installation']
_MATRIX = 'tests/scenario/test_fault_matrix.py'
_RESTORES = 'tests/scenario/test_fault_matrix_of_going_back.py'
_SWITCH_OVERS = 'tests/scenario/test_fault_matrix_of_switching_over.py'
#: The environments of tox with an older Horizon.
RELEASES = ('horizon-25.3', 'horizon-25.5', 'horizon-25.7')
#: Each has a cloud of its own. More at a time are slower: who waits asks
#: again and again. The two large matrices are never played at the same time:
#: their clocks go faster, and for them a busy cloud is a hanging one.
_CLOUD = {'scenario': ['tests/scenario', f'--ignore={_MATRIX}',
                       f'--ignore={_RESTORES}', f'--ignore={_SWITCH_OVERS}'],
          'faults': [_MATRIX, _RESTORES, 'tests/hypervisor'],
          'browser': ['tests/browser', _SWITCH_OVERS]}
#: Those in whose process the code is; elsewhere to count it would cost time.
_COVERED = ('python', 'scenario', 'cloud')
#: Those that take a processor, for which nobody else is to wait.
_GIVE_WAY = ('python', 'releases')
_QUICK = {'unit': ['tests/unit'], 'views': ['tests/views']}
_MODES = {'--quick': _QUICK, '--release': {
    **_QUICK, 'browser': ['tests/browser/test_story.py']}}
#: How many lines of a lane that failed are said again.
_LAST = 80


def _lanes(mode: str) -> dict[str, list[str]]:
    """The commands, by the names of their lanes."""
    if mode in _MODES:
        paths = _MODES[mode]
        return {lane: _pytest('-q', *tests) for lane, tests in paths.items()}
    # One cloud may be there, for all.
    clouds = {'cloud': ['tests/scenario', 'tests/browser', 'tests/hypervisor']
              } if 'SNAPSHOT_CLOUD' in os.environ else _CLOUD
    return {**{lane: _pytest(*(['--cov', '--cov-report=']
                               if lane in _COVERED else []), *tests)
               for lane, tests in {'python': _PYTHON, **clouds}.items()},
            'releases': [tox(), '-q', '-e', ','.join(RELEASES), '--',
                         '-q', 'tests/views']}


def _pytest(*arguments: str) -> list[str]:
    return [sys.executable, '-m', 'pytest', '--durations=10', *arguments]


def tox() -> str:
    """The tox that runs this."""
    found = os.environ.get('SNAPSHOT_TOX') or shutil.which('tox')
    if found is None:
        sys.exit('tox is not on the PATH. It is needed for the tests in older '
                 'Horizons.')
    return found


def _start(lane: str, command: list[str]) -> subprocess.Popen:
    def prepare():
        # A shell that puts us into the background lets it be ignored.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if lane in _GIVE_WAY:
            os.nice(19)
    # Of a session of its own, so that one Ctrl-C reaches it once, by us.
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        errors='replace', stderr=subprocess.STDOUT, start_new_session=True,
        env={**os.environ, 'COVERAGE_FILE': f'.coverage.{lane}',
             'SNAPSHOT_TEST_CLOUD': f'test-{lane}',
             'PYTHONUNBUFFERED': '1'},
        preexec_fn=prepare)


def _tell(lane: str, output: Iterable[str],
          last: collections.deque[str]) -> None:
    for line in output:
        last.append(line)
        with contextlib.suppress(OSError):  # nobody may listen any more
            print(f'{lane}: {line}', end='', flush=True)


def _stop(number: int, frame: object) -> None:
    processes.ignore_interrupts()
    sys.exit(128 + number)


def _cover(lanes: Iterable[str]) -> None:
    coverage = [sys.executable, '-m', 'coverage']
    found = [name for name in (f'.coverage.{lane}' for lane in lanes)
             if pathlib.Path(name).exists()]
    subprocess.run([*coverage, 'combine', '-q', *found], check=True)
    subprocess.run([*coverage, 'report', '--skip-covered'], check=True)


def main(arguments: list[str]) -> int:
    mode, *more = arguments or ['']
    if more or mode not in ('', *_MODES):
        return subprocess.run(
            [sys.executable, '-m', 'pytest', *arguments]).returncode
    for number in processes.INTERRUPTS:
        signal.signal(number, _stop)
    lanes = _lanes(mode)
    last = {lane: collections.deque[str](maxlen=_LAST) for lane in lanes}
    running, tellers = [], []
    try:
        for lane, command in lanes.items():
            running.append(_start(lane, command))
            tellers.append(threading.Thread(
                target=_tell, args=(lane, running[-1].stdout, last[lane])))
            tellers[-1].start()
        codes = [process.wait() for process in running]
    finally:
        for process in running:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)  # it takes down its cloud
        for process in running:
            process.wait()
        for teller in tellers:
            teller.join()
    if not mode:
        _cover(lanes)
    for lane, code in zip(lanes, codes, strict=True):
        if code:
            print(f'\n{lane} failed ({code}). What it said last:\n',
                  *last[lane], sep='')
    return next((abs(code) for code in codes if code), 0)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
