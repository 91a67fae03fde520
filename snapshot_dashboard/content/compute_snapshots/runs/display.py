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

"""The runs above the list, as the page shows them."""

from collections.abc import Iterable
from collections.abc import Mapping
import dataclasses
import functools
import time
from typing import Any

from django.http import HttpRequest

from snapshot_dashboard import settings
from snapshot_dashboard.boot_tests import boot_test
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.cloud import types
from snapshot_dashboard.content.compute_snapshots import cells
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots import permissions
from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.content.compute_snapshots.boot_test import under_way
from snapshot_dashboard.content.compute_snapshots.go_back import beginning
from snapshot_dashboard.content.compute_snapshots.go_back import cards
from snapshot_dashboard.content.compute_snapshots.runs import actions
from snapshot_dashboard.content.compute_snapshots.runs import (
    wording as runs_wording,
)
from snapshot_dashboard.content.compute_snapshots.switch_over import (
    switch_cards,
)
from snapshot_dashboard.restores import restore
from snapshot_dashboard.restores import restoring
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import observe
from snapshot_dashboard.runs import phases
from snapshot_dashboard.runs import record
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.switch_overs import switch_over
from snapshot_dashboard.switch_overs import switching

#: What the page shows beside runs, and brings forward like them.
_Other = restore.Restore | switch_over.SwitchOver
TEMPLATE = 'project/compute_snapshots/runs/_runs.html'
#: Seconds without a step after which nobody seems to look after a run.
_STALLED = 60
#: Seconds for which what went well is shown when it is over.
_SHOWN_FOR = 24 * 3600
_WATCHED = 20
#: Runs of which it is asked what they made, for their record does not say.
_ASKED = 10


@dataclasses.dataclass(frozen=True)
class Sight:
    """What is known of the runs of a project.

    :ivar gone: the ids and names of those whose server was deleted: their
        record went with it, so the page itself remembers them.
    :ivar problem: why they cannot be had; None if they can.
    :ivar restores: what puts instances back to snapshots, or did.
    :ivar switch_overs: what moves instances' addresses to others, or did.
    :ivar unread: why some of those cannot be had.
    """

    found: lifecycle.Found
    gone: tuple[tuple[str, str], ...] = ()
    problem: errors.ServiceError | None = None
    restores: tuple[restore.Restore, ...] = ()
    switch_overs: tuple[switch_over.SwitchOver, ...] = ()
    unread: tuple[errors.ServiceError, ...] = ()


def find(request: HttpRequest,
         answer: lifecycle.Found | errors.ServiceError | None = None,
         suspects: Iterable[str] = (),
         homes: Iterable[str] = ()) -> Sight:
    """The runs by their index, and those that it has lost.

    Others may have replaced the tags of a server. A page that shows its run
    remembers that, and an unfinished image tells of one, too.

    :param answer: what the index says, or why not, if that is known already.
    :param suspects: the ids of servers that may have a run.
    :param homes: the ids of images that may record a restore, or a
        switch-over.
    """
    cloud = connect.cloud(request)
    if answer is None:
        answer, = cloud.gather(lambda: lifecycle.list_runs(cloud))
    if isinstance(answer, errors.ServiceError):
        return Sight(lifecycle.Found(()), problem=answer)
    there = {run.server.id for run in answer.runs} | {
        server.id for server in answer.unreadable}
    watched = dict(text.partition(' ')[::2] for text in request.POST.getlist(
        'watched')[:_WATCHED])
    lost = [server_id for server_id in {
        **watched, **dict.fromkeys(suspects)} if server_id not in there]
    looked = cloud.gather_named({
        server_id: functools.partial(cloud.compute.server, server_id)
        for server_id in lost})
    again = [run for run in map(journal.read, (
        server for server in looked.values()
        if isinstance(server, types.Server))) if run is not None and run.open]
    restores, unread = restoring.find(cloud, answer.restored_servers)
    switch_overs, unknown = switching.find(
        cloud, answer.switched_servers, _but(homes, restores))
    answers = _more_restores(cloud, restores, request.POST.getlist(
        'restoring')[:_WATCHED], _but(homes, switch_overs))
    restores += [answer for answer in answers
                 if isinstance(answer, restore.Restore)]
    unread += [*errors.among(answers), *unknown]
    return Sight(
        dataclasses.replace(answer, runs=(*again, *answer.runs)),
        tuple((server_id, watched[server_id])
              for server_id, server in looked.items()
              if server_id in watched
              and isinstance(server, errors.NotFound)),
        restores=tuple(restores), switch_overs=tuple(switch_overs),
        unread=tuple(unread))


