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

"""What puts an instance back to a snapshot, and how far that is.

The record stands on the snapshot's image: the only thing that takes a note
while the instance is shelved, being rebuilt or in error. Tags on the instance
are its index, set while it takes them: they lead to the image.

Nova hands an image's properties on to what is made of it, and copies have
them too, so a record counts on the image that it names alone. Any member of
the project can write one: it is carried out where it is sealed, or where a
worker has a trust for just this plan.
"""

from collections.abc import Mapping
import dataclasses
import enum
import json
import re
from typing import Any

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import ids
from snapshot_dashboard.cloud import types
from snapshot_dashboard.runs import image_records
from snapshot_dashboard.runs import record
from snapshot_dashboard.runs import seals

PLAN = marks.RESTORE
SEAL = f'{PLAN}_seal'
_PROGRESS = marks.RESTORE_PROGRESS
_VERSION = 1
_RUN_ID = re.compile('[0-9a-f]{32}')
#: Characters of a text of the plan.
_TEXT = 255
#: Volumes that one instance can have; Nova has no limit of its own.
_VOLUMES = 64


class Failure(enum.Enum):
    """Why an instance was not put back."""

    CANCELLED = 'cancelled'
    NOT_BEGUN = 'not-begun'
    SERVER_GONE = 'server-gone'
    SAFETY_FAILED = 'safety-failed'
    STOP_FAILED = 'stop-failed'
    STARTED_BY_OTHERS = 'started-by-others'
    CHANGED_BY_OTHERS = 'changed-by-others'
    WRONG_STATE = 'wrong-state'
    REFUSED = 'refused'
    REBUILD_FAILED = 'rebuild-failed'
    COPY_FAILED = 'copy-failed'
    VOLUME_FAILED = 'volume-failed'
    SWAP_FAILED = 'swap-failed'
    RECORD_LOST = 'record-lost'


@dataclasses.dataclass(frozen=True)
class Disk:
    """A volume that is overwritten, and with what.

    :ivar root: whether the instance boots from it.
    :ivar bootable: whether Cinder called it so before.
    """

    volume_id: str
    snapshot_id: str
    size_gib: int
    root: bool = False
    bootable: bool = False


@dataclasses.dataclass(frozen=True)
class Swap:
    """A volume in whose place comes a new one, made of a snapshot of it.

    :ivar size_gib: of the new one.
    :ivar device: what the instance calls it.
    :ivar deleted_with: whether it is deleted with the instance.
    """

    volume_id: str
    snapshot_id: str
    size_gib: int
    name: str = ''
    device: str = ''
    deleted_with: bool = False


#: Of a step that is about no volume.
NO_DISK = Disk('', '', 0)
NO_SWAP = Swap('', '', 0)


