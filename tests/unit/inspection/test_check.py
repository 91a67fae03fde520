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

"""The bytes of an image are looked at, and what they say is noted on it."""

import datetime

import pytest

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.inspection import check
from snapshot_dashboard.inspection import file_systems
from tests.unit.inspection import images

NOW = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)


@pytest.fixture
def checked(openstack):
    """Checks an image with such data; its image and the report."""
    def checker(content, **fields):
        body = openstack.image('i', size=len(content), **{
            'disk_format': 'raw', 'os_hash_value': 'a' * 128, **fields})
        openstack.data[body['id']] = content
        cloud = openstack.cloud()
        image = cloud.images.image(body['id'])
        assert check.can_check(image)
        report = check.check(cloud, image, NOW)
        return cloud.images.image(body['id']), report
    return checker


@pytest.mark.parametrize(('content', 'verdict'), [
    (images.ext(), file_systems.State.CLEAN),
    (images.ext(incompatible=0x44), file_systems.State.REPLAY),
    # The worst of them counts; swap and a boot partition do not matter.
    (images.with_gpt(images.ext(), images.ext(state=3),
                     images.ext(incompatible=0x44)),
     file_systems.State.ERRORS),
    (images.with_gpt(images.ext(), bytes(4086) + b'SWAPSPACE2'),
     file_systems.State.CLEAN),
    # Where one does not say, nothing is said of all.
    (images.with_gpt(images.ext(), b'XFSB'.ljust(5000, b'\0')),
     file_systems.State.UNKNOWN),
    (b'\1' * 9000, file_systems.State.UNKNOWN)])
def test_the_verdict_is_that_of_the_worst_and_stands_on_the_image(
        checked, content, verdict):
    image, report = checked(content)
    assert report.verdict is verdict
    assert check.read(image) == report


def test_what_is_not_all_looked_at_is_not_called_clean(checked):
    content = images.with_gpt(images.ext(), b'\1' * 5000)
    assert checked(content)[1].verdict is file_systems.State.UNKNOWN
    logical = bytearray(images.with_old_table(images.ext(), bytes(5000)))
    logical[446 + 16 + 4] = 0x05
    assert checked(bytes(logical))[1].verdict is file_systems.State.UNKNOWN


def test_another_format_is_unknown_and_that_is_not_noted(checked):
    image, report = checked(images.ext(), disk_format='vmdk', **{
        check.CHECKED: 'errors 5 aaaaaaaaaaaaaaaa'})
    assert report.verdict is file_systems.State.UNKNOWN
    assert check.read(image).verdict is file_systems.State.ERRORS


def test_a_part_from_elsewhere_is_not_taken_for_what_was_asked(openstack,
                                                               checked):
    openstack.part_from = '4096'
    assert checked(images.ext())[1].verdict is file_systems.State.UNKNOWN


@pytest.mark.parametrize('ranges', [200, 400])
def test_a_store_that_gives_no_parts_is_read_from_the_beginning_or_not(
        openstack, checked, ranges):
    openstack.ranges = ranges
    openstack.calls.clear()
    expected = (file_systems.State.CLEAN if ranges == 200
                else file_systems.State.UNKNOWN)
    assert checked(images.ext())[1].verdict is expected
    assert len([path for _, path, _ in openstack.calls
                if path.endswith('/file')]) == 1


def test_far_from_the_beginning_such_a_store_is_not_read(openstack, checked):
    openstack.ranges = 200
    content = images.with_old_table(bytes(5 * 1024 ** 2), images.ext())
    assert checked(content)[1].verdict is file_systems.State.UNKNOWN


def test_a_service_that_fails_is_told_and_nothing_is_noted(openstack,
                                                           checked):
    openstack.faults['GET', '/file$'] = 503
    with pytest.raises(errors.Unavailable):
        checked(images.ext())
    assert openstack.writes() == []


def test_an_heir_with_other_data_does_not_bear_the_verdict(openstack,
                                                           checked):
    image, _ = checked(images.ext())
    heir = openstack.image('heir', os_hash_value='b' * 128, **{
        check.CHECKED: image.properties[check.CHECKED]})
    assert check.read(openstack.cloud().images.image(heir['id'])) is None


@pytest.mark.parametrize('noted', [
    '', 'clean', 'clean x aaaaaaaaaaaaaaaa', 'spotless 5 aaaaaaaaaaaaaaaa',
    'clean 99999999999999999999 aaaaaaaaaaaaaaaa'])
def test_a_note_that_makes_no_sense_says_nothing(openstack, noted):
    body = openstack.image('i', os_hash_value='a' * 128,
                           **{check.CHECKED: noted})
    assert check.read(openstack.cloud().images.image(body['id'])) is None


@pytest.mark.parametrize('fields', [
    {'status': 'saving'}, {'size': 0}, {'os_hash_value': '', 'checksum': ''}])
def test_what_has_no_data_is_not_looked_at(openstack, fields):
    body = openstack.image('i', **{'size': 5, 'os_hash_value': 'a' * 128,
                                   **fields})
    assert not check.can_check(openstack.cloud().images.image(body['id']))
