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

"""Serve Horizon with the plugin: python -m tests.cloud.dashboard.server.

Needs the name of the test cloud in SNAPSHOT_CLOUD_NAME. With the argument
``prepare`` it collects the static files and ends.
"""

import os
import re
import signal
import sys

from cheroot import wsgi
import django
from django.core import management
import whitenoise

from tests.cloud import site


def _settings() -> None:
    """Be the Horizon of an operator who followed the README."""
    import openstack_dashboard.local
    from openstack_dashboard.local import enabled as local_enabled

    import snapshot_dashboard.enabled
    from tests.cloud.dashboard import local_settings
    # What an operator copies to openstack_dashboard/local/enabled.
    local_enabled.__path__.extend(snapshot_dashboard.enabled.__path__)
    sys.modules['local'] = openstack_dashboard.local
    sys.modules['local.local_settings'] = local_settings
    os.environ['DJANGO_SETTINGS_MODULE'] = 'openstack_dashboard.settings'
    django.setup()


def _application(static_root: str):
    from openstack_dashboard import wsgi as horizon_wsgi
    files = whitenoise.WhiteNoise(
        horizon_wsgi.application, root=static_root, prefix='/static/',
        autorefresh=True)

    def merge_slashes(environ, start_response):
        # Horizon asks for /static//x; Apache and nginx merge the slashes.
        path = environ['PATH_INFO']
        environ['PATH_INFO'] = re.sub('//+', '/', path)
        return files(environ, start_response)

    return merge_slashes


def main() -> None:
    where = site.load(os.environ['SNAPSHOT_CLOUD_NAME'])
    _settings()
    from django.conf import settings
    if sys.argv[1:] == ['prepare']:
        management.call_command('collectstatic', interactive=False,
                                verbosity=0)
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    application = _application(settings.STATIC_ROOT)
    if 'SNAPSHOT_CLOUD_TIMED' in os.environ:
        from tests.bench import timing
        application = timing.timed(application)
    wsgi.Server((site.HOST, where.ports['horizon']), application,
                numthreads=12).start()


if __name__ == '__main__':
    main()
