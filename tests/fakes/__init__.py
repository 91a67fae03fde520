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

"""OpenStack's HTTP answers, faked below the real clients.

The bodies have the shape that Nova 34, Glance 33 and Cinder 29 send. What
is asked for is recorded, so that a test can count it.
"""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import datetime
from email import utils
import json
import re
import threading
from unittest import mock
from urllib import parse

from keystoneauth1 import session as keystone_session
from keystoneauth1 import token_endpoint
import requests
import requests_mock

from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import versions
from tests.fakes import cinder
from tests.fakes import glance
from tests.fakes import keystone
from tests.fakes import neutron
from tests.fakes import nova
from tests.fakes.common import CINDER
from tests.fakes.common import ENDPOINTS
from tests.fakes.common import GLANCE
from tests.fakes.common import KEYSTONE
from tests.fakes.common import NEUTRON
from tests.fakes.common import NOVA
from tests.fakes.common import PROJECT
from tests.fakes.common import Refusal
from tests.fakes.common import disk_name
from tests.fakes.common import finish
from tests.fakes.common import flavor
from tests.fakes.common import new_id
from tests.fakes.common import seconds
from tests.fakes.common import stamp

__all__ = ['CINDER', 'ENDPOINTS', 'FakeOpenStack', 'GLANCE', 'KEYSTONE',
           'NEUTRON', 'NOVA', 'PROJECT', 'faked', 'finish', 'flavor', 'new_id',
           'seconds', 'stamp']


def _nothing() -> None:
    """What most calls wait for."""


@contextlib.contextmanager
def faked() -> Iterator['FakeOpenStack']:
    """Every request over HTTP is answered by services that are faked.

    requests-mock's own way gives up after 10 s of a busy machine.
    """
    adapter = requests_mock.Adapter()
    with mock.patch.object(requests.Session, 'get_adapter',
                           lambda session, url: adapter):
        yield FakeOpenStack(adapter)


