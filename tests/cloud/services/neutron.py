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

"""Run Neutron's API: python -m tests.cloud.services.neutron PORT.

Nova asks Neutron for the security groups of each server that it shows, so
the API must be there. No agent and no switch is behind it: a port counts as
bound as soon as Nova names its host.
"""

import sys

from tests.cloud.services import serving


def create_schema():
    """Make the tables from the models: Neutron's migrations need MySQL."""
    from neutron.db.migration.models import head
    import sqlalchemy
    engine = sqlalchemy.create_engine('sqlite:///neutron.sqlite')
    head.get_metadata().create_all(engine)


def bind_ports():
    """Let a mechanism driver that only logs bind each port at once."""
    from neutron.tests.unit.plugins.ml2.drivers import mechanism_logger

    def bind_port(driver, context):
        segment = context.segments_to_bind[0]
        context.set_binding(segment['id'], 'ovs', {}, status='ACTIVE')
    mechanism_logger.LoggerMechanismDriver.bind_port = bind_port


if __name__ == '__main__':
    serving.prepare_sqlite()
    port = int(sys.argv.pop())
    # A list of ports asks for relations that come with the models of
    # plug-ins; without the plug-ins nothing else imports those.
    import neutron.db.migration.models.head  # noqa: F401
    from sqlalchemy import orm
    orm.configure_mappers()
    bind_ports()
    from neutron.wsgi import api
    serving.serve(api.application, port)
