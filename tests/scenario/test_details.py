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

"""What the real services tell of one snapshot, and what was made from it."""

import contextlib

from snapshot_dashboard.snapshots import dependants
from snapshot_dashboard.snapshots import details
from tests.scenario.clouds import is_gone
from tests.scenario.clouds import unique
from tests.scenario.test_list_and_rights import everything
from tests.scenario.waiting import until


def row_named(cloud, name):
    (row,) = everything(cloud, name=name)
    return row


@contextlib.contextmanager
def made(thing, look, status):
    """Something, from the time on that it is ready, and gone after that."""
    try:
        until(lambda: look(thing.id).status == status, 'it is ready')
        yield thing
    finally:
        thing.delete()
        until(lambda: is_gone(lambda: look(thing.id)), 'it is gone')


def volume_of(cloud, snapshot_id):
    """A volume made from a volume snapshot."""
    return made(cloud.cinder.volumes.create(
        cloud.volumes.snapshot(snapshot_id).size_gib, name=unique('copy'),
        snapshot_id=snapshot_id), cloud.volumes.volume, 'available')


def server_of(cloud, image):
    """An instance launched from an image."""
    nova = cloud.nova
    flavor = next(flavor for flavor in nova.flavors.list()
                  if flavor.disk >= image.min_disk_gib)
    return made(nova.servers.create(
        unique('copy'), image=image.id, flavor=flavor, nics='none'),
        cloud.compute.server, 'ACTIVE')


def made_from(cloud, row):
    """What was made from one snapshot."""
    return dependants.find(cloud, [row])[row.row_id]


def test_an_instance_snapshot_tells_its_origin(alice):
    row = row_named(alice, 'web-1-2026-01-15')
    found = details.get(alice, row.row_id)
    assert found.base_image_name == 'Debian 13'
    assert found.user_id
    assert dict(found.properties)['instance_uuid'] == row.source.id
    assert found.min_disk_gib == alice.compute.server(
        row.source.id).root_gib


def test_a_volume_snapshot_tells_who_made_it(alice):
    row = row_named(alice, 'archive-2026-01')
    assert details.get(alice, row.row_id).user_id


def test_an_instance_launched_from_a_snapshot_is_found(alice):
    row = row_named(alice, 'web-1-2026-01-15')
    before = made_from(alice, row)
    with server_of(alice, alice.images.image(row.id)) as server:
        found = made_from(alice, row)
    assert [one.id for one in before.servers] == []
    assert [one.id for one in found.servers] == [server.id]
    assert found.problems == ()


def test_a_volume_made_from_a_part_of_a_set_is_found(alice):
    row = row_named(alice, 'db-1-before-upgrade')
    with volume_of(alice, row.parts[0].id) as volume:
        found = made_from(alice, row)
    assert [one.id for one in found.volumes] == [volume.id]


def test_a_volume_made_from_a_volume_snapshot_is_found(alice):
    row = row_named(alice, 'archive-2026-01')
    with volume_of(alice, row.id) as volume:
        found = made_from(alice, row)
    assert volume.id in [one.id for one in found.volumes]
