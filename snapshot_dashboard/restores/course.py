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
import dataclasses
import enum
from typing import Any

from snapshot_dashboard.restores import circumstances
from snapshot_dashboard.restores import restore
from snapshot_dashboard.restores import sight
from snapshot_dashboard.runs import record


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
    CREATE = 'create'
    DETACH = 'detach'
    ATTACH = 'attach'
    REATTACH = 'reattach'
    UNSHELVE = 'unshelve'
    POWER_ON = 'power-on'
    END = 'end'
    UNTAG = 'untag'


@dataclasses.dataclass(frozen=True)
class Step:
    """One thing to do.

    :ivar note: what the record is to say before it is done.
    :ivar disk: the volume that it is about.
    :ivar swap: likewise, of those that are exchanged.
    :ivar volume_id: of the new one that is to be attached in its place.
    """

    do: Do
    note: restore.Progress | None = None
    disk: restore.Disk = restore.NO_DISK
    swap: restore.Swap = restore.NO_SWAP
    volume_id: str = ''


#: What to do in a situation.
Act = Callable[[circumstances.Situation], Step]
#: The first row whose condition holds says what to do.
Row = tuple[Callable[[circumstances.Situation], object], Act]
#: What a service said of the step before does not hold for the next one.
_HEARD: dict[str, Any] = {'asked_at': 0, 'put_off_count': 0,
                          'put_off_since': 0, 'refusal_count': 0,
                          'not_before': 0, 'hindrance': ''}


def _wait(s: circumstances.Situation) -> Step:
    return Step(Do.WAIT)


def _end(s: circumstances.Situation) -> Step:
    return Step(Do.END)


def _save(s: circumstances.Situation) -> Step:
    return Step(Do.SAVE)


def _learnt(s: circumstances.Situation, **learnt: Any) -> Step:
    return Step(Do.NOTE, dataclasses.replace(s.progress, **learnt))


def _failed(failure: restore.Failure,
            detail: Callable[[circumstances.Situation], str] | None = None
            ) -> Act:
    return lambda s: _learnt(s, failure=failure.value, **{
        **_HEARD, 'detail': detail(s) if detail else s.progress.hindrance})


def _ask(do: Do, count: str,
         about: Callable[[circumstances.Situation], dict[str, Any]]
         = lambda s: {}, overwrites: bool = False) -> Act:
    """Ask a service for something, of which the next look shows what came.

    :param about: what the step is about, by the names of its fields.
    :param overwrites: whether it can be given up no more from then on.
    """
    def act(s: circumstances.Situation) -> Step:
        asking = dataclasses.replace(s.progress, asked_at=s.seen.now, **{
            count: getattr(s.progress, count) + 1})
        if overwrites:
            asking = dataclasses.replace(asking, overwrite_at=_overwrite_at(s))
        return Step(do, asking, **about(s))
    return act


def _overwrite_at(s: circumstances.Situation) -> int:
    return s.progress.overwrite_at or s.seen.now


# Rows of several tables.
_SAFETY_LOST: Row = (
    lambda s: s.safety_lost,
    _failed(restore.Failure.SAFETY_FAILED, lambda s: 'gone'))
_WRONG_STATE: Row = (
    lambda s: s.status not in s.states,
    _failed(restore.Failure.WRONG_STATE, lambda s: s.status))
