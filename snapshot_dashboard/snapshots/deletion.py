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

"""Deleting snapshots: what goes, what stays, and what that breaks.

A volume snapshot that an image needs is a part of that instance snapshot.
Nothing is deleted before all images that need it are known. A deletion plan
names the instance snapshots that could no longer be launched. It is computed
again just before the deletion.
"""

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import enum
import functools
from typing import TypeAlias

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.snapshots import sets
from snapshot_dashboard.snapshots import usage

#: Calls for a thousand images each that a deletion may take.
_PAGES = 20


class Hindrance(enum.Enum):
    """Why a snapshot is not deleted."""

    FORBIDDEN = 'forbidden'
    FOREIGN = 'foreign'
    PROTECTED = 'protected'
    #: It is part of a snapshot that is protected.
    OWNER_PROTECTED = 'owner-protected'
    GROUP = 'group'
    DELETING = 'deleting'
    BACKUP = 'backup'
    #: Cinder does not tell of a part, so whose it is.
    PARTS_UNKNOWN = 'parts-unknown'
    #: Which images need it, or a part of it, is not known.
    NEEDS_UNKNOWN = 'needs-unknown'
    #: It is part of a snapshot whose end was not agreed to.
    NEEDED = 'needed'


#: Of what was not shown as going, or is needed after all.
_LEFT = errors.Conflict('volume', 'it was not in the plan')
#: The volume snapshots that could not be deleted, with the reason of each.
Stayed: TypeAlias = list[tuple[model.Part, errors.ServiceError]]
#: What came of an entry: those, or why it was not deleted itself.
Outcome: TypeAlias = Stayed | errors.ServiceError | Hindrance


@dataclasses.dataclass(frozen=True)
class Entry:
    """What becomes of one snapshot.

    :ivar hindrance: why it stays.
    :ivar breaks: the instance snapshots that cannot be launched any more
        without it, those that go as well left out.
    :ivar needed: by the ids of its parts that stay, who needs them.
    """

    snapshot: model.Snapshot
    hindrance: Hindrance | None = None
    breaks: tuple[model.Owner, ...] = ()
    needed: Mapping[str, tuple[model.Owner, ...]] = dataclasses.field(
        default_factory=dict)

    @property
    def going(self) -> list[model.Part]:
        """The parts that are deleted with it."""
        return [part for part in self.snapshot.parts
                if part.status != 'deleted' and part.id not in self.needed]


@dataclasses.dataclass(frozen=True)
class Plan:
    """What becomes of some snapshots.

    :ivar problems: why it is not known what needs some of them.
    """

    entries: tuple[Entry, ...]
    problems: tuple[errors.ServiceError, ...] = ()


def hindrance(snapshot: model.Snapshot,
              allowed: bool = True) -> Hindrance | None:
    """Why a snapshot cannot be deleted, as far as its own row tells."""
    if snapshot.foreign:
        return Hindrance.FOREIGN
    if not allowed:
        return Hindrance.FORBIDDEN
    if snapshot.protected:
        return Hindrance.PROTECTED
    if snapshot.group_snapshot_id is not None:
        return Hindrance.GROUP
    if snapshot.status in ('deleting', 'pending_delete', 'unmanaging'):
        return Hindrance.DELETING
    if snapshot.status in ('backing-up', 'restoring'):
        return Hindrance.BACKUP
    return None


def plan(cloud: services.Cloud, snapshots: Sequence[model.Snapshot],
         allowed: Callable[[model.Snapshot], bool] = lambda _: True) -> Plan:
    """What is to become of some snapshots; nothing is deleted.

    :param allowed: whether the user may delete a snapshot.
    """
    hindered = {one.row_id: hindrance(one, allowed(one)) or (
        Hindrance.PARTS_UNKNOWN if one.more_parts or any(
            part.status is None for part in one.parts) else None)
        for one in snapshots}
    belonging = sets.find_all(cloud, {
        part_id for one in snapshots if hindered[one.row_id] is None
        for part_id in _needing(one)}, _PAGES)
    for one in snapshots:
        if hindered[one.row_id] is None and not (
                set(_needing(one)) <= belonging.known):
            hindered[one.row_id] = Hindrance.NEEDS_UNKNOWN
    going = {one.id for one in snapshots if one.kind is kinds.Kind.INSTANCE
             and hindered[one.row_id] is None}
    return Plan(tuple(_entry(one, hindered[one.row_id], belonging, going)
                      for one in snapshots), belonging.problems)


