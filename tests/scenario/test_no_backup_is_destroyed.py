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
"""No way to a deletion breaks a set unnoticed; on the real services.

A set is what is left of a volume-backed instance: an image that maps volume
snapshots. Here it is renamed, copied and hidden, as users do it.
"""

import datetime

import pytest

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.snapshots import deletion
from snapshot_dashboard.snapshots import fetch
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import mappings
from snapshot_dashboard.snapshots import retention
from snapshot_dashboard.snapshots import sets
from snapshot_dashboard.snapshots import thinning
from snapshot_dashboard.snapshots.listing import pages
from tests.scenario.clouds import is_gone
from tests.scenario.clouds import unique
from tests.scenario.waiting import until


@pytest.fixture
def backup(alice, tidy):
    """The row of a set of db-1, that somebody has renamed."""
    run = alice.finish(alice.begin(alice.find('db-1'), unique('nightly')))
    alice.images.set_properties(run.progress.image_id, {
        'name': unique('ümbenannt "x"')})
    return row(alice, run.progress.image_id)


@pytest.fixture
def copy(alice, backup):
    """Another image that needs the same volume snapshots."""
    glance = alice.glance
    properties = alice.images.image(backup.id).own_properties
    _, made = glance.post('/v2/images', data={
        **{name: value for name, value in properties.items()
           if not name.startswith('os_')},
        'name': unique('copy'), 'disk_format': 'raw',
        'container_format': 'bare'})
    # An image without data becomes active by its mapping alone.
    glance.put(f'/v2/images/{made["id"]}/file', data=b'', headers={
        'Content-Type': 'application/octet-stream'})
    yield made['id']
    if not is_gone(lambda: alice.images.image(made['id'])):
        alice.images.delete(made['id'])


def row(cloud, image_id):
    return fetch.snapshot(cloud, f'instance-{image_id}')


def part_row(cloud, part):
    return fetch.snapshot(cloud, f'volume-{part.id}')


def delete(cloud, *rows, agreed=()):
    return [outcome for _, outcome in deletion.carry_out(
        cloud, deletion.plan(cloud, rows), agreed)]


def launches(alice, image_id):
    """Whether Nova makes an instance of an image, which is gone again."""
    nova = alice.nova
    flavor = next(flavor for flavor in nova.flavors.list()
                  if flavor.name == 'm1.tiny')
    server = nova.servers.create(unique('restored'), image_id, flavor,
                                 nics='none')
    try:
        return until(lambda: alice.compute.server(server.id).status in (
            'ACTIVE', 'ERROR') and alice.compute.server(server.id),
            'it is launched').status == 'ACTIVE'
    finally:
        volumes = alice.compute.server(server.id).volume_ids
        nova.servers.delete(server.id)
        until(lambda: is_gone(lambda: alice.compute.server(server.id)),
              'it is gone')
        for volume in volumes:
            if not is_gone(lambda volume=volume: alice.volumes.volume(
                    volume)):
                until(lambda volume=volume: alice.volumes.volume(
                    volume).status == 'available', 'its volume is free')
                alice.cinder.volumes.delete(volume)


@pytest.mark.parametrize('hidden', [False, True])
def test_a_part_that_is_opened_by_its_own_address_names_its_set(
        alice, backup, hidden):
    alice.images.set_properties(backup.id, {'os_hidden': hidden})
    for part in backup.parts:
        found = part_row(alice, part)
        assert [owner.id for owner in found.owners] == [backup.id]
        assert found.owners_known
        assert found.orphaned is sets.Orphaned.NO
        assert delete(alice, found) == [deletion.Hindrance.NEEDED]
        assert alice.volumes.snapshot(part.id).status == 'available'
    alice.images.set_properties(backup.id, {'os_hidden': False})
    assert launches(alice, backup.id)


def test_what_two_images_need_stays_until_the_last_one_goes(alice, backup,
                                                            copy):
    (entry,) = deletion.plan(alice, [backup]).entries
    assert {owner.id for owners in entry.needed.values()
            for owner in owners} == {copy} and not entry.going
    # A busy Glance may not tell at once, and then nothing goes.
    until(lambda: delete(alice, backup) == [[]], 'the first image goes')
    assert is_gone(lambda: alice.images.image(backup.id))
    for part in backup.parts:
        assert alice.volumes.snapshot(part.id).status == 'available'
    assert launches(alice, copy)
    assert delete(alice, row(alice, copy)) == [[]]
    for part in backup.parts:
        until(lambda part=part: is_gone(
            lambda: alice.volumes.snapshot(part.id)), 'the part is gone')


def test_in_bulk_nothing_breaks_that_is_not_chosen(alice, backup, copy):
    rows = [part_row(alice, part) for part in backup.parts]
    assert delete(alice, *rows) == [deletion.Hindrance.NEEDED] * len(rows)
    # With one of its two images chosen as well, the other one still counts.
    assert delete(alice, *rows, backup) == [
        *[deletion.Hindrance.NEEDED] * len(rows), []]
    assert launches(alice, copy)


def test_while_glance_is_silent_nothing_goes(alice, backup, dead):
    rows = [part_row(alice, part) for part in backup.parts]
    with dead('glance'):
        assert delete(alice, *rows, backup) == [
            deletion.Hindrance.NEEDS_UNKNOWN] * (len(rows) + 1)
    assert {alice.volumes.snapshot(part.id).status
            for part in backup.parts} == {'available'}
    assert launches(alice, backup.id)


def test_keep_last_n_leaves_the_parts_of_others_alone(alice, backup, copy):
    alice.finish(alice.begin(alice.find('db-1'), unique('newer')))
    found = thinning.find(alice, kinds.Kind.INSTANCE, alice.find('db-1').id,
                          datetime.date.today(), lambda row: True)
    old = [one.copy.thing.snapshot for one in retention.judge(
        found.copies, retention.Rules(last=1), datetime.UTC,
        datetime.datetime.now(datetime.UTC)) if not one.keep]
    assert not found.problems and backup.id in {one.id for one in old}
    assert all(outcome == [] for outcome in delete(
        alice, *(one for one in old if one.id != copy)))
    assert launches(alice, copy)


def test_a_run_that_tidies_up_leaves_what_an_image_needs(alice, backup):
    with pytest.raises(errors.ServiceError):
        alice.volumes.delete_snapshot('no-id')
    assert deletion.unneeded(
        alice, [part.id for part in backup.parts], [backup.id]) == [
            part.id for part in backup.parts]
    assert deletion.unneeded(
        alice, [part.id for part in backup.parts], []) == []


def test_the_list_calls_what_is_left_by_its_name_once_that_is_certain(
        alice, backup, monkeypatch):
    monkeypatch.setattr(sets, 'BEGUN_FOR', 0)
    alice.images.delete(backup.id)  # by Horizon's own page
    until(lambda: is_gone(lambda: alice.images.image(backup.id)), 'gone')
    mappings.Index(alice).update(9)
    # The index still names it; the page of a part finds that out.
    assert part_row(alice, backup.parts[0]).orphaned is sets.Orphaned.YES
    rows = {one.id: one for one in pages.fetch(alice, 100).rows}
    assert {rows[part.id].orphaned for part in backup.parts} == {
        sets.Orphaned.YES}
