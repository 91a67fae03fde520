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

"""What the services answer, in the few fields that the plugin uses.

Sizes are in the unit that each name says; times are aware datetimes in UTC.
"""

from collections.abc import Mapping
import dataclasses
import datetime
import functools
import ipaddress
import json
from typing import Any

from snapshot_dashboard.cloud import ids

UTC = datetime.UTC


def parse_time(text: str) -> datetime.datetime:
    """A service's time stamp; they write it with and without fractions.

    Glance and Nova end it with Z, Cinder leaves the zone out.
    """
    moment = datetime.datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def format_time(moment: datetime.datetime) -> str:
    """A time as the filters of Nova and Glance take it."""
    return moment.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%SZ')


def _gib(value: object) -> int:
    """Parse an untrusted size in GiB; 0 if it is invalid."""
    return value if isinstance(value, int) and 0 < value < 2 ** 31 else 0


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: value for name, value in values.items()
            if isinstance(value, str)}


def whole_number(text: str) -> int | None:
    """Parse an untrusted non-negative integer; None if it is invalid."""
    return (int(text) if text.isascii() and text.isdigit() and len(text) < 11
            else None)


def _moment(text: str | None) -> float:
    """Seconds since the epoch; 0 for no time."""
    return parse_time(text).timestamp() if text else 0


@dataclasses.dataclass(frozen=True)
class Attachment:
    """A volume at a server (Nova API, ``os-volume_attachments``)."""

    volume_id: str
    device: str = ''
    delete_on_termination: bool = False


@dataclasses.dataclass(frozen=True)
class Server:
    """An instance, as microversion 2.47 and later show it.

    :ivar flavor: the name that its flavor had when it was made.
    :ivar key: the name of its key pair.
    :ivar groups: the names of its security groups.
    :ivar networked: whether it has addresses.
    :ivar macs: the MAC addresses of its network cards, in their order as far
        as Nova tells: by network.
    :ivar updated: when Nova last changed it, in seconds since the epoch.
    :ivar image_properties: those of its image when it was launched; None
        where Nova does not show them (before 2.98, and for a root volume).
    :ivar extra_specs: what its flavor asks for beside sizes.
    :ivar created: when it was asked for, in seconds since the epoch.
    :ivar launched: when it first ran, in seconds since the epoch; 0 for not
        yet.
    :ivar fault: what Nova says of why it is in error.
    """

    id: str
    name: str
    status: str
    task_state: str | None
    locked: bool
    image_id: str | None
    root_gib: int
    ephemeral_gib: int
    swap_mib: int
    volume_ids: tuple[str, ...]
    metadata: Mapping[str, str]
    tags: tuple[str, ...]
    project_id: str
    flavor: str = ''
    key: str = ''
    zone: str = ''
    groups: tuple[str, ...] = ()
    networked: bool = False
    macs: tuple[str, ...] = ()
    updated: float = 0
    image_properties: Mapping[str, str] | None = None
    extra_specs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    created: float = 0
    launched: float = 0
    fault: str = ''

    @property
    def has_tpm(self) -> bool:
        """Whether it has a virtual TPM (Nova, Emulated TPM)."""
        return bool(self.extra_specs.get('hw:tpm_version') or (
            self.image_properties or {}).get('hw_tpm_version'))

    @property
    def volume_backed(self) -> bool:
        """Whether the root disk is a volume: then Nova names no image."""
        return self.image_id is None

    @classmethod
    def from_api(cls, body: Mapping[str, Any]) -> 'Server':
        image = body.get('image') or {}
        flavor = body.get('flavor') or {}
        attached = body.get('os-extended-volumes:volumes_attached') or ()
        return cls(
            id=body['id'],
            name=body.get('name') or '',
            status=body.get('status') or 'UNKNOWN',
            task_state=body.get('OS-EXT-STS:task_state'),
            locked=bool(body.get('locked')),
            image_id=image.get('id'),
            root_gib=flavor.get('disk') or 0,
            ephemeral_gib=flavor.get('ephemeral') or 0,
            swap_mib=flavor.get('swap') or 0,
            volume_ids=tuple(volume['id'] for volume in attached),
            metadata=dict(body.get('metadata') or {}),
            tags=tuple(body.get('tags') or ()),
            project_id=body.get('tenant_id') or '',
            flavor=flavor.get('original_name') or '',
            key=body.get('key_name') or '',
            zone=body.get('OS-EXT-AZ:availability_zone') or '',
            groups=tuple(dict.fromkeys(
                group['name'] for group in body.get('security_groups') or ()
                if group.get('name'))),
            networked=bool(body.get('addresses')),
            macs=tuple(dict.fromkeys(
                address.get('OS-EXT-IPS-MAC:mac_addr') or ''
                for network in (body.get('addresses') or {}).values()
                for address in network)),
            updated=_moment(body.get('updated')),
            image_properties=_texts(image['properties'])
            if 'properties' in image else None,
            extra_specs=_texts(flavor.get('extra_specs') or {}),
            created=_moment(body.get('created')),
            launched=_moment(body.get('OS-SRV-USG:launched_at')),
            fault=(body.get('fault') or {}).get('message') or '',
        )


