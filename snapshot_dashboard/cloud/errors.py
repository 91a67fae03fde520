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

"""What can go wrong with a service, in one family whatever the client."""

from collections.abc import Iterable
from collections.abc import Iterator
import contextlib

from cinderclient import exceptions as cinder_errors
from glanceclient import exc as glance_errors
from keystoneauth1 import exceptions as keystone_errors
from novaclient import exceptions as nova_errors
import requests


class ServiceError(Exception):
    """A call to a service that did not give what was asked for.

    :ivar service: the service's type: compute, image, volume, network,
        identity.
    :ivar status: the HTTP status, or 0 when there was no answer.
    :ivar detail: the service's own words, for logs and as an addition to a
        sentence of ours; never to be shown alone.
    """

    def __init__(self, service: str, detail: str = '', status: int = 0):
        super().__init__(f'{service}: {detail}'
                         + (f' (HTTP {status})' if status else ''))
        self.service = service
        self.detail = detail
        self.status = status


class Unavailable(ServiceError):
    """Not in the catalogue, no answer in time, or an internal error."""


class TimedOut(Unavailable):
    """No answer in time: it may hang."""


class Unauthorized(ServiceError):
    """The token has expired or was revoked."""


class Forbidden(ServiceError):
    """Not allowed, or over quota: Nova and Cinder say 403 for both."""


class NotFound(ServiceError):
    """There is no such thing, or it is not this project's."""


class Conflict(ServiceError):
    """The thing's state does not allow it now."""


class Refused(ServiceError):
    """Any other refusal: the request itself is not acceptable."""


def once_each(problems: Iterable[ServiceError]) -> tuple[ServiceError, ...]:
    """One error of each service, the last."""
    return tuple({error.service: error for error in problems}.values())


_BY_STATUS: dict[int, type[ServiceError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: Forbidden,  # over quota, in Cinder
}


def from_status(service: str, status: int, detail: str) -> ServiceError:
    if status in _BY_STATUS:
        return _BY_STATUS[status](service, detail, status)
    if status == 406:  # it is older than we thought, and was asked for that
        return Unavailable(service, detail, status)
    kind = Refused if 400 <= status < 500 else Unavailable
    return kind(service, detail, status)


@contextlib.contextmanager
def translated(service: str) -> Iterator[None]:
    """Turn the errors of any of the clients into a :class:`ServiceError`."""
    try:
        yield
    except (nova_errors.ClientException,
            cinder_errors.ClientException) as error:
        raise from_status(service, int(error.code or 0),
                          str(error.message or error)) from error
    except glance_errors.HTTPException as error:
        raise from_status(service, int(error.code or 0),
                          str(error.details or error)) from error
    except keystone_errors.HttpError as error:
        status = int(error.http_status or 0)
        raise from_status(service, status, str(error.message or error)
                          .replace(f' (HTTP {status})', '')) from error
    except (keystone_errors.ConnectTimeout, requests.Timeout) as error:
        raise TimedOut(service, str(error)) from error
    except (keystone_errors.ClientException,
            glance_errors.BaseException,
            requests.RequestException) as error:
        raise Unavailable(service, str(error)) from error
