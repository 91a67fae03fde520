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

"""Which names and descriptions the services take, known before they are asked.

Nova takes printable characters of the basic plane in the name of an image
(``nova.api.validation.parameter_types``), Cinder the same in a description,
on one line; Glance refuses what takes four bytes in UTF-8, in properties too.
"""

import unicodedata

#: The longest name, of an image and of a volume snapshot.
NAME_LENGTH = 255
#: What Nova calls the volume snapshots of an image by.
PART_PREFIX = 'snapshot for '
#: The longest name of an image whose parts' names Cinder takes, too.
IMAGE_NAME_LENGTH = NAME_LENGTH - len(PART_PREFIX)
_LAST = 0xFFFE


def unusable(text: str) -> list[str]:
    """The characters of a text that a service would refuse, each once."""
    return [character for character in dict.fromkeys(text)
            if not _is_usable(character)]


def usable(text: str) -> str:
    """A text without the characters that a service would refuse."""
    return ''.join(filter(_is_usable, text)).strip()


def one_line(text: str) -> str:
    """A text whose lines and runs of white space are joined by blanks."""
    return ' '.join(text.split())


def _is_usable(character: str) -> bool:
    category = unicodedata.category(character)
    return ord(character) <= _LAST and (
        category == 'Zs' or category[0] not in 'CZ')
