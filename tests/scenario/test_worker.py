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

"""A worker sees runs through when nobody looks, and cleans up after them."""

import contextlib
import re
import signal
import time

from keystoneauth1 import exceptions as keystone_errors
from keystoneauth1 import identity
from keystoneauth1 import session as keystone_session
import pytest

from snapshot_dashboard import marks
from snapshot_dashboard.runs import delegate
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import reconcile
from tests.cloud import seed
from tests.cloud import site
from tests.scenario.clouds import connect
from tests.scenario.clouds import unique
from tests.scenario.waiting import until
from tests.scenario.workers import begun
from tests.scenario.workers import saving
from tests.scenario.workers import trusts
from tests.scenario.workers import whole_and_running

pytestmark = pytest.mark.usefixtures('tidy')


def there(cloud, run):
    return journal.read(cloud.compute.server(run.server.id))


@pytest.mark.parametrize('name', ['web-1', 'db-1', 'batch-1', 'locked-1'])
def test_a_run_is_seen_through_without_its_user(alice, workers, name):
    workers.start()
    server = alice.find(name)
    runs = server.status == 'ACTIVE'
    run = begun(alice, workers, name, was_running=runs,
                power_off=runs and not server.locked)
    ended = workers.finish(alice, run)
    assert ended.progress.failure == ''
    (image,) = alice.images.images(10, {marks.RUN: run.plan.run_id})
    assert image.status == 'active'
    assert alice.compute.server(server.id).status == server.status
    until(lambda: run.progress.trust_id not in trusts(alice),
          'the trust was taken back')


#: How far a run is when its worker is killed; what holds it there.
PHASES = {
    'powering off': ('server.stop',
                     lambda cloud, run: there(cloud, run).progress.stop_count),
    'capturing': ('server.snapshot',
                  lambda cloud, run: there(cloud, run).progress.capture_count),
    'saving': ('server.upload', saving),
    'powering on': ('server.start',
                    lambda cloud, run: there(cloud, run).progress.start_count),
}


@pytest.mark.parametrize('phase', PHASES)
def test_a_worker_that_is_killed_is_replaced_by_another(
        alice, workers, drivers, phase):
    operation, reached = PHASES[phase]
    both = [workers.start(), workers.start()]
    with drivers.turned(operation, hold=True, only='web-1'):
        run = begun(alice, workers)
        until(lambda: reached(alice, run), phase)
        workers.end(both[0], signal.SIGKILL)
    whole_and_running(alice, workers.finish(alice, run))


def test_one_list_tells_which_of_a_projects_runs_go_on(alice, workers,
                                                       drivers):
    worker = workers.start('--debug')
    with drivers.turned('server.upload', hold=True):
        web = begun(alice, workers, was_running=True)
        batch = begun(alice, workers, 'batch-1', power_off=False)
        runs = web, batch
        until(lambda: all(saving(alice, run) for run in runs), 'both save')
        until(lambda: 'Of 2 runs that wait for Nova 0 go on'
              in worker.log.read_text(), 'one list tells of both')
    until(lambda: re.search('Of 2 runs that wait for Nova [12] go on',
                            worker.log.read_text()), 'it tells who goes on')
    whole_and_running(alice, workers.finish(alice, web))
    assert workers.finish(alice, batch).progress.failure == ''


def test_a_worker_that_starts_late_goes_on(alice, workers):
    """An hour after the run began, and after its instance went off."""
    an_hour_ago = time.time() - 3600
    run = alice.begin(alice.find('web-1'), unique('late'))
    run = reconcile.advance(alice, run, lambda: an_hour_ago)
    assert run.progress.stop_count
    run = workers.hand_on(alice, run)
    until(lambda: alice.compute.server(run.server.id).status == 'SHUTOFF',
          'it is off')
    workers.start()
    whole_and_running(alice, workers.finish(alice, run))


def test_a_timer_does_as_well(alice, workers):
    run = begun(alice, workers)
    for _ in range(20):
        workers.once()
        if not there(alice, run).open:
            break
    whole_and_running(alice, there(alice, run))


