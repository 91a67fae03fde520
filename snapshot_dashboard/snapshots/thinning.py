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

"""The copies of an instance or volume that could be thinned out."""

from collections.abc import Callable
import dataclasses
import datetime

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types
from snapshot_dashboard.snapshots import by_instance
from snapshot_dashboard.snapshots import by_volume
from snapshot_dashboard.snapshots import deletion
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.snapshots import retention
from snapshot_dashboard.snapshots import statuses

#: What keeps a snapshot from being deleted, as a hold.
HOLDS = {
    deletion.Hindrance.FOREIGN: retention.Hold.UNCERTAIN,
    deletion.Hindrance.FORBIDDEN: retention.Hold.BLOCKED,
    deletion.Hindrance.PROTECTED: retention.Hold.PROTECTED,
    deletion.Hindrance.OWNER_PROTECTED: retention.Hold.BLOCKED,
    deletion.Hindrance.GROUP: retention.Hold.BLOCKED,
    deletion.Hindrance.DELETING: retention.Hold.UNFINISHED,
    deletion.Hindrance.BACKUP: retention.Hold.BLOCKED,
    deletion.Hindrance.PARTS_UNKNOWN: retention.Hold.UNKNOWN,
    deletion.Hindrance.NEEDS_UNKNOWN: retention.Hold.UNKNOWN,
    deletion.Hindrance.NEEDED: retention.Hold.BLOCKED,
}


@dataclasses.dataclass(frozen=True)
class Copies:
    """The snapshots of one instance or volume.

    :ivar copies: each with its entry of a deletion plan as ``thing``; empty
        while problems leave open which are the newest.
    :ivar problems: why some may be missing.
    :ivar volume_type: of a volume.
    """

    source: model.Source
    copies: tuple[retention.Copy, ...] = ()
    problems: tuple[errors.ServiceError, ...] = ()
    volume_type: str = ''


def find(cloud: services.Cloud, kind: kinds.Kind, source_id: str,
         today: datetime.date,
         allowed: Callable[[model.Snapshot], bool]) -> Copies:
    """The snapshots of an instance itself, or of a volume alone.

    Of more than ``by_instance.MOST`` the newest: to know the others could
    only let more of them go.

    :param today: where the user is.
    :param allowed: whether the user may delete a snapshot.
    :raises ServiceError: when it is not known what it is.
    """
    if kind is kinds.Kind.VOLUME:
        return _of_volume(cloud, cloud.volumes.volume(source_id), today,
                          allowed)
    server = cloud.compute.server(source_id)
    source = model.Source(kind, server.id, server.name)
    found, problems = by_instance.find(cloud, server)
    if problems:
        return Copies(source, problems=tuple(problems))
    plan = deletion.plan(cloud, [
        row for row in found if by_instance.is_of(row, server)], allowed)
    return Copies(source, (
        *(_copy(entry, _hold(entry, today)) for entry in plan.entries),
        *(_copy(deletion.Entry(row), retention.Hold.UNCERTAIN)
          for row in found if by_instance.is_probably_of(row, server))))


def _of_volume(cloud: services.Cloud, volume: types.Volume,
               today: datetime.date,
               allowed: Callable[[model.Snapshot], bool]) -> Copies:
    """Those that an image needs are its parts, and so none of the volume's
    own; the plan knows that of all.
    """
    source = model.Source(kinds.Kind.VOLUME, volume.id, volume.name)
    found, problems = by_volume.find(cloud, source)
    if problems:
        return Copies(source, problems=tuple(problems))
    plan = deletion.plan(cloud, [
        row for row in found if row.kind is kinds.Kind.VOLUME], allowed)
    return Copies(source, tuple(
        _copy(entry, _hold(entry, today)) for entry in plan.entries
        if not entry.breaks), volume_type=volume.type)


def _copy(entry: deletion.Entry,
          hold: retention.Hold | None) -> retention.Copy:
    row = entry.snapshot
    until = None
    if hold is retention.Hold.WANTED and row.expires is not None:
        until = datetime.datetime.combine(
            row.expires + datetime.timedelta(days=1), datetime.time(),
            datetime.UTC)
    return retention.Copy(
        row.created, row.row_id, row.motion is not statuses.Outcome.FAILED,
        hold, until, entry)


def _hold(entry: deletion.Entry,
          today: datetime.date) -> retention.Hold | None:
    """Why a snapshot is not to go, whatever the rules say.

    First why it does not count, whatever keeps it from being deleted, too.
    """
    row = entry.snapshot
    if row.motion is statuses.Outcome.PENDING and row.status != 'backing-up':
        return retention.Hold.UNFINISHED
    if row.motion is statuses.Outcome.DONE and not row.usable:
        return retention.Hold.UNKNOWN
    if entry.hindrance is not None:
        return HOLDS[entry.hindrance]
    if row.under_way:
        return retention.Hold.BLOCKED
    if row.expires is not None and not row.expired(today):
        return retention.Hold.WANTED
    return None
