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


def captured(snapshot: model.Snapshot) -> str:
    """What a snapshot holds."""
    if snapshot.kind is kinds.Kind.VOLUME:
        return _("The volume, as it was at that moment.")
    if snapshot.volume_backed:
        return _("The volumes that were attached to the instance, including "
                 "its root disk. They are listed below.")
    if snapshot.parts:
        return _("The root disk of the instance, and the attached volumes "
                 "that were selected. They are listed below.")
    return _("The root disk of the instance.")


def not_captured(snapshot: model.Snapshot) -> str:
    """What a snapshot does not hold."""
    if snapshot.kind is kinds.Kind.VOLUME:
        return _("Other volumes, and the instance it was attached to, if any.")
    if snapshot.volume_backed:
        return _("Ephemeral disks and swap, if any, and memory.")
    if snapshot.parts:
        return _("Volumes that are not listed below, ephemeral disks and "
                 "swap, if any, and memory.")
    return _("Attached volumes, ephemeral disks and swap, if any, and memory.")


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
