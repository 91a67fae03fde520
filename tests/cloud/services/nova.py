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

"""Run Nova's API, conductor, scheduler and compute in one process.

Their messages go through oslo.messaging's in-process transport, so they
must share a process: python -m tests.cloud.services.nova PORT.
"""

import os
import pathlib
import signal
import sys

from tests.cloud import drivers
from tests.cloud.services import serving


def start_services():
    """Start what nova-conductor, -scheduler and -compute would run."""
    from nova import context
    from nova import objects
    from nova import service
    from nova.compute import rpcapi as compute_rpc
    from nova.conductor import rpcapi as conductor_rpc
    import nova.conf
    from nova.objects import host_mapping
    from nova.scheduler import rpcapi as scheduler_rpc
    import nova.virt
    import os_brick
    import os_vif

    if os.environ.get('SNAPSHOT_CLOUD_LIBVIRT'):
        _work_as_root()
    # Nova loads virt drivers from below nova.virt only.
    nova.virt.__path__.append(str(pathlib.Path(drivers.__file__).parent))
    os_brick.setup(nova.conf.CONF)
    os_vif.initialize()
    objects.Service.enable_min_version_cache()
    for binary, topic in (('nova-conductor', conductor_rpc.RPC_TOPIC),
                          ('nova-scheduler', scheduler_rpc.RPC_TOPIC),
                          ('nova-compute', compute_rpc.RPC_TOPIC)):
        service.Service.create(binary=binary, topic=topic).start()
    host_mapping.discover_hosts(context.get_admin_context())


def _work_as_root():
    """Do here what a helper with more rights would do: it has no more."""
    from nova import privsep
    from os_brick import privileged
    for privileges in (privsep.sys_admin_pctxt, privileged.default):
        privileges.set_client_mode(False)
    # Reading a guest's console makes its terminal ours, which hangs up with
    # the guest.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


if __name__ == '__main__':
    serving.prepare_sqlite()
    port = int(sys.argv.pop())
    from nova.wsgi import osapi_compute
    start_services()
    serving.serve(osapi_compute.application, port)
