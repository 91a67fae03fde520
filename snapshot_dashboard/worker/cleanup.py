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

"""The command ``snapshot-dashboard-cleanup``."""

import argparse
from collections.abc import Sequence
import os
import sys

from keystoneauth1 import exceptions as keystone_errors
from keystoneauth1 import identity
from openstack import config as openstack_config
from openstack import exceptions as openstack_errors

from snapshot_dashboard import traces
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.worker import trust_sessions

_ABOUT = """
Lists what snapshot-dashboard has left on the instances, images, volumes and
volume snapshots of a project, and removes it with --remove. No snapshot is
deleted. What is still under way is left alone. Instances whose cell is down
are not seen.
"""
_ACCOUNT = """
The account is configured as for the openstack client: by --os-cloud and
clouds.yaml, or by OS_* variables. It needs the rights of a member of the
project.
"""
#: Seconds that one call may take: each lists up to a thousand things.
_TIMEOUT = 60
#: By what --remove says, whether the marks go, too.
_WITH_MARKS = {'records': False, 'all': True}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    :returns: 0; 1 when something could not be removed or listed;
        ``os.EX_CONFIG`` when the account does not do.
    """
    given = sys.argv[1:] if arguments is None else arguments
    try:
        options, config = _options(given)
        return _clean(_cloud(config.get_one(argparse=options)),
                      options.remove)
    except (openstack_errors.ConfigException,
            keystone_errors.AuthPluginException) as error:
        print(f'Invalid configuration: {error}', file=sys.stderr)
        return os.EX_CONFIG
    except (errors.ServiceError, keystone_errors.ClientException) as error:
        print(f'Nothing was looked at or removed: {errors.words(str(error))}',
              file=sys.stderr)
        return 1


def _options(arguments: Sequence[str]) -> tuple[
        argparse.Namespace, openstack_config.OpenStackConfig]:
    parser = argparse.ArgumentParser(
        prog='snapshot-dashboard-cleanup', usage='%(prog)s [options]',
        description=_ABOUT, epilog=_ACCOUNT)
    config = openstack_config.OpenStackConfig()
    config.register_argparse_arguments(parser, list(arguments))
    parser.add_argument(
        '--remove', choices=sorted(_WITH_MARKS),
        help='remove the records of what has ended, as Dismiss does, or all, '
             'and then the panel no longer knows which volume snapshots '
             'belong to an image, how a snapshot was taken, or until when it '
             'is wanted')
    return parser.parse_args(arguments), config


def _cloud(region: openstack_config.cloud_region.CloudRegion
           ) -> services.Cloud:
    session = region.get_session()
    session.timeout = _TIMEOUT
    if not isinstance(session.auth, identity.BaseIdentityPlugin):
        raise openstack_errors.ConfigException(
            'the account does not sign in at Keystone.')
    access = session.auth.get_access(session)
    if not access.project_id:
        raise openstack_errors.ConfigException(
            'the account names no project.')
    endpoints = trust_sessions.endpoints(
        access, session.auth.auth_url, region.get_interface() or 'public',
        region.get_region_name())
    return services.Cloud(session, endpoints, access.project_id)


def _clean(cloud: services.Cloud, wish: str | None) -> int:
    found = traces.find(cloud)
    if not cloud.has('volume'):
        print('The catalogue has no volume service here: volumes and their '
              'snapshots were not looked at.')
    for trace in found:
        print(_line(trace))
    if not found:
        print('Nothing was found.')
    if not wish:
        return 0
    with_marks = _WITH_MARKS[wish]
    to_go = traces.removable(found, with_marks)
    removed = sum(_remove(cloud, trace, with_marks) for trace in to_go)
    left = [trace for trace in found if trace.is_left(with_marks)]
    print(f'Removed from {removed} of {len(left)}.')
    if any(trace.under_way for trace in found):
        print('Something is under way in this project. See it through on the '
              'panel, or give it up there, and run this again.')
    return 0 if removed == len(left) else 1


def _remove(cloud: services.Cloud, trace: traces.Trace,
            with_marks: bool) -> bool:
    try:
        if traces.remove(cloud, trace, with_marks):
            return True
        print(f'Not all was removed: {_line(trace)}')
    except traces.UnderWay:
        print(f'Left alone: {_line(trace)}: something has just begun.')
    except errors.ServiceError as error:
        print(f'Not removed: {_line(trace)}: {errors.words(str(error))}')
    return False


def _line(trace: traces.Trace) -> str:
    """One thing and what it bears. Names may hold anything."""
    counts = {'record': len(trace.records) + len(trace.record_tags)
              + len(trace.copied),
              'mark': len(trace.marks) + len(trace.mark_tags)}
    bears = ', '.join(f'{count} of {kind}s' for kind, count in counts.items()
                      if count)
    return (f'{trace.kind.value} {trace.id} {errors.words(trace.name)!r}: '
            f'{bears}{", under way" if trace.under_way else ""}')


if __name__ == '__main__':
    sys.exit(main())