@dataclasses.dataclass(frozen=True)
class Flavor:
    """What an instance may be.

    :ivar disk_gib: 0 for a root disk as large as its image.
    """

    id: str
    name: str
    cores: int
    ram_mib: int
    disk_gib: int
    ephemeral_gib: int = 0

    @classmethod
    def from_api(cls, body: Mapping[str, Any]) -> 'Flavor':
        return cls(body['id'], body.get('name') or '',
                   body.get('vcpus') or 0, body.get('ram') or 0,
                   body.get('disk') or 0,
                   body.get('OS-FLV-EXT-DATA:ephemeral') or 0)


@dataclasses.dataclass(frozen=True)
class Action:
    """Something that was done to a server (Nova API, os-instance-actions).

    :ivar seconds: how long it took, from the request to its last event
        (``updated_at``, microversion 2.58), or, where its events were asked
        for, from the first of them; None while it is not known.
    :ivar by_user: a user asked for it, and not Nova itself.
    :ivar began: seconds since the epoch, by Nova's clock; 0 if not known.
    """

    name: str
    request_id: str
    seconds: float | None
    by_user: bool = True
    began: float = 0

    @classmethod
    def from_api(cls, body: Mapping[str, Any]) -> 'Action':
        last = body.get('updated_at')
        return cls(
            name=body.get('action') or '',
            request_id=body.get('request_id') or '',
            seconds=(parse_time(last) - parse_time(body['start_time'])
                     ).total_seconds() if last else None,
            by_user=bool(body.get('user_id')),
            began=parse_time(body['start_time']).timestamp(),
        )


def seconds_of_events(body: Mapping[str, Any]) -> float | None:
    """How long Nova was at work on an action; None while it goes on.

    The time that the request waited for its host to take it does not count,
    but that for another action on the instance does.
    """
    events = body.get('events') or ()
    ends = [event.get('finish_time') for event in events]
    if not ends or not all(ends):
        return None
    return (max(map(parse_time, ends))
            - min(parse_time(event['start_time']) for event in events)
            ).total_seconds()


@dataclasses.dataclass(frozen=True)
class MappedDisk:
    """One entry of a volume-backed image's ``block_device_mapping``."""

    snapshot_id: str
    size_gib: int
    device: str
    boot: bool


#: Bootable volumes that are told apart from others.
BOOTABLE_MOST = 1000
#: Disks of a server that are looked at; Nova has no limit of its own.
_DISKS = 64
#: The fields of an image that are texts (Image API v2, Show image).
_IMAGE_FIELDS = frozenset({
    'checksum', 'container_format', 'created_at', 'direct_url', 'disk_format',
    'file', 'id', 'name', 'os_hash_algo', 'os_hash_value', 'owner', 'schema',
    'self', 'status', 'stores', 'updated_at', 'visibility'})


#: Characters of a checksum that are noted beside what was found.
DIGEST_LENGTH = 16


