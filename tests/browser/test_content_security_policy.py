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

"""The panel needs nothing of a Content-Security-Policy that Horizon does not.

Policies are put on Horizon's answers, and Chromium says what it refused.
"""

import pathlib

from playwright.sync_api import expect
import pytest

import horizon as horizons_library
import openstack_dashboard

from tests.scenario.clouds import unique

#: What an operator would like to send.
STRICT = {
    'default-src': "'self'", 'script-src': "'self' 'report-sample'",
    'style-src': "'self' 'report-sample'", 'img-src': "'self' data:",
    'font-src': "'self' data:", 'object-src': "'none'", 'base-uri': "'self'",
    'form-action': "'self'", 'frame-ancestors': "'none'"}
#: What Horizon lets an operator send.
LENIENT = {**STRICT,
           'script-src': "'self' 'unsafe-inline' 'unsafe-eval'",
           'style-src': "'self' 'unsafe-inline'"}
_TELL = """document.addEventListener('securitypolicyviolation', event =>
  refused([event.effectiveDirective, event.blockedURI, event.sample]))"""


@pytest.fixture
def under(screen):
    """A page on which a policy is set, and the list of what it refused."""
    def make(header, policy):
        user, refused = screen(), []

        def note(violation):
            refused.append(tuple(violation))
        user.page.expose_function('refused', note)
        user.page.add_init_script(_TELL)
        value = '; '.join(' '.join(item) for item in policy.items())

        def fulfil(route):
            if route.request.resource_type != 'document':
                return route.continue_()
            answer = route.fetch(max_redirects=0)
            return route.fulfill(response=answer, headers={
                **answer.headers, header: value})
        user.page.route('**/*', fulfil)
        return user, refused
    return make


def walk(user):
    """Over the pages, and through the wizard until there is a snapshot."""
    name = unique('policy')
    user.open_panel()
    user.open_wizard('web-1')
    user.next_step('[data-power-fields]')
    user.next_step('.workflow [name=name]')
    user.page.fill('.workflow [name=name]', name)
    user.page.click('.button-final')
    expect(user.run(name).locator('[data-run-now]')).to_have_attribute(
        'data-run-now', 'Finished')
    user.dismiss_all()
    user.follow(user.row(name).get_by_role('link', name=name))
    expect(user.page.locator('.snapshot-detail')).to_be_visible()
    user.open_panel()
    user.choose(name, 'Delete Snapshot')
    expect(user.page.locator('.modal-dialog')).to_contain_text(
        'cannot be recovered')


def test_under_the_policy_that_horizon_allows_nothing_is_refused(under):
    user, refused = under('Content-Security-Policy', LENIENT)
    walk(user)
    assert refused == []
    assert user.errors == []


def horizons_own():
    """Horizon's templates and their texts, by which a script is known."""
    return '\n'.join(
        path.read_text() for package in (horizons_library, openstack_dashboard)
        for path in pathlib.Path(package.__file__).parent.rglob(
            'templates/**/*.html'))


def test_under_a_strict_policy_nothing_is_refused_but_what_is_horizons(
        under, horizon):
    user, refused = under('Content-Security-Policy-Report-Only', STRICT)
    user.page.goto(f'{horizon}/project/images/')
    user.page.wait_for_load_state('networkidle')
    on_another_page = set(refused)
    assert on_another_page, 'no policy was in force'
    refused.clear()
    walk(user)
    theirs = horizons_own()
    for violation in refused:
        _directive, blocked, sample = violation
        assert violation in on_another_page or (
            blocked == 'inline' and sample.strip() and sample in theirs)
