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

"""What the clients raise is one family of errors."""

import pytest
import requests
import requests_mock

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import versions
from tests import fakes

CALLS = {
    'compute': lambda cloud: cloud.compute.server(fakes.new_id(1)),
    'image': lambda cloud: cloud.images.image(fakes.new_id(1)),
    'volume': lambda cloud: cloud.volumes.snapshot(fakes.new_id(1)),
}
PATHS = {'compute': '/servers/', 'image': '/v2/', 'volume': '/snapshots/'}


@pytest.mark.parametrize('service', CALLS)
@pytest.mark.parametrize('status, kind', [
    (400, errors.Refused), (401, errors.Unauthorized),
    (403, errors.Forbidden), (404, errors.NotFound),
    (409, errors.Conflict), (413, errors.Forbidden),
    (500, errors.Unavailable), (503, errors.Unavailable)])
def test_a_status_has_the_same_meaning_for_all_services(openstack, service,
                                                        status, kind):
    openstack.faults['GET', PATHS[service]] = status
    with pytest.raises(errors.ServiceError) as caught:
        CALLS[service](openstack.cloud())
    assert type(caught.value) is kind
    assert caught.value.service == service
    assert caught.value.status == status
    assert 'as the test wishes' in caught.value.detail


@pytest.mark.parametrize('service', CALLS)
@pytest.mark.parametrize('error', [
    requests.exceptions.ConnectionError('refused'),
    requests.exceptions.ReadTimeout('too slow'),
    requests.exceptions.ConnectTimeout('nobody there')])
def test_no_answer_means_unavailable(service, error):
    versions.forget()
    with requests_mock.Mocker() as mocker:
        openstack = fakes.FakeOpenStack(mocker)
        cloud = openstack.cloud()
        mocker.register_uri(requests_mock.ANY, requests_mock.ANY, exc=error)
        with pytest.raises(errors.Unavailable) as caught:
            CALLS[service](cloud)
    assert (caught.value.service, caught.value.status) == (service, 0)


@pytest.mark.parametrize('service', CALLS)
def test_a_service_that_is_not_in_the_catalogue_is_unavailable(openstack,
                                                               service):
    with pytest.raises(errors.Unavailable):
        CALLS[service](openstack.cloud({}))


def test_every_call_is_bounded_by_the_timeout_of_the_session(openstack):
    cloud = openstack.cloud()
    cloud.images.images(5, {})
    (request,) = (request for request in openstack.requests
                  if '/v2/images' in request.path)
    assert request.timeout == 5
