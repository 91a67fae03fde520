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

"""Tables of what was measured, in the documentation."""

from collections.abc import Iterable
from collections.abc import Sequence
import datetime
import html
import os
import platform

from tests.cloud import site

#: The aims that were missed, in words.
MISSED: list[str] = []
_HOME = site.REPOSITORY / 'doc' / 'source' / 'measured'


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A list-table of reStructuredText."""
    lines = ['.. list-table::', '   :header-rows: 1', '']
    for row in (head, *rows):
        for number, cell in enumerate(row):
            bullet = '*' if number == 0 else ' '
            lines.append(f'   {bullet} - {cell}'.rstrip())
    return '\n'.join([*lines, ''])


def write(name: str, text: str) -> None:
    """Keep a measurement, with when and on what it was made."""
    made = (f'Measured on {datetime.date.today()} with {os.cpu_count()} '
            f'cores and Python {platform.python_version()}.')
    _HOME.mkdir(parents=True, exist_ok=True)
    (_HOME / f'{name}.inc').write_text(f'{text}\n{made}\n')
    print(text)


def aim(what: str, reached: float, most: float) -> None:
    """Hold what was measured against what is aimed at."""
    if reached > most:
        MISSED.append(f'{what}: {reached:.2f}, and {most:g} at the most was '
                      'aimed at')


def chart(name: str, bars: Sequence[tuple[str, float]]) -> None:
    """A chart of durations in seconds, with the numbers as text."""
    longest = max(value for _, value in bars)
    lines = ['<svg xmlns="http://www.w3.org/2000/svg" width="760" '
             f'height="{len(bars) * 44}" font-family="sans-serif" '
             'font-size="13">']
    for number, (label, value) in enumerate(bars):
        top, width = number * 44, max(2, 600 * value / longest)
        lines += [
            f'<text x="0" y="{top + 14}">{html.escape(label)}</text>',
            f'<rect x="0" y="{top + 19}" width="{width:.0f}" height="14" '
            'fill="#4878a8"/>',
            f'<text x="{width + 8:.0f}" y="{top + 31}">'
            f'{value * 1000:.0f} ms</text>']
    (_HOME / f'{name}.svg').write_text('\n'.join([*lines, '</svg>', '']))
