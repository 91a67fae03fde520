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

"""Sentences about putting an instance back to a snapshot."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.content.compute_snapshots import states
from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.content.compute_snapshots.create import (
    wording as create_wording,
)
from snapshot_dashboard.restores import choices
from snapshot_dashboard.restores import restore
from snapshot_dashboard.restores import stages

FATES = {
    choices.Fate.OVERWRITTEN: pgettext_lazy(
        "What becomes of a disk", "Overwritten with the snapshot"),
    choices.Fate.EXCHANGED: pgettext_lazy(
        "What becomes of a disk", "Exchanged for a new volume, if chosen"),
    choices.Fate.STAYS: pgettext_lazy(
        "What becomes of a disk", "Stays as it is now"),
    choices.Fate.EMPTIED: pgettext_lazy(
        "What becomes of a disk", "Recreated empty"),
}
STAGES = {
    stages.Stage.SAVE: _("Save Present State"),
    stages.Stage.POWER_OFF: _("Power Off"),
    stages.Stage.PREPARE: _("Create Volumes"),
    stages.Stage.OVERWRITE: _("Overwrite"),
    stages.Stage.EXCHANGE: _("Exchange Volumes"),
    stages.Stage.BRING_BACK: _("Bring Back"),
}
BUTTONS = {
    'cancel': _("Cancel"),
    'undo': _("Go Back to the Safety Snapshot"),
    'dismiss': _("Dismiss"),
}
CONFIRM_UNDO = _(
    "The instance goes back to what was saved before. What was written to its "
    "disks since then is lost.")
_NOW = {
    stages.Stage.SAVE: _("Saving the present state"),
    stages.Stage.POWER_OFF: _("Powering off"),
    stages.Stage.PREPARE: _("Creating new volumes"),
    stages.Stage.OVERWRITE: _("Overwriting the disks"),
    stages.Stage.EXCHANGE: _("Exchanging the volumes"),
    stages.Stage.BRING_BACK: _("Bringing the instance back"),
}
_OBSTACLES = {
    choices.Code.FOREIGN: _(
        "The snapshot belongs to another project. Only instances of the "
        "project that it was taken in can go back to it."),
    choices.Code.SOURCE_UNKNOWN: _(
        "It is not known for certain of which instance this snapshot was "
        "taken."),
    choices.Code.SOURCE_GONE: _(
        "The instance that it was taken of does not exist any more. Launch a "
        "new one from it."),
    choices.Code.LOCKED: _(
        "The instance is locked. Unlock it under Compute > Instances first."),
    choices.Code.RESTORING: _(
        "The instance is already being put back to a snapshot. Wait until "
        "that is finished."),
    choices.Code.SWITCHING: _(
        "The addresses of the instance are moving. Wait until that is "
        "finished."),
    choices.Code.OTHER_ROOT: _(
        "The root disk of the instance is not the one that this snapshot was "
        "taken of."),
    choices.Code.TPM: _(
        "The instance has a virtual TPM, which no snapshot has the state of. "
        "Nova does not put such an instance back."),
    choices.Code.SHARES: _(
        "File shares are attached to the instance. Detach them first: Nova "
        "does not put an instance back that has some."),
    choices.Code.MIN_DISK: _(
        "The snapshot needs a root disk of %(needed)d GiB, and that of the "
        "instance has %(disk)d GiB."),
    choices.Code.NUMA: _(
        "The snapshot asks for another placement of processors and memory "
        "(NUMA) than the instance has, which Nova does not change."),
    choices.Code.MULTIATTACH: _(
        "The volume %(volume)s is attached to other instances, too. Detach it "
        "from those first."),
    choices.Code.VOLUME_SIZE: _(
        "The volume %(volume)s is smaller than its snapshot."),
    choices.Code.ROOT_VOLUME: _(
        "The volume %(volume)s is the root disk of its instance, which Nova "
        "does not exchange. Go back to a snapshot of the instance instead."),
    choices.Code.DETACHED: _(
        "The volume is attached to no instance. Create a new volume from the "
        "snapshot, and use that one."),
    choices.Code.VOLUME_GONE: _(
        "The volume that it was taken of does not exist any more. Create a "
        "new one from it."),
    choices.Code.RUN_OPEN: _(
        "A snapshot of the instance is in progress: \"%(name)s\". Wait until "
        "it is finished."),
    choices.Code.TAGS: _(
        "The instance has no room for the tags by which this is found: Nova "
        "allows 50. Remove tags that are not needed."),
    choices.Code.PROPERTIES: _(
        "The image of the snapshot has no room for the record of this: Glance "
        "allows %(limit)d properties."),
    choices.Code.QUOTA: _(
        "The quota does not allow the new volumes: they need %(needed)d of "
        "%(what)s, and %(left)d are left."),
    choices.Code.NOT_OVERWRITABLE: _(
        "The volume \"%(volume)s\" cannot be overwritten: the operator of "
        "this cloud has not confirmed that volumes of the type "
        "\"%(type)s\" take every byte of a snapshot. Launch another instance "
        "from the snapshot instead."),
    choices.Code.OLD_CINDER: _(
        "The services of this cloud are older than the release 2025.1, the "
        "first that overwrites a volume with a snapshot."),
}
_FAILURES = {
    restore.Failure.CANCELLED: _("Cancelled."),
    restore.Failure.NOT_BEGUN: _(
        "It did not begin in time, so it was given up."),
    restore.Failure.SERVER_GONE: _(
        "The instance is not to be found any more."),
    restore.Failure.SAFETY_FAILED: _(
        "There is no whole snapshot of the present state, so the instance was "
        "not put back."),
    restore.Failure.STOP_FAILED: _("The instance could not be powered off."),
    restore.Failure.STARTED_BY_OTHERS: _(
        "The instance ran again before it was put back. What it has written "
        "then would have been lost, so it was not put back."),
    restore.Failure.CHANGED_BY_OTHERS: _(
        "Somebody else powered on, rebuilt, shelved or unshelved the instance "
        "meanwhile, or took a volume away from it."),
    restore.Failure.WRONG_STATE: _(
        "The status of the instance changed, and it cannot be put back in "
        "that."),
    restore.Failure.REFUSED: _("The cloud did not do what it takes."),
    restore.Failure.REBUILD_FAILED: _(
        "Nova failed to rebuild the instance from the snapshot."),
    restore.Failure.COPY_FAILED: _(
        "Cinder failed to overwrite a volume. While its status is an error "
        "the instance stays shelved: your cloud's support can reset it."),
    restore.Failure.VOLUME_FAILED: _(
        "Cinder failed to create a volume from the snapshot."),
    restore.Failure.SWAP_FAILED: _(
        "A volume could not be exchanged. If nothing could be attached in its "
        "place, the old one was attached again."),
    restore.Failure.RECORD_LOST: _(
        "The snapshot that it was to go back to was deleted."),
}


def obstacle(found: choices.Obstacle) -> str:
    """What is in the way, and what to do about it."""
    if found.code is choices.Code.UNUSABLE:
        return _("The status of the snapshot is %s.") % (
            wording.STATUSES.get(found.facts['status'],
                                 found.facts['status']))
    if found.code is choices.Code.STATE:
        return _("The status of the instance is %s. It can be put back while "
                 "it is active or shut off.") % states.status(
                     found.facts['status'])
    if found.code is choices.Code.BUSY:
        return _("The instance is busy (%s). Wait until that is finished, "
                 "then try again.") % states.task(found.facts['task'])
    return str(_OBSTACLES[found.code]) % found.facts


def safety_obstacles(facts: choices.Facts) -> list[str]:
    """What is in the way of saving the present state."""
    return [create_wording.obstacle(found)
            for found in choices.safety_obstacles(facts)]


def now(found: restore.Restore, unshelves: bool) -> str:
    """What a restore is at, or what came of it.

    :param unshelves: whether it waits for Nova to find a host.
    """
    if not found.open:
        if found.cancelled:
            return str(_("Cancelled"))
        return str(_("Failed") if found.progress.failure else _("Finished"))
    if unshelves:
        return str(_("Waiting for a host that has room for the instance"))
    return str(_NOW[stages.current(found)])


def failure(found: restore.Restore) -> str:
    """Why it was not put back; empty if it was, or may yet be."""
    code = found.progress.failure
    if not code:
        return ''
    try:
        said = str(_FAILURES[restore.Failure(code)])
    except ValueError:
        said = str(_("It failed for a reason that is not known."))
    known = not found.lost and not found.progress.overwrite_at
    outcome = _("Nothing was overwritten.") if known else _(
        "Something may have been overwritten: check what is on its disks.")
    return ' '.join(filter(None, (said, str(outcome), _said(found))))


def _said(found: restore.Restore) -> str:
    """What the service said to that."""
    if not found.progress.detail or (
            found.progress.failure == restore.Failure.SAFETY_FAILED.value):
        return ''
    if found.progress.failure == restore.Failure.WRONG_STATE.value:
        return str(_("Its status is %s.") % states.status(
            found.progress.detail))
    return wording.service_said(found.progress.detail)


def hindrance(found: restore.Restore, at: int) -> str:
    """What is in the way now, and is tried again."""
    progress = found.progress
    if not found.open or progress.not_before <= at or not progress.hindrance:
        return ''
    return wording.repeated(progress.hindrance, progress.not_before - at)


def not_begun(error: errors.ServiceError) -> Any:
    return _("Nothing was overwritten. Whether it was begun is shown above "
             "the list of snapshots. Error from %(service)s: %(detail)s"
             ) % wording.said(error)
