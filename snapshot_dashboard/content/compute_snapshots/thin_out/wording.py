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

"""What is said about thinning out."""

from collections.abc import Sequence

from django.utils import formats
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.content.compute_snapshots.create import (
    wording as create_wording,
)
from snapshot_dashboard.content.compute_snapshots.delete import (
    wording as delete_wording,
)
from snapshot_dashboard.preflight import obstacles
from snapshot_dashboard.snapshots import deletion
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.snapshots import retention

#: Which one of a rule's copies is kept.
_RULES = {
    retention.Period.LAST: _("Last: number %(number)d of %(count)d."),
    retention.Period.HOURLY: _("Hourly: number %(number)d of %(count)d."),
    retention.Period.DAILY: _("Daily: number %(number)d of %(count)d."),
    retention.Period.WEEKLY: _("Weekly: number %(number)d of %(count)d."),
    retention.Period.MONTHLY: _("Monthly: number %(number)d of %(count)d."),
    retention.Period.YEARLY: _("Yearly: number %(number)d of %(count)d."),
}
_REPLACED = {
    retention.Period.HOURLY: _('"%(name)s" is kept for that hour.'),
    retention.Period.DAILY: _('"%(name)s" is kept for that day.'),
    retention.Period.WEEKLY: _('"%(name)s" is kept for that week.'),
    retention.Period.MONTHLY: _('"%(name)s" is kept for that month.'),
    retention.Period.YEARLY: _('"%(name)s" is kept for that year.'),
}
_HOLDS = {
    retention.Hold.UNCERTAIN: _(
        "It is not certain that it is a snapshot of this instance. It does "
        "not count."),
    retention.Hold.PROTECTED: _("It is protected. It does not count."),
    retention.Hold.UNFINISHED: _(
        "It is being created or deleted. It does not count."),
    retention.Hold.UNKNOWN: _(
        "It is not known whether it is complete. It does not count."),
    retention.Hold.FUTURE: _(
        "Its creation time lies in the future. It does not count."),
}
_IN_USE = _("An instance is going back to it or switching over just now.")
_OTHERS = {
    retention.Reason.NO_RULES: _("All numbers are 0, so all are kept."),
    retention.Reason.NO_NEWER_GOOD: _(
        "It failed, and no newer one that counts is complete."),
    retention.Reason.FAILED: _("It failed, and a newer one is complete."),
    retention.Reason.BEYOND: _("It is older than what these numbers keep."),
}


def reason(verdict: retention.Verdict, rules: retention.Rules) -> str:
    """Why a snapshot is kept or deleted, as a sentence."""
    if verdict.reason is retention.Reason.RULE and verdict.period:
        return _RULES[verdict.period] % {
            'number': verdict.number, 'count': rules.count(verdict.period)}
    if verdict.reason is retention.Reason.REPLACED and verdict.period and (
            verdict.by):
        return _REPLACED[verdict.period] % {
            'name': _name(verdict.by)}
    if verdict.reason is retention.Reason.HELD and verdict.copy.hold:
        return _hold(verdict.copy, verdict.copy.hold)
    return _OTHERS[verdict.reason]


#: Which quota has no room for what will be there.
_ROOM = {
    **create_wording.VOLUME_QUOTAS,
    obstacles.Code.QUOTA_IMAGES: _(
        "Not enough quota for images: needed %(needed)d, left %(left)d of "
        "%(limit)d."),
    obstacles.Code.QUOTA_IMAGE_SIZE: _(
        "Not enough quota for image storage: needed %(needed)d MiB, left "
        "%(left)d of %(limit)d MiB."),
}


def more(count: int) -> str:
    """That there are more to delete than fit on one page."""
    return ngettext(
        "There is %d more. Thin out again for it.",
        "There are %d more. Thin out again for them.", count) % count


def needed_now(rows: Sequence[model.Snapshot]) -> str:
    """What is kept after all, for something has changed meanwhile."""
    return ngettext(
        "Kept, because it is needed by now: %s. Snapshots have changed since "
        "the review.",
        "Kept, because they are needed by now: %s. Snapshots have changed "
        "since the review.", len(rows)) % wording.names(rows)


def obstacle(found: obstacles.Obstacle) -> str:
    """Which quota has no room, and by how much."""
    return str(_ROOM[found.code] % found.facts)


def _hold(copy: retention.Copy, hold: retention.Hold) -> str:
    entry: deletion.Entry = copy.thing
    if hold is retention.Hold.WANTED:
        return _("It is to be kept until %(day)s.") % {
            'day': formats.date_format(entry.snapshot.expires)}
    if hold is not retention.Hold.BLOCKED:
        return _HOLDS[hold]
    if entry.hindrance:
        return delete_wording.HINDRANCES[entry.hindrance]
    return str(_IN_USE)


def _name(copy: retention.Copy) -> str:
    row: model.Snapshot = copy.thing.snapshot
    return row.name or row.id
