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

import ast
import datetime
import json
import re
from urllib import parse
import uuid

from keystoneauth1 import session as keystone_session
from keystoneauth1 import token_endpoint
import requests
import requests_mock

from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import versions

PROJECT = '7a7a7a7a7a7a4a7a8a7a7a7a7a7a7a7a'
NOVA = 'http://nova.test/v2.1'
GLANCE = 'http://glance.test'
CINDER = f'http://cinder.test/v3/{PROJECT}'
NEUTRON = 'http://neutron.test'
KEYSTONE = 'http://keystone.test/v3'
ENDPOINTS = {'compute': NOVA, 'image': GLANCE, 'volume': CINDER,
             'network': NEUTRON}
_START = datetime.datetime(2026, 3, 1, 12, 0, 0)


def new_id(number: int | None = None) -> str:
    """A new id, or the one of a number."""
    if number is None:
        return str(uuid.uuid4())
    return f'00000000-0000-4000-8000-{number:012d}'


def stamp(seconds: float) -> str:
    """A time so many seconds after the start, as Glance writes it."""
    moment = _START + datetime.timedelta(seconds=seconds)
    return moment.strftime('%Y-%m-%dT%H:%M:%SZ')


def seconds(after: float) -> float:
    """The same in seconds since the epoch."""
    return (_START + datetime.timedelta(seconds=after)).timestamp()


def flavor(name: str, disk: int = 10, ram: int = 2048,
           cores: int = 1) -> dict:
    return {'id': f'id-of-{name}', 'name': name, 'vcpus': cores, 'ram': ram,
            'disk': disk}


def finish(image: dict) -> None:
    """Let Nova's upload of an image come to its end."""
    image.update(status='active', size=4194304)


class Refusal(Exception):
    """A service's refusal in its own words."""

    def __init__(self, status: int, words: str):
        super().__init__(words)
        self.status = status


