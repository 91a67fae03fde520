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

"""What the cloud shows of a run, in the words that its logic is written in."""

from collections.abc import Iterable
import dataclasses
import functools
import itertools
from typing import Any

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import limits
from snapshot_dashboard.cloud import types
from snapshot_dashboard.runs import consistency
from snapshot_dashboard.runs import failures
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import observation
from snapshot_dashboard.runs import record
from snapshot_dashboard.snapshots import statuses

#: Seconds that an unfinished image may be left alone by Nova before it
#: counts as abandoned. Every snapshot begins so, for less than a second.
IDLE_GRACE = 30
#: Seconds after which a write whose answer is not known is sent again. It
#: is more than a call may take, so that it is not under way any more.
ANSWER_GRACE = 30
#: Seconds after which nothing is done any more that was noted. With the most
#: that a call may take they stay within the grace: so who sends a write again
#: knows that no other one is on its way.
STALE = ANSWER_GRACE - limits.LONGEST_CALL
#: The same for powering off and on, which show at once when Nova answers:
#: time enough for several who look at the same moment not to use up all
#: tries before the first one has had its effect.
POWER_GRACE = 5
#: Seconds between two tries to power on, at the most.
START_PAUSE = 60
#: The same after a service said that it does not want something now.
PUT_OFF_PAUSE = 60
#: Seconds until that is tried again which a service had a fault at.
FAULT_PAUSE = 15
#: Seconds until what was refused is asked again, and how often it must have
#: been refused to be believed.
REFUSED_PAUSE, REFUSED_TWICE = 5, 2
#: A power-on that is owed is not given up at all, but asked for less often.
START_REFUSED_PAUSE = 600
#: Seconds for which an image that is known may not be found, or a part.
UNSEEN_GRACE = 30
#: Seconds by which a service's clock may differ from ours.
SKEW = 300
#: Seconds by which others' clocks may be ahead of ours unnoticed. A note from
#: further in the future is one of now: else it would be waited for.
AHEAD = 5