@dataclasses.dataclass(frozen=True)
class Image:
    """An image of Glance's API v2, which may or may not be a snapshot.

    :ivar hidden: whether lists leave it out.
    """

    id: str
    name: str
    status: str
    created: datetime.datetime
    size_bytes: int
    owner: str
    protected: bool
    min_disk_gib: int
    properties: Mapping[str, str]
    min_ram_mib: int = 0
    hidden: bool = False

    @property
    def updated(self) -> str:
        """When it was changed last, as Glance writes it."""
        return self.properties.get('updated_at', '')

    @property
    def visibility(self) -> str:
        """``private``, ``shared``, ``community`` or ``public``."""
        return self.properties.get('visibility', '')

    @property
    def own_properties(self) -> dict[str, str]:
        """Those that are no fields of the Image API v2."""
        return {name: value for name, value in self.properties.items()
                if name not in _IMAGE_FIELDS}

    @property
    def whole(self) -> bool:
        """Whether Glance holds what an active snapshot must have.

        An uploaded image has a size and a checksum; that of a volume-backed
        server has no data, but maps the disk it boots from.
        """
        checked = ('os_hash_value' in self.properties
                   or 'checksum' in self.properties)
        return self.volume_backed or bool(self.size_bytes) and checked

    @property
    def data_digest(self) -> str:
        """What tells its data from any other; empty if nothing does."""
        return (self.properties.get('os_hash_value')
                or self.properties.get('checksum') or '')[:DIGEST_LENGTH]

    @property
    def mapped(self) -> list[str]:
        """The ids of all volume snapshots that it maps."""
        return [disk.snapshot_id for disk in self._all_disks]

    @property
    def disks(self) -> tuple[MappedDisk, ...]:
        """The volume snapshots that it maps, as many as a server can have."""
        return self._all_disks[:_DISKS]

    @functools.cached_property
    def _all_disks(self) -> tuple[MappedDisk, ...]:
        """The volume snapshots that it maps, blank disks left out.

        The blank ones (ephemeral, swap) come first, so the whole list is to
        be read. What cannot be read counts as no mapping: any member of the
        project can write that property. Nova still reads the entries of the
        old form, which have no ``source_type`` and are not numbered.
        """
        try:
            entries = json.loads(
                self.properties.get('block_device_mapping') or '[]')
            return tuple(
                MappedDisk(snapshot_id=entry['snapshot_id'].lower(),
                           size_gib=_gib(entry.get('volume_size')),
                           device=str(entry.get('device_name') or ''),
                           boot=self._boots_from(entry))
                for entry in entries
                if entry.get('source_type', 'snapshot') == 'snapshot'
                and ids.is_id(entry.get('snapshot_id')))
        except (ValueError, TypeError, LookupError, AttributeError,
                RecursionError):
            return ()

    def _boots_from(self, entry: Mapping[str, Any]) -> bool:
        if 'source_type' in entry:
            return str(entry.get('boot_index')) == '0'
        root = self.properties.get('root_device_name', 'vda')
        return (str(entry.get('device_name')).removeprefix('/dev/')
                == root.removeprefix('/dev/'))

    @property
    def volume_backed(self) -> bool:
        """Whether the disk that it boots from is a volume."""
        return any(disk.boot for disk in self.disks)

    @classmethod
    def from_api(cls, body: Mapping[str, Any]) -> 'Image':
        return cls(
            id=body['id'],
            name=body.get('name') or '',
            status=body.get('status') or 'unknown',
            created=parse_time(body['created_at']),
            size_bytes=body.get('size') or 0,
            owner=body.get('owner') or '',
            protected=bool(body.get('protected')),
            min_disk_gib=body.get('min_disk') or 0,
            # Glance shows properties beside its own fields.
            properties=_texts(body),
            min_ram_mib=body.get('min_ram') or 0,
            hidden=bool(body.get('os_hidden')),
        )


@dataclasses.dataclass(frozen=True)
class Member:
    """Another project that may use an image.

    :ivar status: ``pending``, ``accepted`` or ``rejected`` by that project.
    """

    project_id: str
    status: str

    @classmethod
    def from_api(cls, body: Mapping[str, Any]) -> 'Member':
        return cls(body['member_id'], body.get('status') or 'pending')


@dataclasses.dataclass(frozen=True)
class Volume:
    """A volume of Cinder.

    :ivar devices: what each instance that it is attached to calls it, as
        ``/dev/vdb``, by their ids; more than one with a multi-attach volume.
    :ivar hosts: the hosts that it is attached to without an instance.
    :ivar encrypted: whether it is of no use without its key.
    """

    id: str
    name: str
    status: str
    size_gib: int
    type: str
    bootable: bool
    project_id: str = ''
    image_properties: Mapping[str, str] = dataclasses.field(
        default_factory=dict)
    snapshot_id: str = ''
    devices: Mapping[str, str] = dataclasses.field(default_factory=dict)
    hosts: tuple[str, ...] = ()
    encrypted: bool = False
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def server_ids(self) -> tuple[str, ...]:
        """The instances that it is attached to."""
        return tuple(self.devices)

    @property
    def attached(self) -> bool:
        return bool(self.server_ids or self.hosts)

    @classmethod
    def from_api(cls, body: Mapping[str, Any]) -> 'Volume':
        return cls(
            id=body['id'],
            name=body.get('name') or '',
            status=body.get('status') or 'unknown',
            size_gib=body.get('size') or 0,
            type=body.get('volume_type') or '',
            bootable=body.get('bootable') == 'true',
            project_id=body.get('os-vol-tenant-attr:tenant_id') or '',
            image_properties=dict(body.get('volume_image_metadata') or {}),
            snapshot_id=body.get('snapshot_id') or '',
            devices={
                attachment['server_id']: attachment.get('device') or ''
                for attachment in body.get('attachments') or ()
                if attachment.get('server_id')},
            hosts=tuple(
                attachment.get('host_name') or '' for attachment
                in body.get('attachments') or ()
                if not attachment.get('server_id')),
            encrypted=bool(body.get('encrypted')),
            metadata=dict(body.get('metadata') or {}),
        )


