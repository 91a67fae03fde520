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

"""Some users cannot hand a run on, and a trust ends with its user."""

import contextlib
import time

from keystoneauth1.identity import v3
import pytest

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import identity
from snapshot_dashboard.runs import delegate
from snapshot_dashboard.runs import journal
from tests.cloud import bootstrap
from tests.cloud import seed
from tests.cloud import site
from tests.scenario.clouds import connect
from tests.scenario.clouds import connected
from tests.scenario.clouds import unique
from tests.scenario.waiting import until
from tests.scenario.workers import begun
from tests.scenario.workers import saving
from tests.scenario.workers import whole_and_running

pytestmark = pytest.mark.usefixtures('tidy')


@pytest.fixture
def application(where, alice):
    """Makes an application credential of Alice's and signs in with it."""
    keystone = bootstrap.connect(where, 'alice', seed.PROJECT).identity
    made = []

    def sign_in(**options):
        made.append(keystone.create_application_credential(
            alice.user_id, unique('application'), **options))
        return connected(where, v3.ApplicationCredential(
            where.auth_url, application_credential_id=made[-1].id,
            application_credential_secret=made[-1].secret))
    yield sign_in
    for credential in made:
        keystone.delete_application_credential(alice.user_id, credential)


@pytest.mark.parametrize('unrestricted', [False, True])
def test_an_application_credential_hands_nothing_on_and_its_run_is_attended(
        alice, application, workers, unrestricted):
    by_it = application(unrestricted=unrestricted)
    with pytest.raises(errors.Forbidden):
        delegate.probe(by_it, workers.of(alice))
    run = by_it.begin(by_it.find('web-1'), unique('attended'))
    with pytest.raises(errors.Forbidden):
        workers.hand_on(by_it, run)
    ended = by_it.finish(run)
    assert (ended.progress.failure, ended.progress.trust_id) == ('', '')


def test_who_was_handed_a_run_hands_nothing_on(alice, where, workers):
    trust = delegate.trust(alice, workers.of(alice), time.time,
                           identity.Errand(), 600)
    worker = connected(where, v3.Password(
        where.auth_url, username=seed.WORKER, password=site.PASSWORD,
        user_domain_id='default', trust_id=trust.id))
    assert worker.project_id == alice.project_id
    with pytest.raises(errors.Forbidden):
        delegate.probe(worker, workers.of(alice))


class Guest:
    """A user who is there for one test."""

    def __init__(self, where, admin, project):
        self._keystone = admin.identity
        self._user = self._keystone.create_user(
            name=unique('guest'), password=site.PASSWORD,
            domain_id='default')
        self._keystone.assign_project_role_to_user(
            project, self._user, self._keystone.find_role('member'))
        self.name = self._user.name
        self.cloud = connect(where, self.name, project.name)

    def disable(self, so=True):
        self._keystone.update_user(self._user, is_enabled=not so)

    def delete(self):
        self._keystone.delete_user(self._user, ignore_missing=True)


@pytest.fixture
def guest(where, admin):
    guest = Guest(where, admin,
                  admin.identity.find_project(seed.PROJECT))
    yield guest
    guest.delete()


@contextlib.contextmanager
def held(cloud, workers, drivers, name='web-1'):
    """A run that was handed on and stays where its image is being saved."""
    with drivers.turned('server.upload', hold=True, only=name):
        run = begun(cloud, workers, name)
        until(lambda: saving(cloud, run), 'it is being saved')
        yield run


def test_a_user_who_is_disabled_delays_no_other_and_may_come_back(
        alice, guest, workers):
    run = begun(guest.cloud, workers)
    # Only then: the services remember for a while whom they have let in.
    guest.disable()
    workers.start()
    until(lambda: 'gives no access' in workers.logs(), 'it is told')
    whole_and_running(alice, workers.finish(alice, begun(
        alice, workers, 'db-1')))
    assert alice.compute.server(run.server.id).status == 'ACTIVE'
    guest.disable(False)
    ended = workers.finish(alice, run)
    assert ended.progress.failure == ''
    assert alice.compute.server(run.server.id).status == 'ACTIVE'


def test_with_a_user_goes_the_trust_and_anybody_else_can_go_on(
        alice, guest, workers, drivers):
    workers.start()
    with held(guest.cloud, workers, drivers) as run:
        guest.delete()
        until(lambda: f'Trust {run.progress.trust_id} is gone'
              in workers.logs(), 'it is told')
    run = journal.read(alice.compute.server(run.server.id))
    assert run.open
    ended = alice.finish(run)
    assert ended.progress.failure == ''
    assert alice.compute.server(run.server.id).status == 'ACTIVE'


@pytest.fixture
def short_lived(where, admin):
    """A project of a guest's own, with an instance; and how it is deleted."""
    project = admin.identity.create_project(
        name=unique('short-lived'), domain_id='default')
    guest = Guest(where, admin, project)
    own = bootstrap.connect(where, guest.name, project.name).compute
    server = own.create_server(
        name='lonely-1', networks='none',
        image_id=admin.image.find_image(seed.IMAGE).id,
        flavor_id=own.find_flavor('m1.tiny').id)
    own.wait_for_server(server, interval=0.2)

    def delete():
        admin.identity.delete_project(project, ignore_missing=True)
    yield guest.cloud, delete
    admin.compute.delete_server(server)
    for image in admin.image.images(owner=project.id):
        admin.image.delete_image(image)
    delete()
    guest.delete()


def test_with_a_project_goes_the_trust_and_the_worker_goes_on(
        alice, short_lived, workers, drivers):
    cloud, delete_project = short_lived
    workers.start()
    with held(cloud, workers, drivers, 'lonely-1') as run:
        delete_project()
        until(lambda: f'Trust {run.progress.trust_id} is gone'
              in workers.logs(), 'it is told')
        whole_and_running(alice, workers.finish(alice, begun(
            alice, workers)))
    told = workers.logs().count(run.plan.run_id)
    whole_and_running(alice, workers.finish(alice, begun(alice, workers)))
    assert workers.logs().count(run.plan.run_id) == told
