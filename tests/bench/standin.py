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

"""A stand-in for more servers than the test cloud can have.

It answers over HTTP as Keystone, Nova and Glance do, out of the same fakes
as the unit tests, and lets time pass: powering off, saving and powering on
take as long as they are told to. The run of each server was handed on to the
worker.
"""

import dataclasses
import heapq
import itertools
import json
import random
import threading
import time
from unittest import mock
from urllib import parse
import uuid

from cheroot import wsgi

from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import record
from tests import fakes
from tests.cloud import site

#: Seconds that powering off and powering on take.
POWER = 2.0
#: Seconds that saving an image takes: the least, the most.
SAVING = (30.0, 90.0)
_TASK = 'OS-EXT-STS:task_state'
_REASONS = {200: 'OK', 201: 'Created', 202: 'Accepted', 204: 'No Content'}


@dataclasses.dataclass
class _Context:
    status_code: int = 200
    headers: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class _Request:
    method: str
    url: str
    text: str
    headers: dict

    @property
    def body(self):
        return self.text

    def json(self):
        return json.loads(self.text)


class StandIn(fakes.FakeOpenStack):
    """A cloud with so many runs under way, on a port of its own.

    :param projects: how many projects the runs are of.
    :param rate: calls that Nova answers in a second; 0 for as many as come.
    :ivar late: by server, how many seconds after its image was saved it was
        asked to power on.
    """

    def __init__(self, runs: int, projects: int = 0, rate: float = 0,
                 threads: int = 32):
        super().__init__(mock.Mock())
        self.late: dict[str, float] = {}
        self._lock = threading.Lock()
        self._due: list = []
        self._order = itertools.count()
        self._saved: dict[str, float] = {}
        self._chance = random.Random(runs)
        self._rate, self._free_at = rate, 0.0
        self.administrator = True  # Glance is asked for one project's images
        names = [uuid.uuid4().hex for _ in range(projects or runs)]
        for number in range(runs):
            self.begin(names[number % len(names)])
        self._http = wsgi.Server((site.HOST, 0), self._serve,
                                 numthreads=threads, request_queue_size=256)
        self._http.prepare()
        self.address = f'http://{site.HOST}:{self._http.bind_addr[1]}'
        threading.Thread(target=self._http.serve, daemon=True).start()

    def stop(self) -> None:
        self._http.stop()

    def begin(self, project: str, trusts: int = 1, **fields) -> dict:
        """A server with a run that was handed on; by so many trusts."""
        server = self.server(tenant_id=project, **{
            'tags': [record.OPEN_TAG, record.TAG], **fields})
        plan = lifecycle.new_plan(
            'snap', '', requested_by='a user', server_id=server['id'],
            power_off=True, power_on=True, was_running=True)
        names = [uuid.uuid4().hex for _ in range(trusts)]
        in_an_hour = fakes.stamp(time.time() - fakes.seconds(0) + 3600)
        server['metadata'] = {**journal.write(plan),
                              'snapshot_dashboard.trust_id': names[0]}
        for trust in names:
            self.trusts[trust] = {
                'id': trust, 'trustor_user_id': uuid.uuid4().hex,
                'trustee_user_id': 'worker', 'project_id': project,
                'expires_at': in_an_hour,
                'remaining_uses': None,
                'snapshot_dashboard': {
                    'run_id': plan.run_id, 'server_id': server['id'],
                    'plan': plan.fingerprint}}
        return server

    def _serve(self, environ, start_response):
        service, _, path = environ['PATH_INFO'].lstrip('/').partition('/')
        size = int(environ.get('CONTENT_LENGTH') or 0)
        request = _Request(
            environ['REQUEST_METHOD'],
            f'http://{service}.test/{path}?{environ["QUERY_STRING"]}',
            environ['wsgi.input'].read(size).decode(), {
                'OpenStack-API-Version': environ.get(
                    'HTTP_OPENSTACK_API_VERSION', '')})
        context = _Context(headers={'Content-Type': 'application/json'})
        token = environ.get('HTTP_X_AUTH_TOKEN', '')
        if service == 'nova':
            time.sleep(self._queue_up())
        with self._lock:
            self._pass_time()
            self.listed_project = self.trusts.get(token, {}).get('project_id')
            body = self._live(request, context, token)
        content = b'' if body is None else json.dumps(body).encode()
        context.headers['Content-Length'] = str(len(content))
        reason = _REASONS.get(context.status_code, 'Refused')
        start_response(f'{context.status_code} {reason}',
                       list(context.headers.items()))
        return [content]

    def _queue_up(self) -> float:
        """Seconds until Nova comes to the next call."""
        with self._lock:
            now = time.monotonic()
            self._free_at = max(self._free_at, now) + (
                1 / self._rate if self._rate else 0)
            return max(0, self._free_at - now)

    def _live(self, request, context, token):
        url = parse.urlsplit(request.url)
        if url.path.rstrip('/') == '/v3':
            return {'version': {
                'id': 'v3.14', 'status': 'stable', 'links': [
                    {'rel': 'self', 'href': f'{self.address}/keystone/v3'}]}}
        if url.path == '/v3/auth/tokens':
            self.calls.append((request.method, url.path, None))
            return self._token(request.json()['auth'], context)
        answer = self._answer(request, context)
        if url.path.endswith('/action') and context.status_code < 300:
            self._acted(self.servers[url.path.split('/')[-2]],
                        next(iter(request.json())))
        return answer

    def _token(self, auth, context):
        trust = auth.get('scope', {}).get('OS-TRUST:trust')
        if trust and trust['id'] not in self.trusts:
            return self._refuse(context, 404, 'no such trust')
        context.status_code = 201
        # The id of a trust is its token: that tells the project.
        context.headers['X-Subject-Token'] = trust['id'] if trust else 'own'
        body = {'methods': ['password'], 'expires_at':
                '2099-01-01T00:00:00.000000Z', 'user': {
                    'id': 'worker', 'name': 'worker',
                    'domain': {'id': 'default', 'name': 'Default'}}}
        if trust:
            body['project'] = {
                'id': self.trusts[trust['id']]['project_id'], 'name': 'p',
                'domain': {'id': 'default', 'name': 'Default'}}
            body['catalog'] = [{'type': kind, 'name': kind, 'endpoints': [{
                'interface': 'public', 'region': 'RegionOne',
                'region_id': 'RegionOne',
                'url': f'{self.address}/{path}'}]} for kind, path in (
                    ('compute', 'nova/v2.1'), ('image', 'glance'),
                    ('volumev3', f'cinder/v3/{body["project"]["id"]}'))]
        return {'token': body}

    def _acted(self, server, action):
        now = time.monotonic()
        self._changed(server)
        if action == 'os-stop':
            self._after(POWER, lambda: self._settle(server, 'SHUTOFF',
                                                    'stop'))
        elif action == 'os-start':
            self.late[server['id']] = now - self._saved[server['id']]
            self._after(POWER, lambda: self._settle(server, 'ACTIVE',
                                                    'start'))
        elif action == 'createImage':
            image = list(self.images.values())[-1]
            image['owner'] = server['tenant_id']
            self._after(self._chance.uniform(*SAVING),
                        lambda: self._save(server, image))

    def _after(self, seconds, do):
        heapq.heappush(self._due, (time.monotonic() + seconds,
                                   next(self._order), do))

    def _pass_time(self):
        while self._due and self._due[0][0] <= time.monotonic():
            heapq.heappop(self._due)[2]()

    def _settle(self, server, status, action):
        self.did(server, action)
        server.update({'status': status, _TASK: None})
        self._changed(server)

    @staticmethod
    def _changed(server):
        server['updated'] = fakes.stamp(time.time() - fakes.seconds(0))

    def _save(self, server, image):
        fakes.finish(image)
        self.did(server, 'createImage')
        server[_TASK] = None
        self._changed(server)
        self._saved[server['id']] = time.monotonic()
