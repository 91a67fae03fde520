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

"""The first state of a test cloud: schemas, accounts, catalogue, flavors."""

import concurrent.futures
import os
import pathlib
import shutil
import sqlite3
import subprocess

import openstack

from tests.cloud import conf
from tests.cloud import machine
from tests.cloud import processes
from tests.cloud import site

#: Flavors: name, vcpus, RAM in MiB, root disk, ephemeral disk (both GiB),
#: swap in MiB.
FLAVORS = (
    ('m1.tiny', 1, 512, 1, 0, 0),
    ('m1.small', 1, 2048, 10, 0, 0),
    ('m1.ephemeral', 2, 4096, 10, 20, 1024),
)
#: The limits that Glance looks up in Keystone.
GLANCE_LIMITS = {
    'image_count_total': 1000,
    'image_size_total': 100000,  # MiB
    'image_stage_total': 100000,  # MiB
    'image_count_uploading': 100,
}


def template() -> pathlib.Path:
    """The kept first state, for just this code and these packages."""
    return site.HOME / f'template-{machine.fingerprint()}'


def restore(where: site.Site) -> bool:
    """Begin with the kept first state; False if there is none."""
    kept = template()
    if not kept.exists():
        return False
    shutil.copytree(kept, where.state, dirs_exist_ok=True)
    return True


def create(where: site.Site, venv: pathlib.Path) -> None:
    """Make the first state by the services' own tools, and keep it.

    Keystone runs at the end.

    :raises CloudError: when one of the tools fails.
    """
    with concurrent.futures.ThreadPoolExecutor() as pool:
        jobs = [pool.submit(_run_all, where, venv, service, commands)
                for service, commands in _commands(where, venv).items()]
        for job in jobs:
            job.result()
    processes.start_service(where, 'keystone', venv)
    processes.wait_until_answering(where, 'keystone', path='/v3')
    _fill_keystone(where)
    _keep(where)


def _commands(where: site.Site,
              venv: pathlib.Path) -> dict[str, list[list[str]]]:
    def tool(name, config, *args):
        return [f'{name}-manage', '--config-file',
                str(where.etc / f'{config}.conf'), *args]

    owner = ['--keystone-user', str(os.getuid()),
             '--keystone-group', str(os.getgid())]
    return {
        'keystone': [
            tool('keystone', 'keystone', 'fernet_setup', *owner),
            tool('keystone', 'keystone', 'credential_setup', *owner),
            tool('keystone', 'keystone', 'db_sync'),
            tool('keystone', 'keystone', 'bootstrap',
                 '--bootstrap-password', site.PASSWORD,
                 '--bootstrap-region-id', site.REGION,
                 '--bootstrap-public-url', where.auth_url,
                 '--bootstrap-internal-url', where.auth_url),
        ],
        'placement': [tool('placement', 'placement', 'db', 'sync')],
        'glance': [tool('glance', 'glance-api', 'db_sync'),
                   tool('glance', 'glance-api', 'db_load_metadefs',
                        str(venv / 'etc' / 'glance' / 'metadefs'))],
        'neutron': [
            ['python', '-c', 'from tests.cloud.services import neutron; '
             'neutron.create_schema()'],
            ['neutron-db-manage', '--config-file',
             str(where.etc / 'neutron.conf'), 'stamp', 'heads']],
        'nova': [
            tool('nova', 'nova', 'api_db', 'sync'),
            tool('nova', 'nova', 'cell_v2', 'map_cell0',
                 '--database_connection', conf.database('nova_cell0')),
            tool('nova', 'nova', 'db', 'sync'),
            tool('nova', 'nova', 'cell_v2', 'create_cell', '--name', 'cell1'),
        ],
        'cinder': [tool('cinder', 'cinder', 'db', 'sync')],
    }


def _run_all(where, venv, service, commands):
    with open(where.logs / f'{service}-setup.log', 'wb') as log:
        for command in commands:
            done = subprocess.run(
                [str(venv / 'bin' / command[0]), *command[1:]],
                env=conf.environment(where, venv), cwd=where.state,
                stdout=log, stderr=log, stdin=subprocess.DEVNULL)
            if done.returncode:
                raise site.CloudError(
                    f'{" ".join(command)} failed; {log.name} tells why.')


def connect(where: site.Site, user: str, project: str | None = None,
            **scope) -> openstack.connection.Connection:
    """A connection of openstacksdk for one account."""
    if project:
        scope |= {'project_name': project, 'project_domain_id': 'default'}
    return openstack.connect(
        load_yaml_config=False, load_envvars=False, auth_url=where.auth_url,
        username=user, password=site.PASSWORD, user_domain_id='default',
        region_name=site.REGION, **scope)


def _fill_keystone(where: site.Site) -> None:
    """The services' account, the catalogue, and Glance's limits."""
    cloud = connect(where, 'admin', 'admin')
    identity = cloud.identity
    project = identity.create_project(name='service', domain_id='default')
    user = identity.create_user(name='openstack-services',
                                password=site.PASSWORD, domain_id='default')
    for role in ('admin', 'service'):
        identity.assign_project_role_to_user(
            project, user, identity.find_role(role))
    for service, (kind, name, _path) in site.CATALOGUE.items():
        if service == 'keystone':
            continue
        entry = identity.create_service(type=kind, name=name)
        for interface in ('public', 'internal'):
            identity.create_endpoint(
                service_id=entry.id, interface=interface,
                region_id=site.REGION, url=where.endpoint(service))
        if service == 'glance':
            for limit, value in GLANCE_LIMITS.items():
                identity.create_registered_limit(
                    service_id=entry.id, resource_name=limit,
                    default_limit=value, region_id=site.REGION)


def _keep(where: site.Site) -> None:
    """Keep the first state, so that the next start need not make it."""
    kept = template()
    new = kept.with_suffix(f'.new{os.getpid()}')
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(where.state, new,
                    ignore=shutil.ignore_patterns('*.sqlite*', 'locks'))
    for name in conf.DATABASES:
        with (sqlite3.connect(where.state / f'{name}.sqlite') as old,
              sqlite3.connect(new / f'{name}.sqlite') as copy):
            old.backup(copy)
    for stale in site.HOME.glob('template-*'):
        if stale != new:
            shutil.rmtree(stale, ignore_errors=True)
    new.rename(kept)


def point_catalogue(where: site.Site) -> None:
    """Let the catalogue name this site's ports; Keystone must be off."""
    file = where.state / 'keystone.sqlite'
    with sqlite3.connect(file) as database:
        for service, (kind, _name, _path) in site.CATALOGUE.items():
            database.execute(
                'UPDATE endpoint SET url = ? WHERE service_id IN '
                '(SELECT id FROM service WHERE type = ?)',
                (where.endpoint(service), kind))


def create_flavors(where: site.Site) -> None:
    compute = connect(where, 'admin', 'admin').compute
    there = {flavor.name for flavor in compute.flavors()}
    for name, vcpus, ram, disk, ephemeral, swap in FLAVORS:
        if name not in there:
            compute.create_flavor(
                name=name, vcpus=vcpus, ram=ram, disk=disk,
                ephemeral=ephemeral, swap=swap)
