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

"""What a user does, from signing in to the finished snapshot."""

import re

from playwright.sync_api import expect

from tests.scenario import clouds
from tests.scenario import waiting


def test_the_panel_is_found_in_the_menu(screen):
    alice = screen()
    link = alice.page.get_by_role('link', name='Snapshots', exact=True)
    expect(link.first).to_be_visible()
    expect(alice.page.get_by_role('heading', level=1)).to_have_text(
        'Snapshots')


def test_the_list_shows_both_kinds_and_opens_a_set(screen):
    alice = screen()
    for name, kind in (('archive-2026-01', 'Volume'),
                       ('web-1-2026-01-15', 'Instance')):
        expect(alice.row(name).locator('.snapshot-kind')).to_have_text(kind)
    expect(alice.row('retired-1-final')).to_contain_text('(deleted)')
    expect(alice.row('scratch-broken')).to_contain_text('Error')
    database = alice.row('db-1-before-upgrade')
    expect(database.locator('li').first).to_be_hidden()
    database.locator('summary').click()
    expect(database.locator('li').first).to_contain_text('root disk')
    expect(database.locator('.snapshot-parts li')).to_have_count(2)
    alice.shoot('list')
    assert alice.errors == []


def test_the_wizard_powers_off_captures_and_powers_on(screen, alice,
                                                      drivers):
    user = screen()
    page = user.page
    user.open_wizard('web-1')
    expect(page.locator('.snapshot-ephemeral')).to_contain_text(
        re.compile(r'Ephemeral disk, 20 GiB: not\s+captured'))
    expect(page.locator('.snapshot-disks tbody tr')).to_have_count(4)
    user.shoot('wizard-what')
    user.next_step('[data-power-fields]')
    expect(page.locator('[name=power_off]')).to_be_checked()
    expect(page.locator('[name=power_on]')).to_be_checked()
    user.shoot('wizard-how')
    user.next_step('.workflow [name=name]')
    name = clouds.unique('by-hand')
    page.fill('.workflow [name=name]', name)
    expect(page.locator('[data-facts-summary]')).to_contain_text(
        'Ephemeral disk')
    user.shoot('wizard-details')
    drivers.turn('server.upload', hold=True)
    page.click('.button-final')
    run = user.run(name)
    now = run.locator('[data-run-now]')
    expect(now).to_have_attribute('data-run-now', 'Saving the snapshot')
    expect(user.row(name)).to_contain_text('Saving')
    assert alice.find('web-1').status == 'SHUTOFF'
    user.shoot('run')
    drivers.turn('server.upload')
    expect(now).to_have_attribute('data-run-now', 'Finished')
    expect(user.row(name)).to_contain_text('Active')
    expect(page.locator('[data-runs-announcement]')).to_contain_text(
        'Finished')
    assert alice.find('web-1').status == 'ACTIVE'
    user.shoot('finished')
    user.dismiss_all()
    expect(run).to_have_count(0)
    assert user.errors == []


def test_a_chosen_volume_is_captured_with_the_instance(screen, alice):
    user = screen()
    page = user.page
    user.open_wizard('web-1')
    box = page.get_by_label('Capture it too, as a volume snapshot: ')
    box.check()
    user.next_step('[data-power-fields]')
    expect(page.locator('[name=if_forced]')).to_be_visible()
    user.next_step('.workflow [name=name]')
    name = clouds.unique('both')
    page.fill('.workflow [name=name]', name)
    expect(page.locator('[data-if-chosen]')).to_be_visible()
    expect(page.locator('[data-unless-chosen]')).to_be_hidden()
    page.click('.button-final')
    expect(user.run(name).locator('[data-run-now]')).to_have_attribute(
        'data-run-now', 'Finished')
    expect(user.row(name)).to_have_count(1)
    expect(user.row(name)).to_contain_text('with 1 volume snapshot')
    expect(user.row(name)).to_contain_text('Powered off')
    assert alice.find('web-1').status == 'ACTIVE'
    user.shoot('both')
    user.dismiss_all()
    assert user.errors == []


def test_a_template_comes_with_a_list_of_what_to_do_before(screen, alice):
    user = screen()
    page = user.page
    user.open_wizard('batch-1')
    expect(page.locator('.snapshot-checklist')).to_be_hidden()
    page.select_option('[name=purpose]', label='Template for new machines')
    expect(page.locator('.snapshot-checklist')).to_contain_text('machine-id')
    user.shoot('template')
    user.choose_source('archive')
    expect(page.locator('.snapshot-volume')).to_be_visible()
    # A volume is no machine that could be a template.
    expect(page.locator('[name=purpose]')).to_have_value('')
    assert user.errors == []


