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

"""A small model of Nova, Glance and Cinder, and of those who drive a run.

It knows the few rules that a run depends on, as they were seen on the real
services, and stops before each call: whoever plays with it says what becomes
of the call, and who makes the next one. So crashes, lost answers and several
advancers at once come in any order, and the same order gives the same end.
"""

from collections.abc import Callable
import contextlib
import dataclasses
import datetime
import json

import greenlet

from snapshot_dashboard import cloud as clouds
from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import types
from snapshot_dashboard.runs import advance
from snapshot_dashboard.runs import journal

PROJECT = 'p'
SERVER = 's'
NAME = 'nightly'
#: States in which Nova takes no metadata.
SHELVED = ('SHELVED_OFFLOADED',)
#: What may become of a call.
FATES = ('ok', 'crash-before', 'crash-after', 'lost', 'late', 'dark',
         'conflict', 'fault')
#: Seconds after which a call whose caller gave up has been done, if ever.
LATEST = 25


class Crash(BaseException):
    """The advancer's process dies."""


@dataclasses.dataclass
class Thing:
    """An image or a volume snapshot."""

    id: str
    name: str
    status: str
    at: float
    properties: dict
    volume_id: str = ''
    #: How at rest it is, whatever its marks say.
    truth: str = ''


class World:
    """The services' state. Times are seconds, by a clock of its own."""

    def __init__(self, volumes=(), volume_backed=False):
        self.now = 1790000000.0
        self.numbers = 0
        self.volume_backed = volume_backed
        self.volumes = tuple(volumes)
        self.status: str | None = 'ACTIVE'
        self.task: str | None = None
        self.locked = False
        self.metadata: dict[str, str] = {}
        self.tags: set[str] = set()
        self.images: dict[str, Thing] = {}
        self.snapshots: dict[str, Thing] = {}
        #: An earlier run has left these.
        self.actions = [types.Action(name, self.number(), 1.0)
                        for name in ('start', 'createImage', 'stop')]
        self.jobs: list[tuple] = []
        #: Calls that nobody waits for any more: until when, and what.
        self.late: list[tuple[float, Callable]] = []
        self.forced = False
        #: Whether Nova cannot take snapshots at all.
        self.broken = False
        #: Whether its guest never powers off.
        self.deaf = False
        #: Whether two who ask at once get an image each.
        self.racing = True
        #: How many volume snapshots there may be.
        self.quota = 99
        #: How the instance was when it was powered off last.
        self.how_off = marks.POWERED_OFF

    def number(self):
        self.numbers += 1
        return f'00000000-0000-4000-8000-{self.numbers:012d}'

    # What goes on by itself.

    def work(self, number, good=True):
        """Bring one of the jobs that are under way to its end."""
        if not self.jobs:
            return
        kind, thing = self.jobs.pop(number % len(self.jobs))
        getattr(self, f'_{kind}')(thing, good)

    def pass_time(self, seconds):
        """Let time pass; no call is under way longer than LATEST."""
        self.now += seconds
        for due, call in list(self.late):
            if due <= self.now:
                self.arrive(call)

    def arrive(self, call=None):
        """A call that nobody waits for any more is done."""
        if call is None and self.late:
            call = self.late[0][1]
        if call is not None:
            self.late = [other for other in self.late if other[1] is not call]
            with contextlib.suppress(errors.ServiceError):
                call()

    def nova_dies(self):
        """And comes back; a guest that it had saved stays off.

        :returns: whether that was for a snapshot of somebody else.
        """
        others = any(kind == 'upload' and marks.RUN not in image.properties
                     for kind, image in self.jobs)
        saved = self.task == 'image_uploading' and self.status == 'ACTIVE'
        self.jobs = [job for job in self.jobs if job[0] == 'snapshot']
        if self.task == 'powering-off' or saved:
            self.status = 'SHUTOFF'
        if saved:
            self.actions.insert(0, types.Action(
                'stop', self.number(), 0.1, by_user=False))
        self.task = None
        return saved and others

    def cinder_dies(self):
        """And comes back; what it was at stays ``creating`` for ever."""
        self.jobs = [job for job in self.jobs if job[0] != 'snapshot']

    def _stop(self, request, good):
        self.task = None
        seconds = 60.0 if self.forced else 2.0
        self.actions = [dataclasses.replace(action, seconds=seconds)
                        if action.request_id == request else action
                        for action in self.actions]
        if good and not self.deaf:
            self.status = 'SHUTOFF'
            self.how_off = (marks.FORCED_OFF if self.forced
                            else marks.POWERED_OFF)

    def _start(self, request, good):
        self.task = None
        if good:
            self.status = 'ACTIVE'
            for snapshot in self.snapshots.values():
                if snapshot.status == 'creating':
                    snapshot.truth = marks.LIVE

    def unshelve(self):
        if self.status in SHELVED:
            self.act('unshelve')
            self.status = 'ACTIVE'

    def _upload(self, image, good):
        if image.id not in self.images:
            self.task = None
        elif not good:
            # Nova removes it, or dies and leaves it lying.
            self.task = None
            if self.numbers % 2:
                del self.images[image.id]
        elif image.status == 'queued':
            image.status = 'saving'
            self.jobs.append(('upload', image))
        else:
            image.status = 'active'
            self.task = None

    def _snapshot(self, snapshot, good):
        snapshot.status = 'available' if good else 'error'

    # What the services are asked for.

    def act(self, name):
        request = self.number()
        self.actions.insert(0, types.Action(name, request, None))
        return request

    def stop(self):
        if self.status != 'ACTIVE' or self.task or self.locked:
            raise errors.Conflict('compute', 'not now', 409)
        self.task = 'powering-off'
        self.jobs.append(('stop', self.act('stop')))

    def start(self):
        if self.status != 'SHUTOFF' or self.task or self.locked:
            raise errors.Conflict('compute', 'not now', 409)
        self.task = 'powering-on'
        self.jobs.append(('start', self.act('start')))

    def create_image(self, name, metadata, quota=99):
        if self.task or self.status not in ('ACTIVE', 'SHUTOFF', 'PAUSED'):
            raise errors.Conflict('compute', 'not now', 409)
        self.act('createImage')
        image = Thing(self.number(), name, 'queued', self.now,
                      {marks.INSTANCE_ID: SERVER, **metadata},
                      truth=self.rest)
        if self.volume_backed:
            return self._capture_volumes(image, quota)
        image.properties['checksum'] = 'c'
        self.task = 'image_uploading'
        self.jobs.append(('upload', image))
        self.images[image.id] = image
        return image.id

    @property
    def rest(self):
        """How at rest what is captured now will be."""
        return self.how_off if self.status == 'SHUTOFF' else marks.LIVE

    def _capture_volumes(self, image, quota):
        made = []
        for volume_id in self.volumes:
            if len(self.snapshots) >= quota:
                raise errors.Forbidden('compute', 'quota', 403)
            made.append(self.create_snapshot(
                volume_id, f'snapshot for {image.name}', {}))
        image.status = 'active'
        image.properties['block_device_mapping'] = json.dumps([
            {'source_type': 'snapshot', 'snapshot_id': part,
             'volume_size': 1, 'boot_index': 0} for part in made])
        self.images[image.id] = image
        return image.id

    def fail(self):
        raise errors.Unavailable('compute', 'broken', 500)

    def orphan(self, name, metadata):
        """What Nova leaves of a createImage that comes at the same moment."""
        image = Thing(self.number(), name, 'queued', self.now,
                      {marks.INSTANCE_ID: SERVER, **metadata})
        self.images[image.id] = image
        raise errors.Unavailable('compute', 'race', 500)

    def create_snapshot(self, volume_id, name, metadata):
        snapshot = Thing(self.number(), name, 'creating', self.now,
                         dict(metadata), volume_id, self.rest)
        self.snapshots[snapshot.id] = snapshot
        self.jobs.append(('snapshot', snapshot))
        return snapshot.id

    def delete_image(self, image_id):
        if image_id not in self.images:
            raise errors.NotFound('image', '', 404)
        del self.images[image_id]

    def delete_snapshot(self, snapshot_id):
        if snapshot_id not in self.snapshots:
            raise errors.NotFound('volume', '', 404)
        if self.snapshots[snapshot_id].status == 'creating':
            raise errors.Refused('volume', 'creating', 400)
        del self.snapshots[snapshot_id]

    def server(self):
        if self.status is None:
            raise errors.NotFound('compute', '', 404)
        return types.Server(
            id=SERVER, name='web', status=self.status, task_state=self.task,
            locked=self.locked,
            image_id=None if self.volume_backed else 'base', root_gib=1,
            ephemeral_gib=0, swap_mib=0, volume_ids=self.volumes,
            metadata=dict(self.metadata), tags=tuple(sorted(self.tags)),
            project_id=PROJECT)

    def image(self, thing):
        return types.Image(
            thing.id, thing.name, thing.status, self.time(thing.at),
            0 if self.volume_backed else 1, PROJECT, False, 0,
            dict(thing.properties))

    def snapshot(self, thing):
        return types.VolumeSnapshot(
            thing.id, thing.name, thing.status, self.time(thing.at), 1,
            thing.volume_id, PROJECT, None, dict(thing.properties))

    @staticmethod
    def time(seconds):
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


