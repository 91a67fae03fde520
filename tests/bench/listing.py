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

"""How long pages take, in a small project and in one with ten thousand.

At the HTTP level, against Horizon's own pages in the same run.
"""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import functools
import html
import os
import re
import statistics
import time

from snapshot_dashboard import marks
from snapshot_dashboard.runs import record
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.snapshots import newest
from tests.bench import fill
from tests.bench import pages
from tests.bench import report
from tests.cloud import knobs
from tests.cloud import launcher
from tests.cloud import machine
from tests.cloud import processes
from tests.cloud import site
from tests.scenario import clouds
from tests.scenario.waiting import until

ROUNDS = 9
#: How often where services are away.
_ROUNDS_AWAY = 5
_WARM = 2
_PAGE = 100
#: What is measured, and the words for it.
LABELS = {
    'first': 'Our first page',
    'cold': 'Our first page where nothing is kept of the project',
    'names': 'Our first page with all names, which is loaded after it',
    'overview': 'What is wrong, which is loaded after the page',
    'usage': 'What is used, which is loaded after the page',
    'counted': 'What is used, where Glance is asked to count',
    'far': f'Our page {_PAGE}',
    'back': f'Our page {_PAGE - 1}, coming back',
    'filtered': 'Our first page of finished volume snapshots',
    'detail': f'Our page of a set of {fill.PARTS} volume snapshots',
    'plan': 'What is deleted with it, before it is confirmed',
    'facts': 'What the wizard knows of an instance',
    'step': "The check of the wizard's first step, with Glance's count",
    'runs': 'A look at what goes on, as an open page makes it',
    'horizon-images': 'Horizon: Images, page and data',
    'horizon-snapshots': 'Horizon: Volume Snapshots',
    'empty': 'Horizon: a page that asks no service for a list (Settings)',
    'call': 'The slowest single call of our first page',
    'count': "Glance's count of what is used, by itself",
}
#: Where the time of a page goes, as ``timing`` tells it.
_PARTS = {
    'wait': 'Waiting for services',
    'decode': 'Decoding their answers',
    'frame': "Templates of Horizon: menu, frame, table",
    'ours': 'Our templates',
    'rest': 'The rest: session, policy, our rows',
    'total': 'All of it',
}
#: Milliseconds that services are away, and processes of Glance.
_PLACES = ((20, 1), (100, 1), (0, 4))
#: What is compared there.
_COMPARED = ('first', 'overview', 'facts', 'detail', 'horizon-images',
             'horizon-snapshots', 'empty')
#: What a project holds, likewise.
_HOLDS = {
    'images': 'Image snapshots',
    'sets': f'Of them sets of {fill.PARTS} volume snapshots',
    'volume_snapshots': 'Volume snapshots',
    'volumes': 'Volumes',
    'instances': 'Instances',
}


def measure(where: site.Site, say: launcher.Say) -> None:
    """Measure, and write table and chart into the documentation."""
    os.environ['SNAPSHOT_CLOUD_TIMED'] = 'yes'
    launcher.dashboard_up(where, say)
    fill.fill(where, fill.SMALL, say)
    small, small_parts = _measure(where, say, far=False)
    fill.fill(where, fill.LARGE, say)
    large, large_parts = _measure(where, say, far=True)
    away = {place: _measure_away(where, say, *place) for place in _PLACES}
    del os.environ['SNAPSHOT_CLOUD_TIMED']
    for times in (small, large):
        assert set(LABELS) - set(times) <= {'far', 'back'}
    rows = [(label, *(_with_spread(times[name]) if name in times else ''
                      for times in (small, large)))
            for name, label in LABELS.items()]
    medians = [{name: statistics.median(took) for name, took in times.items()}
               for times in (small, large)]
    away = {(0, 1): medians[1], **away}
    report.write('listing', '\n'.join([
        f'Medians of {ROUNDS} requests, made in turns, in a small and in a '
        'large project; in brackets the middle half of them.',
        '',
        report.table(('', 'Small', 'Large'), [
            (label, *(f'{getattr(size, name):,}'
                      for size in (fill.SMALL, fill.LARGE)))
            for name, label in _HOLDS.items()]),
        report.table(('', 'Small', 'Large'), rows),
        report.table(('Both large, if nothing else is said', 'Measured',
                      'Aim', 'Bound'), _aims(*medians)),
        'The bounds are those of the services: an empty page of Horizon with '
        'the slowest call that ours needs, large and small; and with the '
        'count that Glance makes.',
        '',
        'Where the time of our first page goes, in milliseconds:',
        '',
        report.table(('', 'Small', 'Large'), [
            (label, *(f'{parts[name]:.0f}'
                      for parts in (small_parts, large_parts)))
            for name, label in _PARTS.items()]),
        'The large project, in milliseconds, with services that are so far '
        'away for every call, and with four processes of Glance:',
        '',
        report.table(('', *(_place(*place) for place in away)), [
            *((LABELS[name], *(f'{times[name] * 1000:.0f}'
                               for times in away.values()))
              for name in _COMPARED),
            ("Our first page to Horizon's two pages, aim 0.25",
             *(f'{_to_theirs(times):.2f}' for times in away.values()))]),
        '']))
    for place, times in away.items():
        report.aim(f"Our first page to Horizon's two pages, {_place(*place)}",
                   _to_theirs(times), 0.25)
    report.chart('listing', [
        (LABELS[name], medians[1][name]) for name in LABELS
        if name in medians[1]])


