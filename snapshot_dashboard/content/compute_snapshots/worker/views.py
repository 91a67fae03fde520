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

"""Ask for a worker, and hear whether one has answered."""

import logging
from typing import Any

from django.core import exceptions as django_exceptions
from django.core import signing
from django.http import HttpRequest
from django.http import HttpResponse
from django.http import JsonResponse
from django.utils.translation import gettext_lazy as _
from django.views import generic

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots.worker import handoff
from snapshot_dashboard.runs import delegate

LOG = logging.getLogger(__name__)
#: What was asked comes back from the page, signed: requests at the same time
#: overwrite each other's sessions.
_SALT = 'snapshot_dashboard.asked_at'
#: Seconds after which a question has no answer.
PATIENCE = 12
ALIVE = _("You need not keep Compute > Snapshots open: the snapshot is "
          "finished in the background.")
SILENT = _("No background worker has answered. Keep Compute > Snapshots open "
           "until the snapshot is finished. If you leave, it continues when "
           "you or another member of the project opens that page again.")
REFUSED = _("The background worker cannot finish this snapshot for you, "
            "because of your roles in this project or the way you signed in. "
            "Keep Compute > Snapshots open until the snapshot is finished. If "
            "you leave, it continues when you or another member of the "
            "project opens that page again.")


class WorkerView(generic.View):
    """Asks for a worker by POST, and says by GET whether it has answered."""

    def dispatch(self, request: HttpRequest, *args: Any,
                 **kwargs: Any) -> HttpResponse:
        if not handoff.address(request):
            raise django_exceptions.PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest) -> HttpResponse:
        if _is_known(request):
            return _say('alive', ALIVE)
        try:
            asked = delegate.probe(connect.cloud(request),
                                   handoff.delegation(request))
        except errors.Unavailable as error:
            LOG.warning('Probing for a worker failed: %s', error)
            return _say('silent', SILENT)
        except errors.NotFound as error:
            LOG.error('No run can be handed over to the worker: '
                      'WORKER_USER_ID is not the id of a user, or '
                      'WORKER_ROLE not the name of a role: %s', error)
            return _say('silent', SILENT)
        except errors.ServiceError as error:
            LOG.info('User %s cannot hand runs over to the worker: %s',
                     request.user.id, error)
            return _say('refused', REFUSED)
        handoff.remember_able(request)
        return _say('asked', asked=signing.dumps(asked, salt=_SALT))

    def get(self, request: HttpRequest) -> HttpResponse:
        if _is_known(request):
            return _say('alive', ALIVE)
        said = request.GET.get('asked', '')
        try:
            # What has expired is gone, too, and that is no answer.
            asked = signing.loads(said, salt=_SALT, max_age=PATIENCE)
        except signing.BadSignature:
            return _say('silent', SILENT)
        try:
            answered = connect.cloud(request).identity.is_gone(asked)
        except errors.ServiceError as error:
            LOG.info('Checking the answer of the worker failed: %s', error)
            answered = False
        if not answered:
            return _say('asked', asked=said)
        handoff.remember_answer(request)
        return _say('alive', ALIVE)


def _is_known(request: HttpRequest) -> bool:
    """Whether there is a worker, and this user can hand something on."""
    return (handoff.is_able(request)
            and handoff.is_alive(request, handoff.FRESH))


def _say(state: str, text: object = '', asked: str = '') -> JsonResponse:
    return JsonResponse({'state': state, 'text': str(text), 'asked': asked})
