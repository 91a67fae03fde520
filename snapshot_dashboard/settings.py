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

"""The operator's settings: one dict, ``SNAPSHOT_DASHBOARD``, over defaults.

This is the only module that reads Django's settings for the plugin.
"""

import functools
from typing import Any

from django.conf import settings
from django.core import exceptions
from django.core import signals

from snapshot_dashboard import notices
from snapshot_dashboard.cloud import limits

DEFAULTS: dict[str, Any] = {
    # Seconds that one call to a service may take.
    'TIMEOUT': 10.0,
    # Seconds between two looks of the open page at a run.
    'POLL_INTERVAL': 2.0,
    # Seconds that Nova waits for a guest to shut down before it pulls the
    # plug, where the image does not say: nova.conf's shutdown_timeout.
    'SHUTDOWN_TIMEOUT': 60,
    # Seconds that an instance may wait for a volume snapshot to be made, and
    # for a capture that a service does not want now.
    'SNAPSHOT_TIMEOUT': 600,
    # Seconds after which a run is not begun any more.
    'BEGIN_WITHIN': 3600,
    # Seconds that a boot test waits for a guest, once its instance runs.
    'BOOT_TEST_TIMEOUT': 600,
    # The volume types whose storage takes every byte of a snapshot that a
    # volume is overwritten with, so that instances go back to theirs in place;
    # '*' for all.
    'OVERWRITABLE_VOLUME_TYPES': [],
    # Whether the wizard suggests to power a running instance off.
    'POWER_OFF_BY_DEFAULT': True,
    # Whether Create Snapshot on the rows of Horizon's Instances and Volumes
    # opens the wizard.
    'ROW_ACTIONS': True,
    # The id of the worker's user: runs are handed on to it. Empty for none;
    # a dict by region where Horizon shows several.
    'WORKER_USER_ID': '',
    # The name of the role that it gets for a run, of those the user has.
    'WORKER_ROLE': 'member',
    # Hours for which it has that role at the most.
    'WORKER_TRUST_HOURS': 24.0,
    # Days after which a snapshot is called old above the list; 0 for never.
    'OLD_AFTER_DAYS': 0,
    # Days after which an instance without a newer snapshot is pointed out
    # above the list; 0 for never.
    'COVERED_WITHIN_DAYS': 7,
    # What users are told above the list and in the wizard.
    'NOTICES': [],
    # The address of the local guide, or nothing.
    'GUIDE_URL': '',
}


#: The least that a number may be: an open page must not hammer, and a call
#: needs some time.
MINIMA = {'TIMEOUT': 1, 'POLL_INTERVAL': 0.5, 'SHUTDOWN_TIMEOUT': 0,
          'SNAPSHOT_TIMEOUT': 30, 'BEGIN_WITHIN': 60, 'BOOT_TEST_TIMEOUT': 10,
          'OLD_AFTER_DAYS': 0, 'COVERED_WITHIN_DAYS': 0,
          'WORKER_TRUST_HOURS': 1}
#: The most: what a run waits for, and what its record has room for.
MAXIMA = {'TIMEOUT': limits.LONGEST_CALL, 'SHUTDOWN_TIMEOUT': 99_999,
          'SNAPSHOT_TIMEOUT': 99_999, 'BEGIN_WITHIN': 99_999,
          'BOOT_TEST_TIMEOUT': 3600, 'COVERED_WITHIN_DAYS': 3650}


@functools.lru_cache(maxsize=1)
def _merged() -> dict[str, Any]:
    own = getattr(settings, 'SNAPSHOT_DASHBOARD', {})
    if not isinstance(own, dict):
        raise exceptions.ImproperlyConfigured(
            f'SNAPSHOT_DASHBOARD is {own!r}; it must be a dict.')
    unknown = ', '.join(sorted(set(own) - set(DEFAULTS)))
    if unknown:
        raise exceptions.ImproperlyConfigured(
            f'SNAPSHOT_DASHBOARD has no setting called {unknown}. There are: '
            f'{", ".join(sorted(DEFAULTS))}.')
    for name, value in own.items():
        _check(name, value)
    merged = {**DEFAULTS, **own}
    try:
        merged['NOTICES'] = notices.parse_all(merged['NOTICES'])
    except ValueError as error:
        raise exceptions.ImproperlyConfigured(
            f"SNAPSHOT_DASHBOARD['NOTICES']: {error}.") from None
    return merged


def _check(name: str, value: Any) -> None:
    """:raises ImproperlyConfigured: for a value that cannot be meant."""
    def must(be: str) -> exceptions.ImproperlyConfigured:
        return exceptions.ImproperlyConfigured(
            f"SNAPSHOT_DASHBOARD['{name}'] is {value!r}; it must {be}.")

    default = DEFAULTS[name]
    number = isinstance(default, (int, float))
    if isinstance(default, bool) != isinstance(value, bool) or (
            number and not isinstance(value, (int, float))):
        raise must(f'be of the kind of its default, {default!r}')
    if isinstance(default, int) and isinstance(value, float):
        raise must('be a whole number')
    if name in MINIMA and value < MINIMA[name]:
        raise must(f'be {MINIMA[name]} or more')
    if name in MAXIMA and value > MAXIMA[name]:
        raise must(f'be {MAXIMA[name]} or less')
    if name == 'GUIDE_URL' and value and not notices.is_web_address(value):
        raise must('begin with http:// or https://')
    if name == 'OVERWRITABLE_VOLUME_TYPES' and not (
            isinstance(value, (list, tuple))
            and all(isinstance(one, str) for one in value)):
        raise must('be a list of names of volume types')
    if name == 'WORKER_USER_ID':
        ids = value.values() if isinstance(value, dict) else [value]
        if not all(isinstance(user_id, str) for user_id in ids):
            raise must('be the id of a user, or a dict of such ids by region')


def get(name: str) -> Any:
    """The value of one setting.

    :raises ImproperlyConfigured: for a misspelt or mistyped setting.
    """
    return _merged()[name]


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting == 'SNAPSHOT_DASHBOARD':
        _merged.cache_clear()


signals.setting_changed.connect(
    _forget, dispatch_uid='snapshot_dashboard.settings')
