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

"""Unit tests: no Django, no network."""

import hypothesis
import pytest

from tests import fakes

# The same examples at every run: a test that fails by chance helps nobody.
# A machine that is busy is no reason to fail either.
hypothesis.settings.register_profile('steady', derandomize=True,
                                     deadline=None)
hypothesis.settings.load_profile('steady')


@pytest.fixture
def openstack():
    """Services that answer over HTTP, below the real clients."""
    with fakes.faked() as openstack:
        yield openstack
