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

"""What is installed."""

import pytest

from tests.installation import environments


@pytest.fixture(scope='session')
def folder(tmp_path_factory):
    """A folder in which the repository was cloned, with what is not committed
    yet.
    """
    folder = tmp_path_factory.mktemp('operator')
    clone = folder / 'snapshot-dashboard'
    for part in ('snapshot_dashboard', 'enabled', 'README.rst', 'LICENSE',
                 'MANIFEST.in', 'setup.cfg', 'setup.py'):
        source, target = environments.ROOT / part, clone / part
        for path in [source] if source.is_file() else source.rglob('*'):
            if path.is_file() and path.suffix != '.pyc':
                copy = target / path.relative_to(source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(path.read_bytes())
    return folder
