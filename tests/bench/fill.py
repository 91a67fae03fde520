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

"""Fill a project with thousands of snapshots, by copying rows.

The rows are those that the services wrote for one real thing of each sort,
with new ids, names and times. The services are off meanwhile.
"""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import dataclasses
import datetime
import json
import sqlite3
import uuid

from tests.cloud import bootstrap
from tests.cloud import launcher
from tests.cloud import processes
from tests.cloud import site
from tests.scenario import clouds

#: Volume snapshots of each set.
PARTS = 2
#: Of so many images one is a set's.
_PER_SET = 10
_STEP = datetime.timedelta(minutes=1)
#: Images, and MiB of them.
_LIMIT = 1_000_000


@dataclasses.dataclass(frozen=True)
class Size:
    """How much a project holds; the images are those of sets and others."""

    name: str
    instances: int
    volumes: int
    images: int
    volume_snapshots: int

    @property
    def sets(self) -> int:
        return self.images // _PER_SET


#: A page of it is full all the same, so that pages of both can be compared.
SMALL = Size('small', 20, 40, 100, 100)
LARGE = Size('large', 500, 2_000, 10_000, 10_000)


def fill(where: site.Site, size: Size, say: launcher.Say) -> None:
    """Add so much to the project."""
    alice = clouds.connect(where, 'alice')
    server = alice.find('batch-1')
    archive = alice.find_volume('archive')
    snapshots = {one.name: one for one in alice.volumes.snapshots(100)}
    images = {one.name: one for one in alice.images.images(
        100, {'owner': alice.project_id})}
    say('stopping the services, and copying rows')
    for service in ('nova', 'glance', 'cinder'):
        processes.stop(where, service)
    servers = _instances(where, size, server.id)
    volumes = _volumes(where, size, archive.id)
    singles, parts = _snapshots(
        where, size, snapshots['archive-2026-01'].id, volumes)
    _images(where, size, images['web-1-2026-01-15'].id, servers)
    _sets(where, size, images['db-1-before-upgrade'].id, parts)
    say(f'{len(singles)} volume snapshots, {len(parts)} sets')
    launcher.up(where, say)
    _make_room(where)


def _make_room(where: site.Site) -> None:
    """Limits that such a project would have."""
    identity = bootstrap.connect(where, 'admin', 'admin').identity
    for limit in identity.registered_limits():
        if limit.resource_name in bootstrap.GLANCE_LIMITS:
            identity.update_registered_limit(limit, default_limit=_LIMIT)


@contextlib.contextmanager
def _database(where: site.Site, name: str) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(where.state / f'{name}.sqlite')
    connection.row_factory = sqlite3.Row
    with connection:
        yield connection
    connection.close()


def _copy(database: sqlite3.Connection, table: str, key: str, template: str,
          new_ids: list[str],
          change: Callable[[int, dict], dict] = lambda number, row: {}
          ) -> None:
    """Copy the rows of one thing for many new ones.

    :param key: the column that names the thing.
    :param change: what is different in the copy of a row, by its number.
    """
    rows = [dict(row) for row in database.execute(
        f'SELECT * FROM {table} WHERE {key} = ?', (template,))]  # noqa: S608
    assert rows or key != 'id', f'{table} has no {template}'
    if not rows:
        return
    counted = key != 'id' and isinstance(rows[0].get('id'), int)
    columns = [name for name in rows[0] if name != 'id' or not counted]
    database.executemany(
        f'INSERT INTO {table} ({", ".join(columns)}) VALUES '  # noqa: S608
        f'({", ".join("?" * len(columns))})',
        ([{**row, key: new_id, **change(number, row)}[name]
          for name in columns]
         for number, new_id in enumerate(new_ids) for row in rows))


def _new_ids(count: int) -> list[str]:
    return [str(uuid.uuid4()) for _ in range(count)]


def _made(number: int) -> str:
    """When the one of this number was made: one a minute, up to now."""
    moment = datetime.datetime.now(datetime.UTC) - _STEP * (number + 1)
    return moment.strftime('%Y-%m-%d %H:%M:%S.%f')


def _instances(where: site.Site, size: Size, template: str) -> list[str]:
    new = _new_ids(size.instances)
    with _database(where, 'nova') as nova:
        _copy(nova, 'instances', 'uuid', template, new,
              lambda number, row: {'display_name': f'{size.name}-{number}',
                                   'hostname': f'{size.name}-{number}'})
        for table in ('instance_info_caches', 'instance_extra',
                      'instance_system_metadata'):
            _copy(nova, table, 'instance_uuid', template, new)
    with _database(where, 'nova_api') as api:
        for table in ('instance_mappings', 'request_specs'):
            _copy(api, table, 'instance_uuid', template, new)
    return new


def _volumes(where: site.Site, size: Size, template: str) -> list[str]:
    new = _new_ids(size.volumes)
    with _database(where, 'cinder') as cinder:
        _copy(cinder, 'volumes', 'id', template, new,
              lambda number, row: {
                  'display_name': f'{size.name}-{number}'})
    return new


def _snapshots(where: site.Site, size: Size, template: str,
               volumes: list[str]) -> tuple[list[str], list[list[str]]]:
    """Those that stand for themselves, and the parts of each set."""
    new = _new_ids(size.volume_snapshots)
    parts = new[:size.sets * PARTS]

    def change(number: int, row: dict) -> dict:
        part = number < len(parts)
        # A set's parts are made just before its image.
        made = _made(number // PARTS * _PER_SET if part
                     else number - len(parts))
        name = (f'snapshot for {size.name}-set-{number // PARTS}' if part
                else f'{size.name}-{number}')
        return {'volume_id': volumes[number % len(volumes)],
                'display_name': name, 'created_at': made, 'updated_at': made}

    with _database(where, 'cinder') as cinder:
        _copy(cinder, 'snapshots', 'id', template, new, change)
        _copy(cinder, 'snapshot_metadata', 'snapshot_id', template, new)
    return new[len(parts):], [
        parts[start:start + PARTS] for start in range(0, len(parts), PARTS)]


def _images(where: site.Site, size: Size, template: str,
            servers: list[str]) -> None:
    new = _new_ids(size.images - size.sets)
    with _database(where, 'glance') as glance:
        _copy(glance, 'images', 'id', template, new,
              lambda number, row: {'name': f'{size.name}-{number}',
                                   'created_at': _made(number),
                                   'updated_at': _made(number)})
        _copy(glance, 'image_properties', 'image_id', template, new,
              lambda number, row: {'value': servers[number % len(servers)]}
              if row['name'] == 'instance_uuid' else {})
        _copy(glance, 'image_locations', 'image_id', template, new)


def _sets(where: site.Site, size: Size, template: str,
          parts: list[list[str]]) -> None:
    new = _new_ids(len(parts))

    def mapping(number: int, row: dict) -> dict:
        if row['name'] != 'block_device_mapping':
            return {}
        entries = json.loads(row['value'])
        disks = [entry for entry in entries if entry.get('snapshot_id')]
        assert len(disks) == PARTS
        for entry, part in zip(disks, parts[number]):
            entry['snapshot_id'] = part
        return {'value': json.dumps(entries)}

    with _database(where, 'glance') as glance:
        _copy(glance, 'images', 'id', template, new,
              lambda number, row: {
                  'name': f'{size.name}-set-{number}',
                  'created_at': _made(number * _PER_SET - 1),
                  'updated_at': _made(number * _PER_SET - 1)})
        _copy(glance, 'image_properties', 'image_id', template, new, mapping)
