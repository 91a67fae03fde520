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

"""The panel speaks the languages that are shipped with it."""

import subprocess

import bs4
from django.utils import translation
from django.utils.translation import trans_real
import pytest

from tests import catalogue
from tests import fakes
from tests import provide
from tests.views.pages import INDEX
from tests.views.pages import begin
from tests.views.pages import row_id
from tests.views.pages import words


@pytest.fixture
def spoken(settings, tmp_path):
    """Has the panel speak a language, as compilemessages does."""
    settings.LOCALE_PATHS = [tmp_path]

    def speak(language):
        folder = tmp_path / language / 'LC_MESSAGES'
        folder.mkdir(parents=True)
        subprocess.run(
            [provide.program('msgfmt', 'gettext'), '--output-file',
             folder / 'django.mo', catalogue.HOME / language / 'LC_MESSAGES'
             / 'django.po'], check=True)
        trans_real._translations.clear()
        settings.LANGUAGE_CODE = language
        settings.LANGUAGES = [(language, language)]
        translation.activate(language)
    yield speak
    translation.deactivate()
    trans_real._translations.clear()


@pytest.mark.parametrize(('language', 'heading', 'size', 'button'), [
    ('de', 'Schattenkopien', '1,5', 'Schattenkopie erstellen'),
    ('fi', 'Tilannevedokset', '1,5', 'Luo tilannevedos')])
def test_the_list_speaks_it(client, openstack, member, spoken, language,
                            heading, size, button):
    openstack.image('before', size=1536 * 1024 ** 2)
    begin(openstack, openstack.server('web'))
    spoken(language)

    page = bs4.BeautifulSoup(client.get(INDEX).content, 'html.parser')

    shown = words(page.select_one('#content_body') or page)
    assert heading in shown and button in shown
    assert f'{size}\N{NO-BREAK SPACE}GiB' in page.get_text() or (
        f'{size} GiB' in shown)


@pytest.mark.parametrize('language', ['de', 'fi'])
@pytest.mark.parametrize('page', [
    'create/', '{row}/detail/', '{row}/go-back/', '{row}/switch-over/',
    '{row}/edit/', '{row}/share/', 'delete/?row={row}', 'overview/',
    'usage/', 'coverage/'])
def test_every_page_is_drawn_in_it(client, openstack, member, spoken,
                                   language, page):
    server = openstack.server('web', id=fakes.new_id(3))
    image = openstack.image('before', instance_uuid=server['id'])
    spoken(language)

    answer = client.get(INDEX + page.format(row=row_id(image)))

    assert answer.status_code == 200
