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

"""An index of the images that need volume snapshots.

Glance cannot be asked which images map a volume snapshot, so all images of
the project are gone through once, and from then on those that have changed
(Image API v2, List images, ``updated_at``). What was learnt is kept in the
memory of the cloud. An image may have been deleted or changed since: what
the index names is to be looked at. But once it has been brought up to date,
no other image needs a volume snapshot.
"""

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
import dataclasses
import datetime
import time

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types

#: Images that one call asks for: the most that Glance gives by default.
_PAGE = 1000
#: Seconds before the latest change that was seen from which on changes are
#: asked for again: clocks of Glance's hosts differ, and databases lag.
_OVERLAP = 300
#: The index is kept in shelves, for caches bound the size of an item.
_SHELVES = '0123456789abcdef'
#: Seconds after which it is made anew, without the images that are gone.
LIFETIME = 7 * 24 * 3600


@dataclasses.dataclass(frozen=True)
class _Shelf:
    """The part of the index for ids that begin with one digit.

    Each says how far it has come, for another process may put older shelves
    back at any time.

    :ivar begun: when it was made anew, in seconds since the epoch.
    :ivar places: from which change on is asked next, of images that are
        listed and of hidden ones.
    :ivar complete: whether all images of both kinds were seen at that time.
    :ivar images: the ids of images, joined by blanks, by those of the volume
        snapshots: texts are read quickest.
    """

    begun: float
    places: tuple[str, str]
    complete: bool
    images: Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class _Changes:
    """What Glance tells of one kind of images.

    :ivar place: from which change on is asked next.
    :ivar all: whether there is no more of it.
    """

    images: list[types.Image]
    place: str
    all: bool


class Index:
    """Which images need which volume snapshots, as far as it is known.

    :ivar complete: whether all images had been gone through when it was
        brought up to date last.
    :ivar fresh: whether that was now.
    """

    def __init__(self, cloud: services.Cloud):
        self._cloud = cloud
        self.fresh = False
        self._images: dict[str, str] = {}
        self._places, self.complete = ['', ''], False
        self._begun = time.time()
        self._load()

    @property
    def place(self) -> str:
        """How far the images have been gone through; empty for all."""
        return '' if self.fresh else ' '.join(self._places)

    def candidates(self, part_id: str) -> frozenset[str]:
        """The ids of the images that need a volume snapshot, or did."""
        return frozenset(self._images.get(part_id, '').split())

    def update(self, pages: int) -> list[types.Image]:
        """Learn which images have changed since it was brought up to date.

        :param pages: how many calls that may take, for each of the two
            kinds; where they are not enough the next time goes on.
        :returns: the images that Glance told of.
        :raises ServiceError: when Glance does not tell.
        """
        answers = self._cloud.gather(
            lambda: self._follow(hidden=False, pages=pages),
            lambda: self._follow(hidden=True, pages=pages))
        learnt: list[types.Image] = []
        for hidden, answer in enumerate(answers):
            if isinstance(answer, _Changes):
                learnt += answer.images
                self._places[hidden] = answer.place
        for image in learnt:
            self._add(image)
        self.fresh = all(isinstance(answer, _Changes) and answer.all
                         for answer in answers)
        self.complete = self.complete or self.fresh
        self._save()
        for error in errors.among(answers):
            raise error
        return learnt

    def drop(self, image_ids: Collection[str]) -> None:
        """Forget images that are gone."""
        if not image_ids:
            return
        gone = set(image_ids)
        for part_id, images in self._images.items():
            if not gone.isdisjoint(images.split()):
                self._images[part_id] = ' '.join(
                    image for image in images.split() if image not in gone)
        self._save()

    def _follow(self, hidden: bool, pages: int) -> '_Changes':
        """Go through the images of a kind, those changed longest ago first.
        """
        found: list[types.Image] = []
        began = since = self._places[hidden]
        marker, more = '', True
        for _ in range(pages):
            page, more = self._cloud.images.changed(
                self._cloud.project_id, since, hidden, _PAGE, marker)
            found += page
            if page:
                # The image that a marker names may change meanwhile, so a
                # page is asked for by time, where time tells pages apart.
                latest = page[-1].updated
                marker = '' if latest > since else page[-1].id
                since = latest
            if not more:
                break
        place = _earlier(since) if found else began
        if more and place <= began:  # so that it gets on at all
            place = since
        return _Changes(found, max(place, began), not more)

    def _add(self, image: types.Image) -> None:
        for part_id in part_ids(image):
            self._images[part_id] = ' '.join(
                sorted(self.candidates(part_id) | {image.id}))

    # Keeping it.

    def _key(self, shelf: str) -> str:
        return services.memory_key(self._cloud, 'image', 'parts', shelf)

    def _load(self) -> None:
        found = self._cloud.memory.find(
            [self._key(shelf) for shelf in _SHELVES])
        shelves = [shelf for shelf in found.values()
                   if isinstance(shelf, _Shelf)]
        if len(shelves) < len(_SHELVES) or time.time() - min(
                shelf.begun for shelf in shelves) > LIFETIME:
            return
        for shelf in shelves:
            self._images.update(shelf.images)
        self._places = [min(shelf.places[kind] for shelf in shelves)
                        for kind in (False, True)]
        self.complete = all(shelf.complete for shelf in shelves)
        self._begun = min(shelf.begun for shelf in shelves)

    def _save(self) -> None:
        shelves: dict[str, dict[str, str]] = {
            shelf: {} for shelf in _SHELVES}
        for part_id, images in self._images.items():
            if not images:
                continue
            shelves[part_id[0].lower()][part_id] = images
        first, second = self._places
        self._cloud.memory.keep({
            self._key(shelf): _Shelf(self._begun, (first, second),
                                     self.complete, images)
            for shelf, images in shelves.items()}, LIFETIME)


def _earlier(change: str) -> str:
    if not change:
        return ''
    moment = types.parse_time(change) - datetime.timedelta(seconds=_OVERLAP)
    return types.format_time(moment)


def part_ids(image: types.Image) -> list[str]:
    """The volume snapshots that an image needs.

    Those that it maps, and those of chosen volumes, which our mark names,
    though it may have been inherited: rather too many than one too few.
    """
    return list(dict.fromkeys([
        *image.mapped, *marks.ids_named(marks.PARTS, image.properties)]))


def by_part(images: Iterable[types.Image]
            ) -> dict[str, tuple[types.Image, ...]]:
    """Images by the ids of the volume snapshots that they need."""
    found: dict[str, dict[str, types.Image]] = {}
    for image in images:
        for part_id in part_ids(image):
            found.setdefault(part_id, {})[image.id] = image
    return {part_id: tuple(needing.values())
            for part_id, needing in found.items()}
