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

"""What the operator tells the users, read from a setting."""

from collections.abc import Mapping
import dataclasses
import datetime
from typing import Any
from urllib import parse

LEVELS = ('info', 'warning', 'danger')
#: The pages that a notice may stand on.
LIST, WIZARD = 'list', 'wizard'
_WHERE = (LIST, WIZARD, 'both')
_KEYS = ('level', 'text', 'link', 'where', 'from', 'to', 'region')


@dataclasses.dataclass(frozen=True)
class Notice:
    """One notice.

    :ivar text: plain text, or one of Django's lazy translations.
    :ivar link: an address of the web, or nothing.
    :ivar since: the first day on which it is shown; ``until`` the last.
    :ivar region: the one in which it is shown; empty for all.
    """

    text: Any
    level: str = 'info'
    link: str = ''
    where: str = 'both'
    since: datetime.date | None = None
    until: datetime.date | None = None
    region: str = ''

    def shown(self, where: str, region: str, today: datetime.date) -> bool:
        """Whether it stands on a page now."""
        return (self.where in (where, 'both')
                and self.region in ('', region)
                and (self.since is None or self.since <= today)
                and (self.until is None or today <= self.until))


def parse_all(entries: Any) -> tuple[Notice, ...]:
    """The notices of a setting: a list of dicts.

    :raises ValueError: saying which one is wrong, and how.
    """
    if not isinstance(entries, (list, tuple)):
        raise ValueError(f'it is {entries!r}; it must be a list of dicts')
    return tuple(_parse(number, entry)
                 for number, entry in enumerate(entries, 1))


def _parse(number: int, entry: Any) -> Notice:
    def wrong(what: str) -> ValueError:
        return ValueError(f'notice {number} {what}')

    if not isinstance(entry, Mapping):
        raise wrong(f'is {entry!r}; it must be a dict')
    unknown = set(entry) - set(_KEYS)
    if unknown:
        raise wrong(f'has {sorted(unknown)}; it may have {list(_KEYS)}')
    if not entry.get('text'):
        raise wrong('has no text')
    for name, allowed in (('level', LEVELS), ('where', _WHERE)):
        if name in entry and entry[name] not in allowed:
            raise wrong(f'has the {name} {entry[name]!r}; it must be one of '
                        f'{list(allowed)}')
    link = entry.get('link', '')
    if link and not is_web_address(link):
        raise wrong(f'has the link {link!r}; it must begin with http:// or '
                    'https://')
    try:
        since, until = (_day(entry.get(name)) for name in ('from', 'to'))
    except (TypeError, ValueError):
        raise wrong('has a date that is none; write 2026-12-31') from None
    return Notice(entry['text'], entry.get('level', 'info'), link,
                  entry.get('where', 'both'), since, until,
                  entry.get('region', ''))


def _day(value: Any) -> datetime.date | None:
    if value is None or type(value) is datetime.date:
        return value
    return datetime.date.fromisoformat(value)


def is_web_address(text: Any) -> bool:
    """Whether a link to this does no more than open a page."""
    if not isinstance(text, str):
        return False
    try:
        address = parse.urlsplit(text)
    except ValueError:
        return False
    return address.scheme in ('http', 'https') and bool(address.netloc)
