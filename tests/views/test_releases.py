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

"""Whoever puts the panel into a Horizon that is too old is told so."""

from importlib import metadata
import logging

from django.apps import apps
from django.core import checks
import pytest

from snapshot_dashboard import releases


@pytest.fixture
def version(monkeypatch):
    def is_version(version):
        def tell(name):
            assert name == 'horizon'
            if version is None:
                raise metadata.PackageNotFoundError
            return version
        monkeypatch.setattr(metadata, 'version', tell)
    return is_version


def said():
    return [warning.msg for warning in checks.run_checks()
            if warning.id == 'snapshot_dashboard.W001']


def test_this_horizon_is_new_enough():
    assert said() == []
    assert releases.installed() >= releases.OLDEST


@pytest.mark.parametrize('found', ['25.3.0', '25.10.1', '28.0.0.0rc1',
                                   '27.0.1.dev12'])
def test_of_a_horizon_that_is_new_enough_nothing_is_said(version, found):
    version(found)
    assert said() == []


@pytest.mark.parametrize(('found', 'told'), [
    ('25.2.9', 'this is 25.2.'), ('24.0.2', 'this is 24.0.'),
    (None, 'the version of this one is not known.'),
    ('master', 'the version of this one is not known.')])
def test_of_any_other_it_is_told_by_the_check_and_in_the_log(
        version, caplog, found, told):
    version(found)
    whole = f'snapshot-dashboard needs Horizon 25.3 or newer; {told}'
    assert said() == [whole]
    with caplog.at_level(logging.WARNING):
        apps.get_app_config('snapshot_dashboard').ready()
    assert whole in caplog.text
