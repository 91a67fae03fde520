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

"""What the quality table points to is there."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEXT = (ROOT / 'doc' / 'source' / 'quality.rst').read_text()


def test_each_place_that_is_named_exists():
    named = re.findall(r'``(tests/[^`]+|[A-Z]+\.\w+)``', TEXT)
    assert len(named) > 25
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_each_rule_has_a_state_and_a_reason():
    rules = re.findall(r'   \* - (?!Rule)(.+\n(?:       .+\n)*)     - (.+)\n'
                       r'     - (.+)', TEXT)
    assert len(rules) > 25
    assert {state for _, state, _ in rules} <= {'done', 'exempt', 'to do'}
