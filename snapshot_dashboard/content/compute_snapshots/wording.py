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

"""What the codes of snapshots and of the cloud are in words, for people."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.utils.translation import pgettext_lazy

from snapshot_dashboard import marks
from snapshot_dashboard import settings
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import types
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.snapshots import statuses

#: The services' names, which no language declines, and what they are for.
SERVICES = {
    'compute': _("Nova (compute)"),
    'image': _("Glance (images)"),
    'volume': _("Cinder (volumes)"),
    'network': _("Neutron (networks)"),
    'identity': _("Keystone (identity)"),
}


KINDS = {
    kinds.Kind.INSTANCE: _("Instance snapshot"),
    kinds.Kind.VOLUME: _("Volume snapshot"),
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


CONSISTENCIES = {
    marks.POWERED_OFF: pgettext_lazy("How a snapshot was taken",
                                     "Powered off"),
    marks.FORCED_OFF: pgettext_lazy("How a snapshot was taken",
                                    "Forced off"),
    marks.OFF: pgettext_lazy("How a snapshot was taken",
                             "Off, cause not known"),
    marks.DETACHED: pgettext_lazy("How a snapshot was taken",
                                  "Not attached"),
    marks.LIVE_AGENT: pgettext_lazy("How a snapshot was taken",
                                    "Live, with guest agent"),
    marks.LIVE: pgettext_lazy("How a snapshot was taken", "Live"),
    '': pgettext_lazy("How a snapshot was taken", "Unknown"),
}
#: For marks of what was at rest; a snapshot of anything else may be torn.
_ICONS = {marks.POWERED_OFF: 'fa-check text-success',
          marks.DETACHED: 'fa-check text-success'}
PURPOSES = {
    marks.CHANGE: _("Before a change or upgrade"),
    marks.BACKUP: _("Backup"),
    marks.TEMPLATE: _("Template for new machines"),
    marks.MOVE: _("Move to another cloud"),
}
#: All that a snapshot may say of what it is for.
MEANT_FOR = {**PURPOSES, marks.SAFETY: _(
    "To undo going back to an earlier snapshot")}
#: What a status means that does not speak for itself, and what to do.
STATUS_MEANINGS = {
    'incomplete': _(
        "One of the volume snapshots that it needs failed or was deleted, so "
        "it cannot be launched. Delete it and take a new one."),
    'left-over': _(
        "This was started, but nothing is working on it any more, so it will "
        "never be finished. Delete it."),
}
MEANINGS = {
    marks.POWERED_OFF: _(
        "The instance was powered off and shut down in time, so nothing was "
        "writing to its disks."),
    marks.FORCED_OFF: _(
        "The instance did not shut down in time and was forced off, as if the "
        "plug had been pulled (crash-consistent). The latest changes may be "
        "missing, and its file systems may need a check."),
    marks.OFF: _(
        "The instance was off, but it is not known how it went off: it may "
        "have shut down from inside, crashed, or lost its host. Its file "
        "systems may need a check."),
    marks.DETACHED: _(
        "The volume was not attached to an instance, so nothing was writing "
        "to it."),
    marks.LIVE_AGENT: _(
        "The instance was running. According to its image, it has a guest "
        "agent, which may have quiesced (frozen) the file systems; whether it "
        "did is not known."),
    marks.LIVE: _(
        "The instance was running, paused or suspended. The snapshot is at "
        "best crash-consistent: files may be half-written, and the latest "
        "changes may be missing."),
    '': _("It is not known how this snapshot was taken: this panel has not "
          "recorded it. It may have been taken with another tool, for example "
          "the command line."),
}


def operators_words(request: HttpRequest, where: str) -> dict[str, Any]:
    """The template context of what the operator tells the users."""
    today = timezone.localdate()
    return {'guide': settings.get('GUIDE_URL'),
            'unguided': request.user.is_superuser and not (
                settings.get('GUIDE_URL') or settings.get('NOTICES')),
            'notices': [notice for notice in settings.get('NOTICES')
                        if notice.shown(where, request.user.services_region,
                                        today)]}


def said(error: errors.ServiceError) -> dict[str, str]:
    """Who said what, for a text that tells it."""
    return {'service': SERVICES[error.service], 'detail': error.detail}


def service_said(detail: str) -> str:
    """A service's own words, after a sentence of ours."""
    return str(_("The service said: %s") % errors.words(detail))


