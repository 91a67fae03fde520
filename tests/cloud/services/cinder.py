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

"""Run Cinder's API, scheduler and volume service in one process.

Their messages go through oslo.messaging's in-process transport, so they
must share a process: python -m tests.cloud.services.cinder PORT.
"""

import sys
import types

from oslo_service import backend

from tests.cloud.services import serving


def read_images_in_this_thread():
    """Undo eventlet's thread pool, which blocks for ever without eventlet.

    The second image that Cinder makes a volume from would hang.
    """
    from cinder.image import image_utils
    image_utils.tpool = types.SimpleNamespace(
        Proxy=lambda thing: thing,
        execute=lambda function, *args, **kw: function(*args, **kw))


def work_without_root():
    """Run what Cinder would run as root with the rights it has.

    The volumes are plain files of the user who started the cloud.
    """
    from cinder import privsep
    from cinder import utils
    from os_brick import privileged
    for privileges in (privsep.sys_admin_pctxt, privileged.default):
        privileges.set_client_mode(False)
    utils.get_root_helper = lambda: 'env'


def start_services():
    """Start what cinder-volume and cinder-scheduler would run.

    The volume service comes first: the scheduler waits for its report.
    """
    from cinder import context
    from cinder import objects
    from cinder import service
    from cinder.common import constants
    import os_brick
    from oslo_config import cfg

    class OwnService(service.Service):
        """A service that reports for itself.

        Cinder keeps the id of its row in a class attribute, so of two
        services in one process only the last one would ever report.
        """

        def report_state(self):
            row = objects.Service.get_by_id(context.get_admin_context(),
                                            self.origin_service_id)
            row.report_count += 1
            row.save()

    os_brick.setup(cfg.CONF)
    for binary, host, name in (
            (constants.VOLUME_BINARY, f'{cfg.CONF.host}@files', 'files'),
            (constants.SCHEDULER_BINARY, cfg.CONF.host, None)):
        OwnService.create(host=host, binary=binary,
                          service_name=name).start()


if __name__ == '__main__':
    serving.prepare_sqlite()
    port = int(sys.argv.pop())
    backend.init_backend(backend.BackendType.THREADING)
    from cinder.wsgi import api
    read_images_in_this_thread()
    work_without_root()
    start_services()
    serving.serve(api.application, port)
