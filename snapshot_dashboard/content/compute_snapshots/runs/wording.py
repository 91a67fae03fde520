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

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.content.compute_snapshots import states
from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.runs import failures
from snapshot_dashboard.runs import lifecycle
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
PHASE_STATES = {
    phases.State.DONE: _("(done)"),
    phases.State.SKIPPED: _("(skipped)"),
    phases.State.CANCELLED: _("(cancelled)"),
    phases.State.FAILED: _("(failed)"),
}
#: The class of a panel for each way that a run can stand.
_OPEN, _ATTENTION, _NEUTRAL, _BAD, _GOOD = (
    'info', 'warning', 'default', 'danger', 'success')
_ICONS = {_OPEN: 'fa-refresh fa-spin', _ATTENTION: 'fa-exclamation-circle',
          _NEUTRAL: 'fa-ban', _BAD: 'fa-exclamation-triangle',
          _GOOD: 'fa-check'}
BUTTONS = {
    'adopt': _("Resume Anyway"),
    'advance': _("Resume"),
    'cancel': _("Cancel"),
    'power_on': _("Power On Now"),
    'retry': _("Try Again"),
    'remove': _("Remove Leftovers"),
    'dismiss': _("Dismiss"),
}
REMOVE_ALL = _("Delete Incomplete Snapshot")
CONFIRM_LEFTOVERS = _("The leftovers will be deleted and cannot be recovered. "
                      "Continue?")
CONFIRM_REMOVAL = _("Everything that was saved of this snapshot will be "
                    "deleted and cannot be recovered. Continue?")
CONFIRM_POWER_ON = _("The snapshot is not finished. If the instance is "
                     "powered on now, it fails or is marked as live: files in "
                     "it may be half-written. Power the instance on?")
CONFIRM_RETRY = _("The instance is powered off again for the snapshot. "
                  "Continue?")
FAILURES = {
    failures.Failure.SERVER_GONE: _(
        "The instance was deleted before the snapshot was taken."),
    failures.Failure.NOT_BEGUN: _(
        "The snapshot could not be taken in time, so it was given up. Try "
        "again if you still need it."),
    failures.Failure.RECORD_LOST: _(
        "The record of this snapshot on the instance was removed or changed, "
        "so the snapshot could not be completed. Check the list below for "
        "what was captured."),
    failures.Failure.STOP_REFUSED: _(
        "The cloud refused to power the instance off. No snapshot was taken."),
    failures.Failure.STOP_FAILED: _(
        "The instance could not be powered off, despite several attempts. No "
        "snapshot was taken. Try again, or shut it down from inside the guest "
        "and then take the snapshot."),
    failures.Failure.FORCED_OFF: _(
        "The guest did not shut down in time, so the instance was forced off. "
        "No snapshot was taken, as was chosen. Shut the guest down from "
        "inside and then take the snapshot, or create a new snapshot and "
        "choose “Force it off and take the snapshot”."),
    failures.Failure.STARTED_BY_OTHERS: _(
        "Somebody powered the instance on before the snapshot was taken. It "
        "was left running, and no snapshot was kept. Try again."),
    failures.Failure.WRONG_STATE: _(
        "The status of the instance changed to one in which no snapshot can "
        "be taken. The instance was left as it is, and no snapshot was "
        "taken."),
    failures.Failure.VOLUME_DETACHED: _(
        "A volume that was selected is no longer attached. No snapshot was "
        "taken."),
    failures.Failure.SNAPSHOT_REFUSED: _(
        "The cloud refused the snapshot of an attached volume, so no snapshot "
        "was taken of the instance either."),
    failures.Failure.SNAPSHOT_FAILED: _(
        "The snapshot of an attached volume failed, so no snapshot was taken "
        "of the instance either. Try again. If it fails again, contact your "
        "cloud's support."),
    failures.Failure.CAPTURE_REFUSED: _(
        "The cloud refused the snapshot. None was taken."),
    failures.Failure.CAPTURE_FAILED: _(
        "The snapshot could not be started, or was lost at once. Try again "
        "later."),
    failures.Failure.IMAGE_VANISHED: _(
        "The snapshot failed: its image is gone. Somebody deleted it, or the "
        "cloud removed it after an error. Try again. If it fails again, "
        "contact your cloud's support."),
    failures.Failure.IMAGE_ABANDONED: _(
        "The snapshot failed: the cloud stopped working on it before it was "
        "complete. What was saved of it is removed. Try again."),
    failures.Failure.IMAGE_EMPTY: _(
        "The snapshot failed: the cloud reports it as finished, but its image "
        "is empty. Remove it and try again."),
    failures.Failure.PART_FAILED: _(
        "The snapshot is incomplete: one of its volume snapshots failed. The "
        "rest was kept, because it may be of use. Remove it and try again."),
    failures.Failure.PART_ABANDONED: _(
        "One of the volume snapshots took too long to wait for. Nothing was "
        "deleted, because it may still be finished. Check the snapshot later. "
        "If it does not become complete, contact your cloud's support."),
    failures.Failure.CANCELLED: _(
        "Cancelled before the snapshot was taken."),
}
#: The same of runs that capture a volume alone, where it reads otherwise.
FAILURES_ALONE = {
    failures.Failure.VOLUME_DETACHED: _(
        "The volume is no longer attached to the instance. No snapshot was "
        "taken."),
    failures.Failure.SNAPSHOT_REFUSED: _(
        "The cloud refused the snapshot. None was taken."),
    failures.Failure.SNAPSHOT_FAILED: _(
        "The snapshot failed. What was saved of it is removed. Try again. If "
        "it fails again, contact your cloud's support."),
    failures.Failure.PART_ABANDONED: _(
        "The snapshot took too long to wait for. It was not deleted, because "
        "it may still be finished. Check it later. If it is never finished, "
        "contact your cloud's support."),
}
REMOVED = _("The snapshot was incomplete. What was saved of it has been "
            "deleted. Try again.")
