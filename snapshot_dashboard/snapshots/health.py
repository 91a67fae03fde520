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

"""What is wrong with the project's snapshots, and how much room they take.

It looks at the newest ones of each kind and says so, for all of them would
take a call for each thousand.
"""

from collections.abc import Callable
from collections.abc import Sequence
import dataclasses
import datetime
from typing import Any

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types
from snapshot_dashboard.snapshots import mappings
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.snapshots import newest
from snapshot_dashboard.snapshots import row_builder
from snapshot_dashboard.snapshots import sets
from snapshot_dashboard.snapshots import sharing
from snapshot_dashboard.snapshots import statuses

#: How many of each kind are looked at.
LOOKED_AT = 500
#: How many thousand images that have changed are gone through at one look.
_PAGES = 1
#: How many begun images are looked at one by one.
_BEGUN = 20


@dataclasses.dataclass(frozen=True)
class Health:
    """What was found among the newest snapshots.

    :ivar incomplete: instance snapshots of which a part failed or is gone.
    :ivar failed: volume snapshots that hold nothing that can be used.
    :ivar left_over: images that nobody works on any more.
    :ivar orphans: volume snapshots that no instance snapshot needs any more.
    :ivar old: one that is older than the operator's limit, the oldest.
    :ivar offered: those that other projects share, and that nobody has
        answered to.
    :ivar expired: those that their owners do not want any more.
    :ivar partial: whether there are more than were looked at.
    :ivar place: how far the project's images have been gone through, where
        further looks will tell more; else empty.
    :ivar problems: why some of it is not known.
    """

    incomplete: tuple[model.Snapshot, ...] = ()
    failed: tuple[model.Snapshot, ...] = ()
    left_over: tuple[model.Snapshot, ...] = ()
    orphans: tuple[model.Snapshot, ...] = ()
    old: model.Snapshot | None = None
    expired: tuple[model.Snapshot, ...] = ()
    offered: tuple[model.Snapshot, ...] = ()
    partial: bool = False
    place: str = ''
    problems: tuple[errors.ServiceError, ...] = ()

    @property
    def found(self) -> bool:
        return bool(self.incomplete or self.failed or self.left_over
                    or self.orphans or self.old or self.expired)


def check(cloud: services.Cloud, now: float, today: datetime.date,
          old_days: int = 0) -> Health:
    """Look at the newest snapshots, in a few large calls.

    :param now: seconds since the epoch.
    :param today: where the user is.
    :param old_days: what is older counts as old; 0 for no limit.
    """
    owner = {'owner': cloud.project_id}
    calls: dict[str, Callable[[], Any]] = {}
    if cloud.has('image'):
        calls['sets'] = lambda: newest.images(
            cloud, LOOKED_AT, {**owner, 'bdm_v2': 'True'})
        calls['begun'] = lambda: newest.images(cloud, _BEGUN, {
            **owner, marks.IMAGE_TYPE: 'snapshot',
            'status': 'in:queued,saving'}, ascending=True)
        calls['expiring images'] = lambda: newest.images(
            cloud, LOOKED_AT, {**owner, marks.EXPIRING: 'True'})
        calls['offered'] = lambda: sharing.offered(cloud)
        if old_days:
            calls['old'] = lambda: cloud.images.images(
                1, {**owner, marks.IMAGE_TYPE: 'snapshot'}, ascending=True)
    if cloud.has('volume'):
        calls['volumes'] = lambda: cloud.volumes.snapshots(LOOKED_AT)
        calls['expiring volumes'] = lambda: cloud.volumes.snapshots(
            LOOKED_AT, {'metadata': {marks.EXPIRING: 'True'}})
    answers = cloud.gather_named(calls)
    problems = errors.among(answers.values())
    found = {name: answer if isinstance(answer, list) else []
             for name, answer in answers.items()}
    images, volumes = found.get('sets', []), found.get('volumes', [])
    belonging = sets.find_all(
        cloud, [one.id for one in volumes], _PAGES, images,
        {sets.image_id(one) for one in volumes} - {''})
    problems += belonging.problems
    images += [image for needing in belonging.images.values()
               for image in needing]
    whole = 'volumes' in answers and len(volumes) < LOOKED_AT and not problems
    return Health(
        incomplete=_incomplete(images, volumes, whole),
        failed=tuple(
            model.from_volume_snapshot(one) for one in volumes
            if one.status == 'error' and not belonging.of(one.id)
            and belonging.orphaned(one, now) is sets.Orphaned.NO),
        left_over=_left_over(cloud, found.get('begun', []), now),
        orphans=tuple(
            model.from_volume_snapshot(one) for one in volumes
            if belonging.orphaned(one, now) is not sets.Orphaned.NO),
        old=_old(found.get('old', []), now, old_days),
        expired=_expired([*found.get('expiring images', []),
                          *found.get('expiring volumes', [])], today),
        offered=tuple(map(model.from_foreign_image,
                          found.get('offered', []))),
        place=belonging.place,
        partial=len(images) >= LOOKED_AT or len(volumes) >= LOOKED_AT,
        problems=tuple(problems))


def _incomplete(images: list[types.Image],
                volumes: list[types.VolumeSnapshot],
                whole: bool) -> tuple[model.Snapshot, ...]:
    """:param whole: what is not among the volume snapshots is gone."""
    known: dict[str, types.VolumeSnapshot | None] = {
        one.id: one for one in volumes}
    if whole:
        known = {**{part: None for image in images
                    for part in mappings.part_ids(image)}, **known}
    each = {image.id: image for image in images}.values()
    found = (model.from_image(image, known) for image in each)
    return tuple(row for row in found if row.status == statuses.INCOMPLETE)


def _left_over(cloud: services.Cloud, begun: list[types.Image],
               now: float) -> tuple[model.Snapshot, ...]:
    long_ago = [image for image in begun
                if now - image.created.timestamp() > sets.BEGUN_FOR]
    if not long_ago:
        return ()
    found, _, _ = row_builder.build(cloud, long_ago, [], sets.Belonging(),
                                    row_builder.SourceCache(), None, now)
    return tuple(row for row in found if row.left_over)


def _old(oldest: list[types.Image], now: float,
         old_days: int) -> model.Snapshot | None:
    limit = datetime.timedelta(days=old_days).total_seconds()
    for image in oldest:
        if now - image.created.timestamp() > limit:
            return model.from_image(image, {})
    return None


def _expired(expiring: Sequence[types.Image | types.VolumeSnapshot],
             today: datetime.date) -> tuple[model.Snapshot, ...]:
    found = [model.summary(entry) for entry in expiring]
    return tuple(row for row in found if row.expired(today))
