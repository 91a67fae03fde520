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

"""From a trust to a cloud: the worker acts as the one who made the trust."""

import dataclasses
from http import cookiejar
import json
from typing import Any

from keystoneauth1 import exceptions as keystone_errors
from keystoneauth1 import session as keystone_session
from keystoneauth1.identity import v3
import requests
from requests import adapters

from snapshot_dashboard.cloud import breakers
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import identity
from snapshot_dashboard.cloud import services

#: The services without which no run goes on.
_NEEDED = ('compute', 'image')


class _ByTrust(v3.Token):
    """Gets tokens of a trust for a token of the worker's own."""

    def __init__(self, auth_url: str, own: keystone_session.Session,
                 trust_id: str):
        super().__init__(auth_url, token=None, trust_id=trust_id)
        self._own = own

    def get_auth_ref(self, session: keystone_session.Session,
                     **kwargs: Any) -> Any:
        self.auth_methods[0].token = self._own.get_token()
        return super().get_auth_ref(session, **kwargs)


@dataclasses.dataclass(frozen=True)
class Keystone:
    """The worker's own account, which needs no role anywhere.

    :ivar session: authenticates as the worker's user.
    :ivar auth_url: Keystone's address.
    :ivar region: the region whose services are meant; None for the first.
    :ivar interface: which of their addresses.
    """

    session: keystone_session.Session
    auth_url: str
    region: str | None = None
    interface: str = 'public'


class Access:
    """Makes clouds out of trusts.

    :param parallel: calls that one service gets at a time.
    :param timeout: seconds that one call may take.
    """

    def __init__(self, keystone: Keystone, parallel: int, timeout: float):
        self._keystone = keystone
        self._timeout = timeout
        self._breaker = breakers.Breaker(most=parallel)
        self._http = requests.Session()
        # It is everybody's, so nobody's cookies.
        self._http.cookies.set_policy(cookiejar.DefaultCookiePolicy(
            allowed_domains=[]))
        for scheme in ('http://', 'https://'):
            self._http.mount(scheme, adapters.HTTPAdapter(
                pool_connections=16, pool_maxsize=parallel))

    def user_id(self) -> str:
        """The worker's own id."""
        with errors.translated('identity'):
            return str(self._keystone.session.get_user_id())

    def trusts(self) -> list[identity.Trust]:
        """All trusts to the worker; also those that are of no use any more.
        """
        return identity.Identity(
            self._keystone.session, self._keystone.auth_url, '',
            breakers.Breaker(rest=0)
        ).trusts_to(self.user_id())

    def cloud(self, trust: identity.Trust) -> services.Cloud:
        """The cloud as the trustor sees it. Gets a token, once.

        :raises ServiceError: when the trust gives none.
        """
        own = self._keystone
        auth = _ByTrust(identity.v3(own.auth_url), own.session, trust.id)
        session = keystone_session.Session(
            auth=auth, verify=own.session.verify, cert=own.session.cert,
            timeout=self._timeout, session=self._http,
            app_name='snapshot-dashboard-worker')
        with (self._breaker.guarding('identity', own.auth_url,
                                     trust.project_id),
              errors.translated('identity')):
            access = auth.get_access(session)
        addresses = endpoints(access, own.auth_url, own.interface, own.region)
        _forget_catalogue(auth)
        for service in _NEEDED:
            if service not in addresses:
                raise errors.Unavailable(
                    service, 'the catalogue has none in the region '
                    f'{own.region or "that comes first"} with the interface '
                    f'{own.interface}')
        return services.Cloud(session, addresses, trust.project_id,
                              self._breaker)


def _forget_catalogue(auth: v3.Token) -> None:
    """It is the largest part of what a token brings, times all trusts.

    The next token comes without.
    """
    auth.include_catalog = False
    state = json.loads(auth.get_auth_state())
    state['body']['token'].pop('catalog', None)
    auth.set_auth_state(json.dumps(state))


def endpoints(access: Any, auth_url: str, interface: str,
              region: str | None) -> dict[str, str]:
    """Where the services are that a token's catalogue names.

    :param auth_url: where Keystone was found, which comes first.
    """
    found = {'identity': auth_url}
    for service, types in services.SERVICE_TYPES.items():
        for service_type in types:
            try:
                address = access.service_catalog.url_for(
                    service_type, interface, region)
            except keystone_errors.CatalogException:
                continue
            found.setdefault(service, address)
    return found
