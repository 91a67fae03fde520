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

"""The table of all snapshots."""

from typing import Any

from django.http import HttpRequest
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.urls import resolve
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from horizon import exceptions
from horizon import forms
from horizon import tables
from horizon.tables import base

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.content.compute_snapshots import cells
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots import permissions
from snapshot_dashboard.content.compute_snapshots import redirects
from snapshot_dashboard.content.compute_snapshots.index import filters
from snapshot_dashboard.snapshots import deletion
from snapshot_dashboard.snapshots import fetch
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model
from snapshot_dashboard.snapshots import statuses
from snapshot_dashboard.snapshots.listing import cursors
from snapshot_dashboard.snapshots.listing import queries


class LaunchInstance(tables.LinkAction):
    """Opens Horizon's own dialog with this snapshot as the source, or our form
    where there is no AngularJS.
    """

    name = 'launch'
    verbose_name = _("Launch")
    url = redirects.INDEX
    classes = ('btn-launch',)

    def allowed(self, request: HttpRequest,
                snapshot: model.Snapshot | None = None) -> bool:
        if snapshot is None or not (
                snapshot.usable and snapshot.bootable):
            return False
        if snapshot.has_recipe:  # there is our own form, too
            self.verbose_name = _("Launch with Other Settings")
        return permissions.can_launch(request)

    def get_link_url(self, snapshot: model.Snapshot) -> str:
        source = ('imageId' if snapshot.kind is kinds.Kind.INSTANCE
                  else 'snapshotId')
        self.attrs.update({
            'ng-controller': 'LaunchInstanceModalController as modal',
            'ng-click': f"modal.openLaunchInstanceWizard({{successUrl: "
                        f"'{reverse('horizon:project:instances:index')}', "
                        f"{source}: '{snapshot.id}'}})",
            'data-launch-form': reverse(LaunchLikeOriginal.url,
                                        args=[snapshot.row_id])})
        return 'javascript:void(0);'


class _RowLink(tables.LinkAction):
    """Leads to a page or form about the row's snapshot."""

    def get_link_url(self, snapshot: model.Snapshot) -> str:
        return reverse(self.url, args=[snapshot.row_id])


class LaunchLikeOriginal(_RowLink):
    """Opens our form with what the original was made of."""

    name = 'launch_like'
    verbose_name = _("Launch")
    url = 'horizon:project:compute_snapshots:launch'
    classes = ('ajax-modal',)
    icon = 'plus'

    def allowed(self, request: HttpRequest,
                snapshot: model.Snapshot | None = None) -> bool:
        return (snapshot is not None and snapshot.usable
                and snapshot.has_recipe and permissions.can_launch(request))


class GoBack(_RowLink):
    """Shows the ways back to a snapshot, and what each does."""

    name = 'go_back'
    verbose_name = _("Go Back to This Snapshot")
    url = 'horizon:project:compute_snapshots:go_back'
    classes = ('ajax-modal',)
    icon = 'refresh'

    def allowed(self, request: HttpRequest,
                snapshot: model.Snapshot | None = None) -> bool:
        return (snapshot is not None and snapshot.usable
                and not snapshot.foreign
                and permissions.can_go_back(request, snapshot))


class CreateVolume(tables.LinkAction):
    """Opens Horizon's own form with this snapshot as the source."""

    name = 'create_volume'
    verbose_name = _("Create Volume")
    url = 'horizon:project:volumes:create'
    classes = ('ajax-modal',)
    icon = 'save'

    def allowed(self, request: HttpRequest,
                snapshot: model.Snapshot | None = None) -> bool:
        return (snapshot is not None and snapshot.usable
                and connect.cloud(request).has('volume')
                and permissions.can_create_volume(request))

    def get_link_url(self, snapshot: model.Snapshot) -> str:
        if snapshot.kind is kinds.Kind.VOLUME:
            source = {'snapshot_id': snapshot.id}
        elif snapshot.root:  # its image holds no data, and says 0 bytes
            source = {'snapshot_id': snapshot.root.id}
        else:
            source = {'image_id': snapshot.id}
        return f'{reverse(self.url)}?{urlencode(source)}'


