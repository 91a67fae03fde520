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

"""What a thousand runs at once cost one worker, and three.

The test cloud cannot have so many servers, so a stand-in answers.
"""

import contextlib
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from tests.bench import report
from tests.bench import standin
from tests.cloud import launcher

RUNS = int(os.environ.get('SNAPSHOT_RUNS', '1000'))
_LOOK = 0.2
#: Seconds in which the runs must be through.
_LONGEST = 900


def measure(say: launcher.Say) -> None:
    """Measure, and write table and chart into the documentation."""
    rows, bars = [], []
    for number in (1, 3):
        found = _play(number, say)
        rows.append((str(number), *found.values()))
        bars.append((f'{number} workers: power-on late, 99th percentile',
                     float(found['late'].split()[0])))
    report.write('load', report.table(
        ('Workers', 'Through after', 'Calls per run', 'Writes per run',
         'Most memory of one', 'Power-on late, median',
         'Late, 99th percentile'), rows)
        + f'\n{RUNS} runs that begin at the same moment, each of an image '
          f'that takes {standin.SAVING[0]:.0f} to {standin.SAVING[1]:.0f} s '
          'to be saved. Late is the time between the end of that and the '
          'request to power on.\n')
    report.chart('load', bars)


def _play(number: int, say: launcher.Say) -> dict[str, str]:
    cloud = standin.StandIn(RUNS)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack(
            ) as stack:
        stack.callback(cloud.stop)
        began = time.monotonic()
        workers = [stack.enter_context(worker(
            cloud, pathlib.Path(folder) / f'{one}.log', [
                '--coordinator', f'file://{folder}/group']
            if number > 1 else [])) for one in range(number)]
        memory = 0.0
        while cloud.trusts:
            time.sleep(_LOOK)
            memory = max(memory, *map(_mib, workers))
            if time.monotonic() - began > _LONGEST:
                raise SystemExit(f'{len(cloud.trusts)} runs are not through')
        took = time.monotonic() - began
    late = sorted(cloud.late.values())
    if len(late) != RUNS:
        raise SystemExit(f'{RUNS - len(late)} instances were left off')
    writes = sum(method != 'GET' for method, _path, _body in cloud.calls)
    found = {'took': f'{took:.0f} s',
             'calls': f'{len(cloud.calls) / RUNS:.1f}',
             'writes': f'{writes / RUNS:.1f}',
             'memory': f'{memory:.0f} MiB',
             'median': f'{statistics.median(late):.1f} s',
             'late': f'{late[int(RUNS * 0.99) - 1]:.1f} s'}
    say(f'{number}: {found}')
    return found


@contextlib.contextmanager
def worker(cloud: standin.StandIn, log: pathlib.Path, more: list[str]):
    """A worker, as long as the block lasts."""
    environment = launcher.worker_environment(
        f'{cloud.address}/keystone/v3')
    with open(log, 'wb') as output:
        process = subprocess.Popen(
            [sys.executable, '-m', 'snapshot_dashboard.worker', *more],
            env=environment, stdout=output, stderr=output,
            stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _mib(process: subprocess.Popen) -> float:
    """The most memory that a process has had."""
    status = pathlib.Path(f'/proc/{process.pid}/status').read_text()
    (line,) = [line for line in status.splitlines()
               if line.startswith('VmHWM')]
    return int(line.split()[1]) / 1024