_NOT_NOW: Row = (lambda s: s.put_off or s.unanswered, _wait)

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
    (lambda s: s.plan.swaps and s.seen.fresh is None, _wait),
    (lambda s: s.creation_failed,
     _failed(restore.Failure.VOLUME_FAILED, lambda s: s.creation_failed)),
    (lambda s: s.uncreated and (
        s.refused or s.put_off_too_long or s.progress.create_count
        >= record.TRIES * len(s.plan.swaps)),
     _failed(restore.Failure.REFUSED)),
    (lambda s: s.uncreated and (s.put_off or s.unanswered), _wait),
    (lambda s: s.uncreated, _ask(
        Do.CREATE, 'create_count', lambda s: {'swap': s.uncreated})),
    (lambda s: s.to_save and s.saved,
     lambda s: _learnt(s, safety_id=s.saved, **_HEARD)),
    (lambda s: s.to_save and s.saving_failed,
     _failed(restore.Failure.SAFETY_FAILED, lambda s: s.saving_failed)),
    (lambda s: s.to_save and s.not_begun,
     _failed(restore.Failure.NOT_BEGUN)),
    (lambda s: s.shelved, _failed(restore.Failure.WRONG_STATE,
                                  lambda s: s.status)),
    (lambda s: s.to_save and s.seen.safety is not None, _save),
    (lambda s: s.to_save or s.busy or s.in_creation, _wait),
    _SAFETY_LOST,
    (lambda s: s.disturbed, _failed(restore.Failure.STARTED_BY_OTHERS)),
    (lambda s: s.too_late and not (s.plan.safety_run or s.progress.off_at),
     _failed(restore.Failure.NOT_BEGUN)),
    _WRONG_STATE,
    (lambda s: s.refused or s.put_off_too_long,
     _failed(restore.Failure.REFUSED)),
    _NOT_NOW,
    (lambda s: s.status == 'ACTIVE' and s.progress.stop_count >= record.TRIES,
     _failed(restore.Failure.STOP_FAILED)),
    (lambda s: s.status == 'ACTIVE', _ask(Do.POWER_OFF, 'stop_count')),
    (lambda s: True, lambda s: _learnt(s, off_at=s.seen.now, **_HEARD)),
)

#: The root disk is overwritten by Nova.
REBUILD: tuple[Row, ...] = (
    (lambda s: s.busy or s.rebuilding, _wait),
    (lambda s: s.rebuilt, lambda s: _learnt(
        s, rebuilt_at=s.seen.now, **_HEARD,
        restored_at=0 if s.plan.swaps else s.seen.now)),
    (lambda s: s.rebuild_failed and s.progress.overwrite_at,
     _failed(restore.Failure.REBUILD_FAILED, lambda s: s.server.fault)),
    (lambda s: s.rebuilt_by_others,
     _failed(restore.Failure.CHANGED_BY_OTHERS)),
    _SAFETY_LOST,
    (lambda s: s.disturbed, _failed(restore.Failure.STARTED_BY_OTHERS)),
    _WRONG_STATE,
    (lambda s: s.refused or s.put_off_too_long,
     _failed(restore.Failure.REFUSED)),
    _NOT_NOW,
    (lambda s: s.progress.rebuild_count >= record.TRIES,
     _failed(restore.Failure.REFUSED)),
    (lambda s: True, _ask(Do.REBUILD, 'rebuild_count', overwrites=True)),
)

