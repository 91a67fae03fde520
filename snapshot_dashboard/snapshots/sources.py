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

"""What a page's snapshots were taken of, and what belongs to them.

The second round of calls of a page: by id, for what the page shows only.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
import dataclasses
import functools
import time
from typing import Any

from snapshot_dashboard import cloud as clouds
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import types
from snapshot_dashboard.snapshots import model


def resolve(cloud: clouds.Cloud,
            chosen: Sequence[types.Image | types.VolumeSnapshot],
            seen: Iterable[types.Image | types.VolumeSnapshot] = (),
            clock: Callable[[], float] = time.time
            ) -> tuple[list[model.Snapshot], list[errors.ServiceError]]:
    """The rows of a page, with their sources and parts.

    :param chosen: the entries that make the rows, in their order.
    :param seen: what the first round brought besides; among it may be the
        volume snapshots that belong to an image.
    :returns: the rows, and why some of that could not be found out.
    """
    known: dict[str, types.VolumeSnapshot] = {
        entry.id: entry for entry in seen
        if isinstance(entry, types.VolumeSnapshot)}
    calls: dict[tuple[str, str], Any] = {}
    for entry in chosen:
        if isinstance(entry, types.Image):
            for disk in entry.disks:
                if disk.snapshot_id and disk.snapshot_id not in known:
                    calls['part', disk.snapshot_id] = functools.partial(
                        _volumes_snapshot, cloud, disk.snapshot_id)
        source = _row(entry, {}).source
        if source:
            calls[source.kind.value, source.id] = functools.partial(
                _source, cloud, source)
    answers = dict(zip(calls, cloud.together(*calls.values())))
    parts: dict[str, types.VolumeSnapshot | None] = dict(known)
    for (what, part_id), answer in answers.items():
        if what == 'part' and not isinstance(answer, errors.ServiceError):
            parts[part_id] = answer
        elif what == 'part' and isinstance(answer, errors.NotFound):
            parts[part_id] = None
    rows = [_with_source(_row(entry, parts), answers, clock())
            for entry in chosen]
    return rows, [answer for answer in answers.values()
                  if isinstance(answer, errors.ServiceError)
                  and not isinstance(answer, errors.NotFound)]


def _row(entry: types.Image | types.VolumeSnapshot,
         parts: dict[str, types.VolumeSnapshot | None]) -> model.Snapshot:
    if isinstance(entry, types.Image):
        return model.from_image(entry, parts)
    return model.from_volume_snapshot(entry)


def _volumes_snapshot(cloud: clouds.Cloud,
                      snapshot_id: str) -> types.VolumeSnapshot:
    return cloud.volumes.snapshot(snapshot_id)


def _source(cloud: clouds.Cloud, source: model.Source) -> model.Source:
    if source.kind is model.Kind.INSTANCE:
        server = cloud.compute.server(source.id)
        return dataclasses.replace(source, name=server.name, exists=True,
                                   busy=bool(server.task_state))
    volume = cloud.volumes.volume(source.id)
    return dataclasses.replace(source, name=volume.name, exists=True,
                               bootable=volume.bootable)


def _with_source(row: model.Snapshot,
                 answers: dict[tuple[str, str], Any],
                 now: float) -> model.Snapshot:
    if row.source is None:
        return row
    answer = answers[row.source.kind.value, row.source.id]
    if isinstance(answer, errors.NotFound):
        answer = dataclasses.replace(row.source, exists=False)
    if isinstance(answer, errors.ServiceError):
        return row
    row = dataclasses.replace(row, source=answer)
    return dataclasses.replace(row, left_over=row.is_left_over(now))
