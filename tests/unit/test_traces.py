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
from snapshot_dashboard.boot_tests import boot_test
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.restores import circumstances
from snapshot_dashboard.runs import journal
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


def test_what_is_gone_meanwhile_is_gone(openstack, cloud):
    server = begin(openstack, cloud)
    end(server)
    trace, = traces.find(cloud)
    del openstack.servers[server['id']]
    assert traces.remove(cloud, trace)


def test_no_moment_of_a_removal_lets_a_run_begin_anew(openstack, cloud):
    """Whatever fails, and whoever looks: an ended run stays ended."""
    number = 0
    while True:
        server = begin(openstack, cloud)
        end(server)
        trace, = traces.find(cloud)
        openstack.fail_at = (len(openstack.calls) + number, 503)
        try:
            done = traces.remove(cloud, trace)
        except errors.ServiceError:
            done = False
        openstack.fail_at = None
        left = journal.read(cloud.compute.server(server['id']))
        assert left is None or not left.open, number
        assert traces.remove(cloud, trace)
        assert not server['metadata'] and not server['tags']
        del openstack.servers[server['id']]
        if done:
            break
        number += 1
    assert number > 5


def test_a_run_that_begins_while_another_ones_record_goes_is_kept(
        openstack, cloud):
    """After the reading, and before anything was removed."""
    server = begin(openstack, cloud)
    end(server)
    trace, = traces.find(cloud)
    server['metadata']['snapshot_dashboard.plan'] = server['metadata'][
        'snapshot_dashboard.plan'].replace('"id":"', '"id":"new')
    server['metadata']['snapshot_dashboard.ended_at'] = ''
    server['tags'].append(record.OPEN_TAG)
    before = dict(server['metadata'])
    with pytest.raises(traces.UnderWay):
        traces.remove(cloud, trace)
    assert server['metadata'] == before


@pytest.mark.parametrize('metadata, tags', [
    ({'snapshot_dashboard.plan': '{"v":99,"id":"r"}'}, []),
    ({'snapshot_dashboard.plan': 'nonsense'}, [record.TAG]),
    ({}, [record.OWED + 'a', record.OWED + 'b']),
    ({boot_test.PLAN: '{}'}, []), ({}, [record.TEST_TAG])])
def test_what_nobody_here_can_read_may_go_on(openstack, cloud, metadata, tags):
    server = openstack.server('web', metadata=dict(metadata), tags=list(tags))
    trace, = traces.find(cloud)
    assert trace.under_way
    assert traces.removable([trace], False) == []
    with pytest.raises(traces.UnderWay):
        traces.remove(cloud, trace)
    assert server['metadata'] == metadata and server['tags'] == tags


def test_names_that_only_begin_like_ours_are_others(openstack, cloud):
    openstack.server('web', metadata={'snapshot_dashboarding': 'x'},
                     tags=['snapshot-dashboards-of-mine'])
    openstack.image('i', snapshot_dashboards='x')
    openstack.snapshot('s', metadata={'snapshot_dashboarding': 'x'})
    assert traces.find(cloud) == []


def test_what_a_volume_says_of_its_image_goes_as_well(openstack, cloud):
    volume = openstack.volume('v', volume_image_metadata={
        circumstances.POINTER: 'r v', circumstances.KEPT: '{}', 'os': 'x'})
    trace, = traces.find(cloud)
    assert traces.remove(cloud, trace)
    assert volume['volume_image_metadata'] == {'os': 'x'}


@pytest.mark.parametrize('kind', ['snapshot', 'volume'])
def test_a_mark_that_others_take_away_meanwhile_is_gone_and_no_more(
        openstack, cloud, kind):
    body = getattr(openstack, kind)('it', metadata={
        'snapshot_dashboard_a': '1', 'snapshot_dashboard_b': '2'})
    trace, = traces.find(cloud)

    def take():
        body['metadata'].pop('snapshot_dashboard_a', None)
    openstack.meanwhile[
        'DELETE' if kind == 'snapshot' else 'PUT', '/metadata'] = take
    assert traces.remove(cloud, trace, with_marks=True)
    assert body['metadata'] == {}


def test_marks_stay_where_something_begins_meanwhile(openstack, cloud):
    image = openstack.image('i', **{marks.RUN: 'r'})
    trace, = traces.find(cloud)
    openstack.server('busy', tags=[record.RESTORING])
    with pytest.raises(traces.UnderWay):
        traces.remove(cloud, trace, with_marks=True)
    assert image[marks.RUN] == 'r'


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
