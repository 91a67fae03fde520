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

"""The whole logic of a restore: a table from situations to steps.

``next_step`` remembers nothing: whoever asks, and however often, gets the same
answer. The promises of :mod:`snapshot_dashboard.runs.steps` hold here too,
and these:

1. Nothing is overwritten before the safety snapshot is whole, if one is
   wanted, and while the instance runs.
2. It can be given up until a service was first asked to overwrite something.
3. What others do to the instance before that ends it, and nothing is lost.
4. An instance that was shelved for it is not left so, as long as that can be
   helped: asking for that is never given up by count.
5. It is done when the services say so: an answer that is missing is none.
"""

from collections.abc import Callable
from collections.abc import Iterator
import dataclasses
import enum
import functools
import itertools
from typing import Any

from snapshot_dashboard.cloud import types
from snapshot_dashboard.restores import restore
from snapshot_dashboard.restores import sight
from snapshot_dashboard.runs import observation
from snapshot_dashboard.runs import record
from snapshot_dashboard.runs import situation

#: Seconds for which the run of the safety snapshot may not be seen.
_BEGINNING = 120
#: Seconds for which a service may put off what comes before the first
#: overwriting.
_PATIENCE = 900
#: States in which an instance can be put back.
READY = ('ACTIVE', 'SHUTOFF')
#: Likewise, where nothing is to be saved of it: Nova rebuilds those, too.
REBUILDABLE = (*READY, 'ERROR')


class Do(enum.Enum):
    """The kinds of steps."""

    WAIT = 'wait'
    NOTE = 'note'
    SAVE = 'save'
    POWER_OFF = 'power-off'
    REBUILD = 'rebuild'
    SHELVE = 'shelve'
    COPY = 'copy'
    RELABEL = 'relabel'
    UNSHELVE = 'unshelve'
    POWER_ON = 'power-on'
    END = 'end'
    UNTAG = 'untag'


@dataclasses.dataclass(frozen=True)
class Step:
    """One thing to do.

    :ivar note: what the record is to say before it is done.
    :ivar disk: the volume that it is about.
    """

    do: Do
    note: restore.Progress | None = None
    disk: restore.Disk = restore.NO_DISK


