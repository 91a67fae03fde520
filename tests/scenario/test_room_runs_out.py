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

"""A quota or a limit that runs out midway leaves nothing behind."""

import contextlib
import time

import pytest

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.runs import reconcile
from tests.cloud import seed
from tests.scenario import advancer
from tests.scenario.clouds import unique
from tests.scenario.waiting import until

pytestmark = pytest.mark.usefixtures('tidy')


def finish_fast(cloud, run):
    """Advance to the end, with a clock that makes graces short."""
    clock = advancer.clock(time.time())

    def over():
        nonlocal run
        with contextlib.suppress(errors.Unavailable):
            run = reconcile.advance(cloud, run, clock)
        return not run.open
    until(over, f'the run on {run.server.name} is over')
    return run


def volume_snapshots(cloud, run):
    """What there is of the run in Cinder, whoever made it."""
    return [snapshot for snapshot in cloud.volumes.snapshots(100)
            if run.plan.name in snapshot.name
            or snapshot.metadata.get(marks.RUN) == run.plan.run_id]


def check_nothing_is_left(cloud, run):
    assert cloud.compute.server(run.server.id).status == 'ACTIVE'
    assert not cloud.images.images(10, {marks.RUN: run.plan.run_id})
    until(lambda: not volume_snapshots(cloud, run), 'nothing is left')


@pytest.fixture
def quota(admin):
    """Sets a quota of Cinder to what is used and so much more."""
    before = admin.get_volume_quotas(seed.PROJECT)

    def leave(name, more, used):
        admin.set_volume_quotas(seed.PROJECT, **{name: used + more})
    yield leave
    admin.set_volume_quotas(seed.PROJECT, gigabytes=before.gigabytes,
                            snapshots=before.snapshots)


@pytest.mark.parametrize(('name', 'more'), [('gigabytes', 12),
                                            ('snapshots', 1)])
def test_a_quota_too_small_for_the_second_volume(alice, quota, name, more):
    run = alice.begin(alice.find('db-1'), unique('full'))
    quota(name, more, alice.volumes.quotas()[name].used)
    run = finish_fast(alice, run)
    assert run.progress.failure == 'capture-refused'
    assert 'Quota exceeded' in run.progress.detail
    check_nothing_is_left(alice, run)


def test_a_quota_too_small_for_a_chosen_volume(alice, quota):
    server = alice.find('web-1')
    run = alice.begin(server, unique('full'), volumes=server.volume_ids)
    quota('snapshots', 0, alice.volumes.quotas()['snapshots'].used)
    run = finish_fast(alice, run)
    assert run.progress.failure == 'snapshot-refused'
    check_nothing_is_left(alice, run)


@pytest.mark.parametrize('name', ['db-1', 'web-1'])
def test_a_glance_that_takes_no_more_images(alice, admin, name):
    identity = admin.identity
    project = identity.find_project(seed.PROJECT)
    registered = next(limit for limit in identity.registered_limits()
                      if limit.resource_name == 'image_count_total')
    run = alice.begin(alice.find(name), unique('full'))
    limit = identity.create_limit(
        project_id=project.id, service_id=registered.service_id,
        region_id=registered.region_id, resource_name='image_count_total',
        resource_limit=1)
    try:
        run = finish_fast(alice, run)
    finally:
        identity.delete_limit(limit)
    # Nova answers 500 for that, and Cinder has made its snapshots by then.
    assert run.progress.failure == 'capture-failed'
    check_nothing_is_left(alice, run)
