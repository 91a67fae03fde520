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

"""Volumes, volume snapshots, quotas and messages."""

from urllib import parse

from tests.fakes import common


class Cinder(common.Service):

    def answer(self, method, path, query, body):
        parts = path.strip('/').split('/')[2:]
        if not parts:
            return 200, {'versions': [{
                'id': 'v3.0', 'status': 'CURRENT',
                'version': self._all.newest['volume'],
                'min_version': '3.0', 'links': [
                    {'rel': 'self', 'href': 'http://cinder.test/v3/'}]}]}
        if parts[0] == 'os-quota-sets':
            return 200, {'quota_set': {'id': common.PROJECT,
                                       **self._all.quotas}}
        if parts[0] == 'messages':
            return 200, {'messages': self._all.messages}
        kind = {'snapshots': self._all.snapshots,
                'volumes': self._all.volumes}[parts[0]]
        if len(parts) == 1 and method == 'POST':
            return 202, self._create(**body)
        if parts[2:3] == ['metadata']:
            return self._metadata(method, kind[parts[1]]['metadata'],
                                  parts[3:], body)
        if len(parts) == 1 or parts[1] == 'detail':
            found = common.page(self._all.collation, kind, query)
            if found is None:
                return 404
            limit = min(int(query.get('limit', 1000)), self._all.max_limit)
            more = {} if len(found) < limit else {f'{parts[0]}_links': [
                {'rel': 'next', 'href': f'http://cinder.test{path}?' + (
                    parse.urlencode({**query, 'marker':
                                     found[limit - 1]['id']}))}]}
            return 200, {parts[0]: found[:limit], **more}
        if parts[1] not in kind:
            return 404
        if parts[2:] == ['action']:
            return self._act(kind[parts[1]], body)
        if method == 'DELETE':
            return self._delete(kind[parts[1]])
        if method == 'PUT':
            kind[parts[1]].update(body.get('snapshot') or body['volume'])
        return 200, {parts[0][:-1]: kind[parts[1]]}

    @staticmethod
    def _delete(thing):
        if thing['status'] not in ('available', 'error'):
            return 400
        thing['status'] = 'deleting'
        return 202, None

    def _create(self, snapshot=None, volume=None):
        if snapshot:
            return {'snapshot': self._all.snapshot(
                snapshot['name'], status='creating',
                volume_id=snapshot['volume_id'],
                metadata=snapshot['metadata'])}
        if volume['snapshot_id'] not in self._all.snapshots:
            raise common.Refusal(404, 'no such snapshot')
        return {'volume': self._all.volume(
            volume['name'], status='creating', size=volume['size'],
            metadata=volume['metadata'], snapshot_id=volume['snapshot_id'])}

    @staticmethod
    def _metadata(method, there, names, body):
        if names:
            return (404 if there.pop(names[0], None) is None
                    else (200, None))
        if method == 'GET':
            return 200, {'metadata': there}
        if method == 'PUT':
            there.clear()
        there.update(body['metadata'])
        return 200, {'metadata': there}

    def _act(self, volume, body):
        (action, arguments), = body.items()
        noted = volume.setdefault('volume_image_metadata', {})
        if action == 'os-set_bootable':
            volume['bootable'] = str(arguments['bootable']).lower()
            return 200, None
        if action == 'os-unset_image_metadata':
            if noted.pop(arguments['key'], None) is None:
                return 404
            return 200, None
        if action == 'os-set_image_metadata':
            noted.update(arguments['metadata'])
            return 200, {'metadata': noted}
        image = self._all.images.get(arguments['image_id'])
        if image is None:
            return 404
        if image['status'] != 'active' or volume['status'] not in (
                'available', 'error', 'reserved'):
            return 400
        volume.update({'status': 'downloading', 'being': image['id'],
                       'before': volume['status']})
        return 202, None
