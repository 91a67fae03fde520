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

"""What stands before a cloud's services: it limits, and is slow at times.

Only calls of the dashboard meet it, which name the user's address; what the
services ask of one another does not pass a gateway. How far a service is away
concerns all calls, those of Horizon's own pages too.
"""

import random
import time

from tests.cloud import knobs

#: The longest address that it takes: others allow 4,096 with the host's name.
_LONGEST = 3500
_LIMITED = b'{"overLimit": {"code": 429, "message": "Too Many Requests"}}'


class Gateway:
    """A WSGI application before another one, that obeys the knob ``gateway``.

    :param path: of the file of knobs.
    """

    def __init__(self, application, path: str):
        self._application = application
        self._knobs = knobs.Knobs(path)

    def __call__(self, environ, start_response):
        time.sleep(self._knobs.setting('gateway').get('far', 0))
        if 'HTTP_FORWARDED' in environ:
            if len(environ['PATH_INFO'] + environ['QUERY_STRING']) > _LONGEST:
                start_response('414 URI Too Long', [('Content-Length', '0')])
                return [b'']
            knob = self._knobs.setting('gateway')
            if random.random() < knob.get('limited', 0):
                start_response('429 Too Many Requests', [
                    ('Content-Type', 'application/json'),
                    ('Content-Length', str(len(_LIMITED)))])
                return [_LIMITED]
            if random.random() < knob.get('late', 0):
                time.sleep(knob['seconds'])
        return self._application(environ, start_response)
