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

"""What the page of one snapshot says in words."""

from collections.abc import Mapping
import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from snapshot_dashboard import settings
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.snapshots import commands
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.snapshots import omissions
from snapshot_dashboard.snapshots import statuses


def captured(snapshot: model.Snapshot) -> str:
    """What a snapshot holds, as far as its status lets it hold anything."""
    if snapshot.status == statuses.INCOMPLETE:
        return _("Not everything: see the statuses of the volume snapshots "
                 "below.")
    if snapshot.motion is statuses.Outcome.FAILED and (
            snapshot.status != 'error_deleting'):
        return _("Nothing that can be used.")
    if snapshot.status in _BEING_TAKEN:
        return _("Nothing yet: the snapshot is still being taken.")
    if snapshot.kind is kinds.Kind.VOLUME:
        return _("The volume, as it was at that moment.")
    if snapshot.volume_backed:
        return _("The volumes that were attached to the instance, including "
                 "its root disk. They are listed below.")
    if snapshot.parts:
        return _("The root disk of the instance, and the attached volumes "
                 "that were selected. They are listed below.")
    return _("The root disk of the instance.")


def not_captured(snapshot: model.Snapshot,
                 names: Mapping[str, str]) -> list[str]:
    """What a snapshot does not hold, line by line.

    :param names: of volumes, by their ids.
    """
    if snapshot.kind is kinds.Kind.VOLUME:
        return [_("Other volumes, and the instance it was attached to, if "
                  "any.")]
    if snapshot.left_out is not None:
        return _noted(snapshot.left_out, names)
    found = [
        _("Ephemeral disks and swap, if any, and memory.")
        if snapshot.volume_backed else
        _("Volumes that are not listed below, ephemeral disks and swap, if "
          "any, and memory.") if snapshot.parts else
        _("Attached volumes, ephemeral disks and swap, if any, and memory.")]
    if snapshot.lacking_ephemeral_gib:
        found.append(_("The instance has an ephemeral disk of %d GiB today.")
                     % snapshot.lacking_ephemeral_gib)
    return found


def _noted(left_out: omissions.Omissions,
           names: Mapping[str, str]) -> list[str]:
    """What was noted when it was taken."""
    found = []
    if left_out.ephemeral_gib:
        found.append(_("Ephemeral disk, %d GiB") % left_out.ephemeral_gib)
    if left_out.swap_mib:
        found.append(_("Swap, %d MiB") % left_out.swap_mib)
    if left_out.tpm:
        found.append(_("The state of the virtual TPM"))
    found += [_("Volume %s") % (names.get(volume_id) or volume_id)
              for volume_id in left_out.volume_ids]
    if left_out.more_volumes:
        found.append(ngettext("%d more volume", "%d more volumes",
                              left_out.more_volumes) % left_out.more_volumes)
    return [*found, _("Memory, and file shares, if any")]


def bootable(snapshot: model.Snapshot) -> str:
    """Whether instances can boot from it."""
    if not snapshot.usable:
        return _("Not as it is: see its status.")
    if snapshot.bootable is None:
        return _("Unknown: its volume cannot be asked.")
    if not snapshot.bootable:
        return _("No, it holds data only.")
    if snapshot.kind is kinds.Kind.VOLUME:
        return _("Yes, its volume is bootable.")
    return _("Yes")


#: Statuses of what is not there yet.
_BEING_TAKEN = ('queued', 'saving', 'uploading', 'importing', 'creating')
COMMANDS = {
    commands.What.DOWNLOAD: _("Download it:"),
    commands.What.EXPORT: _(
        "Create a volume from it and an image from that volume, download the "
        "image, and delete both. They count against your quotas until then:"),
    commands.What.UPLOAD: _("Upload it to the other cloud:"),
    commands.What.VOLUME: _("Create a volume from it there:"),
}


def old(snapshot: model.Snapshot, now: datetime.datetime) -> str:
    """What to think of before an old snapshot is used; else empty."""
    days = settings.get('OLD_AFTER_DAYS')
    if not days or snapshot.created > now - datetime.timedelta(days=days):
        return ''
    return ngettext(
        "It is more than %(days)d day old, so later updates are missing. "
        "Consider launching a fresh image and setting it up with your "
        "configuration tool instead.",
        "It is more than %(days)d days old, so later updates are missing. "
        "Consider launching a fresh image and setting it up with your "
        "configuration tool instead.", days) % {'days': days}


def made_by(user_id: str, user: Any) -> str:
    """Who made it; Keystone tells members no names of others."""
    if not user_id:
        return ''
    return user.username if user_id == user.id else user_id


def unknown_history(error: errors.ServiceError) -> str:
    """Why it is not known what happened to a snapshot."""
    return _("Part of the history could not be loaded. Error from "
             "%(service)s: %(detail)s") % wording.said(error)
