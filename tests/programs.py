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

"""Programs that the tests need beside Python, installed where they may be.

Only the standard library is needed for that.
"""

import os
import shutil
import subprocess

from tests.cloud import site


def find(name: str, package: str) -> str | None:
    """The path of a program, from Debian's package if need be.

    :returns: None when it is not there, and cannot be installed.
    """
    if shutil.which(name) is None:
        install(package)
    return shutil.which(name)


def install(*packages: str) -> None:
    """Install packages of Debian's or Ubuntu's; only root may try."""
    if os.geteuid() != 0 or shutil.which('apt-get') is None:
        return
    environment = {**os.environ, 'DEBIAN_FRONTEND': 'noninteractive'}
    get = ['apt-get', 'install', '-y', '-q', '--no-install-recommends',
           *packages]
    with site.alone():  # apt does not wait for another one
        for command in (get, ['apt-get', 'update', '-q'], get):
            done = subprocess.run(command, env=environment,
                                  stdin=subprocess.DEVNULL)
            if command is get and done.returncode == 0:
                return
