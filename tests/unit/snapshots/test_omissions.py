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

"""What a snapshot does not hold is noted when it is taken."""

import datetime

import pytest

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import limits
from snapshot_dashboard.cloud import types
from snapshot_dashboard.snapshots import omissions
from tests import fakes

NOW = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)
OWN = {marks.TAKEN: str(int(NOW.timestamp())),
       marks.INSTANCE: 's', marks.INSTANCE_ID: 's'}
IDS = tuple(fakes.new_id(number) for number in range(12))


def server(volumes=(), image=True, **flavor):
    return types.Server.from_api({
        'id': 's', 'name': 'web', 'image': {'id': 'i'} if image else '',
        'flavor': flavor, 'os-extended-volumes:volumes_attached': [
            {'id': volume} for volume in volumes]})


@pytest.mark.parametrize('found', [
    omissions.Omissions(), omissions.Omissions(20),
    omissions.Omissions(0, 512, True, IDS[:2]),
    omissions.Omissions(99999, 999999, True, IDS[:4], 96)])
def test_what_was_noted_is_read_again(found):
    written = omissions.write(found)
    assert all(0 < len(value) <= limits.VALUE_LENGTH
               for value in written.values())
    assert omissions.read({**OWN, **written}, NOW) == found


def test_of_many_volumes_some_are_named_and_the_others_counted():
    found = omissions.read({**OWN, **omissions.write(
        omissions.Omissions(volume_ids=IDS))}, NOW)
    assert found.volume_ids == IDS[:4] and found.volumes == 12


@pytest.mark.parametrize('text', [
    '', 'anything', 'ephemeral:', 'ephemeral:-1', 'ephemeral:x', 'volume:x',
    'nothing volume:1', '<b>', 'ephemeral:20 what', 'swap:99999999999'])
def test_what_cannot_be_read_is_not_known(text):
    assert omissions.read({**OWN, marks.LEFT_OUT: text}, NOW) is None


def test_what_was_inherited_is_not_known():
    later = NOW + datetime.timedelta(days=1)
    written = omissions.write(omissions.Omissions(20))
    assert omissions.read({**OWN, **written}, later) is None


def test_an_image_backed_instance_leaves_out_what_was_not_chosen():
    found = omissions.of(server(IDS[:3], ephemeral=20, swap=512), False,
                         IDS[1:2])
    assert found == omissions.Omissions(20, 512, False, (IDS[0], IDS[2]))


def test_a_volume_backed_one_leaves_out_no_volume():
    found = omissions.of(server(IDS[:3], image=False, ephemeral=20), True, ())
    assert found == omissions.Omissions(20)
