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

"""What is known of an instance before its snapshot, and what is in the way.

``gather`` asks the services, ``find_obstacles`` decides, purely.
"""

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import functools
import math
import re
from typing import Any

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types
from snapshot_dashboard.preflight import disk_facts
from snapshot_dashboard.preflight import obstacles
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import observation
from snapshot_dashboard.runs import observe
from snapshot_dashboard.snapshots import usage

#: How image properties say yes (Nova, oslo's bool_from_string).
_TRUE = ('1', 't', 'true', 'on', 'y', 'yes')
#: Properties that an image may have, as far as Glance's operator did not
#: change that (``image_property_quota``): no call tells.
IMAGE_PROPERTIES = 128
#: Properties that we write on an image without chosen volumes, how the
#: instance is in addition, and those that Nova writes (Compute API, Create
#: Image).
_MARKS, _RECIPE, _NOVAS = 11, 6, 10
#: How Nova calls the first disk, by the bus that it is at.
_FIRST_DISK = re.compile(r'/dev/(vd|sd|hd|xvd)a')


def takes(image: types.Image, properties: Iterable[str]) -> bool:
    """Whether an image has room for properties, by their names."""
    return len({*image.own_properties, *properties}) <= IMAGE_PROPERTIES


@dataclasses.dataclass(frozen=True)
class Facts:
    """All that is known of an instance before its snapshot.

    :ivar shutdown_timeout: seconds that the guest gets to shut down; None
        where the image does not say.
    :ivar quotas: Cinder's; empty when it could not be asked.
    :ivar usage: Glance's; empty when it has no limits or was not asked.
    :ivar limits: Nova's; empty when it did not tell.
    :ivar inherited: how many properties an image of it gets from the image
        that it was made of.
    :ivar unknown: which services could not be asked.
    :ivar agent: whether the image announces a guest agent.
    :ivar uefi: whether the image says that it boots by UEFI.
    :ivar os_type: what the image says of the guest's system; any text.
    :ivar expected: seconds that the saving took earlier; 0 if not known.
    :ivar latest_request: on the server; empty if that is not known.
    """

    server: types.Server
    disks: tuple[disk_facts.Disk, ...]
    shutdown_timeout: int | None
    quotas: Mapping[str, types.Quota]
    usage: Mapping[str, types.Quota]
    unknown: tuple[errors.ServiceError, ...] = ()
    agent: bool = False
    uefi: bool = False
    os_type: str = ''
    expected: int = 0
    limits: Mapping[str, types.Quota] = dataclasses.field(
        default_factory=dict)
    inherited: int = 0
    latest_request: str = ''

    @property
    def can_power_off(self) -> bool:
        """Whether powering off first is something to offer."""
        return (self.server.status == 'ACTIVE' and not self.server.locked)

    @property
    def can_choose_volumes(self) -> bool:
        """Whether attached volumes can be captured beside the root disk.

        Which ones stands in the run's record, and a locked server takes
        little of that.
        """
        return not self.server.volume_backed and not self.server.locked

    def taken(self, chosen: Collection[str] = ()) -> list[disk_facts.Disk]:
        """The volumes that Cinder is going to take snapshots of."""
        return [disk for disk in self.disks if disk.volume_id and (
            self.server.volume_backed or disk.volume_id in chosen)]

    def lacks_metadata(self, volumes: int = 0) -> int:
        """How many items of metadata there is no room for.

        :param volumes: how many attached volumes the record names.
        """
        others = len(self.server.metadata) - len(journal.keys(self.server))
        lacking = (others + journal.items_needed(volumes)
                   - _most_items(self.limits))
        return int(lacking) if lacking > 0 else 0

    def has_room_for_recipe(self, volumes: int = 0) -> bool:
        """Whether an image can say how the instance is, beside our marks.

        :param volumes: how many chosen volumes it names.
        """
        needed = _marks(volumes) + _RECIPE
        return (needed <= _most_items(self.limits)
                and self.inherited + _NOVAS + needed <= IMAGE_PROPERTIES)

    @property
    def not_captured(self) -> list[disk_facts.Disk]:
        return [disk for disk in self.disks
                if disk.fate is disk_facts.Fate.NOT_CAPTURED]


