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

"""The list, and what stands above it."""

import datetime
import functools
import logging
import time
from typing import Any

from django.http import HttpRequest
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views import generic

from horizon import messages
from horizon import tables
from openstack_dashboard.utils import settings as horizon_settings

from snapshot_dashboard import notices
from snapshot_dashboard import settings
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import services
from snapshot_dashboard.content.compute_snapshots import cells
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots import fragments
from snapshot_dashboard.content.compute_snapshots import permissions
from snapshot_dashboard.content.compute_snapshots import redirects
from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.content.compute_snapshots.index import filters
from snapshot_dashboard.content.compute_snapshots.index import overview
from snapshot_dashboard.content.compute_snapshots.index import source_cache
from snapshot_dashboard.content.compute_snapshots.index import (
    tables as index_tables,
)
from snapshot_dashboard.content.compute_snapshots.index import (
    wording as index_wording,
)
from snapshot_dashboard.content.compute_snapshots.runs import display
from snapshot_dashboard.content.compute_snapshots.worker import handoff
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import record
from snapshot_dashboard.snapshots import coverage
from snapshot_dashboard.snapshots import health
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.snapshots import statuses
from snapshot_dashboard.snapshots import usage
from snapshot_dashboard.snapshots.listing import cursors
from snapshot_dashboard.snapshots.listing import pages
from snapshot_dashboard.snapshots.listing import queries

LOG = logging.getLogger(__name__)
#: Instances that are looked at for a run that the index has lost.
_SUSPECTS = 3
#: In an address: show all names, however many calls that takes.
THOROUGH = 'names'
#: Offers of other projects that are shown at a time.
_OFFERED = 10
#: Instances without a recent snapshot that are named.
_UNCOVERED = 10


class IndexView(tables.DataTableView):
    """All snapshots of the project, newest first, a page at a time."""

    table_class = index_tables.SnapshotsTable
    template_name = 'project/compute_snapshots/index/index.html'
    page_title = _("Snapshots")

    def get(self, request: HttpRequest, *args: Any,
            **kwargs: Any) -> HttpResponse:
        try:
            return super().get(request, *args, **kwargs)
        except errors.ServiceError as error:
            # A row that asks for itself alone: it keeps what it shows.
            LOG.warning('Refreshing a row of the list failed: %s', error)
            return HttpResponse(status=503)

    def get_data(self) -> tuple[model.Snapshot, ...]:
        cloud = connect.cloud(self.request)
        asked = self.filters.query()
        self.place = self._cursor(asked)
        page, self.runs = cloud.gather(
            functools.partial(self._page, cloud, asked, self.place),
            functools.partial(lifecycle.list_runs, cloud))
        if isinstance(page, errors.ServiceError):  # its place is gone
            self._tell_first_page()
            self.place = None
            page = self._page(cloud, asked, None)
        for problem in page.problems:
            messages.warning(self.request, index_wording.problem(problem))
        for problem in page.vague:
            messages.warning(self.request, index_wording.vague(problem))
        self.table.after, self.table.before = page.after, page.before
        self.table.show_order(self.filters)
        self.page = page
        # What is under way by this panel has a run, found or not.
        self.suspects = [
            row.source.id for row in page.rows
            if row.kind is kinds.Kind.INSTANCE and row.consistency
            and row.source
            and row.motion is statuses.Outcome.PENDING][:_SUSPECTS]
        # No tags lead to that when the instance is gone.
        self.under_way = [row.id for row in page.rows
                          if row.under_way][:_SUSPECTS]
        return page.rows

    def _page(self, cloud: services.Cloud, asked: queries.Query,
              cursor: cursors.Cursor | None) -> pages.Page:
        return pages.fetch(
            cloud, horizon_settings.get_page_size(self.request), asked,
            cursor, source_cache.DjangoSourceCache(cloud),
            thorough=THOROUGH in self.request.GET)

    @functools.cached_property
    def filters(self) -> filters.FilterForm:
        return filters.FilterForm(
            {'sort': 'newest', **self.request.GET.dict()})

    def _cursor(self, asked: queries.Query) -> cursors.Cursor | None:
        text = self.request.GET.get(
            index_tables.SnapshotsTable.PAGE)
        if not text:
            return None
        try:
            return cursors.parse(text, asked.order)
        except ValueError:
            self._tell_first_page()
            return None

    def _tell_first_page(self) -> None:
        messages.info(self.request, _(
            "That page of the list no longer exists. This is the first page."))

    @property
    def empty(self) -> bool:
        """Whether there is no snapshot at all, as far as is known."""
        return not (self.page.rows or self.page.problems
                    or self.filters.query().filtered
                    or index_tables.SnapshotsTable.PAGE in self.request.GET)

    def _source_name(self, asked: queries.Query) -> str:
        """Of the instance or volume that is asked for, as a row knows it."""
        wanted = asked.instance_id or asked.volume_id
        return next((row.source.name for row in self.page.rows
                     if wanted and row.source and row.source.id == wanted),
                    '')

    def has_more_data(self, table: Any) -> bool:
        return table.after is not None

    def has_prev_data(self, table: Any) -> bool:
        return table.before is not None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        asked = self.filters.query()
        redirects.remember(self.request, self.table.page_address(self.place),
                           self.filters.address())
        return {**context,
                **display.context(self.request, answer=self.runs,
                                  suspects=self.suspects,
                                  homes=self.under_way),
                'worker_url': handoff.address(self.request),
                'filters': self.filters,
                'filter_errors': bool(self.filters.errors),
                'empty': self.empty,
                'chips': self.filters.chips(self._source_name(asked)),
                'filter_notes': index_wording.filter_notes(
                    asked, self.page.alphabet, self.page.vague_boot),
                'searched': index_wording.searched(self.page.searched,
                                                   asked.order),
                'further': self.table.get_pagination_string(),
                'exact_address': asked.text and self.filters.address(
                    'launchable', exact='on'),
                'unnamed': self.page.unnamed,
                'can_create': permissions.can_create_any(self.request),
                'only_looks': permissions.only_looks(self.request),
                **wording.operators_words(self.request, notices.LIST)}


