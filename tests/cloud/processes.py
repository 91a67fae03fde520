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

"""Start, watch and stop the processes of a test cloud, and no others."""

import contextlib
import os
import pathlib
import signal
import subprocess
import time
import urllib.error
import urllib.request

from tests.cloud import conf
from tests.cloud import site

#: The signals by which a person or a program ends a run.
INTERRUPTS = (signal.SIGINT, signal.SIGTERM)
_POLL = 0.1
_TAIL = 15
#: Seconds that a process gets to end after SIGTERM.
_GRACE = 10
#: Those that are no services of OpenStack, and by what they are known.
_MODULES = {'horizon': 'tests.cloud.dashboard.server',
            'worker': 'snapshot_dashboard.worker'}
#: The state of a socket that takes connections, in /proc/net/tcp.
_LISTEN = '0A'
#: Kept so that a service that dies is reaped, and seen to be dead.
_children: dict[int, subprocess.Popen] = {}


def ignore_interrupts() -> None:
    """From now on: stopping is not to be stopped by who is impatient."""
    for number in INTERRUPTS:
        signal.signal(number, signal.SIG_IGN)


def _pid_file(where: site.Site, service: str) -> pathlib.Path:
    return where.root / f'{service}.pid'


def pid(where: site.Site, service: str) -> int | None:
    """The process id of a service that runs, else None.

    A process that merely got the same number is told by its command.
    """
    try:
        number = int(_pid_file(where, service).read_text())
        if number in _children:
            return number if _alive(number) else None
        command = pathlib.Path(f'/proc/{number}/cmdline').read_bytes()
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return None
    ours = _MODULES.get(service, _module(service))
    return number if ours.encode() in command else None


def _module(service: str) -> str:
    """Of a service, also of another process of it, as ``glance-1``."""
    return f'tests.cloud.services.{service.partition("-")[0]}'


def running(where: site.Site) -> list[str]:
    """The names of all that runs, whoever has started it."""
    return [path.stem for path in where.root.glob('*.pid')
            if pid(where, path.stem) is not None]


def listens(where: site.Site, service: str, port: int) -> bool:
    """Whether this very process takes connections on a port."""
    number = pid(where, service)
    sockets = {line.split()[9] for line in pathlib.Path(
        '/proc/net/tcp').read_text().splitlines()[1:]
        if line.split()[3] == _LISTEN
        and int(line.split()[1].rpartition(':')[2], 16) == port}
    for path in pathlib.Path(f'/proc/{number}/fd').glob('*'):
        with contextlib.suppress(OSError):  # it may be closed by now
            link = os.readlink(path)
            if link.removeprefix('socket:[').removesuffix(']') in sockets:
                return True
    return False


def check_ports(where: site.Site, services: tuple[str, ...]) -> None:
    """See that nobody else listens where a service is to listen.

    :raises CloudError: naming the port and the way out.
    """
    taken = [service for service in services
             if pid(where, service) is None
             and site.port_is_taken(where.ports[service])]
    if taken:
        what = ', '.join(f'{where.ports[service]} (for {service})'
                         for service in taken)
        raise site.CloudError(
            f'Port in use: {what}. Stop what listens there, or choose other '
            f'ports with --first-port NUMBER.')


def start(where: site.Site, service: str, command: list[str],
          environment: dict[str, str], directory: pathlib.Path) -> None:
    """Start a service unless it runs."""
    if pid(where, service) is not None:
        return
    where.logs.mkdir(parents=True, exist_ok=True)
    with open(where.logs / f'{service}.log', 'ab') as log:
        process = subprocess.Popen(
            command, env=environment, cwd=directory, stdout=log, stderr=log,
            stdin=subprocess.DEVNULL, start_new_session=True)
    _pid_file(where, service).write_text(str(process.pid))
    _children[process.pid] = process


def start_service(where: site.Site, service: str, venv: pathlib.Path,
                  shared_port: bool = False) -> None:
    """Start a service of OpenStack, or another process of it.

    :param shared_port: whether several processes may listen on its port.
    """
    command = [str(venv / 'bin' / 'python'), '-m', _module(service)]
    if service == 'cinder':
        command += ['--config-file', str(where.etc / 'cinder.conf')]
    command.append(str(where.ports[service.partition('-')[0]]))
    environment = conf.environment(where, venv)
    if shared_port:
        environment['SNAPSHOT_CLOUD_SHARED_PORTS'] = 'yes'
    start(where, service, command, environment, where.state)


def wait_until_answering(where: site.Site, service: str,
                         seconds: float = 90, path: str = '/') -> None:
    """Wait for the first answer of a service.

    :raises CloudError: when it ends, or does not answer in time, with the
        last lines that it logged.
    """
    end = time.monotonic() + seconds
    while not _answers(where.url(service) + path):
        if pid(where, service) is None:
            raise site.CloudError(_died(where, service, 'ended'))
        if time.monotonic() > end:
            raise site.CloudError(_died(
                where, service, f'did not answer within {seconds:.0f} s'))
        time.sleep(_POLL)


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=60).close()
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False
    return True


def _died(where: site.Site, service: str, what: str) -> str:
    log = where.logs / f'{service}.log'
    lines = log.read_text(errors='replace').splitlines()[-_TAIL:]
    return '\n'.join([f'{service} {what}. The end of {log}:', *lines])


def stop(where: site.Site, service: str,
         number: int = signal.SIGTERM) -> bool:
    """Stop a service; False if it was not running."""
    running = pid(where, service)
    if running is None:
        return False
    os.kill(running, number)
    end = time.monotonic() + _GRACE
    while _alive(running):
        if time.monotonic() > end:
            os.kill(running, signal.SIGKILL)
            end += _GRACE
        time.sleep(_POLL / 2)
    _pid_file(where, service).unlink(missing_ok=True)
    return True


def _alive(number: int) -> bool:
    child = _children.get(number)
    if child is not None:
        return child.poll() is None
    process = pathlib.Path(f'/proc/{number}')
    try:
        status = (process / 'stat').read_text()
        threads = len(list((process / 'task').iterdir()))
    except (FileNotFoundError, ProcessLookupError):
        return False
    # A process that ended, but whose parent has not asked for its result. It
    # listens for as long as one of its threads is still ending.
    return status.rpartition(')')[2].split()[0] != 'Z' or threads > 1
