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

"""How an instance was when it was captured stays with its snapshot."""

import bs4
import pytest

from snapshot_dashboard.cloud import types
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import reconcile
from snapshot_dashboard.snapshots import details
from snapshot_dashboard.snapshots import recipes
from tests import fakes
from tests.views.pages import INDEX
from tests.views.pages import row_id
from tests.views.pages import words


def captured(openstack, **fields):
    """The image of a server that a run has just captured."""
    server = openstack.server('web', **fields)
    cloud = openstack.cloud()
    run = lifecycle.begin(cloud, types.Server.from_api(server),
                          lifecycle.new_plan('nightly', '',
                                             requested_by='a test'))
    reconcile.advance(cloud, run)
    (image,) = openstack.images.values()
    image['snapshot_dashboard_taken'] = '1772366400'  # the fakes' own time
    return image


def read(openstack, image):
    return details.get(openstack.cloud(), row_id(image)).recipe


NETWORKS = [fakes.new_id() for _ in range(8)]
FIELDS = {'key_name': 'alice', 'OS-EXT-AZ:availability_zone': 'west',
          'security_groups': [{'name': 'default'}, {'name': 'a "b", c'},
                              {'name': 'default'}],
          'addresses': {'private': []}}


def test_all_of_it_is_kept_and_read_again(openstack):
    server = openstack.server('web', **FIELDS)
    openstack.networks[server['id']] = NETWORKS
    cloud = openstack.cloud()
    found = recipes.of(cloud, types.Server.from_api(server))
    assert found == recipes.Recipe(
        'm1.small', tuple(NETWORKS), ('default', 'a "b", c'), 'alice', 'west')
    image = captured(openstack, **FIELDS)
    assert read(openstack, image) == recipes.Recipe(
        'm1.small', (), ('default', 'a "b", c'), 'alice', 'west')
    image.update(recipes.write(found))
    assert read(openstack, image) == found
    assert max(len(value) for value in recipes.write(found).values()) <= 255


def test_without_networks_nobody_asks_for_them(openstack):
    captured(openstack)
    assert not [path for _, path, _ in openstack.calls
                if 'os-interface' in path]


def test_no_snapshot_fails_for_it(openstack):
    openstack.faults['GET', '/os-interface$'] = 503
    image = captured(openstack, **FIELDS)
    assert read(openstack, image).flavor == 'm1.small'


@pytest.mark.parametrize('mark, value', [
    ('security_groups', '{"not": "a list"}'), ('security_groups', '['),
    ('security_groups', '[1, null]'), ('networks', 'nonsense ../..')])
def test_what_others_wrote_there_is_not_taken_for_granted(openstack, mark,
                                                          value):
    image = captured(openstack)
    image[f'snapshot_dashboard_{mark}'] = value
    found = read(openstack, image)
    assert found.groups == () and found.networks == ()


def test_very_many_groups_are_cut_and_not_refused(openstack):
    image = captured(openstack, security_groups=[
        {'name': f'group-{number}-{"x" * 40}'} for number in range(20)])
    assert 0 < len(read(openstack, image).groups) < 20


def test_an_heir_has_no_recipe_of_its_parent(openstack):
    image = captured(openstack)
    image['instance_uuid'] = fakes.new_id()
    assert read(openstack, image) is None


def test_the_page_of_a_snapshot_shows_it(client, openstack, member):
    image = captured(openstack, **FIELDS)
    image.update(recipes.write(recipes.Recipe('m1.<b>', (NETWORKS[0],))))
    page = bs4.BeautifulSoup(client.get(
        f'{INDEX}{row_id(image)}/detail/').content, 'html.parser')
    text = words(page.select_one('.snapshot-recipe'))
    assert 'm1.<b>' in text and NETWORKS[0] in text and 'west' in text
