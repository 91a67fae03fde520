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

"""The delays and failures of the test cloud's drivers."""

import pytest

from tests.cloud import knobs


@pytest.fixture
def box(tmp_path):
    return knobs.Knobs(tmp_path / 'knobs.json')


def test_without_a_file_nothing_is_slow_or_broken(box):
    box.obey('server.stop', 'web-1')


def test_a_failure_is_for_the_named_resource_alone(box):
    box.turn('server.stop', error='no answer', only='web-1')
    box.obey('server.stop', 'web-2', 'id-2')
    with pytest.raises(RuntimeError, match='no answer'):
        box.obey('server.stop', 'web-1', 'id-1')


def test_a_knob_is_back_after_its_block(box):
    with box.turned('server.start', error='broken'):
        pass
    box.obey('server.start', 'web-1')


def test_an_operation_that_no_driver_knows_is_refused(box):
    with pytest.raises(ValueError):
        box.turn('server.dance', seconds=1)
