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

"""A snapshot of one volume, taken at once as things are."""

import datetime

from snapshot_dashboard import marks
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types
from snapshot_dashboard.runs import consistency
from snapshot_dashboard.runs import observe


def create(cloud: services.Cloud, volume: types.Volume,
           server: types.Server | None, name: str, description: str, *,
           at_rest: bool, now: int, shutdown_timeout: int,
           purpose: str = '', keep_until: datetime.date | None = None) -> str:
    """Take the snapshot as things are, marked with how they are; its id.

    All marks are given at once: when Cinder has finished a snapshot, it writes
    the metadata back that this had at the beginning.

    :param server: the instance that it is attached to; None if there is none,
        or several, or it cannot be seen.
    :param at_rest: whether nobody can be writing to it now.
    :param now: seconds since the epoch.
    :param shutdown_timeout: seconds that the guest had to shut down, should
        it be off.
    :param purpose: one of ``marks.PURPOSES``, or nothing.
    :param keep_until: the last day on which it is wanted; None for no end.
    :raises Unavailable: when it is not known whether it was begun.
    :raises ServiceError: when it was not begun.
    """
    consistent = (marks.DETACHED if not volume.attached
                  else marks.LIVE if server is None or not at_rest
                  else _mark(cloud, server, shutdown_timeout))
    metadata = {marks.CONSISTENCY: consistent,
                **({marks.PURPOSE: purpose} if purpose else {}),
                **(marks.write_expiry(keep_until, volume.id) if keep_until
                   else {}),
                **({marks.TAKEN: str(now)} if server is None
                   else marks.of_server(server, now))}
    return cloud.volumes.create_snapshot(volume.id, name, description,
                                         metadata)


def _mark(cloud: services.Cloud, server: types.Server,
          shutdown_timeout: int) -> str:
    """How an instance that is off went off."""
    stop = consistency.last_stop(observe.actions(cloud, server))
    return consistency.classify(server.status, stop, shutdown_timeout,
                                agent=False)
