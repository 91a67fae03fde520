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

"""Who wrote a run's record: told by a key that only Horizon has.

Whoever may write the metadata of a server can write a record, or copy one
from another server. An open page would then do what it says, with the rights
of the member who has it open. So a page goes on by itself only with records
that this Horizon has sealed.
"""

import dataclasses
import hashlib
import hmac
import json
import secrets
from typing import Any

#: Characters of a run's id that are drawn, and that prove where it is from.
_DRAWN, _PROOF = 16, 16


def fingerprint(plan: Any) -> str:
    """Tells a plan, a data class, from any other, in 64 characters."""
    return hashlib.sha256(json.dumps(
        dataclasses.astuple(plan)).encode()).hexdigest()


class Seal:
    """Proves what this Horizon wrote.

    :param key: a secret that all processes of the Horizon share.
    """

    def __init__(self, key: str):
        self._key = key.encode()

    def new_run_id(self, server_id: str) -> str:
        """The id of a run on a server, which shows that it is ours."""
        drawn = secrets.token_hex(_DRAWN // 2)
        return drawn + self._proof(server_id, drawn)

    def made(self, run_id: str, server_id: str) -> bool:
        """Whether it is the id of a run of ours on this server."""
        return hmac.compare_digest(
            run_id[_DRAWN:].encode(),
            self._proof(server_id, run_id[:_DRAWN]).encode())

    def of(self, fingerprint: str) -> str:
        """What seals a plan."""
        return self._sign('plan', fingerprint)

    def holds(self, fingerprint: str, text: str) -> bool:
        """Whether a text is the seal of a plan."""
        return hmac.compare_digest(self.of(fingerprint).encode(),
                                   text.encode())

    def _proof(self, server_id: str, drawn: str) -> str:
        return self._sign('run', server_id, drawn)[:_PROOF]

    def _sign(self, *texts: str) -> str:
        return hmac.new(self._key, json.dumps(texts).encode(),
                        hashlib.sha256).hexdigest()
