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
        "which stay in their project, so nobody else could launch it. Take "
        "it along instead: its page shows the commands."),
    sharing.Refusal.OPEN: _(
        "Every project of this cloud can use this snapshot already."),
    sharing.Refusal.UNFINISHED: _(
        "This snapshot is not finished, so it cannot be shared yet."),
}


STATUSES = {
    'pending': _("has not answered yet"),
    'accepted': _("has accepted"),
    'rejected': _("has rejected it"),
}
ANSWERED = {
    'accepted': _("\"%s\" is in the list now, and can be launched."),
    'rejected': _("\"%s\" was declined, and is not in the list."),
}
