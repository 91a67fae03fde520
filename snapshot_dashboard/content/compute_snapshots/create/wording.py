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

from snapshot_dashboard.cloud import types
from snapshot_dashboard.content.compute_snapshots import states
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
    disk_facts.Fate.EMPTY: _("Recreated empty"),
}
BUSY = {
    'image_snapshot_pending': _(
        "Another snapshot of this instance is in progress. Wait until it is "
        "finished, then try again."),
    'powering-off': _("The instance is being powered off. Wait until it is "
                      "off, then try again."),
    'powering-on': _("The instance is being powered on. Wait until it is on, "
                     "then try again."),
}
BUSY.update(dict.fromkeys(
    ('image_snapshot', 'image_pending_upload', 'image_uploading'),
    BUSY['image_snapshot_pending']))


TASKS = {
    guest_checklist.Task.FSTAB: _(
        "Remove the lines of volumes and ephemeral disks from /etc/fstab, or "
        "give them the nofail option: new machines do not have these disks. "
        "This shows the lines:"),
    guest_checklist.Task.CLOUD_INIT: _(
        "Make cloud-init run again on each new machine:"),
    guest_checklist.Task.MACHINE_ID: _(
        "Clear the machine ID, so that each machine gets its own:"),
    guest_checklist.Task.HOST_KEYS: _(
        "Remove the SSH host keys, so that each machine makes its own. Do "
        "this last: nobody can sign in over SSH until cloud-init has made new "
        "ones:"),
    guest_checklist.Task.SYSPREP: _(
        "On Windows, generalize it with Sysprep. Sysprep shuts the machine "
        "down; take the snapshot after that:"),
}


def obstacle(found: obstacles.Obstacle) -> str:
    """What is in the way of a snapshot, and what to do about it."""
    facts = found.facts
    if found.code is obstacles.Code.STATE:
        return _("The status of the instance is %(status)s. A snapshot can be "
                 "taken while it is active, shut off, paused or "
                 "suspended.") % {'status': states.status(facts['status'])}
    if found.code is obstacles.Code.BUSY:
        return str(BUSY.get(facts['task'], _(
            "The instance is busy (%(task)s). Wait until that is finished, "
            "then try again.") % {'task': states.task(facts['task'])}))
    if found.code is obstacles.Code.RUN_OPEN:
        return _("A snapshot of this instance is already in progress: "
                 '"%(name)s". Wait until it is finished.') % facts
    if found.code is obstacles.Code.RESTORING:
        return str(_("The instance is being put back to a snapshot. Wait "
                     "until that is finished, then try again."))
    if found.code is obstacles.Code.SWITCHING:
        return str(_("The addresses of the instance are moving. Wait until "
                     "that is finished, then try again."))
    if found.code is obstacles.Code.VOLUME_STATE:
        return _("No snapshot can be taken of the volume %(volume)s: its "
                 "status is %(status)s. Wait until the volume is available or "
                 "in use. If its status is an error, contact your cloud's "
                 "support.") % {
                     'volume': facts['volume'],
                     'status': states.status(facts['status'])}
    if found.code is obstacles.Code.NO_VOLUME_SERVICE:
        return _("The disks of this instance are volumes, and the volume "
                 "service (Cinder) is not available now. Try again later.")
    if found.code is obstacles.Code.QUOTA_METADATA:
        return ngettext(
            "There is not enough room in the metadata of the instance to "
            "record this snapshot: it needs %(lacking)d more item than the "
            "%(limit)d that Nova allows. Remove metadata that is not needed, "
            "or take the snapshot without powering off and without attached "
            "volumes.",
            "There is not enough room in the metadata of the instance to "
            "record this snapshot: it needs %(lacking)d more items than the "
            "%(limit)d that Nova allows. Remove metadata that is not needed, "
            "or take the snapshot without powering off and without attached "
            "volumes.",
            facts['lacking']) % facts
    if found.code is obstacles.Code.QUOTA_TAGS:
        return _("The instance has no room for the tags that mark it while "
                 "its snapshot is taken: Nova allows 50. Remove tags that are "
                 "not needed.")
    if found.code is obstacles.Code.QUOTA_IMAGE_METADATA:
        return _("Nova allows %(limit)d metadata items on an image, and this "
                 "snapshot needs more. Ask your cloud's support for a larger "
                 "quota of metadata items.") % facts
    if found.code is obstacles.Code.QUOTA_PROPERTIES:
        return _("The snapshot would inherit %(inherited)d properties from "
                 "the image of the instance, which leaves too little room for "
                 "its own: Glance usually allows %(limit)d. Ask your cloud's "
                 "support.") % (
                     facts)
    return _quota(found.code, facts)


#: The quotas that may be a volume type's own.
VOLUME_QUOTAS = {
    obstacles.Code.QUOTA_SNAPSHOTS: _(
        "Not enough quota for volume snapshots: needed %(needed)d, left "
        "%(left)d of %(limit)d."),
    obstacles.Code.QUOTA_GIGABYTES: _(
        "Not enough quota for volume storage: needed %(needed)d GiB, left "
        "%(left)d of %(limit)d GiB."),
}


def _quota(code: obstacles.Code, facts: Mapping[str, Any]) -> str:
    if code in VOLUME_QUOTAS:
        text = VOLUME_QUOTAS[code] % facts
    elif code is obstacles.Code.QUOTA_IMAGES:
        text = _("The image quota is used up (%(limit)d).") % facts
    elif code is obstacles.Code.QUOTA_IMAGE_SIZE:
        text = _("The image storage quota is used up (%(limit)d MiB).") % facts
    else:
        raise ValueError(f'There are no words for {code}.')
    sentences = [text]
    if facts['type'] and code in VOLUME_QUOTAS:
        sentences.append(_("This is the quota of the volume type %(type)s.")
                         % facts)
    sentences.append(_("Delete what you no longer need, or ask for a larger "
                       "quota."))
    return ' '.join(map(str, sentences))


def instance_choice(server: types.Server) -> str:
    """An instance among the choices of the wizard."""
    return _("%(name)s – %(status)s") % {
        'name': server.name or server.id,
        'status': states.status(server.status)}


def volume_choice(volume: types.Volume, names: Mapping[str, str]) -> str:
    """A volume among the choices of the wizard.

    :param names: of instances, by their ids.
    """
    at = ', '.join(names.get(server_id, server_id)
                   for server_id in volume.server_ids)
    name = volume.name or (
        _("Unnamed bootable volume of %s") % at
        if volume.bootable and at else volume.id)
    facts = {'name': name, 'size': volume.size_gib, 'at': at}
    if at:
        return _("%(name)s – %(size)d GiB, attached to %(at)s") % facts
    return _("%(name)s – %(size)d GiB, not attached") % facts
