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

"""Each obstacle has words of its own."""

import collections

from snapshot_dashboard.content.compute_snapshots.create import (
    wording as create_wording,
)
from snapshot_dashboard.preflight import obstacles


def test_every_obstacle_has_words_of_its_own():
    facts = collections.defaultdict(lambda: 7, type='', task='', status='',
                                    limit=9)
    told = {code: create_wording.obstacle(obstacles.Obstacle(code, facts))
            for code in obstacles.Code}
    assert len(set(told.values())) == len(obstacles.Code)
