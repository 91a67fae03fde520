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

"""Thinning out the snapshots of an instance or volume by rules.

The page shows what each rule keeps, and leads to the plan of the deletion;
only that deletes.
"""

from collections.abc import Iterable
from collections.abc import Sequence
import functools
from typing import Any

from django.core import exceptions as django_exceptions
from django.http import Http404
from django.http import HttpRequest
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from horizon import messages
from horizon import views as horizon_views

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.content.compute_snapshots import cells
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots import permissions
from snapshot_dashboard.content.compute_snapshots import redirects
from snapshot_dashboard.content.compute_snapshots.delete import (
    views as delete_views,
)
from snapshot_dashboard.content.compute_snapshots.delete import (
    wording as delete_wording,
)
from snapshot_dashboard.content.compute_snapshots.thin_out import (
    forms as thin_out_forms,
)
from snapshot_dashboard.content.compute_snapshots.thin_out import (
    wording as thin_out_wording,
)
from snapshot_dashboard.schedules import forecast
from snapshot_dashboard.schedules import rhythms
from snapshot_dashboard.schedules import room
from snapshot_dashboard.snapshots import by_instance
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.snapshots import retention
from snapshot_dashboard.snapshots import thinning

#: How far one may look ahead: a month and a year.
_DAYS = (30, 365)
_PANEL = 'horizon:project:compute_snapshots:'


def _look(request: HttpRequest, source_id: str) -> thinning.Copies:
    """The snapshots of an instance or volume, by an id like a row's.

    :raises Http404: when there is no such thing.
    :raises ServiceError: when its service does not tell.
    """
    try:
        kind, service_id = model.parse_row_id(source_id)
    except ValueError:
        raise Http404 from None
    try:
        return thinning.find(
            connect.cloud(request), kind, service_id, timezone.localdate(),
            functools.partial(permissions.can_delete, request))
    except errors.NotFound:
        raise Http404 from None


def _judge(copies: Iterable[retention.Copy],
           rules: retention.Rules) -> list[retention.Verdict]:
    """With the days of the user's own time zone."""
    return retention.judge(copies, rules, timezone.get_current_timezone(),
                           timezone.now())


def _rows(verdicts: Iterable[retention.Verdict]) -> list[model.Snapshot]:
    return [one.copy.thing.snapshot for one in verdicts]


class ThinOutView(horizon_views.HorizonTemplateView):
    """What would be kept by which rules, and why."""

    template_name = 'project/compute_snapshots/thin_out/thin_out.html'
    page_title = _("Thin Out Snapshots")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        if not permissions.can_delete_any(self.request):
            raise django_exceptions.PermissionDenied
        context: dict[str, Any] = super().get_context_data(**kwargs)
        source_id = kwargs['source_id']
        form = thin_out_forms.RulesForm(self.request.GET)
        rules = form.rules()
        context.update(form=form, source_id=source_id,
                       zone=timezone.get_current_timezone_name(),
                       most=by_instance.MOST)
        try:
            found = _look(self.request, source_id)
        except errors.ServiceError as error:
            return {**context, 'problems': [
                delete_wording.not_offered(error)]}
        context.update(source=found.source, problems=[
            delete_wording.not_offered(problem) for problem
            in errors.deduplicate_by_service(found.problems)])
        if rules is None or found.problems:
            return context
        verdicts = _judge(found.copies, rules)
        going = _rows(one for one in verdicts if not one.keep)
        freed = sum(row.size_bytes for row in going)
        rhythm = form.rhythm(timezone.get_current_timezone())
        return {
            **context,
            'forecast': rhythm and _foresee(self.request, found, rules,
                                            rhythm),
            'verdicts': [{
                'row': row, 'keep': one.keep,
                'created': cells.render_created(row),
                'size': cells.render_size(row),
                'reason': thin_out_wording.reason(one, rules),
            } for one, row in zip(verdicts, _rows(verdicts), strict=True)],
            'kept': len(verdicts) - len(going),
            'going': len(going),
            'freed': cells.size_text(freed) if freed else '',
            'review': _address('review', source_id, form.cleaned_data),
        }