def _with_spread(took: list[float]) -> str:
    low, middle, high = statistics.quantiles(took, n=4, method='inclusive')
    return (f'{middle * 1000:.0f} ms '
            f'({low * 1000:.0f} to {high * 1000:.0f})')


def _to_theirs(times: dict[str, float]) -> float:
    return times['first'] / (times['horizon-images']
                             + times['horizon-snapshots'])


def _place(away: int, glances: int) -> str:
    return f'{away} ms' if glances == 1 else f'{away} ms, {glances} Glances'


def _aims(small: dict[str, float], large: dict[str, float]
          ) -> list[tuple[str, str, str, str]]:
    least = {'small': small['empty'] + small['call'],
             'large': large['empty'] + large['call']}
    aims = (
        ('Our first page, large to small', large['first'] / small['first'],
         1.15, least['large'] / least['small']),
        ('Our first page to an empty page and the slowest call',
         large['first'] / least['large'], 1.3, 1.0),
        ('What is wrong, in seconds', large['overview'], 0.5, None),
        ('What is used, in seconds', large['usage'], 0.5, None),
        ('What is used, where Glance counts, in seconds', large['counted'],
         0.5, large['empty'] + large['count']))
    for text, reached, aim, _bound in aims:
        report.aim(text, reached, aim)
    return [(text, f'{reached:.2f}', f'{aim}',
             '' if bound is None else f'{bound:.2f}')
            for text, reached, aim, bound in aims]


def _measure_away(where: site.Site, say: launcher.Say, away: int,
                  glances: int) -> dict[str, float]:
    """The medians where services are away, or Glance has more processes."""
    alice = clouds.connect(where, 'alice')
    addresses = _addresses(alice)
    session = pages.Session(where.url('horizon'), 'alice')
    with _glances(where, glances), knobs.Knobs(where.knobs).turned(
            'gateway', far=away / 1000):
        times = _in_turns({
            name: functools.partial(_together, session, addresses[name])
            for name in _COMPARED}, _ROUNDS_AWAY)
    found = {name: statistics.median(took) for name, took in times.items()}
    say(f'{_place(away, glances)}: {found}')
    return found


@contextlib.contextmanager
def _glances(where: site.Site, count: int) -> Iterator[None]:
    """So many processes of Glance on its port, for as long as this lasts."""
    if count == 1:
        yield
        return
    venv = machine.services_venv(print)
    names = ['glance', *(f'glance-{number}' for number in range(1, count))]
    processes.stop(where, 'glance')
    try:
        for name in names:
            processes.start_service(where, name, venv, shared_port=True)
        until(lambda: all(
            processes.listens(where, name, where.ports['glance'])
            for name in names), 'all of Glance listens')
        yield
    finally:
        for name in names:
            processes.stop(where, name)
        processes.start_service(where, 'glance', venv)
        processes.wait_until_answering(where, 'glance')


def _addresses(alice: clouds.Cloud) -> dict[str, list[str]]:
    """What is asked for by each name."""
    row = _a_set(alice)
    return {
        'first': [pages.PANEL],
        'names': [f'{pages.PANEL}?names=1'],
        'overview': [f'{pages.PANEL}overview/'],
        'usage': [f'{pages.PANEL}usage/'],
        'filtered': [f'{pages.PANEL}?kind=volume&state=ready'],
        'detail': [f'{pages.PANEL}{row}/detail/'],
        'plan': [f'{pages.PANEL}delete/?row={row}'],
        'facts': [f'{pages.PANEL}facts/?source=instance-'
                  f'{alice.compute.servers(1)[0].id}'],
        'runs': [f'{pages.PANEL}runs/'],
        'horizon-images': ['/project/images/', '/api/glance/images/'],
        'horizon-snapshots': ['/project/snapshots/'],
        'empty': ['/settings/'],
    }


