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

"""The operator's settings."""

from django.core import exceptions
import pytest

from snapshot_dashboard import settings as own


def test_without_any_the_defaults_hold():
    assert own.get('TIMEOUT') == own.DEFAULTS['TIMEOUT']


def test_an_own_value_goes_over_the_default(settings):
    settings.SNAPSHOT_DASHBOARD = {'TIMEOUT': 3}
    assert own.get('TIMEOUT') == 3
    assert own.get('POLL_INTERVAL') == own.DEFAULTS['POLL_INTERVAL']


@pytest.mark.parametrize('wrong', [
    {'TIMEOUTS': 3}, {'TIMEOUT': 'soon'}, {'POWER_OFF_BY_DEFAULT': 1},
    {'TIMEOUT': True}, {'TIMEOUT': 0}, {'BEGIN_WITHIN': 90.5},
    {'POLL_INTERVAL': 0.1},
    {'SHUTDOWN_TIMEOUT': -1}, {'GUIDE_URL': 'javascript:alert(1)'},
    {'OVERWRITABLE_VOLUME_TYPES': '*'}, {'OVERWRITABLE_VOLUME_TYPES': [7]},
    {'WORKER_USER_ID': 7}, {'WORKER_USER_ID': {'RegionOne': None}},
    {'GUIDE_URL': 7}, {'NOTICES': 'Beware'}, {'NOTICES': {'text': 'x'}},
    {'NOTICES': ['Beware']}, {'NOTICES': [{}]},
    {'NOTICES': [{'text': 'x', 'colour': 'red'}]},
    {'NOTICES': [{'text': 'x', 'level': 'red'}]},
    {'NOTICES': [{'text': 'x', 'where': 'everywhere'}]},
    {'NOTICES': [{'text': 'x', 'link': 'javascript:alert(1)'}]},
    {'NOTICES': [{'text': 'x', 'link': 'data:text/html,x'}]},
    {'NOTICES': [{'text': 'x', 'from': 'soon'}]},
    {'NOTICES': [{'text': 'x', 'to': 7}]}])
def test_a_misspelt_or_mistyped_setting_is_told(settings, wrong):
    settings.SNAPSHOT_DASHBOARD = wrong
    with pytest.raises(exceptions.ImproperlyConfigured) as caught:
        own.get('TIMEOUT')
    assert next(iter(wrong)) in str(caught.value)


def test_settings_that_are_no_dict_are_told(settings):
    settings.SNAPSHOT_DASHBOARD = None
    with pytest.raises(exceptions.ImproperlyConfigured):
        own.get('TIMEOUT')


def test_the_wizard_follows_the_settings(client, openstack, member,
                                         settings):
    settings.SNAPSHOT_DASHBOARD = {'SHUTDOWN_TIMEOUT': 77,
                                   'POWER_OFF_BY_DEFAULT': False}
    server = openstack.server()
    html = client.get('/project/compute_snapshots/facts/?source=instance-'
                      f'{server["id"]}').content.decode()
    assert '77' in html
    assert 'data-suggest-power-off="false"' in html


def test_the_reference_lists_every_setting():
    import pathlib
    reference = pathlib.Path(__file__).resolve().parents[2] / (
        'doc/source/configuration.rst')
    text = reference.read_text()
    missing = [name for name in own.DEFAULTS if f'``{name}``' not in text]
    assert missing == []
