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

"""Images and their members."""

from tests.fakes import common


class Glance(common.Service):

    def answer(self, method, path, query, body):
        parts = path.strip('/').split('/')
        if parts == ['v2', 'info', 'usage']:
            return (200, {'usage': self._all.usage}
                    ) if self._all.usage else 404
        if len(parts) == 2 and method == 'POST':
            return 201, self._all.image(**{
                'status': 'queued', 'size': None, 'checksum': None,
                'image_type': None, 'min_disk': 0, **body})
        if len(parts) == 2:
            query.setdefault('os_hidden', 'False')
            query['os_hidden'] = query['os_hidden'].capitalize()
            found = common.page(self._all.collation, self._seen(query.pop(
                'member_status', 'accepted')), {
                    **query, 'limit': int(query.get('limit', 25)) + 1})
            if found is None:
                return 400
            limit = min(int(query.get('limit', 25)), self._all.max_limit)
            return 200, {'images': found[:limit], **(
                {'next': 'more'} if len(found) > limit else {})}
        if parts[2] not in self._all.images:
            return 404
        if len(parts) > 3:
            return self._members(method, self._all.images[parts[2]], parts[4:],
                                 body)
        if method == 'DELETE':
            if self._all.images[parts[2]]['protected']:
                return 403
            del self._all.images[parts[2]]
            return 204, None
        if method == 'PATCH':
            self._change(self._all.images[parts[2]], body)
        return 200, self._all.images[parts[2]]

    def _change(self, image, changes):
        for change in changes:
            name = change['path'][1:]
            if change['op'] == 'remove':
                del image[name]
            else:
                image[name] = change['value']
        image['updated_at'] = self._all.changed()

    def _seen(self, member_status):
        """The images that the project sees in lists; an administrator all."""
        return {image_id: image for image_id, image in self._all.images.items()
                if self._all.administrator or image['owner'] == common.PROJECT
                or image['visibility'] == 'public'
                or image['visibility'] == 'shared' and self._all.members.get(
                    image_id, {}).get(common.PROJECT) in (
                        ('accepted', 'pending', 'rejected')
                        if member_status == 'all' else (member_status,))}

    def _members(self, method, image, parts, body):
        members = self._all.members.setdefault(image['id'], {})
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
            if parts != [common.PROJECT] or common.PROJECT not in members:
                return 404
            members[common.PROJECT] = body['status']
        return 200, {'members': [
            {'member_id': member, 'image_id': image['id'], 'status': status}
            for member, status in members.items()]}