@dataclasses.dataclass(frozen=True)
class Situation:
    """What is known of a restore, as questions that the table asks."""

    plan: restore.Plan
    progress: restore.Progress
    seen: sight.Sight

    @property
    def server(self) -> types.Server:
        if self.seen.server is None:
            raise ValueError('the server is gone')
        return self.seen.server

    @property
    def gone(self) -> bool:
        return self.seen.server is None

    @property
    def surely_gone(self) -> bool:
        since = self.progress.unseen_since
        return bool(since) and (
            self.seen.now - since >= situation.UNSEEN_GRACE)

    @property
    def status(self) -> str:
        return self.server.status

    @property
    def busy(self) -> bool:
        return bool(self.server.task_state)

    @property
    def off(self) -> bool:
        return self.status == 'SHUTOFF'

    @property
    def shelved(self) -> bool:
        return self.status in sight.SHELVED

    @property
    def put_off(self) -> bool:
        return self.seen.now < self.progress.not_before

    @property
    def refused(self) -> bool:
        return self.progress.refusal_count >= situation.REFUSED_TWICE

    @property
    def put_off_too_long(self) -> bool:
        """Whether it was put off for longer than an instance is kept off for
        what was not begun.
        """
        return bool(self.progress.put_off_count and self.progress.off_at
                    and self.seen.now - self.progress.off_at > _PATIENCE)

    @property
    def unanswered(self) -> bool:
        """Whether a write may still be on its way."""
        return self.seen.now - self.progress.asked_at < situation.ANSWER_GRACE

    # The safety snapshot.

    @property
    def to_save(self) -> bool:
        return bool(self.plan.safety_run and not self.progress.safety_id)

    @property
    def saved(self) -> str:
        """The image of the safety snapshot, once that is whole."""
        run = self.seen.safety
        if run is not None and not run.open and not run.progress.failure:
            return run.progress.image_id
        return self.seen.safety_image.id if self.seen.safety_image else ''

    @property
    def saving_failed(self) -> str:
        """The code of what went wrong with the safety snapshot."""
        run = self.seen.safety
        return (run.progress.failure if run is not None and not run.open
                else '')

    @property
    def not_begun(self) -> bool:
        """Whether the run of the safety snapshot is not there, and will not
        be: its beginning is part of the request.
        """
        return self.seen.safety is None and (
            self.seen.now - self.plan.began_at > _BEGINNING)

    # Before something is overwritten.

    @property
    def too_late(self) -> bool:
        return self.seen.now - self.plan.began_at > self.plan.begin_within

    @property
    def states(self) -> tuple[str, ...]:
        if self.plan.disks or self.plan.safety_run:
            return READY
        return REBUILDABLE

    @property
    def started_by_others(self) -> bool:
        """Whether it runs though it was off for this, or was to stay off."""
        return self.status == 'ACTIVE' and bool(
            self.progress.off_at or self.progress.safety_id)

    # Rebuilding.

    @property
    def rebuild_seen(self) -> bool:
        """Whether Nova was rebuilding it since it was seen off.

        Where the cloud hides that, whether Nova has agreed to.
        """
        if not self.seen.actions:
            return bool(self.progress.rebuild_count
                        and not self.progress.asked_at)
        return any(action.name == 'rebuild' for action in self._since())

    def _since(self) -> Iterator[types.Action]:
        """What was done since it was seen off."""
        return itertools.takewhile(
            lambda action: action.request_id != self.progress.baseline,
            self.seen.actions)

    @property
    def rebuilding(self) -> bool:
        """Whether Nova may still be at it, though it shows no task: between
        the end of one task and the beginning of the next.
        """
        return (self.rebuild_seen and bool(self.seen.actions)
                and self.seen.rebuilt is None and self.status != 'ERROR'
                and self.seen.now - self.progress.overwrite_at < _PATIENCE)

    @property
    def rebuilt(self) -> bool:
        """Whether it is of the image now, and Nova did not fail at that."""
        return (self.status in READY and self.seen.rebuilt is not False
                and self.server.image_id == self.plan.image_id
                and self.rebuild_seen)

    @property
    def rebuild_failed(self) -> bool:
        return self.rebuild_seen and (
            self.status == 'ERROR' or self.seen.rebuilt is False)

    @property
    def rebuilt_by_others(self) -> bool:
        return (self.rebuild_seen and self.seen.rebuilt is True
                and self.server.image_id != self.plan.image_id)

    # Overwriting volumes.

    @functools.cached_property
    def disk(self) -> restore.Disk | None:
        """The next volume to be overwritten; None if there is none left."""
        return next((disk for disk in self.plan.disks
                     if not self._copied(disk)), None)

    def _copied(self, disk: restore.Disk) -> bool:
        """Whether a volume is overwritten: when it is through, Cinder notes
        there of what image it is now.
        """
        volume = (self.seen.volumes or {}).get(disk.volume_id, _NO_VOLUME)
        return volume.status != 'downloading' and (
            volume.image_properties.get(POINTER) == pointer_mark(
                self.plan, disk))

    @property
    def copied_some(self) -> bool:
        return any(map(self._copied, self.plan.disks))

    @property
    def volume(self) -> types.Volume | None:
        """The next volume to be overwritten; None if it is gone."""
        return (self.seen.volumes or {}).get(
            self.disk.volume_id if self.disk else '')

    @property
    def shelved_for_this(self) -> bool:
        """Whether it was shelved since it was seen off."""
        return bool(self.progress.shelve_count) or any(
            action.name == 'shelve' for action in self._since())

    @property
    def copy_failed(self) -> bool:
        return self.volume is None or self.volume.status.startswith('error')

    @property
    def labelled(self) -> restore.Disk | None:
        """A volume that still says that it is of a pointer."""
        return next((
            disk for disk in self.plan.disks
            if POINTER in (self.seen.volumes or {}).get(
                disk.volume_id, _NO_VOLUME).image_properties), None)

    @property
    def downloading(self) -> bool:
        """Whether Cinder still overwrites one of them."""
        return any(volume.status == 'downloading'
                   for volume in (self.seen.volumes or {}).values())

    @property
    def broken(self) -> bool:
        """Whether a volume is in a state in which nothing can attach it."""
        return self.seen.volumes is not None and any(
            disk.volume_id not in self.seen.volumes
            or self.seen.volumes[disk.volume_id].status.startswith('error')
            for disk in self.plan.disks)

    # Afterwards.

    @property
    def not_given_up(self) -> bool:
        """Whether it was overwritten although its user gave it up: who asked
        for that had not seen it, and the note of that was undone.
        """
        return (self.progress.failure == restore.Failure.CANCELLED.value
                and bool(self.progress.off_at)
                and (self.copied_some if self.plan.disks else self.rebuilt
                     and bool(self.seen.actions)))

    @property
    def to_run(self) -> bool:
        """Whether the instance is to run when this is over."""
        return self.plan.run_again and bool(
            self.progress.restored_at or self.plan.was_running)

    @property
    def stopped_by_others(self) -> bool:
        """Whether somebody powered it off since it was seen off for this."""
        return bool(self.progress.off_at) and any(
            action.name == 'stop' for action in self._since())

    @property
    def tagged_for_nothing(self) -> bool:
        """Whether its tags could not be changed when it was over, and can be
        now.
        """
        return bool(not self.gone and {record.RESTORING, record.RESTORING_ON}
                    & set(self.server.tags)
                    and self.status in observation.CAPTURABLE)

    @property
    def labels_unknown(self) -> bool:
        """Whether Cinder does not tell what the volumes say, and has not for
        long.
        """
        return bool(self.plan.disks and self.progress.off_at
                    and self.seen.volumes is None and self.seen.now
                    - self.progress.updated_at < _PATIENCE)

    @property
    def to_stay_off(self) -> bool:
        """Whether unshelving has powered it on, which was not wanted."""
        return (not self.plan.run_again and self.status == 'ACTIVE'
                and bool(self.progress.unshelve_count)
                and self.progress.start_count == 0)


