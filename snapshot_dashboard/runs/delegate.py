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

"""Hand a run on to the worker, so that it goes on when nobody looks."""

import contextlib
import dataclasses
import secrets
import time

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import identity
from snapshot_dashboard.cloud import services
from snapshot_dashboard.runs import execute
from snapshot_dashboard.runs import record

#: Seconds until a probe expires that no worker has answered.
PROBE_LIFETIME = 60
#: ``remaining_uses`` of a probe's trust. The trust of a run has no limit, so
#: having one marks the probe. It must never be used up: a trust that is used
#: up looks like one that was answered.
_PROBE_USES = 1000


@dataclasses.dataclass(frozen=True)
class Delegation:
    """Whom a user of a project can hand a run on to.

    :ivar user_id: the worker's user.
    :ivar trustor_id: the user who hands it on.
    :ivar role: the name of the role that the worker gets; the user has it.
    :ivar lifetime: seconds after which it has that role no longer.
    """

    user_id: str
    trustor_id: str
    role: str
    lifetime: float


def hand_on(cloud: services.Cloud, run: record.Run, worker: Delegation,
            clock: execute.Clock = time.time) -> record.Run:
    """Create a trust for a run that was begun, and note its id in the record.

    The trust names the run and its plan, so a worker does nothing else by
    it, whatever anybody writes into the record. The record is written before
    the trust is created: a worker that finds a trust without a record knows
    that the trust is no longer needed.

    :raises ServiceError: when nothing was handed on; the run goes on without
        a worker.
    """
    made = trust(cloud, worker, clock, identity.Errand(
        run.plan.run_id, run.server.id, run.plan.fingerprint))
    try:
        return execute.note(cloud, run, int(clock()), dataclasses.replace(
            run.progress, trust_id=made.id))
    except (errors.ServiceError, execute.Superseded):
        with contextlib.suppress(errors.ServiceError):
            cloud.identity.delete_trust(made.id)
        raise


def probe(cloud: services.Cloud, worker: Delegation,
          clock: execute.Clock = time.time) -> str:
    """Ask whether a worker is there, by a trust that no run needs.

    A worker gets a token of it at its next look at its trusts and sees
    whether it can reach what a run needs. If so, it takes the trust back
    (:meth:`Identity.is_gone`). It also shows whether this user can make
    trusts at all.

    :returns: the id of the trust; it expires soon.
    :raises ServiceError: when this user cannot hand anything on.
    """
    return trust(cloud, worker, clock, identity.Errand(
        lasts=str(int(worker.lifetime))), PROBE_LIFETIME, _PROBE_USES).id


def trust(cloud: services.Cloud, worker: Delegation, clock: execute.Clock,
          errand: identity.Errand, lifetime: float = 0,
          uses: int | None = None) -> identity.Trust:
    """Create a trust for an errand.

    :param lifetime: seconds; as long as for any other where that is not said.
    :param uses: how many tokens can be got by it; None for any number.
    :raises ServiceError: when this user cannot hand anything on.
    """
    lifetime = lifetime or worker.lifetime
    # Keystone takes two with the same expiry for one, to the microsecond.
    expires = clock() + lifetime + secrets.randbelow(10 ** 6) / 10 ** 6
    return cloud.identity.create_trust(
        worker.trustor_id, worker.user_id, cloud.project_id, worker.role,
        expires, errand, uses)
