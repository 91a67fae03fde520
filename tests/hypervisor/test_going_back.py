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

"""Real guests go back to a snapshot after what stands for an upgrade that
failed, and from there to what was saved first; the worker sees it through.
"""

import re

import pytest

from snapshot_dashboard.restores import restoring
from snapshot_dashboard.runs import record
from tests.bench import pages
from tests.hypervisor import lab as labs
from tests.scenario.waiting import until


def found(guest):
    """How many records it found on its disk at each of its boots."""
    return [int(number) for number in re.findall(
        r'^found (\d+) records\r?$', guest.console, re.MULTILINE)]


def go_back(lab, guest, image_id):
    """Let it go back; what came of it, and what it found when it booted."""
    answer = lab.page.post(f'{pages.PANEL}instance-{image_id}/go-back/', [
        ('safety', 'on'), ('run_again', 'on'),
        ('confirm', guest.server.name)])
    assert 'form-group' not in answer.text, answer.text
    assert record.is_being_restored(guest.server), answer.text

    def over():
        server = guest.server
        now = restoring.of_server(lab.alice, server)
        return now if now and not now.open else None
    gone = until(over, 'it has gone back', labs.TAKEN)
    assert not gone.progress.failure, gone.progress
    guest.hear_again()
    return gone


@pytest.mark.parametrize('flavor', ['plain', 'volume-backed'])
def test_a_guest_has_what_it_had_then_and_what_it_had_last_again(
        lab, boot, flavor):
    guest = boot(flavor=flavor)
    known = guest.server
    taken = guest.take()
    guest.hear_again()
    at_snapshot = found(guest)[-1]
    assert at_snapshot >= 20
    until(lambda: guest.synced >= 40, 'it has written more', labs.BOOT)
    gone = go_back(lab, guest, taken.image.id)
    assert found(guest)[-1] == at_snapshot
    assert guest.server.volume_ids == known.volume_ids
    go_back(lab, guest, gone.progress.safety_id)
    assert found(guest)[-1] >= at_snapshot + 40
    assert guest.server.status == 'ACTIVE'
