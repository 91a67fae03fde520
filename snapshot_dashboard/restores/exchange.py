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

"""What is known of the volumes that are exchanged for new ones."""

import dataclasses
import functools

from snapshot_dashboard.cloud import types
from snapshot_dashboard.restores import restore
from snapshot_dashboard.restores import sight


@dataclasses.dataclass(frozen=True)
class Exchange:
    """A restore and what was seen of it, with questions on its volumes."""

    plan: restore.Plan
    progress: restore.Progress
    seen: sight.Sight

    @property
    def server(self) -> types.Server:
        if self.seen.server is None:
            raise ValueError('the server is gone')
        return self.seen.server

    @property
    def uncreated(self) -> restore.Swap | None:
        """A volume in whose place nothing was made yet."""
        return next((swap for swap in self.plan.swaps
                     if not (self.seen.fresh or {}).get(swap.volume_id)),
                    None)

    @property
    def creation_failed(self) -> str:
        """The status of a new volume that is of no use."""
        return next((best.status for best in map(self._best, self.plan.swaps)
                     if best and best.status.startswith('error')), '')

    @property
    def in_creation(self) -> bool:
        return any(best is None or best.status == 'creating'
                   for best in map(self._best, self.plan.swaps))

    def _best(self, swap: restore.Swap) -> types.Volume | None:
        """The new volume that comes in the place of an old one."""
        return next(iter((self.seen.fresh or {}).get(swap.volume_id, ())),
                    None)

    def is_swapped(self, swap: restore.Swap) -> bool:
        best = self._best(swap)
        return (best is not None and best.status == 'in-use'
                and best.id in self.server.volume_ids)

    @functools.cached_property
    def swap(self) -> restore.Swap | None:
        """The next volume to be exchanged; None if there is none left."""
        return next((swap for swap in self.plan.swaps
                     if not self.is_swapped(swap)), None)

    @property
    def swapped_some(self) -> bool:
        return any(map(self.is_swapped, self.plan.swaps))

    def old(self, swap: restore.Swap | None) -> types.Volume | None:
        """A volume that is exchanged; None if it is gone."""
        return (self.seen.volumes or {}).get(swap.volume_id if swap else '')

    @property
    def to_detach(self) -> bool:
        """Whether the next one is still at the instance, and can be detached.
        """
        old = self.old(self.swap)
        return (old is not None and old.status == 'in-use'
                and old.id in self.server.volume_ids)

    @property
    def to_attach(self) -> str:
        """The id of what is to be attached in its place; empty if it cannot
        be now.
        """
        old = self.old(self.swap)
        best = self._best(self.swap) if self.swap else None
        if old is not None and old.status != 'available':
            return ''
        return best.id if best and best.status == 'available' else ''

    @property
    def attach_failed(self) -> bool:
        """Whether there is nothing that could come in its place."""
        best = self._best(self.swap) if self.swap else None
        return best is None or best.status.startswith('error')

    @property
    def bare(self) -> restore.Swap | None:
        """A volume that was detached, and nothing came in its place."""
        if self.seen.volumes is None or self.seen.fresh is None or not (
                self.progress.swap_count):
            return None
        return next((swap for swap in self.plan.swaps
                     if not self.is_swapped(swap) and self._is_off(swap)),
                    None)

    def _is_off(self, swap: restore.Swap) -> bool:
        old, best = self.old(swap), self._best(swap)
        return (old is not None and old.status == 'available'
                and old.id not in self.server.volume_ids
                and not (best and best.status in ('attaching', 'reserved')))

    @property
    def swaps_unknown(self) -> bool:
        return bool(self.plan.swaps and self.progress.off_at) and (
            self.seen.volumes is None or self.seen.fresh is None)

    @property
    def moving(self) -> bool:
        """Whether one of them is just being attached or detached."""
        there = [self.old(swap) for swap in self.plan.swaps] + [
            self._best(swap) for swap in self.plan.swaps]
        return any(volume.status in ('attaching', 'detaching', 'reserved')
                   for volume in there if volume)
