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

"""A snapshot is taken along by the commands that its page prints."""

import dataclasses

import pytest

from snapshot_dashboard.snapshots import commands
from snapshot_dashboard.snapshots import details
from tests.scenario.clouds import unique
from tests.scenario.test_details import row_named
from tests.scenario.test_details import server_of
from tests.scenario.waiting import until

pytestmark = pytest.mark.usefixtures('tidy')


@pytest.fixture(autouse=True)
def nothing_stays(alice, carol):
    """Takes away what a test that failed has left on its way."""
    before = {cloud: things(cloud) for cloud in (alice, carol)}
    yield
    for cloud, (images, volumes) in before.items():
        now = things(cloud)
        for image_id in now[0] - images:
            cloud.images.delete(image_id)
        for volume_id in now[1] - volumes:
            cloud.cinder.volumes.delete(volume_id)


def things(cloud):
    """The ids of a project's images and volumes."""
    return ({image.id for image in cloud.images.images(
                1000, {'owner': cloud.project_id})},
            {volume.id for volume in cloud.cinder.volumes.list()})


def image_named(cloud, name):
    (image,) = cloud.images.images(2, {'owner': cloud.project_id,
                                       'name': f'eq:{name}'})
    return image


def renamed(alice, name, new):
    """A snapshot of the sample data under a name that nobody else uses."""
    found = details.get(alice, row_named(alice, name).row_id)
    snapshot = dataclasses.replace(found.snapshot, name=new)
    return dataclasses.replace(found, snapshot=snapshot)


def test_an_image_boots_where_the_commands_bring_it(alice, carol, shells):
    # A name that a shell would take for something else.
    name = unique("it's $HOME; -- `x`")
    found = renamed(alice, 'web-1-2026-01-15', name)
    (piece,) = commands.pieces(found)
    for command in piece.commands:
        shells.run(command.text, command.elsewhere)
    image = image_named(carol, name)
    assert image.status == 'active'
    assert image.min_disk_gib == found.min_disk_gib
    original = alice.images.image(found.snapshot.id)
    assert image.size_bytes == original.size_bytes
    assert image.properties['os_hash_value'] == (
        original.properties['os_hash_value'])
    with server_of(carol, image):
        pass  # it was built


def test_the_volumes_of_a_set_come_along_one_by_one(alice, carol, shells):
    # Long, and of what a terminal would obey.
    name = unique('long ' * 40 + "it's $HOME\x1b[31m\n")
    found = renamed(alice, 'db-1-before-upgrade', name)
    volumes = len(alice.cinder.volumes.list())
    root, data = commands.pieces(found)
    assert root.boot and not data.boot
    for piece in (root, data):
        for command in piece.commands:
            shells.run(command.text, command.elsewhere)
    # What they needed meanwhile is gone.
    until(lambda: len(alice.cinder.volumes.list()) == volumes,
          'the volumes in between are gone')
    image = image_named(carol, root.name)
    assert image.min_disk_gib == root_size(found) and image.size_bytes
    with server_of(carol, image):
        pass
    (volume,) = [one for one in carol.cinder.volumes.list()
                 if one.name == data.name]
    until(lambda: carol.volumes.volume(volume.id).status == 'available',
          'the volume is made')


def root_size(found):
    return found.snapshot.root.size_gib
