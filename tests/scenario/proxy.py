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

"""A proxy before the services, that makes faults when told to.

It stands before Nova, Glance and Cinder alike. Each request says in a header
which lane it belongs to; a lane has at most one fault, which strikes once.
"""

import contextlib
import dataclasses
import http.client
import http.server
import os
import re
import signal
import threading
import time
from urllib import parse

_REQUEST_ID = 'x-openstack-request-id'
LANE, ADVANCER = 'X-Lane', 'X-Advancer'
#: Seconds after which an advancer gives a call up, and by which one that
#: times out reaches the service all the same, too late.
TIMEOUT, LATE = 1.4, 2.0
#: Seconds for which a service is down.
DOWN = 1.5
KINDS = ('crash before', 'crash after', 'answer lost', '409', '429', '500',
         '504', 'timeout', 'service down')
#: A list of images lacks them all for so long: Glance behind a replica that
#: lags. The advancers' clocks go faster.
UNLISTED, UNLISTED_FOR = 'unlisted', 2.0
#: Every kind of fault at every step, or two of them at each, in turn.
WHOLE = bool(os.environ.get('SNAPSHOT_WHOLE_MATRIX'))


def cases(steps):
    """Steps with the kinds of faults that they meet with."""
    return [(step, kind) for number, step in enumerate(steps)
            for kind in (KINDS if WHOLE else (
                KINDS[2 * number % len(KINDS)],
                KINDS[(2 * number + 1) % len(KINDS)]))]


@dataclasses.dataclass
class Fault:
    """What happens to the first request that matches.

    :ivar kind: one of ``KINDS``.
    :ivar call: matched against method, path and body.
    """

    kind: str
    call: str
    struck: float = 0.0
    port: int = 0


class Proxy:
    """Listens on loopback, once for each service."""

    def __init__(self, upstreams: dict[str, str]):
        self._lock = threading.Lock()
        self._faults: dict[str, Fault] = {}
        self._servers = {}
        self.endpoints = {}
        for service, url in upstreams.items():
            target = parse.urlsplit(url)
            server = http.server.ThreadingHTTPServer(
                ('127.0.0.1', 0), type('Handler', (_Handler,), {
                    'proxy': self, 'upstream': target.netloc}))
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever,
                             daemon=True).start()
            self._servers[service] = server
            self.endpoints[service] = target._replace(
                netloc=f'127.0.0.1:{server.server_port}').geturl()

    def close(self) -> None:
        for server in self._servers.values():
            server.shutdown()
            server.server_close()

    def set(self, lane: str, fault: Fault) -> None:
        with self._lock:
            self._faults[lane] = fault

    def strikes(self, lane: str, call: str, port: int) -> str:
        """The kind of the fault that strikes this request, or nothing."""
        with self._lock:
            fault = self._faults.get(lane)
            if fault is None:
                return ''
            if fault.struck:
                since = time.monotonic() - fault.struck
                goes_on = (fault.kind == 'service down' and since < DOWN
                           and fault.port == port) or (
                    fault.kind == UNLISTED and since < UNLISTED_FOR
                    and re.search(fault.call, call, re.DOTALL))
                return fault.kind if goes_on else ''
            if not re.search(fault.call, call, re.DOTALL):
                return ''
            fault.struck, fault.port = time.monotonic(), port
            return fault.kind


class _Handler(http.server.BaseHTTPRequestHandler):
    """Passes a request on, or does what the lane's fault says."""

    protocol_version = 'HTTP/1.1'
    proxy: Proxy
    upstream: str

    def log_message(self, format, *args):
        """The services have their own logs."""

    def handle(self):
        # An advancer that was killed or gave up takes no answer.
        with contextlib.suppress(ConnectionError):
            super().handle()

    def _handle(self):
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        kind = self.proxy.strikes(
            self.headers.get(LANE, ''),
            f'{self.command} {self.path} {body.decode()}',
            self.server.server_port)
        if kind in ('409', '429', '500'):
            return self._answer(int(kind), b'{"fault": {"message": "made"}}',
                                'application/json', {})
        if kind == UNLISTED:
            return self._answer(200, b'{"images": []}',
                                'application/json', {})
        if kind == 'service down':
            return self._drop()
        if kind == 'crash before':
            self._kill()
            return self._drop()
        if kind == 'timeout':
            time.sleep(LATE)
        status, headers, content = self._pass_on(body)
        if kind == '504':  # a gateway gave up waiting for what was done
            return self._answer(504, b'<html><h1>504 Gateway</h1></html>',
                                'text/html', {})
        if kind == 'crash after':
            self._kill()
        if kind in ('crash after', 'answer lost', 'timeout'):
            return self._drop()
        return self._answer(status, content, headers.get('Content-Type'), {
            name: headers[name] for name in ('Location', _REQUEST_ID)
            if name in headers})

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815

    def _pass_on(self, body):
        connection = http.client.HTTPConnection(self.upstream, timeout=60)
        try:
            connection.request(
                self.command, self.path, body or None,
                {name: value for name, value in self.headers.items()
                 if name.lower() not in ('host', 'connection',
                                         'accept-encoding')})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def _answer(self, status, content, content_type, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if content_type:
            self.send_header('Content-Type', content_type)
        self.send_header('Content-Length', str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _drop(self):
        self.close_connection = True

    def _kill(self):
        os.kill(int(self.headers[ADVANCER]), signal.SIGKILL)