class OverviewView(generic.View):
    """What is wrong: loaded after the page."""

    def get(self, request: HttpRequest) -> HttpResponse:
        found = health.check(connect.cloud(request), time.time(),
                             timezone.localdate(),
                             settings.get('OLD_AFTER_DAYS'))
        return fragments.render(
            request, 'project/compute_snapshots/index/_overview.html', {
                'health': found,
                'health_lines': overview.health_lines(found),
                'looked_at': health.LOOKED_AT,
                'can_answer': permissions.can_answer(request),
                'offered': [
                    {'row': row, 'size': cells.size_text(row.size_bytes)}
                    for row in found.offered[:_OFFERED]],
                'offered_count': len(found.offered),
                'more_offered': len(found.offered) - _OFFERED})


class CoverageView(generic.View):
    """Which instances have no recent snapshot: loaded after the page."""

    def get(self, request: HttpRequest) -> HttpResponse:
        days = settings.get('COVERED_WITHIN_DAYS')
        since = timezone.now() - datetime.timedelta(days=days)
        uncovered = coverage.find_uncovered(
            connect.cloud(request), since,
            lambda server: record.TEST_TAG in server.tags) if days else []
        return fragments.render(
            request, 'project/compute_snapshots/index/_coverage.html', {
                'uncovered': uncovered[:_UNCOVERED],
                'text': index_wording.uncovered(len(uncovered), since),
                'more': wording.more('', len(uncovered) - _UNCOVERED).strip()
                if len(uncovered) > _UNCOVERED else '',
                'can_create': permissions.can_create(request)})


class UsageView(generic.View):
    """What is used: loaded after the page, and by itself, because Glance may
    take seconds to count thousands of images.
    """

    def get(self, request: HttpRequest) -> HttpResponse:
        found = usage.of_project(connect.cloud(request))
        meters = overview.meters(found.quotas)
        return fragments.render(
            request, 'project/compute_snapshots/index/_usage.html', {
                'usage': meters, 'usage_high': overview.is_high(meters),
                'counted_at': datetime.datetime.fromtimestamp(
                    found.counted_at, datetime.UTC)
                if found.counted_at else None})