#: The volumes are overwritten by Cinder, while no host has them.
VOLUMES: tuple[Row, ...] = (
    (lambda s: s.busy or s.seen.volumes is None, _wait),
    (lambda s: not s.shelved and s.disk is None,
     lambda s: _learnt(s, restored_at=s.seen.now, **_HEARD)),
    (lambda s: s.broken,
     _failed(restore.Failure.COPY_FAILED,
             lambda s: s.volume.status if s.volume else 'deleted')),
    (lambda s: s.taken_away or not s.shelved and s.copied_some,
     _failed(restore.Failure.CHANGED_BY_OTHERS)),
    _SAFETY_LOST,
    (lambda s: s.disk and s.disturbed,
     _failed(restore.Failure.STARTED_BY_OTHERS)),
    (lambda s: s.shelved and not s.shelved_for_this,
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
    (lambda s: s.volume and s.volume.status != 'reserved', _wait),
    (lambda s: s.refused and s.copied_some,
     _failed(restore.Failure.COPY_FAILED)),
    (lambda s: s.refused or (s.put_off_too_long and not s.copied_some),
     _failed(restore.Failure.REFUSED)),
    _NOT_NOW,
    (lambda s: s.progress.copy_count >= record.TRIES * len(s.plan.disks),
     _failed(restore.Failure.REFUSED)),
    (lambda s: True, _ask(Do.COPY, 'copy_count', lambda s: {'disk': s.disk},
                          overwrites=True)),
)

#: Volumes are exchanged for new ones.
SWAPS: tuple[Row, ...] = (
    (lambda s: s.busy or s.swaps_unknown or s.moving, _wait),
    (lambda s: s.swap is None,
     lambda s: _learnt(s, restored_at=s.seen.now, **_HEARD)),
    (lambda s: s.to_detach and s.disturbed and (
        s.swapped_some or s.progress.rebuilt_at),
     _failed(restore.Failure.CHANGED_BY_OTHERS)),
    (lambda s: s.to_detach and s.disturbed,
     _failed(restore.Failure.STARTED_BY_OTHERS)),
    _WRONG_STATE,
    (lambda s: (s.refused or s.put_off_too_long) and not (
        s.bare or s.swapped_some or s.progress.rebuilt_at),
     _failed(restore.Failure.REFUSED)),
    (lambda s: s.refused or s.attach_failed or s.progress.swap_count
     >= 2 * record.TRIES * len(s.plan.swaps),
     _failed(restore.Failure.SWAP_FAILED)),
    _NOT_NOW,
    (lambda s: s.to_detach, _ask(
        Do.DETACH, 'swap_count', lambda s: {'swap': s.swap},
        overwrites=True)),
    (lambda s: s.to_attach, _ask(
        Do.ATTACH, 'swap_count', lambda s: {
            'swap': s.swap, 'volume_id': s.to_attach})),
    (lambda s: s.seen.now - s.progress.updated_at
     < circumstances.PATIENCE, _wait),
    (lambda s: True, _failed(restore.Failure.SWAP_FAILED)),
)

#: The instance is brought back, whether it was put back or not.
AFTER: tuple[Row, ...] = (
    # Nothing can be done about it while somebody has shelved the instance.
    (lambda s: s.seen.safety is not None and s.seen.safety.open
     and not s.shelved, _save),
    (lambda s: s.busy or s.rebuilding or s.moving, _wait),
    (lambda s: s.bare and (s.put_off or s.unanswered), _wait),
    (lambda s: s.bare, _ask(
        Do.REATTACH, 'swap_count', lambda s: {'swap': s.bare})),
    (lambda s: s.not_given_up, lambda s: _learnt(
        s, failure='', overwrite_at=_overwrite_at(s), **_HEARD)),
    (lambda s: s.shelved and s.shelved_for_this and s.plan.disks and (
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
    (lambda s: s.cinder_at_work, _wait),
    (lambda s: s.labelled and s.progress.label_count < record.TRIES * len(
         s.plan.disks),
     lambda s: Step(Do.RELABEL, dataclasses.replace(
         s.progress, label_count=s.progress.label_count + 1),
         s.labelled or restore.NO_DISK)),
    (lambda s: True, _end),
)


def next_step(found: restore.Restore, seen: sight.Sight) -> Step:
    """The one thing to do next."""
    s = circumstances.Situation(
        found.plan, circumstances.not_ahead(found.progress, seen.now), seen)
    if not found.open:
        return Step(Do.UNTAG if s.tagged_for_nothing else Do.WAIT)
    if s.progress.unseen_since and not s.gone:
        return _learnt(s, unseen_since=0)
    return next(act(s) for condition, act in _rows(s) if condition(s))


def _rows(s: circumstances.Situation) -> tuple[Row, ...]:
    if s.gone:
        return ABSENT
    if s.progress.failure or s.progress.restored_at:
        return AFTER
    if not s.progress.off_at:
        return BEFORE
    if s.plan.disks:
        return VOLUMES
    return REBUILD if s.plan.rebuilds and not s.progress.rebuilt_at else SWAPS
