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

"""No link, no name and no answer of another page runs anything in ours."""

import pathlib
import re
from urllib import parse

from playwright.sync_api import expect
import pytest

from tests.scenario.clouds import is_gone
from tests.scenario.clouds import unique
from tests.scenario.waiting import until

#: Says that it was run.
_RUN = 'window.hacked = 1'
PAYLOADS = (f'"><img src=x onerror="{_RUN}">',
            f"'><svg onload='{_RUN}'>",
            f'</script><script>{_RUN}</script>',
            f'javascript:{_RUN}',
            # Horizon's pages are templates of Angular, too.
            f'{{$ constructor.constructor("{_RUN}")() $}}',
            f'#<img src=x onerror={_RUN}>')
_IDS = ('image', 'svg', 'script', 'link', 'angular', 'fragment')
SCRIPTS = (pathlib.Path(__file__).resolve().parents[2] / 'snapshot_dashboard'
           / 'static' / 'snapshot_dashboard')


@pytest.fixture
def user(screen):
    return screen()


@pytest.fixture
def panel(horizon):
    return f'{horizon}/project/compute_snapshots/'


def check(user):
    """That nothing was run that others wrote."""
    assert user.page.evaluate('window.hacked') is None
    assert user.page.locator('img[src=x]').count() == 0


def visit(user, address):
    user.page.goto(address)
    user.page.wait_for_load_state('networkidle')
    check(user)


def is_console(address):
    """Whether it is a page that shows what a program in a guest wrote."""
    return parse.urlsplit(address).path.endswith('/console')


def answer_with_a_payload(user, pattern):
    """Let an address answer as one of Horizon's that others write to."""
    asked = []

    def fulfil(route):
        asked.append(route.request.url)
        route.fulfill(content_type='text/html', body=PAYLOADS[0])
    user.page.route(pattern, fulfil)
    return asked


def test_a_link_with_a_path_for_a_source_leads_nowhere_else(user, panel,
                                                            alice):
    """To a console log, for one, which a program in the guest wrote."""
    asked = answer_with_a_payload(user, is_console)
    server = alice.find('web-1')
    path = f'instance-x/../../../instances/{server.id}/console?length=50#'
    for source in (path, f'instance-{server.id}/../../instances/console',
                   parse.quote(path, safe='')):
        visit(user, f'{panel}create/?source={parse.quote(source)}')
        expect(user.page.locator('[name=source]')).to_have_value('')
    assert asked == []


def test_an_answer_that_is_not_ours_is_not_let_into_the_wizard(user):
    asked = answer_with_a_payload(user, '**/facts/**')
    user.page.click('#compute_snapshots__action_create')
    user.choose_source('web-1')
    expect(user.page.locator('[data-facts-disks]')).to_contain_text(
        'could not be loaded')
    assert len(asked) == 1
    check(user)


def test_an_answer_that_is_not_ours_is_not_let_into_the_list(user, panel):
    asked = answer_with_a_payload(user, '**/overview/')
    asked_runs = answer_with_a_payload(user, '**/runs/')
    visit(user, panel)
    user.page.evaluate(
        "horizon.snapshotDashboard.runs.request($('.snapshot-runs'), "
        "'GET', "
        "$('.snapshot-runs').attr('data-runs-url'))")
    expect(user.page.locator('[data-runs-stale]')).to_be_visible()
    assert asked and asked_runs
    check(user)


@pytest.mark.parametrize('payload', PAYLOADS, ids=_IDS)
def test_no_parameter_of_an_address_is_run(user, panel, payload):
    names = user.page.locator('.snapshot-filters [name]').evaluate_all(
        'fields => fields.map(field => field.name)')
    assert len(names) > 3
    for chosen in ({*names, 'source', 'names', payload}, {'page'}):
        query = parse.urlencode(dict.fromkeys(chosen, payload))
        visit(user, f'{panel}?{query}')
    visit(user, f'{panel}create/?{parse.urlencode({"source": payload})}')
    visit(user, f'{panel}instance-{parse.quote(payload, safe="")}/detail/')