def gather(cloud: services.Cloud, server_id: str,
           decides: bool = False) -> Facts:
    """Ask for the facts, in three rounds at the most.

    :param decides: whether a snapshot is begun or refused by them, for which
        Glance's count of images is worth waiting for.
    :raises ServiceError: when Nova cannot tell about the server; what the
        other services cannot tell is left open.
    """
    server = cloud.compute.server(server_id)
    calls: dict[str, Callable[[], Any]] = {
        'attachments': lambda: cloud.compute.attachments(server_id),
        'limits': lambda: cloud.compute.limits(),
        'shares': lambda: cloud.compute.shares(server_id),
        'actions': lambda: observe.actions(cloud, server)}
    if server.volume_ids and cloud.has('volume'):
        calls['quotas'] = lambda: cloud.volumes.quotas()
    if cloud.has('image'):
        calls['usage'] = lambda: usage.of_images(cloud, decides)
        if server.image_id:
            calls['image'] = lambda: cloud.images.image(server.image_id or '')
    answers = cloud.gather_named(calls)
    if isinstance(answers['attachments'], errors.ServiceError):
        raise answers['attachments']
    attachments = sorted(answers['attachments'],
                         key=lambda attachment: attachment.device)
    volumes = cloud.gather_named({
        attachment.volume_id: functools.partial(_volume, cloud,
                                                attachment.volume_id)
        for attachment in attachments})
    lost = errors.among((*answers.values(), *volumes.values()),
                        errors.NotFound)
    shares = answers['shares']
    found = {key: volume for key, volume in volumes.items()
             if isinstance(volume, types.Volume)}
    if _is_set(answers.get('image'), attachments):
        server = dataclasses.replace(server, image_id=None)
    properties = _image_properties(server, attachments, found)
    return Facts(
        server=server,
        disks=tuple(disk_facts.list_disks(
            server, attachments, found,
            shares if isinstance(shares, list) else ())),
        shutdown_timeout=types.whole_number(
            properties.get('os_shutdown_timeout', '')),
        uefi=properties.get('hw_firmware_type', '').lower() == 'uefi',
        agent=properties.get('hw_qemu_guest_agent', '').lower() in _TRUE,
        os_type=properties.get('os_type', ''),
        expected=_expected(answers['actions']),
        quotas=_or_empty(answers.get('quotas')),
        usage=_or_empty(answers.get('usage')),
        limits=_or_empty(answers.get('limits')),
        inherited=len(properties),
        latest_request=_latest_request(answers['actions']),
        unknown=errors.deduplicate_by_service(lost),
    )


def _is_set(image: Any, attachments: Sequence[types.Attachment]) -> bool:
    """Whether the root disk is a volume, though Nova names an image.

    So it does of an instance that was launched from a set: its image holds
    no data. Should that be gone, the name of the first disk tells.
    """
    if isinstance(image, types.Image):
        return image.volume_backed
    return any(_FIRST_DISK.fullmatch(attachment.device)
               for attachment in attachments)


def _volume(cloud: services.Cloud, volume_id: str) -> types.Volume:
    return cloud.volumes.volume(volume_id)


def _or_empty(answer: Any) -> Mapping[str, types.Quota]:
    return answer if isinstance(answer, dict) else {}


def _image_properties(server: types.Server,
                      attachments: Sequence[types.Attachment],
                      volumes: Mapping[str, types.Volume]
                      ) -> Mapping[str, str]:
    """Those of the image that the instance was made of, as it was then.

    Nova acts by these, whatever the image's owner has changed since. Cinder
    keeps them with a volume that was made from an image.
    """
    if server.image_properties is not None:
        return server.image_properties
    root = disk_facts.root_volume(attachments, volumes)
    volume = volumes.get(root.volume_id) if root else None
    return volume.image_properties if volume else {}


def _most_items(limits: Mapping[str, types.Quota]) -> float:
    """The most items of metadata; without end if that is not known."""
    quota = limits.get('metadata')
    return math.inf if quota is None or quota.limit < 0 else quota.limit


