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

"""An instance snapshot is shared with another project, on a real cloud."""

import pytest

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.snapshots import commands
from snapshot_dashboard.snapshots import sharing
from tests.scenario.test_details import row_named
from tests.scenario.test_details import server_of


@pytest.fixture
def image(alice):
    """One that is not shared, before and after."""
    found = alice.images.image(row_named(alice, 'web-1-2026-01-15').id)
    yield found
    for member in sharing.members(alice, alice.images.image(found.id)):
        alice.images.remove_member(found.id, member.project_id)
    alice.images.set_properties(found.id, {'visibility': 'private'})


def test_the_other_project_accepts_it_and_launches_it(alice, carol, shells,
                                                      image):
    assert image.visibility == 'private'
    sharing.share(alice, image, carol.project_id)
    (member,) = alice.images.members(image.id)
    assert (member.project_id, member.status) == (
        carol.project_id, 'pending')
    shells.run(commands.accept(image.id), elsewhere=True)
    (member,) = alice.images.members(image.id)
    assert member.status == 'accepted'
    with server_of(carol, image):
        pass  # it was built there
    with pytest.raises(errors.Conflict):
        sharing.share(alice, alice.images.image(image.id), carol.project_id)
    alice.images.remove_member(image.id, carol.project_id)
    assert alice.images.members(image.id) == []
    with pytest.raises(errors.NotFound):
        carol.images.image(image.id)


def test_the_other_project_declines_it(alice, carol, image):
    sharing.share(alice, image, carol.project_id)
    assert image.id in [one.id for one in sharing.offered(carol)]
    carol.images.answer(image.id, carol.project_id, 'rejected')
    assert image.id not in [one.id for one in sharing.offered(carol)]
    (member,) = alice.images.members(image.id)
    assert member.status == 'rejected'
    sharing.stop_sharing(alice, alice.images.image(image.id),
                         carol.project_id)
    assert alice.images.image(image.id).visibility == 'private'


def test_a_set_is_refused_for_its_volume_snapshots(alice):
    row = row_named(alice, 'db-1-before-upgrade')
    assert sharing.refusal(alice.images.image(row.id)) is (
        sharing.Refusal.SET)


def test_a_reader_and_another_project_share_nothing(rita, carol, image):
    for cloud in (rita, carol):
        with pytest.raises((errors.Forbidden, errors.NotFound)):
            sharing.share(cloud, image, carol.project_id)