def repeated(detail: str, seconds: int) -> str:
    """That a request is repeated so much later, and why."""
    return str(_("The last request was not accepted, and is repeated in "
                 "%(seconds)d s: %(detail)s") % {
                     'seconds': seconds, 'detail': errors.words(detail)})


def status(name: str | None) -> str:
    """A snapshot's status in words; one that nobody knows as it is."""
    if name is None:
        return str(_("Unknown"))
    return str(STATUSES.get(name, name))


def parts(snapshot: model.Snapshot,
          volumes: Mapping[str, types.Volume]) -> list[dict[str, Any]]:
    """A snapshot's parts with their statuses in words.

    Which device the root disk's neighbours were is noted in no image; while
    one is attached to the same instance, which it is now is known.

    :param volumes: theirs, by their ids, as far as they are known.
    """
    instance = snapshot.source.id if snapshot.source else ''
    found = []
    for part in snapshot.parts:
        volume = volumes.get(part.volume_id)
        found.append({
            'part': part, 'status': status(part.status),
            'volume_name': volume.name if volume else '',
            'device_now': volume.devices.get(instance, '')
            if volume and not part.device else ''})
    return found


def lacks(snapshot: model.Snapshot) -> list[str]:
    """What one may miss in a snapshot of an instance, in few words."""
    left_out, gib = snapshot.left_out, snapshot.lacking_ephemeral_gib
    found = []
    if gib:
        found.append((_("Without the ephemeral disk (%d GiB)") if left_out
                      else _("May lack an ephemeral disk: its instance has "
                             "one of %d GiB today")) % gib)
    if left_out is not None and left_out.volumes:
        found.append(ngettext("Without %d attached volume",
                              "Without %d attached volumes",
                              left_out.volumes) % left_out.volumes)
    return found


def consistency(mark: str) -> dict[str, Any]:
    """The label of a mark, and what it means; one that nobody knows is none.
    """
    known = mark if mark in CONSISTENCIES else ''
    return {'label': CONSISTENCIES[known], 'meaning': MEANINGS[known],
            'icon': _ICONS.get(known, 'fa-exclamation-circle text-warning')
            if known else ''}


def consistency_of(snapshot: model.Snapshot) -> dict[str, Any]:
    """The same of a snapshot; one that is being taken gets its mark later."""
    if not snapshot.consistency and (
            snapshot.motion is statuses.Outcome.PENDING):
        return {'label': _("Being taken"), 'meaning': '', 'icon': ''}
    if snapshot.foreign:
        return {**consistency(''), 'meaning': _(
            "It is not known how this snapshot was taken: what another "
            "project notes on its snapshots is not relied on here.")}
    return consistency(snapshot.consistency)


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


def reason(error: errors.ServiceError) -> str:
    """Why a service did not give what it was asked for."""
    service = {'service': SERVICES[error.service]}
    if isinstance(error, errors.Forbidden):
        return _("You are not allowed to see them, according to "
                 "%(service)s.") % service
    if error.status:
        return _("There is a fault in %(service)s. Try again later.") % service
    return _("No response from %(service)s. Try again later.") % service


def names(rows: Sequence[model.Snapshot], most: int = 10) -> str:
    """Names of snapshots, the first ones of many."""
    text = ', '.join(row.name or row.id for row in rows[:most])
    return text if len(rows) <= most else str(more(text, len(rows) - most))


def more(text: str, count: int) -> str:
    return ngettext("%(text)s and %(count)d more",
                    "%(text)s and %(count)d more", count) % {
                        'text': text, 'count': count}


def unknown_dependants(error: errors.ServiceError) -> str:
    """Why it is not known whether something was made from a snapshot."""
    text = (_("It is not known whether instances were launched from it. Error "
              "from %(service)s: %(detail)s")
            if error.service == 'compute' else
            _("It is not known whether volumes were made from it. Error from "
              "%(service)s: %(detail)s"))
    return text % said(error)
