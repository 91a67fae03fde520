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

"""Several workers share the work."""

import threading
from unittest import mock

import pytest

from snapshot_dashboard.worker import partition
from tests.unit.worker.handing_on import until


def test_a_coordinator_that_is_not_there_leaves_everything_to_everyone():
    shared = partition.Shared('redis://127.0.0.1:1')
    # At once: to find out that it is not there may take a minute.
    assert shared.of({'a', 'b'}) == {'a', 'b'}


@pytest.mark.parametrize('url', ['redis', 'pigeon://loft', 'zookeeper://z'])
def test_a_coordinator_that_cannot_be_is_told(url):
    """The last one's client is not installed."""
    with pytest.raises(ValueError, match=url):
        partition.Shared(url)


def test_a_coordinators_password_is_not_told(monkeypatch, caplog):
    with pytest.raises(ValueError, match='pigeon') as raised:
        partition.Shared('pigeon://keeper:s3%40cret@loft')
    assert 's3' not in str(raised.value)

    def refuse(url, name):
        if threading.current_thread() is not threading.main_thread():
            raise OSError(f'{url}: s3@cret is wrong')
        return mock.Mock()
    monkeypatch.setattr(partition.coordination, 'get_coordinator', refuse)
    shared = partition.Shared('redis://:s3%40cret@127.0.0.1:1')
    until(lambda: 'does not answer' in caplog.text)
    shared.leave()
    assert 's3' not in caplog.text and '127.0.0.1:1' in caplog.text


def test_two_on_one_machine_share_by_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr(partition, '_INTERVAL', 0.05)
    trusts = {f'trust-{number}' for number in range(40)}
    both = [partition.Shared(f'file://{tmp_path}') for _ in range(2)]
    until(lambda: not both[0].of(trusts) & both[1].of(trusts))
    first, second = (one.of(trusts) for one in both)
    assert first | second == trusts and first and second
    both[0].leave()
    until(lambda: both[1].of(trusts) == trusts)
    both[1].leave()
