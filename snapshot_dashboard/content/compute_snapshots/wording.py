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

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.runs import disks
from snapshot_dashboard.runs import failures
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import phases
from snapshot_dashboard.runs import preflight
from snapshot_dashboard.snapshots import model

#: The services' names, which no language declines.
SERVICES = {'compute': 'Nova', 'image': 'Glance', 'volume': 'Cinder'}
MISSING = {
    'compute': _("The snapshots under way are not shown."),
    'image': _("Instance snapshots are missing from this list."),
    'volume': _("Volume snapshots are missing from this list."),
}
VAGUE = {
    'compute': _("The names of some instances are not shown."),
    'image': _("Some details of instance snapshots are not shown."),
    'volume': _("The names and states of some volumes and their snapshots "
                "are not shown."),
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
    'left-over': pgettext_lazy("Current status of a Snapshot", "Left Over"),
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
#: What can be done about a run.
BUTTONS = {
    'advance': _("Go On"),
    'cancel': _("Cancel"),
    'power_on': _("Power On Now"),
    'retry': _("Try Again"),
    'remove': _("Remove Leftovers"),
    'dismiss': _("Dismiss"),
}
CONFIRM_REMOVAL = _("All that there is of this snapshot is deleted, and "
                    "cannot be recovered. Go on?")
CONSISTENCIES = {
    marks.POWERED_OFF: pgettext_lazy("How a snapshot was taken",
                                     "Powered off"),
    marks.FORCED_OFF: pgettext_lazy("How a snapshot was taken",
                                    "Forced off"),
    marks.LIVE_AGENT: pgettext_lazy("How a snapshot was taken",
                                    "Live, guest agent announced"),
    marks.LIVE: pgettext_lazy("How a snapshot was taken", "Live"),
    '': pgettext_lazy("How a snapshot was taken", "Not known"),
}
#: What a status means that does not speak for itself, and what to do.
STATUS_MEANINGS = {
    'incomplete': _(
        "The image is there, but one of the volume snapshots that it needs "
        "failed or is gone, so it cannot be launched. Delete it and take "
        "another one."),
    'left-over': _(
        "This was begun, and nobody works on it any more: nothing will come "
        "of it. Delete it."),
}
MEANINGS = {
    marks.POWERED_OFF: _(
        "The instance was off, and nothing tells that it did not shut down "
        "by itself. Its disks were at rest."),
    marks.FORCED_OFF: _(
        "The instance did not shut down in time and was powered off by "
        "force, as if the plug had been pulled. The last things written may "
        "be missing, and its file systems may need a check."),
    marks.LIVE_AGENT: _(
        "The instance ran. Its image announces a guest agent, which may have "
        "brought the file systems to rest; whether it did is not known."),
    marks.LIVE: _(
        "The instance ran, or was paused or suspended. Files may be half "
        "written, and the last things written may be missing."),
    '': _("Nothing tells how this snapshot was taken. It was not made by "
          "this panel."),
}
BUSY = {
    'image_snapshot_pending': _(
        "Another snapshot of the instance is being taken. Wait until that "
        "is over, and try again."),
    'powering-off': _("The instance is being powered off. Wait until that "
                      "is over, and try again."),
    'powering-on': _("The instance is being powered on. Wait until that is "
                     "over, and try again."),
}
BUSY.update(dict.fromkeys(
    ('image_snapshot', 'image_pending_upload', 'image_uploading'),
    BUSY['image_snapshot_pending']))
FAILURES = {
    failures.Failure.SERVER_GONE: _(
        "The instance was deleted before the snapshot was taken."),
    failures.Failure.STOP_REFUSED: _(
        "The instance could not be powered off: that was refused. No "
        "snapshot was taken."),
    failures.Failure.STOP_FAILED: _(
        "The instance could not be powered off, though it was tried several "
        "times. No snapshot was taken. Try again, or shut it down from "
        "within and take the snapshot then."),
    failures.Failure.FORCED_OFF: _(
        "The guest did not shut down in time, so the instance was powered "
        "off by force. No snapshot was taken, as you wished. Shut it down "
        "from within and take the snapshot then, or try again and let it be "
        "taken all the same."),
    failures.Failure.STARTED_BY_OTHERS: _(
        "Somebody powered the instance on before the snapshot was taken. It "
        "was left running, and no snapshot was kept. Try again."),
    failures.Failure.WRONG_STATE: _(
        "The state of the instance changed to one that allows no snapshot. "
        "It was left as it is, and no snapshot was taken."),
    failures.Failure.VOLUME_DETACHED: _(
        "A volume that was to be captured is not attached any more. No "
        "snapshot was taken."),
    failures.Failure.SNAPSHOT_REFUSED: _(
        "The snapshot of an attached volume was refused, so none was taken "
        "of the instance either."),
    failures.Failure.SNAPSHOT_FAILED: _(
        "The snapshot of an attached volume failed, so none was taken of "
        "the instance either. Try again, and ask the operator should it "
        "fail again."),
    failures.Failure.CAPTURE_REFUSED: _(
        "The snapshot was refused, so none was taken."),
    failures.Failure.CAPTURE_FAILED: _(
        "No snapshot came of it: it could not be started, or was lost at "
        "once. Try again later."),
    failures.Failure.IMAGE_VANISHED: _(
        "The snapshot failed: its image is gone. Somebody deleted it, or "
        "the cloud removed it after an error. Try again, and ask the "
        "operator should it fail again."),
    failures.Failure.IMAGE_ABANDONED: _(
        "The snapshot failed: the cloud stopped working on it before it was "
        "whole. What there was of it has been removed. Try again."),
    failures.Failure.IMAGE_EMPTY: _(
        "The snapshot failed: the cloud calls it finished, but its image "
        "holds no data. Remove it and try again."),
    failures.Failure.PART_FAILED: _(
        "The snapshot is incomplete: one of its volume snapshots failed. It "
        "was kept, for what there is may be of use. Remove it and try "
        "again."),
    failures.Failure.START_REFUSED: _(
        "The instance could not be powered on again: that was refused. "
        "Power it on by hand."),
    failures.Failure.START_FAILED: _(
        "The instance could not be powered on again, though it was tried "
        "several times. Power it on by hand, and ask the operator should "
        "that fail."),
    failures.Failure.CANCELLED: _(
        "Cancelled before the snapshot was taken."),
}
UNKNOWN_FAILURE = _("The run failed for a reason that is not known. Look at "
                    "the instance and at the list below.")


def status(name: str | None) -> str:
    """A snapshot's status in words; one that nobody knows as it is."""
    if name is None:
        return str(_("not known"))
    return str(STATUSES.get(name, name))


def failure(run: journal.Journal) -> str:
    """Why a run failed, what is left, and what can be done; else empty."""
    progress = run.progress
    if not progress.failure:
        return ''
    try:
        code = failures.Failure(progress.failure)
    except ValueError:
        return str(UNKNOWN_FAILURE)
    words = [str(FAILURES[code])]
    if code in (failures.Failure.START_REFUSED, failures.Failure.START_FAILED):
        words.insert(0, str(_("The snapshot was taken.") if progress.captured
                            else _("No snapshot was taken.")))
    elif progress.starts:
        words.append(str(_("The instance was powered on again.")))
    elif progress.ended and run.server.status == 'SHUTOFF' and (
            progress.off or run.plan.running):
        words.append(str(_("The instance is off.")))
    if progress.left:
        words.append(_("This could not be removed; delete it by hand: "
                       "%s") % progress.left)
    if progress.detail:
        words.append(_("The cloud said: %s") % progress.detail)
    return ' '.join(words)


def trouble(error: errors.ServiceError) -> str:
    """Why a run cannot go on, or a button did nothing."""
    service = {'service': SERVICES[error.service]}
    if isinstance(error, errors.NotFound):
        return _("The instance is gone.")
    if isinstance(error, errors.Conflict):
        return _("The instance is locked or busy, so nothing was done. Try "
                 "again when it is not.")
    if isinstance(error, errors.Forbidden):
        return _("%(service)s says that you are not allowed to do this. "
                 "Nothing was changed; another member of the project can "
                 "bring it to its end.") % service
    if error.status:
        return _("%(service)s has a fault now. Nothing is lost: the "
                 "snapshot goes on when it works again.") % service
    return _("%(service)s does not answer now. Nothing is lost: the "
             "snapshot goes on when it answers again.") % service


def about(seconds: int) -> str:
    """A rough duration; empty for none."""
    if not seconds:
        return ''
    if seconds < 60:
        return _("less than a minute")
    minutes = round(seconds / 60)
    if minutes < 90:
        return ngettext("about %d minute", "about %d minutes",
                        minutes) % minutes
    hours = round(minutes / 60)
    return ngettext("about %d hour", "about %d hours", hours) % hours


def problem(error: errors.ServiceError) -> str:
    """One notice about a service that did not give its part of the list."""
    return f'{MISSING[error.service]} {_reason(error)}'


def vague(error: errors.ServiceError) -> str:
    """One notice about a service that did not tell more of what is shown."""
    return f'{VAGUE[error.service]} {_reason(error)}'


def _reason(error: errors.ServiceError) -> str:
    service = {'service': SERVICES[error.service]}
    if isinstance(error, errors.Forbidden):
        return _("%(service)s says that you are not allowed to see "
                 "them.") % service
    if error.status:
        return _("%(service)s has a fault. Try again later.") % service
    return _("%(service)s does not answer. Try again later.") % service


def obstacle(found: preflight.Obstacle) -> str:
    """What is in the way of a snapshot, and what to do about it."""
    facts = found.facts
    if found.code is preflight.Code.STATE:
        return _("The instance is in the state %(status)s. A snapshot can be "
                 "taken while it is active, shut off, paused or "
                 "suspended.") % facts
    if found.code is preflight.Code.BUSY:
        return str(BUSY.get(facts['task'], _(
            "The instance is busy with something else (%(task)s). Wait until "
            "that is over, and try again.") % facts))
    if found.code is preflight.Code.RUN_OPEN:
        return _("A snapshot of this instance is under way already: "
                 "\"%(name)s\". Wait until it is finished.") % facts
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
    if code is preflight.Code.QUOTA_SNAPSHOTS:
        text = ngettext(
            "The quota of volume snapshots is too small: %(needed)d is "
            "needed, %(left)d of %(limit)d is left.",
            "The quota of volume snapshots is too small: %(needed)d are "
            "needed, %(left)d of %(limit)d are left.",
            facts['needed']) % facts
    elif code is preflight.Code.QUOTA_GIGABYTES:
        text = _("The quota of volume storage is too small: %(needed)d GiB "
                 "are needed, %(left)d of %(limit)d GiB are left.") % facts
    elif code is preflight.Code.QUOTA_IMAGES:
        text = _("The quota of images is used up; it is %(limit)d.") % facts
    else:
        text = _("The quota of image storage is used up; it is %(limit)d "
                 "MiB.") % facts
    kind = _("This is the quota of the volume type %(type)s.") % facts
    return ' '.join([text, *([kind] if facts['type'] and code in (
        preflight.Code.QUOTA_SNAPSHOTS, preflight.Code.QUOTA_GIGABYTES)
        else []), str(_("Delete what is not needed any more, or ask for a "
                        "larger quota."))])
