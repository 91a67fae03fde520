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

"""A snapshot as a user sees it."""

import dataclasses
import datetime

import pytest

from snapshot_dashboard.cloud import types
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.snapshots import statuses
from tests import fakes

S, T = (f'00000000-0000-4000-8000-00000000000{end}' for end in 'ab')
CREATED = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)


def image(**properties):
    return types.Image('i', 'name', 'active', CREATED, 100, 'p',
                       False, 1, properties)


@pytest.mark.parametrize('mapping', [
    '', 'null', '{}', '[1]', '["a"]', '[{"volume_size": "x", "source_type": '
    '"snapshot"}]', '{"a": 1}', 'not json', '[null]', '5',
    '[{"source_type": "snapshot", "snapshot_id": ["x"]}]',
    '[{"source_type": "snapshot", "snapshot_id": "detail"}]',
    '[' * 100000])
def test_a_mapping_that_cannot_be_read_counts_as_none(mapping):
    assert image(block_device_mapping=mapping).disks == ()


def test_the_whole_mapping_is_read_not_its_first_entry():
    mapping = ('[{"source_type": "blank", "volume_size": 20},'
               ' {"source_type": "snapshot", "snapshot_id":'
               f' "{S}", "boot_index": 0, "volume_size": 3,'
               '  "device_name": "/dev/vda"}]')
    assert image(block_device_mapping=mapping).disks == (
        types.MappedDisk(S, 3, '/dev/vda', True),)


def test_the_size_of_a_volume_backed_snapshot_is_the_sum_of_its_parts():
    mapping = ('[{"source_type": "snapshot", "snapshot_id":'
               f' "{S}", "volume_size": 3, "boot_index": 0}},'
               ' {"source_type": "snapshot",'
               f' "snapshot_id": "{T}", "volume_size": 4}}]')
    row = model.from_image(image(block_device_mapping=mapping), {})
    assert row.size_bytes == 7 * model.GIB
    local = model.from_image(image(block_device_mapping=mapping.replace(
        '"boot_index": 0', '"boot_index": null')), {})
    assert local.size_bytes == 7 * model.GIB + 100 and not (
        local.volume_backed)


@pytest.mark.parametrize('image_status, parts, status', [
    ('active', ['available', 'available'], 'active'),
    ('active', ['available', 'creating'], 'creating'),
    ('active', ['error', 'creating'], 'incomplete'),
    ('active', ['deleted'], 'incomplete'),
    ('active', [None], 'active'),
    ('queued', ['error'], 'queued'),
])
def test_the_status_of_a_set_tells_of_its_parts(image_status, parts, status):
    row = model.from_image(image(), {})
    row = dataclasses.replace(
        row, service_status=image_status, parts=tuple(
            model.Part('p', '', part, 1, '', False) for part in parts))
    assert row.status == status


def test_every_status_of_both_services_is_known():
    glance = {'queued', 'saving', 'uploading', 'importing', 'active',
              'deactivated', 'killed', 'deleted', 'pending_delete'}
    cinder = {'creating', 'available', 'backing-up', 'deleting', 'error',
              'deleted', 'unmanaging', 'restoring', 'error_deleting'}
    assert glance | cinder <= set(statuses.MOTIONS)


def test_an_unknown_status_is_final_so_that_nobody_polls_for_ever():
    assert statuses.motion('hibernating') is statuses.Outcome.DONE


@pytest.mark.parametrize('row_id', ['', 'instance', 'instance-', 'disk-1',
                                    '-', 'x', 'instance-i', 'instance-../x'])
def test_what_is_no_row_id_is_refused(row_id):
    with pytest.raises(ValueError):
        model.parse_row_id(row_id)


def test_a_row_id_tells_the_service_and_its_id():
    service_id = fakes.new_id()
    row = model.from_image(dataclasses.replace(image(), id=service_id), {})
    assert model.parse_row_id(row.row_id) == (kinds.Kind.INSTANCE, service_id)
