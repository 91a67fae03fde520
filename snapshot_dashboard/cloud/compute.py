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

"""Nova, as far as snapshots need it."""

from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
import datetime
from typing import Any
from urllib import parse

from novaclient import api_versions
from novaclient import client as nova_client
from novaclient import exceptions as nova_errors

from snapshot_dashboard.cloud import base
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import ids
from snapshot_dashboard.cloud import types
from snapshot_dashboard.cloud import versions

#: 2.58 says how long an action took, 2.47 shows a server's flavor, 2.45
#: answers createImage with the image's id, 2.26 finds servers by tag, 2.97
#: lists shares, 2.98 shows the properties that a server's image had when it
#: was launched.
MICROVERSION = '2.98'
#: What novaclient knows; no newer one will come.
_CLIENTS_NEWEST = '2.96'
#: Servers in one answer; Nova may give fewer (``max_limit``).
_PAGE = 100


def _disks(snapshots: Sequence[str], boots: bool,
           deleted: bool) -> dict[str, Any]:
    """What a new server is given to have volumes made of volume snapshots.

    :param boots: whether it boots from the first one.
    :param deleted: whether the volumes go with the server.
    """
    disks = [{'uuid': snapshot, 'source_type': 'snapshot',
              'destination_type': 'volume', 'delete_on_termination': deleted,
              'boot_index': 0 if boots and not number else -1}
             for number, snapshot in enumerate(snapshots)]
    return {'block_device_mapping_v2': disks} if disks else {}


