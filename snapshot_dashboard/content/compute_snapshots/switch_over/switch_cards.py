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

"""The switch-overs that are under way or just over, for a template."""

from collections.abc import Iterable
from collections.abc import Mapping
import time
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from snapshot_dashboard.content.compute_snapshots import cells
from snapshot_dashboard.content.compute_snapshots import permissions
from snapshot_dashboard.content.compute_snapshots.switch_over import starting
from snapshot_dashboard.content.compute_snapshots.switch_over import (
    wording as switch_over_wording,
)
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.switch_overs import switch_over

_PANEL = 'horizon:project:compute_snapshots:'


def context(request: HttpRequest,
            found: Iterable[switch_over.SwitchOver],
            troubles: Mapping[str, str]) -> dict[str, Any]:
    """The template context of switch-overs, as they are.

    :param troubles: by the ids of their images, what was in the way of the
        last step.
    """
    may = permissions.can_switch_over(request)
    return {'switch_overs': [
        _shown(one, troubles.get(one.plan.home_id, ''), may)
        for one in found]}


def _shown(found: switch_over.SwitchOver, trouble: str,
           may: bool) -> dict[str, Any]:
    plan, progress, at = found.plan, found.progress, int(time.time())
    approved = starting.approves(found)
    hindrance = switch_over_wording.hindrance(found, at)
    return {
        'switch_over': found,
        'id': plan.home_id,
        'title': switch_over_wording.title(found),
        'class': ('danger' if progress.failure else 'warning'
                  if hindrance or trouble or not approved
                  else 'info' if found.open else 'success'),
        'now': switch_over_wording.now(found),
        **cells.times(plan.began_at, progress.ended_at, found.open, at),
        'outcome': switch_over_wording.outcome(found) if not found.open
        else '',
        'kept': switch_over_wording.kept(found),
        'hindrance': hindrance,
        'trouble': trouble,
        'unsealed': not approved,
        'row_id': model.row_id(kinds.Kind.INSTANCE, plan.home_id),
        'buttons': _buttons(found, approved) if may else []}


def _buttons(found: switch_over.SwitchOver,
             approved: bool) -> list[dict[str, str]]:
    home_id, side = found.plan.home_id, found.taker
    buttons = []
    if approved and found.progress.failure and not found.open:
        buttons.append(_turn(home_id, side, 'again', _("Try Again")))
    if approved:
        buttons.append(_turn(
            home_id, side.other, 'turn', _("Switch Back")
            if side is switch_over.Side.COPY else _("Switch Over Again")))
    if not (found.open and approved):
        buttons.append({
            'what': 'switch-dismiss', 'class': 'btn-default',
            'url': reverse(f'{_PANEL}dismiss_switch_over', args=[home_id]),
            'label': _("Dismiss"),
            'confirm': switch_over_wording.CONFIRM_DISMISS})
    return buttons


def _turn(home_id: str, side: switch_over.Side, what: str,
          label: str) -> dict[str, str]:
    """A button that names who is to have the addresses, for the card may be
    old.
    """
    return {'what': f'switch-{what}', 'class': 'btn-default', 'label': label,
            'url': reverse(f'{_PANEL}turn_switch_over',
                           args=[home_id, side.value]),
            'confirm': switch_over_wording.CONFIRM_TURN}


def state(found: Iterable[switch_over.SwitchOver]) -> str:
    """When this changes, the list below has changed too."""
    return ' '.join(f'{one.plan.run_id}:{one.progress.ended_at}'
                    for one in found)
