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

#: The marks of what was taken of an instance that was not off.
LIVE_MARKS = (marks.LIVE, marks.LIVE_AGENT)
#: Seconds that a stop takes at least that shut a guest down. Nova's libvirt
#: driver looks once a second at one that it has asked (``_clean_shutdown``),
#: and databases that keep whole seconds may add one to a stop that found the
#: guest off. Of a guest that is off within a second less is said than could
#: be.
_SHUTDOWN_TAKES = 2


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


def classify(status: str, stop: types.Action | None, shutdown_timeout: int,
             agent: bool) -> str:
    """The consistency mark of a snapshot that is taken now.

    Nova waits the shutdown timeout for the guest and then pulls the plug;
    SHUTOFF looks the same either way. A stop that took so long was forced.
    Nor does SHUTOFF tell that anybody wished it: the guest may have crashed,
    or its host. Nova notices that late, and a stop finds the guest off then
    and is over at once.

    :param status: the server's.
    :param stop: what powered it off, if that is known.
    :param shutdown_timeout: in seconds.
    :param agent: whether the image announces a guest agent.
    """
    if status == 'SHUTOFF':
        if stop is None or not stop.by_user or stop.seconds is None:
            return marks.OFF
        if stop.seconds >= shutdown_timeout:
            return marks.FORCED_OFF
        return (marks.POWERED_OFF if stop.seconds >= _SHUTDOWN_TAKES
                else marks.OFF)
    # A paused or suspended guest cannot freeze its disks.
    return marks.LIVE_AGENT if agent and status == 'ACTIVE' else marks.LIVE


def weaker(claimed: str, now: str) -> str:
    """What may be said of a capture that is asked for again.

    :param claimed: the mark of the first try, if any.
    :param now: the mark that it would have by how the instance is now.
    """
    if not claimed:
        return now
    return (marks.LIVE if now in LIVE_MARKS and claimed not in LIVE_MARKS
            else claimed)
