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

import re
import time

import pytest

from snapshot_dashboard.inspection import console
from snapshot_dashboard.inspection.console import Verdict

BOOT = 'Linux version 6.1\r\n[    0.0] Command line: quiet\r\n'


@pytest.mark.parametrize(('said', 'verdict'), [
    ('', None),
    (BOOT, None),
    (BOOT + '\r\nDebian GNU/Linux 12 web-1 ttyS0\r\n\r\nweb-1 login: ',
     Verdict.BOOTED),
    (BOOT + '\r\n\x1b[0;1;39mcirros login: \x1b[0m', Verdict.BOOTED),
    # The kernel, and others, write on the prompt's line.
    (BOOT + 'web-1 login: [   15.3] IPv6: ADDRCONF(NETDEV_CHANGE): eth0\n',
     Verdict.BOOTED),
    (BOOT + 'web-1 login: root (automatic login)\n', Verdict.BOOTED),
    (BOOT + '[   23.9] cloud-init[855]: Cloud-init v. 23.1 finished at Tue\n',
     Verdict.BOOTED),
    (BOOT + 'Cloud-init v. 22.4.2 finished at Tue, 01 Mar 2026. Up 9.1 s\n',
     Verdict.BOOTED),
    (BOOT + '[  OK  ] snapshot-dashboard: ready\n', Verdict.BOOTED),
    # To log in is spoken of before anybody can.
    (BOOT + 'Starting Login Service...\nlogin: the guest is good\n', None),
    (BOOT + '[    1.2] Kernel panic - not syncing: VFS: Unable to mount root '
     'fs\n', Verdict.PANICKED),
    # It boots again, and that is not what the snapshot did by itself.
    (BOOT + 'Kernel panic - not syncing: x\n' + BOOT + 'web-1 login: ',
     Verdict.PANICKED),
    ('panic: root mount failed\ncpuid = 0\n', Verdict.PANICKED),
    # What boots on is no end: a program's panic, a bug of the kernel, a disk
    # that nothing needs, firmware that tries the next disk.
    ('panic: runtime error: index out of range\n\ngoroutine 1\nweb-1 login: ',
     Verdict.BOOTED),
    ('[ 1.2] Oops: 0000 [#1] SMP\nweb-1 login: ', Verdict.BOOTED),
    ('/dev/vdb: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.\nweb-1 login: ',
     Verdict.BOOTED),
    ('Boot failed: not a bootable disk\nweb-1 login: ', Verdict.BOOTED),
    ('You are in emergency mode. After logging in, type\n', Verdict.STUCK),
    ('ALERT! UUID=1 does not exist. Dropping to a shell!\n\n(initramfs) ',
     Verdict.STUCK),
    ('\x1b[2JBooting from Hard Disk...\r\nNo bootable device.\r\n',
     Verdict.STUCK),
    ('\x1b[H\x1b[J\x1b[1;1Hgrub rescue> ', Verdict.STUCK),
    ('\x1b[?2004hdracut:/# ', Verdict.STUCK),
    ('\x1b[0m(initramfs) ', Verdict.STUCK),
    # What every boot after a power failure does is no repair.
    (BOOT + '/dev/vda1: recovering journal\n/dev/vda1: Clearing orphaned '
     'inode 12 (uid=0)\n/dev/vda1: clean, 11/64 files\n'
     'web-1 login: ', Verdict.BOOTED),
    (BOOT + '/dev/vda1: Block bitmap differences: -12. FIXED.\n'
     '/dev/vda1: ***** FILE SYSTEM WAS MODIFIED *****\nweb-1 login: ',
     Verdict.REPAIRED),
    (BOOT + 'Inode 12 ref count is 2, should be 1.  FIXED.\r\nweb-1 login: ',
     Verdict.REPAIRED),
    # A repair after the prompt is not one of the boot.
    (BOOT + 'web-1 login: \n***** FILE SYSTEM WAS MODIFIED *****\n',
     Verdict.BOOTED),
])
def test_the_first_telling_words_decide(said, verdict):
    assert console.judge(said) is verdict
    # Nova takes control characters away.
    assert console.judge(re.sub(r'[\x00-\x08\x0b-\x1f]', '', said)) is verdict


@pytest.mark.parametrize('text', [
    'a' * 100_000, ' ' * 100_000, '\n' * 100_000, '\x1b[' * 50_000,
    'Cloud-init v. ' * 7_000, ('x' * 250 + ' login:') * 400,
    '[' * 100_000, '[ 1.' * 25_000])
def test_no_console_takes_long_to_read(text):
    before = time.thread_time()
    assert console.judge(text) is None
    assert time.thread_time() - before < 2