#: On a pointer: which volume of which restore it is for.
POINTER = 'snapshot_dashboard_pointer'
_NO_VOLUME = types.Volume('', '', '', 0, '', bootable=False)


def pointer_mark(plan: restore.Plan, disk: restore.Disk) -> str:
    return f'{plan.run_id} {disk.volume_id}'


#: What to do in a situation.
Act = Callable[[Situation], Step]
#: The first row whose condition holds says what to do.
Row = tuple[Callable[[Situation], object], Act]
#: What a service said of the step before does not hold for the next one.
_HEARD: dict[str, Any] = {'asked_at': 0, 'put_off_count': 0,
                          'refusal_count': 0, 'not_before': 0,
                          'hindrance': ''}


def _wait(s: Situation) -> Step:
    return Step(Do.WAIT)


def _end(s: Situation) -> Step:
    return Step(Do.END)


def _save(s: Situation) -> Step:
    return Step(Do.SAVE)


def _learnt(s: Situation, **learnt: Any) -> Step:
    return Step(Do.NOTE, dataclasses.replace(s.progress, **learnt))


def _failed(failure: restore.Failure,
            detail: Callable[[Situation], str] | None = None) -> Act:
    return lambda s: _learnt(s, failure=failure.value, **{
        **_HEARD, 'detail': detail(s) if detail else s.progress.hindrance})


def _ask(do: Do, count: str, disk: bool = False,
         **more: Callable[[Situation], Any]) -> Act:
    """Ask a service for something, of which the next look shows what came."""
    def act(s: Situation) -> Step:
        return Step(do, dataclasses.replace(
            s.progress, asked_at=s.seen.now,
            **{count: getattr(s.progress, count) + 1},
            **{name: value(s) for name, value in more.items()}),
            (s.disk if disk else None) or restore.NO_DISK)
    return act


