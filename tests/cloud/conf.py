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

"""The configuration files of the services of one test cloud."""

import configparser
import os
import pathlib

from tests.cloud import site

#: Databases are named relative to the directory that the services run in,
#: so that a kept state can be moved.
DATABASES = ('keystone', 'placement', 'glance', 'neutron', 'nova',
             'nova_api', 'nova_cell0', 'cinder')
COMPUTE_HOST = 'snapshot-cloud'


def database(name: str) -> str:
    return f'sqlite:///{name}.sqlite'


def environment(where: site.Site, venv: pathlib.Path) -> dict[str, str]:
    """The environment that the services and their tools run in."""
    return {
        **{key: value for key, value in os.environ.items()
           if not key.startswith(('OS_', 'PYTHON', 'DJANGO_'))},
        'PATH': f'{where.libvirt}/bin:{venv}/bin:{os.environ["PATH"]}',
        'PYTHONPATH': str(site.REPOSITORY),
        'PYTHONUNBUFFERED': '1',
        'PYTHONWARNINGS': 'ignore',
        'OS_KEYSTONE_CONFIG_FILES': str(where.etc / 'keystone.conf'),
        'OS_PLACEMENT_CONFIG_DIR': str(where.etc),
        'OS_GLANCE_CONFIG_DIR': str(where.etc),
        'OS_NEUTRON_CONFIG_DIR': str(where.etc),
        'OS_NEUTRON_CONFIG_FILES': 'neutron.conf',
        'OS_NOVA_CONFIG_DIR': str(where.etc),
        'OS_NOVA_CONFIG_FILES':
            f'{venv}/etc/nova/api-paste.ini;nova.conf',
        'SNAPSHOT_CLOUD_KNOBS': str(where.knobs),
        'SNAPSHOT_CLOUD_LIBVIRT': 'yes' if where.libvirt.exists() else '',
        # There are no more than a few dozen threads that allocate little;
        # without this glibc keeps an arena for each.
        'MALLOC_ARENA_MAX': '2',
    }


def write(where: site.Site, venv: pathlib.Path) -> None:
    """Write all of them."""
    where.etc.mkdir(parents=True, exist_ok=True)
    where.logs.mkdir(parents=True, exist_ok=True)
    where.state.mkdir(parents=True, exist_ok=True)
    (where.etc / 'policy.d').mkdir(exist_ok=True)
    (where.etc / 'policy.yaml').write_text('{}\n')
    found = _all(where, venv)
    if where.libvirt.exists():
        _have_real_guests(where, found['nova'])
    for service, sections in found.items():
        parser = configparser.RawConfigParser(default_section='-')
        parser.read_dict(sections)
        with open(where.etc / f'{service}.conf', 'w') as file:
            parser.write(file)


def _have_real_guests(where: site.Site, nova: dict) -> None:
    """Let Nova use its own driver of libvirt, with QEMU and no KVM."""
    nova['DEFAULT'] |= {
        'compute_driver': 'libvirt.LibvirtDriver',
        'instances_path': str(where.state / 'nova' / 'instances'),
        'default_ephemeral_format': 'ext4',
        'cpu_allocation_ratio': '16',
        'ram_allocation_ratio': '4',
        'disk_allocation_ratio': '16',
    }
    nova['libvirt'] = {
        'virt_type': 'qemu', 'connection_uri': where.hypervisor,
        'cpu_mode': 'none', 'sysinfo_serial': 'none',
        'mem_stats_period_seconds': '0'}
    nova['vnc'] = {'enabled': 'false'}


def _auth(where: site.Site) -> dict[str, str]:
    return {
        'auth_type': 'password',
        'auth_url': where.auth_url,
        'username': 'openstack-services',
        'password': site.PASSWORD,
        'project_name': 'service',
        'user_domain_name': 'Default',
        'project_domain_name': 'Default',
        'region_name': site.REGION,
    }


