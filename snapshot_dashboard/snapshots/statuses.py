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

"""All the statuses that a snapshot can have, and what each one means.

From Glance's and Cinder's references: Image API v2, image statuses; Block
Storage API v3, snapshot statuses.
"""

import enum


class Outcome(enum.Enum):
    """Whether a snapshot is still changing."""

    PENDING = 'moving'
    DONE = 'done'
    FAILED = 'failed'


#: The status of a set whose image is there and a part of which is not.
INCOMPLETE = 'incomplete'
#: The status of an image that was begun long ago and that nobody works on.
LEFT_OVER = 'left-over'

MOTIONS: dict[str, Outcome] = {
    # Glance
    'queued': Outcome.PENDING,
    'saving': Outcome.PENDING,
    'uploading': Outcome.PENDING,
    'importing': Outcome.PENDING,
    'pending_delete': Outcome.PENDING,
    'active': Outcome.DONE,
    'deactivated': Outcome.DONE,
    'deleted': Outcome.FAILED,
    'killed': Outcome.FAILED,
    # Cinder
    'creating': Outcome.PENDING,
    'backing-up': Outcome.PENDING,
    'restoring': Outcome.PENDING,
    'deleting': Outcome.PENDING,
    'unmanaging': Outcome.PENDING,
    'available': Outcome.DONE,
    'error': Outcome.FAILED,
    'error_deleting': Outcome.FAILED,
    # ours
    INCOMPLETE: Outcome.FAILED,
    LEFT_OVER: Outcome.FAILED,
}


def motion(status: str) -> Outcome:
    """Whether to look again; an unknown status is taken as final.

    So a status that a later release brings never polls for ever.
    """
    return MOTIONS.get(status, Outcome.DONE)
