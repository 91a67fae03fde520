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
    ('panic: root mount failed\n', Verdict.PANICKED),
    ('You are in emergency mode. After logging in, type\n', Verdict.STUCK),
    ('ALERT! UUID=1 does not exist. Dropping to a shell!\n\n(initramfs) ',
     Verdict.STUCK),
    ('\x1b[2JBooting from Hard Disk...\r\nNo bootable device.\r\n',
     Verdict.STUCK),
    ('/dev/vda1: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.\n',
     Verdict.STUCK),
    # What every boot after a power failure does is no repair.
    (BOOT + '/dev/vda1: recovering journal\n/dev/vda1: clean, 11/64 files\n'
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


@pytest.mark.parametrize('text', [
    'a' * 100_000, ' ' * 100_000, '\n' * 100_000, '\x1b[' * 50_000,
    'Cloud-init v. ' * 7_000, ('x' * 250 + ' login:') * 400,
    '[' * 100_000, '[ 1.' * 25_000])
def test_no_console_takes_long_to_read(text):
    before = time.thread_time()
    assert console.judge(text) is None
    assert time.thread_time() - before < 2
