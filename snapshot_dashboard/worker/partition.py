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

"""Partition the trusts among several workers.

Two workers on the same run do no harm; partitioning only saves calls. So a
worker that cannot reach the coordinator looks after all trusts, and joins
again when the coordinator has lost its memory. tooz' own partitioner does
neither.
"""

from collections.abc import Collection
import contextlib
import logging
import threading
import time
from typing import Any
from urllib import parse
import uuid

from tooz import coordination
from tooz import hashring

LOG = logging.getLogger(__name__)
_GROUP = b'snapshot-dashboard-workers'
#: Seconds between two looks at who is there.
_INTERVAL = 2.0
#: Seconds for which such a look counts, should the next one take its time.
_LIFETIME = 30.0
#: Seconds that leaving may take.
_PATIENCE = 5.0


class Share:
    """The partition of a worker that is alone: all trusts."""

    def of(self, trust_ids: Collection[str]) -> set[str]:
        """The trusts that belong to this worker."""
        return set(trust_ids)

    def leave(self) -> None:
        """Leave the group, so that the others take over at once."""


class Shared(Share):
    """The partition of a worker in a group, by a hash ring over its members.

    The members are looked up in a thread of its own, for a coordinator that
    hangs must not delay the work.

    :param url: the coordinator's, as tooz documents it for its drivers.
    :raises ValueError: when there is no such driver, or it cannot be loaded.
    """

    def __init__(self, url: str):
        self._url = url
        self._name = uuid.uuid4().hex.encode()
        try:
            coordination.get_coordinator(url, self._name)
        except Exception as error:
            raise ValueError(self._hiding(
                f'{url} is no coordinator for tooz: {error}')) from error
        self._coordinator: Any = None
        #: The ring as it was at the last look; None when it is not known.
        self._ring: hashring.HashRing | None = None
        self._looked = 0.0
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _hiding(self, text: str) -> str:
        """A text for the log, which may name the coordinator's address."""
        password = parse.urlsplit(self._url).password or ''
        for secret in filter(None, {password, parse.unquote(password)}):
            text = text.replace(secret, '***')
        return text

    def of(self, trust_ids: Collection[str]) -> set[str]:
        ring = self._ring
        if ring is None or time.monotonic() - self._looked > _LIFETIME:
            return set(trust_ids)
        return {trust_id for trust_id in trust_ids
                if self._name in ring.get_nodes(trust_id.encode())}

    def leave(self) -> None:
        self._leaving.set()
        self._thread.join(_PATIENCE)

    def _watch(self) -> None:
        while not self._leaving.is_set():
            # Each driver has errors of its own, and none may stop us.
            try:
                self._ring = hashring.HashRing(self._members())
                self._looked = time.monotonic()
            except Exception as error:  # noqa: BLE001
                self._ring = None
                LOG.warning('The coordinator does not answer, so this worker '
                            'looks after everything: %s',
                            self._hiding(str(error)))
            self._leaving.wait(_INTERVAL)
        if self._ring is not None:
            with contextlib.suppress(Exception):
                self._coordinator.leave_group(_GROUP).get()
                self._coordinator.stop()

    def _members(self) -> set[bytes]:
        """Who is there, this one among them."""
        if self._coordinator is None:
            coordinator = coordination.get_coordinator(self._url, self._name)
            coordinator.start(start_heart=True)
            self._coordinator = coordinator
        try:
            members = set(self._coordinator.get_members(_GROUP).get())
        except coordination.GroupNotCreated:
            members = set()
        # On the first pass, or after the coordinator lost our membership.
        if self._name not in members:
            self._coordinator.join_group_create(_GROUP)
            members.add(self._name)
        return members
