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

"""The worker is installed without Horizon and without Django."""

import re

import pytest

from tests import packages
from tests.installation import environments


@pytest.fixture(scope='module')
def worker(tmp_path_factory, folder):
    environment = environments.Environment(
        tmp_path_factory.mktemp('worker') / 'venv', 'worker.txt')
    dist = tmp_path_factory.mktemp('dist')
    _, wheel = packages.build(folder / 'snapshot-dashboard', dist, 0)
    environment.run(f"pip install --quiet '{wheel}[worker]'")
    return environment


def test_it_brings_neither_horizon_nor_django(worker):
    names = {re.split('[=@]', package)[0].lower()
             for package in worker.packages()}
    assert {'python-novaclient', 'openstacksdk'} <= names
    assert not names & {'horizon', 'django', 'xstatic'}


def test_its_commands_begin(worker):
    assert '--coordinator' in worker.run('snapshot-dashboard-worker --help')
    assert '--remove' in worker.run('snapshot-dashboard-cleanup --help')
