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

"""A member's session with Horizon over HTTP, as a browser has it."""

import re
import time

import requests

from tests.cloud import site

PANEL = '/project/compute_snapshots/'


class Session:
    """Signed in to Horizon; signs in anew when that is needed.

    :param address: of Horizon, without a path.
    """

    def __init__(self, address: str, user: str):
        self._address, self._user = address, user
        self._http = requests.Session()

    def sign_in(self) -> None:
        login = self._http.get(f'{self._address}/auth/login/', timeout=60)
        region = re.search(r'name="region" value="([^"]*)"', login.text)
        self._http.post(f'{self._address}/auth/login/', timeout=60, data={
            'csrfmiddlewaretoken': self._http.cookies['csrftoken'],
            'username': self._user, 'password': site.PASSWORD,
            'region': region.group(1) if region else 'default',
        }).raise_for_status()
        if 'sessionid' not in self._http.cookies:
            raise RuntimeError(f'{self._user} could not sign in.')

    def get(self, path: str, **options) -> requests.Response:
        return self._request('GET', path, **options)

    def post(self, path: str, data=(), **options) -> requests.Response:
        """A POST as the page's script makes it."""
        if 'csrftoken' not in self._http.cookies:
            self.sign_in()
        return self._request('POST', path, data=[
            *data, ('csrfmiddlewaretoken', self._http.cookies['csrftoken'])],
            **options)

    def _request(self, method: str, path: str, headers=None,
                 **options) -> requests.Response:
        for attempt in range(2):
            if 'sessionid' not in self._http.cookies:
                self.sign_in()
            answer = self._http.request(
                method, self._address + path, timeout=60,
                allow_redirects=False,
                headers={'X-Requested-With': 'XMLHttpRequest',
                         'Referer': self._address, **(headers or {})},
                **options)
            signed_out = answer.status_code == 401 or (
                '/auth/login' in answer.headers.get('Location', ''))
            if not signed_out or attempt:
                break
            self._http.cookies.clear()
        if answer.status_code >= 400:
            raise requests.HTTPError(
                f'{method} {path}: {answer.status_code}', response=answer)
        return answer

    def parts(self, path: str) -> dict[str, float]:
        """Where the time of a page went, in milliseconds."""
        answer = self.get(path, headers={'X-Requested-With': ''})
        return {name: float(took) for name, took in re.findall(
            r'(\w+);dur=([\d.]+)', answer.headers['Server-Timing'])}

    def timed(self, path: str, forget: bool = False) -> float:
        """Seconds that a page took, or what its script asks for.

        :param forget: let Horizon forget first what it has kept.
        """
        headers = {} if path.startswith('/api/') else {'X-Requested-With': ''}
        if forget:
            headers['X-Forget'] = 'yes'
        began = time.perf_counter()
        self.get(path, headers=headers)
        return time.perf_counter() - began

    def checked(self, path: str, fields: dict[str, str]) -> float:
        """Seconds that the check of a wizard's first step took."""
        began = time.perf_counter()
        answer = self.post(path, fields.items(), headers={
            'X-Requested-With': '', 'X-Forget': 'yes',
            'X-Horizon-Validate-Step-Start': '0',
            'X-Horizon-Validate-Step-End': '0'})
        took = time.perf_counter() - began
        assert not answer.json()['has_errors'], answer.text
        return took
