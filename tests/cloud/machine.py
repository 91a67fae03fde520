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

"""What the test cloud needs on a machine, and how to get it."""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

from tests import programs
from tests.cloud import site

_PINNED = pathlib.Path(__file__).parents[1] / 'requirements'
#: The services themselves, unmodified, and the WSGI server that runs them.
REQUIREMENTS = _PINNED / 'services.txt'
#: What Nova's own driver needs to talk to libvirt; it is compiled.
_BINDING = _PINNED / 'hypervisor.txt'
#: Debian's packages for real guests.
HYPERVISOR = (
    'busybox-static', 'cpio', 'e2fsprogs', 'gcc', 'kmod', 'libvirt-clients',
    'libvirt-daemon-system', 'libvirt-dev', 'pkg-config', 'python3-dev',
    'qemu-guest-agent', 'qemu-system-x86', 'qemu-utils', 'xfsprogs')


def check() -> None:
    """See that everything is there that cannot be installed by pip.

    :raises CloudError: with the remedy.
    """
    if sys.version_info < (3, 11):
        raise site.CloudError(
            f'Python 3.11 or newer is needed; this is '
            f'{sys.version.split()[0]}.')
    if shutil.which('qemu-img') is None:
        raise site.CloudError(
            'qemu-img is missing; Cinder needs it to make volumes from '
            'images. Install it, on Debian and Ubuntu with: '
            'apt-get install qemu-utils')


def get_ready_for_guests() -> str:
    """Install what real guests need, where it is missing.

    :returns: why there can be none on this machine; empty if they can.
    """
    if os.geteuid() != 0:
        return 'only root can run libvirt'
    if shutil.which('dpkg-query') is None:
        return "it takes Debian's kernel and packages"
    if subprocess.run(['unshare', '--mount', '--propagation', 'private',
                       'mount', '--bind', '/etc', '/etc'],
                      capture_output=True,
                      stdin=subprocess.DEVNULL).returncode:
        return 'this root may not mount in a namespace of its own'
    missing = _missing_packages()
    if missing:
        programs.install(*missing)
        missing = _missing_packages()
    if missing:
        return 'these packages are missing: ' + ' '.join(missing)
    return ''


def _missing_packages() -> list[str]:
    """Those of Debian's for real guests that are not installed."""
    known = subprocess.run(
        ['dpkg-query', '-W', '-f', '${Package} ${Status}\n', *HYPERVISOR],
        capture_output=True, stdin=subprocess.DEVNULL, text=True).stdout
    return [package for package in HYPERVISOR
            if f'{package} install ok installed' not in known.splitlines()]


def fingerprint() -> str:
    """Of what the services' environment and first state are made from."""
    digest = hashlib.sha256(sys.version.encode())
    for name in (REQUIREMENTS, *sorted(
            pathlib.Path(__file__).parent.glob('*.py'))):
        digest.update(name.read_bytes())
    return digest.hexdigest()[:16]


def services_venv(say) -> pathlib.Path:
    """The virtual environment of the services; made when there is none.

    :param say: called with a sentence when this takes a while.
    :raises CloudError: when pip fails.
    """
    venv = site.HOME / 'services'
    with site.alone():
        _install(venv, say)
    return venv


def add_binding(say) -> None:
    """Let the services talk to libvirt.

    :raises CloudError: when it cannot be compiled.
    """
    venv = services_venv(say)
    with site.alone():
        _run("libvirt's binding", 'binding', [
            str(venv / 'bin' / 'python'), '-m', 'pip', 'install',
            '--no-input', '--require-hashes', '--no-build-isolation', '-r',
            str(_BINDING)])


def _install(venv: pathlib.Path, say) -> None:
    """Install what is wanted, unless that is there."""
    stamp = venv / 'installed'
    wanted = sys.version + REQUIREMENTS.read_text()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say('installing the OpenStack services (about 2 minutes, once)')
    shutil.rmtree(venv, ignore_errors=True)
    site.HOME.mkdir(parents=True, exist_ok=True)
    _run('The services', 'services',
         [sys.executable, '-m', 'venv', str(venv)],
         [str(venv / 'bin' / 'python'), '-m', 'pip', 'install', '--no-input',
          '--require-hashes', '-r', str(REQUIREMENTS)])
    stamp.write_text(wanted)


def _run(what: str, name: str, *commands: list[str]) -> None:
    """Install something, with a log.

    :raises CloudError: when that fails.
    """
    log = site.HOME / f'{name}-install.log'
    with open(log, 'wb') as output:
        for command in commands:
            if subprocess.run(command, stdout=output, stderr=output,
                              stdin=subprocess.DEVNULL).returncode:
                raise site.CloudError(
                    f'{what} could not be installed; {log} tells why.')
