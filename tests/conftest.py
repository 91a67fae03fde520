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

"""What all tests share."""

import collections
import os
import pathlib

import pytest

_KINDS = ('unit', 'views', 'installation', 'debian', 'scenario', 'browser',
          'hypervisor')


def pytest_terminal_summary(terminalreporter):
    """Say how many tests of each kind passed."""
    passed = collections.Counter(
        pathlib.PurePath(report.nodeid).parts[1]
        for report in terminalreporter.stats.get('passed', ())
        if report.when == 'call')
    terminalreporter.write_line('Passed: ' + ', '.join(
        f'{kind} {passed[kind]}' for kind in _KINDS))


@pytest.fixture(scope='session')
def where():
    """A real cloud with sample data, made afresh and taken down again.

    Who works on a test may name one that is up: SNAPSHOT_CLOUD=demo.
    """
    from tests import provide
    from tests.cloud import launcher
    from tests.cloud import seed
    from tests.cloud import site

    provide.program('qemu-img', 'qemu-utils')
    if 'SNAPSHOT_CLOUD' in os.environ:
        yield site.load(os.environ['SNAPSHOT_CLOUD'])
        return
    name = os.environ.get('SNAPSHOT_TEST_CLOUD', 'test')
    with launcher.fresh(name) as place:
        launcher.up(place, print)
        seed.seed(place, print)
        yield place


@pytest.fixture
def drivers(where):
    """The knobs of the real cloud's drivers, all off afterwards."""
    from tests.cloud import knobs
    box = knobs.Knobs(where.knobs)
    yield box
    box.clear()
