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

"""Runs that are handed on, and what the tests of the worker share."""

import threading
import time

from snapshot_dashboard.cloud import identity
from snapshot_dashboard.runs import delegate
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import lifecycle
from tests import fakes

WORKER = delegate.Delegation(user_id='worker', trustor_id='alice',
                             role='member', lifetime=3600)

#: What a trust is for whose run was never there.
NOTHING = identity.Errand('r', fakes.new_id(3), 'p')


class Access:
    """Tokens for trusts, without the Keystone that gives them."""

    def __init__(self, openstack):
        self.openstack = openstack
        self.tokens = []
        self.refused = None

    def trusts(self):
        return self.openstack.cloud().identity.trusts_to('worker')

    def cloud(self, trust):
        if self.refused is not None:
            raise self.refused
        self.tokens.append(trust.id)
        if trust.uses:
            self.openstack.trusts[trust.id]['remaining_uses'] -= 1
        return self.openstack.cloud()


def handed_on(openstack, server=None, **options):
    """A server with a run that was handed on."""
    server = server or openstack.server()
    cloud = openstack.cloud()
    run = lifecycle.begin(
        cloud, cloud.compute.server(server['id']),
        lifecycle.new_plan('snap', '', requested_by='alice', **options))
    return server, delegate.hand_on(cloud, run, WORKER)


def recorded(openstack, server):
    return journal.read(openstack.cloud().compute.server(server['id']))


def until(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.01)


def looks(worker, monkeypatch, trust_id, *, number, seconds):
    """Let a worker look for what a trust is for, over some time."""
    now = time.monotonic()
    worker._list_trusts()
    for look in range(number):
        monkeypatch.setattr(time, 'monotonic', lambda look=look: (
            now + seconds * look / (number - 1)))
        worker._find_run(trust_id)
    monkeypatch.undo()
