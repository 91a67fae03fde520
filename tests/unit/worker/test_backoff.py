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

"""How long the worker waits."""


from snapshot_dashboard.runs import record
from snapshot_dashboard.worker import backoff


def test_the_pause_is_a_share_of_the_wait():
    server = object()
    away = record.Run(server, record.Plan('r'), record.Progress(
        stop_count=1, off_at=5))
    there = record.Run(server, record.Plan('r'), record.Progress())
    # What it adds to the time away is small, from the first second on.
    assert backoff.after_look(away, 0) <= 0.2
    for seconds in (10, 60, 600):
        assert backoff.after_look(away, seconds) <= 0.05 * seconds
    assert backoff.after_look(away, 1e6) <= 30
    assert backoff.after_look(there, 0) >= 1
    assert backoff.after_look(there, 1e6) <= 60
    # A thousand runs share the looks.
    assert backoff.after_look(away, 0, others=999) >= 999 / backoff.RATE
    assert [backoff.after_error(number) for number in (1, 2, 3, 99)] == [
        1, 2, 4, 60]
    assert backoff.after_lockout(99) == 600


def test_trusts_that_do_not_change_are_looked_for_less_often():
    assert backoff.after_list(2, 0, 0.1) == 2
    assert backoff.after_list(2, 60, 0.1) == 3
    # A user who asks whether a worker is there must hear in time.
    assert backoff.after_list(2, 1e6, 0.1) == 5
    assert backoff.after_list(2, 0, 1) == 4
    assert backoff.after_list(2, 0, 30) == 5
