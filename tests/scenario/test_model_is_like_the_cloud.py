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

"""The model of the services answers as the services do.

The histories of a run are played on the model, so they prove what the model
is like. The same calls are made on both, and the answers compared.
"""

import pytest

from snapshot_dashboard.cloud import errors
from tests import model
from tests.scenario.waiting import until

SEQUENCES = {
    'power': ['stop', 'stop', 'settle', 'stop', 'start', 'start', 'settle',
              'start'],
    'notes': ['note', 'note', 'tag', 'tag', 'untag', 'untag', 'unnote',
              'unnote'],
    'locked': ['lock', 'note', 'tag', 'untag', 'stop', 'capture', 'settle',
               'unlock', 'note'],
    'saving': ['capture', 'capture', 'stop', 'note', 'tag', 'settle', 'stop',
               'settle', 'start', 'settle'],
    'off': ['stop', 'note', 'capture', 'settle', 'capture', 'start',
            'settle', 'start', 'settle'],
    'shelved': ['shelve', 'settle', 'note', 'tag', 'untag', 'stop', 'start',
                'capture', 'unshelve', 'settle', 'note'],
    'removed': ['capture', 'settle', 'remove', 'remove'],
    'full': ['fill', 'tag', 'note'],
    'gone': ['delete', 'settle', 'note', 'tag', 'look', 'capture', 'stop'],
}


#: What a run never does itself.
_BY_OTHERS = ('shelve', 'unshelve', 'delete')


class Played:
    """Plays a sequence on a cloud, real or not."""

    def __init__(self, cloud, server_id):
        self.cloud, self.server_id = cloud, server_id
        self.image_id = None

    def answers(self, sequence):
        return [(step, self.answer(step)) for step in sequence]

    def answer(self, step):
        try:
            getattr(self, step)()
        except errors.ServiceError as error:
            return type(error).__name__
        if step in _BY_OTHERS:
            return None  # the model leaves out how it comes about
        server = self.server()
        return server and (server.status, bool(server.task_state),
                           sorted(server.metadata.items()),
                           sorted(server.tags)[:3], len(server.tags))

    def server(self):
        try:
            return self.cloud.compute.server(self.server_id)
        except errors.NotFound:
            return None

    def stop(self):
        self.cloud.compute.stop(self.server_id)

    def start(self):
        self.cloud.compute.start(self.server_id)

    def note(self):
        there = self.cloud.compute.set_metadata(self.server_id, {'a': '1'})
        assert there['a'] == '1'

    def unnote(self):
        self.cloud.compute.delete_metadata(self.server_id, ['a'])

    def tag(self):
        self.cloud.compute.add_tag(self.server_id, 't')

    def untag(self):
        self.cloud.compute.delete_tag(self.server_id, 't')

    def fill(self):
        for number in range(50):
            self.cloud.compute.add_tag(self.server_id, f'other-{number:02}')

    def capture(self):
        self.image_id = self.cloud.compute.create_image(
            self.server_id, 'compared', {})

    def remove(self):
        self.cloud.images.delete(self.image_id)

    def look(self):
        self.cloud.compute.server(self.server_id)


class OnTheCloud(Played):
    """What is under way is still so at the next call, until it may end."""

    def __init__(self, cloud, server_id, drivers):
        super().__init__(cloud, server_id)
        self.drivers = drivers
        self.hold(True)

    def hold(self, held):
        for operation in ('server.stop', 'server.start', 'server.upload'):
            self.drivers.turn(operation, hold=held)

    def settle(self):
        self.hold(False)
        self.wait()
        self.hold(True)

    def wait(self):
        def is_idle():
            server = self.server()
            # A deleted one is shown as such for a moment.
            return server is None or not (
                server.task_state or server.status == 'DELETED')
        until(is_idle, 'idle')

    def __getattr__(self, name):
        return lambda: getattr(self.cloud.nova.servers, name)(
            self.server_id)


class OnTheModel(Played):

    def __init__(self):
        self.world = model.World()
        self.world.metadata.clear()
        self.world.racing = False
        super().__init__(model.ModelCloud(self.world, lambda write: 'ok'),
                         model.SERVER)

    def settle(self):
        while self.world.jobs:
            self.world.work(0)

    def lock(self):
        self.world.locked = True

    def unlock(self):
        self.world.locked = False

    def shelve(self):
        self.world.status = model.SHELVED[0]

    def unshelve(self):
        self.world.unshelve()

    def delete(self):
        self.world.status = self.world.task = None


@pytest.mark.parametrize('name', SEQUENCES)
def test_the_same_calls_have_the_same_answers(alice, drivers, victim, name):
    real = OnTheCloud(alice, victim.id, drivers)
    played = real.answers(SEQUENCES[name])
    if real.image_id and name != 'removed':
        real.settle()
        real.remove()
    assert played == OnTheModel().answers(SEQUENCES[name])
