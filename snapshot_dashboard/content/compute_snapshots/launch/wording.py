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

"""What the form says that launches an instance like the original."""

from django.utils.translation import gettext_lazy as _

from snapshot_dashboard.cloud import types
from snapshot_dashboard.snapshots import launch

MISSING = {
    launch.Piece.FLAVOR: _("The flavor %s no longer exists. Choose another "
                           "one."),
    launch.Piece.NETWORK: _("The network %s no longer exists, or this project "
                            "may not use it. Choose others."),
    launch.Piece.GROUP: _("The security group %s no longer exists. Check what "
                          "the others allow."),
    launch.Piece.KEY: _("The key pair %s is not yours. Without a key of your "
                        "own you may not be able to sign in."),
    launch.Piece.ZONE: _("The availability zone %s no longer exists. Choose "
                         "another one."),
}


def missing(piece: launch.Piece, name: str) -> str:
    """What the original had and a new one cannot have."""
    return MISSING[piece] % name


def obstacle(found: launch.Obstacle) -> str:
    """Why it cannot be launched, and what to do about it."""
    facts = {'needed': found.needed, 'left': found.left}
    if found.code is launch.Code.BROKEN:
        return _("This snapshot is not complete, so it cannot be launched.")
    if found.code is launch.Code.UNKNOWN:
        return _("Some of the options could not be loaded, so nothing was "
                 "launched. Try again later.")
    if found.code is launch.Code.DISK:
        return _("The disk of this flavor is too small: the snapshot needs "
                 "%(needed)d GiB, the flavor has %(left)d GiB. Choose a "
                 "larger flavor.") % facts
    if found.code is launch.Code.RAM:
        return _("The memory of this flavor is too small: the snapshot needs "
                 "%(needed)d MiB, the flavor has %(left)d MiB. Choose a "
                 "larger flavor.") % facts
    if found.code is launch.Code.INSTANCES:
        return _("The instance quota is used up. Delete an instance, or ask "
                 "for a larger quota.")
    if found.code is launch.Code.CORES:
        return _("Not enough quota for cores: needed %(needed)d, left "
                 "%(left)d.") % facts
    if found.code is launch.Code.QUOTA_RAM:
        return _("Not enough quota for memory: needed %(needed)d MiB, left "
                 "%(left)d MiB.") % facts
    if found.code is launch.Code.VOLUMES:
        return _("Not enough quota for volumes: needed %(needed)d, left "
                 "%(left)d.") % facts
    if found.code is launch.Code.VOLUME_SIZE:
        return _("A volume of %(needed)d GiB is needed, and your quota allows "
                 "volumes of at most %(left)d GiB.") % facts
    return _("Not enough quota for volume storage: needed %(needed)d GiB, "
             "left %(left)d GiB.") % facts


def not_captured(chosen_volumes: bool, from_volume: bool) -> str:
    """What the new instance will not have, and what will be left of it.

    :param from_volume: whether it boots from a volume snapshot alone.
    """
    if from_volume:
        return _("The instance boots from a new volume, which stays when the "
                 "instance is deleted.")
    text = _("Ephemeral disks and swap start empty. The new instance gets new "
             "addresses.")
    if chosen_volumes:
        return ' '.join((str(text), str(_(
            "Attached volumes are not restored: create volumes from the "
            "volume snapshots that belong to this snapshot, and attach "
            "them."))))
    return text


def flavor(flavor: types.Flavor) -> str:
    """A flavor and what it brings."""
    facts = {'name': flavor.name, 'cores': flavor.cores,
             'ram': flavor.ram_mib, 'disk': flavor.disk_gib,
             'ephemeral': flavor.ephemeral_gib}
    if flavor.ephemeral_gib:
        return _("%(name)s (%(cores)d vCPU, %(ram)d MiB, %(disk)d GiB, "
                 "%(ephemeral)d GiB ephemeral)") % facts
    return _("%(name)s (%(cores)d vCPU, %(ram)d MiB, %(disk)d GiB)") % facts
