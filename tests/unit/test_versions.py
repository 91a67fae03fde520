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

"""The microversion is the newest that both sides speak."""

import pytest

from snapshot_dashboard.cloud import versions
from tests import fakes


def versions_asked(openstack):
    return [path for _, path, _ in openstack.calls
            if path.rstrip('/') in ('/v2.1', '/v3')]


def test_a_service_is_asked_once_for_its_versions(openstack):
    server = openstack.server()
    for _ in range(3):
        openstack.cloud().compute.server(server['id'])
        openstack.cloud().volumes.quotas()
    assert sorted(path.rstrip('/') for path in versions_asked(openstack)) == [
        '/v2.1', '/v3']


@pytest.mark.parametrize('wanted, spoken', [
    ('2.96', '2.96'), ('2.200', '2.103')])
def test_the_older_side_decides(openstack, wanted, spoken):
    assert versions.negotiate(openstack.cloud()._session, fakes.NOVA,
                              wanted) == spoken


def test_cinder_is_asked_above_the_project_in_its_address(openstack):
    assert versions.negotiate(openstack.cloud()._session, fakes.CINDER,
                              '3.66') == '3.66'
    assert fakes.PROJECT not in str(versions_asked(openstack))
