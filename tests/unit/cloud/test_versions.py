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

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import versions
from tests import fakes


def spoken(openstack):
    """The microversions of the requests, in their order."""
    return [request.headers.get('OpenStack-API-Version')
            for request in openstack.requests]


def test_nothing_is_asked_of_a_service_that_speaks_what_we_want(openstack):
    server = openstack.server()
    openstack.cloud().compute.server(server['id'])
    openstack.cloud().volumes.quotas()
    assert spoken(openstack) == ['compute 2.98', 'volume 3.68']


def test_an_older_service_is_asked_once_and_understood_from_then_on(
        openstack):
    server = openstack.server()
    openstack.newest['compute'] = '2.90'
    with pytest.raises(errors.Unavailable):
        openstack.cloud().compute.server(server['id'])
    for _ in range(2):
        openstack.cloud().compute.server(server['id'])
    assert spoken(openstack) == ['compute 2.98', None, 'compute 2.90',
                                 'compute 2.90']


@pytest.mark.parametrize('answer', [500, 401, 404, (502, '<html>'),
                                    '<html>', '{"versions": 7}', 'null'])
def test_a_service_that_does_not_tell_is_unavailable_for_that_time(
        openstack, answer):
    openstack.newest['compute'] = '2.90'
    openstack.faults['GET', '^/v2.1/?$'] = answer
    openstack.faults['GET', '^/$'] = answer
    server = openstack.server()
    cloud = openstack.cloud()
    with pytest.raises(errors.Unavailable):
        cloud.compute.server(server['id'])
    openstack.faults.clear()
    with pytest.raises(errors.Unavailable):
        openstack.cloud().compute.server(server['id'])
    assert openstack.cloud().compute.server(server['id'])


def test_cinder_is_asked_above_the_project_in_its_address(openstack):
    openstack.newest['volume'] = '3.60'
    with pytest.raises(errors.Unavailable):
        openstack.cloud().volumes.quotas()
    openstack.cloud().volumes.quotas()
    assert spoken(openstack)[-1] == 'volume 3.60'
    assert openstack.calls[1][1].rstrip('/') == '/v3'


def test_a_service_that_was_updated_is_found_so_after_a_while(openstack,
                                                              monkeypatch):
    openstack.newest['volume'] = '3.60'
    with pytest.raises(errors.Unavailable):
        openstack.cloud().volumes.quotas()
    monkeypatch.setattr(versions, '_LIFETIME', 0)
    assert versions.choose(fakes.CINDER, '3.66') == '3.66'
