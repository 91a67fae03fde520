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

"""The panel's place beside Horizon's own."""

import pathlib
import re

from django.urls import reverse
import pytest

import horizon
import openstack_dashboard

import snapshot_dashboard
from tests import fakes
from tests.views.pages import INDEX


def test_it_stands_between_images_and_key_pairs(openstack, member):
    groups = horizon.get_dashboard('project').get_panel_groups()
    slugs = [panel.slug for panel in groups['compute']]
    at = slugs.index('compute_snapshots')
    assert slugs[at - 1:at + 2] == ['images', 'compute_snapshots',
                                    'key_pairs']


def test_horizons_own_panel_of_volume_snapshots_is_untouched():
    assert reverse('horizon:project:snapshots:index') == (
        '/project/snapshots/')
    assert reverse('horizon:project:compute_snapshots:index') == INDEX


@pytest.mark.parametrize('path', ['/project/snapshots/', '/project/images/',
                                  '/project/key_pairs/',
                                  '/project/volumes/'])
def test_horizons_own_pages_are_drawn_with_the_panel_on(
        client, openstack, member, path):
    response = client.get(path)
    assert response.status_code == 200
    assert INDEX in response.content.decode()


@pytest.mark.parametrize('services, shown', [
    (('compute', 'image', 'volume'), True), (('compute', 'image'), True),
    (('volume',), True), (('image',), True), (('compute',), False)])
def test_it_shows_with_glance_or_with_cinder(client, openstack, sign_in,
                                             services, shown):
    sign_in('member', 'reader', endpoints={name: fakes.ENDPOINTS[name]
                                 for name in services})
    page = client.get('/project/api_access/')
    assert (INDEX in page.content.decode()) is shown


def test_every_icon_is_one_in_horizons_other_theme_too():
    """It maps the icons that Horizon uses; any other looks like something."""
    known = re.findall(r"^  ([a-z-]+): '", pathlib.Path(
        openstack_dashboard.__path__[0], 'themes/material/static/horizon',
        '_icons.scss').read_text(), re.MULTILINE)
    ours = pathlib.Path(snapshot_dashboard.__path__[0])
    used = {icon for path in (*ours.rglob('*.html'), *ours.rglob('*.py'),
                              *ours.rglob('*.js'))
            for icon in re.findall(r"\bfa-([a-z-]+)|icon = '([a-z-]+)'",
                                   path.read_text())}
    assert {''.join(names) for names in used} <= set(known)
