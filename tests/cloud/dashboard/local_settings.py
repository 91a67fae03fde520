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

"""Horizon's local settings for the test cloud.

Horizon imports its operator's settings as ``local.local_settings``;
``server`` puts this module there, so that nothing in Horizon's own
directories need be touched.
"""

import os
import pathlib

from tests.cloud import site

_WHERE = site.load(os.environ['SNAPSHOT_CLOUD_NAME'])
_HOME = _WHERE.root / 'horizon'

DEBUG = False
ALLOWED_HOSTS = ['127.0.0.1', 'localhost']
SECRET_KEY = 'a test cloud has no secrets'
OPENSTACK_KEYSTONE_URL = _WHERE.auth_url
OPENSTACK_KEYSTONE_DEFAULT_DOMAIN = 'Default'
TIME_ZONE = 'UTC'
STATIC_ROOT = str(_HOME / 'static')
# Sessions outlive a restart, as they do with an operator's memcached.
SESSION_ENGINE = 'django.contrib.sessions.backends.file'
SESSION_FILE_PATH = str(_HOME / 'sessions')
CACHES = {'default': {
    'BACKEND': 'django.core.cache.backends.locmem.LocMemCache',
    'OPTIONS': {'MAX_ENTRIES': 10000},
}}
# Compressed on first use into STATIC_ROOT: there is nothing to build ahead.
COMPRESS_ENABLED = True
COMPRESS_OFFLINE = False
OPENSTACK_NEUTRON_NETWORK = {
    'enable_router': False, 'enable_quotas': False,
    'enable_security_group': True,
}
LOGGING = {
    'version': 1,
    'disable_existing_loggers': False,
    'handlers': {'console': {'class': 'logging.StreamHandler'}},
    'root': {'handlers': ['console'], 'level': 'INFO'},
}
SNAPSHOT_DASHBOARD = {'SHUTDOWN_TIMEOUT': site.SHUTDOWN_TIMEOUT,
                      'SNAPSHOT_TIMEOUT': site.SNAPSHOT_TIMEOUT,
                      # A volume is one file, which is emptied first.
                      'OVERWRITABLE_VOLUME_TYPES': ['*']}
if _WHERE.worker_user.exists():
    SNAPSHOT_DASHBOARD['WORKER_USER_ID'] = _WHERE.worker_user.read_text()
if _WHERE.name == 'demo':  # so that what operators can say is seen
    SNAPSHOT_DASHBOARD['NOTICES'] = [{
        'text': 'This is a demo: its instances are not real, and snapshots of '
                'them hold nothing.', 'where': 'list'}]
    SNAPSHOT_DASHBOARD['GUIDE_URL'] = (
        'https://docs.openstack.org/nova/latest/admin/'
        'migrate-instance-with-snapshot.html')
# What this site changes of that is a Python file of its own.
_OWN = pathlib.Path(_WHERE.root / 'snapshot_dashboard_settings.py')
if _OWN.exists():
    exec(_OWN.read_text())  # noqa: S102