class Compute(base.Service):
    """The calls to Nova. Every one may raise a ``ServiceError``."""

    name = 'compute'
    has_microversions = True

    def _connect(self) -> Any:
        client = nova_client.Client(
            versions.choose(self._endpoint, _CLIENTS_NEWEST),
            session=self._session, endpoint_override=self._endpoint)
        # Its methods do for newer versions, too, but it refuses to be told.
        client.client.api_version = api_versions.APIVersion(
            versions.choose(self._endpoint, MICROVERSION))
        return client

    def server(self, server_id: str) -> types.Server:
        """A server.

        :raises Unavailable: also while its cell is down, when Nova shows it
            without all that it keeps there (API guide, Handling Down Cells).
        """
        ids.check('compute', server_id)
        with self._calling() as nova:
            body = nova.servers.get(server_id).to_dict()
            if 'metadata' not in body:
                raise errors.Unavailable('compute', 'its cell is down')
            server = types.Server.from_api(body)
            ids.require_own_project('compute', server.project_id,
                                    self._project_id)
            return server

    def servers(self, limit: int,
                image_id: str | None = None) -> list[types.Server]:
        """The project's servers, newest first.

        :param limit: how many at the most.
        :param image_id: those launched from this image only.
        """
        found, _ = self._servers(limit, {'image': image_id})
        return found

    def tagged(self, limit: int,
               *tags: str) -> tuple[list[types.Server], bool]:
        """The project's servers with any of these tags, newest first.

        Nova leaves out those whose cell is down.

        :returns: so many at the most, and whether there are more.
        """
        return self._servers(limit, {'tags-any': ','.join(tags)})

    def changed_since(self, moment: float,
                      limit: int) -> tuple[list[types.Server], bool]:
        """The project's servers that have changed, deleted ones among them.

        What a host's clock said then counts (List Servers, changes-since).

        :param moment: in seconds since the epoch.
        :returns: as :meth:`tagged`.
        """
        return self._servers(limit, {
            'changes-since': types.format_time(
                datetime.datetime.fromtimestamp(moment, datetime.UTC))})

    def _servers(self, limit: int, filters: Mapping[str, str | None]
                 ) -> tuple[list[types.Server], bool]:
        """Page by page: Nova may answer with fewer than asked for and a link
        to the next ones (Compute API guide, Paginated collections).
        """
        query = parse.urlencode({
            'limit': min(limit, _PAGE),
            **{name: value for name, value in filters.items() if value}})
        found: list[types.Server] = []
        with self._calling() as nova:
            while query and len(found) < limit:
                _, body = nova.client.get(f'/servers/detail?{query}')
                page = [types.Server.from_api(server)
                        for server in body['servers'] if 'metadata' in server]
                found += page
                query = _next(body) if page else ''
        return found[:limit], bool(query) or len(found) > limit

    def attachments(self, server_id: str) -> list[types.Attachment]:
        with self._calling() as nova:
            found = nova.volumes.get_server_volumes(server_id)
            return [
                types.Attachment(
                    volume_id=attachment.volumeId,
                    device=attachment.device or '',
                    delete_on_termination=bool(getattr(
                        attachment, 'delete_on_termination', False)))
                for attachment in found]

    def attach(self, server_id: str, volume_id: str, device: str,
               deleted_with: bool) -> None:
        """Attach a volume; it is there once the volume is ``in-use``.

        :param device: what the guest is to call it; many hypervisors take the
            next name that is free.
        :param deleted_with: whether it is deleted with the server.
        """
        with self._calling() as nova:
            nova.volumes.create_server_volume(
                server_id, volume_id, device or None,
                delete_on_termination=deleted_with)

    def detach(self, server_id: str, volume_id: str) -> None:
        """Detach a volume; it is off once it is ``available``."""
        with self._calling() as nova:
            nova.volumes.delete_server_volume(server_id, volume_id)

    def attach_port(self, server_id: str, port_id: str) -> None:
        """Attach a port; Nova keeps one that it did not make itself when it
        is detached (Compute API, Create Interface).
        """
        with self._calling() as nova:
            nova.servers.interface_attach(server_id, port_id, None, None)

    def detach_port(self, server_id: str, port_id: str) -> None:
        """Detach a port; Nova deletes one that it made itself."""
        with self._calling() as nova:
            nova.servers.interface_detach(server_id, port_id)

    def shares(self, server_id: str) -> list[str]:
        """The tags of the file shares that are attached to a server.

        :raises NotFound: also where Nova knows none (before 2.97).
        """
        ids.check('compute', server_id)
        with self._calling() as nova:
            _, body = nova.client.get(f'/servers/{server_id}/shares')
            return [share.get('tag') or share['share_id']
                    for share in body['shares']]

    def networks(self, server_id: str) -> list[str]:
        """The ids of a server's networks (os-interface)."""
        with self._calling() as nova:
            found = nova.servers.interface_list(server_id)
            return [port.net_id for port in found]

    def actions(self, server_id: str, limit: int) -> list[types.Action]:
        """What was done to a server, the latest first.

        Whether it succeeded, or is finished, cannot be told from these.
        """
        with self._calling() as nova:
            found = nova.instance_action.list(server_id, limit=limit)
            return [types.Action.from_api(action.to_dict())
                    for action in found]

    def action_seconds(self, server_id: str,
                       action: types.Action) -> float | None:
        """How long the host was at work on an action; None if it still is.

        Nova shows the state that an action leads to before the action is
        finished (os-instance-actions, Show; members see events from
        microversion 2.51 on).
        """
        with self._calling() as nova:
            body = nova.instance_action.get(
                server_id, action.request_id).to_dict()
            return types.seconds_of_events(body)

    def action_succeeded(self, server_id: str,
                         action: types.Action) -> bool | None:
        """Whether an action came to a good end; None while it goes on, or
        where that is hidden (os-instance-actions, Show).
        """
        with self._calling() as nova:
            events = nova.instance_action.get(
                server_id, action.request_id).to_dict().get('events') or ()
            results = [event.get('result') for event in events]
            if 'Error' in results:
                return False
            return True if results and all(results) else None

    def flavors(self) -> list[types.Flavor]:
        """The flavors that the project may use."""
        with self._calling() as nova:
            found = nova.flavors.list()
            return [types.Flavor.from_api(flavor.to_dict())
                    for flavor in found]

    def key_names(self) -> list[str]:
        """The user's key pairs."""
        with self._calling() as nova:
            return [key.name for key in nova.keypairs.list()]

    def zones(self) -> list[str]:
        """The availability zones that take instances."""
        with self._calling() as nova:
            found = nova.availability_zones.list(detailed=False)
            return [zone.zoneName for zone in found
                    if zone.zoneState.get('available')]

    def limits(self) -> dict[str, types.Quota]:
        """What the project may have, as far as Nova limits it.

        ``instances``, ``cores`` and ``ram`` (MiB), and without a use that
        counts ``metadata``: the items that one server may have, and that one
        call of createImage may bring.
        """
        with self._calling() as nova:
            limits = nova.limits.get().to_dict()['absolute']
            return {name: types.Quota(limits[limit], limits.get(used, 0))
                    for name, limit, used in (
                        ('instances', 'maxTotalInstances',
                         'totalInstancesUsed'),
                        ('cores', 'maxTotalCores', 'totalCoresUsed'),
                        ('ram', 'maxTotalRAMSize', 'totalRAMUsed'),
                        ('metadata', 'maxServerMeta', ''))
                    if limit in limits and (not used or used in limits)}

    def create_server(self, name: str, image_id: str | None, flavor_id: str,
                      networks: Sequence[str], groups: Sequence[str],
                      key: str, zone: str, tag: str = '',
                      snapshot_id: str = '') -> str:
        """Launch a server; its id. It is built after that.

        :param image_id: None to boot from a volume.
        :param networks: ids; Nova then makes the ports.
        :param groups: names; none for the default one.
        :param tag: what it is found by later.
        :param snapshot_id: of the volume snapshot that Nova makes the root
            disk of, where there is no image.
        """
        with self._calling() as nova:
            return str(nova.servers.create(
                name, image_id, flavor_id,
                nics=[{'net-id': network} for network in networks] or 'none',
                security_groups=list(groups) or None,
                tags=[tag] if tag else None,
                key_name=key or None, availability_zone=zone or None,
                **_disks([snapshot_id] if snapshot_id else [], True, False)
            ).id)

    def create_isolated(self, name: str, image_id: str | None,
                        snapshots: Sequence[str], flavor_id: str,
                        metadata: Mapping[str, str], tag: str) -> str:
        """Launch a server without networks, whose disks go with it; its id.

        :param image_id: None to boot from a volume.
        :param snapshots: ids of volume snapshots. Nova makes a volume of
            each; of the first one the root disk, where there is no image.
        """
        with self._calling() as nova:
            return str(nova.servers.create(
                name, image_id, flavor_id, nics='none', meta=dict(metadata),
                tags=[tag], **_disks(snapshots, image_id is None, True)).id)

    def console(self, server_id: str) -> str:
        """What a server has said on its console, as much as Nova keeps.

        :raises ServiceError: ``Conflict`` while there is none yet, and
            ``Unavailable``, by 501, where its host keeps none.
        """
        with self._calling() as nova:
            return str(nova.servers.get_console_output(server_id) or '')

    def delete_server(self, server_id: str) -> None:
        with (self._calling() as nova,
              contextlib.suppress(nova_errors.NotFound)):
            nova.servers.delete(server_id)

    def create_image(self, server_id: str, name: str,
                     metadata: Mapping[str, str]) -> str:
        """Take a snapshot; the id of the image that will hold it.

        Returns once Nova has accepted it (image-backed), or once Cinder has
        accepted all volume snapshots (volume-backed).
        """
        with self._calling() as nova:
            return str(nova.servers.create_image(server_id, name,
                                                 dict(metadata)))

    def stop(self, server_id: str) -> None:
        with self._calling() as nova:
            nova.servers.stop(server_id)

    def start(self, server_id: str) -> None:
        with self._calling(urgent=True) as nova:
            nova.servers.start(server_id)

    def rebuild(self, server_id: str, image_id: str) -> None:
        """Overwrite the root disk with an image (Compute API, Rebuild Server).

        Its id, ports, addresses and attached volumes stay; ephemeral and swap
        disks are made anew. One that is off stays off.
        """
        with self._calling() as nova:
            nova.servers.rebuild(server_id, image_id)

    def shelve(self, server_id: str) -> None:
        """Power a server off and take it from its host, whose root disk is a
        volume; its volumes stay reserved for it.
        """
        with self._calling() as nova:
            nova.servers.shelve(server_id)

    def unshelve(self, server_id: str) -> None:
        """Bring a shelved server to a host again, where it then runs."""
        with self._calling(urgent=True) as nova:
            nova.servers.unshelve(server_id)

    def set_metadata(self, server_id: str,
                     items: Mapping[str, str]) -> dict[str, str]:
        """Add or change some items; the others stay. Refused when locked.

        :returns: all items, as they are then.
        """
        with self._calling() as nova:
            return dict(nova.servers.set_meta(server_id,
                                              dict(items)).to_dict())

    def delete_metadata(self, server_id: str, keys: list[str]) -> None:
        with self._calling() as nova:
            for key in keys:
                # Somebody else may have taken it away: so be it.
                with contextlib.suppress(nova_errors.NotFound):
                    nova.servers.delete_meta(server_id, [key])

    def add_tag(self, server_id: str, tag: str) -> None:
        with self._calling() as nova:
            nova.servers.add_tag(server_id, parse.quote(tag, safe=':'))

    def delete_tag(self, server_id: str, tag: str) -> None:
        with (self._calling() as nova,
              contextlib.suppress(nova_errors.NotFound)):
            nova.servers.delete_tag(server_id, parse.quote(tag, safe=':'))


def _next(body: Mapping[str, Any]) -> str:
    """The query of the next page; empty behind the last one.

    Its host may be one that only Nova knows.
    """
    return next((parse.urlsplit(link['href']).query
                 for link in body.get('servers_links') or ()
                 if link.get('rel') == 'next'), '')
