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

"""What the codes of ``runs`` and ``cloud`` are in words, for people."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.utils.translation import pgettext_lazy

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.runs import disks
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import phases
from snapshot_dashboard.runs import preflight
from snapshot_dashboard.runs import steps
from snapshot_dashboard.snapshots import model

SERVICES = {
    'compute': _("the compute service (Nova)"),
    'image': _("the image service (Glance)"),
    'volume': _("the volume service (Cinder)"),
}
MISSING = {
    'compute': _("The names of instances and the snapshots under way are "
                 "not shown"),
    'image': _("Instance snapshots are missing from this list"),
    'volume': _("Volume snapshots are missing from this list"),
}
KINDS = {
    model.Kind.INSTANCE: _("Instance snapshot"),
    model.Kind.VOLUME: _("Volume snapshot"),
}
STATUSES = {
    'queued': pgettext_lazy("Current status of a Snapshot", "Queued"),
    'saving': pgettext_lazy("Current status of a Snapshot", "Saving"),
    'uploading': pgettext_lazy("Current status of a Snapshot", "Uploading"),
    'importing': pgettext_lazy("Current status of a Snapshot", "Importing"),
    'pending_delete': pgettext_lazy(
        "Current status of a Snapshot", "Pending Delete"),
    'active': pgettext_lazy("Current status of a Snapshot", "Active"),
    'deactivated': pgettext_lazy(
        "Current status of a Snapshot", "Deactivated"),
    'deleted': pgettext_lazy("Current status of a Snapshot", "Deleted"),
    'killed': pgettext_lazy("Current status of a Snapshot", "Killed"),
    'creating': pgettext_lazy("Current status of a Snapshot", "Creating"),
    'backing-up': pgettext_lazy("Current status of a Snapshot", "Backing Up"),
    'restoring': pgettext_lazy("Current status of a Snapshot", "Restoring"),
    'deleting': pgettext_lazy("Current status of a Snapshot", "Deleting"),
    'unmanaging': pgettext_lazy("Current status of a Snapshot", "Unmanaging"),
    'available': pgettext_lazy("Current status of a Snapshot", "Available"),
    'error': pgettext_lazy("Current status of a Snapshot", "Error"),
    'error_deleting': pgettext_lazy(
        "Current status of a Snapshot", "Error Deleting"),
    'incomplete': pgettext_lazy("Current status of a Snapshot", "Incomplete"),
}
ROLES = {
    disks.Role.ROOT: _("Root disk"),
    disks.Role.EPHEMERAL: _("Ephemeral disk"),
    disks.Role.SWAP: _("Swap disk"),
    disks.Role.VOLUME: _("Volume"),
}
FATES = {
    disks.Fate.CAPTURED: _("Captured"),
    disks.Fate.NOT_CAPTURED: _("Not captured"),
    disks.Fate.EMPTY: _("Comes back empty"),
}
PHASES = {
    phases.Phase.POWER_OFF: _("Powering off"),
    phases.Phase.CAPTURE: _("Starting the snapshot"),
    phases.Phase.SAVE: _("Saving the snapshot"),
    phases.Phase.POWER_ON: _("Powering on"),
}
TASKS = {
    'image_snapshot_pending': _("another snapshot is being taken"),
    'image_snapshot': _("another snapshot is being taken"),
    'image_pending_upload': _("another snapshot is being taken"),
    'image_uploading': _("another snapshot is being taken"),
    'powering-off': _("it is being powered off"),
    'powering-on': _("it is being powered on"),
}
FAILURES = {
    steps.Failure.SERVER_GONE: _(
        "The instance was deleted before the snapshot was taken."),
    steps.Failure.STOP_REFUSED: _(
        "The instance could not be powered off: that was refused. No "
        "snapshot was taken, and the instance still runs."),
    steps.Failure.STOP_FAILED: _(
        "The instance could not be powered off. No snapshot was taken, and "
        "the instance still runs. Try again, or shut it down from within "
        "and take the snapshot then."),
    steps.Failure.STARTED_BY_OTHERS: _(
        "Somebody powered the instance on before the snapshot was taken. It "
        "was left running, and no snapshot was taken. Try again."),
    steps.Failure.WRONG_STATE: _(
        "The state of the instance changed to one that allows no snapshot. "
        "It was left as it is, and no snapshot was taken."),
    steps.Failure.CAPTURE_REFUSED: _(
        "The snapshot was refused, so none was taken."),
    steps.Failure.CAPTURE_FAILED: _(
        "The snapshot could not be started, though it was tried several "
        "times. Try again later."),
    steps.Failure.IMAGE_VANISHED: _(
        "The snapshot failed: its image is gone. Somebody deleted it, or "
        "the cloud removed it after an error. Nothing of it is left. Try "
        "again, and ask the operator should it fail again."),
    steps.Failure.IMAGE_ABANDONED: _(
        "The snapshot failed: the cloud stopped working on it before it was "
        "whole. What is left of it is the unfinished image in the list "
        "below; delete that and try again."),
    steps.Failure.PART_FAILED: _(
        "The snapshot is incomplete: one of its volume snapshots failed. It "
        "cannot be used to launch an instance; delete it and try again."),
    steps.Failure.START_REFUSED: _(
        "The instance could not be powered on again: that was refused. "
        "Power it on by hand."),
    steps.Failure.START_FAILED: _(
        "The instance could not be powered on again, though it was tried "
        "several times. Power it on by hand, and ask the operator should "
        "that fail."),
    steps.Failure.CANCELLED: _(
        "Cancelled before the snapshot was taken."),
}


def status(name: str | None) -> str:
    """A snapshot's status in words; one that nobody knows as it is."""
    if name is None:
        return str(_("not known"))
    return str(STATUSES.get(name, name))


