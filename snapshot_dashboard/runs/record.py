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

"""A run: what was asked for, and how far it went."""

import dataclasses
import datetime
import hashlib
import json

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import types
from snapshot_dashboard.runs import failures

#: On a server with a record, until that is dismissed; and while it is open.
TAG = 'snapshot-dashboard'
OPEN_TAG = f'{TAG}.open'
#: On an instance that is there for a boot test alone.
TEST_TAG = f'{TAG}.boot-test'
#: On an instance that was put back to a snapshot, until that is dismissed;
#: with the id of the snapshot's image; and while it is under way, by whether
#: it is to run again then.
RESTORE_TAG = 'snapshot-dashboard-restore'
RESTORE_OF = 'snapshot-dashboard-of:'
RESTORING = 'snapshot-dashboard-restoring'
RESTORING_ON = 'snapshot-dashboard-restoring-on'
#: On both instances of a switch-over, until that is dismissed; with the id of
#: the image that records it; and while it is under way.
SWITCH_TAG = 'snapshot-dashboard-switch'
SWITCH_OF = 'snapshot-dashboard-sw:'
SWITCHING = 'snapshot-dashboard-switching'
#: With a run's id: it was cancelled; it has powered the instance off, which
#: is to run again; it has powered it on, of which there was no room for a
#: note; it was dismissed, and the metadata that may still be there count no
#: more.
CANCELLED = f'{TAG}.cancel:'
OWED = f'{TAG}.owed:'
STARTED = f'{TAG}.started:'
DISMISSED = f'{TAG}.gone:'
#: How often one write is tried that has no effect.
TRIES = 3


def is_being_restored(server: types.Server) -> bool:
    """Whether a server is being put back to a snapshot, as far as its tags
    say.
    """
    return bool({RESTORING, RESTORING_ON} & set(server.tags))


def is_switching(server: types.Server) -> bool:
    """Whether a server's addresses are moving, as far as its tags say."""
    return SWITCHING in server.tags


