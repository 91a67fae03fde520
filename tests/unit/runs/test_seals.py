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

"""A run's record shows whether this Horizon wrote it."""

from snapshot_dashboard.runs import seals

OURS, THEIRS = seals.Seal('our key'), seals.Seal('their key')


def test_a_plan_that_we_sealed_is_ours_and_no_other():
    sealed = OURS.of('plan')
    assert OURS.holds('plan', sealed)
    assert not OURS.holds('another plan', sealed)
    assert not THEIRS.holds('plan', sealed)
    assert not OURS.holds('plan', '') and not OURS.holds('plan', 'é')


def test_a_run_id_shows_who_drew_it_and_for_which_server():
    run_id = OURS.new_run_id('server')
    assert len(run_id) == 32
    assert OURS.made(run_id, 'server')
    assert not OURS.made(run_id, 'another server')
    assert not THEIRS.made(run_id, 'server')
    assert not OURS.made('a' * 32, 'server')
    assert not OURS.made('', 'server') and not OURS.made('é', 'server')
    assert OURS.new_run_id('server') != run_id


def test_a_seal_is_no_proof_of_a_run_id():
    """What is signed for one purpose is of no use for the other."""
    assert OURS.of('server')[:16] not in OURS.new_run_id('server')
