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

"""The words of boot tests."""

from django.utils.translation import gettext_lazy as _

from snapshot_dashboard.boot_tests import boot_test
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.inspection import console

VERDICTS = {
    console.Verdict.BOOTED: _(
        "Boots: an instance of it came up by itself."),
    console.Verdict.REPAIRED: _(
        "Boots, after a check has repaired its file systems. Look for files "
        "in lost+found before you rely on it."),
    console.Verdict.PANICKED: _(
        "Does not boot: the kernel of the test instance panicked. If the "
        "flavor of the test was small, memory may have been the cause."),
    console.Verdict.STUCK: _(
        "Does not boot by itself: the test instance waited for somebody at "
        "its console, or found nothing to boot from."),
    console.Verdict.UNFINISHED: _(
        "Unknown: the test instance wrote to its console, but no login prompt "
        "appeared there in time, or before it switched itself off. It may be "
        "slow, or show its prompt elsewhere."),
    console.Verdict.SILENT: _(
        "Unknown: the test instance wrote nothing to its console. Its image "
        "may not use the serial console."),
    console.Verdict.NOT_LAUNCHED: _(
        "Unknown: Nova did not launch the test instance. If volumes were "
        "created for it, one without a name may be left under Volumes."),
    console.Verdict.UNKNOWN: _(
        "Unknown: the console of the test instance could not be read, or the "
        "instance failed."),
}


def now(test: boot_test.BootTest) -> str:
    """What a test is at."""
    if test.verdict or test.going:
        return _("Removing the test instance")
    if not test.server.launched:
        return _("Launching the test instance")
    return _("Waiting for it to boot")


def trouble(error: errors.ServiceError) -> str:
    """What is in the way of a test, which goes on."""
    return _("The boot test could not be continued, and is tried again. Error "
             "from %(service)s: %(detail)s") % wording.said(error)


def not_begun(error: errors.ServiceError) -> str:
    return _("No test was started, as far as is known. Error from "
             "%(service)s: %(detail)s") % wording.said(error)


def not_removed(error: errors.ServiceError) -> str:
    return _("The test instance could not be removed. Delete it under Compute "
             "> Instances if it stays. Error from %(service)s: %(detail)s"
             ) % wording.said(error)