class EditSnapshot(_RowLink):
    """Opens the form for what may be changed."""

    name = 'edit'
    verbose_name = _("Edit Snapshot")
    url = 'horizon:project:compute_snapshots:edit'
    classes = ('ajax-modal',)
    icon = 'pencil'

    def allowed(self, request: HttpRequest,
                snapshot: model.Snapshot | None = None) -> bool:
        return (snapshot is not None
                and snapshot.motion is not statuses.Outcome.PENDING
                and permissions.can_edit(request, snapshot))


class ShareSnapshot(_RowLink):
    """Shows with whom it is shared, and shares it."""

    name = 'share'
    verbose_name = _("Share Snapshot")
    url = 'horizon:project:compute_snapshots:share'
    classes = ('ajax-modal',)
    icon = 'share-square-o'

    def allowed(self, request: HttpRequest,
                snapshot: model.Snapshot | None = None) -> bool:
        return (snapshot is not None and snapshot.usable
                and snapshot.kind is kinds.Kind.INSTANCE
                and not snapshot.foreign and permissions.can_share(request))


class DeleteSnapshot(tables.LinkAction):
    """Shows what goes with a snapshot, and asks before it goes."""

    name = 'delete'
    verbose_name = _("Delete Snapshot")
    url = 'horizon:project:compute_snapshots:delete'
    classes = ('ajax-modal', 'btn-danger')
    icon = 'trash'

    def allowed(self, request: HttpRequest,
                snapshot: model.Snapshot | None = None) -> bool:
        return (snapshot is not None
                and snapshot.motion is not statuses.Outcome.PENDING
                and deletion.hindrance(snapshot, permissions.can_delete(
                    request, snapshot)) is None)

    def get_link_url(self, snapshot: model.Snapshot) -> str:
        return f'{reverse(self.url)}?{urlencode({"row": snapshot.row_id})}'


class DeleteSnapshots(tables.Action):
    """The same for those that are chosen, of both kinds."""

    name = 'delete_chosen'
    verbose_name = _("Delete Snapshots")
    verbose_name_plural = _("Delete Snapshots")
    icon = 'trash'
    # Horizon's own mark of what is dangerous would ask before our plan does.
    classes = ('snapshot-danger',)
    requires_input = True
    attrs = {'data-snapshots-delete': 'true'}

    def allowed(self, request: HttpRequest,
                snapshot: model.Snapshot | None = None) -> bool:
        return permissions.can_delete_any(request)

    def handle(self, table: Any, request: HttpRequest,
               row_ids: list[str]) -> HttpResponse:
        # They may be too many for an address.
        plan = resolve(reverse('horizon:project:compute_snapshots:delete'))
        return plan.func(request, chosen=row_ids)


#: The orders that the heading of a column leads to.
_ORDERS = {'snapshot_name': (queries.Sort.NAME,),
           'created': (queries.Sort.NEWEST, queries.Sort.OLDEST)}


class UpdateRow(tables.Row):
    """A row that shows again what has become of its snapshot."""

    ajax = True

    def get_data(self, request: HttpRequest, row_id: str) -> model.Snapshot:
        """The snapshot as it is now; the view answers a ServiceError."""
        try:
            return fetch.snapshot(connect.cloud(request), row_id, shared=True)
        except errors.NotFound:
            raise exceptions.NotFound from None


class NamedCell(base.Cell):
    """A cell; Horizon's box that chooses a row has no name in it."""

    @property
    def value(self) -> Any:
        table = self.row.table
        if self.column.auto != 'multi_select':
            return super().value
        return forms.ThemableCheckboxInput(
            check_test=lambda value: False).render(
            'object_ids', table.get_object_id(self.datum), {
                'class': 'table-row-multi-select',
                'aria-label': _("Select %s") % (
                    table.get_object_display(self.datum))})


