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

"""The cells of the table, which other pages show, too."""

import datetime
from typing import Any

from django.template.loader import render_to_string
from django.utils import formats
from django.utils import timezone
from django.utils.html import format_html

from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.snapshots import statuses


def render_name(snapshot: model.Snapshot) -> str:
    return render_to_string('project/compute_snapshots/cells/_name.html', {
        'snapshot': snapshot,
        'parts': wording.parts(snapshot, {}),
        'lacks': wording.lacks(snapshot),
        'expired': snapshot.expired(timezone.localdate())})


def render_kind(snapshot: model.Snapshot) -> str:
    """In one word, with whether an instance can boot from it."""
    return render_to_string('project/compute_snapshots/cells/_kind.html', {
        'snapshot': snapshot, 'kind': wording.KINDS[snapshot.kind]})


def render_source(snapshot: model.Snapshot, whole: bool = False) -> str:
    """:param whole: show the id of what has no name, or none yet."""
    return render_to_string('project/compute_snapshots/cells/_source.html',
                            {'source': snapshot.source, 'whole': whole})


def render_status(snapshot: model.Snapshot, explained: bool = True) -> str:
    """:param explained: say what a status means that one may not know."""
    return render_to_string('project/compute_snapshots/cells/_status.html', {
        'status': wording.status(snapshot.status),
        'meaning': (wording.STATUS_MEANINGS.get(snapshot.status, '')
                    if explained else ''),
        'motion': snapshot.motion.value})


def render_consistency(snapshot: model.Snapshot) -> str:
    return render_to_string(
        'project/compute_snapshots/cells/_consistency.html',
        {'consistency': wording.consistency_of(snapshot),
         'pending': snapshot.motion is statuses.Outcome.PENDING,
         # Of what holds nothing it does not matter how it was taken.
         'known': bool(snapshot.consistency) and (
             snapshot.motion is not statuses.Outcome.FAILED),
         'snapshot': snapshot})


def render_size(snapshot: model.Snapshot) -> str | None:
    if not snapshot.size_bytes and (
            snapshot.motion is statuses.Outcome.PENDING):
        return None
    return size_text(snapshot.size_bytes)


def size_text(size_bytes: int) -> str:
    """Binary units, as the services count: 10 GiB, 1.5 MiB."""
    size = float(size_bytes)
    units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
    while size >= 1024 and len(units) > 1:
        size /= 1024
        units.pop(0)
    number = formats.number_format(round(size, 1), 1).rstrip('0')
    return f'{number.rstrip(".,")} {units[0]}'


def render_age(snapshot: model.Snapshot) -> str:
    """How long ago it was made; the time itself as a title."""
    return render_to_string('project/compute_snapshots/cells/_age.html', {
        'created': snapshot.created})


def render_created(snapshot: model.Snapshot) -> str:
    """The time in the user's zone and language."""
    local = timezone.localtime(snapshot.created)
    return format_html('<time datetime="{}">{}</time>',
                       snapshot.created.isoformat(),
                       formats.date_format(local, 'DATETIME_FORMAT'))


def times(began_at: int, ended_at: int, is_open: bool,
          at: int) -> dict[str, Any]:
    """How long something has taken, and when it was over, for a card.

    :param began_at: in seconds since the epoch, as the others.
    """
    return {
        'elapsed': duration_text(max(0, (ended_at or at) - began_at)),
        'ended': None if is_open else datetime.datetime.fromtimestamp(
            ended_at, datetime.UTC)}


def duration_text(seconds: int) -> str:
    """A time that something took, as 1:02:03."""
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return (f'{hours}:{minutes:02}:{seconds:02}' if hours
            else f'{minutes}:{seconds:02}')
