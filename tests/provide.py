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

"""What tests need beside Python; one that cannot have it fails."""

import functools
import pathlib
import shutil
import subprocess
import sys

import pytest

from tests import programs

_CHROMIUMS = ('chromium', 'chromium-browser', 'google-chrome')


@functools.cache
def program(name: str, package: str) -> str:
    """The path of a program, from Debian's package if need be.

    A test that needs it fails where it can't be had; it isn't skipped.
    """
    found = programs.find(name, package)
    if found is None:
        pytest.fail(f'{name} is missing. Install it, on Debian and Ubuntu '
                    f'with: apt-get install {package}', pytrace=False)
    return found


@functools.cache
def browser() -> str:
    """The path of a Chromium: the system's, Playwright's, or Debian's."""
    for name in _CHROMIUMS:
        if shutil.which(name):
            return shutil.which(name)
    if _playwright_installs():
        from playwright import sync_api
        with sync_api.sync_playwright() as playwright:
            path = playwright.chromium.executable_path
        if pathlib.Path(path).exists():
            return path
    programs.install('fonts-dejavu-core')
    return program('chromium', 'chromium')


def _playwright_installs() -> bool:
    command = [sys.executable, '-m', 'playwright', 'install', 'chromium']
    try:
        return subprocess.run(command, timeout=300,
                              stdin=subprocess.DEVNULL).returncode == 0
    except subprocess.TimeoutExpired:
        return False