class FakeOpenStack:
    """The services' state, and their answers out of it."""

    def __init__(self, mocker):
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
        #: The tags of the file shares of servers, by their ids.
        self.shares: dict[str, list[str]] = {}
        #: How the databases compare names.
        self.collation = str
        #: Whether Glance takes its user for an administrator.
        self.administrator = False
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
        #: The number of the call that fails, and how.
        self.fail_at: tuple | None = None
        versions.forget()
        for root in ('http://nova.test', GLANCE, 'http://cinder.test',
                     NEUTRON, KEYSTONE):
            mocker.register_uri(
                requests_mock.ANY, re.compile(re.escape(root)),
                text=self._text,
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
            'updated_at': self._changed(), **fields}
        self.images[body['id']] = {
            key: value for key, value in body.items() if value is not None}
        return self.images[body['id']]

    def _changed(self) -> str:
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
                     'device_name': f'/dev/vd{"abcdef"[number]}'}
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

    def cloud(self, endpoints: dict[str, str] | None = None) -> services.Cloud:
        session = keystone_session.Session(
            auth=token_endpoint.Token(endpoint=None, token='t'), timeout=5)
        return services.Cloud(session, {**ENDPOINTS, 'identity': KEYSTONE}
                              if endpoints is None else endpoints, PROJECT)

    def hang(self, host: str) -> None:
        """Let a host not answer in time."""
        self._hanging.add(host)

    # What came in.

    def writes(self) -> list[tuple[str, str]]:
        return [(method, path) for method, path, _ in self.calls
                if method != 'GET']

    def actions(self) -> list[str]:
        """The names of the server actions that were asked for."""
        return [next(iter(body)) for method, path, body in self.calls
                if method == 'POST' and path.endswith('/action') and body]

    # What goes out.

    def _text(self, request, context):
        try:
            answer = self._answer(request, context)
        except Refusal as refusal:
            answer = self._refuse(context, refusal.status, str(refusal))
        if isinstance(answer, str):
            return answer
        return '' if answer is None else json.dumps(answer)

    def _answer(self, request, context):
        url = parse.urlsplit(request.url)
        body = request.json() if request.body else None
        if url.hostname in self._hanging:
            self.hung += 1
            raise requests.ConnectTimeout('no answer in time',
                                          request=request._request)
        if len(request.url) > self.longest:
            raise Refusal(414, 'the address is too long')
        self.calls.append((request.method, url.path, body))
        self.requests.append(request)
        context.headers['x-openstack-request-id'] = f'req-{new_id()}'
        if self.fail_at and len(self.calls) - 1 == self.fail_at[0]:
            return self._fail(context, self.fail_at[1])
        for (method, pattern), fault in self.faults.items():
            if method == request.method and re.search(pattern, url.path):
                if isinstance(fault, type):  # no answer
                    raise fault('no answer in time', request=request._request)
                return self._fail(context, fault)
        service, _, asked = request.headers.get(
            'OpenStack-API-Version', '').partition(' ')
        if asked and versions._parse(asked) > versions._parse(
                self.newest[service]):
            return self._refuse(context, 406, 'not acceptable')
        query = dict(parse.parse_qsl(url.query))
        host = url.hostname.partition('.')[0]
        answer = getattr(self, f'_{host}')(
            request.method, url.path, query, body)
        if isinstance(answer, int):
            return self._refuse(context, answer, 'not possible')
        context.status_code = answer[0]
        if answer[1] is None:
            context.headers['Content-Type'] = 'text/html; charset=UTF-8'
        return answer[1]

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

    def _nova(self, method, path, query, body):
        parts = path.removeprefix('/v2.1').strip('/').split('/')
        if parts == ['']:
            return 200, {'version': {
                'id': 'v2.1', 'status': 'CURRENT',
                'version': self.newest['compute'],
                'min_version': '2.1', 'links': [
                    {'rel': 'self', 'href': NOVA + '/'}]}}
        if parts == ['limits']:
            absolute = self.choices['limits']['limits']['absolute']
            absolute.update(maxServerMeta=self.metadata_items)
        if parts[0] in self.choices:
            return 200, self.choices[parts[0]]
        if parts == ['servers'] and method == 'POST':
            server = self.server(body['server']['name'], status='BUILD')
            return 202, {'server': {**server, 'adminPass': 'x'}}
        if parts in (['servers', 'detail'], ['servers']):
            found = [server for server in self.servers.values()
                     if ('tags-any' not in query or set(
                         query['tags-any'].split(',')) & set(server['tags']))
                     and query.get('image') in (
                         None, (server.get('image') or {}).get('id'))]
            if 'marker' in query:
                ids = [server['id'] for server in found]
                found = found[ids.index(query['marker']) + 1:]
            limit = min(int(query.get('limit', 1000)), self.max_limit)
            answer: dict = {'servers': [self._shown(server)
                                        for server in found[:limit]]}
            if len(found) > limit:
                answer['servers_links'] = [{'rel': 'next', 'href': (
                    'http://inside.test/v2.1/servers/detail?'
                    + parse.urlencode({
                        **query, 'marker': found[limit - 1]['id']}))}]
            return 200, answer
        server = self.servers.get(parts[1])
        if server is None:
            return 404
        if len(parts) == 2:
            return 200, {'server': self._shown(server)}
        return self._nova_server(method, server, parts[2:], body)

    def _shown(self, server):
        """A server as Nova shows it, with its image's properties."""
        image = server.get('image')
        if not image or 'properties' in image:
            return server
        source = self.images.get(image['id'], {})
        return {**server, 'image': {**image, 'properties': {
            name: value for name, value in source.items()
            if name.startswith(('hw_', 'os_'))}}}

    def _nova_server(self, method, server, rest, body):
        if rest == ['os-interface']:
            return 200, {'interfaceAttachments': [
                {'net_id': network, 'port_id': new_id(), 'fixed_ips': []}
                for network in self.networks.get(server['id'], [])]}
        if rest == ['shares']:
            if versions._parse(self.newest['compute']) < (2, 97):
                return 404
            return 200, {'shares': [
                {'share_id': new_id(), 'status': 'active', 'tag': tag}
                for tag in self.shares.get(server['id'], [])]}
        if rest == ['os-volume_attachments']:
            return 200, {'volumeAttachments':
                         self.attachments.get(server['id'], [])}
        if rest[0] == 'os-instance-actions':
            return self._actions(server, rest[1:])
        if rest[0] == 'metadata':
            if server['locked']:
                return 409
            if method == 'POST':
                items = {**server['metadata'], **body['metadata']}
                self._check_room('metadata', items)
                server['metadata'].update(body['metadata'])
                return 200, {'metadata': server['metadata']}
            return (204, None) if server['metadata'].pop(
                rest[1], None) is not None else 404
        if rest[0] == 'tags':
            return self._tag(method, server, rest[1])
        return self._nova_action(server, body)

    def _actions(self, server, rest):
        done = self.done.get(server['id'], [])
        if not rest:
            return 200, {'instanceActions': done}
        (action,) = [action for action in done
                     if action['request_id'] == rest[0]]
        return 200, {'instanceAction': {**action, 'events': [
            {'event': 'compute', 'start_time': action['start_time'],
             'finish_time': action['updated_at'], 'result': 'Success',
             **self.events.get(rest[0], {})}]}}

    @staticmethod
    def _tag(method, server, tag):
        there = tag in server['tags']
        if method == 'DELETE':
            if not there:
                return 404
            server['tags'].remove(tag)
            return 204, None
        if there:
            return 204, None
        if len(server['tags']) >= 50:
            raise Refusal(400, 'The number of tags exceeded the per-server '
                          'limit 50')
        server['tags'].append(tag)
        return 201, None

    def _nova_action(self, server, body):
        (action, arguments), = body.items()
        self.did(server, action.removeprefix('os-'))
        if action in ('os-stop', 'os-start'):
            wanted = 'ACTIVE' if action == 'os-stop' else 'SHUTOFF'
            if server['status'] != wanted or server['locked']:
                return 409
            server['OS-EXT-STS:task_state'] = (
                'powering-off' if action == 'os-stop' else 'powering-on')
            return 202, None
        if action == 'createImage':
            if server['OS-EXT-STS:task_state']:
                return 409
            self._check_room('metadata', arguments['metadata'])
            made = {'instance_uuid': server['id'], **arguments['metadata']}
            if not server['image'] or server['id'] in self.volume_backed:
                return 202, {'image_id': self._capture_volumes(
                    server, arguments['name'], made)['id']}
            image = self.image(arguments['name'], **{
                'status': 'queued', 'size': None, **made})
            server['OS-EXT-STS:task_state'] = 'image_snapshot_pending'
            return 202, {'image_id': image['id']}
        return 400

    def _check_room(self, what, items):
        if len(items) > self.metadata_items:
            raise Refusal(403, f'Maximum number of {what} items exceeds '
                          f'{self.metadata_items}')

    def did(self, server, action, seconds=2, at=0):
        """Record what was done to a server, and how long it took."""
        self.done.setdefault(server['id'], []).insert(0, {
            'action': action, 'request_id': f'req-{new_id()}',
            'instance_uuid': server['id'], 'user_id': 'alice',
            'project_id': PROJECT, 'message': None,
            'start_time': stamp(at)[:-1] + '.000000',
            'updated_at': stamp(at + seconds)[:-1] + '.000000'})

    def _capture_volumes(self, server, name, properties):
        """What Nova does with a volume-backed server."""
        return self.set_image(name, [
            self.snapshot(f'snapshot for {name}', status='creating',
                          volume_id=attached['id'])
            for attached in server['os-extended-volumes:volumes_attached']],
            **properties)

    def _glance(self, method, path, query, body):
        parts = path.strip('/').split('/')
        if parts == ['v2', 'info', 'usage']:
            return (200, {'usage': self.usage}) if self.usage else 404
        if len(parts) == 2:
            query.setdefault('os_hidden', 'False')
            query['os_hidden'] = query['os_hidden'].capitalize()
            found = self._page(self._seen(query.pop(
                'member_status', 'accepted')), {
                    **query, 'limit': int(query.get('limit', 25)) + 1})
            if found is None:
                return 400
            limit = min(int(query.get('limit', 25)), self.max_limit)
            return 200, {'images': found[:limit], **(
                {'next': 'more'} if len(found) > limit else {})}
        if parts[2] not in self.images:
            return 404
        if len(parts) > 3:
            return self._members(method, self.images[parts[2]], parts[4:],
                                 body)
        if method == 'DELETE':
            if self.images[parts[2]]['protected']:
                return 403
            del self.images[parts[2]]
            return 204, None
        if method == 'PATCH':
            for change in body:
                name = change['path'][1:]
                if change['op'] == 'remove':
                    del self.images[parts[2]][name]
                else:
                    self.images[parts[2]][name] = change['value']
            self.images[parts[2]]['updated_at'] = self._changed()
        return 200, self.images[parts[2]]

    def _neutron(self, method, path, query, body):
        return 200, self.network[path.removeprefix('/v2.0/')]

    def _keystone(self, method, path, query, body):
        trust_id = path.removeprefix('/v3/OS-TRUST/trusts').strip('/')
        if method == 'POST':
            wanted = body['trust']
            if any(all(there[name] == wanted[name] for name in (
                    'trustor_user_id', 'trustee_user_id', 'project_id',
                    'expires_at')) for there in self.trusts.values()):
                return 409
            trust = {**wanted, 'id': uuid.uuid4().hex, 'deleted_at': None}
            self.trusts[trust['id']] = trust
            return 201, {'trust': trust}
        if not trust_id:
            return 200, {'trusts': [
                trust for trust in self.trusts.values()
                if trust['trustee_user_id'] == query['trustee_user_id']]}
        trust = self.trusts.get(trust_id)
        if trust is None or trust['remaining_uses'] == 0:
            return 404
        if method == 'DELETE':
            del self.trusts[trust_id]
            return 204, None
        return 200, {'trust': trust}

    def _seen(self, member_status):
        """The images that the project sees in lists; an administrator all."""
        return {image_id: image for image_id, image in self.images.items()
                if self.administrator or image['owner'] == PROJECT
                or image['visibility'] == 'public'
                or image['visibility'] == 'shared' and self.members.get(
                    image_id, {}).get(PROJECT) in (
                        ('accepted', 'pending', 'rejected')
                        if member_status == 'all' else (member_status,))}

    def _members(self, method, image, parts, body):
        members = self.members.setdefault(image['id'], {})
        if image.get('visibility') != 'shared':
            return 403  # "Only shared images have members"
        if method == 'POST':
            if body['member'] in members:
                return 409
            members[body['member']] = 'pending'
        elif method == 'DELETE':
            if parts[0] not in members:
                return 404
            del members[parts[0]]
            return 204, None
        elif method == 'PUT':
            if parts != [PROJECT] or PROJECT not in members:
                return 404
            members[PROJECT] = body['status']
        return 200, {'members': [
            {'member_id': member, 'image_id': image['id'], 'status': status}
            for member, status in members.items()]}

    def _cinder(self, method, path, query, body):
        parts = path.strip('/').split('/')[2:]
        if not parts:
            return 200, {'versions': [{
                'id': 'v3.0', 'status': 'CURRENT',
                'version': self.newest['volume'],
                'min_version': '3.0', 'links': [
                    {'rel': 'self', 'href': 'http://cinder.test/v3/'}]}]}
        if parts[0] == 'os-quota-sets':
            return 200, {'quota_set': {'id': PROJECT, **self.quotas}}
        if parts[0] == 'messages':
            return 200, {'messages': self.messages}
        kind = {'snapshots': self.snapshots, 'volumes': self.volumes}[
            parts[0]]
        if len(parts) == 1 and method == 'POST':
            asked = body['snapshot']
            return 202, {'snapshot': self.snapshot(
                asked['name'], status='creating',
                volume_id=asked['volume_id'], metadata=asked['metadata'])}
        if len(parts) == 4:  # one item of metadata
            del kind[parts[1]]['metadata'][parts[3]]
            return 200, None
        if len(parts) == 3:  # metadata
            kind[parts[1]]['metadata'].update(body['metadata'])
            return 200, {'metadata': kind[parts[1]]['metadata']}
        if len(parts) == 1 or parts[1] == 'detail':
            found = self._page(kind, query)
            if found is None:
                return 404
            limit = min(int(query.get('limit', 1000)), self.max_limit)
            more = {} if len(found) < limit else {f'{parts[0]}_links': [
                {'rel': 'next', 'href': f'http://cinder.test{path}?' + (
                    parse.urlencode({**query, 'marker':
                                     found[limit - 1]['id']}))}]}
            return 200, {parts[0]: found[:limit], **more}
        if parts[1] not in kind:
            return 404
        if method == 'DELETE':
            kind[parts[1]]['status'] = 'deleting'
            return 202, None
        if method == 'PUT':
            kind[parts[1]].update(body['snapshot'])
        return 200, {parts[0][:-1]: kind[parts[1]]}

    def _page(self, kind, query):
        def admitted(item):
            return all(_matches(item, name, wanted)
                       for name, wanted in query.items()
                       if name not in ('limit', 'sort', 'marker'))

        by, _, direction = query.get('sort', 'created_at:desc').partition(
            ',')[0].partition(':')
        by = by.removeprefix('display_')  # as Cinder calls it
        collate = self.collation if by == 'name' else lambda value: value
        found = sorted(filter(admitted, kind.values()),
                       key=lambda item: (collate(item[by]), item['id']),
                       reverse=direction == 'desc')
        if 'marker' in query:
            ids = [item['id'] for item in found]
            if query['marker'] not in ids:
                return None
            found = found[ids.index(query['marker']) + 1:]
        return found[:int(query.get('limit', 1000))]


def _matches(item: dict, name: str, wanted: str) -> bool:
    """Whether one filter of a list admits an item."""
    if name == 'metadata':
        return ast.literal_eval(wanted).items() <= item['metadata'].items()
    operator, colon, value = wanted.partition(':')
    if colon and name in ('name', 'id', 'status') and item.get('owner'):
        # Glance's operators; Cinder knows none.
        found = {'eq': [value], 'in': [
            quoted or bare for quoted, bare in re.findall(
                r'"([^"]*)",?|([^,]+),?', value)]}[operator]
        return item[name] in found
    if name == 'created_at' and operator == 'lt':
        return item['created_at'] < value
    if name in ('created_at', 'updated_at') and operator == 'gte':
        return item[name] >= value
    return str(item.get(name)) == wanted
