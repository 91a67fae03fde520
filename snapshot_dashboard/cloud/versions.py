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

"""Which microversion to speak: the newest that both sides know."""

import re
import threading
import time

from keystoneauth1 import discover
from keystoneauth1 import session as keystone_session

#: Seconds after which a service is asked anew what it speaks.
_LIFETIME = 3600
_lock = threading.Lock()
_known: dict[str, tuple[float, tuple[int, int]]] = {}


def forget() -> None:
    """Ask all services anew."""
    with _lock:
        _known.clear()


def negotiate(session: keystone_session.Session, endpoint: str,
              wanted: str) -> str:
    """The microversion to use at an endpoint, at most the wanted one.

    What a service speaks is asked for once an hour, not at each page.
    """
    # Cinder's endpoint ends with the project; the versions stand above it.
    root = re.sub(r'(/v\d[^/]*)/.*$', r'\1', endpoint.rstrip('/'))
    with _lock:
        at, newest = _known.get(root, (0.0, (0, 0)))
    if time.monotonic() - at > _LIFETIME or newest == (0, 0):
        newest = _ask(session, root)
        with _lock:
            _known[root] = (time.monotonic(), newest)
    major, minor = min(newest, _parse(wanted))
    return f'{major}.{minor}'


def _ask(session: keystone_session.Session, root: str) -> tuple[int, int]:
    found = [version.get('version') or version.get('max_version') or ''
             for version in discover.get_version_data(session, root)]
    return max((_parse(text) for text in found if text), default=(0, 0))


def _parse(text: str) -> tuple[int, int]:
    major, _, minor = text.partition('.')
    return int(major), int(minor or 0)
