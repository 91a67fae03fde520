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

"""Beginning a switch-over, and going on with it."""

import logging
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots.worker import handoff
from snapshot_dashboard.switch_overs import choices
from snapshot_dashboard.switch_overs import switch_over
from snapshot_dashboard.switch_overs import switching

LOG = logging.getLogger(__name__)
_MAY_LEAVE = _(
    '"%s" is taking the addresses over. You need not keep Compute > Snapshots '
    "open: it is finished in the background.")
_KEEP_OPEN = _(
    '"%s" is taking the addresses over. Keep Compute > Snapshots open until '
    "it is finished. If you leave, it continues when you or another member of "
    "the project opens that page again.")


def approves(found: switch_over.SwitchOver) -> bool:
    """Whether this Horizon wrote the plan, unchanged since."""
    return switching.approves(connect.seal(), found)


def submit(request: HttpRequest, facts: choices.Facts) -> Any:
    """Begin it, and hand it on or take its first steps here.

    :returns: the message of that, with a place for the instance's name.
    :raises Busy: when something is under way there already.
    :raises ServiceError: when it was not begun, as far as is known.
    """
    begun = switching.begin(
        connect.cloud(request), choices.wish(facts, request.user.username),
        connect.seal())
    return _MAY_LEAVE if go_on(request, begun) else _KEEP_OPEN


def go_on(request: HttpRequest, found: switch_over.SwitchOver) -> bool:
    """Hand on what was begun or turned round; whether a worker is at it."""
    if not found.progress.trust_id:
        found = handoff.hand_on(request, found, switching.hand_on)
    if handoff.is_record_looked_after(request, found):
        return True
    try:
        switching.advance(connect.cloud(request), found, approves)
    except errors.ServiceError as error:
        LOG.info('A step of switch-over %s failed and will be tried again: '
                 '%s', found.plan.run_id, error)
    return False
