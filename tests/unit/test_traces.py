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

"""What the plugin has left in a project is found, and removed on demand."""

import pytest

from snapshot_dashboard import marks
from snapshot_dashboard import traces
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.restores import circumstances
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import record
from tests import fakes

KINDS = traces.Kind


@pytest.fixture
def cloud(openstack):
    return openstack.cloud()


def begin(openstack, cloud, **options):
    body = openstack.server('web', **options)
    lifecycle.begin(
        cloud, cloud.compute.server(body['id']), lifecycle.new_plan(
            'nightly', '', requested_by='alice', server_id=body['id'],
            power_off=True, power_on=True))
    return body


def pointer(openstack, name='web v', **more):
    """What a volume is overwritten by."""
    return openstack.image(name, size=0, image_type=None, bdm_v2='True',
                           block_device_mapping='[]',
                           root_device_name='/dev/vda', **{
                               circumstances.POINTER: 'r v',
                               circumstances.KEPT: '{}', **more})


def end(body):
    """What a run that has ended looks like."""
    body['metadata']['snapshot_dashboard.ended_at'] = str(
        int(fakes.seconds(1)))
    body['tags'].remove(record.OPEN_TAG)


def by_name(found):
    return {trace.name: trace for trace in found}


def test_what_others_have_written_is_no_trace(openstack, cloud):
    openstack.server('web', metadata={'snapshot': 'x'}, tags=['dashboard'])
    openstack.image('i', instance_uuid=fakes.new_id())
    openstack.snapshot('s', metadata={'x_snapshot_dashboard': '1'})
    openstack.volume('v')
    openstack.image('theirs', owner='others', **{marks.RUN: 'r'})
    assert traces.find(cloud) == []


def test_each_kind_of_thing_tells_what_it_bears(openstack, cloud):
    end(begin(openstack, cloud))
    openstack.server('copy', tags=[f'{marks.COPY_OF}x', 'mine'])
    openstack.image('i', **{marks.RUN: 'r', f'{marks.RESTORE}': '{}'})
    openstack.image('hidden', os_hidden=True, **{marks.RUN: 'r'})
    openstack.snapshot('s', metadata={marks.TAKEN: '1', 'mine': 'x'})
    openstack.volume('v', metadata={
        'snapshot_dashboard_made_by': 'r', 'mine': 'x'})
    found = by_name(traces.find(cloud))
    assert {name: trace.kind for name, trace in found.items()} == {
        'web': KINDS.SERVER, 'copy': KINDS.SERVER, 'i': KINDS.IMAGE,
        'hidden': KINDS.IMAGE, 's': KINDS.VOLUME_SNAPSHOT, 'v': KINDS.VOLUME}
    assert len(found['web'].records) > 20 and not found['web'].marks
    assert found['web'].record_tags and not found['web'].under_way
    assert found['copy'].mark_tags == (f'{marks.COPY_OF}x',)
    assert found['i'].records == (marks.RESTORE,)
    assert found['i'].marks == (marks.RUN,)
    assert found['s'].marks == (marks.TAKEN,)
    assert found['v'].marks == ('snapshot_dashboard_made_by',)


def test_records_go_and_marks_stay_unless_all_is_to_go(openstack, cloud):
    server = begin(openstack, cloud)
    end(server)
    server['metadata']['mine'] = 'x'
    server['tags'] += ['mine', f'{marks.COPY_OF}x']
    image = openstack.image('i', **{marks.RUN: 'r', marks.RESTORE: '{}'})
    snapshot = openstack.snapshot('s', metadata={
        marks.TAKEN: '1', 'mine': 'x'})
    volume = openstack.volume('v', metadata={
        'snapshot_dashboard_made_by': 'r', 'mine': 'x'})
    found = traces.removable(traces.find(cloud), with_marks=False)
    assert set(by_name(found)) == {'web', 'i'}
    for trace in found:
        traces.remove(cloud, trace)
    assert server['metadata'] == {'mine': 'x'}
    assert set(server['tags']) == {'mine', f'{marks.COPY_OF}x'}
    assert image[marks.RUN] == 'r' and marks.RESTORE not in image
    for trace in traces.removable(traces.find(cloud), with_marks=True):
        traces.remove(cloud, trace, with_marks=True)
    assert traces.find(cloud) == []
    assert server['tags'] == ['mine'] and marks.RUN not in image
    assert snapshot['metadata'] == volume['metadata'] == {'mine': 'x'}
    assert openstack.images and openstack.snapshots