COPIED = _("This entry was copied here from another instance, together with "
           "its metadata. Nothing was done. Choose “Dismiss”.")
UNKNOWN_FAILURE = _("The snapshot failed for an unknown reason. Check the "
                    "instance and the list below.")


def title(run: record.Run, name: str) -> str:
    """What a run is about.

    :param name: of the snapshot; empty if it is not known or has none.
    """
    words = {'name': name, 'instance': run.server.name or run.server.id}
    if not run.plan.captures_image:
        return (_("Snapshot “%(name)s” of a volume of %(instance)s") if name
                else _("Snapshot of a volume of %(instance)s")) % words
    return (_("Snapshot “%(name)s” of %(instance)s") if name
            else _("Snapshot of %(instance)s")) % words


def now(run: record.Run, mark: str) -> str:
    """Where a run stands.

    :param mark: how what it made was taken, one of the values in ``marks``.
    """
    phase = phases.current(run)
    if phase is phases.Phase.POWER_ON and (
            run.server.task_state == 'powering-off'):
        return str(_("Waiting for the power-off to end"))
    if phase:
        return str(PHASES[phase])
    if run.cancelled:
        return str(_("Cancelled"))
    if run.progress.failure:
        return str(_("Failed"))
    if mark == marks.FORCED_OFF:
        return str(_("Finished, but the instance was forced off"))
    return str(_("Finished"))


def look(run: record.Run, held_up: bool, mark: str) -> dict[str, str]:
    """The class and the icon of a run's panel.

    :param held_up: whether an open one does not go on as it should.
    """
    failure = run.progress.failure
    if run.open:
        style = _ATTENTION if held_up else _OPEN
        return {'class': style, 'icon': _ICONS[_OPEN]}
    style = (_NEUTRAL if run.cancelled
             else _BAD if failure
             else _ATTENTION if mark == marks.FORCED_OFF else _GOOD)
    return {'class': style, 'icon': _ICONS[style]}


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
    words = [str(REMOVED) if progress.removed_at
             and progress.failure in failures.KEEPING
             else str(_failures(run.plan)[code])]
    if progress.start_count:
        words.append(str(
            _("The instance is being powered on again.") if run.open else
            _("The instance was powered on again.")))
    elif progress.ended_at and run.server.status == 'SHUTOFF' and (
            progress.off_at or run.plan.was_running):
        words.append(str(_("The instance is off.")))
    if progress.leftover_ids:
        words.append(left(run))
    if progress.detail:
        words.append(
            _("Its status was %s.") % states.status(progress.detail)
            if code is failures.Failure.WRONG_STATE else
            _("Error from the cloud: %s.") % progress.detail)
    return ' '.join(words)


