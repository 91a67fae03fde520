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
from collections.abc import Mapping
import contextlib
import html
import re
from typing import Any
from typing import TypeVar
from urllib import parse

from cinderclient import exceptions as cinder_errors
from glanceclient import exc as glance_errors
from keystoneauth1 import exceptions as keystone_errors
from novaclient import exceptions as nova_errors
import requests

from snapshot_dashboard.cloud import transport

_Key = TypeVar('_Key')
#: Characters of a service's own words that are kept: a sentence or two.
_WORDS = 200
#: How Nova and Cinder speak of a limit that is reached.
_LIMITS = re.compile(r'quota|exceed|maximum number|limit', re.IGNORECASE)
#: What services name requests: anything may stand in a header.
_REQUEST_ID = re.compile(r'req-[0-9a-f-]{36}')
#: Where a validator of Nova and Cinder goes on with a regular expression.
_PATTERN = re.compile(r' does not match .*', re.DOTALL)


def words(text: str) -> str:
    """A service's words as one line that may be logged and shown.

    They may echo what anybody wrote, or be a gateway's HTML page.
    """
    plain = _PATTERN.sub(' is not accepted', re.sub(r'<[^<>]*>', ' ', text))
    line = ' '.join(''.join(
        character if character.isprintable() else ' '
        for character in plain).split())
    return line if len(line) <= _WORDS else f'{line[:_WORDS - 1]}…'


class ServiceError(Exception):
    """A call to a service that did not give what was asked for.

    :ivar service: the service's type: compute, image, volume, network,
        identity.
    :ivar status: the HTTP status, or 0 when there was no answer.
    :ivar detail: the service's own words, for logs and as an addition to a
        sentence of ours; never to be shown alone.
    :ivar request_id: by which its operator finds the request in the logs;
        empty if the service did not name it.
    """

    request_id = ''

    def __init__(self, service: str, detail: str = '', status: int = 0):
        detail = words(detail)
        super().__init__(f'{service}: {detail}'
                         + (f' (HTTP {status})' if status else ''))
        self.service = service
        self.detail = detail
        self.status = status

    @property
    def report(self) -> str:
        """The service's own words, with the request that they are about."""
        return ' '.join(filter(None, (
            self.detail, self.request_id and f'[{self.request_id}]')))


class Unavailable(ServiceError):
    """Not in the catalogue, no answer in time, or an internal error."""


class TimedOut(Unavailable):
    """No answer in time.

    :ivar sick: the host of which that shows that it hangs: there was no
        connection to it, or no answer to a mere question.
    """

    def __init__(self, service: str, detail: str = '', status: int = 0,
                 sick: str = ''):
        super().__init__(service, detail, status)
        self.sick = sick


class Resting(TimedOut):
    """It was not asked, for it did not answer a moment ago.

    :ivar seconds: until it may be asked again.
    """

    def __init__(self, service: str, seconds: float):
        super().__init__(service, 'it did not answer a moment ago')
        self.seconds = seconds


class Throttled(Unavailable):
    """Not now: too many requests. It was not done, and may be asked later."""


class Unauthorized(ServiceError):
    """The token has expired or was revoked."""


class Forbidden(ServiceError):
    """Not allowed."""


class OverQuota(Forbidden):
    """A limit of the cloud is reached: more is not allowed."""


def lacks_rights(error: ServiceError) -> bool:
    """Whether asking again will not help until the user's rights change."""
    return isinstance(error, Forbidden) and not isinstance(error, OverQuota)


class NotFound(ServiceError):
    """There is no such thing, or it is not this project's."""


class Conflict(ServiceError):
    """The thing's state does not allow it now."""


class Refused(ServiceError):
    """Any other refusal: the request itself is not acceptable."""


