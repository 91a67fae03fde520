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

"""In Horizon: where the time of a page goes, in the header Server-Timing.

It tells of one request at a time, for what goes on in all threads counts.
"""

import contextlib
import time

from django.template import base
import requests

from snapshot_dashboard.content.compute_snapshots import memory

#: A header by which nothing is known of what services have said.
FORGET = 'HTTP_X_FORGET'
#: Templates below this are the plugin's.
_OURS = 'project/compute_snapshots/'


class _Spans:
    """What was done from when to when, of one request."""

    def __init__(self):
        self.forgets = False
        self.waits: list[tuple[float, float]] = []
        self.decoding = 0.0
        #: Seconds in templates, without those that they include.
        self.templates: dict[str, float] = {}
        #: Of each template that is being drawn: what those in it took.
        self._inner: list[float] = []

    @contextlib.contextmanager
    def waiting(self):
        began = time.perf_counter()
        try:
            yield
        finally:
            self.waits.append((began, time.perf_counter()))

    @contextlib.contextmanager
    def decoded(self):
        began = time.perf_counter()
        try:
            yield
        finally:
            self.decoding += time.perf_counter() - began

    @contextlib.contextmanager
    def rendering(self, name):
        """What a template includes, or waits for, is not its own."""
        waited, began = self.waited(), time.perf_counter()
        self._inner.append(0.0)
        try:
            yield
        finally:
            busy = time.perf_counter() - began - (self.waited() - waited)
            own = busy - self._inner.pop()
            self.templates[name] = self.templates.get(name, 0) + own
            if self._inner:
                self._inner[-1] += busy

    def waited(self):
        """Seconds in which at least one call was under way."""
        found, end = 0.0, 0.0
        for began, ended in sorted(self.waits):
            found += max(0.0, ended - max(began, end))
            end = max(end, ended)
        return found


_spans = _Spans()


def _patch():
    send, decode, render = (requests.Session.send, requests.Response.json,
                            base.Template._render)

    def timed_send(self, *args, **options):
        with _spans.waiting():
            return send(self, *args, **options)

    def timed_decode(self, *args, **options):
        with _spans.decoded():
            return decode(self, *args, **options)

    def timed_render(self, context):
        with _spans.rendering(self.name or ''):
            return render(self, context)

    find = memory.CachedMemory.find

    def find_or_forget(self, keys):
        return {} if _spans.forgets else find(self, keys)

    memory.CachedMemory.find = find_or_forget
    requests.Session.send = timed_send
    requests.Response.json = timed_decode
    base.Template._render = timed_render  # those that are extended, too


def timed(application):
    """The same application, which tells where its time went."""
    _patch()

    def answer(environ, start_response):
        global _spans
        _spans, began = _Spans(), time.perf_counter()
        headers = []
        _spans.forgets = FORGET in environ

        def keep(status, given, exc_info=None):
            headers[:] = [status, given]
        answered = application(environ, keep)
        try:
            body = list(answered)
        finally:
            if hasattr(answered, 'close'):
                answered.close()
        total = time.perf_counter() - began
        ours = sum(took for name, took in _spans.templates.items()
                   if name.startswith(_OURS))
        parts = {'wait': _spans.waited(), 'decode': _spans.decoding,
                 'ours': ours,
                 'frame': sum(_spans.templates.values()) - ours,
                 'total': total}
        status, given = headers
        given.append(('Server-Timing', ', '.join(
            f'{name};dur={took * 1000:.1f}'
            for name, took in parts.items())))
        start_response(status, given)
        return body
    return answer
