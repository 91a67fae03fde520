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

"""What is said above the list."""

import datetime
from typing import Any

from django.utils import formats
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots.listing import queries
from snapshot_dashboard.snapshots.listing import streams

MISSING = {
    'compute': _("Snapshots in progress are not shown."),
    'image': _("Instance snapshots are missing from this list."),
    'volume': _("Volume snapshots are missing from this list."),
}
VAGUE = {
    'compute': _("The names of some instances are not shown."),
    'image': _("Some details of instance snapshots are not shown."),
    'volume': _("The names and states of some volumes and their snapshots "
                "are not shown."),
}
STATES = {
    queries.State.READY: _("Finished"),
    queries.State.MOVING: _("In progress"),
    queries.State.FAILED: _("Failed"),
    queries.State.DELETING: _("Being deleted"),
    queries.State.DEACTIVATED: _("Deactivated"),
}
ALPHABETS = {
    streams.Alphabet.CAPITALS: _(
        "This cloud sorts uppercase letters before lowercase ones."),
    streams.Alphabet.OWN: _(
        "The services of this cloud sort names differently, so the order of "
        "the two kinds is only approximate."),
}


def uncovered(count: int, since: datetime.datetime) -> str:
    """How many instances have no snapshot since then."""
    return ngettext(
        "%(count)d instance without a snapshot since %(day)s",
        "%(count)d instances without a snapshot since %(day)s",
        count) % {'count': count, 'day': formats.date_format(
            timezone.localtime(since))}


def chip(field: Any, value: Any, source_name: str, exact: bool) -> str:
    """What one filter asks for.

    :param field: the bound field of the filter.
    :param source_name: of the instance or volume, if it is known.
    :param exact: whether the name is a whole one.
    """
    if field.name in ('instance', 'volume'):
        label, text = SOURCES[field.name], source_name or str(value)
    elif field.name == 'name':
        label, text = _("Exact name") if exact else _("Name or ID"), value
    elif field.name in ('expired', 'launchable'):
        return str(field.label)
    elif field.name == 'since':
        label, text = field.label, formats.date_format(value, 'DATE_FORMAT')
    else:
        label, text = field.label, dict(field.field.choices)[value]
    return _("%(filter)s: %(value)s") % {'filter': label, 'value': text}


SOURCES = {'instance': _("Instance"), 'volume': _("Volume")}


def searched(last: kinds.Entry | None, order: queries.Sort) -> str:
    """How far something was looked for, where it goes on; else empty.

    :param last: what was looked at last.
    """
    if last is None:
        return ''
    if order is queries.Sort.NAME:
        return _("Names after “%s” were not searched yet.") % (
            last.name or last.id)
    moment = formats.date_format(timezone.localtime(last.created),
                                 'DATETIME_FORMAT')
    text = (_("Snapshots from before %s were not searched yet.")
            if order is queries.Sort.NEWEST else
            _("Snapshots from after %s were not searched yet."))
    return text % moment


def filter_notes(asked: queries.Query, alphabet: streams.Alphabet,
                 vague_boot: bool) -> list[str]:
    """What the services cannot find by a filter, or sort.

    :param vague_boot: whether not all bootable volumes are known.
    """
    notes = [ALPHABETS[alphabet]] if alphabet in ALPHABETS else []
    if vague_boot:
        notes.append(_("Only the newest bootable volumes were checked, so "
                       "snapshots of others are missing."))
    if asked.instance_id:
        notes.append(_(
            "This finds only snapshots that record their instance. Snapshots "
            "of volume-backed instances do so only if this panel took them."))
    if asked.launchable:
        notes.append(_(
            "This may find incomplete snapshots, which cannot be launched: "
            "see the statuses."))
    if asked.state is queries.State.FAILED:
        notes.append(_(
            "This finds instance snapshots with a failed volume snapshot, but "
            "not those with a deleted one."))
    if asked.since and asked.sort is not queries.Sort.NEWEST:
        notes.append(_("If you filter by date, the newest snapshots are "
                       "always listed first."))
    return [str(note) for note in notes]


def problem(error: errors.ServiceError) -> str:
    """One notice about a service that did not give its part of the list."""
    return f'{MISSING[error.service]} {wording.reason(error)}'


def vague(error: errors.ServiceError) -> str:
    """One notice about a service that did not tell more of what is shown."""
    return f'{VAGUE[error.service]} {wording.reason(error)}'