def _expected(actions: Any) -> int:
    """How long the longest of the last snapshots took, in seconds.

    Those that failed were shorter. The images do not tell: their
    ``updated_at`` is that of the latest change of their properties.
    """
    if not isinstance(actions, list):
        return 0
    return max((math.ceil(action.seconds) for action in actions
                if action.name == 'createImage' and action.seconds),
               default=0)


def _latest_request(actions: Any) -> str:
    return actions[0].request_id if isinstance(actions, list) and (
        actions) else ''


def find_obstacles(facts: Facts, chosen: Collection[str] = (),
                   power_off: bool = False) -> list[obstacles.Obstacle]:
    """What makes a snapshot of this instance impossible now.

    :param chosen: the ids of the attached volumes that are to be captured
        with an image-backed instance.
    :param power_off: whether the instance is to be powered off for it.
    """
    server = facts.server
    found = obstacles.busy(server)
    if server.status not in observation.CAPTURABLE:
        found.append(obstacles.Obstacle(
            obstacles.Code.STATE, {'status': server.status}))
    if server.volume_backed or chosen:
        found += _volume_obstacles(facts, facts.taken(chosen))
    found += record_obstacles(facts, len(chosen), bool(power_off or chosen))
    return (found + _image_obstacles(facts)
            + _mark_obstacles(facts, _marks(len(chosen))))


def record_obstacles(facts: Facts, volumes: int,
                     needs_metadata: bool) -> list[obstacles.Obstacle]:
    """Why a run could not be written down on its server in full.

    One that neither powers off nor takes chosen volumes does with tags.

    :param volumes: how many attached volumes it is to capture.
    """
    lacking = facts.lacks_metadata(volumes)
    if lacking and needs_metadata:
        return [obstacles.Obstacle(obstacles.Code.QUOTA_METADATA, {
            'lacking': lacking,
            'limit': _most_items(facts.limits)})]
    if not journal.has_room(facts.server,
                            bool(facts.server.locked or lacking)):
        return [obstacles.Obstacle(obstacles.Code.QUOTA_TAGS)]
    return []


def _marks(volumes: int) -> int:
    """How many properties we write on an image that names chosen volumes."""
    return _MARKS + len(marks.name_parts([''] * volumes))


def _mark_obstacles(facts: Facts, needed: int) -> list[obstacles.Obstacle]:
    """Why an image could not bear what it has to say.

    :param needed: how many properties that takes.
    """
    limit = _most_items(facts.limits)
    if needed > limit:
        return [obstacles.Obstacle(
            obstacles.Code.QUOTA_IMAGE_METADATA, {'limit': limit})]
    if facts.inherited + needed > IMAGE_PROPERTIES:
        return [obstacles.Obstacle(obstacles.Code.QUOTA_PROPERTIES, {
            'inherited': facts.inherited, 'limit': IMAGE_PROPERTIES})]
    return []


def _volume_obstacles(facts: Facts, taken: list[disk_facts.Disk]
                      ) -> list[obstacles.Obstacle]:
    """Cinder takes one snapshot of each volume, of the volume's full size."""
    if any(error.service == 'volume' for error in facts.unknown):
        return [obstacles.Obstacle(obstacles.Code.NO_VOLUME_SERVICE)]
    found = [
        obstacles.Obstacle(obstacles.Code.VOLUME_STATE, {
            'volume': disk.volume.name or disk.volume_id,
            'status': disk.volume.status})
        for disk in taken
        if disk.volume and disk.volume.status not in ('in-use', 'available')]
    return found + obstacles.over_quota(facts.quotas, [
        (disk.volume.type if disk.volume else '', disk.size_mib // 1024)
        for disk in taken])


def _image_obstacles(facts: Facts) -> list[obstacles.Obstacle]:
    """A full Glance takes no image; how large one will be is not known.

    So the size counts only when there is no room left at all.
    """
    return obstacles.over_image_quota(
        facts.usage, 1, 0 if facts.server.volume_backed else 1)
