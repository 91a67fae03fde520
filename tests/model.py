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

It is as rough as the world: reads may be old, lists may lack something, each
write of metadata saves what its reader had read, others replace tags and
metadata and make things that bear the run's marks, there may be no room, each
advancer has a clock of its own, and any call may answer anything.
"""

from collections.abc import Callable
import contextlib
import dataclasses
import datetime
import json

import greenlet

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import reconcile

PROJECT = 'p'
SERVER = 's'
NAME = 'nightly'
SHELVED = ('SHELVED_OFFLOADED',)
#: Answers that are no more than a status, whatever is asked.
STATUSES = ('400', '403', '404', '408', '409', '413', '429', '500', '502',
            '503', '504')
#: What may become of a call. ``stale`` and ``gap`` are of reads: an answer of
#: some changes ago, and a list that lacks its first entry; ``page`` is a
#: gateway's, with status 200.
FATES = ('ok', 'crash-before', 'crash-after', 'lost', 'late', 'dark', 'page',
         'stale', 'stale', 'gap', *STATUSES)
LATEST = 25
#: How many states ago a stale read may be of, at the most.
_STALEST = 3
#: The most tags that a server may have.
_TAGS = 50


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
    #: Whether a call of the run made it, whatever its marks say.
    made: bool = True


class World:
    """The services' state. Times are seconds, by a clock of its own."""

    #: What a read shows, and may show late.
    _SHOWN = ('status', 'task', 'metadata', 'tags', 'images', 'snapshots',
              'actions', 'updated')

    def __init__(self, volumes=(), volume_backed=False, room=128,
                 others_tags=0):
        self.now = 1790000000.0
        self.numbers = 0
        self.volume_backed = volume_backed
        self.volumes = tuple(volumes)
        self.status: str | None = 'ACTIVE'
        self.task: str | None = None
        self.locked = False
        self.updated = self.now
        #: How many items of metadata there may be.
        self.room = room
        self.metadata: dict[str, str] = {'owner': 'others'}
        self.tags: set[str] = {f'other-{number}'
                               for number in range(others_tags)}
        self.images: dict[str, Thing] = {}
        self.snapshots: dict[str, Thing] = {}
        #: An earlier run has left these.
        self.actions = [types.Action(name, self.number(), 1.0,
                                     began=self.now - 100)
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
        #: What a person last wanted of the power, if anything.
        self.will: str | None = None
        #: What has been removed, and by whom: things, by their ids.
        self.removed: dict[str, Thing] = {}
        #: Whole images that were removed when the run was over.
        self.removed_after_end: list[str] = []
        #: How many calls were made, and what reads showed before.
        self.calls = 0
        self.past: list[dict] = []

    def number(self):
        self.numbers += 1
        return f'00000000-0000-4000-8000-{self.numbers:012d}'

    def remember(self):
        """Keep how it is now, for reads that come late to it."""
        now = {name: getattr(self, name) for name in self._SHOWN}
        for name in ('images', 'snapshots'):  # the others are never changed
            now[name] = {thing.id: dataclasses.replace(
                thing, properties=dict(thing.properties))
                for thing in now[name].values()}
        self.past = [*self.past[-_STALEST + 1:], now]

    @contextlib.contextmanager
    def as_it_was(self):
        """How a read sees it that is some changes late."""
        now = {name: getattr(self, name) for name in self._SHOWN}
        for name, value in (self.past[0] if self.past else now).items():
            setattr(self, name, value)
        try:
            yield
        finally:
            for name, value in now.items():
                setattr(self, name, value)

    # What goes on by itself.

    def work(self, number, good=True):
        """Bring one of the jobs that are under way to its end."""
        if not self.jobs:
            return
        self.remember()
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
            self.remember()
            with contextlib.suppress(errors.ServiceError):
                call()

    def nova_dies(self):
        """And comes back; a guest that it had saved stays off.

        :returns: whether that was for a snapshot of somebody else.
        """
        self.remember()
        others = any(kind == 'upload' and not image.made
                     for kind, image in self.jobs)
        saved = self.task == 'image_uploading' and self.status == 'ACTIVE'
        self.jobs = [job for job in self.jobs if job[0] == 'snapshot']
        if self.task in ('powering-off', 'powering-on',
                         'reboot_started_hard'):
            self._not_as_wished()
        if self.task == 'powering-off' or saved:
            self._goes_off(marks.OFF)
        if saved:
            self.act('stop', 0.1, by_user=False)
        self.task = None
        return saved and others

    def cinder_dies(self):
        """And comes back; what it was at stays ``creating`` for ever."""
        self.jobs = [job for job in self.jobs if job[0] != 'snapshot']

    def crash(self):
        """The guest goes off by itself, and Nova notes it later."""
        if self.status == 'ACTIVE' and not self.task:
            self.remember()
            self._goes_off(marks.OFF)
            self.act('stop', 0.1, by_user=False)

    def _not_as_wished(self):
        """Nova did not do what somebody had asked for."""
        self.will = self.will and 'unsure'

    def _goes_off(self, how):
        self.status, self.how_off, self.updated = 'SHUTOFF', how, self.now

    def _stop(self, request, good):
        self.task = None
        self.updated = self.now
        if not good or self.deaf:
            self._not_as_wished()
        else:
            self._goes_off(marks.FORCED_OFF if self.forced
                           else marks.POWERED_OFF)
            began = next((action.began for action in self.actions
                          if action.request_id == request), self.now)
            # It took so long, whatever the clock of the model says.
            self.updated = began + self._seconds
        # How long it took is recorded a moment later.
        self.jobs.append(('recorded', request))

    @property
    def _seconds(self):
        return 60.0 if self.forced else 2.0

    def _recorded(self, request, good):
        self.actions = [dataclasses.replace(action, seconds=self._seconds)
                        if action.request_id == request else action
                        for action in self.actions]

    def _start(self, request, good):
        self.task = None
        if not good:
            self._not_as_wished()
        else:
            self.status, self.updated = 'ACTIVE', self.now
            for snapshot in self.snapshots.values():
                if snapshot.status == 'creating':
                    snapshot.truth = marks.LIVE

    _reboot = _start

    def unshelve(self):
        if self.status in SHELVED:
            self.remember()
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

    # What others do.

    def inherits(self):
        """Nova's snapshot of a server that was rebuilt from the run's."""
        parents = [image for image in self.images.values()
                   if image.status == 'active' and marks.RUN
                   in image.properties]
        if parents and not self.task and self.status in ('ACTIVE', 'SHUTOFF'):
            self.remember()
            self.act('createImage')
            self._others(dict(parents[0].properties))

    def copies(self):
        """Somebody copies the run's image with all its properties."""
        whole = [image for image in self.images.values()
                 if image.status == 'active']
        if whole:
            self.remember()
            self._others(dict(whole[0].properties))

    def _others(self, properties):
        image = Thing(self.number(), 'by others', 'active', self.now + 0.1,
                      {marks.INSTANCE_ID: SERVER, **properties}, made=False)
        self.images[image.id] = image

    def captures_by_hand(self):
        """A snapshot by the CLI under the name that the run uses, too."""
        if not self.task and self.status in ('ACTIVE', 'SHUTOFF'):
            self.remember()
            self.create_image(NAME, {}, made=False)

    def retag(self):
        """Another tool sets the server's tags as it knows them."""
        self.remember()
        self.tags = {'theirs'}

    def replaces_metadata(self):
        """Another tool sets the server's metadata as it knows them."""
        self.remember()
        self.metadata = {'owner': 'others', 'theirs': 'yes'}

    # What the services are asked for.

    def act(self, name, seconds=None, by_user=True):
        request = self.number()
        self.actions = [types.Action(name, request, seconds, by_user,
                                     self.now), *self.actions]
        return request

    def check_is_there(self):
        if self.status is None:
            raise errors.NotFound('compute', '', 404)

    def stop(self):
        self.check_is_there()
        if self.status != 'ACTIVE' or self.task or self.locked:
            raise errors.Conflict('compute', 'not now', 409)
        self.task = 'powering-off'
        self.jobs.append(('stop', self.act('stop')))

    def start(self):
        self.check_is_there()
        if self.status != 'SHUTOFF' or self.task or self.locked:
            raise errors.Conflict('compute', 'not now', 409)
        self.task = 'powering-on'
        self.jobs.append(('start', self.act('start')))

    def reboot(self):
        """A hard reboot, which powers on what is off, too."""
        self.check_is_there()
        if self.status not in ('ACTIVE', 'SHUTOFF', 'PAUSED') or (
                self.task or self.locked):
            raise errors.Conflict('compute', 'not now', 409)
        self.task = 'reboot_started_hard'
        self.jobs.append(('reboot', self.act('reboot')))

    def create_image(self, name, metadata, quota=99, made=True):
        self.check_is_there()
        if self.task or self.status not in ('ACTIVE', 'SHUTOFF', 'PAUSED'):
            raise errors.Conflict('compute', 'not now', 409)
        self.act('createImage')
        image = Thing(self.number(), name, 'queued', self.now,
                      {marks.INSTANCE_ID: SERVER, **metadata},
                      truth=self.rest, made=made)
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
                raise errors.OverQuota('compute', 'quota', 403)
            made.append(self.create_snapshot(
                volume_id, f'snapshot for {image.name}', {},
                made=image.made))
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

    def create_snapshot(self, volume_id, name, metadata, made=True):
        snapshot = Thing(self.number(), name, 'creating', self.now,
                         dict(metadata), volume_id, self.rest, made)
        self.snapshots[snapshot.id] = snapshot
        self.jobs.append(('snapshot', snapshot))
        return snapshot.id

    def delete_image(self, image_id):
        if image_id not in self.images:
            raise errors.NotFound('image', '', 404)
        if self.images[image_id].properties.get('protected'):
            raise errors.Forbidden('image', 'protected', 403)
        run = self.status and journal.read(self.server())
        if run and not run.open and self.images[image_id].status == 'active':
            self.removed_after_end.append(image_id)
        self.removed[image_id] = self.images.pop(image_id)

    def delete_snapshot(self, snapshot_id):
        if snapshot_id not in self.snapshots:
            raise errors.NotFound('volume', '', 404)
        if self.snapshots[snapshot_id].status == 'creating':
            raise errors.Refused('volume', 'creating', 400)
        snapshot = self.snapshots.pop(snapshot_id)
        # What Nova has made for a call that failed bears nothing but a name:
        # what no image needs, of the same name, volume and minutes, is taken
        # for it.
        if snapshot.made or self.is_needed(snapshot_id):
            self.removed[snapshot_id] = snapshot

    def is_needed(self, snapshot_id):
        """Whether an image needs a volume snapshot."""
        return any(snapshot_id in image.properties.get(
            'block_device_mapping', '') for image in self.images.values())

    def save_metadata(self, items):
        """What Nova does: all items as they were read, some changed."""
        if len(items) > self.room:
            raise errors.OverQuota('compute', 'Maximum number', 403)
        self.metadata = dict(items)

    def lacks_room_for(self, plan):
        """Whether others have left no room for a run's record."""
        return len({**self.metadata, **journal.write(plan)}) > self.room

    def check_takes_notes(self, tags=False):
        self.check_is_there()
        if self.locked and not tags or self.status in SHELVED:
            raise errors.Conflict('compute', 'not now', 409)

    def add_tag(self, tag):
        self.check_takes_notes(tags=True)
        if tag not in self.tags and len(self.tags) >= _TAGS:
            raise errors.Refused('compute', 'no more than 50 tags', 400)
        self.tags = self.tags | {tag}

    def delete_tag(self, tag):
        self.check_takes_notes(tags=True)
        self.tags = self.tags - {tag}

    def server(self):
        self.check_is_there()
        return types.Server(
            id=SERVER, name='web', status=self.status, task_state=self.task,
            locked=self.locked,
            image_id=None if self.volume_backed else 'base', root_gib=1,
            ephemeral_gib=0, swap_mib=0, volume_ids=self.volumes,
            metadata=dict(self.metadata), tags=tuple(sorted(self.tags)),
            project_id=PROJECT, updated=self.updated)

    def image(self, thing):
        return types.Image(
            thing.id, thing.name, thing.status, self.time(thing.at),
            0 if self.volume_backed else 1, PROJECT,
            bool(thing.properties.get('protected')), 0,
            {'updated_at': self.time(self.now).isoformat(),
             **{name: value for name, value in thing.properties.items()
                if name != 'protected'}})

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

    def _call(self, effect, write=True, late=None):
        """:param late: what a call does that arrives late."""
        world = self._world
        world.calls += 1
        fate = self._fate(write)
        if fate == 'crash-before':
            raise Crash
        if fate == 'late' and write:
            world.late.append((world.now + LATEST, late or effect))
        if fate in ('dark', 'late'):
            raise errors.Unavailable(self._service, 'no answer')
        if fate == 'page':
            raise errors.Unavailable(self._service, 'cannot be read')
        if fate in STATUSES:
            raise errors.from_status(self._service, int(fate), 'made up')
        if write:
            world.remember()
            result = effect()
        elif fate == 'stale':
            with world.as_it_was():
                result = effect()
        else:
            result = effect()
        if fate == 'gap' and isinstance(result, list):
            result = result[1:]
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

    def action_seconds(self, server_id, action):
        def effect():
            for other in self._world.actions:
                if other.request_id == action.request_id:
                    return other.seconds
            raise errors.NotFound('compute', '', 404)
        return self._call(effect, write=False)

    def stop(self, server_id):
        world = self._world

        def effect():
            # Nova looks before it locks: of two at the same moment it may
            # take both, and records both.
            if world.task == 'powering-off' and world.numbers % 2:
                world.act('stop', 2.0)
            else:
                world.stop()
        self._call(effect)

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
        world = self._world

        def effect(there):
            world.check_takes_notes()
            world.save_metadata({**there, **items})
            return dict(world.metadata)
        # Others may write between Nova's own read and its save.
        read = dict(world.metadata)
        return self._call(lambda: effect(read),
                          late=lambda: effect(world.metadata))

    def delete_metadata(self, server_id, keys):
        def effect(key):
            self._world.check_takes_notes()
            self._world.metadata = {
                name: value for name, value in self._world.metadata.items()
                if name != key}
        for key in keys:
            self._call(lambda key=key: effect(key))

    def add_tag(self, server_id, tag):
        self._call(lambda: self._world.add_tag(tag))

    def delete_tag(self, server_id, tag):
        self._call(lambda: self._world.delete_tag(tag))


class _Images(_Service):

    def set_properties(self, image_id, properties):
        def effect():
            if image_id not in self._world.images:
                raise errors.NotFound('image', '', 404)
            self._world.images[image_id].properties.update(properties)
        self._call(effect)

    def images(self, limit, filters, ascending=False):
        return self._call(lambda: [
            self._world.image(image)
            for image in self._world.images.values()
            if all(name == 'owner' or value == (
                f'eq:{image.name}' if name == 'name' else
                image.properties.get(name))
                for name, value in filters.items())], write=False)

    def changed(self, owner, since, hidden, limit, marker=''):
        found = self._call(lambda: [
            self._world.image(image) for image in self._world.images.values()
            if not hidden], write=False)
        return found, False

    def image(self, image_id):
        def effect():
            if image_id not in self._world.images:
                raise errors.NotFound('image', '', 404)
            return self._world.image(self._world.images[image_id])
        return self._call(effect, write=False)

    def delete(self, image_id):
        self._call(lambda: self._world.delete_image(image_id))


class _Volumes(_Service):

    def snapshots(self, limit, filters, ascending=False):
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

    def set_snapshot_metadata(self, snapshot_id, metadata):
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
        self.memory = services.Memory()
        self.compute = _Compute(world, 'compute', fate)
        self.images = _Images(world, 'image', fate)
        self.volumes = _Volumes(world, 'volume', fate)

    def gather(self, *calls):
        answers = []
        for call in calls:
            try:
                answers.append(call())
            except errors.ServiceError as error:
                answers.append(error)
        return answers

    gather_named = services.Cloud.gather_named
    gather_or_raise = services.Cloud.gather_or_raise

    def has(self, service):
        return True

    def address(self, service):
        return service


class Actor:
    """Somebody who works on a run, stopped before each call.

    :param skew: seconds by which the actor's clock is ahead.
    """

    def __init__(self, world, skew=0):
        self._main = greenlet.getcurrent()
        self._thread = greenlet.greenlet(self._work)
        self.cloud = ModelCloud(world, self._stand)
        self.clock = lambda: world.now + skew
        self.alive = True
        #: Whether it stands before a write, and since when.
        self.writes, self.since = False, world.now
        self.world = world
        self.error = None
        self.calls = 0

    def begin(self):
        self._thread.switch()
        return self

    def _stand(self, write):
        self.writes, self.since = write, self.world.now
        self.calls += 1
        return self._main.switch()

    def _work(self):
        try:
            self.act()
        except (Crash, greenlet.GreenletExit):
            pass
        except (errors.ServiceError, lifecycle.Unclear,
                lifecycle.Busy) as error:
            self.error = error
        self.alive = False

    def act(self):
        raise NotImplementedError

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


class Advancer(Actor):
    """Brings a run forward; every other one has seen its server in a list, as
    a page has.
    """

    def __init__(self, world, run, skew=0):
        super().__init__(world, skew)
        self._run = run
        self.begin()

    def act(self):
        in_list = self._run.server if self.world.numbers % 2 else None
        self._run = reconcile.advance(
            self.cloud, self._run, self.clock,
            surely_gone=self.world.status is None, glimpse=in_list)


class Beginner(Actor):
    """Presses the button of the wizard."""

    def __init__(self, world, **options):
        super().__init__(world)
        self.plan = lifecycle.new_plan(
            NAME, '', requested_by='alice', clock=lambda: world.now, **options)
        self._server = world.server()
        self._after = world.actions[0].request_id
        self.run = None
        self.begin()

    def act(self):
        self.run = lifecycle.begin(self.cloud, self._server, self.plan,
                                   self.clock, after=self._after)


class Canceller(Actor):
    """Presses Cancel, as the page does."""

    def __init__(self, world):
        super().__init__(world)
        #: Whether the user was told that it is cancelled.
        self.told = False
        self.begin()

    def act(self):
        run = journal.read(self.cloud.compute.server(SERVER))
        if run is not None and lifecycle.can_cancel(run):
            run = lifecycle.cancel(self.cloud, run, self.clock)
            # A locked server has a tag alone for it, which another tool can
            # take away before anybody could note it.
            self.told = run.progress.failure == 'cancelled' and bool(
                run.noted.failure or not run.server.locked)


class Dismisser(Actor):
    """Presses Dismiss on a run that is over, as the page does."""

    def act(self):
        run = journal.read(self.cloud.compute.server(SERVER))
        if run is not None and not run.open:
            lifecycle.tidy(self.cloud, run, self.clock)
            lifecycle.dismiss(self.cloud, SERVER)


def new_run(world, **options):
    """A run that has just begun."""
    beginner = Beginner(world, **options)
    beginner.finish()
    if beginner.error:
        raise beginner.error
    return beginner.run


def read(world):
    """The run as the server records it now, or None."""
    return None if world.status is None else journal.read(world.server())
