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

"""Why a run did not do all that was asked for."""

import enum


class Failure(enum.Enum):
    """Why a run did not do all that was asked for."""

    SERVER_GONE = 'server-gone'
    NOT_BEGUN = 'not-begun'
    RECORD_LOST = 'record-lost'
    STOP_REFUSED = 'stop-refused'
    STOP_FAILED = 'stop-failed'
    FORCED_OFF = 'forced-off'
    STARTED_BY_OTHERS = 'started-by-others'
    WRONG_STATE = 'wrong-state'
    VOLUME_DETACHED = 'volume-detached'
    SNAPSHOT_REFUSED = 'snapshot-refused'
    SNAPSHOT_FAILED = 'snapshot-failed'
    CAPTURE_REFUSED = 'capture-refused'
    CAPTURE_FAILED = 'capture-failed'
    IMAGE_VANISHED = 'image-vanished'
    IMAGE_ABANDONED = 'image-abandoned'
    IMAGE_EMPTY = 'image-empty'
    PART_FAILED = 'part-failed'
    PART_ABANDONED = 'part-abandoned'
    CANCELLED = 'cancelled'


#: After these what there is of the snapshot is left to its owner, to whom it
#: may be worth much.
KEEPING = frozenset({Failure.PART_FAILED.value, Failure.PART_ABANDONED.value,
                     Failure.IMAGE_EMPTY.value})


def known(code: str, failures: type[enum.Enum] = Failure) -> str:
    """A code for logs and counters, for anybody may write into a record.

    :param failures: those that there are.
    :returns: the code; empty for none, ``other`` for an unknown one.
    """
    try:
        return str(failures(code).value) if code else ''
    except ValueError:
        return 'other'
