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

"""What is known of a restore, as questions that its table asks."""

from collections.abc import Iterator
import dataclasses
import functools
import itertools
from typing import Any

from snapshot_dashboard.cloud import types
from snapshot_dashboard.restores import exchange
from snapshot_dashboard.restores import restore
from snapshot_dashboard.restores import sight
from snapshot_dashboard.runs import observation
from snapshot_dashboard.runs import record
from snapshot_dashboard.runs import situation

#: Seconds for which the run of the safety snapshot may not be seen.
_BEGINNING = 120
#: Seconds for which a service may put off what comes before the first
#: overwriting.
PATIENCE = 900
#: States in which an instance can be put back.
READY = ('ACTIVE', 'SHUTOFF')
#: Likewise, where nothing is to be saved of it: Nova rebuilds those, too.
REBUILDABLE = (*READY, 'ERROR')
#: What may have changed what is on an instance's disks, or takes it away.
_DISTURBING = frozenset((
    'start', 'reboot', 'resume', 'unpause', 'restore', 'rebuild', 'unshelve',
    'rescue', 'unrescue', 'resize', 'confirmResize', 'revertResize',
    'migrate', 'evacuate'))
#: Times in a progress that a clock may have been ahead of.
_TIMES = ('off_at', 'asked_at', 'put_off_since', 'unseen_since',
          'overwrite_at', 'rebuilt_at', 'restored_at', 'updated_at')


def not_ahead(progress: restore.Progress, now: int) -> restore.Progress:
    """The progress with no note from the future: it would be waited for."""
    ahead: dict[str, Any] = {
        name: now for name in _TIMES
        if getattr(progress, name) > now + situation.AHEAD}
    return dataclasses.replace(
        progress, **ahead, not_before=min(
            progress.not_before, now + situation.START_REFUSED_PAUSE))


