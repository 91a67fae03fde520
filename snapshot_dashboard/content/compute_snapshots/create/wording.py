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

"""What the wizard says of disks and of what is in the way."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from snapshot_dashboard.preflight import disk_facts
from snapshot_dashboard.preflight import guest_checklist
from snapshot_dashboard.preflight import obstacles

ROLES = {
    disk_facts.Role.ROOT: _("Root disk"),
    disk_facts.Role.EPHEMERAL: _("Ephemeral disk"),
    disk_facts.Role.SWAP: _("Swap disk"),
    disk_facts.Role.VOLUME: _("Volume"),
    disk_facts.Role.SHARE: _("File share"),
    disk_facts.Role.TPM: _("State of the virtual TPM"),
}
FATES = {
    disk_facts.Fate.CAPTURED: _("Captured"),
    disk_facts.Fate.NOT_CAPTURED: _("Not captured"),
    disk_facts.Fate.EMPTY: _("Comes back empty"),
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


TASKS = {
    guest_checklist.Task.FSTAB: _(
        "Take lines of volumes and of ephemeral disks out of /etc/fstab, or "
        "give them the option nofail: new machines have none of those. This "
        "shows the lines:"),
    guest_checklist.Task.CLOUD_INIT: _(
        "Let cloud-init take a new machine for a new one:"),
    guest_checklist.Task.MACHINE_ID: _(
        "Let each machine draw an id of its own:"),
    guest_checklist.Task.HOST_KEYS: _(
        "Let each machine make its own SSH host keys. Do this last: nobody "
        "can sign in by SSH after it until cloud-init has made new ones:"),
    guest_checklist.Task.SYSPREP: _(
        "On Windows, let Sysprep make it general. It shuts the machine down; "
        "take the snapshot then:"),
}


def obstacle(found: obstacles.Obstacle) -> str:
    """What is in the way of a snapshot, and what to do about it."""
    facts = found.facts
    if found.code is obstacles.Code.STATE:
        return _("The instance is in the state %(status)s. A snapshot can be "
                 "taken while it is active, shut off, paused or "
                 "suspended.") % facts
    if found.code is obstacles.Code.BUSY:
        return str(BUSY.get(facts['task'], _(
            "The instance is busy with something else (%(task)s). Wait until "
            "that is over, and try again.") % facts))
    if found.code is obstacles.Code.RUN_OPEN:
        return _("A snapshot of this instance is under way already: "
                 "\"%(name)s\". Wait until it is finished.") % facts
    if found.code is obstacles.Code.VOLUME_STATE:
        return _("The volume %(volume)s is in the state %(status)s, so no "
                 "snapshot of it can be taken. Repair or detach it "
                 "first.") % facts
    if found.code is obstacles.Code.NO_VOLUME_SERVICE:
        return _("The disks of this instance are volumes, and the volume "
                 "service (Cinder) cannot be asked about them now. Try again "
                 "later.")
    if found.code is obstacles.Code.QUOTA_METADATA:
        return ngettext(
            "The instance has no room for what has to be written down about "
            "this snapshot: %(lacking)d more item of metadata is needed than "
            "the %(limit)d that Nova allows. Remove metadata of the instance "
            "that is not needed, or take the snapshot without powering off.",
            "The instance has no room for what has to be written down about "
            "this snapshot: %(lacking)d more items of metadata are needed "
            "than the %(limit)d that Nova allows. Remove metadata of the "
            "instance that is not needed, or take the snapshot without "
            "powering off.", facts['lacking']) % facts
    if found.code is obstacles.Code.QUOTA_TAGS:
        return _("The instance has no room for the tags by which its "
                 "snapshot is found: Nova allows 50. Remove tags of the "
                 "instance that are not needed.")
    if found.code is obstacles.Code.QUOTA_IMAGE_METADATA:
        return _("Nova allows %(limit)d items of metadata for an image, too "
                 "few for what this panel writes on a snapshot. Ask the "
                 "operator for a larger quota of metadata items.") % facts
    if found.code is obstacles.Code.QUOTA_PROPERTIES:
        return _("The image that the instance was made of hands on "
                 "%(inherited)d properties, which leaves too little room for "
                 "those of a snapshot: Glance usually allows %(limit)d.") % (
                     facts)
    return _quota(found.code, facts)


def _quota(code: obstacles.Code, facts: Mapping[str, Any]) -> str:
    if code is obstacles.Code.QUOTA_SNAPSHOTS:
        text = ngettext(
            "The quota of volume snapshots is too small: %(needed)d is "
            "needed, %(left)d of %(limit)d is left.",
            "The quota of volume snapshots is too small: %(needed)d are "
            "needed, %(left)d of %(limit)d are left.",
            facts['needed']) % facts
    elif code is obstacles.Code.QUOTA_GIGABYTES:
        text = _("The quota of volume storage is too small: %(needed)d GiB "
                 "are needed, %(left)d of %(limit)d GiB are left.") % facts
    elif code is obstacles.Code.QUOTA_IMAGES:
        text = _("The quota of images is used up; it is %(limit)d.") % facts
    elif code is obstacles.Code.QUOTA_IMAGE_SIZE:
        text = _("The quota of image storage is used up; it is %(limit)d "
                 "MiB.") % facts
    else:
        raise ValueError(f'There are no words for {code}.')
    kind = _("This is the quota of the volume type %(type)s.") % facts
    return ' '.join([text, *([kind] if facts['type'] and code in (
        obstacles.Code.QUOTA_SNAPSHOTS, obstacles.Code.QUOTA_GIGABYTES)
        else []), str(_("Delete what is not needed any more, or ask for a "
                        "larger quota."))])
