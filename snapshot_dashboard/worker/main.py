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

"""The command ``snapshot-dashboard-worker``."""

import argparse
from collections.abc import Sequence
import logging
import os
import signal
import sys
import threading

from keystoneauth1 import exceptions as keystone_errors
from openstack import config as openstack_config
from openstack import exceptions as openstack_errors
from pythonjsonlogger import json as json_logging

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import limits
from snapshot_dashboard.worker import backoff
from snapshot_dashboard.worker import metrics
from snapshot_dashboard.worker import partition
from snapshot_dashboard.worker import trust_sessions
from snapshot_dashboard.worker import worker

LOG = logging.getLogger(__name__)
#: Seconds that Keystone may take for the list of the trusts, which has no
#: pages: it needs some for thousands.
_OWN_TIMEOUT = 60
_FORMAT = '%(asctime)s %(levelname)s %(name)s: %(message)s'
_ABOUT = """
Brings snapshots under way in snapshot-dashboard forward when nobody has the
page open. Users hand their runs on to it by trusts; it needs no role of its
own, and no database.
"""
_ACCOUNT = """
The account is configured as for the openstack client: by --os-cloud and
clouds.yaml, or by OS_AUTH_URL, OS_USERNAME, OS_PASSWORD, OS_USER_DOMAIN_NAME
and so on, without a project. SIGTERM ends it after the steps in hand.
"""


def _options(arguments: Sequence[str]) -> tuple[
        argparse.Namespace, openstack_config.OpenStackConfig]:
    parser = argparse.ArgumentParser(
        prog='snapshot-dashboard-worker', usage='%(prog)s [options]',
        description=_ABOUT, epilog=_ACCOUNT)
    config = openstack_config.OpenStackConfig()
    config.register_argparse_arguments(parser, list(arguments))
    own = parser.add_argument_group('worker')
    own.add_argument(
        '--once', action='store_true',
        help='advance each run as far as possible without waiting, then '
             'exit; for use with a timer')
    own.add_argument(
        '--interval', type=float, default=worker.INTERVAL, metavar='SECONDS',
        help='between two checks for new runs (default: %(default)s)')
    own.add_argument(
        '--threads', type=int, default=16, metavar='NUMBER',
        help='how many runs are checked at the same time (default: '
             '%(default)s)')
    own.add_argument(
        '--calls', type=int, default=16, metavar='NUMBER',
        help='how many calls one service gets at the same time (default: '
             '%(default)s)')
    own.add_argument(
        '--rate', type=float, default=backoff.RATE, metavar='NUMBER',
        help='at most this many checks per second, over all runs (default: '
             '%(default)s)')
    own.add_argument(
        '--call-timeout', type=float, default=10, metavar='SECONDS',
        help='how long one call may take, at most '
             f'{limits.LONGEST_CALL} (default: %(default)s)')
    own.add_argument(
        '--trust-hours', type=float, default=worker.TRUST_HOURS,
        metavar='HOURS',
        help='trusts that last longer are ignored (default: %(default)s)')
    own.add_argument(
        '--coordinator', metavar='URL',
        default=os.environ.get('SNAPSHOT_WORKER_COORDINATOR'),
        help='where several workers share their work, as tooz understands '
             'it, for example redis://127.0.0.1:6379 (default: '
             '$SNAPSHOT_WORKER_COORDINATOR, which hides a password from '
             'the list of processes)')
    own.add_argument(
        '--metrics-port', type=int, metavar='PORT',
        help='show counters for Prometheus there, at /metrics')
    own.add_argument(
        '--metrics-address', default='127.0.0.1', metavar='ADDRESS',
        help='the address to show them at (default: %(default)s)')
    own.add_argument('--log-json', action='store_true',
                     help='log one JSON object a line')
    own.add_argument('--debug', action='store_true', help='log more')
    options = parser.parse_args(arguments)
    if options.interval < 0.2 or min(
            options.threads, options.calls, options.rate) < 1:
        parser.error('--interval must be 0.2 or more, --threads, --calls '
                     'and --rate 1 or more')
    if options.trust_hours <= 0:
        parser.error('--trust-hours must be more than 0')
    if not 1 <= options.call_timeout <= limits.LONGEST_CALL:
        parser.error('--call-timeout must be between 1 and '
                     f'{limits.LONGEST_CALL}')
    return options, config


