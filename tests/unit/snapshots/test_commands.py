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

"""The commands that take a snapshot along are right for each snapshot."""

import shlex

import pytest

from snapshot_dashboard.snapshots import commands
from snapshot_dashboard.snapshots import details

HOSTILE = "x'; rm -rf ~ #\n$(reboot)\x1b[201~\u202e"
#: The same as it is printed: nothing of it is for the terminal.
SHOWN = "x'; rm -rf ~ # $(reboot) [201~"


def pieces(openstack, body):
    kind = 'volume' if 'volume_id' in body else 'instance'
    return commands.pieces(details.get(openstack.cloud(),
                                       f'{kind}-{body["id"]}'))


def upload(piece):
    (command,) = [one for one in piece.commands
                  if one.what is commands.What.UPLOAD]
    assert command.elsewhere
    return shlex.split(command.text)


def values(words, option):
    return [words[number + 1] for number, word in enumerate(words)
            if word == option]


def test_an_image_is_downloaded_as_it_is(openstack):
    body = openstack.image('nightly', disk_format='raw')
    (piece,) = pieces(openstack, body)
    download = piece.commands[0]
    assert download.text == (
        f'openstack image save --file nightly.raw {body["id"]}')
    assert values(upload(piece), '--disk-format') == ['raw']


def test_what_a_guest_needs_comes_along_and_nothing_else(openstack):
    body = openstack.image(
        'nightly', min_disk=10, min_ram=512, hw_qemu_guest_agent='yes',
        os_type='linux', architecture='x86_64', base_image_ref='b',
        user_id='u', os_hash_algo='sha512', os_glance_import='x',
        img_signature='s', snapshot_dashboard_run='r', owner_user_name='a')
    (piece,) = pieces(openstack, body)
    words = upload(piece)
    assert set(values(words, '--property')) == {
        'hw_qemu_guest_agent=yes', 'os_type=linux', 'architecture=x86_64'}
    assert values(words, '--min-disk') == ['10']
    assert values(words, '--min-ram') == ['512']


@pytest.mark.parametrize('kind', ['image', 'snapshot'])
def test_hostile_names_stay_words(openstack, kind):
    fields = {'os_distro': HOSTILE,
              'os_type': SHOWN} if kind == 'image' else {}
    (piece,) = pieces(openstack, getattr(openstack, kind)(HOSTILE, **fields))
    words = upload(piece)
    assert words[-2:] == ['--', SHOWN]
    if fields:
        assert values(words, '--property') == [f'os_type={SHOWN}']
        assert piece.left_out == ('os_distro',)
    (file,) = values(words, '--file')
    assert file.startswith('x-rm-') and set("'; $(\n").isdisjoint(file)


def test_a_name_of_nothing_but_signs_still_gives_a_file(openstack):
    (piece,) = pieces(openstack, openstack.image('../..'))
    (file,) = values(upload(piece), '--file')
    assert file == 'snapshot.raw'


def test_a_volume_snapshot_becomes_an_image_and_a_volume_again(openstack):
    body = openstack.snapshot('weekly', size=7)
    (piece,) = pieces(openstack, body)
    assert [one.what for one in piece.commands] == [
        commands.What.EXPORT, commands.What.UPLOAD, commands.What.VOLUME]
    assert f'--snapshot {body["id"]} --size 7 ' in piece.commands[0].text
    assert shlex.split(piece.commands[2].text)[-5:] == [
        '--image=weekly', '--size', '7', '--', 'weekly']


def test_of_a_set_the_root_is_to_boot_and_the_others_are_volumes(openstack):
    body = openstack.set_image('db', [
        openstack.snapshot('root', size=10),
        openstack.snapshot('data', size=8)], os_type='linux')
    root, data = pieces(openstack, body)
    assert (root.name, root.boot, data.name, data.boot) == (
        'db', True, 'db-1', False)
    assert [one.what for one in root.commands] == [
        commands.What.EXPORT, commands.What.UPLOAD]
    assert values(upload(root), '--min-disk') == ['10']
    assert values(upload(root), '--property') == ['os_type=linux']
    assert not values(upload(data), '--property')


def test_chosen_volumes_come_after_the_image_of_the_root(openstack):
    part = openstack.snapshot('part')
    server = openstack.server('web')
    body = openstack.image(
        'web', instance_uuid=server['id'],
        snapshot_dashboard_instance=server['id'],
        snapshot_dashboard_taken='1772366400',
        snapshot_dashboard_parts=part['id'])
    root, data = pieces(openstack, body)
    assert root.commands[0].what is commands.What.DOWNLOAD and root.boot
    assert data.commands[0].what is commands.What.EXPORT
    assert (root.name, data.name) == ('web', 'web-1')


@pytest.mark.parametrize('name', ['n' * 255, 'ä' * 255, '-', 'a/b'])
def test_no_two_files_and_no_two_images_have_one_name(openstack, name):
    body = openstack.set_image(name, [
        openstack.snapshot(f'p-{number}') for number in range(6)])
    found = pieces(openstack, body)
    files = [values(upload(piece), '--file')[0] for piece in found]
    assert len(set(files)) == len(files) == 6
    assert len({piece.name for piece in found}) == 6
    assert max(len(piece.name) for piece in found) <= 255
    for piece in found:
        export, = (one.text for one in piece.commands
                   if one.what is commands.What.EXPORT)
        assert shlex.quote(values(upload(piece), '--file')[0]) in export


def test_what_is_encrypted_is_not_taken_along(openstack):
    locked = openstack.volume('secret', encrypted=True)
    body = openstack.set_image('db', [
        openstack.snapshot('root', volume_id=openstack.volume('r')['id']),
        openstack.snapshot('data', volume_id=locked['id'])])
    root, data = pieces(openstack, body)
    assert root.commands and root.encrypted is False
    assert not data.commands and data.encrypted
    (alone,) = pieces(openstack, openstack.snapshot(
        'alone', volume_id=locked['id']))
    assert not alone.commands and alone.encrypted


def test_whether_it_is_encrypted_may_be_unknown(openstack):
    (piece,) = pieces(openstack, openstack.snapshot('v'))
    assert piece.commands and piece.encrypted is None


def test_what_is_not_whole_cannot_be_taken_along(openstack):
    assert pieces(openstack, openstack.image('i', status='saving')) == []
    broken = openstack.set_image('db', [
        openstack.snapshot('root', status='error')])
    assert pieces(openstack, broken) == []
