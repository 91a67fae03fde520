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

"""A boot test's record, kept on the instance that boots.

It is written by the call that makes the instance, for Nova takes no metadata
of one that is being built or has failed. So there is never one without the
other. Any member of the project can write such a record, or copy one to
another instance. An instance is removed only where a worker has a trust for
just this one, or the record is sealed and the instance is what it says: as
old, and of that image.
"""

from collections.abc import Iterable
import dataclasses
import json
from typing import Any

from snapshot_dashboard.cloud import texts
from snapshot_dashboard.cloud import types
from snapshot_dashboard.inspection import console
from snapshot_dashboard.runs import record
from snapshot_dashboard.runs import seals

#: Not one of those of a run, which are cleared when one begins.
_PREFIX = 'snapshot_dashboard_boot_test'
PLAN = _PREFIX
SEAL = f'{_PREFIX}.seal'
VERDICT = f'{_PREFIX}.verdict'
_VERSION = 1
_TEXT = 64
#: Characters of a user's name that are kept: a value has 255 for all.
_USER = 32
#: Where the root disk is, by whether the snapshot is volume-backed.
_ROOTS = ('image', 'volume')
#: Seconds between the clocks of Horizon and Nova at the most.
_SKEW = 300


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is tested, and for how long.

    :ivar run_id: drawn for each.
    :ivar image_id: the snapshot.
    :ivar volume_backed: whether its root disk is a volume.
    :ivar of: the digest of what it holds (:mod:`.inspection.boot_reports`).
    :ivar began_at: in seconds since the epoch.
    :ivar seconds: for which the guest is waited for once it runs.
    :ivar requested_by: the name of the user who asked for it.
    """

    run_id: str
    image_id: str
    of: str
    began_at: int
    seconds: int
    requested_by: str = ''
    volume_backed: bool = False

    @property
    def fingerprint(self) -> str:
        """Tells this plan from any other, in 64 characters."""
        return seals.fingerprint(self)


@dataclasses.dataclass(frozen=True)
class BootTest:
    """A test as its instance records it.

    :ivar verdict: what was found; None while that is not known.
    :ivar found_at: when, in seconds since the epoch.
    """

    server: types.Server
    plan: Plan
    seal: str = ''
    verdict: console.Verdict | None = None
    found_at: int = 0

    @property
    def plausible(self) -> bool:
        """Whether the instance is one that was made when the record was, of
        the snapshot that it names, and without networks.
        """
        wanted = None if self.plan.volume_backed else self.plan.image_id
        return (self.server.image_id == wanted and not self.server.networked
                and abs(self.server.created - self.plan.began_at) <= _SKEW)

    @property
    def going(self) -> bool:
        """Whether Nova has taken the wish to remove the instance."""
        return self.server.task_state in ('deleting', 'soft-deleting') or (
            self.server.status in ('SOFT_DELETED', 'DELETED'))

    @property
    def log_fields(self) -> dict[str, str]:
        """The structured fields of log lines about it."""
        return {'run': self.plan.run_id, 'server': self.server.id}


def write(plan: Plan, seal: str) -> dict[str, str]:
    """The metadata of an instance that is made for a test."""
    return {SEAL: seal, PLAN: json.dumps({
        'v': _VERSION, 'id': plan.run_id, 'image': plan.image_id,
        'of': plan.of, 'at': plan.began_at, 'for': plan.seconds,
        'root': _ROOTS[plan.volume_backed], 'by': plan.requested_by},
        separators=(',', ':'), ensure_ascii=False)}


def write_verdict(verdict: console.Verdict, at: int) -> dict[str, str]:
    return {VERDICT: f'{verdict.value} {at}'}


def as_recorded(plan: Plan) -> Plan:
    """The same plan, without what there is no room for."""
    return dataclasses.replace(
        plan, requested_by=texts.usable(plan.requested_by)[:_USER])


def read(server: types.Server) -> BootTest | None:
    """The test that an instance is for; None if there is none.

    Whatever anybody wrote: what cannot be read is none.
    """
    if record.TEST_TAG not in server.tags:
        return None
    try:
        plan = _plan(json.loads(server.metadata.get(PLAN, '')))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    verdict, found_at = _verdict(server.metadata.get(VERDICT, ''))
    return BootTest(server, plan, server.metadata.get(SEAL, ''),
                    verdict, found_at)


def read_all(servers: Iterable[types.Server]) -> list[BootTest]:
    """The tests among instances."""
    return [test for test in map(read, servers) if test is not None]


def _plan(found: Any) -> Plan:
    if found['v'] != _VERSION:
        raise ValueError(found['v'])
    words = [found[name] for name in ('id', 'image', 'of', 'by')]
    numbers = [types.whole_number(str(found[name])) for name in ('at', 'for')]
    if not all(isinstance(word, str) and len(word) <= _TEXT
               for word in words) or None in numbers:
        raise ValueError(found)
    run_id, image_id, of, requested_by = words
    began_at, seconds = numbers
    return Plan(run_id, image_id, of, began_at or 0, seconds or 0,
                requested_by, bool(_ROOTS.index(found['root'])))


def _verdict(text: str) -> tuple[console.Verdict | None, int]:
    value, _, at = text.partition(' ')
    moment = types.whole_number(at)
    try:
        return (console.Verdict(value), moment) if moment else (None, 0)
    except ValueError:
        return None, 0
