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

"""What is said about sharing."""

from django.utils.translation import gettext_lazy as _

from snapshot_dashboard.snapshots import sharing

UNSHARABLE = {
    sharing.Refusal.SET: _(
        "This snapshot cannot be shared: its disks are volume snapshots, "
        "which cannot leave this project. Export it instead: its page shows "
        "the commands."),
    sharing.Refusal.OPEN: _(
        "Every project in this cloud can already use this snapshot."),
    sharing.Refusal.UNFINISHED: _(
        "This snapshot is not finished, so it cannot be shared yet."),
}


STATUSES = {
    'pending': _("not accepted yet"),
    'accepted': _("accepted"),
    'rejected': _("declined"),
}
ANSWERED = {
    'accepted': _('"%s" is now in the list and can be launched.'),
    'rejected': _('"%s" was declined, and is not in the list.'),
}