def failure(run: journal.Journal) -> str:
    """Why a run failed, what is left, and what can be done; else empty."""
    progress = run.progress
    try:
        code = steps.Failure(progress.failure)
    except ValueError:
        return ''
    words = [str(FAILURES[code])]
    if code in (steps.Failure.START_REFUSED, steps.Failure.START_FAILED):
        words.insert(0, str(_("The snapshot was taken.") if progress.captured
                            else _("No snapshot was taken.")))
    if progress.starts and code not in (steps.Failure.START_REFUSED,
                                        steps.Failure.START_FAILED):
        words.append(str(_("The instance was powered on again.")))
    if progress.detail:
        words.append(_("The cloud said: %s") % progress.detail)
    return ' '.join(words)


def problem(error: errors.ServiceError) -> str:
    """One notice about a service that did not give its part of the list."""
    if isinstance(error, errors.Forbidden):
        why = _("%(missing)s: you are not allowed to list them.")
    elif error.status:
        why = _("%(missing)s: %(service)s has a fault. Try again later.")
    else:
        why = _("%(missing)s: %(service)s does not answer. Try again later.")
    return why % {'missing': MISSING[error.service],
                  'service': SERVICES[error.service]}


def obstacle(found: preflight.Obstacle) -> str:
    """What is in the way of a snapshot, and what to do about it."""
    facts = found.facts
    if found.code is preflight.Code.STATE:
        return _("The instance is in the state %(status)s. A snapshot can be "
                 "taken while it is active, shut off, paused or "
                 "suspended.") % facts
    if found.code is preflight.Code.BUSY:
        return _("The instance is busy: %(what)s. Wait until that is over, "
                 "and try again.") % {
                     'what': TASKS.get(facts['task'], facts['task'])}
    if found.code is preflight.Code.RUN_OPEN:
        return _("The snapshot \"%(name)s\" of this instance is under way. "
                 "Wait until it is finished.") % facts
    if found.code is preflight.Code.VOLUME_STATE:
        return _("The volume %(volume)s is in the state %(status)s, so no "
                 "snapshot of it can be taken. Repair or detach it "
                 "first.") % facts
    if found.code is preflight.Code.NO_VOLUME_SERVICE:
        return _("The disks of this instance are volumes, and the volume "
                 "service (Cinder) cannot be asked about them now. Try again "
                 "later.")
    return _quota(found.code, facts)


def _quota(code: preflight.Code, facts) -> str:
    facts = {**facts, 'where': (
        _(" of the volume type %s") % facts['type']
        if code in (preflight.Code.QUOTA_SNAPSHOTS,
                    preflight.Code.QUOTA_GIGABYTES) and facts['type']
        else '')}
    if code is preflight.Code.QUOTA_SNAPSHOTS:
        return ngettext(
            "The quota of volume snapshots%(where)s is too small: "
            "%(needed)d is needed, %(left)d of %(limit)d is left. Delete "
            "old snapshots, or ask for a larger quota.",
            "The quota of volume snapshots%(where)s is too small: "
            "%(needed)d are needed, %(left)d of %(limit)d are left. Delete "
            "old snapshots, or ask for a larger quota.",
            facts['needed']) % facts
    if code is preflight.Code.QUOTA_GIGABYTES:
        return _("The quota of volume storage%(where)s is too small: "
                 "%(needed)d GiB are needed, %(left)d of %(limit)d GiB are "
                 "left. Delete old snapshots or volumes, or ask for a larger "
                 "quota.") % facts
    if code is preflight.Code.QUOTA_IMAGES:
        return _("The quota of images is used up: %(limit)d of %(limit)d. "
                 "Delete old images or instance snapshots, or ask for a "
                 "larger quota.") % facts
    return _("The quota of image storage is used up: %(limit)d MiB. Delete "
             "old images or instance snapshots, or ask for a larger "
             "quota.") % facts
