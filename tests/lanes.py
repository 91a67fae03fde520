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
"""Every test, in two lanes at the same time: ``python -m tests.lanes``.

Those that need nothing but Python take a processor; those on the real cloud
mostly wait for it. The first lane gives way to the second one, and is printed
as a whole when it is through. With arguments it is pytest.
"""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile

_LANES = {'python': ['tests/unit', 'tests/views'],
          'cloud': ['tests/scenario', 'tests/browser']}


def _start(lane: str, output) -> subprocess.Popen:
    def prepare():
        # A shell that puts us into the background lets it be ignored.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if lane == 'python':
            os.nice(19)
    return subprocess.Popen(
        [sys.executable, '-m', 'pytest', '--durations=20', '--cov',
         '--cov-report=', *_LANES[lane]],
        stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
        env={**os.environ, 'COVERAGE_FILE': f'.coverage.{lane}'},
        preexec_fn=prepare)


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
    running: list[subprocess.Popen] = []
    with tempfile.TemporaryFile('w+') as kept:
        try:
            running += [_start('python', kept), _start('cloud', None)]
            codes = [process.wait() for process in running]
        finally:
            for process in running:
                if process.poll() is None:
                    process.send_signal(signal.SIGINT)  # it takes down
                    process.wait()                      # its cloud
            kept.seek(0)
            print(kept.read(), flush=True)
    _cover()
    return next((abs(code) for code in codes if code), 0)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