@dataclasses.dataclass(frozen=True)
class VolumeSnapshot:
    """A snapshot of Cinder."""

    id: str
    name: str
    status: str
    created: datetime.datetime
    size_gib: int
    volume_id: str
    project_id: str
    group_snapshot_id: str | None
    metadata: Mapping[str, str]
    description: str = ''
    user_id: str = ''

    @classmethod
    def from_api(cls, body: Mapping[str, Any]) -> 'VolumeSnapshot':
        return cls(
            id=body['id'],
            name=body.get('name') or '',
            status=body.get('status') or 'unknown',
            created=parse_time(body['created_at']),
            size_gib=body.get('size') or 0,
            volume_id=body.get('volume_id') or '',
            project_id=body.get(
                'os-extended-snapshot-attributes:project_id') or '',
            group_snapshot_id=body.get('group_snapshot_id'),
            metadata=dict(body.get('metadata') or {}),
            description=body.get('description') or '',
            user_id=body.get('user_id') or '',
        )


@dataclasses.dataclass(frozen=True)
class Message:
    """What Cinder tells the users of something that went wrong.

    :ivar about: the id of what it is about.
    """

    about: str
    text: str
    created: datetime.datetime

    @classmethod
    def from_api(cls, body: Mapping[str, Any]) -> 'Message':
        return cls(body.get('resource_uuid') or '',
                   body.get('user_message') or '',
                   parse_time(body['created_at']))


@dataclasses.dataclass(frozen=True)
class Quota:
    """One limited thing. A limit below 0 means that there is none."""

    limit: int
    used: int

    @property
    def left(self) -> int | None:
        """How much is left; None where there is no limit."""
        return None if self.limit < 0 else max(0, self.limit - self.used)


#: What a new port is given of an old one (Networking API v2.0, Create port).
#: Not its name in the DNS: Nova attaches no port with another's name there.
_OF_A_PORT = ('name', 'description', 'network_id', 'mac_address',
              'admin_state_up', 'allowed_address_pairs', 'extra_dhcp_opts',
              'qos_policy_id')


@dataclasses.dataclass(frozen=True)
class Port:
    """A port of a network.

    :ivar addresses: the fixed ones.
    :ivar server_id: what it is attached to, most often a server; empty for
        nothing.
    :ivar owner: what kind of thing that is, as ``compute:`` and a zone.
    :ivar created: in seconds since the epoch; 0 if that is not known.
    :ivar plain: whether it is of the kind that any server can have: neither
        a trunk nor a piece of hardware.
    :ivar body: what a port like it is created from.
    """

    id: str
    network_id: str
    mac: str
    addresses: tuple[str, ...]
    server_id: str
    owner: str
    created: float
    plain: bool
    body: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @classmethod
    def from_api(cls, body: Mapping[str, Any]) -> 'Port':
        mac, fixed = body['mac_address'], body.get('fixed_ips') or ()
        given = {name: body[name] for name in _OF_A_PORT
                 if body.get(name) not in (None, [], '')}
        given['fixed_ips'] = [_fixed(address, mac) for address in fixed]
        if body.get('port_security_enabled') is False:
            given['port_security_enabled'] = False
        else:
            given['security_groups'] = body.get('security_groups') or []
        return cls(
            body['id'], body['network_id'], mac,
            tuple(address['ip_address'] for address in fixed),
            body.get('device_id') or '', body.get('device_owner') or '',
            _moment(body.get('created_at')),
            not body.get('trunk_details')
            and body.get('binding:vnic_type', 'normal') == 'normal', given)


def _fixed(address: Mapping[str, str], mac: str) -> dict[str, str]:
    """How a fixed address is asked for.

    Neutron takes no address that follows from the MAC address (RFC 4291),
    and finds it by itself.
    """
    found = ipaddress.ip_address(address['ip_address'])
    parts = [int(part, 16) for part in mac.split(':')]
    derived = bytes([parts[0] ^ 2, *parts[1:3], 0xff, 0xfe, *parts[3:]])
    if found.version == 6 and found.packed[8:] == derived:
        return {'subnet_id': address['subnet_id']}
    return {name: address[name] for name in ('subnet_id', 'ip_address')}


@dataclasses.dataclass(frozen=True)
class FloatingAddress:
    """A floating address.

    :ivar port_id: of the port that it leads to; empty for none.
    :ivar fixed: the address of that.
    """

    id: str
    address: str
    port_id: str
    fixed: str

    @classmethod
    def from_api(cls, body: Mapping[str, Any]) -> 'FloatingAddress':
        return cls(body['id'], body.get('floating_ip_address') or '',
                   body.get('port_id') or '',
                   body.get('fixed_ip_address') or '')
