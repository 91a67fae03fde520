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

"""A run is handed on by a trust."""

import time

import pytest

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import identity
from snapshot_dashboard.runs import delegate
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import record
from tests import fakes
from tests.unit.worker.handing_on import WORKER
from tests.unit.worker.handing_on import handed_on


def test_a_trust_names_as_little_as_the_work_needs(openstack):
    _server, run = handed_on(openstack)
    (trust,) = openstack.trusts.values()
    assert run.progress.trust_id == trust['id']
    assert trust['roles'] == [{'name': 'member'}]
    assert trust['project_id'] == fakes.PROJECT
    assert trust['impersonation'] and not trust['allow_redelegation']
    expires = identity.Trust.from_api(trust).expires
    assert 3500 < expires - time.time() < 3700


def test_two_trusts_of_one_moment_differ(openstack):
    def moment():
        return 1_800_000_000
    for _ in range(2):
        delegate.probe(openstack.cloud(), WORKER, moment)
    assert len(openstack.trusts) == 2


def test_a_run_that_cannot_be_handed_on_leaves_no_trust(openstack):
    openstack.faults['POST', 'metadata$'] = 409
    cloud = openstack.cloud()
    server = cloud.compute.server(openstack.server()['id'])
    run = record.Run(server, lifecycle.new_plan('n', '', requested_by='alice'),
                     record.Progress())
    with pytest.raises(errors.Conflict):
        delegate.hand_on(cloud, run, WORKER)
    assert openstack.trusts == {}
