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

"""Tests of views: an installed Horizon, and services faked below it."""

import datetime
import types

import bs4
from django.core import cache
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone
import pytest

from openstack_auth import user as auth_user
from openstack_auth import utils as auth_utils
from openstack_dashboard.test import helpers

from snapshot_dashboard.cloud import breakers
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.runs import situation
from tests import fakes


class _Token:
    """What Horizon keeps of a token."""

    def __init__(self, roles):
        self.id = 'token-of-the-test'
        self.unscoped_token = 'unscoped'
        self.user = {'id': 'alice', 'name': 'alice'}
        self.project = {'id': fakes.PROJECT, 'name': 'demo',
                        'domain_id': 'default'}
        self.tenant = self.project
        self.roles = [{'name': role} for role in roles]
        self.expires = timezone.now() + datetime.timedelta(days=1)


def catalogue(endpoints):
    types = {'compute': 'compute', 'image': 'image', 'volume': 'volumev3',
             'network': 'network'}
    entries = [{'type': types[name], 'name': name, 'endpoints': [
        {'interface': 'public', 'region': 'RegionOne',
         'region_id': 'RegionOne', 'url': url}]}
        for name, url in endpoints.items()]
    return [*entries, {'type': 'identity', 'name': 'keystone', 'endpoints': [
        {'interface': 'public', 'region': 'RegionOne',
         'region_id': 'RegionOne', 'url': 'http://keystone.test/v3'}]}]


class SignedIn:
    """Signs users in, by name of their role."""

    def __init__(self, monkeypatch):
        self._monkeypatch = monkeypatch

    def __call__(self, *roles, endpoints=None):
        token = _Token(roles)
        user = auth_user.User(
            id='alice', token=token, user='alice',
            domain_id='default', user_domain_name='Default',
            tenant_id=fakes.PROJECT, tenant_name='demo',
            project_name='demo', project_id=fakes.PROJECT,
            service_catalog=catalogue(fakes.ENDPOINTS if endpoints is None
                                      else endpoints),
            roles=token.roles, enabled=True,
            authorized_tenants=[], services_region='RegionOne')
        self._monkeypatch.setattr(auth_utils, 'get_user',
                                  lambda request: user)
        return user


@pytest.fixture(autouse=True)
def panels_without_keystone():
    """Other panels ask Keystone while they draw the navigation."""
    patchers = helpers._apply_panel_mocks()
    yield
    for patcher in patchers.values():
        patcher.stop()


@pytest.fixture(autouse=True)
def nothing_is_remembered(monkeypatch):
    """Of names, and of services that hung."""
    cache.cache.clear()
    monkeypatch.setattr(connect, 'BREAKER', breakers.Breaker())


@pytest.fixture
def no_pauses(monkeypatch):
    """What is asked again, or looked for again, is so at once."""
    monkeypatch.setattr(situation, 'REFUSED_PAUSE', 0)
    monkeypatch.setattr(situation, 'UNSEEN_GRACE', 0)


@pytest.fixture
def openstack():
    """Services that answer over HTTP; anything else fails the test."""
    with fakes.faked() as openstack:
        yield openstack


@pytest.fixture
def sign_in(monkeypatch):
    return SignedIn(monkeypatch)


@pytest.fixture
def member(sign_in):
    return sign_in('member', 'reader')


@pytest.fixture
def admin(sign_in):
    return sign_in('admin', 'member', 'reader')


@pytest.fixture
def reader(sign_in):
    return sign_in('reader')


@pytest.fixture
def show(member):
    """Shows a tab of what Horizon's page is about."""
    # Horizon finds the panels' templates once it has their addresses.
    reverse('horizon:project:compute_snapshots:index')

    def made(tab_class, **page):
        request = RequestFactory().get('/')
        request.user, request.session = member, {}
        made = tab_class(types.SimpleNamespace(kwargs=page), request)
        return bs4.BeautifulSoup(render_to_string(
            made.template_name, made.get_context_data(request)),
            'html.parser')
    return made
