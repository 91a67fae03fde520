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

"""Keystone, as far as handing work on needs it: trusts.

A trust lets another user, the trustee, act as this one, the trustor, in one
project, with the roles that it names and until it expires (Identity API v3,
OS-TRUST). Its id is no secret: only the trustee can make use of it.
"""

from collections.abc import Mapping
import contextlib
import dataclasses
import datetime
from typing import Any

from keystoneauth1 import adapter

from snapshot_dashboard.cloud import base
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import types

_PATH = '/OS-TRUST/trusts'
#: What a trust is for stands in a property of this name, which its trustee
#: can read. Keystone keeps properties that it does not know; 27.0.0 and
#: 28.0.0 alone fail over them (bug 2119543).
_ERRAND = 'snapshot_dashboard'


@dataclasses.dataclass(frozen=True)
class Errand:
    """What a trust of this plugin is for.

    :ivar run_id: the run that it brings forward; nothing for one that only
        asks whether anybody is there.
    :ivar server_id: the server of that run.
    :ivar plan: the fingerprint of its plan.
    :ivar lasts: seconds for which a trust of a run would last, where it only
        asks.
    :ivar image_id: the snapshot that the server is put back to, if it is.
    """

    run_id: str = ''
    server_id: str = ''
    plan: str = ''
    lasts: str = ''
    image_id: str = ''

    @classmethod
    def from_api(cls, value: object) -> 'Errand | None':
        """What anybody may have written; None for what is not ours."""
        if not isinstance(value, dict):
            return None
        known = [value.get(field.name, '')
                 for field in dataclasses.fields(cls)]
        if not all(isinstance(text, str) and len(text) <= 64
                   for text in known):
            return None
        return cls(*known)


@dataclasses.dataclass(frozen=True)
class Trust:
    """A trust.

    :ivar expires: seconds since the epoch; None for never.
    :ivar uses: how many tokens may still be got by it; None for any number.
    :ivar errand: what it is for; None for one that is not of this plugin.
    """

    id: str
    trustor_id: str
    project_id: str
    expires: float | None
    uses: int | None
    errand: Errand | None = None

    @classmethod
    def from_api(cls, body: Mapping[str, Any]) -> 'Trust':
        expires = body.get('expires_at')
        return cls(body['id'], body['trustor_user_id'],
                   body.get('project_id') or '',
                   types.parse_time(expires).timestamp() if expires else None,
                   body.get('remaining_uses'),
                   Errand.from_api(body.get(_ERRAND)))


def v3(address: str) -> str:
    """The address of the API v3 of a Keystone.

    Catalogues and configurations name it with and without the version.
    """
    return f'{address.rstrip("/").removesuffix("/v3")}/v3'


class Identity(base.Service):
    """The calls to Keystone. Every one may raise a ``ServiceError``."""

    name = 'identity'

    def _connect(self) -> Any:
        return adapter.Adapter(self._session,
                               endpoint_override=v3(self._endpoint))

    def create_trust(self, trustor_id: str, trustee_id: str, project_id: str,
                     role: str, expires: float, errand: Errand,
                     uses: int | None = None) -> Trust:
        """Let the trustee act as the trustor, who is the token's user.

        Refused (403) to a token that is itself from a trust or from an
        application credential.

        :param role: its name.
        :param expires: seconds since the epoch. Two trusts that differ in
            nothing else must differ in its microseconds.
        """
        moment = datetime.datetime.fromtimestamp(expires, datetime.UTC)
        with self._calling() as keystone:
            return Trust.from_api(keystone.post(_PATH, json={'trust': {
                'trustor_user_id': trustor_id, 'trustee_user_id': trustee_id,
                'project_id': project_id, 'roles': [{'name': role}],
                'impersonation': True, 'allow_redelegation': False,
                'expires_at': moment.strftime('%Y-%m-%dT%H:%M:%S.%fZ'),
                'remaining_uses': uses,
                _ERRAND: dataclasses.asdict(errand)}}).json()['trust'])

    def project_name(self, project_id: str) -> str:
        """The name of a project (Identity API v3, Show project details).

        :raises Forbidden: where only administrators may know.
        """
        with self._calling() as keystone:
            body = keystone.get(f'/projects/{project_id}').json()
            return str(body['project'].get('name') or '')

    def is_gone(self, trust_id: str) -> bool:
        """Whether a trust was taken back, has expired or is used up."""
        try:
            with self._calling() as keystone:
                keystone.get(f'{_PATH}/{trust_id}')
        except errors.NotFound:
            return True
        return False

    def trusts_to(self, trustee_id: str) -> list[Trust]:
        """All trusts to a user, who is the token's; also used up ones."""
        with self._calling() as keystone:
            body = keystone.get(
                _PATH, params={'trustee_user_id': trustee_id}).json()
            return [Trust.from_api(trust) for trust in body['trusts']]

    def delete_trust(self, trust_id: str) -> None:
        """Take a trust back; what is gone is no error.

        Its trustor may, and so may the trustee with a token of the trust.
        """
        with (contextlib.suppress(errors.NotFound),
              self._calling() as keystone):
            keystone.delete(f'{_PATH}/{trust_id}')