def test_a_worker_that_is_told_to_end_ends_well(alice, workers, drivers):
    first = workers.start()
    with drivers.turned('server.upload', hold=True, only='web-1'):
        run = begun(alice, workers)
        until(lambda: saving(alice, run), 'it is being saved')
        assert workers.end(first) == 0
    workers.start()
    whole_and_running(alice, workers.finish(alice, run))


@pytest.mark.parametrize('service', ['keystone', 'nova', 'glance', 'cinder'])
def test_a_service_that_is_down_for_a_while_only_delays_it(
        alice, workers, drivers, dead, service):
    name = 'db-1' if service == 'cinder' else 'web-1'
    workers.start()
    with drivers.turned('server.stop', seconds=2, only=name):
        run = begun(alice, workers, name)
        until(lambda: there(alice, run).progress.stop_count,
              'it was powered off')
    with dead(service):
        # A Glance that does not answer is waited for without a word.
        until(lambda: 'WARNING' in workers.logs() or service == 'glance'
              and alice.compute.server(run.server.id).status == 'SHUTOFF',
              'the worker has met it')
    whole_and_running(alice, workers.finish(alice, run))


def test_a_trust_that_is_taken_back_ends_the_workers_part(alice, workers,
                                                          drivers):
    workers.start()
    with drivers.turned('server.upload', hold=True, only='web-1'):
        run = begun(alice, workers)
        until(lambda: saving(alice, run), 'it is being saved')
        alice.identity.delete_trust(run.progress.trust_id)
        until(lambda: 'is gone' in workers.logs(), 'it is noticed')
    assert there(alice, run).open
    # As ever, it goes on when somebody looks.
    whole_and_running(alice, alice.finish(there(alice, run)))


@pytest.fixture
def bob_without_role(where, admin):
    """Takes Bob's role away, for as long as the block lasts."""
    identity = admin.identity
    project = identity.find_project(seed.PROJECT)
    user, member = identity.find_user('bob'), identity.find_role('member')

    @contextlib.contextmanager
    def taken():
        identity.unassign_project_role_from_user(project, user, member)
        try:
            yield
        finally:
            identity.assign_project_role_to_user(project, user, member)
    return taken


def test_a_role_that_is_taken_away_stops_the_worker_until_it_is_back(
        alice, where, workers, bob_without_role):
    run = begun(connect(where, 'bob'), workers)
    with bob_without_role():
        workers.start()
        until(lambda: 'gives no access' in workers.logs(), 'it is told')
    ended = workers.finish(alice, run)
    assert ended.progress.failure == ''
    assert alice.compute.server(run.server.id).status == 'ACTIVE'


def test_a_trust_whose_run_was_dismissed_is_taken_back_after_a_while(
        alice, workers):
    run = begun(alice, workers, power_off=False)
    lifecycle.dismiss(alice, run.server.id)
    kept = workers.foreign_trust(alice)
    workers.start()
    until(lambda: run.progress.trust_id not in trusts(alice),
          'it was taken back', 120)
    assert (f'Deleting trust {run.progress.trust_id}: its run was dismissed'
            in workers.logs())
    # Others' trusts to the same user are none of its business.
    assert kept in trusts(alice)
    alice.identity.delete_trust(kept)


def test_a_worker_answers_who_asks_whether_it_is_there(alice, workers):
    asked = delegate.probe(alice, workers.of(alice))
    assert not alice.identity.is_gone(asked)
    workers.start()
    until(lambda: alice.identity.is_gone(asked), 'it has answered')


def test_who_has_the_workers_password_has_no_more_than_the_trusts(
        alice, where, workers):
    def reaches(**scope):
        session = keystone_session.Session(identity.V3Password(
            where.auth_url, username=seed.WORKER, password=site.PASSWORD,
            user_domain_id='default', **scope))
        try:
            answer = session.get(f'{where.endpoint("nova")}/servers',
                                 raise_exc=False)
        except keystone_errors.ClientException:
            return False
        return answer.status_code == 200

    for project in (seed.PROJECT, seed.OTHER_PROJECT, 'admin'):
        assert not reaches(project_name=project,
                           project_domain_id='default')
    assert not reaches(unscoped=True)
    trust_id = workers.foreign_trust(alice)
    assert reaches(trust_id=trust_id)
    alice.identity.delete_trust(trust_id)
    assert not reaches(trust_id=trust_id)
