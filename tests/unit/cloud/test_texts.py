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

"""Names and descriptions that the services would refuse are known before."""

import pytest

from snapshot_dashboard.cloud import texts


@pytest.mark.parametrize('text', [
    'before upgrade', 'Sicherung für März', 'スナップショット', 'a\u00a0b',
    'quote " and \' and \\', '<b>', '%s', 'a/b', 'ñ'])
def test_what_every_service_takes_is_usable(text):
    assert texts.unusable(text) == []
    assert texts.usable(text) == text


@pytest.mark.parametrize(('text', 'refused'), [
    ('before upgrade 🚀', '🚀'), ('a\tb', '\t'), ('a\nb', '\n'),
    ('zero\u200bwidth', '\u200b'), ('soft\u00adhyphen', '\u00ad'),
    ('left\u202eright', '\u202e'), ('line\u2028end', '\u2028'),
    ('\x00', '\x00'), ('\ue000', '\ue000'), ('\uffff', '\uffff')])
def test_what_one_of_them_refuses_is_named_once(text, refused):
    assert texts.unusable(text + text) == [refused]
    assert texts.unusable(texts.usable(text)) == []


def test_a_description_is_one_line():
    assert texts.one_line(' first\r\nsecond\t third ') == (
        'first second third')


def test_a_part_of_an_image_with_the_longest_name_has_a_name_itself():
    longest = 'n' * texts.IMAGE_NAME_LENGTH
    assert len(texts.PART_PREFIX + longest) == texts.NAME_LENGTH
