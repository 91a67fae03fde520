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

"""No sequence of clicks makes a whole set incomplete without saying so.

Projects are made up: sets, copies of their images, renamed and hidden ones,
inherited marks, and volume snapshots that are only called like parts. Then
somebody deletes what the plans allow.
"""

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from snapshot_dashboard import marks
from snapshot_dashboard.snapshots import deletion
from snapshot_dashboard.snapshots import fetch
from snapshot_dashboard.snapshots import mappings
from snapshot_dashboard.snapshots.listing import pages
from tests import fakes
from tests.unit.examples import EXAMPLES

NAMES = st.sampled_from(['db', 'web "1"', 'a,b', '', 'snapshot for db',
                         'Ümläut', 'x' * 255])
#: Of one image: which of four volume snapshots it needs, and what was done to
#: it. ``chosen`` names them by our mark, ``inherited`` by that of another.
IMAGE = st.fixed_dictionaries({
    'parts': st.sets(st.integers(0, 3), min_size=1, max_size=3),
    'name': NAMES, 'hidden': st.booleans(), 'protected': st.booleans(),
    'how': st.sampled_from(['mapped', 'mapped', 'bare', 'chosen',
                            'inherited'])})
PROJECT = st.lists(IMAGE, min_size=1, max_size=4)
#: What is chosen for each deletion, by its place, and whether its user
#: agrees to all that the plan says.
CLICKS = st.lists(st.tuples(st.sets(st.integers(0, 8), min_size=1),
                            st.booleans(), st.booleans()),
                  min_size=1, max_size=4)


def make(openstack, images, names):
    """A project; the volume snapshots, and by images those they need."""
    parts = [openstack.snapshot(name, at=number) for number, name
             in enumerate(names)]
    needs = {}
    for number, wish in enumerate(images):
        wanted = [parts[place] for place in sorted(wish['parts'])]
        fields = {'os_hidden': wish['hidden'], 'protected': wish['protected']}
        if wish['how'] in ('mapped', 'bare'):
            if wish['how'] == 'bare':
                fields['bdm_v2'] = None
            image = openstack.set_image(wish['name'], wanted, 10 + number,
                                        **fields)
        else:
            taken = 0 if wish['how'] == 'inherited' else 10 + number
            server = fakes.new_id()
            image = openstack.image(
                wish['name'], 10 + number, **fields,
                **marks.name_parts([part['id'] for part in wanted]), **{
                    marks.TAKEN: str(int(fakes.seconds(taken - 9999 * (
                        wish['how'] == 'inherited')))),
                    marks.INSTANCE: server, marks.INSTANCE_ID: server})
        needs[image['id']] = {part['id'] for part in wanted} if (
            wish['how'] != 'inherited') else set()
    return parts, needs


def whole(openstack, needs):
    """The images that are there, with all that they need."""
    return {image_id for image_id, parts in needs.items()
            if image_id in openstack.images and all(
                openstack.snapshots.get(part, {}).get('status') == 'available'
                for part in parts)}


@settings(max_examples=EXAMPLES)
@given(PROJECT, st.lists(NAMES, min_size=4, max_size=4), CLICKS)
def test_no_click_breaks_a_set_unless_its_plan_said_so(images, names, clicks):
    with fakes.faked() as openstack:
        parts, needs = make(openstack, images, names)
        cloud = openstack.cloud()
        things = [*(f'volume-{part["id"]}' for part in parts),
                  *(f'instance-{image}' for image in needs)]
        for chosen, agrees, by_list in clicks:
            if by_list:
                mappings.Index(cloud).update(1)
                pages.fetch(cloud, 20)
            rows = [fetch.snapshot(cloud, things[place])
                    for place in sorted(chosen) if place < len(things)
                    and exists(openstack, things[place])]
            before = whole(openstack, needs)
            plan = deletion.plan(cloud, rows)
            said = {owner.id for entry in plan.entries
                    for owner in entry.breaks}
            deletion.carry_out(cloud, plan, {
                (entry.snapshot.id, owner.id) for entry in plan.entries
                for owner in entry.breaks} if agrees else ())
            gone = {row.id for row in rows}
            broken = {image for image in before - whole(openstack, needs)
                      if image in openstack.images}
            assert broken <= (said if agrees else set())
            assert not {image for image in before
                        if image not in openstack.images} - gone


def exists(openstack, row_id):
    kind, _, service_id = row_id.partition('-')
    return service_id in (openstack.images if kind == 'instance'
                          else openstack.snapshots)
