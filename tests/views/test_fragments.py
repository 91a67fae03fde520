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

"""What the script puts into a page is ours, and says so."""

import pathlib
import re
import runpy

import pytest

import snapshot_dashboard
from tests.views.pages import INDEX

PACKAGE = pathlib.Path(snapshot_dashboard.__path__[0])
SCRIPTS = sorted((PACKAGE / 'static' / 'snapshot_dashboard').glob('*.js'))
TEMPLATES = sorted(PACKAGE.glob('content/*/templates/**/*.html'))


@pytest.fixture
def fragments(openstack):
    server, image = openstack.server(), openstack.image('snap')
    return [f'{INDEX}facts/?source=instance-{server["id"]}',
            f'{INDEX}overview/', f'{INDEX}usage/', f'{INDEX}coverage/',
            f'{INDEX}runs/',
            f'{INDEX}instance-{image["id"]}/dependants/',
            f'{INDEX}instance-{image["id"]}/history/']


def test_every_fragment_says_that_it_is_one(client, member, fragments):
    for address in fragments:
        response = client.get(address)
        assert response.status_code == 200
        assert response['X-Snapshot-Dashboard'] == 'fragment'
        assert response['Content-Type'].startswith('text/html')


def test_no_page_and_no_error_is_taken_for_a_fragment(client, openstack,
                                                      member):
    for address in (INDEX, f'{INDEX}facts/?source=x', f'{INDEX}create/'):
        assert 'X-Snapshot-Dashboard' not in client.get(address)


@pytest.mark.parametrize('script', SCRIPTS, ids=lambda path: path.name)
def test_no_script_makes_html_of_what_it_was_given(script):
    """jQuery would run what is in it; text and nodes are all that it needs.
    """
    text = script.read_text()
    for way in (r'\.html\(', r'innerHTML', r'outerHTML', r'insertAdjacent',
                r'parseHTML', r'document\.write', r'\beval\b', r'new Function',
                r'\.(append|prepend|before|after|wrap|replaceWith)\(\w*html',
                r'location\s*=', r'location\.href\s*='):
        assert not re.search(way, text), way


@pytest.mark.parametrize('script', SCRIPTS, ids=lambda path: path.name)
def test_no_script_builds_an_address_out_of_what_it_was_given(script):
    text = script.read_text()
    assert not re.search(r"data-url'\)\s*(\+|\.replace)", text)
    assert not re.search(r'url:\s*[^,]*\+', text)


def test_horizon_loads_all_scripts_the_namespace_first_and_the_start_last():
    enabled = runpy.run_path(str(
        PACKAGE.parent / 'enabled'
        / '_1055_project_compute_snapshots_panel.py'))
    names = [name.rpartition('/')[2] for name in enabled['ADD_JS_FILES']]
    assert sorted(names) == [path.name for path in SCRIPTS]
    assert (names[0], names[-1]) == ('panel.js', 'start.js')


def test_each_attribute_of_scripts_and_templates_is_explained():
    """The table at the head of panel.js; what it lacks nobody finds again."""
    used = {name for path in (*SCRIPTS, *TEMPLATES)
            for name in re.findall(r'\bdata-[a-z]+(?:-[a-z]+)*',
                                   path.read_text())
            if path.name != 'panel.js'}
    panel = next(path for path in SCRIPTS if path.name == 'panel.js')
    explained = set(re.findall(r'\bdata-[a-z]+(?:-[a-z]+)*',
                               panel.read_text()))
    explained |= {f'data-facts-{place}' for place in (
        'purpose', 'disks', 'how', 'live', 'summary')}
    of_bootstrap = {'data-backdrop', 'data-dismiss', 'data-toggle'}
    assert used - explained - of_bootstrap == set()


@pytest.mark.parametrize('template', TEMPLATES, ids=lambda path: path.name)
def test_no_template_needs_unsafe_inline_scripts(template):
    """A Content-Security-Policy may refuse them."""
    text = template.read_text()
    assert not re.search(r'<script|\son\w+\s*=\s*["\']|javascript:', text)
    assert '|safe' not in text and 'autoescape off' not in text
