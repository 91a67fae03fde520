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

"""Measure: python -m tests.bench --help."""

import argparse
import sys
import time

from tests.bench import downtime
from tests.bench import listing
from tests.bench import load
from tests.bench import report
from tests.bench import soak
from tests.bench import tenants
from tests.cloud import launcher
from tests.cloud import seed
from tests.cloud import site

#: Those that bring what they need, and those on a cloud.
STANDALONE = {'crowd': load.measure_crowd,
             'guests': downtime.measure_guests, 'load': load.measure,
             'tenants': tenants.measure}
MEASUREMENTS = {'downtime': downtime.measure, 'listing': listing.measure,
                'soak': soak.measure}


def main() -> None:
    parser = argparse.ArgumentParser(prog='python -m tests.bench',
                                     description=__doc__)
    parser.add_argument('what', nargs='+',
                        choices=[*MEASUREMENTS, *STANDALONE])
    options = parser.parse_args()
    began = time.monotonic()

    def say(text: str) -> None:
        print(f'[{time.monotonic() - began:6.1f} s] {text}', flush=True)

    for what in options.what:
        if what in STANDALONE:
            STANDALONE[what](say)
            continue
        where = site.plan(f'bench-{what}', 0)
        launcher.wipe(where, say)
        try:
            launcher.up(where, say)
            seed.seed(where, say)
            MEASUREMENTS[what](where, say)
        finally:
            launcher.down(where, say)
    if report.MISSED:
        sys.exit('\n'.join(['Aims were missed.', *report.MISSED]))


if __name__ == '__main__':
    main()
