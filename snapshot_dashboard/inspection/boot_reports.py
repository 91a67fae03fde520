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

"""What a boot test has shown, noted on the snapshot that it was about."""

import dataclasses
import datetime
import hashlib

from snapshot_dashboard.cloud import types
from snapshot_dashboard.inspection import console

#: On an image: the verdict, when it was found, and of what data.
TESTED = 'snapshot_dashboard_boot_test'


@dataclasses.dataclass(frozen=True)
class Report:
    """A verdict, and when it was found.

    :ivar before: the one before, where this one tells nothing of the
        snapshot.
    """

    verdict: console.Verdict
    at: datetime.datetime
    before: 'Report | None' = None


def digest(image: types.Image) -> str:
    """What tells what an image boots from from anything else.

    The checksum of its data, or the volume snapshots that it maps; empty
    where it has neither, or where it has both: Nova would make volumes that
    nobody removes.
    """
    mapping = image.properties.get('block_device_mapping', '').strip()
    if mapping not in ('', '[]') and not image.volume_backed:
        return ''
    if image.volume_backed:
        return hashlib.sha256(' '.join(sorted(image.mapped)).encode()
                              ).hexdigest()[:types.DIGEST_LENGTH]
    return image.data_digest


#: Those that tell of the cloud, and nothing of the snapshot.
_UNTELLING = (console.Verdict.NOT_LAUNCHED, console.Verdict.UNKNOWN)


def write(verdict: console.Verdict, at: int, of: str,
          there: Report | None = None) -> dict[str, str]:
    """The property that notes it.

    :param at: seconds since the epoch.
    :param of: the digest of what was tested.
    :param there: what is noted by now. It is kept beside a verdict that tells
        nothing of the snapshot.
    """
    text = f'{verdict.value} {at} {of}'
    if there is not None and verdict in _UNTELLING:
        kept = there.before or there
        if kept.verdict not in _UNTELLING:
            text += f' {kept.verdict.value} {int(kept.at.timestamp())}'
    return {TESTED: text}


def read(image: types.Image) -> Report | None:
    """What was noted of just this data; None for nothing.

    Those that inherit the properties of an image have other data.
    """
    verdict, at, of, before, before_at = (
        image.properties.get(TESTED, '').split() + [''] * 5)[:5]
    if not of or of != digest(image):
        return None
    found = _report(verdict, at)
    return found and dataclasses.replace(found,
                                         before=_report(before, before_at))


def _report(verdict: str, at: str) -> Report | None:
    moment = types.whole_number(at)
    if moment is None:
        return None
    try:
        return Report(console.Verdict(verdict),
                      datetime.datetime.fromtimestamp(moment, datetime.UTC))
    except (ValueError, OverflowError, OSError):
        return None
