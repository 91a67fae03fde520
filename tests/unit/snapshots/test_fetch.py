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

"""One snapshot, looked at."""

import pytest

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.snapshots import fetch


def test_a_snapshot_is_found_by_the_id_of_its_row(openstack):
    body = openstack.snapshot('v')
    found = fetch.snapshot(openstack.cloud(), f'volume-{body["id"]}')
    assert found.name == 'v'


@pytest.mark.parametrize('row_id', ['nonsense', 'volume-x', 'instance-x'])
def test_what_is_not_there_is_not_found(openstack, row_id):
    with pytest.raises(errors.NotFound):
        fetch.snapshot(openstack.cloud(), row_id)


def test_an_image_of_another_project_is_not_found(openstack):
    body = openstack.image('public', owner='another')
    with pytest.raises(errors.NotFound):
        fetch.snapshot(openstack.cloud(), f'instance-{body["id"]}')
