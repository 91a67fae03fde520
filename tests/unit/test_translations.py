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

"""The translations that are shipped are whole, and can be shown."""

import re
import subprocess

from babel.messages import pofile
import pytest

from tests import catalogue
from tests import provide

LANGUAGES = sorted(path.name for path in catalogue.HOME.iterdir()
                   if path.is_dir())
EACH = pytest.mark.parametrize(
    ('language', 'domain'), [(language, domain) for language in LANGUAGES
                             for domain in catalogue.DOMAINS])
_PLACEHOLDER = re.compile(r'%(?:\(\w+\))?[sd]|%%')
_MARKUP = re.compile(r'</?\w+')


def path(language, domain):
    return catalogue.HOME / language / 'LC_MESSAGES' / f'{domain}.po'


def messages(language, domain):
    with open(path(language, domain), 'rb') as file:
        return [message for message in pofile.read_po(file) if message.id]


def forms(text):
    return [text] if isinstance(text, str) else list(text)


def test_german_and_finnish_are_there():
    assert {'de', 'fi'} <= set(LANGUAGES)


@EACH
def test_every_marked_text_is_translated_and_none_is_doubtful(language,
                                                              domain):
    there = catalogue.texts(path(language, domain).read_text())
    assert there == catalogue.texts(
        (catalogue.HOME / f'{domain}.pot').read_text())
    for message in messages(language, domain):
        assert all(form.strip() for form in forms(message.string)), message.id
        assert not message.fuzzy, message.id


@EACH
def test_every_translation_has_the_placeholders_and_the_markup(language,
                                                               domain):
    for message in messages(language, domain):
        for said, form in zip(forms(message.id), forms(message.string),
                              strict=True):
            for what in (_PLACEHOLDER, _MARKUP):
                assert sorted(what.findall(form)) == sorted(
                    what.findall(said)), message.id


@EACH
def test_gettext_finds_no_fault(language, domain, tmp_path):
    done = subprocess.run(
        [provide.program('msgfmt', 'gettext'), '--check-format',
         '--output-file', tmp_path / 'out.mo', path(language, domain)],
        capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, '')
