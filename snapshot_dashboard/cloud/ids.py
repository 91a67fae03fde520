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

"""Ids as the services give them, before they go into an address.

They come from addresses and from properties that any member can write, so
one may be ``detail``, or hold a slash.
"""

import re

from snapshot_dashboard.cloud import errors

_FORM = re.compile(r'[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}')


def is_id(text: object) -> bool:
    """Whether this is the id of a server, an image, a volume or the like."""
    return isinstance(text, str) and _FORM.fullmatch(text) is not None


def check(service: str, text: str) -> None:
    """Let nothing but an id through.

    :raises NotFound: for what cannot be one.
    """
    if not is_id(text):
        raise errors.NotFound(service, f'no id: {text!r}')


def require_own_project(service: str, owner: str, project_id: str) -> None:
    """Let nothing pass of another project, which an administrator can see.

    :param owner: the thing's project; empty where the service hides it.
    :raises NotFound: for a thing of another project.
    """
    if owner and owner != project_id:
        raise errors.NotFound(service, 'it belongs to another project')
