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

"""Glance, as far as snapshots need it.

The client's own HTTP layer is used, not its image model: that would fetch
a JSON schema first, and check each of a page's images against it.
"""

from collections.abc import Iterable
from collections.abc import Mapping
import json
from typing import Any
from urllib import parse

from glanceclient.v2 import client as glance_client

from snapshot_dashboard.cloud import base
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import ids
from snapshot_dashboard.cloud import types

_PARTIAL = 206
_CHUNK = 64 * 1024
#: Bytes at the beginning that are read where no parts can be had.
_BEGINNING = 4 * 1024 ** 2


class Images(base.Service):
    """The calls to Glance. Every one may raise a ``ServiceError``."""

    name = 'image'

    def _connect(self) -> Any:
        return glance_client.Client(session=self._session,
                                    endpoint_override=self._root).http_client

    @property
    def _root(self) -> str:
        """Catalogues name the endpoint with and without the version."""
        return self._endpoint.rstrip('/').removesuffix('/v2')

    def image(self, image_id: str) -> types.Image:
        ids.check('image', image_id)
        with self._calling() as glance:
            _, body = glance.get(f'/v2/images/{image_id}')
            return types.Image.from_api(body)

    def images(self, limit: int, filters: Mapping[str, str],
               by: str = 'created_at',
               ascending: bool = False) -> list[types.Image]:
        """Images in an order.

        :param filters: fields or properties and their values; for fields
            also operators, as ``gte:...`` (Image API v2, List images).
        :param by: the field to sort by, then by id.
        """
        direction = 'asc' if ascending else 'desc'
        query = {**filters, 'limit': str(limit),
                 'sort': f'{by}:{direction},id:{direction}'}
        found: list[types.Image] = []
        with self._calling() as glance:
            while len(found) < limit:
                page, more = _page(glance, query)
                found += page
                if not page or not more:
                    break
                query['marker'] = page[-1].id
        return found[:limit]

    def changed(self, owner: str, since: str, hidden: bool, limit: int,
                marker: str = '') -> tuple[list[types.Image], bool]:
        """A project's images that have changed, those longest ago first.

        :param since: a time stamp as Glance writes it; empty for all.
        :param hidden: those that lists do not show, instead of the others.
        :param marker: the id of the image before the first one.
        :returns: them, and whether there are more.
        """
        query = {'owner': owner, 'limit': str(limit),
                 'sort': 'updated_at:asc,id:asc'}
        if since:
            query['updated_at'] = f'gte:{since}'
        if hidden:
            query['os_hidden'] = 'true'
        if marker:
            query['marker'] = marker
        with self._calling() as glance:
            return _page(glance, query)

    def read(self, image_id: str, offset: int,
             length: int) -> tuple[int, bytes]:
        """Some of an image's data (Image API v2, Download binary image data).

        :returns: where it begins, and the data: what was asked for, or, where
            the store gives no parts, the beginning.
        :raises Refused: when the store gives neither.
        """
        ids.check('image', image_id)
        with self._calling():
            # The client would write the range as no service reads it.
            response = self._session.get(
                f'{self._root}/v2/images/{image_id}/file', stream=True,
                headers={'Range': f'bytes={offset}-{offset + length - 1}'})
            try:
                chunks = response.iter_content(_CHUNK)
                if response.status_code != _PARTIAL:
                    return 0, _some(chunks, _BEGINNING)
                if not response.headers.get('Content-Range', '').startswith(
                        f'bytes {offset}-'):
                    raise errors.Refused(self.name, 'another part came')
                return offset, _some(chunks, length)
            finally:
                response.close()

    def set_properties(self, image_id: str,
                       properties: Mapping[str, str | bool],
                       remove: Iterable[str] = ()) -> None:
        """Set some properties or fields; the others stay.

        To add one that is there replaces it (Image API v2, JSON patch).

        :param remove: the names of properties that are there.
        """
        ids.check('image', image_id)
        changes: list[dict[str, Any]] = [
            {'op': 'add', 'path': f'/{name}', 'value': value}
            for name, value in properties.items()]
        changes += [{'op': 'remove', 'path': f'/{name}'} for name in remove]
        with self._calling() as glance:
            glance.patch(f'/v2/images/{image_id}', headers={
                'Content-Type': 'application/openstack-images-v2.1-json-patch'
            }, data=json.dumps(changes))

    def create_pointer(self, name: str,
                       properties: Mapping[str, str]) -> str:
        """Create an image without data, which maps what it is of; its id.

        Such a one is what Nova makes of a volume-backed server.
        """
        with self._calling() as glance:
            _, body = glance.post('/v2/images', data={
                'name': name, 'disk_format': 'raw', 'container_format': 'bare',
                'visibility': 'private', **properties})
            image_id = str(body['id'])
            glance.put(f'/v2/images/{image_id}/file', data='', headers={
                'Content-Type': 'application/octet-stream'})
            return image_id

    def members(self, image_id: str) -> list[types.Member]:
        """The other projects that a shared image is shared with."""
        ids.check('image', image_id)
        with self._calling() as glance:
            _, body = glance.get(f'/v2/images/{image_id}/members')
            return [types.Member.from_api(member)
                    for member in body['members']]

    def add_member(self, image_id: str, project_id: str) -> None:
        """Share an image whose visibility is ``shared`` with a project."""
        ids.check('image', image_id)
        with self._calling() as glance:
            glance.post(f'/v2/images/{image_id}/members',
                        data={'member': project_id})

    def answer(self, image_id: str, project_id: str, status: str) -> None:
        """Say what a project does with an image that is shared with it.

        :param status: ``accepted`` or ``rejected`` (Image API v2, Update
            image member).
        """
        ids.check('image', image_id)
        with self._calling() as glance:
            glance.put(f'/v2/images/{image_id}/members/'
                       f'{parse.quote(project_id, safe="")}',
                       data={'status': status})

    def remove_member(self, image_id: str, project_id: str) -> None:
        ids.check('image', image_id)
        with self._calling() as glance:
            glance.delete(f'/v2/images/{image_id}/members/'
                          f'{parse.quote(project_id, safe="")}')

    def delete(self, image_id: str) -> None:
        ids.check('image', image_id)
        with self._calling() as glance:
            glance.delete(f'/v2/images/{image_id}')

    def usage(self) -> dict[str, types.Quota]:
        """What unified limits allow; empty where Glance has none.

        Sizes are in MiB (Image API v2, Quota usage).
        """
        try:
            with self._calling() as glance:
                _, body = glance.get('/v2/info/usage')
        except errors.NotFound:
            return {}  # older than Glance 23, or no unified limits
        return {name: types.Quota(limit=quota['limit'], used=quota['usage'])
                for name, quota in (body.get('usage') or {}).items()}


def _some(chunks: Iterable[bytes], length: int) -> bytes:
    """Some of what comes, and no more of it than is needed."""
    found = b''
    for chunk in chunks:
        found += chunk
        if len(found) >= length:
            break
    return found[:length]


def _page(glance: Any, query: Mapping[str, str]
          ) -> tuple[list[types.Image], bool]:
    """Some images, and whether there are more.

    Glance may give fewer than it is asked for (``api_limit_max``).
    """
    _, body = glance.get(f'/v2/images?{parse.urlencode(query)}')
    return ([types.Image.from_api(image) for image in body['images']],
            bool(body.get('next')))