@pytest.fixture
def hostile(alice):
    """A volume snapshot and an instance of which each word is a payload."""
    volume = alice.find_volume('scratch')
    nova = alice.nova
    name = f'{unique("h")}{PAYLOADS[0]}'
    snapshot_id = alice.volumes.create_snapshot(
        volume.id, name, PAYLOADS[1], {'snapshot_dashboard_by': PAYLOADS[2],
                                       'note': PAYLOADS[4]})
    until(lambda: alice.volumes.snapshot(snapshot_id).status == 'available',
          'it is there')
    server = alice.find('batch-1')
    nova.servers.update(server.id, name=PAYLOADS[0])
    nova.servers.set_meta(server.id, {'note': PAYLOADS[2]})
    yield name, f'volume-{snapshot_id}', f'instance-{server.id}'
    nova.servers.update(server.id, name='batch-1')
    nova.servers.delete_meta(server.id, ['note'])
    alice.volumes.delete_snapshot(snapshot_id)
    until(lambda: is_gone(lambda: alice.volumes.snapshot(snapshot_id)),
          'it is gone')


def test_no_name_and_no_description_is_run_on_any_page(user, panel, hostile):
    name, row_id, source = hostile
    visit(user, f'{panel}?{parse.urlencode({"name": name})}')
    expect(user.row(name)).to_have_count(1)
    for what in ('detail', 'edit', 'dependants', 'history'):
        visit(user, f'{panel}{row_id}/{what}/')
    visit(user, f'{panel}delete/?{parse.urlencode({"row": row_id})}')
    visit(user, f'{panel}create/?{parse.urlencode({"source": source})}')
    expect(user.page.locator('.snapshot-disks')).to_be_visible()
    expect(user.page.locator('.snapshot-disks caption')).to_contain_text(
        PAYLOADS[0])
    check(user)


#: Fills all fields that a user may write to with a text, and says how many.
_FILL = """payload => {
  const fields = document.querySelectorAll(
    '.snapshot-filters [name], .workflow [name], #content_body form [name]');
  const open = [...fields].filter(field =>
    field.name !== 'csrfmiddlewaretoken' && field.type !== 'checkbox');
  for (const field of open) {
    if (field.tagName === 'SELECT') { field.append(new Option('x', payload)); }
    field.value = payload;
    $(field).trigger('change');
  }
  return open.length;
}"""
#: Puts a text into all attributes that the script reads, and has it read them.
_SPOIL = """([names, payload]) => {
  let spoilt = 0;
  for (const name of names) {
    for (const element of document.querySelectorAll(`[${name}]`)) {
      element.setAttribute(name, payload);
      spoilt += 1;
    }
  }
  const ours = horizon.snapshotDashboard;
  const $runs = $('.snapshot-runs');
  if ($runs.length) {
    ours.runs.request($runs, 'GET', $runs.attr('data-runs-url'));
    ours.runs.schedule($runs);
    ours.list.start();
  }
  ours.wizard.start(document);
  $('[name=source], [name=power_off], [name=purpose]').trigger('change');
  return spoilt;
}"""


@pytest.mark.parametrize('payload', PAYLOADS, ids=_IDS)
def test_nothing_that_is_written_into_a_form_is_run(user, panel, hostile,
                                                    payload):
    _name, row_id, source = hostile
    for path in ('', f'{row_id}/edit/', f'create/?source={source}'):
        visit(user, f'{panel}{path}')
        assert user.page.evaluate(_FILL, payload) >= 2
        user.page.wait_for_load_state('networkidle')
        check(user)
        form = user.page.locator(
            '.snapshot-filters, .workflow, #content_body form').first
        with user.page.expect_navigation():
            form.evaluate('part => (part.closest("form") || '
                          'part.querySelector("form")).submit()')
        user.page.wait_for_load_state('networkidle')
        check(user)


@pytest.mark.parametrize('payload', PAYLOADS, ids=_IDS)
def test_no_attribute_that_the_script_reads_is_run(user, panel, alice,
                                                   payload):
    names = sorted({name for script in SCRIPTS.glob('*.js')
                    for name in re.findall(r'data-[a-z-]+[a-z]',
                                           script.read_text())})
    assert len(names) > 30
    source = f"instance-{alice.find('web-1').id}"
    for path, shown, most in (
            ('', 'table#compute_snapshots tbody tr', 5),
            (f'create/?source={source}', '[data-facts-disks] table', 10)):
        visit(user, f'{panel}{path}')
        user.page.locator(shown).first.wait_for()
        assert user.page.evaluate(_SPOIL, [names, payload]) > most
        user.page.wait_for_load_state('networkidle')
        check(user)