@dataclasses.dataclass(frozen=True)
class Plan:
    """What the user asked for. It never changes during a run.

    :ivar server_id: the server that it is for: a record that was copied to
        another one is none.
    :ivar power_off: power the running instance off first.
    :ivar power_on: power it on again afterwards.
    :ivar was_running: whether the instance ran when this was asked for.
    :ivar captures_image: whether the instance is captured, and not its
        volumes alone.
    :ivar volume_backed: whether the root disk is a volume, which Nova does
        not show of an instance that was launched from a set.
    :ivar keep_until: the last day on which it is wanted, as ``2026-01-31``;
        empty for no end.
    :ivar protect: whether the image is to be protected from deletion.
    :ivar without_recipe: whether the image has no room for how the instance
        is.
    :ivar purpose: what it is meant for, one of ``marks.PURPOSES`` or nothing.
    :ivar keep_count: how many snapshots of the instance its owner wants to
        keep; 0 for all.
    :ivar began_at: when it was asked for.
    :ivar begin_within: seconds after which nothing of it is begun any more.
    :ivar requested_by: the name of the user who asked for it.
    :ivar volumes: the ids of the attached volumes that are captured with an
        image-backed instance, or alone.
    :ivar stop_if_forced: power on again and take no snapshot, should the
        guest not shut down by itself.
    :ivar shutdown_timeout: seconds that the guest has for that.
    :ivar snapshot_timeout: seconds after which a volume snapshot that Cinder
        is still at counts as failed, and a capture that is refused for now.
    :ivar agent_announced: whether the image announces a guest agent.
    :ivar expected_seconds: how long the saving took earlier; 0 if not known.
    """

    run_id: str
    name: str = ''
    description: str = ''
    power_off: bool = False
    power_on: bool = False
    began_at: int = 0
    requested_by: str = ''
    volumes: tuple[str, ...] = ()
    stop_if_forced: bool = False
    shutdown_timeout: int = 60
    snapshot_timeout: int = 600
    agent_announced: bool = False
    expected_seconds: int = 0
    was_running: bool = False
    captures_image: bool = True
    volume_backed: bool = False
    purpose: str = ''
    keep_count: int = 0
    keep_until: str = ''
    protect: bool = False
    without_recipe: bool = False
    begin_within: int = 3600
    server_id: str = ''

    @property
    def to_run_again(self) -> bool:
        """Whether the instance is to run when this is over."""
        return self.power_on if self.power_off else self.was_running

    def expiry(self, thing_id: str) -> dict[str, str]:
        """The marks of what is made that say until when it is wanted."""
        return marks.write_expiry(datetime.date.fromisoformat(
            self.keep_until), thing_id) if self.keep_until else {}

    @property
    def fingerprint(self) -> str:
        """Tells this plan from any other, in 64 characters."""
        return hashlib.sha256(json.dumps(
            dataclasses.asdict(self), sort_keys=True).encode()).hexdigest()


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far it went. Times are seconds since the epoch, 0 for not yet.

    Each field is an item of its own, and only what changes is written, so
    that who knows less than another does not undo what that one noted. All
    are there from the beginning: so no quota of items is met on the way.

    What ends in ``_at`` or ``_since`` is such a time, and what ends in
    ``_count`` says how often something was asked for.

    :ivar begin_request: the latest request on the server when it was asked
        for; empty if that is not known.
    :ivar baseline_request: the latest request on the server when the run
        first powered it off or saw it off.
    :ivar attempt: drawn anew whenever something is asked for that must be
        seen to its end: powering off, or a capture.
    :ivar stop_count: of powering off.
    :ivar off_at: when the instance was first seen off, ready for the capture.
    :ivar stop_request: the request that had powered it off by then, if any.
    :ivar consistency: how it was then, one of the values in ``marks``.
    :ivar snapshot_count: of snapshots of the chosen volumes.
    :ivar capture_count: of captures of the instance.
    :ivar asked_at: when a write was sent whose answer is not known.
    :ivar put_off_count: how often in a row a service did not want it now.
    :ivar refusal_count: how often in a row it did not want it at all.
    :ivar not_before: when what a service did not want may be tried again.
    :ivar hindrance: what the service said to that.
    :ivar first_capture_at: when a capture was first asked for.
    :ivar image_id: the image that Nova named.
    :ivar unseen_since: since when that image is not to be found.
    :ivar idle_since: since when Nova has been doing nothing about an image
        that is not finished, or has shown an instance running that nobody is
        known to have started.
    :ivar mark_count: of putting right the marks of what was made.
    :ivar captured_at: when the snapshot was whole.
    :ivar start_count: of powering on.
    :ivar removal_count: of removing what is left.
    :ivar removed_calls: the images that the run removed, each by the call
        that made it (:func:`.journal.bearer`). Whatever else bears the mark
        of that call has inherited it.
    :ivar failure: the code of what went wrong, else empty.
    :ivar detail: what the service said to that.
    :ivar leftover_ids: what could not be removed after a failure.
    :ivar removed_at: when the owner had the leftovers removed.
    :ivar ended_at: when the run was closed.
    :ivar closed_attempt: the attempt that its closer knew of. It is not
        closed if there was another since.
    :ivar trust_id: the trust by which a worker goes on with it.
    :ivar updated_at: when this was last written.
    """

    begin_request: str = ''
    baseline_request: str = ''
    attempt: str = ''
    stop_count: int = 0
    off_at: int = 0
    stop_request: str = ''
    consistency: str = ''
    snapshot_count: int = 0
    capture_count: int = 0
    asked_at: int = 0
    put_off_count: int = 0
    refusal_count: int = 0
    not_before: int = 0
    hindrance: str = ''
    first_capture_at: int = 0
    image_id: str = ''
    unseen_since: int = 0
    idle_since: int = 0
    mark_count: int = 0
    captured_at: int = 0
    start_count: int = 0
    removal_count: int = 0
    removed_calls: str = ''
    failure: str = ''
    detail: str = ''
    leftover_ids: str = ''
    removed_at: int = 0
    ended_at: int = 0
    closed_attempt: str = ''
    trust_id: str = ''
    updated_at: int = 0


@dataclasses.dataclass(frozen=True)
class Run:
    """A run as its server records it.

    :ivar noted: the progress as it stands in the metadata; tags and readers
        may know more.
    :ivar seal: what shows who wrote the plan.
    :ivar tagged: the record stands in tags.
    :ivar lost: somebody took the record away, and tags tell what is owed.
    :ivar superseded: the server records this run no more: it was dismissed,
        or another one follows it.
    """

    server: types.Server
    plan: Plan
    progress: Progress
    seal: str = ''
    noted: Progress = Progress()
    tagged: bool = False
    lost: bool = False
    superseded: bool = False

    @property
    def open(self) -> bool:
        return not (self.progress.ended_at or self.superseded)

    @property
    def indexed(self) -> bool:
        """Whether its tags find it, as long as it is open."""
        return {TAG, OPEN_TAG} <= set(self.server.tags)

    @property
    def cancelled(self) -> bool:
        """Whether its user gave it up."""
        return self.progress.failure == failures.Failure.CANCELLED.value

    @property
    def copied(self) -> bool:
        """Whether the record is about another server."""
        return self.plan.server_id not in ('', self.server.id)

    @property
    def log_fields(self) -> dict[str, str]:
        """The structured fields of log lines about the run."""
        return {'run': self.plan.run_id, 'server': self.server.id}

    @property
    def cancel_tag(self) -> str:
        return CANCELLED + self.plan.run_id

    @property
    def owed_tag(self) -> str:
        return OWED + self.plan.run_id

    @property
    def started_tag(self) -> str:
        return STARTED + self.plan.run_id

    @property
    def dismissed_tag(self) -> str:
        return DISMISSED + self.plan.run_id

    def failed(self, failure: failures.Failure) -> 'Run':
        """The same run, which does nothing more than bring back what it
        took away.
        """
        return dataclasses.replace(self, progress=dataclasses.replace(
            self.progress, failure=failure.value))
