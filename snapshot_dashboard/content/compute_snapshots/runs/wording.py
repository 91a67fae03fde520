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

"""What the codes of runs are in words, for people."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.runs import failures
from snapshot_dashboard.runs import observation
from snapshot_dashboard.runs import phases
from snapshot_dashboard.runs import record

PHASES = {
    phases.Phase.POWER_OFF: _("Powering off"),
    phases.Phase.CAPTURE: _("Starting the snapshot"),
    phases.Phase.SAVE: _("Saving the snapshot"),
    phases.Phase.POWER_ON: _("Powering on"),
}
#: What can be done about a run.
BUTTONS = {
    'adopt': _("Go On With It"),
    'advance': _("Go On"),
    'cancel': _("Cancel"),
    'power_on': _("Power On Now"),
    'retry': _("Try Again"),
    'remove': _("Remove Leftovers"),
    'dismiss': _("Dismiss"),
}
REMOVE_ALL = _("Delete Incomplete Snapshot")
CONFIRM_LEFTOVERS = _("What was left over is deleted, and cannot be "
                      "recovered. Go on?")
CONFIRM_REMOVAL = _("All that there is of this snapshot is deleted, and "
                    "cannot be recovered. Go on?")
FAILURES = {
    failures.Failure.SERVER_GONE: _(
        "The instance was deleted before the snapshot was taken."),
    failures.Failure.NOT_BEGUN: _(
        "The snapshot was not begun in time, so it was not taken any more. "
        "Take it again if you still want it."),
    failures.Failure.RECORD_LOST: _(
        "Another tool or somebody removed or changed what was written down "
        "on the instance about this snapshot, so it was not seen through. "
        "Look at the list below for what there is of it."),
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
        "from within and take the snapshot then, or create the snapshot anew "
        "and choose to take it all the same."),
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
    failures.Failure.PART_ABANDONED: _(
        "The snapshot is incomplete: one of its volume snapshots took too "
        "long, so the instance was not left waiting for it. It was kept, "
        "for it may yet become whole. Look at it later, and ask the "
        "operator should it stay incomplete."),
    failures.Failure.CANCELLED: _(
        "Cancelled before the snapshot was taken."),
}
#: The same of runs that capture a volume alone, where it reads otherwise.
FAILURES_ALONE = {
    failures.Failure.VOLUME_DETACHED: _(
        "The volume is not attached to the instance any more. No snapshot "
        "was taken."),
    failures.Failure.SNAPSHOT_REFUSED: _(
        "The snapshot was refused, so none was taken."),
    failures.Failure.SNAPSHOT_FAILED: _(
        "The snapshot failed. What there was of it has been removed. Try "
        "again, and ask the operator should it fail again."),
    failures.Failure.PART_ABANDONED: _(
        "The snapshot took too long, so the instance was not left waiting "
        "for it. It was kept, for it may yet become whole. Look at it later, "
        "and ask the operator should it not."),
}
COPIED = _("This record is about another instance: somebody copied it here "
           "with the metadata. Nothing was done.")
UNKNOWN_FAILURE = _("The run failed for a reason that is not known. Look at "
                    "the instance and at the list below.")


def failure(run: record.Run) -> str:
    """Why a run failed, what is left, and what can be done; else empty."""
    progress = run.progress
    if not progress.failure:
        return ''
    try:
        code = failures.Failure(progress.failure)
    except ValueError:
        return str(UNKNOWN_FAILURE)
    if run.copied:
        return str(COPIED)
    words = [str(_failures(run.plan)[code])]
    if progress.start_count:
        words.append(str(_("The instance was powered on again.")))
    elif progress.ended_at and run.server.status == 'SHUTOFF' and (
            progress.off_at or run.plan.was_running):
        words.append(str(_("The instance is off.")))
    if progress.leftover_ids:
        words.append(left(run))
    if progress.detail:
        words.append(_("The cloud said: %s") % progress.detail)
    return ' '.join(words)


def left(run: record.Run) -> str:
    """What a run could not remove; else empty."""
    if not run.progress.leftover_ids:
        return ''
    return _("This could not be removed; delete it by hand: "
             "%s") % run.progress.leftover_ids


def hindrance(run: record.Run, now: int) -> str:
    """Why the next step has to wait, and until when; else empty."""
    progress = run.progress
    if not (progress.put_off_count or progress.refusal_count):
        return ''
    words = [str(_("The cloud did not take the next step: %s") % (
        progress.hindrance or _("it did not say why")))]
    seconds = progress.not_before - now
    if seconds > 0:
        words.append(ngettext("It is tried again in %d second.",
                              "It is tried again in %d seconds.",
                              seconds) % seconds)
    else:
        words.append(str(_("It is tried again.")))
    return ' '.join(words)


def detached(plan: record.Plan) -> str:
    """Why a run that names volumes cannot be tried again."""
    return _failures(plan)[failures.Failure.VOLUME_DETACHED]


def _failures(plan: record.Plan) -> dict[Any, Any]:
    return FAILURES if plan.captures_image else {**FAILURES, **FAILURES_ALONE}


def held(run: record.Run) -> str:
    """Why a run cannot go on until somebody lets it; else empty."""
    server = run.server
    if not observation.is_held(server, run.tagged):
        return ''
    if server.status not in observation.CAPTURABLE:
        return _("Somebody brought the instance into the state %(status)s "
                 "meanwhile. It is left as it is. The snapshot goes on, or "
                 "says why not, when the instance is active or shut off "
                 "again.") % {'status': server.status}
    return _("Somebody has locked the instance, so the snapshot cannot go "
             "on. It goes on when the instance is unlocked under Compute > "
             "Instances.")


def trouble(error: errors.ServiceError) -> str:
    """Why a run cannot go on, or a button did nothing."""
    service = {'service': wording.SERVICES[error.service]}
    if isinstance(error, errors.NotFound):
        return _("The instance is gone.")
    if isinstance(error, errors.Conflict):
        return _("The instance is locked or busy, so nothing was done. Try "
                 "again when it is not.")
    if isinstance(error, errors.OverQuota):
        return _("%(service)s says that a limit is reached: "
                 "%(detail)s") % {**service, 'detail': error.detail}
    if isinstance(error, errors.Throttled):
        return _("%(service)s gets too many requests now. Nothing is lost: "
                 "the snapshot goes on a little later.") % service
    if isinstance(error, errors.Forbidden):
        return _("%(service)s says that you are not allowed to do this. "
                 "Nothing was changed; another member of the project can "
                 "bring it to its end.") % service
    if isinstance(error, errors.Refused):
        return _("%(service)s refused this: %(detail)s") % {
            **service, 'detail': error.detail}
    if error.status:
        return _("%(service)s has a fault now. Nothing is lost: the "
                 "snapshot goes on when it works again.") % service
    return _("%(service)s does not answer now. Nothing is lost: the "
             "snapshot goes on when it answers again.") % service
