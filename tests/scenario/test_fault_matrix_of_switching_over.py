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

"""Each kind of fault, at each step of a switch-over, on the real services.

The same proxy and the same processes as for runs; all kinds at all steps with
``SNAPSHOT_WHOLE_MATRIX=1``. Whatever happens, the instance that is to have the
addresses has them all, the other one none, and it runs.
"""

import multiprocessing
import time

import pytest

from snapshot_dashboard.switch_overs import switching
from tests.cloud import bootstrap
from tests.scenario import advancer
from tests.scenario import clouds
from tests.scenario import networks
from tests.scenario import proxy
from tests.scenario import test_switching_over as switching_over

#: The calls of a switch-over, as the proxy sees them.
STEPS = {
    'look at an instance': r'^GET /v2.1/servers/[^/]+ ',
    'look at the record': r'^GET /v2/images/[^/?]+ ',
    'look at the ports': r'^GET /v2.0/ports\?',
    'look at the floating addresses': r'^GET /v2.0/floatingips',
    'write down': r'^PATCH ',
    'power off': r'os-stop',
    'detach': r'^DELETE .*/os-interface/',
    'make the port': r'^POST /v2.0/ports ',
    'attach': r'^POST .*/os-interface ',
    'associate': r'^PUT /v2.0/floatingips/',
    'power on': r'os-start'}
#: Those that come only where a port is gone.
_WITHOUT_PORT = ('make the port', 'associate')
_PATIENCE = 240
_POLL = 1.0
#: Plays until a fault has come: who is late meets with nothing.
_PLAYS = 3


@pytest.fixture(scope='module')
def pair(where):
    """Two instances, of which one has given the other its addresses."""
    cloud = clouds.connect(where, 'alice')
    with networks.routed(where) as network, switching_over.launched(
            cloud, network, []) as made:
        made.admin = bootstrap.connect(where, 'admin', 'admin').network
        made.before = made.cards(made.original)
        made.finish(made.begin())
        yield made


def play(pair, faults, step, fault):
    """Turn round, by two advancers of which one meets with a fault."""
    cloud, began = pair.cloud, time.time()
    home_id = pair.row_id.removeprefix('instance-')
    found = switching.read(cloud, home_id)
    side, giver = found.taker.other, found.plan.instance_id(found.taker)
    if step in _WITHOUT_PORT:  # as by Nova, had it made the port
        for port in pair.admin.ports(device_id=giver):
            pair.admin.delete_port(port)
    faults.set(home_id, fault)
    switching.turn(cloud, found, side)
    arguments = (
        {**faults.endpoints, 'volume': faults.endpoints['volume'] % {
            'project_id': cloud.project_id}},
        cloud.session.get_token(), cloud.project_id, home_id, began,
        2 * _POLL)
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(['tests.scenario.advancer'])
    processes, end = [], time.monotonic() + _PATIENCE
    try:
        while (found := switching.read(cloud, home_id)).open:
            assert time.monotonic() < end, found.progress
            started = [context.Process(target=advancer.switch_over,
                                       args=arguments)
                       for _ in range(1 if processes else 2)]
            processes += started
            for process in started:
                process.start()
            for process in started:
                process.join(max(0, end - time.monotonic()))
    finally:
        for process in processes:
            process.kill()
    return found


# The advancers are processes of their own.
@pytest.mark.no_cover
@pytest.mark.parametrize(('step', 'fault'), proxy.cases(STEPS))
def test_no_fault_at_any_step_loses_an_address(pair, faults, step, fault):
    for _ in range(_PLAYS):
        struck = proxy.Fault(fault, STEPS[step])
        found = play(pair, faults, step, struck)
        plan, side = found.plan, found.taker
        assert found.progress.failure == ''
        assert pair.cards(plan.instance_id(side)) == pair.before
        assert pair.cards(plan.instance_id(side.other)) == []
        assert pair.status(plan.instance_id(side)) == 'ACTIVE'
        if struck.struck:
            return
    pytest.fail('the fault never came')
