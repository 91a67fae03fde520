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
"""Every text of every page can be translated, as a whole sentence.

Whatever is marked comes back in brackets. What stands outside of all brackets
and is not the users' own is a text that nobody marked; a bracket that goes on
in another one, or in what the users wrote, is half a sentence.
"""

import re

import bs4
from django.utils import translation
import pytest

from snapshot_dashboard import marks
from snapshot_dashboard.snapshots import recipes
from tests import fakes
from tests.views.pages import INDEX
from tests.views.pages import begin
from tests.views.pages import row_id

OPEN, CLOSE = '⟦', '⟧'
#: A text in brackets that holds no other one.
_MARKED = re.compile(f'{OPEN}[^{OPEN}{CLOSE}]*{CLOSE}')
#: What stands for a bracket that was taken out, by how its text ends.
_WHOLE, _LABEL, _PART = '\ue000', '\ue001', '\ue002'
#: What no language says otherwise: ids, units, names of programs, commands.
_NOT_WORDS = re.compile(
    r'[0-9a-f]{8}-[0-9a-f-]{27}|\b(?:GiB|MiB|vCPU|UTC|ID|cloud-init)\b')
#: What is not read, or not ours.
_HIDDEN = ('script, style, pre, code, .breadcrumb, td.hide, '
           '.snapshot-properties, .navbar')
#: Names that the fake services come with.
_THEIRS = re.compile(
    r'(?<!\w)(?:__DEFAULT__|private|everybodys|default|web|alice|west|'
    r'm1\.small|bob|nightly|demo|/dev/vd[ab])(?!\w)')
#: Attributes that are read to somebody, or seen.
_READ = ('alt', 'aria-label', 'placeholder', 'title')


@pytest.fixture(autouse=True)
def brackets(monkeypatch):
    """Another language, in which every marked text stands in brackets."""
    def mark(name):
        translate = getattr(translation._trans, name)

        def shown(*arguments):
            text = translate(*arguments)
            return f'{OPEN}{text}{CLOSE}' if text.strip() else text
        monkeypatch.setattr(translation._trans, name, shown)
    for name in ('gettext', 'ngettext', 'pgettext', 'npgettext'):
        mark(name)


def _texts(html):
    """What a page shows and reads out, piece by piece."""
    soup = bs4.BeautifulSoup(html, 'html.parser')
    soup = soup.select_one('#content_body') or soup
    for hidden in soup.select(_HIDDEN):
        hidden.decompose()
    for tag in soup.find_all(True):
        yield from (tag[name] for name in _READ if tag.get(name))
    for block in soup.find_all(True):
        if block.name == 'option' or not block.find(
                lambda tag: tag.name not in ('a', 'strong', 'em', 'b')):
            if block.name not in ('a', 'strong', 'em', 'b'):
                yield block.get_text(' ')


def _without_brackets(text):
    """A text with a sign for each outermost bracket."""
    def sign(found):
        inner = found[0].strip(OPEN + CLOSE).rstrip()
        return (_LABEL if inner.endswith(':') else
                _WHOLE if inner.endswith(tuple('.!?…')) else _PART)
    before = None
    while before != text:
        before = text
        text = _MARKED.sub(sign, text)
    return text


@pytest.fixture
def project(openstack, settings):
    """Some of everything, with names that are no words."""
    settings.SNAPSHOT_DASHBOARD = {'OLD_AFTER_DAYS': 30}
    openstack.quotas['snapshots'] = {'limit': 10, 'in_use': 9, 'reserved': 0}
    server, volume = openstack.server('1-1'), openstack.volume('2-2')
    openstack.attach(server, volume, '/dev/vdb')
    begin(openstack, server)
    ours = openstack.image('3-3', 3, **{
        'instance_uuid': server['id'], marks.INSTANCE: server['id'],
        marks.INSTANCE_NAME: '1-1', marks.TAKEN: str(int(fakes.seconds(3))),
        marks.CONSISTENCY: marks.FORCED_OFF, marks.PURPOSE: 'backup',
        **recipes.write(recipes.Recipe('9-9', (), ('8-8',), '7-7', '6-6'))})
    part = openstack.snapshot('4-5', 4, volume_id=volume['id'])
    whole = openstack.set_image('4-4', [part], 5)
    broken = openstack.set_image('5-5', [openstack.snapshot(
        '5-6', 5, status='error')], 6)
    single = openstack.snapshot('6-6', 7, volume_id=volume['id'])
    return {'server': server['id'], 'volume': volume['id'],
            'ours': row_id(ours), 'set': row_id(whole),
            'broken': row_id(broken), 'single': row_id(single)}


PAGES = [
    '', '?sort=name', '?kind=volume&name=0', '?consistency=live',
    '?state=failed&since=2026-01-01', 'overview/', 'usage/', 'coverage/',
    'create/',
    'create/?source=instance-{server}', 'facts/?source=instance-{server}',
    'facts/?source=volume-{volume}', 'delete/?row={ours}&row={set}',
    'delete/?row={single}&row={broken}', 'runs/',
    *(f'{{{row}}}/{page}/' for row in ('ours', 'set', 'broken', 'single')
      for page in ('detail', 'dependants', 'history', 'edit')),
    '{ours}/launch/', '{ours}/share/', '{set}/share/',
]


@pytest.mark.parametrize('page', PAGES)
def test_no_text_of_a_page_is_without_a_mark_or_in_pieces(
        client, openstack, member, project, page):
    response = client.get(INDEX + page.format(**project), follow=True)
    assert response.status_code == 200
    texts = [_without_brackets(' '.join(text.split()))
             for text in _texts(response.content.decode())]
    assert any(_WHOLE in text or _PART in text for text in texts)
    unmarked = [text for text in texts
                if re.search('[A-Za-z]{2}', _THEIRS.sub('', _NOT_WORDS.sub(
                    '', text)))]
    assert unmarked == []
    glued = [text for text in texts if re.search(
        f'{_PART} ?[{_WHOLE}{_LABEL}{_PART}]', text)]
    assert glued == []
