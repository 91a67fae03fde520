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

"""Begin a run for the wizard, or anew for its owner."""

import logging
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import types
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots.worker import handoff
from snapshot_dashboard.runs import delegate
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import reconcile
from snapshot_dashboard.runs import record

LOG = logging.getLogger(__name__)
#: How a run goes on.
MAY_LEAVE = _(
    'Snapshot "%s" started. You need not keep Compute > Snapshots open: it is '
    "finished in the background.")
KEEP_OPEN = _(
    'Snapshot "%s" started. Keep Compute > Snapshots open until it is '
    "finished. If you leave, it continues when you or another member of the "
    "project opens that page again.")


def submit(request: HttpRequest, server: types.Server, plan: record.Plan,
           tagged: bool = False, after: str = '') -> Any:
    """Begin a run, and hand it on or take its first steps here.

    :param tagged: whether the server has no room for the record in metadata.
    :param after: the latest request on the server.
    :returns: the message of that, with a place for the snapshot's name.
    :raises Busy: when another run of the server is open.
    :raises Unclear: when it is not known whether it was begun.
    :raises ServiceError: when it was not begun.
    """
    cloud = connect.cloud(request)
    begun = handoff.hand_on(request, lifecycle.begin(
        cloud, server, plan, seal=connect.seal(), tagged=tagged, after=after),
        delegate.hand_on)
    if handoff.is_looked_after(request, begun):
        return MAY_LEAVE
    try:
        reconcile.advance(cloud, begun, approves=connect.approves)
    except errors.ServiceError as error:
        LOG.info('The first step of run %s failed and will be tried again: %s',
                 begun.plan.run_id, error)
    return KEEP_OPEN