def _but(homes: Iterable[str], known: Iterable[_Other]) -> list[str]:
    """The images without those whose record is known."""
    there = {one.plan.home_id for one in known}
    return [home_id for home_id in homes if home_id not in there]


def _more_restores(cloud: services.Cloud, known: Iterable[restore.Restore],
                   watched: Iterable[str], homes: Iterable[str]) -> list[
                       restore.Restore | errors.ServiceError | None]:
    """Those to which no tag of an instance leads, or why they are not to be
    had.

    :param watched: the ids of images whose restores the page shows.
    :param homes: of those where the list tells of one.
    """
    there = {one.plan.home_id for one in known}
    ways = {**dict.fromkeys(homes, _abandoned),
            **dict.fromkeys(watched, _open_restore)}
    return cloud.gather(*(functools.partial(read, cloud, home_id)
                          for home_id, read in ways.items()
                          if home_id not in there))


def _open_restore(cloud: services.Cloud,
                  home_id: str) -> restore.Restore | None:
    found = restoring.read(cloud, None, home_id)
    return found if found is not None and found.open else None


def _abandoned(cloud: services.Cloud, home_id: str) -> restore.Restore | None:
    """A restore whose instance is gone.

    One that is there and has no tags is just being begun, or was not.
    """
    found = _open_restore(cloud, home_id)
    if found is not None and beginning.approves(found):
        try:
            cloud.compute.server(found.plan.server_id)
        except errors.NotFound:
            return found
    return None


def context(request: HttpRequest,
            troubles: Mapping[str, str] | None = None,
            answer: lifecycle.Found | errors.ServiceError | None = None,
            suspects: Iterable[str] = (),
            homes: Iterable[str] = (),
            sight: Sight | None = None) -> dict[str, Any]:
    """The template context of all runs, as they are.

    :param answer: the runs, or why they cannot be had, if known already.
    :param suspects: the ids of servers that may have one that is not found.
    :param homes: likewise, of images.
    :param troubles: by the server's id, what was in the way of the last step;
        under an empty id what concerns them all.
    :param sight: all of it, if it is known already.
    """
    troubles = dict(troubles or {})
    if sight is None:
        sight = find(request, answer, suspects, homes)
    if sight.problem is not None:
        troubles.setdefault('', runs_wording.trouble(sight.problem))
    for error in sight.unread:
        troubles.setdefault('', runs_wording.trouble(error))
    found, now = sight.found, int(time.time())
    others: list[_Other] = [*sight.restores, *sight.switch_overs]
    restored = {server.id: server for server in found.restored_servers}
    tests = boot_test.read_all(found.test_servers)
    # The card of the restore says that its safety snapshot was taken.
    said = {one.plan.safety_run for one in sight.restores if one.open}
    on_page = [run for run in found.runs if not is_no_news(run) and not (
        went_well(run) and run.plan.run_id in said)]
    images = _images(request, on_page)
    may_advance = permissions.can_advance(request)
    return {
        'runs': [_shown(request, run, now, images.get(run.plan.run_id),
                        troubles.get(run.server.id, '')) for run in on_page],
        'unreadable': [
            {'server': server,
             'buttons': actions.dismiss_button(request, server)}
            for server in found.unreadable],
        'gone': [{'id': server_id, 'name': name}
                 for server_id, name in sight.gone],
        'runs_open': bool(found.open or tests or sight.unread or any(
            one.open for one in others)),
        **switch_cards.context(request, sight.switch_overs, troubles),
        **cards.context(request, sight.restores, restored, troubles),
        **under_way.context(request, tests),
        'runs_more': found.more and any(not run.open for run in on_page),
        'may_dismiss_all': may_advance and len(
            [run for run in on_page if went_well(run)]) > 1,
        'runs_problem': troubles.get('', ''),
        'may_advance': may_advance,
        'handed_on': any(run.progress.trust_id for run in found.open) or any(
            one.open and one.progress.trust_id for one in others),
        'poll_interval_ms': _interval_ms(found.runs, others),
        # When this changes, the list below has changed too.
        'runs_state': ' '.join(
            f'{run.plan.run_id}:{run.progress.image_id}:'
            f'{run.progress.snapshot_count}:{run.progress.captured_at}:'
            f'{run.progress.ended_at}' for run in found.runs
        ) + cards.state(sight.restores) + switch_cards.state(
            sight.switch_overs),
    }


