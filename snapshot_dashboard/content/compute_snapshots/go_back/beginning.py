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

"""Beginning a restore, as the form and the button of a card do it."""

from collections.abc import Collection
import datetime
import logging
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from snapshot_dashboard import marks
from snapshot_dashboard import settings
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import texts
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots.create import sources
from snapshot_dashboard.content.compute_snapshots.worker import handoff
from snapshot_dashboard.preflight import instance_facts
from snapshot_dashboard.restores import choices
from snapshot_dashboard.restores import restore
from snapshot_dashboard.restores import restoring
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import record

LOG = logging.getLogger(__name__)
#: Days for which the safety snapshot is wanted.
SAFETY_DAYS = 14
_MAY_LEAVE = _(
    '"%s" is going back to the snapshot. You need not keep Compute > '
    "Snapshots open: it is finished in the background.")
_KEEP_OPEN = _(
    '"%s" is going back to the snapshot. Keep Compute > Snapshots open until '
    "it is finished. If you leave, it continues when you or another member of "
    "the project opens that page again.")


def gather(request: HttpRequest, found: Any) -> choices.Facts:
    """The facts of a snapshot's instance.

    :raises ServiceError: when they cannot be had.
    """
    return choices.gather(connect.cloud(request), found,
                          settings.get('OVERWRITABLE_VOLUME_TYPES'),
                          decides=request.method == 'POST')


def submit(request: HttpRequest, facts: choices.Facts, *, safety: bool,
           run_again: bool, volumes: Collection[str] = ()) -> Any:
    """Begin it, and hand it on or take its first steps here.

    :param volumes: the ids of the volumes that are exchanged.
    :returns: the message of that, with a place for the instance's name.
    :raises Busy: when something is under way there already.
    :raises Unclear: when it is not known whether it was begun.
    :raises ServiceError: when it was not begun, as far as is known.
    """
    cloud, instance = connect.cloud(request), facts.instance
    if instance is None:
        raise errors.NotFound('compute', 'there is no instance')
    begun = restoring.begin(cloud, instance.server, restoring.Wish(
        facts.image, facts.disks,
        tuple(swap for swap in facts.swaps if swap.volume_id in volumes),
        run_again, request.user.username, int(settings.get('BEGIN_WITHIN')),
        instance.latest_request,
        _safety(request, instance) if safety else None), connect.seal())
    begun = handoff.hand_on(request, begun, restoring.hand_on)
    if handoff.is_record_looked_after(request, begun):
        return _MAY_LEAVE
    try:
        restoring.advance(cloud, begun, approves)
    except errors.ServiceError as error:
        LOG.info('The first step of restore %s failed and will be tried '
                 'again: %s', begun.plan.run_id, error)
    return _KEEP_OPEN


def approves(found: restore.Restore) -> bool:
    """Whether this Horizon wrote a restore's plan, unchanged since."""
    return restoring.approves(connect.seal(), found)


def _safety(request: HttpRequest,
            instance: instance_facts.Facts) -> record.Plan:
    """The plan of the run that saves the present state."""
    server = instance.server
    stamp = timezone.localtime().strftime('%Y-%m-%d-%H%M')
    ending = str(_("before going back %s") % stamp)
    name = texts.usable(server.name or server.id)[
        :texts.IMAGE_NAME_LENGTH - len(ending) - 1]
    until = timezone.localdate() + datetime.timedelta(days=SAFETY_DAYS)
    return lifecycle.new_plan(
        f'{name} {ending}', '', requested_by=request.user.username,
        server_id=server.id, seal=connect.seal(),
        power_off=server.status == 'ACTIVE', power_on=False,
        was_running=server.status == 'ACTIVE', purpose=marks.SAFETY,
        keep_until=until.isoformat(),
        shutdown_timeout=sources.shutdown_timeout(instance),
        snapshot_timeout=int(settings.get('SNAPSHOT_TIMEOUT')),
        begin_within=int(settings.get('BEGIN_WITHIN')),
        agent_announced=instance.agent, expected_seconds=instance.expected,
        volume_backed=server.volume_backed,
        without_recipe=not instance.has_room_for_recipe())
