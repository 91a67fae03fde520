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

"""What stands between us and a service: gateways, whose answers are not its.

One hook sees every response of every client, for they share a session.
"""

import datetime
from email import utils
import threading
from typing import Any

from keystoneauth1 import session as keystone_session
import requests

#: By which a service names a request, in each of its answers (Compute API
#: guide, Faults; the other services likewise).
_REQUEST_ID = ('x-openstack-request-id', 'x-compute-request-id')
_BAD_GATEWAY = 502
_last = threading.local()


def watch(session: keystone_session.Session) -> None:
    """Look at all responses of a session from now on."""
    hooks = session.session.hooks['response']
    if _look_at not in hooks:
        hooks.append(_look_at)


def last_status() -> int:
    """The HTTP status of this thread's latest response; 0 for none."""
    return getattr(_last, 'status', 0)


def last_request_id() -> str:
    """What its service calls the request of it; empty if it did not say."""
    return getattr(_last, 'request_id', '')


def last_date() -> datetime.datetime | None:
    """When that was, by its server's clock; None if it did not say."""
    try:
        found = utils.parsedate_to_datetime(getattr(_last, 'date', ''))
    except ValueError:
        return None
    return found.replace(tzinfo=found.tzinfo or datetime.UTC)


def forget() -> None:
    """Begin a call, which has no response yet."""
    _last.status, _last.request_id, _last.date = 0, '', ''


def _look_at(response: requests.Response, **kwargs: Any) -> None:
    """Take a 404 that no service has signed for what it is: a gateway's.

    It says nothing of whether the thing exists.
    """
    request_id = next((response.headers[name] for name in _REQUEST_ID
                       if name in response.headers), '')
    if response.status_code == 404 and not request_id:
        response.status_code = _BAD_GATEWAY
    _last.status, _last.request_id = response.status_code, request_id
    _last.date = response.headers.get('Date', '')
