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

"""What every service of the test cloud needs to run on SQLite and cheroot."""

import contextlib
import os
import signal
import threading

from cheroot import wsgi
from oslo_db.sqlalchemy import enginefacade
import sqlalchemy
from sqlalchemy import event
from sqlalchemy import pool

from tests.cloud.services import gateway

_scope = threading.local()


def prepare_sqlite():
    """Let the databases serve many threads, and quickly."""
    _queue_up_writers()
    _keep_connections()


def _queue_up_writers():
    """Let writers queue up instead of failing with "database is locked".

    oslo.db begins every transaction with a plain BEGIN. One that reads and
    then writes fails at once, whatever the time-out, if another wrote in
    between. BEGIN IMMEDIATE takes the write lock first, and waits for it.
    """
    produce = enginefacade._TransactionContext._produce_block

    @contextlib.contextmanager
    def produce_block(self, mode, *args, **kwargs):
        outer = getattr(_scope, 'writing', False)
        block = produce(self, mode, *args, **kwargs)
        _scope.writing = self.mode is enginefacade._WRITER
        try:
            with block as resource:
                yield resource
        finally:
            _scope.writing = outer

    enginefacade._TransactionContext._produce_block = produce_block

    @event.listens_for(sqlalchemy.Engine, 'before_cursor_execute',
                       retval=True)
    def begin_immediate(conn, cursor, statement, parameters, context, many):
        if statement == 'BEGIN' and getattr(_scope, 'writing', False):
            statement = 'BEGIN IMMEDIATE'
        return statement, parameters

    @event.listens_for(sqlalchemy.Engine, 'connect')
    def write_ahead(dbapi_connection, record):
        dbapi_connection.execute('PRAGMA journal_mode = WAL')
        dbapi_connection.execute('PRAGMA busy_timeout = 60000')
        # A service that is killed loses nothing by it; a machine's crash
        # does not matter here.
        dbapi_connection.execute('PRAGMA synchronous = OFF')


def _keep_connections():
    """Open a database once, not at every statement.

    oslo.db does without a pool for SQLite, which costs a small cloud more
    than a third of its time.
    """
    create = sqlalchemy.create_engine

    def create_engine(*args, poolclass=None, connect_args=None, **options):
        if poolclass is pool.NullPool:
            poolclass = pool.QueuePool
            options['max_overflow'] = -1  # as many as there are threads
            connect_args = {**(connect_args or {}),
                            'check_same_thread': False}
        return create(*args, poolclass=poolclass,
                      connect_args=connect_args or {}, **options)
    sqlalchemy.create_engine = create_engine

    @event.listens_for(pool.Pool, 'checkin')
    def forget_transaction(dbapi_connection, record):
        record.info.pop('in_transaction', None)  # oslo.db's mark


class _KeepOpen:
    """A request body that a service cannot close.

    Glance closes it after an upload, and cheroot then cannot read the next
    request of the same connection.
    """

    def __init__(self, body):
        self._body = body

    def __getattr__(self, name):
        return getattr(self._body, name)

    def __iter__(self):
        return iter(self._body)

    def close(self):
        """The server closes it."""


def serve(application, port, threads=12):
    """Serve an application on loopback until SIGTERM."""
    if 'SNAPSHOT_CLOUD_KNOBS' in os.environ:
        application = gateway.Gateway(application,
                                      os.environ['SNAPSHOT_CLOUD_KNOBS'])

    def keep_body_open(environ, start_response):
        environ['wsgi.input'] = _KeepOpen(environ['wsgi.input'])
        return application(environ, start_response)

    # What these services hold is in their databases, so there is nothing to
    # end in good order; their own handlers would wait for their timers.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    wsgi.Server(('127.0.0.1', port), keep_body_open, numthreads=threads,
                request_queue_size=128,
                reuse_port='SNAPSHOT_CLOUD_SHARED_PORTS' in os.environ
                ).start()
