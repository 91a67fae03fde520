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

"""Run libvirt for one test cloud: python -m tests.cloud.services.libvirt ROOT.

It has its paths compiled in, so it runs in a mount namespace of its own, with
folders of the cloud in the places of the system's. Its guests end with it.
While there is a file ``hold-starts`` in ROOT none starts, and while there is
``hold-images`` no disk becomes an image.
"""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys

#: The system's folders, and those that take their places.
_PLACES = {'/etc/libvirt': 'etc', '/run': 'run', '/var/lib/libvirt': 'lib',
           '/var/cache/libvirt': 'cache', '/var/log/libvirt': 'log'}
#: No privileges are to be dropped or taken, and no cgroups are there.
_QEMU = """
user = "root"
group = "root"
security_driver = "none"
cgroup_controllers = []
namespaces = []
dynamic_ownership = 0
remember_owner = 0
"""
#: libvirt asks the one before each step of a guest, Nova calls the other.
_SCRIPTS = {'etc/hooks/qemu': """#!/bin/sh
while [ "$2" = prepare ] && [ -e '{root}/hold-starts' ]; do sleep 0.1; done
""", 'bin/qemu-img': """#!/bin/sh
while [ "$1" = convert ] && [ -e '{root}/hold-images' ]; do sleep 0.1; done
exec /usr/bin/qemu-img "$@"
"""}


def main(root: pathlib.Path) -> None:
    for place, name in _PLACES.items():
        own = root / name
        own.mkdir(parents=True, exist_ok=True)
        if name == 'etc':
            shutil.copytree(place, own, dirs_exist_ok=True)
            (own / 'qemu.conf').write_text(_QEMU)
        subprocess.run(['mount', '--bind', own, place], check=True)
    for name, text in _SCRIPTS.items():
        script = root / name
        script.parent.mkdir(exist_ok=True)
        script.write_text(text.format(root=root))
        script.chmod(0o755)
    for stale in pathlib.Path('/run').glob('*.pid'):
        stale.unlink()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit())
    daemons = []
    try:
        for name in ('virtlogd', 'libvirtd'):
            daemons.append(subprocess.Popen([name]))
        daemons[-1].wait()
    finally:
        for daemon in reversed(daemons):
            daemon.terminate()
            daemon.wait()
        for kept in pathlib.Path('/run/libvirt/qemu').glob('*.pid'):
            _kill(kept)


def _kill(kept: pathlib.Path) -> None:
    """End a guest, and nobody who merely got its number."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError,
                             ValueError):
        number = int(kept.read_text())
        command = pathlib.Path(f'/proc/{number}/cmdline').read_bytes()
        if b'qemu-system' in command and kept.stem.encode() in command:
            os.kill(number, signal.SIGKILL)


if __name__ == '__main__':
    main(pathlib.Path(sys.argv[1]))
