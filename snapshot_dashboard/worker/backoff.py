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

"""How long to wait before the next look at a run, or at the trusts.

The pause is a share of the time for which nothing has changed: 3 % while the
run's instance is off, so that it is away for hardly longer, 10 % otherwise,
and within bounds. Over all runs there are at most ``RATE`` looks a second.
"""

import dataclasses

from snapshot_dashboard.restores import restore
from snapshot_dashboard.runs import record
from snapshot_dashboard.switch_overs import switch_over


@dataclasses.dataclass(frozen=True)
class _Pace:
    share: float
    least: float
    most: float


_AWAY = _Pace(share=0.03, least=0.1, most=30)
_THERE = _Pace(share=0.1, least=1, most=60)
#: The most looks per second, over all runs.
RATE = 50.0
#: After an error: the first pause and the longest; each error doubles it.
_TROUBLE = (1, 60)
#: Between two lists of the trusts: a share of the time for which they have not
#: changed, or a multiple of the time that one list takes; never more than the
#: last number of seconds, for a user who probes for a worker waits that long.
_TRUSTS_SHARE, _TRUSTS_REST, _TRUSTS_MOST = 0.05, 4, 5.0
#: The same for trusts that give no token.
_LOCKED_OUT = (10, 600)
#: Seconds until the next look for a server or record that was not found.
AFTER_ABSENCE = 20.0
#: For so long a server counts as being as it was when it was looked at.
MOMENT = 1.0
#: Between two lists of a project's servers that have changed, and between two
#: looks at a run that such a list watches: a list may lack something.
LIST, LISTED = 1.0, 30.0
#: Between two looks at a guest that boots: a minute is little for that.
BOOT_TEST = 5.0


def after_look(run: record.Run | restore.Restore | switch_over.SwitchOver,
               still: float,
               others: int = 0, rate: float = RATE) -> float:
    """Seconds until the next look at an open run.

    :param still: seconds since anything about it has changed.
    :param others: how many runs are looked at beside it, were there as many
        of each project as of its own.
    :param rate: looks at all of them per second, at the most.
    """
    away = not isinstance(run, record.Run) or bool(
        run.progress.stop_count or run.progress.off_at
        or run.progress.start_count)
    pace = _AWAY if away else _THERE
    pause = min(max(still * pace.share, pace.least), pace.most)
    return max(pause, others / rate)


def after_list(interval: float, still: float, took: float) -> float:
    """Seconds until the next look at the trusts.

    :param interval: the least.
    :param still: seconds for which they have been the same.
    :param took: seconds that Keystone needed for the list.
    """
    return max(interval, min(max(still * _TRUSTS_SHARE, took * _TRUSTS_REST),
                             _TRUSTS_MOST))


def after_error(number: int) -> float:
    """Seconds until the next try, after so many errors in a row."""
    return _doubled(number, *_TROUBLE)


def after_lockout(number: int) -> float:
    """Seconds until a trust that gave no token is tried again."""
    return _doubled(number, *_LOCKED_OUT)


def _doubled(number: int, least: float, most: float) -> float:
    return min(least * 2 ** min(number - 1, 16), most)
