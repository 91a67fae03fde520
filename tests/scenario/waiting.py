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

"""Waiting for what goes on by itself."""

import time

PATIENCE = 60
#: Seconds between two looks, at first and after a while.
_SHORTEST, _LONGEST = 0.1, 0.8


def until(condition, what, patience=PATIENCE):
    """The first true value of a condition; fails when it takes too long."""
    end = time.monotonic() + patience
    pause = _SHORTEST
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f'not so after {patience} s: {what}'
        time.sleep(pause)
        # Each look costs the services more than it costs us to wait.
        pause = min(2 * pause, _LONGEST)
