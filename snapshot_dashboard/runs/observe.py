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

"""All that the next step of a run depends on, read from the services.

What the run made is found by the run's id, not by what was noted: a note
may be lost, or written by somebody else.
"""

from collections.abc import Callable
from collections.abc import Iterable
import contextlib
import dataclasses
import functools
from typing import Any

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import texts
from snapshot_dashboard.cloud import types
from snapshot_dashboard.runs import consistency
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import observation
from snapshot_dashboard.runs import record
from snapshot_dashboard.runs import situation
from snapshot_dashboard.snapshots import deletion

#: Images and volume snapshots of one run that are looked at, the oldest: what
#: came later are others' that inherited its marks.
_MOST = 100
#: Actions of a server among which the last stop is looked for.
_ACTIONS = 20


def observe(cloud: services.Cloud, run: record.Run, now: int,
            server: types.Server | None = None) -> observation.Observation:
    """Look at a run, in three rounds of calls at the most.

    :param server: as it is now, for who has just asked.
    :raises ServiceError: when Nova cannot be asked, or the token is no more
        known; another service that does not tell is noted as unreachable.
    """
    known = server is not None
    answers = _ask(cloud, {
        **({'actions': lambda: actions(cloud, run.server)} if known and
           _actions_matter(_as_recorded(run, server), server) else {}),
        **({} if known else {
            'server': lambda: server_now(cloud, run.server.id)}),
        **({'image': lambda: _images(cloud, run)} if run.plan.captures_image
           else {}),
        **({'volume': lambda: _marked(cloud, run)}
           if run.plan.volumes else {})})
    server, images = answers.get('server', server), answers.get('image') or ()
    run = _as_recorded(run, server)
    marked = answers.get('volume') or ()
    more: dict[str, Callable[[], Any]] = {}
    if not known and _actions_matter(run, server):
        more['actions'] = lambda: actions(cloud, run.server)
    if _volume_backed(run, images) and (images or run.progress.capture_count):
        more['made by Nova'] = lambda: _made_by_nova(cloud, run, images)
    if unlisted := _unlisted(run, images, marked):
        more['unlisted'] = lambda: _by_id(cloud, unlisted)
    answers.update(_ask(cloud, more))
    # A list may lag behind; and whoever advances the run by a clock that is
    # ahead may have given it up, and removed parts while others captured.
    by_id, gone_ids = answers.get('unlisted') or ((), ())
    listed_late = [snapshot for snapshot in by_id
                   if _bears_marks_of(run, snapshot)]
    return observation.Observation(
        server=server,
        now=now,
        images=tuple(images),
        snapshots=tuple({snapshot.id: snapshot for snapshot in (
            *marked, *(answers.get('made by Nova') or ()),
            *listed_late)}.values()),
        actions=tuple(answers.get('actions') or ()),
        unreachable=frozenset(
            'image' if name == 'image' else 'volume'
            for name in ('image', 'volume', 'made by Nova', 'unlisted')
            if name in answers and answers[name] is None),
        gone_ids=frozenset(gone_ids))


def image(cloud: services.Cloud, run: record.Run) -> types.Image | None:
    """What a run made of its instance, whether or not its record says so.

    :raises ServiceError: when that cannot be told.
    """
    return situation.best_image(tuple(_images(cloud, run)))


def _as_recorded(run: record.Run,
                 server: types.Server | None) -> record.Run:
    """The run with its progress as it is now."""
    there = journal.read(server) if server else None
    if there is None or there.plan.run_id != run.plan.run_id:
        return dataclasses.replace(run, server=server or run.server)
    return there


def _ask(cloud: services.Cloud,
         calls: dict[str, Callable[[], Any]]) -> dict[str, Any]:
    """Ask at the same time; what Glance or Cinder do not tell is None.

    They may refuse it, too: then as little is known, and no instance is to
    be left off for that.
    """
    answers = cloud.gather_named(calls)
    for error in errors.among(answers.values()):
        if error.service == 'compute' or isinstance(
                error, errors.Unauthorized):
            raise error
    return {**dict.fromkeys(answers), **errors.without(answers)}


def server_now(cloud: services.Cloud, server_id: str) -> types.Server | None:
    """A server; None when it is not to be found.

    :raises ServiceError: when Nova does not tell.
    """
    try:
        return cloud.compute.server(server_id)
    except errors.NotFound:
        return None


def _volume_backed(run: record.Run,
                   images: Iterable[types.Image] = ()) -> bool:
    return (run.plan.volume_backed or run.server.volume_backed
            or any(image.volume_backed for image in images))


def _actions_matter(run: record.Run,
                    server: types.Server | None) -> bool:
    """Whether it matters who powered the server off or on, and how."""
    progress = run.progress
    if server is None or server.task_state or progress.ended_at:
        return False
    if server.status == 'SHUTOFF':
        return bool(not progress.off_at or progress.start_count
                    or not progress.stop_count or progress.failure
                    or run.plan.volumes and progress.snapshot_count
                    or _volume_backed(run) and progress.capture_count)
    return bool((progress.stop_count or progress.off_at or run.plan.power_off)
                and not progress.start_count)


