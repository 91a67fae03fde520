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

"""Sessions by trusts."""

from unittest import mock

from snapshot_dashboard.worker import trust_sessions


def test_no_service_sets_a_cookie_for_all_users(requests_mock):
    reach = trust_sessions.Access(mock.Mock(), 4, 5.0)
    requests_mock.get('http://nova.test/', headers={
        'Set-Cookie': 'session=of-another; Path=/'})
    for _ in range(2):
        reach._http.get('http://nova.test/')
    assert not reach._http.cookies
    assert 'Cookie' not in requests_mock.last_request.headers
