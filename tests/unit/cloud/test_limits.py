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

"""The numbers on which rests that nothing is asked for twice agree."""

import logging

import pytest

from snapshot_dashboard import settings
from snapshot_dashboard.cloud import limits
from snapshot_dashboard.runs import situation
from snapshot_dashboard.worker import main


def test_a_write_that_was_noted_in_time_is_over_before_it_is_sent_again():
    assert situation.STALE > 0
    assert situation.STALE + limits.LONGEST_CALL <= situation.ANSWER_GRACE


def test_no_operator_can_let_a_call_take_longer(capsys, monkeypatch):
    # Later tests would log to the captured output of this one.
    monkeypatch.setattr(logging, 'basicConfig', lambda **options: None)
    assert settings.MAXIMA['TIMEOUT'] == limits.LONGEST_CALL
    assert settings.DEFAULTS['TIMEOUT'] <= limits.LONGEST_CALL
    with pytest.raises(SystemExit):
        main.main(['--call-timeout', str(limits.LONGEST_CALL + 1)])
    assert f'between 1 and {limits.LONGEST_CALL}' in capsys.readouterr().err