def _measure(where: site.Site, say: launcher.Say, far: bool
             ) -> tuple[dict[str, list[float]], dict[str, float]]:
    """:returns: seconds of each request, and where those of our first page
        go, in milliseconds.
    """
    session = pages.Session(where.url('horizon'), 'alice')
    session.get(pages.PANEL)
    alice = clouds.connect(where, 'alice')
    addresses = _addresses(alice)
    if far:
        say(f'walking to page {_PAGE}')
        addresses['far'], addresses['back'] = _far(session)
    takes: dict[str, Callable[[], float]] = {
        name: functools.partial(_together, session, paths)
        for name, paths in addresses.items()}
    server_id = alice.compute.servers(1)[0].id
    cold = {
        'cold': lambda: session.timed(pages.PANEL, forget=True),
        'counted': lambda: session.timed(f'{pages.PANEL}usage/', forget=True),
        'step': lambda: session.checked(f'{pages.PANEL}create/', {
            'source': f'instance-{server_id}'})}
    calls = _calls(alice)
    _go_through(session, say)
    times = _in_turns({**takes, **calls}, ROUNDS)
    times |= _in_turns(cold, ROUNDS, warm=0)
    _go_through(session, say)
    times['call'] = max((times.pop(name) for name in calls
                         if name != 'count'), key=statistics.median)
    for name, took in times.items():
        say(f'{name}: {_with_spread(took)}')
    return times, _parts([session.parts(pages.PANEL)
                          for _ in range(ROUNDS)])


def _in_turns(takes: dict[str, Callable[[], float]], rounds: int,
              warm: int = _WARM) -> dict[str, list[float]]:
    """Seconds that each takes, in so many rounds after those that warm up."""
    times: dict[str, list[float]] = {name: [] for name in takes}
    for number in range(warm + rounds):
        for name, take in takes.items():
            took = take()
            if number >= warm:
                times[name].append(took)
    return times


def _go_through(session: pages.Session, say: launcher.Say) -> None:
    """Look until nothing is left that further looks would tell."""
    looks = 1
    while 'data-snapshots-more' in session.get(
            f'{pages.PANEL}overview/').text:
        looks += 1
    say(f'all images were gone through after {looks} looks')


def _parts(found: list[dict[str, float]]) -> dict[str, float]:
    medians = {name: statistics.median(parts[name] for parts in found)
               for name in found[0]}
    return {**medians, 'rest': 2 * medians['total'] - sum(medians.values())}


def _together(session: pages.Session, paths: list[str]) -> float:
    return sum(session.timed(path) for path in paths)


def _far(session: pages.Session) -> tuple[list[str], list[str]]:
    path = pages.PANEL
    for _ in range(_PAGE - 1):
        path = pages.PANEL + _link(session, path, 'Next')
    return [path], [pages.PANEL + _link(session, path, 'Prev')]


def _link(session: pages.Session, path: str, text: str) -> str:
    page = session.get(path, headers={'X-Requested-With': ''}).text
    found = re.search(rf'href="(\?[^"]*)">[^<]*{text}', page)
    assert found, f'{path} leads nowhere'
    return html.unescape(found.group(1))


def _a_set(alice: clouds.Cloud) -> str:
    """The row of the newest image with parts."""
    (image,) = alice.images.images(1, {'owner': alice.project_id,
                                       'bdm_v2': 'True'})
    return model.row_id(kinds.Kind.INSTANCE, image.id)


def _calls(alice: clouds.Cloud) -> dict[str, Callable[[], float]]:
    """The calls that our first page makes, each by itself."""
    owner = {'owner': alice.project_id}
    calls = {
        'images': lambda: newest.images(
            alice, 30, {**owner, marks.IMAGE_TYPE: 'snapshot'}),
        'backups': lambda: newest.images(
            alice, 30, {**owner, marks.IMAGE_TYPE: 'backup'}),
        'sets': lambda: newest.images(alice, 30, {**owner, 'bdm_v2': 'True'}),
        'accepted': lambda: alice.images.images(30, {
            'visibility': 'shared', 'member_status': 'accepted',
            marks.IMAGE_TYPE: 'snapshot', 'status': 'active'}),
        'snapshots': lambda: alice.volumes.snapshots(70),
        'runs': lambda: alice.compute.tagged(
            100, record.TAG, record.OPEN_TAG)}

    def timed(call: Callable[[], object]) -> float:
        began = time.perf_counter()
        call()
        return time.perf_counter() - began
    return {**{f'call-{name}': functools.partial(timed, call)
               for name, call in calls.items()},
            'count': functools.partial(timed, alice.images.usage)}