class _Service:
    """Calls that stop before they are made."""

    def __init__(self, world, service, fate):
        self._world, self._service, self._fate = world, service, fate

    def _call(self, effect, write=True):
        fate = self._fate(write)
        if fate == 'crash-before':
            raise Crash
        if fate == 'late' and write:
            self._world.late.append((self._world.now + LATEST, effect))
        if fate in ('dark', 'late'):
            raise errors.Unavailable(self._service, 'no answer')
        if fate == 'fault':
            raise errors.Unavailable(self._service, 'fault', 500)
        if fate == 'conflict' and write:
            raise errors.Conflict(self._service, 'busy', 409)
        result = effect()
        if fate == 'crash-after':
            raise Crash
        if fate == 'lost':
            raise errors.Unavailable(self._service, 'answer lost')
        return result


class _Compute(_Service):

    def server(self, server_id):
        return self._call(self._world.server, write=False)

    def actions(self, server_id, limit):
        return self._call(lambda: list(self._world.actions[:limit]),
                          write=False)

    def stop(self, server_id):
        self._call(self._world.stop)

    def start(self, server_id):
        self._call(self._world.start)

    def create_image(self, server_id, name, metadata):
        world = self._world
        if world.broken:
            return self._call(world.fail)
        if world.racing and not world.volume_backed and world.task:
            return self._call(lambda: world.orphan(name, metadata))
        return self._call(lambda: world.create_image(
            name, metadata, world.quota))

    def set_metadata(self, server_id, items):
        def effect():
            if self._world.locked or self._world.status in SHELVED:
                raise errors.Conflict('compute', 'not now', 409)
            self._world.server()
            self._world.metadata.update(items)
            return dict(self._world.metadata)
        return self._call(effect)

    def delete_metadata(self, server_id, keys):
        def effect():
            for key in keys:
                self._world.metadata.pop(key, None)
        self._call(effect)

    def add_tag(self, server_id, tag):
        self._call(lambda: self._world.tags.add(tag))

    def delete_tag(self, server_id, tag):
        self._call(lambda: self._world.tags.discard(tag))


