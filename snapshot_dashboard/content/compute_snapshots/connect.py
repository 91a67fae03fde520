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

"""From a Horizon request to a cloud."""

from collections.abc import Callable
import contextlib
import functools
from typing import Any

from django.conf import settings as django_settings
from django.http import HttpRequest
from django.http import HttpResponse
from django.template.response import SimpleTemplateResponse
from keystoneauth1 import session as keystone_session
from keystoneauth1 import token_endpoint

from horizon import exceptions as horizon_errors
from openstack_auth import utils as auth_utils
from openstack_dashboard.api import base

from snapshot_dashboard import settings
from snapshot_dashboard.cloud import breakers
from snapshot_dashboard.cloud import services
from snapshot_dashboard.content.compute_snapshots import memory
from snapshot_dashboard.runs import failures
from snapshot_dashboard.runs import record
from snapshot_dashboard.runs import seals

#: Spares services that hang, for all pages of this process.
BREAKER = breakers.Breaker()


def cloud(request: HttpRequest) -> services.Cloud:
    """The cloud as the request's user sees it in the current project.

    Horizon's client factories know no timeout and few microversions, and
    share their clients with Horizon's own pages; so the session is our own.
    The addresses, the region and the TLS settings are Horizon's.
    """
    made: services.Cloud = memory.once_per_request(
        request, ('cloud',), lambda: _cloud(request))
    return made


def _cloud(request: HttpRequest) -> services.Cloud:
    session = keystone_session.Session(
        auth=token_endpoint.Token(endpoint=None, token=request.user.token.id),
        verify=(not django_settings.OPENSTACK_SSL_NO_VERIFY
                and (django_settings.OPENSTACK_SSL_CACERT or True)),
        original_ip=auth_utils.get_client_ip(request),
        timeout=settings.get('TIMEOUT'))
    endpoints: dict[str, str] = {}
    for service, types in services.SERVICE_TYPES.items():
        for service_type in types:
            with contextlib.suppress(
                    horizon_errors.ServiceCatalogException):
                endpoints.setdefault(
                    service, base.url_for(request, service_type))
    return services.Cloud(session, endpoints, request.user.tenant_id, BREAKER,
                          memory.MEMORY, bool(request.user.is_superuser),
                          request.user.id)


def seal() -> seals.Seal:
    """What this Horizon seals its runs' records with."""
    return seals.Seal(django_settings.SECRET_KEY)


def approves(run: record.Run) -> bool:
    """Whether this Horizon wrote a run's plan, and nobody changed it since.

    Of one whose plan is not there, whether it was ours: nothing is done about
    it but to power its instance on again.
    """
    if run.tagged or (run.progress.failure
                      == failures.Failure.RECORD_LOST.value):
        return seal().made(run.plan.run_id, run.server.id)
    return seal().holds(run.plan.fingerprint, run.seal)


def log_out_if_expired(request: HttpRequest) -> None:
    """Send the user to the login when a service no longer knows the token.

    :raises NotAuthenticated: Horizon then shows the login.
    """
    if cloud(request).expired:
        raise horizon_errors.NotAuthenticated


def signed_in(view: Callable[..., HttpResponse]
              ) -> Callable[..., HttpResponse]:
    """A view that leads to the login when a service has lost the token.

    Also when that shows while its template is drawn.
    """
    @functools.wraps(view)
    def shown(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            response = view(request, **kwargs)
        finally:
            log_out_if_expired(request)
        if isinstance(response, SimpleTemplateResponse):
            response.add_post_render_callback(
                lambda response: log_out_if_expired(request))
        return response
    return shown