class _Misconfigured(Exception):
    """What starting anew will not mend."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    :returns: 0; 1 when it could not begin, or ``--once`` not end well;
        ``os.EX_CONFIG`` when it never will as it is configured.
    """
    _log()
    sharing = partition.Share()
    try:
        options, config = _options(
            sys.argv[1:] if arguments is None else arguments)
        _log(options.log_json, options.debug)
        reach = _authenticate(options, config)
        counts = metrics.Counters()
        if options.metrics_port:
            _serve_metrics(counts, options.metrics_address,
                           options.metrics_port)
        if options.coordinator and not options.once:
            sharing = _join_group(options.coordinator)
        LOG.info('Working as user %s', reach.user_id())
        doing = worker.Worker(reach, sharing, counts, options.interval,
                              options.rate, options.trust_hours)
        if options.once:
            doing.once()
        else:
            _run_until_signal(doing, options.threads)
    except (_Misconfigured, openstack_errors.ConfigException,
            keystone_errors.AuthPluginException) as error:
        LOG.error('Invalid configuration: %s', error)
        return os.EX_CONFIG
    except (errors.ServiceError, keystone_errors.ClientException) as error:
        LOG.error('The worker stops: %s', error)
        return 1
    finally:
        sharing.leave()
    return 0


def _authenticate(options: argparse.Namespace,
                  config: openstack_config.OpenStackConfig
                  ) -> trust_sessions.Access:
    """What the account opens.

    :raises _Misconfigured: when Keystone does not take the account.
    :raises ServiceError: when Keystone does not answer.
    """
    region = config.get_one(argparse=options)
    account = region.config['auth']
    scope = [name for name in ('project_id', 'project_name', 'system_scope')
             if account.get(name)]
    if scope:
        raise _Misconfigured(
            f'the account comes with {" and ".join(scope)}, from clouds.yaml '
            'or from OS_* variables. Leave that out: it needs no role, and '
            'works in the projects of those who make trusts to it.')
    if not account.get('auth_url'):
        raise _Misconfigured(
            'no account is configured. Name a cloud of your clouds.yaml by '
            '--os-cloud, or set OS_AUTH_URL, OS_USERNAME and so on.')
    own = region.get_session()
    own.timeout = _OWN_TIMEOUT
    reach = trust_sessions.Access(
        trust_sessions.Keystone(
            own, account['auth_url'],
            region.get_region_name(), region.get_interface()),
        options.calls, options.call_timeout)
    try:
        reach.user_id()
    except errors.Unavailable:
        raise
    except errors.ServiceError as error:
        raise _Misconfigured(
            f'Keystone at {account["auth_url"]} does not take the account '
            f'of {account.get("username") or "this user"}: {error}. Look at '
            'its name, its domain and its password, and whether OS_* '
            'variables are set for somebody else.') from error
    except Exception as error:  # each way to sign in has some of its own
        raise _Misconfigured(f'the account is not whole: {error}') from error
    return reach


def _serve_metrics(counts: metrics.Counters, address: str, port: int) -> None:
    try:
        counts.serve(address, port)
    except OSError as error:
        raise _Misconfigured(f'the counters cannot be shown at {address}, '
                             f'port {port}: {error}') from error


def _join_group(url: str) -> partition.Shared:
    try:
        return partition.Shared(url)
    except ValueError as error:
        raise _Misconfigured(f'{error}. Its driver may need a client: pip '
                             "install 'tooz[redis]', for example.") from error


def _log(as_json: bool = False, debug: bool = False) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(json_logging.JsonFormatter(
        _FORMAT, rename_fields={'asctime': 'time', 'levelname': 'level',
                                'name': 'logger'}) if as_json
        else logging.Formatter(_FORMAT))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger('snapshot_dashboard').setLevel(
        logging.DEBUG if debug else logging.INFO)


def _run_until_signal(doing: worker.Worker, threads: int) -> None:
    stop = threading.Event()

    def end(number: int, frame: object) -> None:
        LOG.info('Stopping when the steps in hand are done')
        stop.set()
        # The lock may be held by the very thread that was interrupted.
        threading.Thread(target=doing.wake).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    doing.work(stop, threads)