@dataclasses.dataclass(frozen=True)
class Plan:
    """What the user asked for. It never changes.

    :ivar image_id: the snapshot; empty where volumes alone are exchanged.
    :ivar home_id: the image that the record stands on: the snapshot's own,
        one that was made for it where volumes alone are exchanged, and for an
        instance in error the one that its tags lead to.
    :ivar rebuilds: whether the local root disk of an image-backed instance is
        overwritten.
    :ivar disks: the volumes of a volume-backed instance that are overwritten.
    :ivar swaps: the volumes that are exchanged.
    :ivar safety_run: the id of the run that takes a snapshot of the present
        state first; empty for none.
    :ivar safety_plan: the fingerprint of that run's plan.
    :ivar run_again: whether the instance is to run afterwards.
    :ivar was_running: whether it ran when this was asked for.
    :ivar protect: whether the image was not protected, and is only as long
        as it is needed.
    :ivar latest_request: on the instance when this was asked for; empty if
        that is not known.
    :ivar began_at: in seconds since the epoch.
    :ivar begin_within: seconds after which nothing of it is begun.
    :ivar requested_by: the name of the user who asked for it.
    """

    run_id: str
    image_id: str
    home_id: str
    server_id: str
    server_name: str = ''
    rebuilds: bool = True
    disks: tuple[Disk, ...] = ()
    swaps: tuple[Swap, ...] = ()
    safety_run: str = ''
    safety_plan: str = ''
    run_again: bool = False
    was_running: bool = False
    protect: bool = False
    latest_request: str = ''
    began_at: int = 0
    begin_within: int = 3600
    requested_by: str = ''

    @property
    def fingerprint(self) -> str:
        """Tells this plan from any other, in 64 characters."""
        return seals.fingerprint(self)


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far it is. Times are seconds since the epoch, 0 for not yet.

    Each field is a property of its own, and only what changes is written.

    :ivar safety_id: the image of the safety snapshot, when that was whole.
    :ivar stop_count: how often it was asked to power the instance off.
    :ivar off_at: when the instance was seen off, ready to be overwritten.
    :ivar asked_at: when a write was sent whose answer is not known.
    :ivar put_off_count: how often in a row a service did not want it now.
    :ivar put_off_since: since when.
    :ivar refusal_count: how often in a row it did not want it at all.
    :ivar not_before: when it may be asked again.
    :ivar hindrance: what the service said to that.
    :ivar overwrite_at: when it was first asked to overwrite or detach a disk.
    :ivar rebuild_count: of requests to rebuild.
    :ivar rebuilt_at: when the root disk was seen to be overwritten.
    :ivar create_count: of requests for new volumes.
    :ivar swap_count: of requests to detach and attach volumes.
    :ivar shelve_count: of requests to shelve.
    :ivar copy_count: of requests to overwrite the present volume.
    :ivar label_count: of taking from volumes what they are not.
    :ivar unshelve_count: of requests to unshelve.
    :ivar restored_at: when the instance was back.
    :ivar start_count: of requests to power on.
    :ivar unseen_since: since when the instance is not to be found.
    :ivar failure: the code of what went wrong.
    :ivar detail: what the service said to that.
    :ivar ended_at: when it was over.
    :ivar trust_id: the trust by which a worker goes on with it.
    :ivar updated_at: when this was last written.
    """

    safety_id: str = ''
    stop_count: int = 0
    off_at: int = 0
    asked_at: int = 0
    put_off_count: int = 0
    put_off_since: int = 0
    refusal_count: int = 0
    not_before: int = 0
    hindrance: str = ''
    overwrite_at: int = 0
    rebuild_count: int = 0
    rebuilt_at: int = 0
    create_count: int = 0
    swap_count: int = 0
    shelve_count: int = 0
    copy_count: int = 0
    label_count: int = 0
    unshelve_count: int = 0
    restored_at: int = 0
    start_count: int = 0
    unseen_since: int = 0
    failure: str = ''
    detail: str = ''
    ended_at: int = 0
    trust_id: str = ''
    updated_at: int = 0


@dataclasses.dataclass(frozen=True)
class Restore:
    """A restore as it is recorded.

    :ivar seal: what shows who wrote the plan.
    :ivar lost: the image is gone, and the record with it.
    """

    plan: Plan
    progress: Progress = Progress()
    seal: str = ''
    lost: bool = False

    @property
    def open(self) -> bool:
        return not self.progress.ended_at

    @property
    def cancelled(self) -> bool:
        return self.progress.failure == Failure.CANCELLED.value

    @property
    def can_cancel(self) -> bool:
        """Whether nothing was overwritten yet, so that it may be given up."""
        progress = self.progress
        return not (progress.overwrite_at or progress.failure
                    or progress.ended_at)

    @property
    def log_fields(self) -> dict[str, str]:
        """The structured fields of log lines about it."""
        return {'run': self.plan.run_id, 'server': self.plan.server_id}


#: What stands in lists in a plan.
_LISTS: dict[str, type[Disk] | type[Swap]] = {'disks': Disk, 'swaps': Swap}


def write(plan: Plan, seal: str) -> dict[str, str]:
    """The properties of an image that a restore begins with."""
    return {PLAN: json.dumps({
        'v': _VERSION, **{
            name: value for name, value in dataclasses.asdict(plan).items()
            if name not in _LISTS},
        **{name: [dataclasses.astuple(one) for one in getattr(plan, name)]
           for name in _LISTS}},
        separators=(',', ':')), SEAL: seal,
        **image_records.blank(Progress, _PROGRESS)}


def changes(old: Progress, new: Progress) -> dict[str, str]:
    """The properties that make the new progress of the old one."""
    return image_records.changes(old, new, _PROGRESS)


def keys(properties: Mapping[str, str]) -> list[str]:
    """The names of those properties that are a record, or were once."""
    return image_records.keys(properties, PLAN, SEAL, _PROGRESS)


def read(image: types.Image) -> Restore | None:
    """The restore that an image records; None if there is none to be read.

    Whatever anybody wrote, and whatever was inherited or copied.
    """
    try:
        plan = _plan(json.loads(image.properties.get(PLAN, '')))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if plan.home_id != image.id:
        return None
    known = image_records.values(Progress, image.properties, _PROGRESS)
    if not ids.is_id(known['safety_id']):
        known['safety_id'] = ''  # it goes into addresses
    return Restore(plan, Progress(**known), image.properties.get(SEAL, ''))


def _plan(found: Any) -> Plan:
    if found['v'] != _VERSION:
        raise ValueError(found['v'])
    values: dict[str, Any] = {}
    for field in dataclasses.fields(Plan):
        value = found[field.name]
        if field.name in _LISTS:
            value = tuple(_volume(_LISTS[field.name], one)
                          for one in value[:_VOLUMES])
        elif type(value) is not field.type or len(str(value)) > _TEXT:
            raise ValueError(field.name)
        values[field.name] = value
    plan = Plan(**values)
    if not (ids.is_id(plan.server_id) and _RUN_ID.fullmatch(plan.run_id)
            and ids.is_id(plan.home_id)
            and all(one.isprintable() for one in (
                plan.server_name, plan.requested_by, plan.latest_request,
                *(part for swap in plan.swaps
                  for part in (swap.name, swap.device))))
            and (ids.is_id(plan.image_id) or plan.swaps)):
        raise ValueError(plan)
    return plan


def _volume(kind: type[Disk] | type[Swap], found: Any) -> Any:
    values = [value for value, field in zip(
                  found, dataclasses.fields(kind), strict=True)
              if type(value) is field.type and len(str(value)) <= _TEXT]
    made = kind(*values)
    if len(values) != len(dataclasses.fields(kind)) or not (
            ids.is_id(made.volume_id) and ids.is_id(made.snapshot_id)):
        raise ValueError(found)
    return made


# The index.

def tags(plan: Plan) -> list[str]:
    """The tags of an instance that is being put back; the first is the
    index, and is set last.
    """
    return [record.RESTORE_TAG, f'{record.RESTORE_OF}{plan.home_id}',
            record.RESTORING_ON if plan.run_again and plan.was_running
            else record.RESTORING]


def all_tags(server: types.Server) -> list[str]:
    """Those that an instance bears; the index comes last."""
    return image_records.all_tags(
        server, record.RESTORE_TAG, record.RESTORE_OF,
        (record.RESTORING, record.RESTORING_ON))


def home_ids(server: types.Server) -> list[str]:
    """The images where the record of an instance may stand."""
    return image_records.home_ids(server, record.RESTORE_OF)


def of_tags(server: types.Server) -> Restore | None:
    """What is known of an open restore whose image is gone."""
    if not record.is_being_restored(server):
        return None
    runs = record.RESTORING_ON in server.tags
    return Restore(
        Plan('lost', '', next(iter(home_ids(server)), ''), server.id,
             server.name, rebuilds=False,
             run_again=runs, was_running=runs),
        Progress(failure=Failure.RECORD_LOST.value), lost=True)