class _Images(_Service):

    def mark(self, image_id, properties):
        def effect():
            if image_id not in self._world.images:
                raise errors.NotFound('image', '', 404)
            self._world.images[image_id].properties.update(properties)
        self._call(effect)

    def images(self, limit, filters):
        return self._call(lambda: [
            self._world.image(image)
            for image in self._world.images.values()
            if all(name == 'owner' or value == (
                f'eq:{image.name}' if name == 'name' else
                image.properties.get(name))
                for name, value in filters.items())], write=False)

    def delete(self, image_id):
        self._call(lambda: self._world.delete_image(image_id))


class _Volumes(_Service):

    def snapshots(self, limit, filters):
        wanted = filters.get('metadata', {}).items()
        return self._call(lambda: [
            self._world.snapshot(snapshot)
            for snapshot in self._world.snapshots.values()
            if filters.get('name') in (None, snapshot.name)
            and wanted <= snapshot.properties.items()], write=False)

    def snapshot(self, snapshot_id):
        def effect():
            if snapshot_id not in self._world.snapshots:
                raise errors.NotFound('volume', '', 404)
            return self._world.snapshot(self._world.snapshots[snapshot_id])
        return self._call(effect, write=False)

    def create_snapshot(self, volume_id, name, description, metadata):
        return self._call(lambda: self._world.create_snapshot(
            volume_id, name, metadata))

    def mark_snapshot(self, snapshot_id, metadata):
        def effect():
            if snapshot_id not in self._world.snapshots:
                raise errors.NotFound('volume', '', 404)
            self._world.snapshots[snapshot_id].properties.update(metadata)
        self._call(effect)

    def delete_snapshot(self, snapshot_id):
        self._call(lambda: self._world.delete_snapshot(snapshot_id))


class ModelCloud:
    """What the runs see of the world.

    :param fate: called before each call; says what becomes of it.
    """

    project_id = PROJECT

    def __init__(self, world, fate):
        self.compute = _Compute(world, 'compute', fate)
        self.images = _Images(world, 'image', fate)
        self.volumes = _Volumes(world, 'volume', fate)

    def together(self, *calls):
        answers = []
        for call in calls:
            try:
                answers.append(call())
            except errors.ServiceError as error:
                answers.append(error)
        return answers

    each = clouds.Cloud.each


class Advancer:
    """Somebody who advances the run, stopped before each call."""

    def __init__(self, world, run):
        self._main = greenlet.getcurrent()
        self._thread = greenlet.greenlet(self._advance)
        cloud = ModelCloud(world, self._stand)
        self.alive = True
        #: Whether it stands before a write, and since when.
        self.writes, self.since = False, world.now
        self._world = world
        self.error = None
        self._arguments = cloud, run, lambda: world.now
        self._thread.switch()

    def _stand(self, write):
        self.writes, self.since = write, self._world.now
        return self._main.switch()

    def _advance(self):
        try:
            advance.advance(*self._arguments)
        except (Crash, greenlet.GreenletExit):
            pass
        except errors.ServiceError as error:
            self.error = error
        self.alive = False

    def step(self, fate='ok'):
        """Let the call happen that it stands before; it goes to the next."""
        if self.alive:
            self._thread.switch(fate)

    def finish(self):
        while self.alive:
            self.step()

    def drop(self):
        if self.alive:
            self._thread.throw()


def new_run(world, **options):
    """A run that has just begun."""
    plan = advance.new_plan(NAME, '', by='alice', clock=lambda: world.now,
                            **options)
    return advance.begin(ModelCloud(world, lambda write: 'ok'), world.server(),
                         plan, lambda: world.now)


def read(world):
    """The run as the server records it now, or None."""
    return None if world.status is None else journal.read(world.server())