def _all(where: site.Site, venv: pathlib.Path) -> dict:
    auth = _auth(where)
    tokens = {**auth, 'www_authenticate_uri': where.auth_url,
              'service_token_roles_required': 'true',
              'service_token_roles': 'service'}
    service_user = {**auth, 'send_service_user_token': 'true'}
    state = where.state
    locks = {'lock_path': str(state / 'locks')}
    wanted = {'DEFAULT': {'log_dir': '', 'use_stderr': 'true',
                          'transport_url': 'fake://'}}
    share = venv / 'etc'

    # Checking each answer against its schema would only cost time.
    answers = {'response_validation': 'ignore'}

    keystone = {
        'api': answers,
        'database': {'connection': database('keystone')},
        'cache': {'enabled': 'true', 'backend': 'dogpile.cache.memory'},
        # The accounts are toys; hashing them well would cost each login
        # a quarter of a second.
        'identity': {'password_hash_rounds': '4'},
        'fernet_tokens': {'key_repository': str(state / 'fernet')},
        # Else Keystone writes these below /etc, where root alone may.
        'fernet_receipts': {'key_repository': str(state / 'fernet')},
        'credential': {'key_repository': str(state / 'credentials')},
        'token': {'expiration': '86400'},
    }
    placement = {
        'placement_database': {'connection': database('placement')},
        'api': {'auth_strategy': 'keystone'},
        'keystone_authtoken': tokens,
    }
    glance = {
        'DEFAULT': {'enabled_backends': 'files:file',
                    'worker_self_reference_url': where.url('glance'),
                    'use_keystone_limits': 'true',
                    'node_staging_uri': f'file://{state}/staging'},
        'database': {'connection': database('glance')},
        'glance_store': {'default_backend': 'files'},
        'files': {'filesystem_store_datadir': str(state / 'images')},
        'os_glance_staging_store': {
            'filesystem_store_datadir': str(state / 'staging')},
        'os_glance_tasks_store': {
            'filesystem_store_datadir': str(state / 'tasks')},
        'paste_deploy': {
            'flavor': 'keystone',
            'config_file': str(share / 'glance' / 'glance-api-paste.ini')},
        'keystone_authtoken': tokens,
        # Of an administrator's project: of the system's scope Keystone works
        # out the roles anew at each of Glance's many questions.
        'oslo_limit': {
            **auth,
            'endpoint_service_type': 'image',
            'endpoint_region_name': site.REGION,
            'endpoint_interface': 'public'},
        'oslo_concurrency': locks,
    }
    neutron = {
        'DEFAULT': {'core_plugin': 'ml2', 'service_plugins': 'router',
                    'auth_strategy': 'keystone',
                    'notify_nova_on_port_status_changes': 'false',
                    'notify_nova_on_port_data_changes': 'false',
                    'state_path': str(state / 'neutron'),
                    'api_paste_config':
                        str(share / 'neutron' / 'api-paste.ini')},
        'ml2': {'type_drivers': 'local', 'tenant_network_types': 'local',
                'mechanism_drivers': 'logger'},
        'database': {'connection': database('neutron')},
        'keystone_authtoken': tokens,
        'oslo_concurrency': locks,
    }
    nova = {
        'DEFAULT': {
            'host': COMPUTE_HOST,
            'my_ip': site.HOST,
            'state_path': str(state / 'nova'),
            'compute_driver': 'hypervisor.FileDriver',
            'shutdown_timeout': str(site.SHUTDOWN_TIMEOUT),
            'enabled_apis': 'osapi_compute',
            'rpc_response_timeout': '120',
            # It may take an instance that is just being started for one
            # that went off by itself.
            'sync_power_state_interval': '-1',
            'periodic_fuzzy_delay': '0',
            'heal_instance_info_cache_interval': '-1',
            'vif_plugging_is_fatal': 'false',
            'vif_plugging_timeout': '0',
            'reserved_host_memory_mb': '0',
            'update_resources_interval': '60',
        },
        'api': answers,
        'api_database': {'connection': database('nova_api')},
        'database': {'connection': database('nova')},
        'quota': {'instances': '200', 'cores': '1000', 'ram': '1000000'},
        'glance': auth,
        'placement': auth,
        'neutron': auth,
        'cinder': auth,
        'service_user': service_user,
        'keystone_authtoken': tokens,
        'oslo_concurrency': locks,
    }
    cinder = {
        'DEFAULT': {
            'host': COMPUTE_HOST,
            'my_ip': site.HOST,
            'state_path': str(state / 'cinder'),
            'api_paste_config': str(share / 'cinder' / 'api-paste.ini'),
            'resource_query_filters_file':
                str(share / 'cinder' / 'resource_filters.json'),
            'auth_strategy': 'keystone',
            'enabled_backends': 'files',
            'default_volume_type': '__DEFAULT__',
            'scheduler_driver_init_wait_time': '5',
            'glance_api_servers': where.url('glance'),
            'rpc_response_timeout': '120',
            'image_conversion_dir': str(state / 'conversion'),
        },
        'files': {
            'volume_driver': 'tests.cloud.drivers.volumes.FileDriver',
            'volume_backend_name': 'files'},
        'database': {'connection': database('cinder')},
        'nova': auth,
        'service_user': service_user,
        'keystone_authtoken': tokens,
        'coordination': {'backend_url': f'file://{state}/coordination'},
        'oslo_concurrency': locks,
    }
    found = {'keystone': keystone, 'placement': placement,
             'glance-api': glance, 'neutron': neutron, 'nova': nova,
             'cinder': cinder}
    for sections in found.values():
        sections['DEFAULT'] = {**wanted['DEFAULT'],
                               **sections.get('DEFAULT', {})}
        # Else these are searched for in many places, at every question.
        sections['oslo_policy'] = {
            'policy_file': str(where.etc / 'policy.yaml'),
            'policy_dirs': str(where.etc / 'policy.d')}
    return found
