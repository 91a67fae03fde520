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
from snapshot_dashboard.cloud import types
from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.inspection import file_systems
from snapshot_dashboard.snapshots import commands
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.snapshots import omissions
from snapshot_dashboard.snapshots import statuses


def lead(snapshot: model.Snapshot) -> str:
    """What a snapshot is, in one sentence; where it is none, what is wrong."""
    if not snapshot.usable:
        return captured(snapshot)
    source = snapshot.source
    if source and not (source.certain and (source.name or source.exists)):
        source = None
    known = {'name': source.name or source.id if source else '',
             'count': len(snapshot.parts)}
    if snapshot.kind is kinds.Kind.VOLUME:
        return (_("A copy of the volume %(name)s.") if source
                else _("A copy of a volume.")) % known
    if snapshot.volume_backed:
        return (ngettext(
            "A copy of %(name)s, whose root disk is a volume: %(count)d "
            "volume snapshot.",
            "A copy of %(name)s, whose root disk is a volume: %(count)d "
            "volume snapshots.", known['count']) if source else ngettext(
            "A copy of an instance whose root disk is a volume: %(count)d "
            "volume snapshot.",
            "A copy of an instance whose root disk is a volume: %(count)d "
            "volume snapshots.", known['count'])) % known
    if not snapshot.parts:
        return (_("A copy of the root disk of %(name)s.") if source
                else _("A copy of the root disk of an instance.")) % known
    return (ngettext(
        "A copy of the root disk of %(name)s, and of %(count)d volume.",
        "A copy of the root disk of %(name)s, and of %(count)d volumes.",
        known['count']) if source else ngettext(
        "A copy of the root disk of an instance, and of %(count)d volume.",
        "A copy of the root disk of an instance, and of %(count)d volumes.",
        known['count'])) % known


def captured(snapshot: model.Snapshot) -> str:
    """What a snapshot holds, as far as its status lets it hold anything."""
    if snapshot.status == statuses.INCOMPLETE:
        return (_("Not everything: see the statuses of the volume snapshots "
                  "below.") if any(part.status == 'available'
                                   for part in snapshot.parts)
                else _("Nothing that can be used: none of its volume "
                       "snapshots is left."))
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
                 volumes: Mapping[str, types.Volume]) -> list[str]:
    """What a snapshot does not hold, line by line.

    :param volumes: by their ids, as far as they are known.
    """
    if snapshot.kind is kinds.Kind.VOLUME:
        return [_("Other volumes, and the instance it was attached to, if "
                  "any.")]
    if snapshot.left_out is not None:
        return _noted(snapshot.left_out, volumes)
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
           volumes: Mapping[str, types.Volume]) -> list[str]:
    """What was noted when it was taken."""
    found = []
    if left_out.ephemeral_gib:
        found.append(_("Ephemeral disk, %d GiB") % left_out.ephemeral_gib)
    if left_out.swap_mib:
        found.append(_("Swap, %d MiB") % left_out.swap_mib)
    if left_out.tpm:
        found.append(_("The state of the virtual TPM"))
    for volume_id in left_out.volume_ids:
        volume = volumes.get(volume_id)
        found.append(_("Volume %s") % (
            volume.name if volume and volume.name else volume_id))
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


VERDICTS = {
    file_systems.State.CLEAN: _(
        "Clean, according to the file systems themselves: they were closed in "
        "order, or frozen by a guest agent."),
    file_systems.State.REPLAY: _(
        "As after a power failure (crash-consistent): a file system was in "
        "use, and its journal is replayed when it is mounted. That happens by "
        "itself when an instance boots from it."),
    file_systems.State.DIRTY: _(
        "A file system was in use without a journal, or asks for a check "
        "itself. Check it (fsck, chkdsk) before you rely on it."),
    file_systems.State.ERRORS: _(
        "A file system has noted errors. Check it (fsck) before you rely on "
        "it."),
    file_systems.State.UNKNOWN: _(
        "Unknown: it could not be read, or holds something that does not say, "
        "such as LVM, NTFS, btrfs or an encrypted disk."),
}


def unchecked(error: errors.ServiceError) -> str:
    """Why the bytes of a snapshot were not looked at, or nothing was noted."""
    return _("The snapshot could not be checked, and was not changed. Error "
             "from %(service)s: %(detail)s") % wording.said(error)


def unknown_history(error: errors.ServiceError) -> str:
    """Why it is not known what happened to a snapshot."""
    return _("Part of the history could not be loaded. Error from "
             "%(service)s: %(detail)s") % wording.said(error)