def _overwrite_at(s: Situation) -> int:
    return s.progress.overwrite_at or s.seen.now


#: There is nothing that can be asked of the instance.
ABSENT: tuple[Row, ...] = (
    (lambda s: s.progress.failure == restore.Failure.SERVER_GONE.value, _end),
    (lambda s: not s.progress.unseen_since,
     lambda s: _learnt(s, unseen_since=s.seen.now)),
    (lambda s: not s.surely_gone, _wait),
    (lambda s: True, _failed(restore.Failure.SERVER_GONE)),
)

#: The present state is saved, and the instance powered off.
BEFORE: tuple[Row, ...] = (
    (lambda s: s.progress.unseen_since, lambda s: _learnt(s, unseen_since=0)),
    (lambda s: s.to_save and s.saved,
     lambda s: _learnt(s, safety_id=s.saved, **_HEARD)),
    (lambda s: s.to_save and s.saving_failed,
     _failed(restore.Failure.SAFETY_FAILED, lambda s: s.saving_failed)),
    (lambda s: s.to_save and s.not_begun,
     _failed(restore.Failure.NOT_BEGUN)),
    (lambda s: s.to_save and s.seen.safety is not None, _save),
    (lambda s: s.to_save or s.busy, _wait),
    (lambda s: s.started_by_others,
     _failed(restore.Failure.STARTED_BY_OTHERS)),
    (lambda s: s.too_late and not (s.plan.safety_run or s.progress.off_at),
     _failed(restore.Failure.NOT_BEGUN)),
    (lambda s: s.status not in s.states,
     _failed(restore.Failure.WRONG_STATE, lambda s: s.status)),
    (lambda s: s.refused, _failed(restore.Failure.REFUSED)),
    (lambda s: s.put_off or s.unanswered, _wait),
    (lambda s: s.status == 'ACTIVE' and s.progress.stop_count >= record.TRIES,
     _failed(restore.Failure.STOP_FAILED)),
    (lambda s: s.status == 'ACTIVE', _ask(Do.POWER_OFF, 'stop_count')),
    (lambda s: True, lambda s: _learnt(
        s, off_at=s.seen.now, **_HEARD,
        baseline=s.seen.actions[0].request_id if s.seen.actions else '')),
)

#: The root disk is overwritten by Nova.
REBUILD: tuple[Row, ...] = (
    (lambda s: s.busy or s.rebuilding, _wait),
    (lambda s: s.rebuilt,
     lambda s: _learnt(s, restored_at=s.seen.now, **_HEARD)),
    (lambda s: s.rebuild_failed,
     _failed(restore.Failure.REBUILD_FAILED, lambda s: s.server.fault)),
    (lambda s: s.rebuilt_by_others,
     _failed(restore.Failure.CHANGED_BY_OTHERS)),
    (lambda s: s.started_by_others,
     _failed(restore.Failure.STARTED_BY_OTHERS)),
    (lambda s: s.status not in s.states,
     _failed(restore.Failure.WRONG_STATE, lambda s: s.status)),
    (lambda s: s.refused or s.put_off_too_long,
     _failed(restore.Failure.REFUSED)),
    (lambda s: s.put_off or s.unanswered, _wait),
    (lambda s: s.progress.rebuild_count >= record.TRIES,
     _failed(restore.Failure.REFUSED)),
    (lambda s: True, _ask(Do.REBUILD, 'rebuild_count',
                          overwrite_at=_overwrite_at)),
)

