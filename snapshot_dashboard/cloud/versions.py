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

"""Which microversion to speak: the newest that both sides know.

Every cloud that Horizon 27 is made for speaks what we want, so that is tried
first, and saves a call to each service. Only one that does not is asked.
"""

from collections.abc import Iterator
import contextlib
import re
import threading
import time

from keystoneauth1 import discover
from keystoneauth1 import session as keystone_session

from snapshot_dashboard.cloud import errors

#: Seconds after which a learned microversion is forgotten: the service may
#: have been upgraded.
_LIFETIME = 3600
_lock = threading.Lock()
_known: dict[str, tuple[float, tuple[int, int]]] = {}


def forget() -> None:
    """Forget the learned microversions, for tests."""
    with _lock:
        _known.clear()


def choose(endpoint: str, wanted: str) -> str:
    """The microversion to use at an endpoint, at most the wanted one."""
    with _lock:
        at, newest = _known.get(_root(endpoint), (0.0, (0, 0)))
    if newest == (0, 0) or time.monotonic() - at > _LIFETIME:
        return wanted
    major, minor = min(newest, _parse(wanted))
    return f'{major}.{minor}'


def newest(session: keystone_session.Session,
           endpoint: str) -> tuple[int, int]:
    """The newest microversion that a service speaks; (0, 0) if it does not
    tell.
    """
    root = _root(endpoint)
    if _known.get(root, (0.0,))[0] < time.monotonic() - _LIFETIME:
        _learn(session, endpoint)
    with _lock:
        return _known[root][1]


@contextlib.contextmanager
def learning(session: keystone_session.Session,
             endpoint: str) -> Iterator[None]:
    """After a 406, ask a service for its versions.

    Later calls use one that it supports.
    """
    try:
        yield
    except errors.ServiceError as error:
        if error.status == 406:
            # Should it not tell that either, nothing was learnt.
            with (contextlib.suppress(errors.ServiceError),
                  errors.translated(error.service)):
                _learn(session, endpoint)
        raise


def _learn(session: keystone_session.Session, endpoint: str) -> None:
    root = _root(endpoint)
    found = [version.get('version') or version.get('max_version') or ''
             for version in discover.get_version_data(session, root)]
    newest = max((_parse(text) for text in found if text), default=(0, 0))
    with _lock:
        _known[root] = (time.monotonic(), newest)


def _root(endpoint: str) -> str:
    """Cinder's endpoint ends with the project; the versions stand above."""
    return re.sub(r'(/v\d[^/]*)/.*$', r'\1', endpoint.rstrip('/'))


def _parse(text: str) -> tuple[int, int]:
    major, _, minor = text.partition('.')
    return int(major), int(minor or 0)
