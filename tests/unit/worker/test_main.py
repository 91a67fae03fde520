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

"""The command."""

import json
import subprocess
import sys


def test_log_lines_for_machines_name_run_server_and_step():
    code = (
        'import logging; from snapshot_dashboard.worker import main;'
        'main._log(True);'
        'logging.getLogger("x").info("Run %s", "r", extra={"run": "r"})')
    done = subprocess.run([sys.executable, '-c', code], capture_output=True,
                          text=True, check=True)
    line = json.loads(done.stderr)
    assert (line['message'], line['run']) == ('Run r', 'r')
    assert (line['level'], line['logger']) == ('INFO', 'x')
    assert line['time']