#: The volumes are overwritten by Cinder, while no host has them.
VOLUMES: tuple[Row, ...] = (
    (lambda s: s.busy or s.seen.volumes is None, _wait),
    (lambda s: s.status == 'ACTIVE' and s.disk is None,
     lambda s: _learnt(s, restored_at=s.seen.now, **_HEARD)),
    (lambda s: s.started_by_others,
     _failed(restore.Failure.STARTED_BY_OTHERS)),
    (lambda s: s.shelved and not s.shelved_for_this
     or not s.shelved and s.progress.overwrite_at,
     _failed(restore.Failure.CHANGED_BY_OTHERS)),
    (lambda s: not s.shelved and s.status not in s.states,
     _failed(restore.Failure.WRONG_STATE, lambda s: s.status)),
    (lambda s: not s.shelved and (s.refused or s.put_off_too_long),
     _failed(restore.Failure.REFUSED)),
    (lambda s: not s.shelved and (s.put_off or s.unanswered), _wait),
    (lambda s: not s.shelved and s.progress.shelve_count >= record.TRIES,
     _failed(restore.Failure.REFUSED)),
    (lambda s: not s.shelved, _ask(Do.SHELVE, 'shelve_count')),
    (lambda s: s.status == 'SHELVED', _wait),
    (lambda s: s.disk is None and (s.put_off or s.unanswered), _wait),
    (lambda s: s.disk is None, _ask(Do.UNSHELVE, 'unshelve_count')),
    (lambda s: s.copy_failed,
     _failed(restore.Failure.COPY_FAILED,
             lambda s: s.volume.status if s.volume else 'deleted')),
    (lambda s: s.volume and s.volume.status != 'reserved', _wait),
    (lambda s: s.refused and s.copied_some,
     _failed(restore.Failure.COPY_FAILED)),
    (lambda s: s.refused or (s.put_off_too_long and not s.copied_some),
     _failed(restore.Failure.REFUSED)),
    (lambda s: s.put_off or s.unanswered, _wait),
    (lambda s: s.progress.copy_count >= record.TRIES * len(s.plan.disks),
     _failed(restore.Failure.COPY_FAILED)),
    (lambda s: True, _ask(Do.COPY, 'copy_count', disk=True,
                          overwrite_at=_overwrite_at)),
)

#: The instance is brought back, whether it was put back or not.
AFTER: tuple[Row, ...] = (
    (lambda s: s.seen.safety is not None and s.seen.safety.open, _save),
    (lambda s: s.busy or s.rebuilding, _wait),
    (lambda s: s.not_given_up, lambda s: _learnt(
        s, failure='', overwrite_at=_overwrite_at(s), **_HEARD)),
    (lambda s: s.shelved and s.shelved_for_this and (
        s.seen.volumes is None or s.downloading), _wait),
    (lambda s: s.shelved and s.shelved_for_this and not s.broken
     and (s.put_off or s.unanswered), _wait),
    (lambda s: s.shelved and s.shelved_for_this and not s.broken,
     _ask(Do.UNSHELVE, 'unshelve_count')),
    (lambda s: s.off and s.to_run and not s.stopped_by_others
     and (s.put_off or (s.progress.start_count and s.unanswered)), _wait),
    (lambda s: s.off and s.to_run and not s.stopped_by_others,
     _ask(Do.POWER_ON, 'start_count')),
    (lambda s: s.to_stay_off and (s.put_off or s.unanswered), _wait),
    (lambda s: s.to_stay_off and s.progress.stop_count < 2 * record.TRIES,
     _ask(Do.POWER_OFF, 'stop_count')),
    (lambda s: s.labels_unknown, _wait),
    (lambda s: s.labelled and s.progress.label_count < record.TRIES * len(
         s.plan.disks),
     lambda s: Step(Do.RELABEL, dataclasses.replace(
         s.progress, label_count=s.progress.label_count + 1),
         s.labelled or restore.NO_DISK)),
    (lambda s: True, _end),
)


def next_step(found: restore.Restore, seen: sight.Sight) -> Step:
    """The one thing to do next."""
    s = Situation(found.plan, found.progress, seen)
    if not found.open:
        return Step(Do.UNTAG if s.tagged_for_nothing else Do.WAIT)
    return next(act(s) for condition, act in _rows(s) if condition(s))


def _rows(s: Situation) -> tuple[Row, ...]:
    if s.gone:
        return ABSENT
    if s.progress.failure or s.progress.restored_at:
        return AFTER
    if not s.progress.off_at:
        return BEFORE
    return VOLUMES if s.plan.disks else REBUILD