def test_older_snapshots_are_offered_for_deletion_afterwards(screen, alice):
    user = screen()
    page = user.page
    server = alice.find('batch-1')
    older = clouds.unique('older')
    alice.finish(alice.begin(server, older, power_off=False))
    user.open_wizard('batch-1')
    user.next_step('.workflow [name=name]')
    newer = clouds.unique('newer')
    page.fill('.workflow [name=name]', newer)
    page.select_option('.workflow [name=keep]', '1')
    page.click('.button-final')
    expect(user.run(newer).locator('[data-run-now]')).to_have_attribute(
        'data-run-now', 'Finished')
    user.shoot('finished-keep')
    user.follow(user.run(newer).locator('.snapshot-older'))
    expect(page.locator('.snapshot-plan')).to_contain_text(older)
    expect(page.locator('.snapshot-plan')).not_to_contain_text(newer)
    user.shoot('plan')
    with page.expect_navigation():
        page.locator('#content_body input[type=submit]').click()
    expect(user.row(older)).to_have_count(0)
    expect(user.row(newer)).to_have_count(1)
    user.dismiss_all()
    assert user.errors == []


def test_a_volume_is_captured_while_its_instance_is_off(screen, alice):
    user = screen()
    page = user.page
    user.open_wizard('web-data', shows='.snapshot-volume')
    expect(page.locator('[data-facts-disks]')).to_contain_text(
        'web-1 (Active)')
    user.next_step('[data-power-fields]')
    expect(page.locator('[data-facts-how]')).to_contain_text(
        'as after a power failure')
    user.shoot('volume-how')
    page.locator('label[for=id_power_off]').last.click()
    expect(page.locator('[name=power_on]')).to_be_checked()
    user.next_step('.workflow [name=name]')
    expect(page.locator('.workflow [name=name]')).to_have_value(
        re.compile('^web-data-'))
    name = clouds.unique('upgrade')
    page.fill('.workflow [name=name]', name)
    expect(page.locator('li[data-summary-off]').first).to_be_visible()
    page.click('.button-final')
    expect(user.run(name).locator('[data-run-now]')).to_have_attribute(
        'data-run-now', 'Finished')
    expect(user.row(name).locator('.snapshot-kind')).to_have_text('Volume')
    expect(user.row(name)).to_contain_text('Powered off')
    assert alice.find('web-1').status == 'ACTIVE'
    user.dismiss_all()
    assert user.errors == []


def test_a_volume_of_no_instance_is_captured_at_once(screen):
    user = screen()
    page = user.page
    user.open_wizard('archive', shows='.snapshot-volume')
    expect(page.locator('[data-facts-disks]')).to_contain_text('No instance')
    # There is nothing to choose about power.
    user.next_step('.workflow [name=name]')
    expect(page.locator('[data-facts-folded]')).to_contain_text(
        'not attached to an instance')
    page.click('.button-previous')
    expect(page.locator('[name=source]')).to_be_visible()
    user.next_step('.workflow [name=name]')
    name = clouds.unique('rest')
    page.fill('.workflow [name=name]', name)
    page.click('.button-final')
    expect(user.row(name)).to_contain_text('Available')
    expect(user.row(name)).to_contain_text('Not attached')
    assert user.errors == []


def test_a_wish_survives_a_form_that_comes_back(screen, alice, drivers):
    user = screen()
    page = user.page
    user.open_wizard('web-1')
    user.next_step('[data-power-fields]')
    page.locator('label[for=id_power_off]').last.click()
    expect(page.locator('[name=power_off]')).not_to_be_checked()
    user.next_step('.workflow [name=name]')
    page.fill('.workflow [name=name]', clouds.unique('never'))
    # The instance is switched off behind the user's back.
    server = alice.find('web-1')
    alice.compute.stop(server.id)
    waiting.until(lambda: alice.compute.server(
        server.id).status == 'SHUTOFF', 'it is off')
    page.click('.button-final')
    expect(page.locator('.alert-danger').filter(
        has_text='check the details again').first).to_be_visible()
    expect(page.locator('[name=seen_status]')).to_have_value('ACTIVE')
    expect(page.locator('[name=power_off]')).not_to_be_checked()
    alice.compute.start(server.id)
    waiting.until(lambda: alice.compute.server(
        server.id).status == 'ACTIVE', 'it runs')
    assert user.errors == []


def test_a_run_goes_on_when_the_page_is_opened_again(screen, alice, drivers):
    first = screen()
    first.open_wizard('db-1')
    first.next_step('[data-power-fields]')
    first.next_step('.workflow [name=name]')
    name = clouds.unique('left')
    first.page.fill('.workflow [name=name]', name)
    with drivers.turned('server.stop', hold=True, only='db-1'):
        first.page.click('.button-final')
        expect(first.run(name)).to_be_visible()
        first.page.close()
    second = screen('bob')
    expect(second.run(name).locator('[data-run-now]')).to_have_attribute(
        'data-run-now', 'Finished')
    assert alice.find('db-1').status == 'ACTIVE'
    second.dismiss_all()


