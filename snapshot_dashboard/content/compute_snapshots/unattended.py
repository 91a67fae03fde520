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

"""Hand runs on to the worker, and find out whether there is one.

A worker shows that it is there by answering a question (``delegate.ask``).
The answer counts for a minute, for all users of this Horizon.
"""

import logging

from django.core import cache
from django.core import exceptions as django_exceptions
from django.core import signing
from django.http import JsonResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views import generic

from snapshot_dashboard import cloud as clouds
from snapshot_dashboard import settings
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots import rights
from snapshot_dashboard.runs import delegate
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import take

LOG = logging.getLogger(__name__)
#: In the cache: a worker was there a moment ago.
_SEEN = 'snapshot_dashboard.worker_seen'
#: What was asked comes back from the page, signed: requests at the same time
#: overwrite each other's sessions.
_SALT = 'snapshot_dashboard.asked'
#: Seconds for which an answer counts.
ANSWER_LIFETIME = 60
#: Seconds after which a question has no answer.
PATIENCE = 12
ALIVE = _("You may leave this page while the snapshot is under way: it is "
          "seen through without you.")
SILENT = _("Nobody answers who would see it through without you. Keep this "
           "page open until the snapshot is finished. Should you leave, it "
           "goes on when you or another member of the project comes back.")
REFUSED = _("The way you signed in does not let you hand it on. Keep this "
            "page open until the snapshot is finished. Should you leave, it "
            "goes on when you or another member of the project comes back.")


def address(request) -> str:
    """Where to ask for a worker; empty where the cloud has none."""
    if settings.get('WORKER_USER_ID') and rights.can_advance(request):
        return reverse('horizon:project:compute_snapshots:worker')
    return ''


def is_alive() -> bool:
    """Whether a worker has answered a moment ago."""
    return bool(cache.cache.get(_SEEN))


def is_looked_after(run: journal.Journal) -> bool:
    """Whether a worker is at it, so that a page would only be in its way.

    Two that bring a run forward do no harm, but volume snapshots that both
    make have to be removed again.
    """
    return bool(run.progress.trust) and is_alive()


def hand_on(request, cloud: clouds.Cloud,
            run: journal.Journal) -> journal.Journal:
    """Hand a run on that was begun; it goes on attended if that fails."""
    if not settings.get('WORKER_USER_ID'):
        return run
    try:
        return delegate.hand_on(cloud, run, _worker(request))
    except (errors.ServiceError, take.Superseded) as error:
        LOG.info('Run %s is not handed on: %s', run.plan.run_id, error)
        return run


def _worker(request) -> delegate.Worker:
    return delegate.Worker(
        user_id=settings.get('WORKER_USER_ID'), trustor_id=request.user.id,
        role=settings.get('WORKER_ROLE'),
        lifetime=settings.get('WORKER_TRUST_HOURS') * 3600)


class WorkerView(generic.View):
    """Asks for a worker by POST, and says by GET whether it has answered."""

    def dispatch(self, request, *args, **kwargs):
        if not address(request):
            raise django_exceptions.PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def post(self, request):
        if is_alive():
            return _say('alive', ALIVE)
        try:
            asked = delegate.ask(connect.cloud(request), _worker(request))
        except errors.Unavailable as error:
            LOG.warning('A worker could not be asked for: %s', error)
            return _say('silent', SILENT)
        except errors.ServiceError as error:
            connect.log_out_if_expired(error)
            LOG.info('User %s cannot hand on: %s', request.user.id, error)
            return _say('refused', REFUSED)
        return _say('asked', asked=signing.dumps(asked, salt=_SALT))

    def get(self, request):
        if is_alive():
            return _say('alive', ALIVE)
        said = request.GET.get('asked', '')
        try:
            # What has expired is gone, too, and that is no answer.
            asked = signing.loads(said, salt=_SALT, max_age=PATIENCE)
        except signing.BadSignature:
            return _say('silent', SILENT)
        try:
            answered = connect.cloud(request).identity.is_used_up(asked)
        except errors.ServiceError as error:
            LOG.info('Has a worker answered? %s', error)
            answered = False
        if not answered:
            return _say('asked', asked=said)
        cache.cache.set(_SEEN, True, ANSWER_LIFETIME)
        return _say('alive', ALIVE)


def _say(state: str, text: object = '', asked: str = '') -> JsonResponse:
    return JsonResponse({'state': state, 'text': str(text), 'asked': asked})
