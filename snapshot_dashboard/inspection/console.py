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

"""What a guest says on its console while it boots."""

import enum
import re


class Verdict(enum.Enum):
    """What came of a boot test."""

    BOOTED = 'booted'
    REPAIRED = 'repaired'
    PANICKED = 'panicked'
    STUCK = 'stuck'
    UNFINISHED = 'unfinished'
    SILENT = 'silent'
    NOT_LAUNCHED = 'not-launched'
    UNKNOWN = 'unknown'


#: What a guest may print when it is up; see the docs.
READY = 'snapshot-dashboard: ready'

#: A prompt of getty, on whose line the kernel may write; the last words of
#: cloud-init; or what is agreed upon.
_UP = (r'^[^\n]{0,200}\blogin: *(?:$|\[ *\d+\.\d+\]|\w+ \(automatic login\))'
       r'|Cloud-init v\. [^\n]{0,200} finished at '
       rf'|{re.escape(READY)}')
#: Of Linux, and of BSD, for programs panic in a word, too.
_PANIC = (r'Kernel panic - not syncing'
          r'|^panic: [^\n]{0,500}\n(?:cpuid|time) = ')
#: It wants somebody at its keyboard, or has found nothing to boot from. What
#: a boot may yet go on after is not among them.
_HELPLESS = (
    r'You are in emergency mode|Give root password for maintenance'
    r'|Cannot open access to console, the root account is locked'
    r'|^\(initramfs\)|^grub rescue>|^grub>|^dracut:/#'
    r'|No bootable device')
_EVENT = re.compile(
    f'(?P<up>{_UP})|(?P<panic>{_PANIC})|(?P<helpless>{_HELPLESS})',
    re.MULTILINE)
#: A check that has changed something. A journal that is replayed is none, nor
#: are files that were deleted while they were open: they belong to every boot
#: after a power failure.
_REPAIR = re.compile(
    r'FILE SYSTEM WAS MODIFIED|FILE SYSTEM WAS CHANGED|\bFIXED\.$'
    r'|Fixed filesystem errors', re.MULTILINE)
#: How a terminal is told where to write, and in which colour. Nova takes the
#: first character of that away (os-getConsoleOutput), and carriage returns.
_CONTROL = re.compile(
    r'\x1b?\[[0-9;?]{0,20}[HJKhlm]|\x1b[()][A-Z0-9]|[\r\x00]')


def judge(text: str) -> Verdict | None:
    """What the first words say that tell how it went; None for nothing yet.

    A guest that panics may boot again and again.
    """
    plain = _CONTROL.sub('', text)
    event = _EVENT.search(plain)
    if event is None:
        return None
    if event['panic']:
        return Verdict.PANICKED
    if event['helpless']:
        return Verdict.STUCK
    if _REPAIR.search(plain, 0, event.start()):
        return Verdict.REPAIRED
    return Verdict.BOOTED
