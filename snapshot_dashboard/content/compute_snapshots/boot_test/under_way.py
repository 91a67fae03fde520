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

"""How boot tests that are under way are shown."""

from collections.abc import Iterable
import time
from typing import Any

from django.http import HttpRequest

from snapshot_dashboard.boot_tests import boot_test
from snapshot_dashboard.boot_tests import testing
from snapshot_dashboard.content.compute_snapshots import cells
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots import permissions
from snapshot_dashboard.content.compute_snapshots.boot_test import (
    wording as boot_test_wording,
)
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model


def context(request: HttpRequest,
            tests: Iterable[boot_test.BootTest]) -> dict[str, Any]:
    """The template context of tests, as they are."""
    return {'tests': [_shown(test) for test in tests],
            'may_remove_tests': permissions.can_remove_tests(request)}


def _shown(test: boot_test.BootTest) -> dict[str, Any]:
    elapsed = max(0, int(time.time()) - test.plan.began_at)
    return {
        'test': test,
        'row_id': model.row_id(kinds.Kind.INSTANCE, test.plan.image_id),
        'now': boot_test_wording.now(test),
        'elapsed': cells.duration_text(elapsed),
        'sealed': testing.approves(connect.seal(), test)}
