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

"""A long list, in a real browser: pages, filters, sets, deletion, outages."""

import io
import signal

from playwright.sync_api import expect
import pytest

from tests.cloud import bootstrap
from tests.cloud import machine
from tests.cloud import processes
from tests.cloud import seed
from tests.scenario import clouds
from tests.scenario.conftest import tidy  # noqa: F401

#: Images are dear: Glance asks Keystone for its limits each time.
IMAGES, VOLUME_SNAPSHOTS = 30, 180


@pytest.fixture(scope='module')
def many(alice, where):
    """A few hundred snapshots of both kinds."""
    glance = bootstrap.connect(where, 'alice', seed.PROJECT).image
    volume = alice.find_volume('scratch')
    made = []
    for number in range(VOLUME_SNAPSHOTS):
        if number % 6 == 0:
            made.append(glance.create_image(
                name=f'many-{number:03}', data=io.BytesIO(b'disk'),
                disk_format='raw', container_format='bare',
                image_type='snapshot').id)
        alice.volumes.create_snapshot(volume.id, f'many-v{number:03}', '',
                                      {'many': 'yes'})
    assert len(made) == IMAGES
    yield
    for image_id in made:
        if not clouds.is_gone(lambda image_id=image_id: alice.images.image(
                image_id)):
            alice.images.delete(image_id)
    found = alice.volumes.snapshots(500, {'metadata': {'many': 'yes'}})
    assert found
    for snapshot in found:
        if snapshot.status in ('available', 'error'):
            alice.volumes.delete_snapshot(snapshot.id)


def shown(user):
    return user.page.locator(
        '#compute_snapshots .snapshot-name').all_inner_texts()


def test_pages_lead_to_the_end_and_back_with_nothing_twice(screen, many):
    user = screen()
    pages = [shown(user)]
    while user.page.locator('tfoot a', has_text='Next').count():
        user.follow(user.page.locator('tfoot a', has_text='Next'))
        pages.append(shown(user))
    names = sum(pages, [])
    ours = [name for name in names if name.startswith('many-')]
    assert len(ours) == len(set(ours)) == IMAGES + VOLUME_SNAPSHOTS
    assert len(pages) == -(-len(names) // 20) >= 10
    for page in reversed(pages[:-1]):
        user.follow(user.page.locator('tfoot a', has_text='Prev'))
        assert shown(user) == page
    assert user.errors == []


def test_filters_find_what_stands_on_another_page(screen, many):
    user = screen()
    page = user.page
    search = page.get_by_role('searchbox', name='Search by name or ID')
    search.fill('NY-000')
    search.press('Enter')
    expect(page.locator('.snapshot-chip')).to_have_text('Name or ID: NY-000')
    assert shown(user) == ['many-000']
    user.follow(page.get_by_role('link', name='Show All'))
    page.locator('.snapshot-more-filters summary').click()
    page.select_option('[name=kind]', 'volume')
    user.shoot('filters')
    user.follow(page.get_by_role('button', name='Filter', exact=True))
    user.follow(page.locator('th').get_by_role('link', name='Name'))
    names = shown(user)
    assert names == sorted(names, key=str.lower) and len(names) == 20
    user.shoot('filtered')
    assert user.errors == []


def test_the_snapshots_of_one_instance_are_a_click_away(screen, many):
    user = screen()
    user.page.goto(user.page.url + '?name=web-1-2026-01-15')
    user.follow(user.row('web-1-2026-01-15').locator('.snapshot-only'))
    names = shown(user)
    assert 'web-1-2026-01-15' in names
    assert not any(name.startswith('many') for name in names)


@pytest.mark.usefixtures('tidy')
def test_an_incomplete_set_is_named_above_the_list_and_opens(screen, alice,
                                                             drivers):
    name = clouds.unique('torn')
    with drivers.turned('volume.snapshot', error='full', only='db-data'):
        run = alice.finish(alice.begin(alice.find('db-1'), name))
    assert run.progress.failure == 'part-failed'
    user = screen()
    health = user.page.locator('.snapshot-health')
    expect(health).to_contain_text('1 incomplete')
    health.locator('summary').click()
    user.shoot('overview')
    user.follow(health.get_by_role('link', name=name))
    expect(user.page.locator('.snapshot-captured')).to_contain_text(
        'Not everything')
    user.open_panel()
    row = user.row(name)
    expect(row).to_contain_text('Incomplete')
    row.locator('summary').click()
    expect(row.locator('.snapshot-parts li').last).to_be_visible()
    expect(row.locator('.snapshot-parts')).to_contain_text('Error')
    assert user.errors == []


def test_a_part_does_not_go_before_its_set_is_given_up(screen, alice):
    user = screen()
    page, name = user.page, 'db-1-before-upgrade'
    page.goto(f'{page.url}?name={name}')
    row = user.row(name)
    row.locator('summary').click()
    part = row.locator('.snapshot-parts a').last
    user.follow(part)
    belongs = page.locator('.snapshot-belongs')
    expect(belongs).to_contain_text(name)
    address = page.url
    page.locator('.dropdown-toggle.btn').last.click()
    page.get_by_role('link', name='Delete Snapshot').click()
    dialog = page.locator('.modal-dialog')
    expect(dialog).to_contain_text('cannot be launched without it')
    expect(page.locator('.modal.in')).to_have_css('opacity', '1')
    user.shoot('needed')
    with page.expect_navigation():
        dialog.get_by_role('button', name='Delete').click()
    expect(page.locator('.alert-danger').first).to_contain_text(
        'you have not confirmed')
    user.page.goto(address)
    user.follow(belongs.get_by_role('link', name=name))
    expect(page.locator('.snapshot-detail-parts')).to_contain_text(
        'Available')
    assert user.errors == []


def test_both_kinds_are_deleted_at_once_after_the_plan(screen, many):
    user = screen()
    kinds = {'Instance', 'Volume'}
    rows = user.page.locator('#compute_snapshots > tbody > tr')
    delete = user.page.get_by_role('button', name='Delete Snapshots')
    expect(delete).to_be_disabled()
    names = []
    for number in range(rows.count()):
        row = rows.nth(number)
        said = row.locator('.snapshot-kind').inner_text().strip()
        kind = next((one for one in kinds if one == said), None)
        name = row.locator('.snapshot-name').inner_text()
        if kind and name.startswith('many-'):
            kinds.discard(kind)
            names.append(name)
            row.locator('.table-row-multi-select').check()
    assert not kinds
    expect(delete).to_be_enabled()
    user.page.get_by_role('button', name='Delete Snapshots').click()
    plan = user.page.locator('.snapshot-plan')
    for name in names:
        expect(plan).to_contain_text(name)
    user.shoot('delete')
    user.page.get_by_role('button', name='Delete', exact=True).click()
    expect(user.page.locator('.messages')).to_contain_text(
        'Deleting 2 snapshots')
    for name in names:
        expect(user.row(name)).to_have_count(0)
    assert user.errors == []


def test_without_cinder_the_images_are_there_with_one_notice(screen, where,
                                                             many):
    user = screen()
    processes.stop(where, 'cinder', signal.SIGKILL)
    try:
        user.open_panel()
        notices = user.page.locator('.messages .alert', has_text='Cinder')
        expect(notices).to_have_count(1)
        expect(user.row('many-102')).to_be_visible()
        user.shoot('without-cinder')
    finally:
        processes.start_service(where, 'cinder',
                                machine.services_venv(print))
        processes.wait_until_answering(where, 'cinder')
    user.open_panel()
    expect(user.page.locator('.messages .alert',
                             has_text='Cinder')).to_have_count(0)
