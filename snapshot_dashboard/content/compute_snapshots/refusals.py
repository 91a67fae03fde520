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

"""What the services do not let a user bring forward.

Policies are looser in some Horizons than in the services. An open page
remembers what was refused, in fields of its own, and does not ask for ever.
"""

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.content.compute_snapshots import wording

#: The name of the fields.
FIELD = 'refused'
#: In the place of an id, for the boot tests of a page.
TESTS = 'tests'
#: How often in a row it takes: a proxy may have said it once.
_BELIEVED = 2


class Refusals:
    """By the ids in whose cards they are told: which service, how often.

    :param fields: as a page has sent them, or anybody.
    """

    def __init__(self, fields: Iterable[str]):
        self._said: dict[str, tuple[str, int]] = {}
        for field in fields:
            of, service, count = (field.split(' ') + ['', ''])[:3]
            if of and service in wording.SERVICES and count in ('1', '2'):
                self._said[of] = service, int(count)

    def believed(self, of: str) -> bool:
        """Whether it is not to be asked for again."""
        return self._said.get(of, ('', 0))[1] >= _BELIEVED

    def note(self, asked: Collection[str],
             troubles: Mapping[str, errors.ServiceError]) -> None:
        """Note what came of what was asked for just now."""
        for of in asked:
            _, count = self._said.pop(of, ('', 0))
            error = troubles.get(of)
            if error is not None and errors.lacks_rights(error):
                self._said[of] = error.service, min(count + 1, _BELIEVED)

    def forget(self, of: str) -> None:
        """Ask for it again, for a user wishes so."""
        self._said.pop(of, None)

    @property
    def fields(self) -> list[str]:
        """What the page is to send with its next request."""
        return [f'{of} {service} {count}'
                for of, (service, count) in self._said.items()]

    @property
    def errors(self) -> dict[str, errors.ServiceError]:
        """What was believed, as it was said."""
        return {of: errors.Forbidden(service)
                for of, (service, _) in self._said.items()
                if self.believed(of)}
