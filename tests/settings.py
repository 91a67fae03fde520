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

"""Django's settings for the tests of views: Horizon with the plugin."""

import yaml

from openstack_dashboard import defaults
from openstack_dashboard import enabled as horizon_enabled
from openstack_dashboard.test.settings import *  # noqa: F403
from openstack_dashboard.utils import settings as settings_utils

import enabled

HORIZON_CONFIG.pop('dashboards', None)  # noqa: F405
HORIZON_CONFIG.pop('default_dashboard', None)  # noqa: F405
INSTALLED_APPS = list(INSTALLED_APPS)  # noqa: F405
settings_utils.update_dashboards(
    [horizon_enabled, enabled], HORIZON_CONFIG, INSTALLED_APPS)  # noqa: F405
# Each page draws the menu, and asks for each of its entries whether the user
# may see it. Nothing of ours is in or leads to these two.
_NOT_NEEDED = ('admin', 'identity')
HORIZON_CONFIG['dashboards'] = [  # noqa: F405
    name for name in HORIZON_CONFIG['dashboards']  # noqa: F405
    if name not in _NOT_NEEDED]
INSTALLED_APPS = [app for app in dict.fromkeys(INSTALLED_APPS)
                  if app.rpartition('.')[2] not in _NOT_NEEDED]

# Horizon's own tests allow everything to everybody; ours do not.
POLICY_CHECK_FUNCTION = defaults.POLICY_CHECK_FUNCTION
POLICY_FILES = defaults.POLICY_FILES
# They are read anew where settings change, and long in Python.
yaml.SafeLoader = yaml.CSafeLoader
SESSION_ENGINE = 'django.contrib.sessions.backends.signed_cookies'
# What the pages look like is for the browser to see: compiling the styles
# for each test would take minutes.
COMPRESS_ENABLED = False
COMPRESS_PRECOMPILERS = ()
# Angular's templates, which each page would read from disk.
HORIZON_CONFIG['external_templates'] = []  # noqa: F405
# Each page is made of dozens of templates, which do not change meanwhile.
TEMPLATES[0]['OPTIONS']['loaders'] = [(  # noqa: F405
    'django.template.loaders.cached.Loader',
    TEMPLATES[0]['OPTIONS']['loaders'])]  # noqa: F405