def actions(cloud: services.Cloud, server: types.Server) -> list[types.Action]:
    """What was done to a server; nothing where the cloud hides it.

    How long the host was at work on what powered it off tells an orderly
    power-off from a forced one, and from one that found the guest off. Where
    that is hidden, no instance is to be left off for it.
    """
    try:
        found = cloud.compute.actions(server.id, _ACTIONS)
        stop = consistency.last_stop(found)
        if server.status != 'SHUTOFF' or stop is None:
            return found
        finished = dataclasses.replace(
            stop, seconds=_seconds_of(cloud, server, stop))
    except (errors.Forbidden, errors.NotFound):
        return []
    return [finished if action is stop else action for action in found]


def _seconds_of(cloud: services.Cloud, server: types.Server,
                action: types.Action) -> float | None:
    try:
        return cloud.compute.action_seconds(server.id, action)
    except errors.NotFound:  # who answers does not know of it yet
        return None


def _images(cloud: services.Cloud, run: record.Run) -> list[types.Image]:
    """The run's images; not those of others that inherited its marks."""
    found = [image for image in cloud.images.images(_MOST, {
                 'owner': cloud.project_id, marks.RUN: run.plan.run_id},
                 ascending=True)
             if _is_of(run, image)]
    known = run.progress.image_id
    if known and all(image.id != known for image in found):
        # A list may lag behind, and shows no image that somebody has hidden.
        with contextlib.suppress(errors.NotFound):
            image = cloud.images.image(known)
            found += [image] if _is_of(run, image) else []
    return [image for image in marks.originals(found)
            if not journal.inherited(run.progress, image)]


def _is_of(run: record.Run, image: types.Image) -> bool:
    return (image.properties.get(marks.RUN) == run.plan.run_id
            and image.properties.get(marks.INSTANCE) == run.server.id
            and image.properties.get(marks.INSTANCE_ID) == run.server.id)


def _marked(cloud: services.Cloud,
            run: record.Run) -> list[types.VolumeSnapshot]:
    """The snapshots of chosen volumes."""
    # A service that ignores the filter must not give us others' snapshots.
    return marks.originals(
        snapshot for snapshot in cloud.volumes.snapshots(
            _MOST, {'metadata': {marks.RUN: run.plan.run_id}},
            ascending=True)
        if _bears_marks_of(run, snapshot))


def _bears_marks_of(run: record.Run, snapshot: types.VolumeSnapshot) -> bool:
    return (snapshot.metadata.get(marks.RUN) == run.plan.run_id
            and snapshot.metadata.get(marks.INSTANCE) == run.server.id)


def _unlisted(run: record.Run, images: Iterable[types.Image],
              marked: Iterable[types.VolumeSnapshot]) -> list[str]:
    """The parts that the run's image names, and that no list has shown."""
    best = situation.best_image(tuple(images))
    if best is None or not run.plan.volumes or run.progress.ended_at:
        return []
    listed = {snapshot.id for snapshot in marked}
    # What it has inherited beside its own names more than it can have.
    named = marks.ids_named(marks.PARTS, best.properties)[
        :len(run.plan.volumes)]
    return [part_id for part_id in named if part_id not in listed]


def _by_id(cloud: services.Cloud, part_ids: Iterable[str]
           ) -> tuple[list[types.VolumeSnapshot], list[str]]:
    """Those volume snapshots that there are, and the ids of the others.

    :raises ServiceError: when that cannot be told of one.
    """
    found, gone_ids = [], []
    for part_id, answer in cloud.gather_named({
            part_id: functools.partial(cloud.volumes.snapshot, part_id)
            for part_id in part_ids}).items():
        if isinstance(answer, errors.NotFound):
            gone_ids.append(part_id)
        elif isinstance(answer, errors.ServiceError):
            raise answer
        else:
            found.append(answer)
    return found, gone_ids


def _made_by_nova(cloud: services.Cloud, run: record.Run,
                  images: Iterable[types.Image]
                  ) -> list[types.VolumeSnapshot]:
    """What Nova made for this run's images, whether or not they came about.

    Nova marks them with nothing but the name of the image.
    """
    # The best image first: anybody may map what they like, so there is a most.
    best = situation.best_image(tuple(images))
    mapped = set(list(dict.fromkeys(
        disk.snapshot_id for image in sorted(
            images, key=lambda image: image is not best)
        for disk in image.disks))[:_MOST])
    name = run.plan.name or next((image.name for image in images), '')
    named = cloud.volumes.snapshots(
        _MOST, {'name': texts.PART_PREFIX + name}) if name else []
    found = [snapshot for snapshot in named if snapshot.id in mapped]
    found += _by_id(cloud, sorted(
        mapped - {snapshot.id for snapshot in found}))[0]
    strays = [snapshot for snapshot in named
              if snapshot.id not in mapped and _may_be_of(run, snapshot)]
    if strays:
        free = deletion.unneeded(
            cloud, [snapshot.id for snapshot in strays],
            [image.id for image in images])
        found += [snapshot for snapshot in strays if snapshot.id in free]
    return found


def _may_be_of(run: record.Run, snapshot: types.VolumeSnapshot) -> bool:
    """Whether Nova may have made a volume snapshot at a call of this run."""
    progress, created = run.progress, snapshot.created.timestamp()
    return bool(
        snapshot.volume_id in run.server.volume_ids
        and progress.first_capture_at
        and created >= progress.first_capture_at - situation.SKEW
        and (not progress.ended_at
             or created <= progress.ended_at + situation.SKEW)
        and snapshot.metadata.get(
            marks.RUN, run.plan.run_id) == run.plan.run_id)
