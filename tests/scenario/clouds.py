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

"""A user's view of the test cloud, with a few helps for tests."""

import time
import uuid

from keystoneauth1 import identity
from keystoneauth1 import session as keystone_session

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import reconcile
from snapshot_dashboard.snapshots import deletion
from tests.cloud import seed
from tests.cloud import site
from tests.scenario.waiting import until


class Cloud(services.Cloud):
    """Our cloud for one account, with a few helps for tests.

    ``nova``, ``cinder``, ``glance`` and ``keystone`` are the clients of the
    services, for what others do there and the panel does not.
    """

    @property
    def session(self):
        return self._session

    @property
    def nova(self):
        return self.compute._client

    @property
    def cinder(self):
        return self.volumes._client

    @property
    def glance(self):
        return self.images._client

    @property
    def keystone(self):
        return self.identity._client

    def find(self, name):
        """A server of the sample data by its name."""
        (server,) = [server for server in self.compute.servers(100)
                     if server.name == name]
        return server

    def find_volume(self, name):
        """A volume of the sample data by its name."""
        (volume,) = [volume for volume in self.cinder.volumes.list()
                     if volume.name == name]
        return volume

    def begin(self, server, name, power_off=True, power_on=True, **options):
        return lifecycle.begin(self, server, lifecycle.new_plan(
            name, 'a scenario', power_off=power_off, power_on=power_on,
            requested_by='a test', **options))

    def advance_until(self, run, condition, what, clock=time.time):
        """Advance a run until something is so; the run and what it is."""
        def reached():
            nonlocal run
            run = reconcile.advance(
                self, run, clock, surely_gone=is_gone(
                    lambda: self.compute.server(run.server.id)))
            return condition(run)
        found = until(reached, what)
        return run, found

    def finish(self, run, clock=time.time):
        """Advance a run to its end, as an open page does."""
        return self.advance_until(
            run, lambda run: not run.open,
            f'the run on {run.server.name} is over', clock)[0]


def connect(where, user, project=seed.PROJECT):
    return connected(where, identity.V3Password(
        where.auth_url, username=user, password=site.PASSWORD,
        user_domain_id='default', project_name=project,
        project_domain_id='default'))


def connected(where, auth):
    """Our cloud for any way to sign in."""
    session = keystone_session.Session(auth, timeout=30)
    project_id = session.get_project_id()
    made = Cloud(session, {
        'compute': where.endpoint('nova'), 'image': where.endpoint('glance'),
        'network': where.endpoint('neutron'),
        'volume': where.endpoint('cinder') % {'project_id': project_id},
        'identity': where.auth_url},
        project_id)
    made.user_id = session.get_user_id()
    return made


def delete_snapshots(cloud, *rows, agreed=()):
    """Delete snapshots as the panel does.

    :raises ServiceError: the first refusal of a service.
    """
    for _, outcome in deletion.carry_out(
            cloud, deletion.plan(cloud, rows), agreed):
        if isinstance(outcome, errors.ServiceError):
            raise outcome
        assert outcome == [], outcome


def unique(name):
    return f'{name}-{uuid.uuid4().hex[:8]}'


def image_of(cloud, run):
    return cloud.images.image(run.progress.image_id)


def powered_off(cloud, server, drivers, **options):
    """A run that has just powered its instance off, and not looked again."""
    with drivers.turned('server.stop', hold=True, only=server.name):
        run = reconcile.advance(cloud, cloud.begin(server, unique('run'),
                                                   **options))

    def is_off():
        now = cloud.compute.server(server.id)
        return now.status == 'SHUTOFF' and not now.task_state
    until(is_off, 'it is off')
    return run


def is_gone(call):
    try:
        call()
    except errors.NotFound:
        return True
    return False
