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
import functools
import html
import re
import statistics
import time

from snapshot_dashboard import marks
from snapshot_dashboard.runs import record
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model
from tests.bench import fill
from tests.bench import pages
from tests.bench import report
from tests.cloud import launcher
from tests.cloud import site
from tests.scenario import clouds

ROUNDS = 9
_WARM = 2
_PAGE = 100
#: What is measured, and the words for it.
LABELS = {
    'first': 'Our first page',
    'names': 'Our first page with all names, which is loaded after it',
    'overview': 'What is wrong, which is loaded after the page',
    'usage': 'What is used, which is loaded after the page',
    'far': f'Our page {_PAGE}',
    'back': f'Our page {_PAGE - 1}, coming back',
    'filtered': 'Our first page of finished volume snapshots',
    'detail': f'Our page of a set of {fill.PARTS} volume snapshots',
    'plan': 'What is deleted with it, before it is confirmed',
    'facts': 'What the wizard knows of an instance',
    'runs': 'A look at what goes on, as an open page makes it',
    'horizon-images': 'Horizon: Images, page and data',
    'horizon-snapshots': 'Horizon: Volume Snapshots',
    'empty': 'Horizon: a page that asks no service for a list (Settings)',
    'call': 'The slowest single call of our first page',
    'count': "Glance's count of what is used, by itself",
}
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
    launcher.dashboard_up(where, say)
    fill.fill(where, fill.SMALL, say)
    small = _measure(where, say, far=False)
    fill.fill(where, fill.LARGE, say)
    large = _measure(where, say, far=True)
    rows = [(label, *(_with_spread(times[name]) if name in times else ''
                      for times in (small, large)))
            for name, label in LABELS.items()]
    medians = [{name: statistics.median(took) for name, took in times.items()}
               for times in (small, large)]
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
        'count that Glance makes.', '']))
    report.chart('listing', [
        (LABELS[name], medians[1][name]) for name in LABELS
        if name in medians[1]])


def _with_spread(took: list[float]) -> str:
    low, middle, high = statistics.quantiles(took, n=4, method='inclusive')
    return (f'{middle * 1000:.0f} ms '
            f'({low * 1000:.0f} to {high * 1000:.0f})')


def _aims(small: dict[str, float], large: dict[str, float]
          ) -> list[tuple[str, str, str, str]]:
    theirs = large['horizon-images'] + large['horizon-snapshots']
    least = {'small': small['empty'] + small['call'],
             'large': large['empty'] + large['call']}
    aims = (
        ("Our first page to Horizon's two pages",
         large['first'] / theirs, 0.25, None),
        ('Our first page, large to small', large['first'] / small['first'],
         1.15, least['large'] / least['small']),
        (f'Page {_PAGE} to page 1', large['far'] / large['first'], 1.15,
         None),
        ('Our first page to an empty page and the slowest call',
         large['first'] / least['large'], 1.3, 1.0),
        ('What is wrong, in seconds', large['overview'], 0.5, None),
        ('What is used, in seconds', large['usage'], 0.5,
         large['empty'] + large['count']))
    for text, reached, aim, _bound in aims:
        report.aim(text, reached, aim)
    return [(text, f'{reached:.2f}', f'{aim}',
             '' if bound is None else f'{bound:.2f}')
            for text, reached, aim, bound in aims]


def _measure(where: site.Site, say: launcher.Say,
             far: bool) -> dict[str, list[float]]:
    session = pages.Session(where.url('horizon'), 'alice')
    session.get(pages.PANEL)
    alice = clouds.connect(where, 'alice')
    row = _a_set(alice)
    addresses = {
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
    if far:
        say(f'walking to page {_PAGE}')
        addresses['far'], addresses['back'] = _far(session)
    takes: dict[str, Callable[[], float]] = {
        name: functools.partial(_together, session, paths)
        for name, paths in addresses.items()}
    calls = _calls(alice)
    looks = 1
    while 'data-snapshots-more' in session.get(
            f'{pages.PANEL}overview/').text:
        looks += 1
    say(f'all images were gone through after {looks} looks')
    times: dict[str, list[float]] = {}
    for number in range(ROUNDS + _WARM):
        for name, take in [*takes.items(), *calls.items()]:
            took = take()
            if number >= _WARM:
                times.setdefault(name, []).append(took)
    times['call'] = max((times.pop(name) for name in calls
                         if name != 'count'), key=statistics.median)
    for name, took in times.items():
        say(f'{name}: {_with_spread(took)}')
    return times


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
        'images': lambda: alice.images.images(
            30, {**owner, marks.IMAGE_TYPE: 'snapshot'}),
        'backups': lambda: alice.images.images(
            30, {**owner, marks.IMAGE_TYPE: 'backup'}),
        'sets': lambda: alice.images.images(30, {**owner, 'bdm_v2': 'True'}),
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
