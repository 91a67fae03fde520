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

"""For how long a snapshot takes an instance away.

Our run, brought forward by an open page in a real Chromium or by a worker,
against a tight script that does the same by hand: all in turns, on the same
instance. Nova itself says when the instance went off and when it ran again.
"""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import datetime
import statistics
import time
from typing import Any

from snapshot_dashboard import marks
from snapshot_dashboard import settings
from snapshot_dashboard.runs import delegate
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import record
from tests.bench import pages
from tests.bench import report
from tests.browser import screens
from tests.cloud import knobs
from tests.cloud import launcher
from tests.cloud import machine
from tests.cloud import site
from tests.hypervisor import lab as labs
from tests.scenario import clouds

ROUNDS = 7
#: With real guests, each of which takes longer.
GUEST_ROUNDS = 5
#: Seconds that the upload takes beside what it takes anyway.
UPLOAD = 3.0
_SCRIPT_POLL = 0.2
#: Seconds between two looks of ours at what a worker does, which cost it time.
_SELDOM = 1.0
#: The page looks twice as often while an instance is away.
_POLL_INTERVAL = settings.DEFAULTS['POLL_INTERVAL']
#: Takes a snapshot of a server, which has been off for that in the end.
_Take = Callable[[clouds.Cloud, Any], None]


def measure(where: site.Site, say: launcher.Say) -> None:
    """Measure, and write the table into the documentation."""
    launcher.dashboard_up(where, say)
    alice = clouds.connect(where, 'alice')
    box = knobs.Knobs(where.knobs)

    def compare(name: str, take: _Take) -> tuple[list[float], list[float]]:
        """Seconds away by the script and by one of ours, in turns.

        Not all three in turns: what a turn finds warm depends on how much
        time the one before it took.
        """
        times: dict[str, list[float]] = {'script': [], name: []}
        for _ in range(ROUNDS):
            for who, turn in (('script', _by_script), (name, take)):
                server = alice.find('web-1')
                turn(alice, server)
                times[who].append(_away(alice, server))
                say(f'{who}: {times[who][-1]:.2f} s')
        return times['script'], times[name]

    with box.turned('server.upload', seconds=UPLOAD):
        with _page(where) as look:
            beside_page, page = compare(
                'page', lambda *args: _by_page(look, *args))
        launcher.worker_up(where, say)
        beside_worker, worker = compare(
            'worker', lambda *args: _by_worker(where, *args))
    longer = statistics.median(page) - statistics.median(beside_page)
    factor = statistics.median(worker) / statistics.median(beside_worker)
    report.write('downtime', report.table(
        ('', 'median', 'least', 'most'), [
            (label, *(f'{value:.2f} s' for value in (
                statistics.median(times), min(times), max(times))))
            for label, times in (
                (f'Script, polls every {_SCRIPT_POLL} s', beside_page),
                (f'Open page, POLL_INTERVAL {_POLL_INTERVAL} s', page),
                ('Script again', beside_worker),
                ('Worker, nobody looks', worker))])
        + f'\nThe page takes {longer:.2f} s longer than the script in turn '
          f'with it, or {longer / _POLL_INTERVAL:.1f} poll intervals; the '
          f'worker takes {factor:.2f} times as long. Medians of {ROUNDS} '
          f'rounds each, with an upload of {UPLOAD:.0f} s.\n')


