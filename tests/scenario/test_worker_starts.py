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

"""A worker that is set up wrongly says so, and answers nobody."""

import os

import pytest

from snapshot_dashboard.runs import delegate
from tests.cloud import seed
from tests.cloud import site
from tests.scenario.waiting import until

pytestmark = pytest.mark.usefixtures('tidy')


@pytest.mark.parametrize('wrong, said', [
    ({'OS_PASSWORD': 'guessed'}, 'does not take the account of'),
    ({'OS_USERNAME': 'nobody'}, 'does not take the account of nobody'),
    ({'OS_USER_DOMAIN_ID': 'elsewhere'}, 'does not take the account of'),
    ({'OS_PASSWORD': ''}, 'the account is not whole'),
    ({'OS_PROJECT_NAME': seed.PROJECT}, 'Leave that out'),
    ({'OS_CLOUD': 'nowhere'}, 'Cloud nowhere was not found')])
def test_a_wrong_account_is_told_once_and_for_all(workers, wrong, said):
    worker = workers.start(**wrong)
    assert worker.wait(30) == os.EX_CONFIG
    told = worker.log.read_text()
    assert said in told
    assert 'Traceback' not in told and site.PASSWORD not in told


def test_counters_without_a_port_and_shares_without_a_place_are_told(
        workers, where):
    taken = where.auth_url.split(':')[-1].removesuffix('/v3')
    for arguments, said in ((('--metrics-port', taken), f'port {taken}'),
                            (('--coordinator', 'pigeon://loft'), 'pigeon')):
        worker = workers.start(*arguments)
        assert worker.wait(30) == os.EX_CONFIG
        assert said in worker.log.read_text()


def test_without_a_keystone_it_may_be_started_anew(workers, dead):
    with dead('keystone'):
        worker = workers.start()
        assert worker.wait(60) == 1
    assert 'The worker stops: identity' in worker.log.read_text()


@pytest.mark.parametrize('wrong', [{'OS_REGION_NAME': 'Elsewhere'},
                                   {'OS_INTERFACE': 'admin'}])
def test_who_looks_in_the_wrong_place_answers_nobody(alice, workers, wrong):
    asked = delegate.probe(alice, workers.of(alice))
    worker = workers.start(**wrong)
    until(lambda: f'run of trust {asked} failed: ' in worker.log.read_text(),
          'it is told')
    told = worker.log.read_text()
    (value,) = wrong.values()
    assert 'the catalogue has none' in told and value in told
    assert not alice.identity.is_gone(asked)
    workers.start()
    until(lambda: alice.identity.is_gone(asked), 'another one answers')
