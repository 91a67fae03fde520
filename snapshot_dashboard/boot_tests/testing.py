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

"""The life of a boot test: begin, watch, note, remove.

An instance without networks boots from the snapshot; its console tells how
that goes. ``find_verdict`` decides, purely; who calls ``advance``, and how
often, does not matter. These promises hold, whatever fails between:

1. The instance, and what was made for it, goes: after a verdict, after a time
   limit, or when it could not be launched.
2. The verdict stands on the snapshot before the instance goes, unless the
   snapshot is gone or takes no note.
3. No instance is removed that is not known to have been made for a test.
"""

from collections.abc import Callable
from collections.abc import Iterable
import contextlib
import dataclasses
import functools
import logging
import time
import uuid

from snapshot_dashboard.boot_tests import boot_test
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import identity
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import texts
from snapshot_dashboard.cloud import types
from snapshot_dashboard.inspection import boot_reports
from snapshot_dashboard.inspection import console
from snapshot_dashboard.runs import delegate
from snapshot_dashboard.runs import record
from snapshot_dashboard.runs import seals
from snapshot_dashboard.snapshots import details
from snapshot_dashboard.snapshots import launch

LOG = logging.getLogger(__name__)
#: Seconds that Nova may take to launch it.
LAUNCH_WITHIN = 1800
#: Seconds that a console, and Glance, may take to be there again.
PATIENCE = 3600
#: What Nova answers where the host keeps no consoles.
_NO_CONSOLE = 501
#: Memory that any guest of today needs to boot, in MiB.
_RAM = 512
#: Tests of a project that are looked for.
_MOST = 100
Clock = Callable[[], float]


class Busy(Exception):
    """The snapshot is being tested already."""


def find_verdict(test: boot_test.BootTest, said: str | None,
                 now: int) -> console.Verdict | None:
    """What came of a test; None while that is not known.

    :param said: on the console by now; None where that is not known.
    :param now: in seconds since the epoch.
    """
    server = test.server
    if server.status == 'ERROR':
        return (console.Verdict.UNKNOWN if server.launched
                else console.Verdict.NOT_LAUNCHED)
    if not server.launched:
        late = now - test.plan.began_at >= LAUNCH_WITHIN
        return console.Verdict.NOT_LAUNCHED if late else None
    verdict = console.judge(said or '')
    over = server.status == 'SHUTOFF' and said is not None
    if verdict or not (over or now - server.launched >= test.plan.seconds):
        return verdict
    if said is None:
        return console.Verdict.UNKNOWN
    return (console.Verdict.UNFINISHED if said.strip()
            else console.Verdict.SILENT)


def smallest_flavor(found: details.Details,
                    options: launch.Options) -> types.Flavor | None:
    """The smallest flavor that it boots with; None if there is none.

    It has as much memory as the original, if that is known: what a guest
    reserves for itself does not grow less. Nova lets members launch from an
    image only with a flavor that has a disk.
    """
    original = options.flavor(found.recipe.flavor) if found.recipe else None
    least = original.ram_mib if original else _RAM
    fit = [flavor for flavor in options.flavors
           if (flavor.disk_gib or found.snapshot.volume_backed)
           and not launch.obstacles(found, options, flavor, with_parts=True)]
    return min(fit, key=lambda flavor: (
        flavor.ram_mib < least, flavor.ram_mib, flavor.cores, flavor.disk_gib),
        default=None)


def begin(cloud: services.Cloud, found: details.Details,
          flavor: types.Flavor, seconds: int, requested_by: str,
          name: str, seal: seals.Seal,
          worker: delegate.Delegation | None = None,
          clock: Clock = time.time) -> bool:
    """Launch the instance of a test.

    :param seconds: for which it is waited for once it runs.
    :param name: of the instance.
    :param worker: who goes on with it when the page is closed.
    :returns: whether it was handed on to that.
    :raises Busy: when the snapshot is being tested.
    :raises ServiceError: when it was not launched, as far as is known. If it
        was, the list of tests shows it.
    """
    snapshot = found.snapshot
    if any(test.plan.image_id == snapshot.id and approves(seal, test)
           for test in find(cloud)):
        raise Busy(snapshot.id)
    plan = boot_test.as_recorded(boot_test.Plan(
        uuid.uuid4().hex, snapshot.id, found.boots_from, int(clock()),
        seconds, requested_by, snapshot.volume_backed))
    parts = sorted(snapshot.parts, key=lambda part: not part.boot)
    server_id = cloud.compute.create_isolated(
        texts.usable(name[:texts.NAME_LENGTH]) or snapshot.id,
        None if snapshot.volume_backed else snapshot.id,
        [part.id for part in parts], flavor.id,
        boot_test.write(plan, seal.of(plan.fingerprint)), record.TEST_TAG)
    if worker is None:
        return False
    try:
        delegate.trust(cloud, worker, clock, identity.Errand(
            plan.run_id, server_id, plan.fingerprint))
    except errors.ServiceError as error:
        LOG.info('Handing boot test %s over to the worker failed: %s',
                 plan.run_id, error)
        return False
    return True