def measure_guests(say: launcher.Say) -> None:
    """The same with a real guest, by the wizard and a worker.

    What the wizard says of how long the saving will take is held against how
    long it took.

    :raises CloudError: where there can be no real guests.
    """
    lacking = machine.get_ready_for_guests()
    if lacking:
        raise site.CloudError(f'There can be no real guests here: {lacking}.')
    times: dict[str, list[float]] = {'script': [], 'worker': []}
    expected, took = [], []
    with labs.opened('bench-guests', say) as lab:
        guest = lab.boot()
        for _ in range(GUEST_ROUNDS):
            _by_script(lab.alice, guest.server)
            times['script'].append(_away(lab.alice, guest.server))
            guest.hear_again()
            run = guest.take().run
            times['worker'].append(_away(lab.alice, guest.server))
            guest.hear_again()
            if run.plan.expected_seconds:
                expected.append(run.plan.expected_seconds)
                took.append(run.progress.captured_at
                            - run.progress.first_capture_at)
            say(f'script {times["script"][-1]:.2f} s, '
                f'worker {times["worker"][-1]:.2f} s')
    factor = (statistics.median(times['worker'])
              / statistics.median(times['script']))
    report.write('guests', report.table(
        ('', 'median', 'least', 'most'), [
            (label, *(f'{value:.2f} s' for value in (
                statistics.median(found), min(found), max(found))))
            for label, found in (
                (f'Script, polls every {_SCRIPT_POLL} s', times['script']),
                ('Wizard and worker', times['worker']))])
        + f'\nThe worker takes {factor:.2f} times as long. Medians of '
          f'{GUEST_ROUNDS} rounds each. The wizard expected the saving to '
          f'take {_range(expected)} s from earlier snapshots, and it took '
          f'{_range(took)} s.\n')


def _range(seconds: list[int]) -> str:
    return (f'{min(seconds)}' if min(seconds) == max(seconds)
            else f'{min(seconds)} to {max(seconds)}')


def _by_script(alice: clouds.Cloud, server) -> None:
    """What a careful person would write."""
    def until(condition: Callable[[], bool]) -> None:
        while not condition():
            time.sleep(_SCRIPT_POLL)

    def now():
        return alice.compute.server(server.id)
    alice.compute.stop(server.id)
    until(lambda: now().status == 'SHUTOFF')
    image_id = alice.compute.create_image(
        server.id, clouds.unique('by-script'), {})
    until(lambda: not now().task_state)
    alice.compute.start(server.id)
    until(lambda: now().status == 'ACTIVE')
    alice.images.delete(image_id)


def _by_page(look: Callable[[], None], alice: clouds.Cloud,
             server) -> None:
    """The run's first steps are the wizard's; the page takes the others."""
    run = alice.begin(server, clouds.unique('by-page'))
    look()
    _delete_image(alice, run)


def _by_worker(where: site.Site, alice: clouds.Cloud, server) -> None:
    """The wizard begins it and hands it on; then nobody looks."""
    begun = delegate.hand_on(
        alice, alice.begin(server, clouds.unique('by-worker')),
        delegate.Delegation(where.worker_user.read_text(), alice.user_id,
                            'member', 3600))

    def is_over() -> bool:
        there = journal.read(alice.compute.server(server.id))
        return there is not None and not there.open
    while not is_over():
        time.sleep(_SELDOM)
    lifecycle.dismiss(alice, server.id)
    _delete_image(alice, begun)


def _delete_image(alice: clouds.Cloud, run: record.Run) -> None:
    (image,) = alice.images.images(5, {marks.RUN: run.plan.run_id})
    alice.images.delete(image.id)


@contextlib.contextmanager
def _page(where: site.Site) -> Iterator[Callable[[], None]]:
    """An open page; calling it opens it anew, until its run is over."""
    with screens.chromium() as browser:
        screen = screens.Screen(browser.new_page(), where.url('horizon'))
        screen.sign_in('alice')

        def look() -> None:
            screen.page.goto(where.url('horizon') + pages.PANEL)
            screen.page.get_by_role('button', name='Dismiss').wait_for()
            screen.dismiss_all()
        yield look


def _away(alice: clouds.Cloud, server) -> float:
    """Seconds between the ends of the last stop and of the last start."""
    nova = alice.nova
    ends = {}
    for action in nova.instance_action.list(server.id, limit=6):
        events = nova.instance_action.get(
            server.id, action.request_id).events
        if events:
            ends.setdefault(action.action, datetime.datetime.fromisoformat(
                events[0]['finish_time']))
    return (ends['start'] - ends['stop']).total_seconds()
