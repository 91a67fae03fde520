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

"""What the tests install was chosen once, and is that same file for ever."""

import configparser
import pathlib
import re

from packaging import requirements
from packaging import utils
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / 'tests' / 'requirements'


def pins(name):
    """The hashes of each requirement of a lock, by its text."""
    text = (FOLDER / name).read_text().replace('\\\n', ' ')
    found = {}
    for line in text.splitlines():
        if line and not line.startswith('#'):
            requirement, *hashes = line.split('--hash=')
            found[requirement.strip()] = [one.strip() for one in hashes]
    return found


def names(texts):
    return {utils.canonicalize_name(requirements.Requirement(text).name)
            for text in texts}


@pytest.mark.parametrize('name', sorted(
    path.name for path in FOLDER.glob('*.txt')))
def test_whatever_the_tests_install_is_pinned_with_hashes(name):
    found = pins(name)
    assert found
    for requirement, hashes in found.items():
        assert re.match(r'[\w.-]+==[\w.+]+( ;|$)', requirement)
        assert hashes and all(re.fullmatch('sha256:[0-9a-f]{64}', one)
                              for one in hashes)


def test_all_that_is_asked_for_is_pinned():
    setup = configparser.ConfigParser()
    setup.read(ROOT / 'setup.cfg')
    wanted = (setup['options']['install_requires']
              + setup['options.extras_require']['test'])
    assert names(wanted.split()) <= names(pins('test.txt'))
    for path in FOLDER.glob('*.in'):
        asked = [line for line in path.read_text().splitlines()
                 if not line.startswith('#')]
        assert names(asked) <= names(pins(path.with_suffix('.txt').name))


def test_no_environment_of_tox_installs_anything_else():
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / 'tox.ini')
    installed = [line.strip() for section in tox.values()
                 for line in section.get('deps', '').splitlines()
                 if line.strip()]
    assert len(installed) > 5
    assert all(re.fullmatch(r'-r tests/requirements/([\w.-]+|{envname})\.txt',
                            line) for line in installed)
    named = next(name for name in tox if name.startswith('testenv:horizon-'))
    releases = re.search('{(.+)}', named)[1].split(',')
    assert len(releases) == 3
    for release in releases:
        assert (ROOT / 'tests' / 'requirements'
                / f'horizon-{release}.txt').exists()