def find(cloud: services.Cloud) -> list[boot_test.BootTest]:
    """The tests of the project that are under way, the latest first."""
    servers, _ = cloud.compute.tagged(_MOST, record.TEST_TAG)
    return boot_test.read_all(servers)


def approves(seal: seals.Seal, test: boot_test.BootTest) -> bool:
    """Whether this Horizon wrote the record for just this instance."""
    return seal.holds(test.plan.fingerprint, test.seal) and test.plausible


def advance_all(cloud: services.Cloud, tests: Iterable[boot_test.BootTest],
                seal: seals.Seal, clock: Clock = time.time
                ) -> tuple[list[boot_test.BootTest],
                           list[errors.ServiceError]]:
    """Do the next thing for each test that this Horizon began.

    :returns: the tests that are still under way, and what was in the way.
    """
    there = list(tests)
    answers = cloud.gather(*(
        functools.partial(advance, cloud, test, clock) if approves(seal, test)
        else functools.partial(_left_alone, test) for test in there))
    left = [test if isinstance(answer, errors.ServiceError) else answer
            for test, answer in zip(there, answers, strict=True)]
    return ([test for test in left if test is not None],
            errors.among(answers))


def _left_alone(test: boot_test.BootTest) -> boot_test.BootTest:
    return test


def advance(cloud: services.Cloud, test: boot_test.BootTest,
            clock: Clock = time.time) -> boot_test.BootTest | None:
    """Do the next thing for a test that is known to be one.

    :returns: the test as it is then; None when its instance is being removed.
    :raises ServiceError: when that did not work; it can be tried again.
    """
    if test.going:
        return None
    now, verdict = int(clock()), test.verdict
    if verdict is None:
        verdict = find_verdict(test, _console(cloud, test, now), now)
        if verdict is None:
            return test
        LOG.info('Boot test %s of image %s: %s %s', test.plan.run_id,
                 test.plan.image_id, verdict.value,
                 errors.words(test.server.fault),
                 extra=test.log_fields)
        # Noted before anything follows from it, for a console goes on. Nova
        # takes no note of what was not launched, but that is so for good.
        with contextlib.suppress(errors.Conflict, errors.Forbidden,
                                 errors.Refused):
            cloud.compute.set_metadata(
                test.server.id, boot_test.write_verdict(verdict, now))
        test = dataclasses.replace(test, verdict=verdict, found_at=now)
    _note_on_snapshot(cloud, test, verdict, now)
    cloud.compute.delete_server(test.server.id)
    return None


def _console(cloud: services.Cloud, test: boot_test.BootTest,
             now: int) -> str | None:
    """What the guest has said; None where that is not to be had.

    :raises ServiceError: where it may be had later.
    """
    if not test.server.launched or test.server.status == 'ERROR':
        return None
    try:
        return cloud.compute.console(test.server.id)
    except (errors.Unavailable, errors.Unauthorized) as error:
        late = now - test.server.launched >= test.plan.seconds + PATIENCE
        if error.status == _NO_CONSOLE or late:
            return None
        raise
    except errors.ServiceError:
        return None


def _note_on_snapshot(cloud: services.Cloud, test: boot_test.BootTest,
                      verdict: console.Verdict, now: int) -> None:
    try:
        there = boot_reports.read(cloud.images.image(test.plan.image_id))
        cloud.images.set_properties(test.plan.image_id, boot_reports.write(
            verdict, test.found_at, test.plan.of, there))
    except errors.ServiceError as error:
        later = isinstance(error, (errors.Unavailable, errors.Unauthorized))
        # Of what was not launched it is not known when that was found out.
        since = (test.found_at if test.server.launched
                 else test.plan.began_at + LAUNCH_WITHIN)
        if later and now - since < PATIENCE:
            raise
        LOG.warning('Boot test %s: its verdict, %s, could not be noted on '
                    'image %s: %s', test.plan.run_id, verdict.value,
                    test.plan.image_id, error, extra=test.log_fields)