class Situation(exchange.Exchange):
    """What is known of a restore, as questions that its table asks."""

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
        since = self.progress.put_off_since
        return bool(since) and self.seen.now - since > PATIENCE

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
        """The image of the safety snapshot, as it is seen to be whole now."""
        run, image = self.seen.safety, self.seen.safety_image
        if image is None or run is not None and run.open:
            return ''
        return image.id

    @property
    def safety_lost(self) -> bool:
        """Whether it was whole once, and is no more."""
        return bool(self.plan.safety_run and self.progress.safety_id
                    and not self.progress.overwrite_at
                    and self.seen.safety_image is None)

    @property
    def saving_failed(self) -> str:
        """The code of what went wrong with the safety snapshot."""
        run = self.seen.safety
        if run is None or run.open or self.saved:
            return ''
        return run.progress.failure or 'gone'

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
    def disturbed(self) -> bool:
        """Whether it runs though it is to be off, or has run since this was
        asked for, so that its disks hold what nobody has saved.
        """
        # The count may be back at nothing: of two that asked for it, one was
        # put off.
        ours = {'rebuild'} if (
            self.plan.rebuilds and self.progress.overwrite_at) else set()
        if self.progress.unshelve_count:
            ours.add('unshelve')
        ran = any(action.name in _DISTURBING - ours
                  for action in self._since())
        return ran or self.status == 'ACTIVE' and bool(
            self.progress.off_at or self.progress.safety_id)

    def _since(self) -> Iterator[types.Action]:
        """What was done since this was asked for.

        Nova's clock counts where the latest request before is not known.
        """
        latest = self.plan.latest_request
        return itertools.takewhile(
            lambda action: (action.request_id != latest if latest else
                            action.began >= self.plan.began_at
                            - situation.SKEW),
            self.seen.actions)

    # Rebuilding.

    @property
    def rebuild_seen(self) -> bool:
        """Whether Nova was rebuilding it since this was asked for.

        Where the cloud hides that, whether Nova has agreed to.
        """
        if not self.seen.actions:
            return bool(self.progress.rebuild_count
                        and not self.progress.asked_at)
        return any(action.name == 'rebuild' for action in self._since())

    @property
    def rebuilding(self) -> bool:
        """Whether Nova may still be at it, though it shows no task: it shows
        none between two.
        """
        return (self.rebuild_seen and bool(self.seen.actions)
                and self.seen.rebuilt is None and self.seen.now
                - self.progress.overwrite_at < PATIENCE)

    @property
    def rebuilt(self) -> bool:
        """Whether it is of the image now, and Nova did not fail at that."""
        return (self.rebuild_seen and self.status != 'ERROR'
                and self.seen.rebuilt is not False
                and self.server.image_id == self.plan.image_id)

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
        return volume.status != 'downloading' and not (
            volume.status.startswith('error')) and (
            volume.image_properties.get(POINTER) == pointer_mark(
                self.plan, disk))

    @property
    def taken_away(self) -> bool:
        """Whether somebody has detached a volume that is to be overwritten,
        or uses it elsewhere.
        """
        volume = self.volume
        return any(disk.volume_id not in self.server.volume_ids
                   for disk in self.plan.disks) or (
            self.shelved and volume is not None
            and volume.status in ('available', 'in-use'))

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
        """Whether it was shelved since it was off for this. Of a record that
        is gone it is not known when that was.
        """
        known = self.progress.off_at or not self.plan.began_at
        return bool(self.progress.shelve_count or known and any(
            action.name == 'shelve' for action in self._since()))

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
        if self.progress.failure != restore.Failure.CANCELLED.value:
            return False
        return (self.copied_some or self.swapped_some or self.plan.rebuilds
                and self.rebuilt and bool(self.seen.actions))

    @property
    def to_run(self) -> bool:
        """Whether the instance is to run when this is over."""
        return self.plan.run_again and bool(
            self.progress.restored_at or self.plan.was_running)

    @property
    def stopped_by_others(self) -> bool:
        """Whether somebody powered it off after it ran for this again."""
        stopped = False
        for action in self._since() if self.plan.began_at else ():
            if action.name in ('start', 'unshelve'):
                return stopped
            stopped = stopped or action.name == 'stop'
        return False

    @property
    def tagged_for_nothing(self) -> bool:
        """Whether its tags could not be changed when it was over, and can be
        now.
        """
        if self.gone or self.busy:
            return False
        return (self.status in observation.CAPTURABLE
                and record.is_being_restored(self.server))

    @property
    def cinder_at_work(self) -> bool:
        """Whether what is left to be tidied up is not known yet: Cinder does
        not tell, or still makes what nobody needs. Not for ever.
        """
        unknown = self.plan.disks and self.progress.off_at and (
            self.seen.volumes is None)
        made = [volume for volumes in (self.seen.fresh or {}).values()
                for volume in volumes]
        making = self.plan.swaps and (
            self.seen.fresh is None or self.progress.create_count and (
                self.unanswered or any(volume.status == 'creating'
                                       for volume in made)))
        return bool(unknown or making) and (
            self.seen.now - self.progress.updated_at < PATIENCE)

    @property
    def to_stay_off(self) -> bool:
        """Whether unshelving has powered it on, which was not wanted, or not
        if it is not put back.
        """
        return (not self.to_run and self.status == 'ACTIVE'
                and bool(self.progress.unshelve_count)
                and self.progress.start_count == 0)


#: On a pointer: which volume of which restore it is for.
POINTER = 'snapshot_dashboard_pointer'
#: On a pointer: what its volume said of its image before, as JSON. Not as
#: properties of the pointer: Glance keeps some names for itself, checks
#: signatures, and deletes keys with images that name them.
KEPT = 'snapshot_dashboard_kept'
_NO_VOLUME = types.Volume('', '', '', 0, '', bootable=False)


def pointer_mark(plan: restore.Plan, disk: restore.Disk) -> str:
    return f'{plan.run_id} {disk.volume_id}'
