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

"""What is said about deleting."""

from collections.abc import Iterable
from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.snapshots import deletion
from snapshot_dashboard.snapshots import model


def not_offered(error: errors.ServiceError) -> str:
    """Why older snapshots are not offered for deletion."""
    return _("Older snapshots cannot be deleted now, because it is not known "
             "which ones are the newest. Try again later. Error from "
             "%(service)s: %(detail)s") % wording.said(error)


def unsure(rows: Sequence[model.Snapshot]) -> str:
    """What is left alone, for it is not certain of what it was taken."""
    return str(ngettext(
        "Kept, because it is not certain that it is a snapshot of this "
        "instance: %s.",
        "Kept, because it is not certain that they are snapshots of this "
        "instance: %s.",
        len(rows)) % wording.names(rows))


#: Why a snapshot is not deleted.
HINDRANCES = {
    deletion.Hindrance.FORBIDDEN: _("You are not allowed to delete it."),
    deletion.Hindrance.FOREIGN: _("It belongs to another project."),
    deletion.Hindrance.PROTECTED: _(
        "It is protected. Unprotect it first (Edit Snapshot)."),
    deletion.Hindrance.OWNER_PROTECTED: _(
        "It is part of a protected instance snapshot. Unprotect that one "
        "first (Edit Snapshot)."),
    deletion.Hindrance.GROUP: _(
        "It belongs to a group snapshot. Delete the group snapshot under "
        "Volumes > Group Snapshots."),
    deletion.Hindrance.DELETING: _("It is already being deleted."),
    deletion.Hindrance.BACKUP: _(
        "A backup of it is being made or restored. Wait until that is "
        "finished."),
    deletion.Hindrance.PARTS_UNKNOWN: _(
        "Not all of its volume snapshots could be found: the volume service "
        "(Cinder) did not list all of them, or there are too many. Try again "
        "later."),
    deletion.Hindrance.NEEDS_UNKNOWN: _(
        "It is not known which instance snapshots need it or a part of it. "
        "Try again later."),
    deletion.Hindrance.NEEDED: _(
        "An instance snapshot needs it, and you have not confirmed that it "
        "may be left incomplete."),
}


def kept(row: model.Snapshot, answer: deletion.Outcome) -> str:
    """What could not be deleted of a snapshot, and why.

    :param answer: what came of it, as ``deletion.carry_out`` tells.
    """
    name = row.name or row.id
    if isinstance(answer, deletion.Hindrance):
        return _("\"%(name)s\" was not deleted. %(reason)s") % {
            'name': name, 'reason': HINDRANCES[answer]}
    if isinstance(answer, errors.ServiceError):
        return _('"%(name)s" was not deleted. Error from %(service)s: '
                 "%(detail)s") % {'name': name, **wording.said(answer)}
    return ngettext(
        'The image of "%(name)s" was deleted, but %(count)d of its volume '
        "snapshots was not, and is now in the list: %(parts)s. Try to delete "
        "it there.",
        'The image of "%(name)s" was deleted, but %(count)d of its volume '
        "snapshots were not, and are now in the list: %(parts)s. Try to "
        "delete them there.",
        len(answer)) % {
            'name': name, 'count': len(answer),
            'parts': ', '.join(part.name or part.id
                               for part, _error in answer)}


def not_found_out(lost: Iterable[errors.ServiceError]) -> list[str]:
    """What is said of snapshots that could not be looked at."""
    return [str(_("Some of the snapshots could not be loaded, and are left "
                  "unchanged. %s") % wording.reason(error))
            for error in errors.deduplicate_by_service(lost)]
