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

Those that need nothing but Python take a processor, and give way; those on a
real cloud and in a real browser mostly wait, and have a cloud each. What a
lane says is printed as it comes, after the lane's name. With arguments it is
pytest.
"""

from collections.abc import Iterable
import os
import pathlib
import signal
import subprocess
import sys
import threading

_LANES = {'python': ['tests/unit', 'tests/views'],
          'scenario': ['tests/scenario'], 'browser': ['tests/browser']}


def _start(lane: str) -> subprocess.Popen:
    def prepare():
        # A shell that puts us into the background lets it be ignored.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if lane == 'python':
            os.nice(19)
    return subprocess.Popen(
        [sys.executable, '-m', 'pytest', '--durations=20', '--cov',
         '--cov-report=', *_LANES[lane]],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        stderr=subprocess.STDOUT,
        env={**os.environ, 'COVERAGE_FILE': f'.coverage.{lane}',
             'SNAPSHOT_TEST_CLOUD': f'test-{lane}',
             'PYTHONUNBUFFERED': '1'},
        preexec_fn=prepare)


def _tell(lane: str, output: Iterable[str]) -> None:
    for line in output:
        print(f'{lane}: {line}', end='', flush=True)


def _cover() -> None:
    coverage = [sys.executable, '-m', 'coverage']
    found = [name for name in (f'.coverage.{lane}' for lane in _LANES)
             if pathlib.Path(name).exists()]
    subprocess.run([*coverage, 'combine', '-q', *found], check=True)
    subprocess.run([*coverage, 'report', '--skip-covered'], check=True)


def main(arguments: list[str]) -> int:
    if arguments:
        return subprocess.run(
            [sys.executable, '-m', 'pytest', *arguments]).returncode
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    running: dict[str, subprocess.Popen] = {}
    tellers = []
    try:
        for lane in _LANES:
            running[lane] = _start(lane)
            tellers.append(threading.Thread(
                target=_tell, args=(lane, running[lane].stdout)))
            tellers[-1].start()
        codes = [process.wait() for process in running.values()]
    finally:
        for process in running.values():
            if process.poll() is None:
                process.send_signal(signal.SIGINT)  # it takes down its cloud
                process.wait()
        for teller in tellers:
            teller.join()
    _cover()
    return next((abs(code) for code in codes if code), 0)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
