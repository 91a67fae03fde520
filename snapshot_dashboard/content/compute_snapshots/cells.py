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
        'parts': wording.parts(snapshot),
        'lacks': wording.lacks(snapshot),
        'expired': snapshot.expired(timezone.localdate())})


def render_source(snapshot: model.Snapshot) -> str:
    return render_to_string('project/compute_snapshots/cells/_source.html',
                            {'source': snapshot.source})


def render_status(snapshot: model.Snapshot) -> str:
    return render_to_string('project/compute_snapshots/cells/_status.html', {
        'status': wording.status(snapshot.status),
        'meaning': wording.STATUS_MEANINGS.get(snapshot.status, ''),
        'motion': snapshot.motion.value})


def render_consistency(snapshot: model.Snapshot) -> str:
    return render_to_string(
        'project/compute_snapshots/cells/_consistency.html',
        {'consistency': wording.consistency(snapshot.consistency),
         'snapshot': snapshot})


def render_size(snapshot: model.Snapshot) -> str | None:
    if not snapshot.size_bytes and (
            snapshot.motion is statuses.Outcome.PENDING):
        return None
    return size_text(snapshot.size_bytes)


def size_text(size_bytes: int) -> str:
    """Binary units, as the services count: 10 GiB, 1.5 MiB."""
    size = float(size_bytes)
    for unit in ('B', 'KiB', 'MiB', 'GiB'):
        if size < 1024:
            return f'{size:.4g} {unit}'
        size /= 1024
    return f'{size:.4g} TiB'


def render_created(snapshot: model.Snapshot) -> str:
    """The time in the user's zone and language."""
    local = timezone.localtime(snapshot.created)
    return format_html('<time datetime="{}">{}</time>',
                       snapshot.created.isoformat(),
                       formats.date_format(local, 'DATETIME_FORMAT'))
