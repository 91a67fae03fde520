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

import pytest

import snapshot_dashboard
from tests.views.conftest import INDEX

PACKAGE = pathlib.Path(snapshot_dashboard.__path__[0])
SCRIPT = PACKAGE / 'static' / 'snapshot_dashboard' / 'snapshots.js'
TEMPLATES = sorted(PACKAGE.glob('content/*/templates/**/*.html'))


@pytest.fixture
def fragments(openstack):
    server, image = openstack.server(), openstack.image('snap')
    return [f'{INDEX}facts/?source=instance-{server["id"]}',
            f'{INDEX}overview/', f'{INDEX}runs/',
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


def test_the_script_makes_no_html_of_what_it_was_given():
    """jQuery would run what is in it; text and nodes are all that it needs.
    """
    text = SCRIPT.read_text()
    for way in (r'\.html\(', r'innerHTML', r'outerHTML', r'insertAdjacent',
                r'parseHTML', r'document\.write', r'\beval\b', r'new Function',
                r'\.(append|prepend|before|after|wrap|replaceWith)\(\w*html',
                r'location\s*=', r'location\.href\s*='):
        assert not re.search(way, text), way


def test_the_script_builds_no_address_out_of_what_it_was_given():
    text = SCRIPT.read_text()
    assert not re.search(r"data-url'\)\s*(\+|\.replace)", text)
    assert not re.search(r'url:\s*[^,]*\+', text)


@pytest.mark.parametrize('template', TEMPLATES, ids=lambda path: path.name)
def test_no_template_needs_unsafe_inline_scripts(template):
    """A Content-Security-Policy may refuse them."""
    text = template.read_text()
    assert not re.search(r'<script|\son\w+\s*=\s*["\']|javascript:', text)
    assert '|safe' not in text and 'autoescape off' not in text
