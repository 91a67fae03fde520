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

"""What hostile projects cost the others whose runs a worker looks after.

It hands a run of a locked server on 200 times, maps 700 volume snapshots by
each of a hundred images that bear the mark of that run, and has guests that
never answer their agent, so that Nova does not answer createImage either.
"""

import contextlib
import json
import os
import pathlib
import tempfile
import time
import uuid

from snapshot_dashboard import marks
from snapshot_dashboard.runs import journal
from tests import fakes
from tests.bench import load
from tests.bench import report
from tests.bench import standin
from tests.cloud import launcher

VICTIMS = int(os.environ.get('SNAPSHOT_VICTIMS', '20'))
_TRUSTS, _IMAGES, _MAPPED, _DEAF = 200, 100, 700, 8
#: Seconds that Nova takes to give up a guest that never answers its agent.
_NO_ANSWER = 60
_LOOK, _LONGEST = 0.2, 600


class _Hostile(standin.StandIn):
    """A stand-in with a project that does its worst."""

    def __init__(self, hostile: int):
        self.deaf: set[str] = set()
        self._over = False
        super().__init__(VICTIMS, threads=200)
        self.victims = set(self.trusts)
        with self._lock:
            for _ in range(hostile):
                self._do_the_worst()

    def _do_the_worst(self):
        project = uuid.uuid4().hex
        held = self.begin(project, _TRUSTS, locked=True, captures_image='')
        run_id = json.loads(held['metadata'][journal.PLAN])['id']
        for _ in range(_IMAGES):
            self._forge(project, held, run_id)
        for _ in range(_DEAF):
            self.deaf.add(self.begin(project, status='SHUTOFF')['id'])

    def _forge(self, project, server, run_id):
        self.image('forged', owner=project, **{
            marks.RUN: run_id, marks.CALL: uuid.uuid4().hex[:16],
            marks.INSTANCE: server['id'], marks.INSTANCE_ID: server['id'],
            'block_device_mapping': json.dumps([
                {'source_type': 'snapshot', 'snapshot_id': fakes.new_id()}
                for _ in range(_MAPPED)])})

    def _serve(self, environ, start_response):
        path = environ['PATH_INFO']
        if path.endswith('/action') and path.split('/')[-2] in self.deaf:
            until = time.monotonic() + _NO_ANSWER
            while time.monotonic() < until and not self._over:
                time.sleep(_LOOK)
        return super()._serve(environ, start_response)

    def stop(self):
        self._over = True
        super().stop()


def measure(say: launcher.Say) -> None:
    """Measure, and write the table into the documentation."""
    rows = [(str(hostile), *_play(hostile, say)) for hostile in (0, 1, 2)]
    report.write('tenants', report.table(
        ('Hostile projects', 'Power-on of the others late, median',
         'Late, most', 'Calls per second'), rows)
        + f'\n{VICTIMS} projects with a run each, whose image takes '
          f'{standin.SAVING[0]:.0f} to {standin.SAVING[1]:.0f} s to be saved, '
          f'and one worker. A hostile project has {_TRUSTS} trusts to a '
          f'run on a locked server, {_IMAGES} images of it that map '
          f'{_MAPPED} volume snapshots each, and {_DEAF} instances for which '
          f'createImage takes {_NO_ANSWER} s. Late is the time between the '
          'end of the saving and the request to power on; the worker looks '
          'each 3% of the time for which nothing has changed.\n')


def _play(hostile: int, say: launcher.Say) -> tuple[str, str, str]:
    cloud = _Hostile(hostile)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack(
            ) as stack:
        stack.callback(cloud.stop)
        began = time.monotonic()
        stack.enter_context(load.worker(
            cloud, pathlib.Path(folder) / 'worker.log', []))
        while cloud.victims & set(cloud.trusts):
            time.sleep(_LOOK)
            if time.monotonic() - began > _LONGEST:
                raise SystemExit('not all of the others are through')
        took = time.monotonic() - began
    late = sorted(seconds for server_id, seconds in cloud.late.items()
                  if server_id not in cloud.deaf)
    found = (f'{late[len(late) // 2]:.2f} s', f'{late[-1]:.2f} s',
             f'{len(cloud.calls) / took:.0f}')
    say(f'{hostile} hostile: {found}')
    return found