def test_a_failing_run_says_why_and_is_tried_again_with_a_click(screen, alice,
                                                                drivers):
    user = screen()
    drivers.turn('server.snapshot', error='disk gone', only='web-1')
    user.open_wizard('web-1')
    user.next_step('[data-power-fields]')
    user.next_step('.workflow [name=name]')
    name = clouds.unique('fails')
    user.page.fill('.workflow [name=name]', name)
    user.page.click('.button-final')
    run = user.run(name)
    expect(run.locator('[data-run-now]')).to_have_attribute(
        'data-run-now', 'Failed')
    expect(run).to_contain_text('its image is gone')
    expect(run).to_contain_text('The instance was powered on again.')
    assert alice.find('web-1').status == 'ACTIVE'
    user.shoot('failed')
    drivers.clear()
    run.get_by_role('button', name='Try Again').click()
    asked = user.page.locator('.modal.in')
    expect(asked).to_contain_text('powered off again')
    asked.locator('.btn-primary').click()
    expect(run.locator('[data-run-now]')).to_have_attribute(
        'data-run-now', 'Finished')
    expect(user.row(name)).to_contain_text('Active')
    user.dismiss_all()


def test_a_failed_run_of_another_tool_leads_to_the_wizard(screen, alice,
                                                          drivers):
    user = screen()
    name = clouds.unique('foreign')
    with drivers.turned('server.snapshot', error='disk gone', only='web-1'):
        alice.finish(alice.begin(alice.find('web-1'), name))
    user.open_panel()
    run = user.run(name)
    expect(run.get_by_role('button', name='Try Again')).to_have_count(0)
    run.get_by_role('link', name='Create Snapshot').click()
    expect(user.page.locator('.snapshot-disks caption')).to_contain_text(
        'web-1')
    user.open_panel()
    user.dismiss_all()


def test_the_address_may_name_the_instance(screen, alice, horizon):
    user = screen()
    server = alice.find('batch-1')
    user.page.goto(f'{horizon}/project/compute_snapshots/create/'
                   f'?source=instance-{server.id}')
    expect(user.page.locator('.snapshot-disks caption')).to_contain_text(
        'batch-1')
    user.next_step('.workflow [name=name]')
    expect(user.page.locator('[data-facts-folded]')).to_contain_text(
        'nothing is writing to its disks')
    assert user.errors == []


def test_a_snapshot_is_deleted_after_a_question(screen, alice):
    server = alice.find('batch-1')
    name = clouds.unique('old')
    alice.finish(alice.begin(server, name, power_off=False))
    user = screen()
    row = user.row(name)
    row.locator('.dropdown-toggle').click()
    row.get_by_role('link', name='Delete Snapshot').click()
    dialog = user.page.locator('.modal-dialog')
    expect(dialog).to_contain_text('cannot be recovered')
    dialog.get_by_role('button', name='Delete').click()
    expect(user.page.locator('.messages')).to_contain_text(
        'Deleting 1 snapshot')
    expect(user.row(name)).to_have_count(0)
    user.dismiss_all()


def test_launch_opens_horizons_own_dialog(screen):
    user = screen()
    user.choose('web-1-2026-01-15', 'Launch')
    expect(user.page.locator('.modal-dialog')).to_contain_text(
        'Launch Instance')


def test_create_volume_opens_horizons_own_form(screen):
    user = screen()
    user.row('archive-2026-01').get_by_text('Create Volume').click()
    expect(user.page.locator('.modal-dialog')).to_contain_text(
        'Create Volume')


def test_create_volume_of_a_set_takes_the_size_of_its_root(screen):
    user = screen()
    user.choose('db-1-before-upgrade', 'Create Volume')
    form = user.page.locator('.modal form')
    expect(form.locator('[name=snapshot_source]')).to_contain_text(
        'snapshot for db-1-before-upgrade')
    expect(form.locator('[name=size]')).to_have_value('10')
    assert user.errors == []


def test_a_reader_sees_the_list_and_no_action(screen):
    reader = screen('rita')
    expect(reader.row('web-1-2026-01-15')).to_be_visible()
    expect(reader.page.locator(
        '#compute_snapshots button, #compute_snapshots .btn')
    ).to_have_count(0)
    reader.shoot('reader')
    assert reader.errors == []


def test_an_empty_project_explains_the_two_kinds(screen, horizon, where):
    from tests.cloud import bootstrap
    admin = bootstrap.connect(where, 'admin', 'admin')
    identity = admin.identity
    if identity.find_user('erin') is None:
        project = identity.create_project(name='empty', domain_id='default')
        user = identity.create_user(name='erin', password='snapshots',
                                    domain_id='default')
        identity.assign_project_role_to_user(
            project, user, identity.find_role('member'))
    erin = screen('erin')
    expect(erin.page.locator('.snapshot-empty')).to_contain_text(
        'There are no snapshots in this project yet.')
    erin.shoot('empty')