class SnapshotsTable(tables.DataTable):
    """Snapshots of both kinds, one page of them."""

    snapshot_name = tables.Column(cells.render_name, verbose_name=_("Name"),
                                  sortable=False)
    kind = tables.Column(cells.render_kind, verbose_name=_("Kind"),
                         sortable=False)
    source = tables.Column(cells.render_source, verbose_name=_("Source"),
                           sortable=False, classes=('snapshot-of',))
    size = tables.Column(cells.render_size, verbose_name=_("Size"),
                         sortable=False, classes=('snapshot-size',))
    status = tables.Column(cells.render_status, verbose_name=_("Status"),
                           sortable=False)
    consistency = tables.Column(cells.render_consistency,
                                verbose_name=_("Consistency"),
                                help_text=_(
                                    "How much at rest the disks were. The "
                                    "page of a snapshot explains it."),
                                sortable=False)
    created = tables.Column(cells.render_age, verbose_name=_("Created"),
                            sortable=False, classes=('snapshot-age',))
    # What decides whether a row is asked for again. A status that nobody
    # knows counts as final, so that it is not asked for for ever.
    motion = tables.Column(
        lambda snapshot: snapshot.motion.value, hidden=True, status=True,
        status_choices=((statuses.Outcome.DONE.value, True),
                        (statuses.Outcome.FAILED.value, False),
                        (statuses.Outcome.PENDING.value, None)))

    #: In an address: the place of the page.
    PAGE = 'page'

    class Meta:
        name = 'compute_snapshots'
        verbose_name = _("Snapshots")
        row_class = UpdateRow
        cell_class = NamedCell
        multi_select = True
        status_columns = ('motion',)
        pagination_param = 'page'
        prev_pagination_param = 'page'
        table_actions = (DeleteSnapshots,)
        launch_actions = (LaunchInstance,)
        row_actions = (LaunchLikeOriginal, LaunchInstance, CreateVolume,
                       GoBack, EditSnapshot, ShareSnapshot, DeleteSnapshot)
        row_actions_dropdown_template = (
            'project/compute_snapshots/index/_row_actions.html')

    #: Set by the view: the cursors of the neighbouring pages, or None, and
    #: the filters, which a link to another page keeps.
    after: cursors.Cursor | None = None
    before: cursors.Cursor | None = None
    filter_form: filters.FilterForm | None = None

    def __init__(self, request: HttpRequest, *args: Any,
                 **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        if permissions.only_looks(request):
            del self.columns['actions']

    def show_order(self, form: filters.FilterForm) -> None:
        """Let headings tell and change the order, where both services can."""
        self.filter_form = form
        asked = form.query()
        if asked.since:
            return  # the newest come first then, whatever is asked for
        now = asked.order
        for name, orders in _ORDERS.items():
            column = self.columns[name]
            other = next((order for order in orders if order is not now), now)
            column.verbose_name = render_to_string(
                'project/compute_snapshots/index/_heading.html', {
                    'label': column.verbose_name, 'address': form.address(
                        sort=other.value),
                    'ascending': now is not queries.Sort.NEWEST,
                    'sorted': now in orders})
            if now in orders:
                column.attrs = {**column.attrs, 'aria-sort': (
                    'descending' if now is queries.Sort.NEWEST
                    else 'ascending')}

    def get_row_actions(self, snapshot: model.Snapshot) -> list[Any]:
        """Of what cannot be used the way out comes first."""
        found = super().get_row_actions(snapshot)
        return sorted(found, key=lambda action: (
            snapshot.motion is statuses.Outcome.FAILED
            and action.name != DeleteSnapshot.name))

    def set_multiselect_column_visibility(self, visible: bool = True) -> None:
        # Horizon thinks that one chooses for its own batch actions alone.
        super().set_multiselect_column_visibility(
            permissions.can_delete_any(self.request))

    def get_object_id(self, snapshot: model.Snapshot) -> str:
        return snapshot.row_id

    def get_object_display(self, snapshot: model.Snapshot) -> str:
        return snapshot.name or snapshot.id

    def get_pagination_string(self) -> str:
        return self.page_address(self.after)

    def get_prev_pagination_string(self) -> str:
        return self.page_address(self.before)

    def page_address(self, cursor: cursors.Cursor | None) -> str:
        """The part of an address that says the filters and the page.

        :param cursor: None for the first one.
        """
        page = urlencode({self.PAGE: str(cursor)}) if cursor else ''
        kept = self.filter_form.address() if self.filter_form else ''
        return '&'.join(filter(None, [kept, page]))

    def get_empty_message(self) -> str:
        if self.filter_form and self.filter_form.query().filtered:
            return render_to_string(
                'project/compute_snapshots/index/_none_found.html', {
                    'searching': self.after is not None,
                    'by_text': bool(self.filter_form.query().text),
                    'further': self.before is not None,
                    'beginning': self.filter_form.address()})
        return render_to_string(
            'project/compute_snapshots/index/_empty.html',
            {'can_create': permissions.can_create_any(self.request)})