@pytest.mark.parametrize('busy', [
    {'tags': [record.RESTORING]}, {'tags': [record.RESTORING_ON]},
    {'tags': [record.SWITCHING]}, {'tags': [record.OPEN_TAG]},
    {'tags': [record.OWED + 'r']}])
def test_while_anything_goes_on_what_it_needs_stays(openstack, cloud, busy):
    openstack.server('busy', **busy)
    end(begin(openstack, cloud))
    points = pointer(openstack)
    openstack.image('i', **{marks.RUN: 'r'})
    openstack.volume('v', metadata={'snapshot_dashboard_made_by': 'r'})
    found = traces.find(cloud)
    assert by_name(found)['busy'].under_way
    assert set(by_name(traces.removable(found, False))) == {'web'}
    assert traces.removable(found, True) == []
    del openstack.servers[by_name(found)['busy'].id]
    for trace in traces.removable(traces.find(cloud), with_marks=False):
        traces.remove(cloud, trace)
    assert points['id'] not in openstack.images


def test_a_run_that_goes_on_is_left_alone_even_if_it_began_just_now(
        openstack, cloud):
    server = begin(openstack, cloud)
    end(server)
    trace, = traces.find(cloud)
    server['metadata']['snapshot_dashboard.ended_at'] = ''
    before = dict(server['metadata'])
    with pytest.raises(traces.UnderWay):
        traces.remove(cloud, trace)
    assert server['metadata'] == before


def test_an_image_that_records_what_goes_on_is_under_way(openstack, cloud):
    body = openstack.image('i')
    body[marks.RESTORE] = f'{{"home_id":"{body["id"]}"}}'
    trace, = traces.find(cloud)
    assert trace.under_way
    body[f'{marks.RESTORE_PROGRESS}ended_at'] = '1'
    trace, = traces.find(cloud)
    assert not trace.under_way


def test_no_snapshot_is_taken_for_a_record(openstack, cloud):
    ended = {marks.RESTORE: '{}', f'{marks.RESTORE_PROGRESS}ended_at': '1'}
    records = [
        openstack.image('alone', size=0, protected=True, image_type=None,
                        **ended), pointer(openstack)]
    kept = [
        openstack.image('full', **ended),
        openstack.image('other', size=0, **ended),
        # Nova copies what a root volume says of its image.
        openstack.set_image('root', [openstack.snapshot('part')], **{
            circumstances.POINTER: 'r v', circumstances.KEPT: '{}'}),
        pointer(openstack, base_image_ref='x'),
        pointer(openstack, name='mine')]
    for trace in traces.removable(traces.find(cloud), with_marks=False):
        traces.remove(cloud, trace)
    assert set(openstack.images) == {image['id'] for image in kept}
    assert len(records) == 2
    assert traces.find(cloud) == []


def test_what_is_gone_meanwhile_is_told_as_such(openstack, cloud):
    server = begin(openstack, cloud)
    end(server)
    trace, = traces.find(cloud)
    del openstack.servers[server['id']]
    with pytest.raises(errors.NotFound):
        traces.remove(cloud, trace)


def test_a_service_that_does_not_tell_is_not_taken_for_an_empty_one(
        openstack, cloud):
    openstack.faults['GET', '/snapshots/detail'] = 503
    with pytest.raises(errors.ServiceError):
        traces.find(cloud)


def test_a_cloud_without_cinder_is_cleaned_too(openstack):
    openstack.image('i', **{marks.RUN: 'r'})
    endpoints = {name: url for name, url in fakes.ENDPOINTS.items()
                 if name != 'volume'}
    assert len(traces.find(openstack.cloud(endpoints))) == 1