class Situation:
    """A plan, a progress and an observation, in the words of the table."""

    def __init__(self, plan: record.Plan, progress: record.Progress,
                 seen: observation.Observation, tagged: bool):
        progress = _not_ahead(progress, seen.now)
        self.plan, self.progress, self.seen = plan, progress, seen
        self.tagged = tagged
        server = seen.server
        self.gone = server is None
        self.status = server.status if server else ''
        self.busy = bool(server and server.task_state)
        self.not_writable = server is not None and observation.is_held(
            server, tagged)
        self.image = best_image(seen.images)
        #: By volume, the best of the snapshots that the plan asks for.
        self.chosen = _chosen(plan, seen, self.image)
        #: The volume snapshots that Nova made and the image needs.
        self.mapped = frozenset(
            disk.snapshot_id for disk in self.image.disks
        ) if self.image else frozenset()

    @functools.cached_property
    def _part_ids(self) -> frozenset[str]:
        return self.mapped | {part.id for part in self.chosen.values()}

    @functools.cached_property
    def parts(self) -> list[str]:
        """The statuses of all volume snapshots that belong to the run."""
        return [self._statuses.get(snapshot_id, 'deleted')
                for snapshot_id in self._part_ids]

    @functools.cached_property
    def _statuses(self) -> dict[str, str]:
        """Of the volume snapshots that the run made, by their ids.

        One that Cinder will not finish counts as failed, one that somebody
        takes away as gone, and one that is only read as whole.
        """
        return {snapshot.id: 'error' if self._is_stuck(snapshot)
                else 'deleted' if snapshot.status in _GOING
                else 'available' if snapshot.status in _READ
                else snapshot.status for snapshot in self.seen.snapshots}

    def _is_stuck(self, snapshot: types.VolumeSnapshot) -> bool:
        """Whether Cinder has been at it for too long.

        It stays ``creating`` for ever if Cinder died meanwhile. Our clock
        counts too, for Cinder's may be behind.
        """
        began = max(snapshot.created.timestamp(), self.plan.began_at)
        return (snapshot.status == 'creating'
                and self.seen.now - began >= self.plan.snapshot_timeout)

    # Before the capture.

    @property
    def unanswered(self) -> bool:
        """Whether a capture may still be on its way."""
        progress = self.progress
        return bool(progress.asked_at
                    and (progress.capture_count or progress.snapshot_count)
                    and self.seen.now - progress.asked_at < ANSWER_GRACE)

    @property
    def power_unanswered(self) -> bool:
        """Whether powering off or on may yet show; longer at each try."""
        tries = self.progress.start_count or self.progress.stop_count
        pause = min(POWER_GRACE * 2 ** min(tries - 1, 10), START_PAUSE)
        return bool(self.progress.asked_at) and (
            self.seen.now - self.progress.asked_at < pause)

    @property
    def put_off(self) -> bool:
        """Whether a service has said not to ask now."""
        return self.seen.now < self.progress.not_before

    @property
    def refused(self) -> bool:
        """Whether what was refused was refused for good."""
        return self.progress.refusal_count >= REFUSED_TWICE

    @property
    def stop_tries(self) -> int:
        """How often powering off was asked for and not just put off."""
        return self.progress.stop_count - self.progress.put_off_count

    @property
    def capture_tries(self) -> int:
        return self.progress.capture_count - self.progress.put_off_count

    @property
    def snapshot_tries(self) -> int:
        return self.progress.snapshot_count - self.progress.put_off_count

    @property
    def too_late(self) -> bool:
        """Whether it missed its time, before anything was captured.

        The time that the guest has to shut down does not count.
        """
        allowed = self.plan.begin_within + (
            self.plan.shutdown_timeout if self.progress.stop_count else 0)
        return not (self.progress.snapshot_count
                    or self.progress.capture_count) and (
            self.seen.now - self.plan.began_at > allowed)

    @property
    def put_off_too_long(self) -> bool:
        """Whether the capture has been put off for too long by then."""
        return bool(self.progress.put_off_count
                    and self.progress.first_capture_at
                    and self.seen.now - self.progress.first_capture_at
                    >= self.plan.snapshot_timeout)

    @property
    def stop_unfinished(self) -> bool:
        """Whether Nova still records how the power-off went.

        It shows the instance off a moment before that.
        """
        stop = consistency.last_stop(self.seen.actions)
        return bool(stop and stop.seconds is None and self.progress.asked_at
                    and self.seen.now - self.progress.asked_at
                    < self.plan.shutdown_timeout + ANSWER_GRACE)

    @property
    def stop_unanswered(self) -> bool:
        """Whether a power-off may still be on its way."""
        progress = self.progress
        return bool(progress.stop_count and not progress.start_count
                    and progress.asked_at and self.status == 'ACTIVE'
                    and self.seen.now - progress.asked_at < ANSWER_GRACE)

    @property
    def late_stop_possible(self) -> bool:
        """Whether the first of several power-offs may still arrive.

        It is refused while the instance is off, but not once it is on.
        """
        return (self.progress.stop_count > 1 and not self.progress.start_count
                and self.seen.now - self.progress.off_at < ANSWER_GRACE)

    @property
    def to_power_off(self) -> bool:
        return self.plan.power_off and self.status == 'ACTIVE'

    @property
    def started_by_others(self) -> bool:
        """Whether it was off for the capture, and somebody started it.

        Or it was off before the run had touched it: whoever starts it then
        did not ask for that.
        """
        return self.to_power_off and bool(
            self.progress.off_at
            or self.progress.stop_count and self._latest(*consistency.RAN)
            or not self.progress.stop_count and self._started_since_asked)

    @property
    def _started_since_asked(self) -> bool:
        """Whether that is certain: an old answer lacks what came last."""
        begin, actions = self.progress.begin_request, self.seen.actions
        requests = [action.request_id for action in actions]
        if not begin or begin not in requests:
            return False
        since = actions[:requests.index(begin)]
        return any(
            action.by_user and (action.name == 'start' or (
                action.name in consistency.RAN and any(
                    earlier.name in _AWAY for earlier in since[number:])))
            for number, action in enumerate(since))

    @property
    def rebuilding(self) -> bool:
        """Whether Nova rebuilds it, and is about to power it off again.

        A rebuilt instance that was off shows as running for a moment.
        """
        order = self._latest('rebuild', 'start', 'stop')
        return (self.status == 'ACTIVE' and order[:2] == ['rebuild', 'stop']
                and bool(self.progress.off_at or self.seen.now
                         - self.progress.asked_at < ANSWER_GRACE))

    def _latest(self, *names: str) -> list[str]:
        """Those of these that were done in the run, the latest first."""
        since = itertools.takewhile(
            lambda action: action.request_id != self.progress.baseline_request,
            self.seen.actions)
        return list(dict.fromkeys(
            action.name for action in since if action.name in names))

    @property
    def wrong_state(self) -> bool:
        if self.plan.power_off:
            return self.status not in ('ACTIVE', 'SHUTOFF')
        return self.status not in observation.CAPTURABLE

    @property
    def first_seen_off(self) -> bool:
        return self.status == 'SHUTOFF' and not self.progress.off_at

    @property
    def powered_off_during_capture(self) -> bool:
        """Whether it ran when a capture was asked for, and is off now.

        Then nothing came of that capture, and it may be why.
        """
        return bool(self.first_seen_off and self.captured_while_running)

    @property
    def captured_while_running(self) -> bool:
        """Whether it ran when a capture was asked for, and was to go on.

        That is known of the capture, or else of when the run was begun.
        Somebody may have undone the note of it, but not the image.
        """
        ran = self.progress.consistency in consistency.LIVE_MARKS or (
            self.plan.was_running and not self.progress.off_at)
        rested = self._latest('pause', 'suspend', *consistency.RAN)[:1]
        asked = (self.progress.capture_count or self.progress.image_id
                 or self.seen.images or self.progress.failure in _OF_IMAGES)
        return bool(ran and asked and not self.plan.power_off
                    and rested not in (['pause'], ['suspend']))

    @property
    def volumes_begun(self) -> bool:
        """Whether there is all that is asked for of volumes alone."""
        return not self.plan.captures_image and not self.missing

    @property
    def detached(self) -> bool:
        server = self.seen.server
        return server is not None and not (
            set(self.plan.volumes) <= set(server.volume_ids))

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(volume_id for volume_id in self.plan.volumes
                     if volume_id not in self.chosen)

    # During the capture.

    @property
    def finished(self) -> bool:
        return self.image is not None and self.image.status in _WHOLE

    @property
    def removed(self) -> bool:
        """Whether the image is seen to have been removed, or to have failed.
        """
        return self.image is None and any(
            image.status in ('killed', *_GOING) for image in self.seen.images)

    @property
    def unseen_for(self) -> int:
        """Seconds for which the image or a part of it has not been found."""
        return (self.seen.now - self.progress.unseen_since
                if self.progress.unseen_since else 0)

    @property
    def idle_for(self) -> int:
        """Seconds since Nova has been doing nothing, as far as is known."""
        return (self.seen.now - self.progress.idle_since
                if self.progress.idle_since else 0)

    @property
    def captured_running(self) -> bool:
        """Whether somebody powered it on just before Nova was asked."""
        order = self._latest('createImage', 'start', 'stop')
        return (bool(self.progress.off_at) and not self.progress.start_count
                and order[:2] == ['createImage', 'start'])

    @property
    def part_failed(self) -> bool:
        return any(statuses.motion(status) is statuses.Outcome.FAILED
                   for status in self.parts)

    @property
    def part_gone(self) -> bool:
        """Whether a volume snapshot that the image names is not there."""
        return bool(self.seen.gone_ids)

    @property
    def part_moving(self) -> bool:
        return any(statuses.motion(status) is statuses.Outcome.PENDING
                   for status in self.parts)

    @property
    def part_stuck(self) -> bool:
        return any(self._is_stuck(snapshot)
                   for snapshot in self.seen.snapshots
                   if snapshot.id in self._part_ids)

    @property
    def cinder_gone_too_long(self) -> bool:
        """Whether an instance has been off for too long for Cinder's sake."""
        since = (self.progress.idle_since if self.progress.image_id
                 else self.progress.off_at)
        return bool('volume' in self.seen.unreachable
                    and self.progress.off_at and since and not self.busy
                    and self.seen.now - since >= self.plan.snapshot_timeout)

    @property
    def glance_gone_too_long(self) -> bool:
        """Whether an instance has been off for too long for Glance's sake.

        That is before it is known that there is an image.
        """
        return bool('image' in self.seen.unreachable and self.progress.off_at
                    and not self.progress.image_id and not self.busy
                    and self.seen.now - self.progress.off_at
                    >= self.plan.snapshot_timeout)

    @property
    def powered_on_during_capture(self) -> bool:
        """Whether it was powered on while volumes were captured, or will be.

        The image of a local disk is safe from that: Nova refuses to power
        on while it saves one.
        """
        return bool(self.parts and self.progress.off_at
                    and not self.progress.start_count and not self.gone
                    and (self.status != 'SHUTOFF'
                         or self._latest(*consistency.RAN)
                         or self.part_stuck)
                    and self.progress.consistency != marks.LIVE)

    @property
    def consistency(self) -> str:
        """The mark that the snapshot and its parts are to have.

        A locked server's record does not hold it, but the image does. Where
        somebody has undone the note of it, the least is said.
        """
        known = self.image.properties if self.image else {}
        return (self.progress.consistency or known.get(marks.CONSISTENCY)
                or marks.LIVE)

    @property
    def wrongly_marked(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The image and the volume snapshots whose marks are not right.

        Nova marks none of those that it makes; chosen volumes' were made
        before there was an image to belong to; and what was captured may
        have turned out to be less at rest than it was when it began.
        """
        image = self.image
        wanted = {marks.RUN: self.plan.run_id,
                  marks.CONSISTENCY: self.consistency}
        of_part = {**wanted, **({marks.IMAGE: image.id} if image else {})}
        return (() if image is None
                or {**wanted, **self.plan.expiry(image.id)}.items()
                <= image.properties.items() else (image.id,),
                tuple(snapshot.id for snapshot in self.seen.snapshots
                      if snapshot.id in self._part_ids and not {
                          **of_part, **({} if image else self.plan.expiry(
                              snapshot.id))}.items()
                      <= snapshot.metadata.items()))

    @property
    def unprotected(self) -> bool:
        """Whether the image is to be protected, and is not."""
        return bool(self.plan.protect and self.image
                    and not self.image.protected)

    # After the capture, whether it came to a snapshot or not.

    @property
    def capture_over(self) -> bool:
        return bool(self.progress.captured_at or self.progress.failure)

    @property
    def to_power_on(self) -> bool:
        """Whether the instance is to be brought back, and may be."""
        touched = self.progress.stop_count or self.progress.off_at
        return bool((self.plan.power_on and touched
                     or self.progress.start_count
                     or self.left_off_by_live_capture) and not self.gone)

    @property
    def owed(self) -> bool:
        """Whether it is off now, and is to be powered on."""
        return (self.to_power_on and self.status == 'SHUTOFF'
                and not self.stopped_by_others)

    @property
    def return_unproven(self) -> bool:
        """Whether it is said to run though nothing tells who started it.

        Nova took the request to power it off. That may have had no effect,
        but an old answer looks the same, so it is believed when it is said
        twice.
        """
        return bool(self.to_power_on and self.status == 'ACTIVE'
                    and self.progress.stop_count
                    and not self.progress.start_count
                    and self.progress.failure
                    != failures.Failure.STOP_REFUSED.value
                    and not self._latest(*consistency.RAN))

    @property
    def left_off_by_live_capture(self) -> bool:
        """Whether a failed snapshot of a running instance has left it off.

        Nova may save the guest for the moment of the capture. If it dies
        then, it finds the guest off later, and records a stop that no user
        asked for.
        """
        stop = consistency.last_stop(self.seen.actions)
        since = itertools.takewhile(lambda action: action is not stop,
                                    self.seen.actions)
        failed = self.progress.failure or stop and any(
            action.name == 'createImage' for action in since)
        return bool(self.captured_while_running and failed
                    and self.seen.actions and not (stop and stop.by_user))

    @property
    def stopped_by_others(self) -> bool:
        """Whether somebody else powered it off: it is left so.

        So it is known of who did it before the run could, after the run had
        it on again, or long after the run had it off.
        """
        stop = consistency.last_stop(self.seen.actions)
        if stop is None:
            return False
        if self.progress.start_count:  # a crash since then is nobody's wish
            return stop.by_user and self._ran_before(stop)
        if not self.progress.stop_count:
            return stop.by_user and self.plan.power_off
        # One of ours that was late arrives within the grace.
        ours = next((action for action in self.seen.actions
                     if action.request_id == self.progress.stop_request), stop)
        return stop.began - ours.began > 2 * ANSWER_GRACE

    def _ran_before(self, stop: types.Action) -> bool:
        """Whether the instance ran between the run's power-off and this one.

        Of two who ask at the same moment Nova may take both requests, and
        both are the run's.
        """
        earlier = self.seen.actions[self.seen.actions.index(stop):]
        since = list(itertools.takewhile(
            lambda action: action.request_id != self.progress.stop_request,
            earlier))
        return len(since) == len(earlier) or any(
            action.name in consistency.RAN for action in since)

    @functools.cached_property
    def _useless(self) -> tuple[list[types.Image],
                                list[types.VolumeSnapshot]]:
        """What the run made and nobody needs.

        A snapshot that is kept though something of it failed may still be
        worth much: its owner decides. And what somebody took away after it
        was whole is no reason to take away more.
        """
        if (self.progress.captured_at and self.plan.captures_image
                and self.image is None):
            return [], []
        if self.progress.failure == failures.Failure.RECORD_LOST.value:
            return [], []  # it may have been whole before that
        good = (self.progress.captured_at or not self.progress.failure
                or self.progress.failure in failures.KEEPING
                or self.ended_whole)
        keep = self.image if good and self.finished else None
        kept = (self._part_ids if keep or good and not self.plan.captures_image
                else frozenset())
        return ([image for image in self.seen.images
                 if image is not keep and self._may_go(image)],
                [snapshot for snapshot in self.seen.snapshots
                 if snapshot.id not in kept
                 and snapshot.status not in _GOING
                 and self._may_have_made(snapshot)])

    def _may_have_made(self, snapshot: types.VolumeSnapshot) -> bool:
        """Whether a volume snapshot can be of this run, and not only mapped.

        What an image maps anybody may have written.
        """
        if snapshot.volume_id in self.plan.volumes and (
                snapshot.metadata.get(marks.RUN) == self.plan.run_id
                and snapshot.metadata.get(marks.CALL)):
            return True
        server = self.seen.server
        return snapshot.created.timestamp() >= self.plan.began_at - SKEW and (
            server is None or snapshot.volume_id in server.volume_ids)

    @property
    def ended_whole(self) -> bool:
        """Whether what the run gave up came about all the same."""
        return bool(self.progress.ended_at) and self.finished

    def _may_go(self, image: types.Image) -> bool:
        """Whether an image that nobody needs may be removed.

        Not one that an operator has taken out of use; and once the run is
        over only what was begun by then and abandoned.
        """
        if not self.progress.ended_at:
            return image.status not in (*_GOING, 'deactivated')
        return (image.status == 'queued' and not self.busy
                and image.created.timestamp() < self.progress.ended_at
                and self.seen.now - self.progress.ended_at > IDLE_GRACE)

    @property
    def leftovers(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The ids of images and of volume snapshots to be removed now."""
        images, snapshots = self._useless
        return (tuple(image.id for image in images),
                tuple(snapshot.id for snapshot in snapshots
                      if self._statuses[snapshot.id] != 'creating'))

    @property
    def removed_calls(self) -> str:
        """The images that were removed, and those that are to be now."""
        return with_removed(self.progress, self._useless[0])

    @property
    def leftovers_in_creation(self) -> bool:
        """Whether Cinder still makes what is to be removed then."""
        return any(self._statuses[snapshot.id] == 'creating'
                   for snapshot in self._useless[1])

    @property
    def still_left(self) -> list[str]:
        """What could not be removed and is there as far as is seen."""
        there = {image.id for image in self.seen.images
                 if image.status not in _GOING} | {
            snapshot.id for snapshot in self.seen.snapshots
            if snapshot.status not in _GOING}
        return [thing_id for thing_id in self.progress.leftover_ids.split()
                if thing_id in there]

    @property
    def left_gone(self) -> bool:
        """Whether some of what could not be removed is gone by now."""
        return len(self.still_left) < len(self.progress.leftover_ids.split())

    @property
    def removals_left(self) -> bool:
        return self.progress.removal_count < record.TRIES

    @property
    def late_capture_possible(self) -> bool:
        """Whether Nova may still be at a call that was given up here."""
        return any(self.seen.now - snapshot.created.timestamp() < ANSWER_GRACE
                   for snapshot in self._useless[1])

    @property
    def image_is_empty(self) -> bool:
        return self.image is not None and not self.image.whole


#: Removed images that the record has room for.
_CLEARED = 14
#: Statuses of what is being removed already.
_GOING = ('deleted', 'deleting', 'pending_delete', 'unmanaging')
#: Statuses of a volume snapshot that is whole, and that something is made of.
_READ = ('backing-up', 'restoring')
#: Statuses of an image that has all its data; an operator may have taken it
#: out of use.
_WHOLE = ('active', 'deactivated')
#: Failures of which it is known that there was an image.
_OF_IMAGES = tuple(failure.value for failure in (
    failures.Failure.IMAGE_ABANDONED, failures.Failure.IMAGE_VANISHED,
    failures.Failure.IMAGE_EMPTY, failures.Failure.PART_FAILED,
    failures.Failure.PART_ABANDONED))
#: Actions after which an instance is away; a hard reboot ends that, too.
_AWAY = ('stop', 'pause', 'suspend', 'shelve')
#: Times in a progress that a clock may have been ahead of.
_TIMES = ('off_at', 'asked_at', 'first_capture_at', 'unseen_since',
          'idle_since', 'captured_at')


def with_removed(progress: record.Progress,
                 images: Iterable[types.Image]) -> str:
    """What is to be noted before images of a run are removed."""
    words = dict.fromkeys(progress.removed_calls.split())
    words.update(dict.fromkeys(filter(None, map(journal.bearer, images))))
    return ' '.join(list(words)[-_CLEARED:])


def _not_ahead(progress: record.Progress, now: int) -> record.Progress:
    """The progress with no note from the future."""
    ahead: dict[str, Any] = {name: now for name in _TIMES
                             if getattr(progress, name) > now + AHEAD}
    longest = now + max(PUT_OFF_PAUSE, START_REFUSED_PAUSE)
    if progress.not_before > longest:
        ahead['not_before'] = longest
    return dataclasses.replace(progress, **ahead) if ahead else progress


def best_image(images: tuple[types.Image, ...]) -> types.Image | None:
    """The one of the run's images that is its snapshot.

    Two who ask Nova at the same moment make two images, one of which stays
    ``queued`` for ever. The furthest counts, then the first.
    """
    ranks = {'active': 0, 'deactivated': 0, 'saving': 1, 'uploading': 1,
             'importing': 1, 'queued': 2}
    usable = [image for image in images if image.status in ranks]
    return min(usable, default=None, key=lambda image: (
        ranks[image.status], image.created, image.id))


def _chosen(plan: record.Plan, seen: observation.Observation,
            image: types.Image | None) -> dict[str, types.VolumeSnapshot]:
    """The best one of each volume, and no other once that was seen whole.

    :param image: one of those that it names is the best, unless it failed.
    """
    named = frozenset(marks.ids_named(marks.PARTS, image.properties)
                      if image else ())
    ranks = {'available': 0, 'creating': 1}
    best: dict[str, types.VolumeSnapshot] = {}
    for snapshot in sorted(seen.snapshots, key=lambda snapshot: (
            snapshot.status not in ranks, snapshot.id not in named,
            ranks.get(snapshot.status, 2),
            marks.CONSISTENCY not in snapshot.metadata,
            snapshot.created, snapshot.id)):
        if snapshot.volume_id in plan.volumes and (
                snapshot.metadata.get(marks.RUN) == plan.run_id
                and snapshot.status not in _GOING):
            best.setdefault(snapshot.volume_id, snapshot)
    return best
