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

"""What the fake services have in common."""

import ast
import datetime
import re
import uuid

PROJECT = '7a7a7a7a7a7a4a7a8a7a7a7a7a7a7a7a'
NOVA = 'http://nova.test/v2.1'
GLANCE = 'http://glance.test'
CINDER = f'http://cinder.test/v3/{PROJECT}'
NEUTRON = 'http://neutron.test'
KEYSTONE = 'http://keystone.test/v3'
ENDPOINTS = {'compute': NOVA, 'image': GLANCE, 'volume': CINDER,
             'network': NEUTRON}
_START = datetime.datetime(2026, 3, 1, 12, 0, 0)


def disk_name(number: int) -> str:
    """The name of the disk of this number, from 0 on, as Linux has it."""
    letters = ''
    number += 1
    while number:
        number, letter = divmod(number - 1, 26)
        letters = chr(ord('a') + letter) + letters
    return f'/dev/vd{letters}'


def new_id(number: int | None = None) -> str:
    """A new id, or the one of a number."""
    if number is None:
        return str(uuid.uuid4())
    return f'00000000-0000-4000-8000-{number:012d}'


def stamp(seconds: float) -> str:
    """A time so many seconds after the start, as Glance writes it."""
    moment = _START + datetime.timedelta(seconds=seconds)
    return moment.strftime('%Y-%m-%dT%H:%M:%SZ')


def seconds(after: float) -> float:
    """The same in seconds since the epoch."""
    return (_START + datetime.timedelta(seconds=after)).timestamp()


def flavor(name: str, disk: int = 10, ram: int = 2048,
           cores: int = 1) -> dict:
    return {'id': f'id-of-{name}', 'name': name, 'vcpus': cores, 'ram': ram,
            'disk': disk}


def finish(image: dict) -> None:
    """Let Nova's upload of an image come to its end."""
    image.update(status='active', size=4194304)


class Refusal(Exception):
    """A service's refusal in its own words."""

    def __init__(self, status: int, words: str):
        super().__init__(words)
        self.status = status


class Service:
    """The answers of one service.

    :param everything: the state of all services.
    """

    def __init__(self, everything):
        self._all = everything


def page(collation, kind, query):
    def admitted(item):
        return all(_matches(item, name, wanted)
                   for name, wanted in query.items()
                   if name not in ('limit', 'sort', 'marker'))

    by, _, direction = query.get('sort', 'created_at:desc').partition(
        ',')[0].partition(':')
    by = by.removeprefix('display_')  # as Cinder calls it
    collate = collation if by == 'name' else lambda value: value
    found = sorted(filter(admitted, kind.values()),
                   key=lambda item: (collate(item[by]), item['id']),
                   reverse=direction == 'desc')
    if 'marker' in query:
        ids = [item['id'] for item in found]
        if query['marker'] not in ids:
            return None
        found = found[ids.index(query['marker']) + 1:]
    return found[:int(query.get('limit', 1000))]


def _matches(item: dict, name: str, wanted: str) -> bool:
    """Whether one filter of a list admits an item."""
    if name == 'metadata':
        return ast.literal_eval(wanted).items() <= item['metadata'].items()
    operator, colon, value = wanted.partition(':')
    if colon and name in ('name', 'id', 'status') and item.get('owner'):
        # Glance's operators; Cinder knows none.
        found = {'eq': [value], 'in': [
            quoted or bare for quoted, bare in re.findall(
                r'"([^"]*)",?|([^,]+),?', value)]}[operator]
        return item[name] in found
    if name == 'created_at' and operator == 'lt':
        return item['created_at'] < value
    if name in ('created_at', 'updated_at') and operator == 'gte':
        return item[name] >= value
    return str(item.get(name)) == wanted