def _needing(snapshot: model.Snapshot) -> list[str]:
    """The volume snapshots that go with it, and that images may need."""
    if snapshot.kind is kinds.Kind.VOLUME:
        return [snapshot.id]
    return [part.id for part in snapshot.parts if part.status != 'deleted']


def _entry(snapshot: model.Snapshot, why: Hindrance | None,
           belonging: sets.Belonging, going: Collection[str]) -> Entry:
    needed = {part_id: tuple(model.Owner.of(image)
                             for image in belonging.of(part_id)
                             if image.id not in going)
              for part_id in _needing(snapshot)}
    needed = {part_id: owners for part_id, owners in needed.items() if owners}
    if snapshot.kind is kinds.Kind.VOLUME:
        breaks = needed.get(snapshot.id, ())
        if why is None and any(owner.protected for owner in breaks):
            why = Hindrance.OWNER_PROTECTED
        return Entry(snapshot, why, breaks)
    return Entry(snapshot, why, needed=needed)


def carry_out(cloud: services.Cloud, plan: Plan,
              agreed: Collection[tuple[str, str]] = (),
              shown: Collection[str] | None = None
              ) -> list[tuple[Entry, Outcome]]:
    """Delete what a plan says.

    An image goes first: should the rest fail, what is left are volume
    snapshots that can still be used or deleted, not an image that looks
    whole and cannot be launched.

    :param agreed: the volume snapshots that may go though an image needs
        them: their ids with that of the image.
    :param shown: the parts that were shown as going, if that was some time
        ago: no others go.
    :returns: for each entry the parts that could not be deleted, or why it
        was not deleted itself.
    """
    images = [entry for entry in plan.entries if entry.hindrance is None
              and entry.snapshot.kind is kinds.Kind.INSTANCE]
    answers = cloud.gather_named({
        entry.snapshot.id: functools.partial(remove, cloud.images.delete,
                                             entry.snapshot.id)
        for entry in images})
    if answers:
        usage.forget(cloud)
    stay = {image_id for image_id, answer in answers.items()
            if isinstance(answer, errors.ServiceError)}
    kept = {part.id for entry in images if entry.snapshot.id in stay
            for part in entry.snapshot.parts}
    parts = {part.id: part for entry in images
             if entry.snapshot.id not in stay for part in entry.going
             if part.id not in kept and (shown is None or part.id in shown)}
    volumes = [entry.snapshot for entry in plan.entries
               if entry.snapshot.kind is kinds.Kind.VOLUME
               and _why_not(entry, kept, agreed) is None]
    answers.update(cloud.gather_named({
        one: functools.partial(remove, cloud.volumes.delete_snapshot, one)
        for one in (*parts, *(volume.id for volume in volumes))}))
    return [(entry, _outcome(entry, answers, kept, agreed))
            for entry in plan.entries]


def _why_not(entry: Entry, kept: Collection[str],
             agreed: Collection[tuple[str, str]]) -> Hindrance | None:
    """Why an entry is not deleted after all.

    :param kept: the parts of images that could not be deleted.
    """
    if entry.hindrance is not None:
        return entry.hindrance
    if entry.snapshot.id in kept or any(
            (entry.snapshot.id, owner.id) not in agreed
            for owner in entry.breaks):
        return Hindrance.NEEDED
    return None


def _outcome(entry: Entry, answers: Mapping[str, object],
             kept: Collection[str], agreed: Collection[tuple[str, str]]
             ) -> Outcome:
    why = _why_not(entry, kept, agreed)
    if why is not None:
        return why
    answer = answers[entry.snapshot.id]
    if isinstance(answer, errors.ServiceError):
        return answer
    return [(part, failed) for part in entry.going
            if isinstance(failed := answers.get(part.id, _LEFT),
                          errors.ServiceError)]


def remove(delete: Callable[[str], None], thing_id: str) -> None:
    """Delete something; what is gone already is no error."""
    try:
        delete(thing_id)
    except errors.NotFound:
        pass


def unneeded(cloud: services.Cloud, snapshot_ids: Iterable[str],
             going: Collection[str]) -> list[str]:
    """Those of some volume snapshots that no image needs.

    :param going: the ids of images that do not count, for they go.
    :raises Unavailable: when that is not known.
    """
    wanted = list(snapshot_ids)
    belonging = sets.find_all(cloud, wanted, _PAGES)
    for problem in belonging.problems:
        raise problem
    if not set(wanted) <= belonging.known:
        raise errors.Unavailable('image', 'which images need a volume '
                                 'snapshot is not known')
    return [one for one in wanted
            if all(image.id in going for image in belonging.of(one))]