class FakeOpenStack:
    """The services' state, and their answers out of it."""

    def __init__(self, adapter: requests_mock.Adapter) -> None:
        #: Where a test puts other answers.
        self.adapter = adapter
        self._one_at_a_time = threading.RLock()
        self.servers: dict[str, dict] = {}
        self.images: dict[str, dict] = {}
        self.volumes: dict[str, dict] = {}
        #: What Nova answers of what a server can be made of.
        self.choices: dict[str, dict] = {
            'flavors': {'flavors': [flavor('m1.small')]},
            'os-keypairs': {'keypairs': [{'keypair': {'name': 'alice'}}]},
            'os-availability-zone': {'availabilityZoneInfo': [
                {'zoneName': 'west', 'zoneState': {'available': True}},
                {'zoneName': 'shut', 'zoneState': {'available': False}}]},
            'limits': {'limits': {'rate': [], 'absolute': {
                'maxTotalInstances': 10, 'totalInstancesUsed': 1,
                'maxTotalCores': 20, 'totalCoresUsed': 1,
                'maxTotalRAMSize': 51200, 'totalRAMUsed': 2048}}}}
        #: What Neutron answers.
        self.network: dict[str, dict] = {
            'networks': {'networks': [
                {'id': new_id(7), 'name': 'private', 'project_id': PROJECT,
                 'shared': False},
                {'id': new_id(8), 'name': 'everybodys', 'project_id': 'x',
                 'shared': True},
                {'id': new_id(9), 'name': 'outside', 'project_id': 'x',
                 'shared': False}]},
            'security-groups': {'security_groups': [
                {'name': 'default'}, {'name': 'web'}]}}
        #: Neutron's, by id. Nova deletes those that it made when it detaches
        #: them, and takes its time for that.
        self.ports: dict[str, dict] = {}
        self.port_count = 0
        self.floating: dict[str, dict] = {}
        self.detaching: list[tuple[str, dict]] = []
        #: The tags of the file shares of servers, by their ids.
        self.shares: dict[str, list[str]] = {}
        #: How the databases compare names.
        self.collation = str
        #: The only project whose servers are listed; None for all.
        self.listed_project: str | None = None
        #: Whether Glance takes its user for an administrator.
        self.administrator = False
        #: What servers have said on their consoles; those of others are not
        #: to be had.
        self.consoles: dict[str, str] = {}
        #: When a server is launched.
        self.now: float = 0
        #: How many changes of images there were.
        self.changes = 0
        #: The longest address that a front lets through.
        self.longest = 3500
        #: The ids of servers whose root is a volume though they have images.
        self.volume_backed: set[str] = set()
        #: The ids of each server's networks.
        self.networks: dict[str, list[str]] = {}
        #: Cinder's, of things that went wrong.
        self.messages: list[dict] = []
        #: Of each image, the states of other projects by their ids.
        self.members: dict[str, dict[str, str]] = {}
        #: The data of images, and how their store answers who wants a part.
        self.data: dict[str, bytes] = {}
        self.ranges = 206
        #: Where a part begins that a store gives by mistake.
        self.part_from = ''
        self.snapshots: dict[str, dict] = {}
        self.attachments: dict[str, list[dict]] = {}
        #: What was done to each server, the latest first.
        self.done: dict[str, list[dict]] = {}
        #: What differs in the event of an action, by its request.
        self.events: dict[str, dict] = {}
        self.quotas: dict[str, dict] = {}
        self.usage: dict[str, dict] | None = None
        #: Keystone's, by id.
        self.trusts: dict[str, dict] = {}
        #: Names of projects by their ids, and whether Keystone tells users
        #: of no others.
        self.projects: dict[str, str] = {}
        self.keeps_projects_secret = True
        #: Requests: method, path, parsed body.
        self.calls: list[tuple[str, str, dict | None]] = []
        #: The same, as requests-mock keeps them.
        self.requests: list = []
        #: The newest microversions that the services speak.
        self.newest = {'compute': '2.103', 'volume': '3.71'}
        #: How often a host was asked that hangs.
        self.hung = 0
        self._hanging: set[str] = set()
        #: The most servers that Nova gives in one answer.
        self.max_limit = 1000
        #: The most items of metadata that a server, and an image by
        #: createImage, may have.
        self.metadata_items = 128
        #: Answers that replace the right ones: (method, pattern) -> a status,
        #: or what a gateway says in a service's place.
        self.faults: dict[tuple[str, str],
                          int | str | tuple[int, str]] = {}
        #: What others do just before a request: (method, pattern) -> that.
        self.meanwhile: dict[tuple[str, str], Callable[[], None]] = {}
        #: Answers that are lost when all is done: likewise -> a status.
        self.lost: dict[tuple[str, str], int] = {}
        #: The number of the call that fails, and how.
        self.fail_at: tuple | None = None
        #: The number of the call whose answer is lost when all is done.
        self.lose_at: int | None = None
        #: What happens just before and just after a call, by its number.
        self.before: dict[int, Callable[[], None]] = {}
        self.after: dict[int, Callable[[], None]] = {}
        self._services = {
            kind.__name__.lower(): kind(self) for kind in (
                nova.Nova, glance.Glance, cinder.Cinder, neutron.Neutron,
                keystone.Keystone)}
        versions.forget()
        for root in ('http://nova.test', GLANCE, 'http://cinder.test',
                     NEUTRON, KEYSTONE):
            adapter.register_uri(
                requests_mock.ANY, re.compile(re.escape(root)),
                content=self._content,
                headers={'Content-Type': 'application/json'})

    # What a test puts in.

    def server(self, name: str = 'web-1', **fields) -> dict:
        body = {
            'id': new_id(), 'name': name, 'status': 'ACTIVE',
            'updated': stamp(0), 'OS-EXT-STS:task_state': None,
            'locked': False,
            'flavor': {'original_name': 'm1.small', 'vcpus': 1, 'ram': 2048,
                       'disk': 10, 'ephemeral': 0, 'swap': 0,
                       'extra_specs': {}},
            'image': {'id': new_id(1)}, 'metadata': {}, 'tags': [],
            'tenant_id': PROJECT, 'os-extended-volumes:volumes_attached': [],
            **fields}
        self.servers[body['id']] = body
        return body

    def image(self, name: str, at: float = 0, **fields) -> dict:
        body = {
            'id': new_id(), 'name': name, 'status': 'active', 'size': 4194304,
            'owner': PROJECT, 'created_at': stamp(at), 'protected': False,
            'checksum': 'd41d8cd98f00b204e9800998ecf8427e',
            'min_disk': 10, 'min_ram': 0, 'visibility': 'private',
            'image_type': 'snapshot', 'disk_format': 'raw',
            'container_format': 'bare', 'tags': [], 'os_hidden': False,
            'updated_at': self.changed(), **fields}
        self.images[body['id']] = {
            key: value for key, value in body.items() if value is not None}
        return self.images[body['id']]

    def changed(self) -> str:
        """When something changes, each a second after the other."""
        self.changes += 1
        return stamp(self.changes)

    def set_image(self, name: str, snapshots: list[dict], at: float = 0,
                  **fields) -> dict:
        """The image of a volume-backed snapshot, blank disks first."""
        mapping = [{'source_type': 'blank', 'destination_type': 'local',
                    'boot_index': -1, 'volume_size': 1024,
                    'guest_format': 'swap', 'snapshot_id': None,
                    'device_name': '/dev/vdz'}]
        mapping += [{'source_type': 'snapshot',
                     'destination_type': 'volume',
                     'boot_index': 0 if number == 0 else None,
                     'volume_size': snapshot['size'],
                     'snapshot_id': snapshot['id'],
                     'device_name': disk_name(number)}
                    for number, snapshot in enumerate(snapshots)]
        return self.image(name, at, **{
            'size': 0, 'image_type': None, 'bdm_v2': 'True',
            'block_device_mapping': json.dumps(mapping), **fields})

    def volume(self, name: str = 'data', **fields) -> dict:
        body = {'id': new_id(), 'name': name, 'status': 'in-use', 'size': 5,
                'volume_type': '__DEFAULT__', 'bootable': 'false',
                'created_at': stamp(0)[:-1] + '.500000', 'attachments': [],
                'snapshot_id': None, **fields}
        self.volumes[body['id']] = body
        return body

    def snapshot(self, name: str, at: float = 0, **fields) -> dict:
        body = {
            'id': new_id(), 'name': name, 'status': 'available', 'size': 5,
            'description': '', 'metadata': {}, 'group_snapshot_id': None,
            'created_at': stamp(at)[:-1] + '.500000',
            'volume_id': new_id(2),
            'os-extended-snapshot-attributes:project_id': PROJECT, **fields}
        self.snapshots[body['id']] = body
        return body

    def attach(self, server: dict, volume: dict, device: str) -> None:
        server['os-extended-volumes:volumes_attached'].append(
            {'id': volume['id'], 'delete_on_termination': False})
        self.attachments.setdefault(server['id'], []).append(
            {'volumeId': volume['id'], 'serverId': server['id'],
             'device': device, 'delete_on_termination': False})
        volume['attachments'].append({'server_id': server['id'],
                                      'device': device})

    def port(self, server: dict | None = None, made_by_nova: bool = True,
             **fields) -> dict:
        self.port_count = number = self.port_count + 1
        body = {
            'id': new_id(900 + number), 'network_id': new_id(7),
            'project_id': PROJECT, 'name': '',
            'mac_address': f'fa:16:3e:00:00:{number:02x}',
            'fixed_ips': [{'subnet_id': new_id(70),
                           'ip_address': f'10.0.0.{number}'}],
            'device_id': server['id'] if server else '',
            'device_owner': 'compute:nova' if server else '',
            'created_at': stamp(self.now), 'security_groups': [new_id(71)],
            'binding:vnic_type': 'normal', 'made_by_nova': made_by_nova,
            **fields}
        self.ports[body['id']] = body
        return body

    def float(self, port: dict, address: str = '203.0.113.9') -> dict:
        body = {'id': new_id(), 'floating_ip_address': address,
                'port_id': port['id'],
                'fixed_ip_address': port['fixed_ips'][0]['ip_address']}
        self.floating[body['id']] = body
        return body

    def finish_detaching(self) -> None:
        """Let Nova's hosts do what they were asked for."""
        for server_id, port in self.detaching:
            if port['device_id'] != server_id:
                continue
            if port['made_by_nova']:
                self.delete_port(port)
            else:
                port.update(device_id='', device_owner='', dns_name='')
        self.detaching.clear()

    def delete_port(self, port: dict) -> None:
        self.ports.pop(port['id'], None)
        for address in self.floating.values():
            if address['port_id'] == port['id']:
                address.update(port_id=None, fixed_ip_address=None)

    def detach(self, server: dict, volume: dict) -> None:
        """What :meth:`attach` did is undone."""
        for kept in (server['os-extended-volumes:volumes_attached'],
                     self.attachments.get(server['id'], []),
                     volume['attachments']):
            kept[:] = [one for one in kept if one.get('id') != volume['id']
                       and one.get('volumeId') != volume['id']
                       and one.get('server_id') != server['id']]
        volume['status'] = 'available'

    def cloud(self, endpoints: dict[str, str] | None = None) -> services.Cloud:
        session = keystone_session.Session(
            auth=token_endpoint.Token(endpoint=None, token='t'), timeout=5)
        return services.Cloud(session, {**ENDPOINTS, 'identity': KEYSTONE}
                              if endpoints is None else endpoints, PROJECT)

    def hang(self, host: str) -> None:
        """Let a host not answer in time."""
        self._hanging.add(host)

    def did(self, server, action, took=2, at=None):
        """Record what was done to a server, and how long it took."""
        at = self.now if at is None else at
        self.done.setdefault(server['id'], []).insert(0, {
            'action': action, 'request_id': f'req-{new_id()}',
            'instance_uuid': server['id'], 'user_id': 'alice',
            'project_id': PROJECT, 'message': None,
            'start_time': stamp(at)[:-1] + '.000000',
            'updated_at': stamp(at + took)[:-1] + '.000000'})

    @contextlib.contextmanager
    def meeting(self, number: int, fate: object,
                before: dict[str, Callable[[], None]],
                after: dict[str, Callable[[], None]]) -> Iterator[None]:
        """The call after so many meets with a fate: its answer is lost, it
        fails, or what has a name happens before or after it.
        """
        at = len(self.calls) + number
        if fate == 'lost':
            self.lose_at = at
        elif fate in before:
            self.before[at] = before[fate]
        elif fate in after:
            self.after[at] = after[fate]
        elif fate != 'ok':
            self.fail_at = at, fate
        yield
        self.before.clear()
        self.after.clear()
        self.fail_at = self.lose_at = None

    # What came in.

    def writes(self) -> list[tuple[str, str]]:
        return [(method, path) for method, path, _ in self.calls
                if method != 'GET']

    def actions(self) -> list[str]:
        """The names of the server actions that were asked for."""
        return [next(iter(body)) for method, path, body in self.calls
                if method == 'POST' and path.endswith('/action') and body]

    # What goes out.

    def _content(self, request, context):
        try:
            with self._one_at_a_time:
                answer = self._answer(request, context)
        except Refusal as refusal:
            answer = self._refuse(context, refusal.status, str(refusal))
        if isinstance(answer, bytes):
            return answer
        if isinstance(answer, str):
            return answer.encode()
        return b'' if answer is None else json.dumps(answer).encode()

    def _answer(self, request, context):
        url = parse.urlsplit(request.url)
        body = request.json() if request.body else None
        if url.hostname in self._hanging:
            self.hung += 1
            raise requests.ConnectTimeout('no answer in time',
                                          request=request._request)
        if len(request.url) > self.longest:
            raise Refusal(414, 'the address is too long')
        number = len(self.calls)
        self.calls.append((request.method, url.path, body))
        self.before.pop(number, _nothing)()
        self.requests.append(request)
        context.headers['x-openstack-request-id'] = f'req-{new_id()}'
        context.headers['Date'] = utils.format_datetime(
            datetime.datetime.fromisoformat(stamp(max(
                self.now, self.changes))), usegmt=True)
        if self.fail_at and number == self.fail_at[0]:
            return self._fail(context, self.fail_at[1])
        for fault in self._meant(request, self.faults):
            if isinstance(fault, type):  # no answer
                raise fault('no answer in time', request=request._request)
            return self._fail(context, fault)
        for interfere in self._meant(request, self.meanwhile):
            interfere()
        service, _, asked = request.headers.get(
            'OpenStack-API-Version', '').partition(' ')
        if asked and versions._parse(asked) > versions._parse(
                self.newest[service]):
            return self._refuse(context, 406, 'not acceptable')
        if url.path.endswith('/file'):
            move = (self._upload if request.method == 'PUT' else self._data)
            return move(request, context, url.path.split('/')[-2])
        query = dict(parse.parse_qsl(url.query))
        host = url.hostname.partition('.')[0]
        answer = self._services[host].answer(
            request.method, url.path, query, body)
        self.after.pop(number, _nothing)()
        for status in [*self._meant(request, self.lost),
                       *([504] if number == self.lose_at else [])]:
            return self._fail(context, status)
        if isinstance(answer, int):
            return self._refuse(context, answer, 'not possible')
        context.status_code = answer[0]
        if answer[1] is None:
            context.headers['Content-Type'] = 'text/html; charset=UTF-8'
        return answer[1]

    def _upload(self, request, context, image_id):
        """What nothing but an image without data needs."""
        context.status_code = 204
        context.headers['Content-Type'] = 'text/html; charset=UTF-8'
        self.images[image_id].update(status='active', size=0,
                                     checksum='d41d8cd98f00b204')

    @staticmethod
    def _meant(request, what):
        """What a test wishes for such requests."""
        path = parse.urlsplit(request.url).path
        return [value for (method, pattern), value in what.items()
                if method == request.method and re.search(pattern, path)]

    def _data(self, request, context, image_id):
        """Some of an image's data, as its store gives it."""
        if self.ranges >= 400:
            return self._refuse(context, self.ranges, 'no ranges here')
        context.headers['Content-Type'] = 'application/octet-stream'
        context.status_code = self.ranges
        content = self.data[image_id]
        if self.ranges == 200:
            return content
        first, last = request.headers['Range'].removeprefix(
            'bytes=').split('-')
        context.headers['Content-Range'] = (
            f'bytes {self.part_from or first}-{last}/{len(content)}')
        return content[int(first):int(last) + 1]

    def _fail(self, context, fault):
        """Answer as a test wishes: with a status, or as a gateway does.

        :param fault: a status, a text that is answered with 200, or both.
        """
        if isinstance(fault, int):
            return self._refuse(context, fault, 'as the test wishes')
        status, text = fault if isinstance(fault, tuple) else (200, fault)
        del context.headers['x-openstack-request-id']
        context.headers['Content-Type'] = 'text/html'
        context.status_code = status
        return text

    @staticmethod
    def _refuse(context, status, message):
        context.status_code = status
        return {'error': {'code': status, 'message': message}}
