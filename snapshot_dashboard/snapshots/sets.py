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

"""Which volume snapshots belong to which instance snapshots.

An image names its parts: Nova's in its block device mapping, and chosen
volumes' in our mark. Several images may need the same volume snapshot. A
name proves nothing: images are renamed, and volume snapshots are called as
their owners like.
"""

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import enum
import functools
from typing import Any
from urllib import parse

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import ids
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import texts
from snapshot_dashboard.cloud import types
from snapshot_dashboard.snapshots import mappings

#: Seconds for which something may look as if nobody worked on it.
BEGUN_FOR = 600
#: Characters that one list of values may take in an address. Services and
#: what stands before them refuse addresses of 4,096 and more.
_ROOM = 3000
#: Calls by ids, 75 in each, and by names that one page may cost; what more
#: would tell is not known then.
_ID_CALLS, _NAME_CALLS = 8, 1
#: Calls that tell for certain, of what seems to be left of a set.
_HIDDEN_CALLS = 2
#: Calls for a thousand images each that a page may take to bring the index up
#: to date.
FEW_PAGES = 3
#: Statuses of an image that needs nothing any more.
_GOING = ('deleted', 'pending_delete')


class Orphaned(enum.Enum):
    """Whether a volume snapshot was part of an instance snapshot."""

    NO = 'no'
    #: It is called as Nova calls parts, and no image needs it.
    MAYBE = 'maybe'
    #: It names an image, and neither that one nor another needs it.
    YES = 'yes'


@dataclasses.dataclass(frozen=True)
class Belonging:
    """What is known of the images that need some volume snapshots.

    :ivar images: those that are there, by the volume snapshots' ids.
    :ivar known: the volume snapshots of which these are all images.
    :ivar gone: images that volume snapshots name, and that are gone.
    :ivar problems: why it is not known of others.
    :ivar place: how far the images have been gone through, where a further
        look will get further; else empty.
    """

    images: Mapping[str, tuple[types.Image, ...]] = dataclasses.field(
        default_factory=dict)
    known: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    problems: tuple[errors.ServiceError, ...] = ()
    place: str = ''

    def of(self, snapshot_id: str) -> tuple[types.Image, ...]:
        """The images that need a volume snapshot, as far as it is known."""
        return self.images.get(snapshot_id, ())

    def orphaned(self, snapshot: types.VolumeSnapshot,
                 now: float) -> Orphaned:
        """Whether a volume snapshot is left of a set.

        :param now: seconds since the epoch; for a while the image may be
            yet to come.
        """
        if snapshot.id not in self.known or self.of(snapshot.id) or (
                now - snapshot.created.timestamp() <= BEGUN_FOR):
            return Orphaned.NO
        if image_id(snapshot):
            return (Orphaned.YES if image_id(snapshot) in self.gone
                    else Orphaned.NO)
        return Orphaned.MAYBE if image_name(snapshot) else Orphaned.NO


def joined(*some: Belonging) -> Belonging:
    """What several looks have brought."""
    return Belonging(
        mappings.by_part(image for one in some
                         for images in one.images.values()
                         for image in images),
        frozenset().union(*(one.known for one in some)),
        frozenset().union(*(one.gone for one in some)),
        tuple(problem for one in some for problem in one.problems))


def image_id(snapshot: types.VolumeSnapshot) -> str:
    """The image that a volume snapshot says it belongs to; else empty."""
    found = snapshot.metadata.get(marks.IMAGE, '')
    return found if ids.is_id(found) else ''


def image_name(snapshot: types.VolumeSnapshot) -> str:
    """The name of the image that Nova made it for, if it did; else empty.

    Nova translates the prefix into the language of the caller, and only the
    English one is known here: for others this is empty.
    """
    return (snapshot.name.removeprefix(texts.PART_PREFIX)
            if snapshot.name.startswith(texts.PART_PREFIX) else '')


