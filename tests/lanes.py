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

Unit and view tests take a processor, and give way; those on a real cloud,
under faults and on real guests, and in a browser mostly wait. What a lane says
is printed as it comes, after the lane's name; what a lane that failed said
last is said again at the end. With ``--quick`` it is unit and view tests
alone, with other arguments it is pytest.
"""

import collections
from collections.abc import Iterable
import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import threading

from tests.cloud import processes

_PYTHON = ['tests/unit', 'tests/views']
_MATRIX = 'tests/scenario/test_fault_matrix.py'
#: Scenario tests that are played after the fault matrix, on its cloud: the
#: lanes are to end at about the same time.
_AFTER_MATRIX = [f'tests/scenario/test_{name}.py' for name in (
    'worker', 'workers_share', 'worker_starts')]
#: What each lane plays, one after the other, by itself. Each has a cloud of
#: its own. More at a time would be slower: who waits asks again and again.
_LANES = {
    'python': [_PYTHON, ['tests/hypervisor']],
    'scenario': [['tests/scenario', *(
        f'--ignore={path}' for path in (_MATRIX, *_AFTER_MATRIX))]],
    'faults': [[_MATRIX, *_AFTER_MATRIX]],
    'browser': [['tests/browser']]}
#: With one cloud that is there, for all.
_ON_ONE_CLOUD = {
    'python': [_PYTHON],
    'cloud': [['tests/scenario', 'tests/browser', 'tests/hypervisor']]}
_QUICK = {'unit': [['tests/unit']], 'views': [['tests/views']]}
#: How many lines of a lane that failed are said again.
_LAST = 80


class _Lane(threading.Thread):
    """Plays some tests after others, and passes on what they say.

    :ivar code: the exit code of the first that failed.
    :ivar complaints: what those that failed said last.
    :ivar covered: the files with what was covered.
    """

    def __init__(self, name: str, plays: list[list[str]],
                 quick: bool) -> None:
        super().__init__(name=name)
        self._plays, self._quick = plays, quick
        self._process: subprocess.Popen | None = None
        self._stopped = False
        self._starting = threading.Lock()
        self.code = 0
        self.complaints: list[str] = []
        self.covered: list[str] = []

    def run(self) -> None:
        for number, paths in enumerate(self._plays):
            with self._starting:
                if self._stopped:
                    return
                self.covered.append(f'.coverage.{self.name}-{number}')
                self._process = self._start(paths, self.covered[-1])
            last = self._tell(self._process.stdout)
            code = self._process.wait()
            if code:
                self.complaints += last
            self.code = self.code or code

    def stop(self) -> None:
        """Have the tests end, and take down their cloud."""
        with self._starting:
            self._stopped = True
            if self._process is not None and self._process.poll() is None:
                self._process.send_signal(signal.SIGINT)

    def _start(self, paths: list[str], covered: str) -> subprocess.Popen:
        def prepare():
            # A shell that puts us into the background lets it be ignored.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            if paths is _PYTHON:
                os.nice(10)
        # Of a session of its own, so that one Ctrl-C reaches it once, by us.
        return subprocess.Popen(
            [sys.executable, '-m', 'pytest', *(
                ['-q'] if self._quick else ['--cov', '--cov-report=']),
             '--durations=10', *paths],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
            errors='replace', stderr=subprocess.STDOUT,
            start_new_session=True, preexec_fn=prepare,
            env={**os.environ, 'COVERAGE_FILE': covered,
                 'SNAPSHOT_TEST_CLOUD': f'test-{self.name}',
                 'PYTHONUNBUFFERED': '1'})

    def _tell(self, output: Iterable[str]) -> Iterable[str]:
        """Pass it on; the last lines of it."""
        last = collections.deque[str](maxlen=_LAST)
        for line in output:
            last.append(line)
            with contextlib.suppress(OSError):  # nobody may listen any more
                print(f'{self.name}: {line}', end='', flush=True)
        return last


def _stop(number: int, frame: object) -> None:
    processes.ignore_interrupts()
    sys.exit(128 + number)


def _cover(files: Iterable[str]) -> None:
    coverage = [sys.executable, '-m', 'coverage']
    found = [name for name in files if pathlib.Path(name).exists()]
    subprocess.run([*coverage, 'combine', '-q', *found], check=True)
    subprocess.run([*coverage, 'report', '--skip-covered'], check=True)


def main(arguments: list[str]) -> int:
    quick = arguments == ['--quick']
    if arguments and not quick:
        return subprocess.run(
            [sys.executable, '-m', 'pytest', *arguments]).returncode
    for number in processes.INTERRUPTS:
        signal.signal(number, _stop)
    chosen = (_QUICK if quick else _ON_ONE_CLOUD
              if 'SNAPSHOT_CLOUD' in os.environ else _LANES)
    lanes = [_Lane(name, plays, quick) for name, plays in chosen.items()]
    try:
        for lane in lanes:
            lane.start()
        for lane in lanes:
            lane.join()
    finally:
        for lane in lanes:
            lane.stop()
        for lane in lanes:
            if lane.is_alive():
                lane.join()
    if not quick:
        _cover(name for lane in lanes for name in lane.covered)
    for lane in lanes:
        if lane.code:
            print(f'\n{lane.name} failed ({lane.code}). What it said last:\n',
                  *lane.complaints, sep='')
    return next((abs(lane.code) for lane in lanes if lane.code), 0)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