class ReviewView(delete_views.DeleteView):
    """Offers what rules do not keep for deletion, and deletes it.

    The rules are asked again when it is confirmed: what they need by then
    stays.
    """

    def get(self, request: HttpRequest, source_id: str) -> HttpResponse:
        verdicts = self._judged(request, source_id)
        if isinstance(verdicts, HttpResponse):
            return verdicts
        unsure = _rows(_old_and_uncertain(verdicts))
        notes = [delete_wording.unsure(unsure)] if unsure else []
        going = _rows(one for one in verdicts if not one.keep)
        if not going:
            messages.info(request, ' '.join([str(_(
                "There are no snapshots to thin out.")), *notes]))
            return redirect(redirects.list_address(request))
        if len(going) > delete_views.MOST:
            notes.append(thin_out_wording.more(len(going)
                                               - delete_views.MOST))
        return self.show(going[:delete_views.MOST], notes)

    def post(self, request: HttpRequest, source_id: str) -> HttpResponse:
        verdicts = self._judged(request, source_id)
        if isinstance(verdicts, HttpResponse):
            return verdicts
        going = {row.row_id for row in _rows(
            one for one in verdicts if not one.keep)}
        confirmed = request.POST.getlist('row')
        changed = [row for row in _rows(verdicts)
                   if row.row_id in set(confirmed) - going]
        if changed:
            messages.error(request, thin_out_wording.needed_now(changed))
        return self.carry_out(request, [row_id for row_id in confirmed
                                        if row_id in going])

    def action(self) -> str:
        return self.request.get_full_path()

    def _judged(self, request: HttpRequest, source_id: str
                ) -> list[retention.Verdict] | HttpResponse:
        """:returns: the verdicts, or where to go without any."""
        rules = thin_out_forms.RulesForm(request.GET).rules()
        if rules is None:
            return redirect(_address('thin_out', source_id, request.GET))
        try:
            found = _look(request, source_id)
        except errors.ServiceError as error:
            return self._leave(request, [error])
        if found.problems:
            # With some missing, the newest ones would not be known.
            return self._leave(request, found.problems)
        return _judge(found.copies, rules)

    def _leave(self, request: HttpRequest, problems: Any) -> HttpResponse:
        """Say why nothing is offered."""
        for problem in errors.deduplicate_by_service(problems):
            messages.error(request, delete_wording.not_offered(problem))
        return redirect(redirects.list_address(request))


def _foresee(request: HttpRequest, found: thinning.Copies,
             rules: retention.Rules,
             rhythm: rhythms.Rhythm) -> dict[str, Any]:
    """What will be there if more are taken, for the template."""
    try:
        moments = forecast.foresee(found.copies, rules, rhythm,
                                   timezone.now(), _DAYS)
    except ValueError:
        return {'too_many': forecast.MOST_KEPT}
    example = max((one for one in found.copies if one.good),
                  key=lambda one: one.at, default=None)
    if example is None:
        return {'moments': [{'moment': moment} for moment in moments]}
    row = example.thing.snapshot
    return {
        'moments': [{'moment': moment, 'size': cells.size_text(sum(
            (one.thing or example.thing).snapshot.size_bytes
            for one in moment.copies))} for moment in moments],
        'obstacles': [thin_out_wording.obstacle(obstacle) for obstacle
                      in room.find_obstacles(
                          connect.cloud(request), row,
                          moments[-1].most - len(found.copies),
                          found.volume_type)]}


def _old_and_uncertain(verdicts: Sequence[retention.Verdict]
                       ) -> list[retention.Verdict]:
    """What is older than all that rules keep, and not certainly of it."""
    last = max((number for number, one in enumerate(verdicts)
                if one.reason is retention.Reason.RULE), default=-1)
    return [one for one in verdicts[last + 1:]
            if one.copy.hold is retention.Hold.UNCERTAIN]


def _address(page: str, source_id: str, rules: Any) -> str:
    query = urlencode({period.value: rules[period.value]
                       for period in retention.Period
                       if rules.get(period.value)})
    return f'{reverse(_PANEL + page, args=[source_id])}?{query}'
