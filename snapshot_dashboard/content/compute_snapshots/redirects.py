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

"""What a page about one snapshot does when that cannot be looked at."""

from collections.abc import Iterator
import contextlib

from django.http import Http404
from django.urls import reverse

from horizon import exceptions
from horizon import messages

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots.detail import (
    wording as detail_wording,
)
from snapshot_dashboard.content.compute_snapshots.index import (
    tables as index_tables,
)


@contextlib.contextmanager
def or_leave(request) -> Iterator[None]:
    """Look at a snapshot, or leave for the list with a message.

    :raises Http404: when there is no such snapshot in this project.
    :raises Http302: when its service does not tell.
    """
    try:
        yield
    except errors.NotFound:
        raise Http404 from None
    except errors.ServiceError as error:
        connect.log_out_if_expired(error)
        messages.error(request, detail_wording.not_shown(error))
        raise exceptions.Http302(reverse(index_tables.INDEX)) from None