def among(answers: Iterable[object],
          *but: type[ServiceError]) -> list[ServiceError]:
    """The errors among what calls at the same time came to.

    :param but: kinds that are none here, as ``NotFound`` where something may
        be gone.
    """
    return [answer for answer in answers if isinstance(answer, ServiceError)
            and not isinstance(answer, but)]


def without(answers: Mapping[_Key, Any]) -> dict[_Key, Any]:
    """The answers that are no errors, by the names of the calls."""
    return {name: answer for name, answer in answers.items()
            if not isinstance(answer, ServiceError)}


def deduplicate_by_service(
        problems: Iterable[ServiceError]) -> tuple[ServiceError, ...]:
    """One error of each service, the last."""
    return tuple({error.service: error for error in problems}.values())


_BY_STATUS: dict[int, type[ServiceError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    406: Unavailable,  # it is older than we thought, and was asked for that
    408: Throttled,
    409: Conflict,
    413: OverQuota,
    425: Throttled,
    429: Throttled,
}


def from_status(service: str, status: int, detail: str) -> ServiceError:
    """The error that an HTTP status stands for.

    Nova and Cinder answer 403 to what is not allowed and to what is beyond a
    quota, so their words tell. Cinder and Glance answer 413 to the latter,
    Nova only to too many requests.
    """
    kind = _BY_STATUS.get(
        status, Refused if 400 <= status < 500 else Unavailable)
    if status == 403 and _LIMITS.search(detail):
        kind = OverQuota
    if status == 413 and service == 'compute':
        kind = Throttled
    error = kind(service, detail, status)
    if _REQUEST_ID.fullmatch(transport.last_request_id()):
        error.request_id = transport.last_request_id()
    return error


def _status(code: object) -> int:
    """The HTTP status of a client's error.

    Glance's client has no number for statuses that it does not know.
    """
    text = str(code or '')
    return int(text) if text.isdigit() else transport.last_status()


@contextlib.contextmanager
def translated(service: str) -> Iterator[None]:
    """Turn the errors of any of the clients into a :class:`ServiceError`.

    So is an answer that is not what the API says: a gateway's page, or one
    that was cut off.
    """
    transport.forget()
    try:
        yield
    except (nova_errors.ClientException,
            cinder_errors.ClientException) as error:
        raise from_status(service, _status(error.code),
                          str(error.message or error)) from error
    except glance_errors.HTTPException as error:
        raise from_status(service, _status(error.code),
                          html.unescape(str(error.details or error))
                          ) from error
    except keystone_errors.HttpError as error:
        status = _status(error.http_status)
        raise from_status(service, status, str(error.message or error)
                          .replace(f' (HTTP {status})', '')) from error
    except (keystone_errors.ClientException,
            glance_errors.BaseException,
            requests.RequestException) as error:
        raise _unanswered(service, error) from error
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise _unreadable(service, error) from error


def _unanswered(service: str, error: Exception) -> ServiceError:
    """What it means that there was no answer, or none that was whole."""
    timeout = _timeout_behind(error)
    if timeout is None:
        return Unavailable(service, str(error))
    request = timeout.request
    if request is None:
        return TimedOut(service, str(error))
    address = parse.urlsplit(str(request.url))
    # Who asks for a token changes nothing.
    asking = request.method == 'GET' or address.path.endswith('/auth/tokens')
    return TimedOut(service, str(error), sick=address.netloc if asking or (
        isinstance(timeout, requests.ConnectTimeout)) else '')


def _timeout_behind(error: BaseException | None) -> requests.Timeout | None:
    """What a client has made its own error of."""
    while error is not None:
        if isinstance(error, requests.Timeout):
            return error
        error = error.__cause__ or error.__context__
    return None


def _unreadable(service: str, error: Exception) -> ServiceError:
    """What an answer means that a client or we stumbled over."""
    status = transport.last_status()
    if status >= 400:  # a page instead of an error's body
        return from_status(service, status, '')
    return Unavailable(service, f'an answer that cannot be read ({error!r})')
