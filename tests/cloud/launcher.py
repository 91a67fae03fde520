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

"""Bring a test cloud up, and take it down."""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

from tests.cloud import bootstrap
from tests.cloud import conf
from tests.cloud import machine
from tests.cloud import processes
from tests.cloud import seed
from tests.cloud import site

Say = Callable[[str], None]
#: Seconds for a service to report itself as up.
_REPORT = 60


def up(where: site.Site, say: Say) -> None:
    """Start what does not run yet, and wait until all of it works.

    :raises CloudError: with what is missing or what failed.
    """
    machine.check()
    processes.check_ports(where, site.SERVICES)
    venv = machine.services_venv(say)
    where.save()
    conf.write(where, venv)
    if not (where.state / 'complete').exists():
        _begin(where, venv, say)
    elif processes.pid(where, 'keystone') is None:
        bootstrap.point_catalogue(where)
    if where.libvirt.exists():
        _libvirt_up(where, say)
    say('starting ' + ', '.join(site.SERVICES))
    for service in site.SERVICES:
        if service == 'nova':  # it signs in as it starts, and once
            processes.wait_until_answering(where, 'keystone')
        processes.start_service(where, service, venv)
    for service in site.SERVICES:
        processes.wait_until_answering(where, service)
    say('waiting for the compute and volume services to report')
    _wait_for_reports(where)
    bootstrap.create_flavors(where)


def have_real_guests(where: site.Site, say: Say) -> None:
    """Let a cloud that is not up yet have real guests.

    The machine must be ready for them.

    :raises CloudError: when the services cannot be made to talk to libvirt.
    """
    machine.add_binding(say)
    where.libvirt.mkdir(parents=True)


def _libvirt_up(where: site.Site, say: Say) -> None:
    say('starting libvirt')
    (where.state / 'nova' / 'instances').mkdir(parents=True, exist_ok=True)
    processes.start(
        where, 'libvirt',
        ['unshare', '--mount', '--propagation', 'private', sys.executable,
         '-m', 'tests.cloud.services.libvirt', str(where.libvirt)],
        {**os.environ}, site.REPOSITORY)
    end = time.monotonic() + _REPORT
    while subprocess.run(['virsh', '-q', '-c', where.hypervisor, 'list'],
                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL).returncode:
        if time.monotonic() > end:
            raise site.CloudError(
                f'libvirt did not answer within {_REPORT} s; '
                f'{where.logs / "libvirt.log"} tells why.')
        time.sleep(0.2)


def dashboard_up(where: site.Site, say: Say) -> None:
    """Start Horizon with the plugin, and wait until it shows its login.

    :raises CloudError: when it cannot be started.
    """
    processes.check_ports(where, ('horizon',))
    environment = {**os.environ, 'SNAPSHOT_CLOUD_NAME': where.name,
                   'PYTHONWARNINGS': 'ignore', 'PYTHONUNBUFFERED': '1'}
    command = [sys.executable, '-m', 'tests.cloud.dashboard.server']
    (where.root / 'horizon' / 'sessions').mkdir(parents=True, exist_ok=True)
    if processes.pid(where, 'horizon') is None:
        say('collecting the static files of Horizon')
        done = subprocess.run([*command, 'prepare'], env=environment,
                              cwd=site.REPOSITORY, capture_output=True,
                              text=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise site.CloudError(
                'Horizon could not be prepared:\n' + done.stderr[-2000:])
        say('starting horizon')
    processes.start(where, 'horizon', command, environment, site.REPOSITORY)
    processes.wait_until_answering(where, 'horizon', path='/auth/login/')


def worker_up(where: site.Site, say: Say) -> None:
    """Start a worker, for a Horizon that is started after it."""
    name_worker(where)
    say('starting the worker')
    processes.start(
        where, 'worker', [sys.executable, '-m', 'snapshot_dashboard.worker'],
        worker_environment(where.auth_url), site.REPOSITORY)


def name_worker(where: site.Site) -> None:
    """Let Horizon know the worker's user when it starts next."""
    user = bootstrap.connect(where, 'admin', 'admin').identity.find_user(
        seed.WORKER)
    where.worker_user.write_text(user.id)


def worker_environment(auth_url: str) -> dict[str, str]:
    """What an operator sets for a worker."""
    return {**os.environ, 'OS_AUTH_URL': auth_url,
            'OS_USERNAME': seed.WORKER, 'OS_PASSWORD': site.PASSWORD,
            'OS_USER_DOMAIN_ID': 'default', 'OS_REGION_NAME': site.REGION,
            'PYTHONWARNINGS': 'ignore'}


def _begin(where: site.Site, venv: pathlib.Path, say: Say) -> None:
    """Make the first state, also after an attempt that broke off."""
    for service in site.SERVICES:
        processes.stop(where, service)
    shutil.rmtree(where.state)
    where.state.mkdir()
    with site.alone():
        kept = bootstrap.restore(where)
        if not kept:
            say('making the databases')
            bootstrap.create(where, venv)
    if kept:
        say('starting from the kept first state')
        bootstrap.point_catalogue(where)
    (where.state / 'complete').touch()


def _wait_for_reports(where: site.Site) -> None:
    cloud = bootstrap.connect(where, 'admin', 'admin')
    end = time.monotonic() + _REPORT
    wanted = {'nova-compute', 'cinder-volume', 'cinder-scheduler'}
    while True:
        found = {service.binary for proxy in (cloud.compute,
                                              cloud.block_storage)
                 for service in proxy.services() if service.state == 'up'}
        if wanted <= found:
            return
        if time.monotonic() > end:
            raise site.CloudError(
                f'{", ".join(sorted(wanted - found))} did not report within '
                f'{_REPORT} s; the logs are in {where.logs}.')
        time.sleep(0.2)


def down(where: site.Site, say: Say) -> None:
    """Stop this cloud's own processes; its state is kept."""
    where.worker_user.unlink(missing_ok=True)
    names = ['worker', *reversed(site.SERVICES), 'libvirt', 'horizon']
    stopped = [service for service in (
        *names, *set(processes.running(where)) - set(names))
               if processes.stop(where, service)]
    say('stopped ' + ', '.join(stopped) if stopped else 'nothing was running')


@contextlib.contextmanager
def killed(where: site.Site, service: str) -> Iterator[None]:
    """A service is killed, and starts again after the block."""
    processes.stop(where, service, signal.SIGKILL)
    try:
        yield
    finally:
        processes.start_service(where, service, machine.services_venv(print))
        processes.wait_until_answering(where, service)


@contextlib.contextmanager
def fresh(name: str) -> Iterator[site.Site]:
    """A cloud of one's own, planned on free ports; down after the block.

    :raises CloudError: when somebody has it.
    """
    with site.mine(name):
        with site.alone():
            where = site.plan(name, 0)
            wipe(where, print)
            where.save()
        try:
            yield where
        finally:
            processes.ignore_interrupts()
            down(where, print)


def wipe(where: site.Site, say: Say) -> None:
    """Stop the cloud and forget all that it held."""
    down(where, say)
    shutil.rmtree(where.root, ignore_errors=True)
    say('wiped')