def find(cloud: services.Cloud, snapshots: Sequence[types.VolumeSnapshot],
         there: Iterable[types.Image] = ()) -> tuple[Belonging, int]:
    """Look up the images of volume snapshots, at the cost of a page.

    :param there: images that are known already.
    :returns: what is known, and how many calls that took, made at the same
        time: mostly one.
    """
    images = {image.id: image for image in there
              if image.owner == cloud.project_id}
    needed = mappings.by_part(images.values())
    lacking = [one for one in snapshots if one.id not in needed]
    if not cloud.has('image') or not snapshots:
        return Belonging(needed), 0
    index = mappings.Index(cloud)
    claimed = {image_id(one) for one in lacking} - {''}
    wanted = claimed.union(*(index.candidates(one.id) for one in snapshots))
    calls: list[Callable[[], Any]] = [
        *_by_ids(cloud, wanted - images.keys())][:_ID_CALLS]
    unseen: list[Callable[[], Any]] = []
    if any(not index.candidates(one.id) and (
            image_id(one) or image_name(one)) for one in lacking):
        if index.complete:
            unseen = [functools.partial(index.update, 1),
                      *_by_ids(cloud, claimed, hidden=True)]
        else:  # names lead to some of them
            calls += [*_by_names(cloud, lacking)][:_NAME_CALLS]
    answers = cloud.gather(*calls, *unseen[:_HIDDEN_CALLS])
    for answer in answers:
        if isinstance(answer, list):
            images.update({image.id: image for image in answer})
    problems = tuple(errors.among(answers))
    sure = index.fresh and not problems and len(unseen) <= _HIDDEN_CALLS
    known = frozenset(
        one.id for one in snapshots
        if sure and index.candidates(one.id) <= images.keys())
    return Belonging(
        mappings.by_part(images.values()), known,
        frozenset(claimed - images.keys() if sure else ()),
        problems), len(calls) + len(unseen) + bool(unseen)


def find_all(cloud: services.Cloud, snapshot_ids: Collection[str],
             pages: int, there: Iterable[types.Image] = (),
             claimed: Collection[str] = ()) -> Belonging:
    """Look up all images that need some volume snapshots, for certain.

    That takes two calls, where the index is up to date, and some for the
    images.

    :param pages: calls for each kind of images that it may take to bring
        the index up to date.
    :param there: images that were asked for just now.
    :param claimed: the ids of images that volume snapshots say to belong to.
    """
    if not snapshot_ids:
        return Belonging()
    if not cloud.has('image'):
        # Another region's may need them, if instances can be launched here.
        return Belonging(known=frozenset(
            () if cloud.has('compute') else snapshot_ids))
    index = mappings.Index(cloud)
    try:
        learnt = index.update(pages)
    except errors.ServiceError as error:
        return Belonging(problems=(error,))
    images = {image.id: image for image in (*there, *learnt)
              if image.owner == cloud.project_id}
    wanted = set(claimed).union(*(
        index.candidates(snapshot_id) for snapshot_id in snapshot_ids))
    problems: list[errors.ServiceError] = []
    for hidden in (False, True):
        for answer in cloud.gather(*_by_ids(
                cloud, wanted - images.keys(), hidden)):
            if isinstance(answer, errors.ServiceError):
                problems.append(answer)
            else:
                images.update({image.id: image for image in answer})
    gone = frozenset(() if problems else wanted - images.keys())
    index.drop(gone)
    known = index.fresh and not problems
    return Belonging(
        mappings.by_part(image for image in images.values()
                         if image.status not in _GOING),
        frozenset(snapshot_ids) if known else frozenset(), gone,
        tuple(problems), index.place)


def _by_ids(cloud: services.Cloud, image_ids: Iterable[str],
            hidden: bool = False) -> Iterator[Callable[[], Any]]:
    kind = {'os_hidden': 'true'} if hidden else {}
    for some in _chunks(image_ids):
        yield functools.partial(_find, cloud, {'id': f'in:{some}', **kind})


def _by_names(cloud: services.Cloud, snapshots: Iterable[types.VolumeSnapshot]
              ) -> Iterator[Callable[[], Any]]:
    """What finds most of the images that Nova has made."""
    names = {image_name(one) for one in snapshots if not image_id(one)}
    # Within its quotes Glance reads neither quotes nor backslashes.
    for some in _chunks(f'"{name}"' for name in names - {''}
                        if '"' not in name and '\\' not in name):
        yield functools.partial(_find, cloud, {
            'bdm_v2': 'True', 'name': f'in:{some}'})


def _chunks(values: Iterable[str]) -> Iterator[str]:
    """Lists of values, each short enough for an address."""
    some: list[str] = []
    room = _ROOM
    for value in sorted(values):
        length = len(parse.quote_plus(f'{value},'))
        if some and length > room:
            yield ','.join(some)
            some, room = [], _ROOM
        some.append(value)
        room -= length
    if some:
        yield ','.join(some)


def _find(cloud: services.Cloud,
          filters: Mapping[str, str]) -> list[types.Image]:
    return cloud.images.images(1000, {'owner': cloud.project_id, **filters})
