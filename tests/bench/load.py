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

"""What a thousand runs at once cost a worker, of few projects and of many.

The test cloud cannot have so many servers, so a stand-in answers, whose Nova
bears so many calls a second.
"""

import contextlib
import os
import pathlib
import resource
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
_LONGEST = 1200
#: Of how many projects the runs are, and calls that Nova answers in a second;
#: 0 for as many as come. Runs that are alone in their projects are looked at
#: one by one, which takes all of such a Nova's calls.
FEW, MANY = (RUNS // 100 or 1, 50), (RUNS, 0)
#: What is aimed at, for runs of few projects.
_CALLS, _MEDIAN, _LATE, _MEMORY = 12, 2.0, 5.0, 120


def measure(say: launcher.Say) -> None:
    """Runs of few projects, held against the aims."""
    few = _play(*FEW, say)
    _tell('load', few, {
        'took': ('', f'{RUNS * few["nova"] / FEW[1]:.0f} s'),
        'calls': (str(_CALLS), f'{few["writes"]:.1f}'),
        'median': (f'{_MEDIAN:.0f} s', ''), 'late': (f'{_LATE:.0f} s', ''),
        'memory': (f'{_MEMORY} MiB', '')})
    report.aim('Calls per run', few['calls'], _CALLS)
    report.aim('Seconds of power-on late, median', few['median'], _MEDIAN)
    report.aim('The same, 99th percentile', few['late'], _LATE)
    report.aim('MiB of memory', few['memory'], _MEMORY)


def measure_crowd(say: launcher.Say) -> None:
    """Runs that are alone in their projects."""
    _tell('crowd', _play(*MANY, say), {})


def _tell(name: str, found: dict[str, float],
          aims: dict[str, tuple[str, str]]) -> None:
    """Write a table into the documentation.

    :param aims: of each thing that was measured, its aim and its bound.
    """
    rows = [(label, form.format(found[what]), *aims.get(what, ('', '')))
            for label, what, form in (
                ('Through after', 'took', '{:.0f} s'),
                ('Calls per run', 'calls', '{:.1f}'),
                ('Of them writes', 'writes', '{:.1f}'),
                ('Power-on late, median', 'median', '{:.1f} s'),
                ('Late, 99th percentile', 'late', '{:.1f} s'),
                ('Most memory', 'memory', '{:.0f} MiB'),
                ('Processor time per run', 'cpu', '{:.0f} ms'))]
    report.write(name, report.table(
        ('', 'Measured', 'Aim', 'Bound'), rows) + f"""
{RUNS} runs that begin at the same moment, each of an image that takes
{standin.SAVING[0]:.0f} to {standin.SAVING[1]:.0f} s to be saved, and one
worker. Late is the time between the end of the saving and the request to
power on.
""")


def _play(projects: int, rate: int, say: launcher.Say) -> dict[str, float]:
    cloud = standin.StandIn(RUNS, projects, rate)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack(
            ) as stack:
        stack.callback(cloud.stop)
        began = time.monotonic()
        with worker(cloud, pathlib.Path(folder) / 'log', []) as process:
            memory = 0.0
            while cloud.trusts:
                time.sleep(_LOOK)
                memory = max(memory, _mib(process))
                if time.monotonic() - began > _LONGEST:
                    raise SystemExit(
                        f'{len(cloud.trusts)} runs are not through')
            took = time.monotonic() - began
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    late = sorted(cloud.late.values())
    if len(late) != RUNS:
        raise SystemExit(f'{RUNS - len(late)} instances were left off')
    found = {
        'took': took, 'calls': len(cloud.calls) / RUNS,
        'writes': sum(method != 'GET'
                      for method, _path, _body in cloud.calls) / RUNS,
        'nova': sum(path.startswith('/v2.1/')
                    for _method, path, _body in cloud.calls) / RUNS,
        'memory': memory, 'median': statistics.median(late),
        'late': late[int(RUNS * 0.99) - 1],
        'cpu': 1000 / RUNS * (now.ru_utime + now.ru_stime - spent.ru_utime
                              - spent.ru_stime)}
    say(f'{projects} projects: ' + ', '.join(
        f'{name} {value:.1f}' for name, value in found.items()))
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
