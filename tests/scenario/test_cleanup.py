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

"""The command that removes what the plugin has left."""

import os
import subprocess
import sys

import pytest

from snapshot_dashboard import marks
from snapshot_dashboard import traces
from snapshot_dashboard.restores import circumstances
from snapshot_dashboard.runs import reconcile
from snapshot_dashboard.snapshots import details
from tests.cloud import seed
from tests.cloud import site
from tests.scenario import clouds
from tests.scenario.clouds import unique

pytestmark = pytest.mark.usefixtures('tidy')


@pytest.fixture
def clean(where):
    """Runs the command; its exit code and what it said."""
    def run(*arguments, **environment):
        done = subprocess.run(
            [sys.executable, '-m', 'snapshot_dashboard.worker.cleanup',
             *arguments], text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, 'OS_AUTH_URL': where.auth_url,
                 'OS_USERNAME': 'alice', 'OS_PASSWORD': site.PASSWORD,
                 'OS_USER_DOMAIN_ID': 'default',
                 'OS_PROJECT_DOMAIN_ID': 'default',
                 'OS_PROJECT_NAME': seed.PROJECT, **environment})
        assert 'Traceback' not in done.stdout, done.stdout
        return done.returncode, done.stdout
    return run


def test_records_are_listed_and_removed_and_no_run_is_harmed(
        alice, victim, clean, drivers):
    run = clouds.powered_off(alice, victim, drivers)
    code, said = clean()
    assert code == 0
    assert f'instance {victim.id}' in said and 'under way' in said
    code, said = clean('--remove', 'records')
    assert code == 1
    assert 'Something is under way' in said
    assert clean('--remove', 'all')[0] == 1
    run = alice.finish(reconcile.advance(alice, run))
    assert not run.progress.failure
    assert alice.compute.server(victim.id).status == 'ACTIVE'
    code, said = clean('--remove', 'records')
    assert code == 0, said
    server = alice.compute.server(victim.id)
    assert not server.metadata and not server.tags
    # What the panel knows of the snapshot stays.
    image = alice.images.image(run.progress.image_id)
    assert marks.trusted(image.properties, image.created)[marks.RUN]
    assert 'records' not in clean()[1]


def test_marks_are_removed_from_each_kind_of_thing(alice):
    server = alice.find('db-1')
    run = alice.finish(alice.begin(server, unique('whole')))
    assert not run.progress.failure
    found = details.get(alice, f'instance-{run.progress.image_id}').snapshot
    ours = {found.id, *(part.id for part in found.parts)}
    assert len(ours) > 1
    volume = alice.cinder.volumes.create(
        1, name=unique('made'), metadata={
            'snapshot_dashboard_made_by': 'r', 'mine': 'x'})
    here = [trace for trace in traces.find(alice)
            if trace.id in {*ours, volume.id}]
    assert len(here) == len(ours) + 1
    for trace in here:
        traces.remove(alice, trace, with_marks=True)
    assert not [trace for trace in traces.find(alice)
                if trace.id in {*ours, volume.id}]
    assert alice.cinder.volumes.get(volume.id).metadata == {'mine': 'x'}
    assert len(details.get(alice, found.row_id).snapshot.parts) == len(
        found.parts)
    alice.cinder.volumes.delete(volume.id)
    clouds.delete_snapshots(alice, found)


def test_images_that_are_records_alone_are_removed_and_no_snapshot_is(alice):
    ended = {marks.RESTORE: '{}', f'{marks.RESTORE_PROGRESS}ended_at': '1'}
    pointing = {circumstances.POINTER: 'r v', circumstances.KEPT: '{}',
                'bdm_v2': 'True', 'block_device_mapping': '[]',
                'root_device_name': '/dev/vda'}
    records = {alice.images.create_pointer(unique('record'), ended),
               alice.images.create_pointer(f'{unique("web")} v', pointing)}
    snapshot = alice.images.create_pointer(f'{unique("web")} v', {
        **pointing, marks.IMAGE_TYPE: 'snapshot'})
    for trace in traces.find(alice):
        if trace.id in {*records, snapshot}:
            traces.remove(alice, trace)
    there = {image.id for image in alice.images.images(1000, {
        'owner': alice.project_id})}
    assert snapshot in there and not records & there
    alice.images.delete(snapshot)


@pytest.mark.parametrize(('wrong', 'said'), [
    ({'OS_PASSWORD': 'guessed'}, 'Nothing was looked at or removed'),
    ({'OS_PROJECT_NAME': ''}, 'names no project'),
    ({'OS_CLOUD': 'nowhere'}, 'Cloud nowhere was not found')])
def test_a_wrong_account_is_told(clean, wrong, said):
    code, told = clean(**wrong)
    assert code in (1, os.EX_CONFIG)
    assert said in told and site.PASSWORD not in told


def test_a_reader_may_look_and_remove_nothing(alice, clean, victim):
    alice.finish(alice.begin(victim, unique('whole')))
    assert f'instance {victim.id}' in clean(OS_USERNAME='rita')[1]
    code, said = clean('--remove', 'records', OS_USERNAME='rita')
    assert code == 1
    assert f'Not removed: instance {victim.id}' in said
    assert alice.compute.server(victim.id).metadata
