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

"""Back to the list, also from a page whose snapshot cannot be had."""

from collections.abc import Iterator
import contextlib

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from horizon import exceptions
from horizon import messages

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.content.compute_snapshots import wording

#: The list.
INDEX = 'horizon:project:compute_snapshots:index'


_SESSION = 'snapshot_dashboard_list'
#: Characters that are kept: a session may be a cookie, of 4 KiB for all.
_KEPT = 800


def remember(request: HttpRequest, *addresses: str) -> None:
    """Keep how the list was looked at last, to come back to it.

    :param addresses: the part of an address that says so, and shorter ones
        for want of room: the first that has room is kept.
    """
    kept = next((text for text in addresses if len(text) <= _KEPT), '')
    value = [request.user.tenant_id, kept]
    if request.session.get(_SESSION) != value:
        request.session[_SESSION] = value


def list_address(request: HttpRequest) -> str:
    """Where the list is, as it was looked at last."""
    project, kept = request.session.get(_SESSION) or ('', '')
    if project != request.user.tenant_id:
        kept = ''  # of another one
    return f'{reverse(INDEX)}?{kept}' if kept else reverse(INDEX)


@contextlib.contextmanager
def to_index_on_error(request: HttpRequest) -> Iterator[None]:
    """Leave for the list, with a message, when a snapshot cannot be fetched.

    :raises Http302: when there is no such snapshot in this project, or its
        service does not tell.
    """
    try:
        yield
    except errors.NotFound:
        messages.error(request, _(
            "There is no such snapshot in this project. It may have been "
            "deleted."))
        raise exceptions.Http302(list_address(request)) from None
    except errors.ServiceError as error:
        messages.error(request, _(
            "This snapshot cannot be shown now. Nothing was changed. Error "
            "from %(service)s: %(detail)s") % wording.said(error))
        raise exceptions.Http302(list_address(request)) from None
