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

"""Hand runs on to the worker, and remember whether there is one.

A worker shows that it is there by answering a probe (:mod:`.views`). The
answer counts for ``LIFETIME`` seconds, and only for the user who probed: a
user who deletes the own probe looks like a worker that answers, but deceives
nobody else.
"""

from collections.abc import Callable
import logging
import time
from typing import TypeVar

from django.http import HttpRequest
from django.urls import reverse

from snapshot_dashboard import settings
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots import memory
from snapshot_dashboard.content.compute_snapshots import permissions
from snapshot_dashboard.restores import restore
from snapshot_dashboard.runs import delegate
from snapshot_dashboard.runs import record
from snapshot_dashboard.runs import situation
from snapshot_dashboard.switch_overs import switch_over

LOG = logging.getLogger(__name__)
_Begun = TypeVar('_Begun', record.Run, restore.Restore,
                 switch_over.SwitchOver)
#: In the cache, with the ids of the worker and of the user who asked: when it
#: was last there.
_SEEN = 'snapshot_dashboard.worker_seen.'
#: In the cache, with the user's id and the project's: who could hand on.
_ABLE = 'snapshot_dashboard.able_to_hand_on.'
#: Seconds for which an answer counts. A page asks more often than that.
LIFETIME = 120
#: Seconds after which it is asked for anew.
FRESH = 30
#: Seconds without progress after which the page advances a run itself, though
#: a worker is there: longer than the worker's longest pause.
LAG = 120


def address(request: HttpRequest) -> str:
    """Where to ask for a worker; empty where the cloud has none."""
    if user_id(request) and permissions.can_advance(request):
        return reverse('horizon:project:compute_snapshots:worker')
    return ''


def user_id(request: HttpRequest) -> str:
    """Of the worker of the region that is looked at; empty without one."""
    configured = settings.get('WORKER_USER_ID')
    if isinstance(configured, str):
        return configured
    return configured.get(request.user.services_region, '')


def is_alive(request: HttpRequest, within: float = LIFETIME) -> bool:
    """Whether the worker has answered so many seconds ago at the most."""
    seen = memory.recall(_seen(request), 0)
    return time.time() - seen < within


def remember_answer(request: HttpRequest) -> None:
    """Remember that the worker is there."""
    memory.MEMORY.keep({_seen(request): time.time()}, LIFETIME)


def _seen(request: HttpRequest) -> str:
    return f'{_SEEN}{user_id(request)}.{request.user.id}'


def is_able(request: HttpRequest) -> bool:
    """Whether this user was able to hand something on a moment ago."""
    return memory.recall(_able(request), False)


def remember_able(request: HttpRequest) -> None:
    """Remember that this user is able to hand something on."""
    memory.MEMORY.keep({_able(request): True}, LIFETIME)


def _able(request: HttpRequest) -> str:
    return f'{_ABLE}{request.user.id}.{request.user.tenant_id}'


def is_looked_after(request: HttpRequest, run: record.Run) -> bool:
    """Whether a worker is at it, so that a page would only be in its way.

    Two that bring a run forward do no harm, but volume snapshots that both
    make have to be removed again. A worker may be there and yet not be able
    to go on, when the trust has expired or the user lost the role: that
    shows when Nova is at nothing, and nothing is done about it.
    """
    if not run.progress.trust_id or not is_alive(request):
        return False
    return bool(run.server.task_state) or is_at_work(
        request, max(run.progress.updated_at, run.server.updated))


def is_record_looked_after(request: HttpRequest, found: (
        restore.Restore | switch_over.SwitchOver)) -> bool:
    """Likewise, of what an image records."""
    return bool(found.progress.trust_id) and is_at_work(
        request, max(found.progress.updated_at, found.plan.began_at))


def is_at_work(request: HttpRequest, moved: float) -> bool:
    """Whether a worker is there, and something happened lately.

    :param moved: when it did, in seconds since the epoch.
    """
    # A clock that is ahead tells nothing.
    return is_alive(request) and (
        0 <= time.time() - moved + situation.AHEAD < LAG)


def hand_on(request: HttpRequest, begun: _Begun,
            how: Callable[[services.Cloud, _Begun, delegate.Delegation],
                          _Begun]) -> _Begun:
    """Hand on what was begun; it goes on attended if that fails."""
    if not user_id(request):
        return begun
    try:
        handed_on = how(connect.cloud(request), begun, delegation(request))
    except errors.ServiceError as error:
        LOG.info('Handing run %s over to the worker failed: %s',
                 begun.plan.run_id, error)
        return begun
    remember_able(request)
    return handed_on


def delegation(request: HttpRequest) -> delegate.Delegation:
    """How this user hands on what was begun in this project."""
    return delegate.Delegation(
        user_id=user_id(request), trustor_id=request.user.id,
        role=settings.get('WORKER_ROLE'),
        lifetime=settings.get('WORKER_TRUST_HOURS') * 3600)
