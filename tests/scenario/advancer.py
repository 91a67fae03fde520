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
from snapshot_dashboard.restores import restore as restores
from snapshot_dashboard.restores import restoring
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import reconcile
from snapshot_dashboard.switch_overs import switching
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
    found = None

    def look(cloud):
        nonlocal found
        # Read once: each advance reads it again, and Nova is what all wait
        # for.
        found = found or journal.read(cloud.compute.server(server_id))
        if found is not None and found.open:
            found = reconcile.advance(cloud, found, clock(began))
        return found is None or not found.open
    _until_over(endpoints, token, project_id, lane, poll, look)


def restore(endpoints, token, project_id, lane, image_id, began, poll):
    """Likewise, what puts an instance back to a snapshot."""
    found = None

    def look(cloud):
        nonlocal found
        found = found or restores.read(cloud.images.image(image_id))
        if found is not None and found.open:
            found = restoring.advance(cloud, found, lambda one: True,
                                      clock(began))
        return found is None or not found.open
    _until_over(endpoints, token, project_id, lane, poll, look)


def switch_over(endpoints, token, project_id, home_id, began, poll):
    """Likewise, what gives an instance the addresses of another; its image is
    its lane.
    """
    found = None

    def look(cloud):
        nonlocal found
        found = found or switching.read(cloud, home_id)
        if found is not None and found.open:
            found = switching.advance(cloud, found, lambda one: True,
                                      clock(began))
        return found is None or not found.open
    _until_over(endpoints, token, project_id, home_id, poll, look)


def _until_over(endpoints, token, project_id, lane, poll, look):
    session = keystone_session.Session(
        auth=token_endpoint.Token(endpoint=None, token=token),
        timeout=proxy.TIMEOUT, additional_headers={
            proxy.LANE: lane, proxy.ADVANCER: str(os.getpid())})
    while True:
        try:
            if look(services.Cloud(session, endpoints, project_id)):
                return
        except errors.ServiceError:
            pass
        time.sleep(random.uniform(0, 2 * poll))
