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

"""What a user may do is asked of Horizon's policy, once per request."""

import gc
import inspect
import pathlib
import types
import weakref

from django.http import HttpRequest
import pytest

from openstack_auth import policy as auth_policy
from openstack_dashboard import policy

from snapshot_dashboard.content.compute_snapshots import permissions

POLICIES = pathlib.Path(__file__).parents[2] / 'doc' / 'source' / 'policies'


def request_of(user_id, project='p', roles=('member',)):
    request = HttpRequest()
    request.user = types.SimpleNamespace(
        id=user_id, tenant_id=project,
        roles=[{'id': 'x', 'name': role} for role in roles])
    return request


def test_each_question_is_asked_once_per_request_user_and_project(
        monkeypatch):
    asked = []

    def check(rules, request, target):
        asked.append((request.user.id, target['project_id']))
        return request.user.id == 'alice'

    monkeypatch.setattr(policy, 'check', check)
    request = request_of('alice')
    for _ in range(3):
        assert permissions.can_launch(request)
        assert permissions.can_share(request)
    assert len(asked) == 2
    request.user = request_of('bob').user
    assert not permissions.can_launch(request)
    request.user.tenant_id = 'another'
    assert not permissions.can_launch(request)
    assert asked[2:] == [('bob', 'p'), ('bob', 'another')]
    assert permissions.can_launch(request_of('alice'))


def test_the_answers_go_with_their_request(monkeypatch):
    monkeypatch.setattr(policy, 'check', lambda *args: True)
    request = request_of('alice')
    assert permissions.can_launch(request) and permissions.can_launch(request)
    gone = weakref.ref(request)
    del request
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(('knows_readers', 'roles', 'may'), [
    (False, ('reader',), False), (False, ('Reader',), False),
    (False, ('reader', 'member'), True), (False, ('operator',), True),
    (False, ('reader', 'snapshots'), True), (True, ('reader',), True)])
def test_before_horizon_27_who_is_but_a_reader_is_offered_nothing(
        monkeypatch, knows_readers, roles, may):
    monkeypatch.setattr(policy, 'check', lambda *args: True)
    monkeypatch.setattr(permissions, '_KNOWS_READERS', knows_readers)

    assert permissions.can_launch(request_of('rita', roles=roles)) is may


def test_nobody_is_offered_what_the_policy_refuses(monkeypatch):
    monkeypatch.setattr(policy, 'check', lambda *args: False)
    monkeypatch.setattr(permissions, '_KNOWS_READERS', False)

    assert not permissions.can_launch(request_of('alice'))


@pytest.fixture
def documented_policies(monkeypatch, settings):
    """What operators of a Horizon before 27 are told to write."""
    monkeypatch.setattr(auth_policy, '_ENFORCER', None)
    settings.POLICY_FILES = {
        **settings.POLICY_FILES,
        **{service: str(POLICIES / f'{name}_policy.yaml')
           for service, name in {'compute': 'nova', 'volume': 'cinder',
                                 'image': 'glance', 'network': 'neutron'
                                 }.items()}}


@pytest.mark.parametrize('roles', [('reader', 'auditor'),
                                   ('reader', 'member')])
def test_with_the_documented_policies_members_alone_are_offered_something(
        documented_policies, sign_in, roles):
    request = HttpRequest()
    request.user = sign_in(*roles)
    may = {name: ask(request) for name, ask in inspect.getmembers(
        permissions, inspect.isfunction) if name.startswith('can_')
        and len(inspect.signature(ask).parameters) - len([
            one for one in inspect.signature(ask).parameters.values()
            if one.default is not one.empty]) == 1}
    assert len(may) > 15
    assert set(may.values()) == {'member' in roles}, may
    assert permissions.only_looks(request) is ('member' not in roles)
