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

"""Servers, their tags, metadata and actions."""

import re
from urllib import parse

from snapshot_dashboard.cloud import versions
from tests.fakes import common


class Nova(common.Service):

    def answer(self, method, path, query, body):
        parts = path.removeprefix('/v2.1').strip('/').split('/')
        if parts == ['']:
            return 200, {'version': {
                'id': 'v2.1', 'status': 'CURRENT',
                'version': self._all.newest['compute'],
                'min_version': '2.1', 'links': [
                    {'rel': 'self', 'href': common.NOVA + '/'}]}}
        if parts == ['limits']:
            absolute = self._all.choices['limits']['limits']['absolute']
            absolute.update(maxServerMeta=self._all.metadata_items)
        if parts[0] in self._all.choices:
            return 200, self._all.choices[parts[0]]
        if parts == ['servers'] and method == 'POST':
            return 202, {'server': {**self._launch(body['server']),
                                    'adminPass': 'x'}}
        if parts in (['servers', 'detail'], ['servers']):
            found = [server for server in self._all.servers.values()
                     if ('tags-any' not in query or set(
                         query['tags-any'].split(',')) & set(server['tags']))
                     and query.get('image') in (
                         None, (server.get('image') or {}).get('id'))
                     and server.get('updated', '') >= query.get(
                         'changes-since', '')
                     and self._all.listed_project in (
                         None, server['tenant_id'])]
            if 'marker' in query:
                ids = [server['id'] for server in found]
                found = found[ids.index(query['marker']) + 1:]
            limit = min(int(query.get('limit', 1000)), self._all.max_limit)
            answer: dict = {'servers': [self._shown(server)
                                        for server in found[:limit]]}
            if len(found) > limit:
                answer['servers_links'] = [{'rel': 'next', 'href': (
                    'http://inside.test/v2.1/servers/detail?'
                    + parse.urlencode({
                        **query, 'marker': found[limit - 1]['id']}))}]
            return 200, answer
        server = self._all.servers.get(parts[1])
        if server is None:
            return 404
        if len(parts) == 2 and method == 'DELETE':
            del self._all.servers[parts[1]]
            return 204, None
        if len(parts) == 2:
            return 200, {'server': self._shown(server)}
        return self._server(method, server, parts[2:], body)

    def _launch(self, asked):
        image = asked.get('imageRef')
        for value in asked.get('metadata', {}).values():
            if len(value) > 255:
                raise common.Refusal(400, f'{value!r} is too long')
        if asked['name'] != asked['name'].strip() or not (
                asked['name'].isprintable()):
            raise common.Refusal(400, f'{asked["name"]!r} does not match')
        return self._all.server(
            asked['name'], status='BUILD', image=image and {'id': image},
            metadata=asked.get('metadata', {}), tags=asked.get('tags', []),
            created=common.stamp(self._all.now))

    def _shown(self, server):
        """A server as Nova shows it, with its image's properties."""
        image = server.get('image')
        if not image or 'properties' in image:
            return server
        source = self._all.images.get(image['id'], {})
        return {**server, 'image': {**image, 'properties': {
            name: value for name, value in source.items()
            if name.startswith(('hw_', 'os_'))}}}

    def _server(self, method, server, rest, body):
        if rest[0] == 'os-interface':
            return self._interfaces(method, server, rest[1:], body)
        if rest == ['shares']:
            if versions._parse(self._all.newest['compute']) < (2, 97):
                return 404
            return 200, {'shares': [
                {'share_id': common.new_id(), 'status': 'active', 'tag': tag}
                for tag in self._all.shares.get(server['id'], [])]}
        if rest[0] == 'os-volume_attachments' and method != 'GET':
            return self._attach(server, rest[1:], body)
        if rest == ['os-volume_attachments']:
            return 200, {'volumeAttachments':
                         self._all.attachments.get(server['id'], [])}
        if rest[0] == 'os-instance-actions':
            return self._actions(server, rest[1:])
        if rest[0] in ('metadata', 'tags') and method != 'GET' and (
                server['status'] in ('BUILD', 'ERROR', 'SHELVED_OFFLOADED')):
            return 409
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
        return self._action(server, body)

    def _attach(self, server, rest, body):
        """Attach or detach a volume; both take a while."""
        there = server['os-extended-volumes:volumes_attached']
        if server['OS-EXT-STS:task_state'] or server['locked'] or (
                server['status'] not in ('ACTIVE', 'SHUTOFF')):
            return 409
        if rest:
            volume = self._all.volumes.get(rest[0])
            if rest[0] not in [one['id'] for one in there]:
                return 404
            if volume['status'] != 'in-use':
                return 400
            volume['status'] = 'detaching'
            self._all.did(server, 'detach_volume')
            return 202, None
        asked = body['volumeAttachment']
        volume = self._all.volumes.get(asked['volumeId'])
        if volume is None:
            return 404
        if volume['status'] != 'available':
            return 400
        volume['status'] = 'attaching'
        self._all.attach(server, volume, asked.get('device') or '/dev/vdz')
        self._all.did(server, 'attach_volume')
        return 200, {'volumeAttachment': {**asked, 'id': volume['id']}}

    def _interfaces(self, method, server, rest, body):
        """List ports, attach one, or detach one, which takes a while."""
        if method == 'GET':
            return 200, {'interfaceAttachments': [
                {'net_id': network, 'port_id': common.new_id(),
                 'fixed_ips': []}
                for network in self._all.networks.get(server['id'], [])]}
        if server['locked'] or server['OS-EXT-STS:task_state'] or (
                server['status'] not in ('ACTIVE', 'SHUTOFF')):
            return 409
        asked = rest[0] if rest else body['interfaceAttachment']['port_id']
        port = self._all.ports.get(asked)
        if port is None or rest and port['device_id'] != server['id']:
            return 404
        if rest:
            self._all.detaching.append((server['id'], port))
            return 202, None
        if port['device_id'] or port.get('dns_name', '') not in (
                '', server['name']):
            return 400
        port.update(device_id=server['id'], device_owner='compute:nova')
        return 200, {'interfaceAttachment': {
            'port_id': port['id'], 'net_id': port['network_id'],
            'fixed_ips': port['fixed_ips'], 'port_state': 'DOWN',
            'mac_addr': port['mac_address']}}

    def _actions(self, server, rest):
        done = self._all.done.get(server['id'], [])
        if not rest:
            return 200, {'instanceActions': done}
        (action,) = [action for action in done
                     if action['request_id'] == rest[0]]
        return 200, {'instanceAction': {**action, 'events': [
            {'event': 'compute', 'start_time': action['start_time'],
             'finish_time': action['updated_at'], 'result': 'Success',
             **self._all.events.get(rest[0], {})}]}}

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
            raise common.Refusal(400, 'The number of tags exceeded the '
                                 'per-server limit 50')
        server['tags'].append(tag)
        return 201, None

    def _action(self, server, body):
        (action, arguments), = body.items()
        if action == 'os-getConsoleOutput':
            said = self._all.consoles.get(server['id'])
            # "Unable to get console output, functionality not implemented"
            # It takes control characters away, all but tab and line feed.
            return 501 if said is None else (200, {'output': re.sub(
                r'[\x00-\x08\x0b-\x1f]', '', said)})
        self._all.did(server, action.removeprefix('os-'))
        if action in ('os-stop', 'os-start'):
            wanted = 'ACTIVE' if action == 'os-stop' else 'SHUTOFF'
            if server['status'] != wanted or server['locked']:
                return 409
            server['OS-EXT-STS:task_state'] = (
                'powering-off' if action == 'os-stop' else 'powering-on')
            return 202, None
        if action in self._MOVES:
            return self._move(server, action, arguments)
        if action == 'createImage':
            if server['OS-EXT-STS:task_state']:
                return 409
            self._check_room('metadata', arguments['metadata'])
            made = {'instance_uuid': server['id'], **arguments['metadata']}
            if not server['image'] or server['id'] in self._all.volume_backed:
                return 202, {'image_id': self._capture_volumes(
                    server, arguments['name'], made)['id']}
            image = self._all.image(arguments['name'], **{
                'status': 'queued', 'size': None, **made})
            server['OS-EXT-STS:task_state'] = 'image_snapshot_pending'
            return 202, {'image_id': image['id']}
        return 400

    #: In which states these are taken, and what the server is at then.
    _MOVES = {'rebuild': (('ACTIVE', 'SHUTOFF', 'ERROR'), 'rebuilding'),
              'shelve': (('ACTIVE', 'SHUTOFF'), 'shelving'),
              'unshelve': (('SHELVED_OFFLOADED',), 'unshelving')}

    def _move(self, server, action, arguments):
        states, task = self._MOVES[action]
        if server['locked'] or server['OS-EXT-STS:task_state'] or (
                server['status'] not in states):
            self._all.done[server['id']].pop(0)
            return 409
        server['OS-EXT-STS:task_state'] = task
        if action != 'rebuild':
            return 202, None
        server['image'] = {'id': arguments['imageRef']}
        return 202, {'server': {**server, 'adminPass': 'x'}}

    def _check_room(self, what, items):
        if len(items) > self._all.metadata_items:
            raise common.Refusal(403, f'Maximum number of {what} items '
                                 f'exceeds {self._all.metadata_items}')

    def _capture_volumes(self, server, name, properties):
        """What Nova does with a volume-backed server."""
        return self._all.set_image(name, [
            self._all.snapshot(f'snapshot for {name}', status='creating',
                          volume_id=attached['id'])
            for attached in server['os-extended-volumes:volumes_attached']],
            **properties)
