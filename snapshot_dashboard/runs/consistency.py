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

"""How a snapshot was taken: what was observed, not what was wished for."""

from collections.abc import Sequence

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import types

#: The actions after which an instance has been running for a time.
RAN = ('start', 'reboot', 'create', 'rebuild', 'resume', 'unpause',
       'unshelve', 'unrescue', 'restore')


def last_stop(actions: Sequence[types.Action]) -> types.Action | None:
    """What powered an instance off that is off now.

    :param actions: of the server, the latest first.
    :returns: None for one that went off by itself.
    """
    for action in actions:
        if action.name == 'stop':
            return action
        if action.name in RAN:
            break
    return None


def mark(status: str, stop: types.Action | None, shutdown_timeout: int,
         agent: bool) -> str:
    """The consistency mark of a snapshot that is taken now.

    Nova waits the shutdown timeout for the guest and then pulls the plug;
    SHUTOFF looks the same either way. A stop that took so long was forced.

    :param status: the server's.
    :param shutdown_timeout: in seconds.
    :param agent: whether the image announces a guest agent.
    """
    if status == 'SHUTOFF':
        forced = stop is not None and stop.seconds is not None and (
            stop.seconds >= shutdown_timeout)
        return marks.FORCED_OFF if forced else marks.POWERED_OFF
    # A paused or suspended guest cannot freeze its disks.
    return marks.LIVE_AGENT if agent and status == 'ACTIVE' else marks.LIVE
