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

"""One cloud with real guests for all tests."""

import pytest

from tests.cloud import machine
from tests.hypervisor import lab as labs


@pytest.fixture(scope='session')
def lab():
    """The cloud, with Horizon and a worker; made and taken down again."""
    lacking = machine.get_ready_for_guests()
    if lacking:
        pytest.skip(f'There can be no real guests here: {lacking}.')
    with labs.opened('test-hypervisor', print) as opened:
        yield opened


@pytest.fixture
def boot(lab):
    """Boots guests, which are deleted afterwards."""
    booted = []

    def booter(*kind, **more):
        booted.append(lab.boot(*kind, **more))
        return booted[-1]
    yield booter
    for guest in booted:
        guest.delete()