def went_well(run: record.Run) -> bool:
    """Whether a run is over, as its user wished, and nothing is to be done.
    """
    offers = run.progress.captured_at and run.plan.keep_count
    over = not run.open and (run.cancelled or not run.progress.failure)
    return over and not (offers or run.progress.leftover_ids
                         or runs_wording.unmarked(run)
                         or actions.is_left_off(run))


def is_no_news(run: record.Run) -> bool:
    """Whether a run went well so long ago that it is not shown any more."""
    return went_well(run) and (
        time.time() - run.progress.ended_at >= _SHOWN_FOR)


def _images(request: HttpRequest,
            found: Iterable[record.Run]) -> dict[str, types.Image]:
    """The images of runs whose record does not name what they made.

    :returns: by the id of the run, as far as they can be had.
    """
    cloud = connect.cloud(request)
    answers = cloud.gather_named({
        run.plan.run_id: functools.partial(observe.image, cloud, run)
        for run in [run for run in found if run.tagged or run.lost][:_ASKED]})
    return {run_id: image for run_id, image in answers.items()
            if isinstance(image, types.Image)}


def _interval_ms(found: Iterable[record.Run],
                 others: Iterable[_Other]) -> int:
    """How long the page waits for its next look, in milliseconds.

    Each look that comes late keeps an instance away for longer.
    """
    away = any(run.open and run.plan.power_off for run in found) or any(
        one.open for one in others)
    return int(settings.get('POLL_INTERVAL') * (500 if away else 1000))


def shown(request: HttpRequest, run: record.Run) -> dict[str, Any]:
    """One run, as it is."""
    return _shown(request, run, int(time.time()),
                  _images(request, [run]).get(run.plan.run_id))


def _shown(request: HttpRequest, run: record.Run, now: int,
           image: types.Image | None, trouble: str = '') -> dict[str, Any]:
    progress, plan, server = run.progress, run.plan, run.server
    phase = phases.current(run)
    last = min(now, max(progress.updated_at, plan.began_at))
    stalled = (run.open and now - last > _STALLED and not server.task_state)
    held = runs_wording.held(run) if run.open else ''
    cancelled = run.cancelled
    mark = progress.consistency or (
        model.consistency(image) if image is not None else '')
    return {
        'run': run,
        'title': runs_wording.title(
            run, plan.name or (image.name if image is not None else '')),
        'name': plan.name,
        'failed': bool(progress.failure) and not cancelled,
        'cancelled': cancelled,
        'look': runs_wording.look(run, bool(held or trouble or stalled),
                                  mark),
        'phases': [{'state': state.value, 'label': runs_wording.PHASES[one],
                    'said': runs_wording.PHASE_STATES.get(state, '')}
                   for one, state in phases.states(run).items()
                   ] if run.open or progress.failure and not cancelled else [],
        'now': runs_wording.now(run, mark),
        **cells.times(plan.began_at, progress.ended_at, run.open, now),
        'expected': wording.about(plan.expected_seconds),
        'saving': _saving(run, phase, now),
        'past_cancel': phase is phases.Phase.SAVE and not progress.failure,
        'failure': runs_wording.failure(run),
        'left': runs_wording.left(run),
        'unmarked': runs_wording.unmarked(run),
        'unsealed': run.open and not connect.approves(run),
        'hindrance': runs_wording.hindrance(run, now) if run.open else '',
        'consistency': (wording.MEANINGS.get(mark, '') if mark
                        and progress.captured_at and not run.open else ''),
        'trouble': trouble,
        'held': held,
        'stalled': wording.about(now - last) if stalled else '',
        'is_off': actions.is_off(server),
        'may_advance': permissions.can_advance(request, run),
        **actions.context(request, run, stalled, progress.image_id or (
            image.id if image is not None else '')),
    }


def _saving(run: record.Run, phase: phases.Phase | None,
            now: int) -> dict[str, int] | None:
    """How long it has been saved, beside how long that took the last time.

    :returns: seconds; None while nothing is saved, or nothing is known.
    """
    expected, since = run.plan.expected_seconds, run.progress.first_capture_at
    if phase is not phases.Phase.SAVE or not (expected and since):
        return None
    return {'seconds': max(0, now - since), 'expected': expected,
            'over': now - since > expected}
