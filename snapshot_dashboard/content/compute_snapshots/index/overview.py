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

"""What stands above the list, in words and numbers."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from snapshot_dashboard.cloud import types
from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.snapshots import health

#: Snapshots that one line about what is wrong names.
_SHOWN = 10
#: What is limited, and in which unit.
METERS = {
    'snapshots': (_("Volume snapshots"), ''),
    'gigabytes': (_("Volumes and their snapshots"), _("GiB")),
    'image_count_total': (_("Images"), ''),
    'image_size_total': (_("Image storage"), _("MiB")),
}


def health_lines(found: health.Health) -> list[dict[str, Any]]:
    """What is wrong, one line for each sort of it."""
    lines = [
        (found.incomplete, _("Incomplete:"),
         _("A volume snapshot that they need failed or was deleted, so they "
           "cannot be launched. Delete them and take new ones.")),
        (found.left_over, _("Left over:"),
         _("These images were begun and will never be finished. Delete "
           "them.")),
        (found.orphans, _("Possibly orphaned:"),
         _("These volume snapshots probably belonged to instance snapshots "
           "that are gone. Delete them if you do not need them: while they "
           "exist, their volumes cannot be deleted.")),
        ((found.old,) if found.old else (), _("Oldest:"),
         _("It is older than this cloud's operator recommends, so later "
           "updates are missing. Consider launching a fresh image and setting "
           "it up with your configuration tool instead.")),
        (found.expired, _("Expired:"),
         _("Their keep-until date has passed. Nothing is deleted "
           "automatically.")),
    ]
    return [{'rows': rows[:_SHOWN], 'text': text, 'advice': advice,
             'more': (wording.more('', len(rows) - _SHOWN).strip()
                      if len(rows) > _SHOWN else '')}
            for rows, text, advice in lines if rows]


def meters(usage: Mapping[str, types.Quota]) -> list[dict[str, Any]]:
    """How much is used of what is limited, as numbers and percents."""
    found = []
    for name, quota in usage.items():
        base, _sep, kind = name.partition('_')
        if base == 'image':
            base, kind = name, ''
        label, unit = METERS[base]
        text = (_("%(used)d of %(limit)d %(unit)s") if quota.limit >= 0
                else _("%(used)d %(unit)s, no limit")) % {
                    'used': quota.used, 'limit': quota.limit, 'unit': unit}
        found.append({
            'label': (_("%(label)s, type %(type)s") % {
                'label': label, 'type': kind}) if kind else label,
            'text': text.strip(),
            'percent': (min(100, round(100 * quota.used / quota.limit))
                        if quota.limit > 0 else
                        100 if quota.limit == 0 else None)})
    return found
