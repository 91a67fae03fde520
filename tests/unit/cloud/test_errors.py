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


KINDS = {401: errors.Unauthorized, 403: errors.Forbidden,
         404: errors.NotFound, 406: errors.Unavailable,
         408: errors.Throttled, 409: errors.Conflict, 413: errors.OverQuota,
         425: errors.Throttled, 429: errors.Throttled}
STATUSES = [status for status in range(400, 600)]


def meant(service, status):
    if service == 'compute' and status == 413:
        return errors.Throttled
    return KINDS.get(status, errors.Refused if status < 500
                     else errors.Unavailable)


@pytest.mark.parametrize('service', CALLS)
def test_every_status_has_one_meaning(openstack, service):
    """Whatever class the service's client has for it, or has not."""
    cloud = openstack.cloud()
    for status in STATUSES:
        openstack.faults['GET', PATHS[service]] = status
        with pytest.raises(errors.ServiceError) as caught:
            CALLS[service](cloud)
        assert type(caught.value) is meant(service, status), status
        assert caught.value.service == service
        assert caught.value.status == status
        assert 'as the test wishes' in caught.value.detail


@pytest.mark.parametrize(('header', 'told'), [
    (f'req-{fakes.new_id(5)}', f' [req-{fakes.new_id(5)}]'),
    ('<b>anything</b>', ''), ('', '')])
def test_a_report_names_the_request_if_its_service_did(header, told):
    with fakes.faked() as openstack:
        cloud = openstack.cloud()
        openstack.adapter.register_uri(
            'GET', f'{fakes.NOVA}/servers/{fakes.new_id(1)}', status_code=403,
            headers={'x-openstack-request-id': header},
            json={'forbidden': {'message': 'No.'}})
        with pytest.raises(errors.Forbidden) as caught:
            cloud.compute.server(fakes.new_id(1))
        assert caught.value.detail == 'No.'
        assert caught.value.report == f'No.{told}'


PAGE = '<html><body><h1>Gateway</h1>\n<p>Sorry &amp; bye</p></body></html>'


@pytest.mark.parametrize('service', CALLS)
def test_a_gateway_that_answers_in_a_services_place_is_told_from_it(
        openstack, service):
    cloud = openstack.cloud()
    for status in (200, *STATUSES):
        if status in (401, 406):
            continue  # nobody but the service says so
        openstack.faults['GET', PATHS[service]] = (status, PAGE)
        with pytest.raises(errors.ServiceError) as caught:
            CALLS[service](cloud)
        # It does not know what there is.
        expected = (errors.Unavailable if status in (200, 404)
                    else meant(service, status))
        assert type(caught.value) is expected, status
        assert '<' not in str(caught.value) and '\n' not in str(caught.value)


@pytest.mark.parametrize('text', ['', '{"server": {"id"', 'null', '[]', '7',
                                  '{}', '"text"'])
@pytest.mark.parametrize('service', CALLS)
def test_an_answer_that_is_not_what_the_api_says_is_no_answer(
        openstack, service, text):
    openstack.faults['GET', PATHS[service]] = (200, text)
    with pytest.raises(errors.Unavailable) as caught:
        CALLS[service](openstack.cloud())
    assert caught.value.service == service


@pytest.mark.parametrize('words', [
    'Quota exceeded for instances', 'Maximum number of metadata items '
    'exceeds 16', 'Image metadata limit exceeded'])
def test_a_quota_is_told_from_a_right_that_is_missing(words):
    assert type(errors.from_status('compute', 403, words)
                ) is errors.OverQuota
    assert type(errors.from_status(
        'compute', 403, "Policy doesn't allow it to be performed.")
    ) is errors.Forbidden


def test_a_services_words_are_one_line_without_markup_or_patterns():
    pattern = 'name \'a\\tb\' does not match \'^(?![\\s])[' + 'x' * 1200
    assert errors.words(pattern) == "name 'a\\tb' is not accepted"
    assert errors.words('<b>no</b>\r\n\x1b[31m way\u202e') == 'no [31m way'
    assert len(errors.words('x' * 5000)) == 200


def test_a_server_of_a_cell_that_is_down_is_not_known(openstack):
    """Nova answers 200, with status UNKNOWN and without what it keeps."""
    server = openstack.server()
    for name in list(server):
        if name not in ('id', 'status', 'tenant_id'):
            del server[name]
    server['status'] = 'UNKNOWN'
    with pytest.raises(errors.Unavailable):
        openstack.cloud().compute.server(server['id'])
    assert openstack.cloud().compute.servers(10) == []


@pytest.mark.parametrize('service', CALLS)
@pytest.mark.parametrize('error', [
    requests.exceptions.ConnectionError('refused'),
    requests.exceptions.ReadTimeout('too slow'),
    requests.exceptions.ConnectTimeout('nobody there')])
def test_no_answer_means_unavailable(service, error):
    versions.forget()
    with fakes.faked() as openstack:
        cloud = openstack.cloud()
        openstack.adapter.register_uri(
            requests_mock.ANY, requests_mock.ANY, exc=error)
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
