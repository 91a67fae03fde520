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
from django.utils.translation import ngettext

from snapshot_dashboard.cloud import types
from snapshot_dashboard.content.compute_snapshots import cells
from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.snapshots import health

#: Snapshots that one line about what is wrong names.
_SHOWN = 10
#: What is limited, and in which unit.
_GIB, _MIB = 1024 ** 3, 1024 ** 2
#: What is limited, and in which unit in bytes; 0 for a mere number.
METERS = {
    'snapshots': (_("Volume snapshots"), 0),
    'gigabytes': (_("Volume storage (with snapshots)"), _GIB),
    'image_count_total': (_("Images"), 0),
    'image_size_total': (_("Image storage"), _MIB),
}


def health_lines(found: health.Health) -> list[dict[str, Any]]:
    """What is wrong, one line for each sort of it."""
    lines = [
        (found.incomplete, ngettext("%d incomplete", "%d incomplete",
                                    len(found.incomplete)), _("Incomplete:"),
         ngettext("A volume snapshot that it needs failed or was deleted, so "
                  "it cannot be launched. Delete it and take a new one.",
                  "A volume snapshot that they need failed or was deleted, so "
                  "they cannot be launched. Delete them and take new ones.",
                  len(found.incomplete))),
        (found.failed, ngettext("%d with an error", "%d with an error",
                                len(found.failed)), _("Error:"),
         ngettext("It holds nothing that can be used. Delete it and take a "
                  "new one.",
                  "They hold nothing that can be used. Delete them and take "
                  "new ones.", len(found.failed))),
        (found.left_over, ngettext("%d left over", "%d left over",
                                   len(found.left_over)), _("Left over:"),
         _("These images were begun and will never be finished. Delete "
           "them.")),
        (found.orphans, ngettext("%d possibly orphaned",
                                 "%d possibly orphaned",
                                 len(found.orphans)), _("Possibly orphaned:"),
         _("These volume snapshots probably belonged to instance snapshots "
           "that are gone. Delete them if you do not need them: while they "
           "exist, their volumes cannot be deleted.")),
        ((found.old,) if found.old else (), _("the oldest is too old"),
         _("Oldest:"),
         _("It is older than this cloud's operator recommends, so later "
           "updates are missing. Consider launching a fresh image and setting "
           "it up with your configuration tool instead.")),
        (found.expired, ngettext("%d expired", "%d expired",
                                 len(found.expired)), _("Expired:"),
         _("Their keep-until date has passed. Nothing is deleted "
           "automatically.")),
    ]
    return [{'rows': rows[:_SHOWN], 'text': text, 'advice': advice,
             'count': count.replace('%d', str(len(rows))),
             'more': (wording.more('', len(rows) - _SHOWN).strip()
                      if len(rows) > _SHOWN else '')}
            for rows, count, text, advice in lines if rows]


#: Percent from which on a limit is nearly reached.
_HIGH = 80


def is_high(shown: list[dict[str, Any]]) -> bool:
    """Whether one of the meters is nearly full, or over."""
    return any(meter['percent'] is not None and meter['percent'] >= _HIGH
               for meter in shown)


def meters(usage: Mapping[str, types.Quota]) -> list[dict[str, Any]]:
    """How much is used of what is limited, as numbers and percents."""
    found = []
    for name, quota in usage.items():
        base, _sep, kind = name.partition('_')
        if base == 'image':
            base, kind = name, ''
        label, unit = METERS[base]
        used, limit = (cells.size_text(number * unit) if unit else str(number)
                       for number in (quota.used, max(0, quota.limit)))
        text = (_("%(used)s of %(limit)s") if quota.limit >= 0
                else _("%(used)s, no limit")) % {'used': used, 'limit': limit}
        found.append({
            'label': (_("%(label)s, type %(type)s") % {
                'label': label, 'type': kind}) if kind else label,
            'text': text,
            'percent': (min(100, round(100 * quota.used / quota.limit))
                        if quota.limit > 0 else
                        100 if quota.limit == 0 else None)})
    return found
