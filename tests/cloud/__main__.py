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

"""A real small OpenStack on loopback: python -m tests.cloud --help."""

import argparse
import signal
import sys
import threading
import time

from tests.cloud import launcher
from tests.cloud import processes
from tests.cloud import seed
from tests.cloud import site

_WELCOME = """
    Horizon with the plugin:   {url}
    Sign in as                 alice (member), bob (another member),
                               rita (reader), admin,
                               carol (member of another project)
    with the password          {password}
    Then open                  Project > Compute > Snapshots
    Logs                       {logs}

Ctrl-C stops everything. What you did is kept for the next time.
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog='python -m tests.cloud',
                                     description=__doc__)
    parser.add_argument('--name', default='demo',
                        help='which cloud; each has its own state '
                             '(default: %(default)s)')
    parser.add_argument('--first-port', type=int, metavar='NUMBER',
                        help='listen on seven consecutive ports from here; '
                             '0 for any free ones (default: the usual ports '
                             'of the services)')
    commands = parser.add_subparsers(dest='command', required=True)
    for name, text in (('up', 'start it, and wait until it works'),
                       ('down', 'stop it and keep its state'),
                       ('wipe', 'stop it and forget its state'),
                       ('status', 'say what runs'),
                       ('demo', 'start it with Horizon and sample data, '
                                'until Ctrl-C')):
        commands.add_parser(name, help=text)
    options = parser.parse_args()
    began = time.monotonic()

    def say(text: str) -> None:
        print(f'[{time.monotonic() - began:5.1f} s] {text}', flush=True)

    try:
        return _run(options, say)
    except site.CloudError as error:
        print(f'{parser.prog}: {error}', file=sys.stderr)
        return 1


def _run(options: argparse.Namespace, say: launcher.Say) -> int:
    if options.command in ('up', 'demo'):
        where = site.plan(options.name, options.first_port)
        if options.command == 'demo':
            return _demo(where, say)
        launcher.up(where, say)
        say(f'ready: {where.auth_url}')
        return 0
    where = site.load(options.name)
    if options.command == 'status':
        for service in site.PORTS:
            number = processes.pid(where, service)
            print(f'{service:10} {where.url(service):24}',
                  f'process {number}' if number else 'not running')
        return 0
    {'down': launcher.down, 'wipe': launcher.wipe}[options.command](
        where, say)
    return 0


def _demo(where: site.Site, say: launcher.Say) -> int:
    """Everything that a person needs to try the plugin by hand."""
    stop = threading.Event()
    for number in processes.INTERRUPTS:
        signal.signal(number, _interrupt)
    try:
        launcher.up(where, say)
        seed.seed(where, say)
        launcher.worker_up(where, say)
        launcher.dashboard_up(where, say)
        print(_WELCOME.format(url=where.url('horizon'),
                              password=site.PASSWORD, logs=where.logs),
              flush=True)
        stop.wait()
    except KeyboardInterrupt:
        print(flush=True)
    finally:
        processes.ignore_interrupts()  # tox passes Ctrl-C on a second time
        launcher.down(where, say)
    return 0


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == '__main__':
    sys.exit(main())
