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

"""What SECURITY.md claims is shown by tests that exist."""

import pathlib
import re

_ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_every_test_that_it_names_is_there():
    files = [path for folder in ('unit', 'views', 'scenario', 'browser')
             for path in (_ROOT / 'tests' / folder).rglob('test_*.py')]
    there = {path.stem for path in files}
    for path in files:
        there.update(re.findall(r'def (test_\w+)', path.read_text()))
    named = set(re.findall(r'`(test_\w+)`',
                           (_ROOT / 'SECURITY.md').read_text()))
    assert len(named) > 15 and named <= there
