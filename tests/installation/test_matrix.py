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

"""The README's table of what works with what is what the tests found."""

import configparser
import itertools
import json
import re

import pytest

from tests import lanes
from tests import matrix


@pytest.fixture
def results():
    return json.loads(matrix.RESULTS.read_text())


def test_the_readme_shows_what_was_found(results):
    assert matrix.table(results) in matrix.README.read_text()


def test_all_tests_passed_wherever_they_were_played(results):
    for environment, kind in itertools.product(
            results, ('unit', 'views', 'browser')):
        result = results[environment][kind]
        assert result['passed'] > 15
        assert not result['failed'] and not result['error']


def test_each_horizon_that_tox_knows_was_tried(results):
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(matrix.README.parent / 'tox.ini')
    known = {f'{name}{release}' for section in tox
             for name, releases in re.findall(
                 r'testenv:((?:horizon|python)-)\{(.+)\}', section)
             for release in releases.split(',')}
    assert known | {'unit', 'django-6.1'} == set(matrix.ENVIRONMENTS)
    horizons = {name for name in known if name.startswith('horizon')}
    assert horizons == set(lanes.RELEASES)
    assert horizons <= set(results)
