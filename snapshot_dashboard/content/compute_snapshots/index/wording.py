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

from django.utils.translation import gettext_lazy as _

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.snapshots.listing import queries
from snapshot_dashboard.snapshots.listing import streams

MISSING = {
    'compute': _("The snapshots under way are not shown."),
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
    queries.State.MOVING: _("Under way"),
    queries.State.FAILED: _("Failed"),
    queries.State.DELETING: _("Being deleted"),
    queries.State.DEACTIVATED: _("Deactivated"),
}
SORTS = {
    queries.Sort.NEWEST: _("Newest first"),
    queries.Sort.OLDEST: _("Oldest first"),
    queries.Sort.NAME: _("By name"),
}
ALPHABETS = {
    streams.Alphabet.CAPITALS: _(
        "The services of this cloud sort capital letters before small ones."),
    streams.Alphabet.OWN: _(
        "The services of this cloud sort names each in its own way, so the "
        "two kinds are mixed roughly."),
}


def filter_notes(asked: queries.Query,
                 alphabet: streams.Alphabet) -> list[str]:
    """What the services cannot find by a filter, or sort."""
    notes = [ALPHABETS[alphabet]] if alphabet in ALPHABETS else []
    if asked.instance_id:
        notes.append(_(
            "Only snapshots that say which instance they are of are found. "
            "Those of instances whose disks are volumes do so only where "
            "this panel made them."))
    if asked.state is queries.State.FAILED:
        notes.append(_(
            "An instance snapshot is found here when one of its volume "
            "snapshots failed, but not when one was deleted."))
    if asked.since and asked.sort is not queries.Sort.NEWEST:
        notes.append(_("With a date the newest are always first."))
    return [str(note) for note in notes]


def problem(error: errors.ServiceError) -> str:
    """One notice about a service that did not give its part of the list."""
    return f'{MISSING[error.service]} {wording.reason(error)}'


def vague(error: errors.ServiceError) -> str:
    """One notice about a service that did not tell more of what is shown."""
    return f'{VAGUE[error.service]} {wording.reason(error)}'
