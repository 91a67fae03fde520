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

"""Instances that certainly have no recent snapshot."""

import datetime

import pytest

from snapshot_dashboard.snapshots import coverage
from tests import fakes

DAY = 24 * 3600
#: Nine days after the instances were made.
NOW = 9 * DAY


@pytest.fixture
def server(openstack):
    return openstack.server('web', created=fakes.stamp(0))


def uncovered(openstack, days=7, passed_over=lambda server: False):
    since = datetime.datetime.fromisoformat(fakes.stamp(NOW - days * DAY))
    return [one.name for one in coverage.find_uncovered(
        openstack.cloud(), since, passed_over)]


def test_an_instance_without_a_snapshot_is_found(openstack, server):
    assert uncovered(openstack) == ['web']


@pytest.mark.parametrize(('at', 'expected'), [
    (NOW - DAY, []), (NOW - 8 * DAY, ['web'])])
@pytest.mark.parametrize('kind', ['snapshot', 'backup'])
def test_a_recent_image_of_it_covers_it(openstack, server, at, expected, kind):
    openstack.image('i', at, instance_uuid=server['id'], image_type=kind)
    assert uncovered(openstack) == expected


@pytest.mark.parametrize('status', ['killed', 'queued', 'saving'])
def test_what_is_not_finished_covers_nothing(openstack, server, status):
    openstack.image('i', NOW, instance_uuid=server['id'], status=status)
    assert uncovered(openstack) == ['web']


def test_the_image_of_another_instance_covers_nothing(openstack, server):
    openstack.image('i', NOW, instance_uuid=fakes.new_id(7))
    assert uncovered(openstack) == ['web']


@pytest.mark.parametrize(('at', 'status', 'expected'), [
    (NOW - DAY, 'available', []), (NOW - 8 * DAY, 'available', ['web']),
    (NOW - DAY, 'error', ['web'])])
def test_so_does_a_snapshot_of_one_of_its_volumes(openstack, server, at,
                                                  status, expected):
    volume = openstack.volume('data')
    openstack.attach(server, volume, '/dev/vdb')
    openstack.snapshot('v', at, volume_id=volume['id'], status=status)
    assert uncovered(openstack) == expected


def test_who_is_younger_is_not_counted(openstack):
    openstack.server('new', created=fakes.stamp(NOW - DAY))
    assert uncovered(openstack) == []


@pytest.mark.parametrize('status', ['BUILD', 'SOFT_DELETED'])
def test_what_holds_nothing_is_not_counted(openstack, server, status):
    server['status'] = status
    assert uncovered(openstack) == []


def test_who_needs_none_is_passed_over(openstack, server):
    assert uncovered(openstack, passed_over=lambda one: True) == []


def test_they_come_by_name(openstack):
    for name in ('b', 'C', 'a'):
        openstack.server(name, created=fakes.stamp(0))
    assert uncovered(openstack) == ['a', 'b', 'C']


@pytest.mark.parametrize('path', ['/servers', '/v2/images', '/snapshots'])
def test_what_is_not_known_is_not_told(openstack, server, path):
    openstack.faults['GET', path] = 503
    assert uncovered(openstack) == []


@pytest.mark.parametrize('name', ['_INSTANCES', '_SNAPSHOTS'])
def test_of_a_project_that_is_too_large_nothing_is_told(
        openstack, server, monkeypatch, name):
    monkeypatch.setattr(coverage, name, 2)
    for number in range(2):
        openstack.server(f's{number}', created=fakes.stamp(0))
        openstack.image(f'i{number}', NOW, instance_uuid=fakes.new_id(7))
    assert uncovered(openstack) == []


def test_many_that_are_older_do_not_matter(openstack, server, monkeypatch):
    monkeypatch.setattr(coverage, '_SNAPSHOTS', 2)
    for number in range(3):
        openstack.snapshot(f'v{number}', number)
    assert uncovered(openstack) == ['web']
