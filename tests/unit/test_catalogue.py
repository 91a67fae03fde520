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

"""The shipped catalogues hold every text that is marked."""

import pytest

from tests import catalogue


@pytest.mark.parametrize('domain', catalogue.DOMAINS)
def test_the_catalogue_holds_every_marked_text(domain):
    shipped = catalogue.texts(
        (catalogue.HOME / f'{domain}.pot').read_text())
    marked = catalogue.texts(catalogue.extract(domain))
    assert len(marked) > 1
    assert shipped == marked, 'refresh it: python3 -m tests messages'
