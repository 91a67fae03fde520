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

"""A process that advances one run to its end, and that can be killed."""

import os
import random
import time

from keystoneauth1 import session as keystone_session
from keystoneauth1 import token_endpoint

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import reconcile
from tests.scenario import proxy

#: Its clock goes so much faster, for that graces need not be waited for. Not
#: so much that two calls on a busy machine look like a suspended process.
FASTER = 10


def clock(began: float):
    return lambda: began + (time.time() - began) * FASTER


def run(endpoints, token, project_id, lane, server_id, began, poll):
    """Advance what run there is on a server until it is closed.

    :param poll: seconds between two looks, on average.
    """
    session = keystone_session.Session(
        auth=token_endpoint.Token(endpoint=None, token=token),
        timeout=proxy.TIMEOUT, additional_headers={
            proxy.LANE: lane, proxy.ADVANCER: str(os.getpid())})
    found = None
    while True:
        try:
            cloud = services.Cloud(session, endpoints, project_id)
            # Read once: each advance reads it again, and Nova is what all wait
            # for.
            found = found or journal.read(cloud.compute.server(server_id))
            if found is not None and found.open:
                found = reconcile.advance(cloud, found, clock(began))
            if found is None or not found.open:
                return
        except errors.ServiceError:
            pass
        time.sleep(random.uniform(0, 2 * poll))