def unmarked(run: record.Run) -> str:
    """That what was made may lack what is noted on it; else empty."""
    if not run.progress.captured_at or run.progress.mark_count < record.TRIES:
        return ''
    return _("Notes on the snapshot may be missing: check its consistency, "
             "keep-until date and protection on its page.")


def left(run: record.Run) -> str:
    """What a run could not remove; else empty."""
    if not run.progress.leftover_ids:
        return ''
    return _("Some leftovers could not be removed. Remove them with the "
             "button below, or delete the images and volume snapshots with "
             "these IDs: %s."
             ) % run.progress.leftover_ids


def hindrance(run: record.Run, now: int) -> str:
    """Why the next step has to wait, and until when; else empty."""
    progress = run.progress
    if not (progress.put_off_count or progress.refusal_count):
        if progress.start_count > 1 and run.server.status == 'SHUTOFF':
            return ngettext(
                "The instance did not power on yet. %d attempt was made.",
                "The instance did not power on yet. %d attempts were made.",
                progress.start_count) % progress.start_count
        return ''
    words = [str(_("The cloud did not accept the next step (%s).") % (
        progress.hindrance or _("no reason was given")))]
    seconds = progress.not_before - now
    if seconds > 0:
        words.append(ngettext("Next attempt in %d second.",
                              "Next attempt in %d seconds.",
                              seconds) % seconds)
    else:
        words.append(str(_("It will be tried again.")))
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
        return _("Somebody changed the status of the instance to %(status)s. "
                 "It is left as it is. The snapshot continues, or reports why "
                 "it cannot, when the instance is active or shut off again."
                 ) % {'status': states.status(server.status)}
    return _("Somebody locked the instance, so the snapshot cannot continue. "
             "It continues when the instance is unlocked under Compute > "
             "Instances.")


def trouble(error: errors.ServiceError, is_wish: bool = False) -> str:
    """Why a run cannot go on, or a button did nothing.

    :param is_wish: whether it was met by what a user asked for, which nobody
        tries again.
    """
    service = {'service': wording.SERVICES[error.service]}
    if isinstance(error, errors.NotFound):
        return (_("The instance no longer exists.")
                if error.service == 'compute' else
                _("Something that is needed no longer exists, according to "
                  "%(service)s.") % service)
    if isinstance(error, lifecycle.TooLate):
        return _("It is too late to cancel: the snapshot is already being "
                 "taken. Nothing was done.")
    if isinstance(error, errors.Conflict):
        return _("The instance is locked or busy, so nothing was done. Try "
                 "again later.")
    if isinstance(error, errors.OverQuota):
        return _("A limit was reached. Error from %(service)s: %(detail)s"
                 ) % {**service, 'detail': error.detail}
    if isinstance(error, errors.Forbidden):
        return _("You are not allowed to do this, according to %(service)s. "
                 "Nothing was changed. Ask a member of the project who has "
                 "more rights.") % service
    if isinstance(error, errors.Refused):
        return _("This was refused. Error from %(service)s: %(detail)s") % {
            **service, 'detail': error.detail}
    return (_wish_lost if is_wish else _put_off)(error) % service


def refused_before(error: errors.ServiceError) -> str:
    """That a service refused to bring a run forward, and is not asked again.
    """
    return _("You are not allowed to continue this, according to %(service)s, "
             "and this page does not try again by itself. Reload it to try "
             "again, or ask a member of the project who has more rights.") % {
                 'service': wording.SERVICES[error.service]}


def _put_off(error: errors.ServiceError) -> str:
    """That a run has to wait for a service."""
    if isinstance(error, errors.Throttled):
        return _("Too many requests to %(service)s. Nothing is lost: the "
                 "snapshot continues a little later.")
    if error.status:
        return _("There is a fault in %(service)s. Nothing is lost: the "
                 "snapshot continues when the service works again.")
    return _("No response from %(service)s. Nothing is lost: the snapshot "
             "continues when the service responds again.")


def _wish_lost(error: errors.ServiceError) -> str:
    """That a service did not do what a user asked for, or did not say so."""
    if isinstance(error, errors.Throttled):
        return _("Too many requests to %(service)s. Try again a little later.")
    if error.status:
        return _("There is a fault in %(service)s, so it is not known whether "
                 "this was done. Reload the page later and check.")
    return _("No response from %(service)s, so it is not known whether this "
             "was done. Reload the page later and check.")
