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

"""Play new histories of a run on all processors: ``tox -e histories``.

Each share says its seed; the first that fails shows its shortest history.
"""

import os
import random
import subprocess
import sys

HISTORIES = int(os.environ.get('SNAPSHOT_HISTORIES', '100000'))
#: Histories that one process plays: it remembers them all.
_SHARE = 2500
_TESTS = ('tests/unit/runs/test_any_history_ends_well.py',
          'tests/unit/restores/test_any_history_of_going_back.py')


def _play(seed: int) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider',
         '--no-header', *_TESTS], stdout=subprocess.PIPE, text=True,
        stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        env={**os.environ, 'SNAPSHOT_SEED': str(seed),
             'SNAPSHOT_HISTORIES': str(_SHARE)})


def main() -> int:
    seeds = [random.randrange(2 ** 32)
             for _ in range(max(1, HISTORIES // _SHARE))]
    under_way: list[tuple[int, subprocess.Popen]] = []
    played = 0
    try:
        while seeds or under_way:
            while seeds and len(under_way) < (os.cpu_count() or 1):
                seed = seeds.pop()
                under_way.append((seed, _play(seed)))
            seed, process = under_way.pop(0)
            output, _ = process.communicate()
            if process.returncode:
                print(f'{output}\nSNAPSHOT_SEED={seed} '
                      f'SNAPSHOT_HISTORIES={_SHARE} plays it again.')
                return 1
            played += _SHARE
            print(f'seed {seed}: {_SHARE} histories ended well, '
                  f'{played} in all', flush=True)
    finally:
        for _, process in under_way:
            process.kill()
            process.wait()
    return 0


if __name__ == '__main__':
    sys.exit(main())
