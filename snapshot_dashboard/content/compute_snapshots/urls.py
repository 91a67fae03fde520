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

"""The panel's addresses."""

from django.urls import URLPattern
from django.urls import path
from django.views import generic

from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots.boot_test import (
    views as boot_test_views,
)
from snapshot_dashboard.content.compute_snapshots.create import (
    views as create_views,
)
from snapshot_dashboard.content.compute_snapshots.delete import (
    views as delete_views,
)
from snapshot_dashboard.content.compute_snapshots.detail import (
    views as detail_views,
)
from snapshot_dashboard.content.compute_snapshots.edit import (
    views as edit_views,
)
from snapshot_dashboard.content.compute_snapshots.go_back import (
    views as go_back_views,
)
from snapshot_dashboard.content.compute_snapshots.index import (
    views as index_views,
)
from snapshot_dashboard.content.compute_snapshots.launch import (
    views as launch_views,
)
from snapshot_dashboard.content.compute_snapshots.runs import restores
from snapshot_dashboard.content.compute_snapshots.runs import switch_overs
from snapshot_dashboard.content.compute_snapshots.runs import (
    views as runs_views,
)
from snapshot_dashboard.content.compute_snapshots.share import (
    views as share_views,
)
from snapshot_dashboard.content.compute_snapshots.switch_over import (
    views as switch_over_views,
)
from snapshot_dashboard.content.compute_snapshots.thin_out import (
    views as thin_out_views,
)
from snapshot_dashboard.content.compute_snapshots.worker import (
    views as worker_views,
)


def _page(route: str, view: type[generic.View], name: str) -> URLPattern:
    return path(route, connect.signed_in(view.as_view()), name=name)


urlpatterns = [
    _page('', index_views.IndexView, 'index'),
    _page('<str:row_id>/answer/', share_views.AnswerView, 'answer'),
    _page('delete/', delete_views.DeleteView, 'delete'),
    _page('of/<slug:source_id>/thin-out/', thin_out_views.ThinOutView,
          'thin_out'),
    _page('of/<slug:source_id>/thin-out/review/', thin_out_views.ReviewView,
          'review'),
    _page('overview/', index_views.OverviewView, 'overview'),
    _page('usage/', index_views.UsageView, 'usage'),
    _page('coverage/', index_views.CoverageView, 'coverage'),
    _page('<slug:row_id>/detail/', detail_views.DetailView, 'detail'),
    _page('<slug:row_id>/dependants/', detail_views.DependantsView,
          'dependants'),
    _page('<slug:row_id>/history/', detail_views.HistoryView, 'history'),
    _page('<slug:row_id>/check/', detail_views.CheckView, 'check'),
    _page('<slug:row_id>/boot-test/', boot_test_views.BootTestView,
          'boot_test'),
    _page('<slug:row_id>/boot-test/progress/', boot_test_views.ProgressView,
          'boot_test_progress'),
    _page('boot-tests/<uuid:server_id>/stop/', boot_test_views.StopView,
          'stop_boot_test'),
    _page('<slug:row_id>/go-back/', go_back_views.GoBackView, 'go_back'),
    _page('restores/<uuid:server_id>/cancel/', restores.CancelView,
          'cancel_restore'),
    _page('restores/<uuid:server_id>/dismiss/', restores.DismissView,
          'dismiss_restore'),
    _page('restores/<uuid:server_id>/undo/', restores.UndoView,
          'undo_restore'),
    _page('<slug:row_id>/switch-over/', switch_over_views.SwitchOverView,
          'switch_over'),
    _page('switch-overs/<uuid:image_id>/to-<slug:side>/',
          switch_overs.TurnView, 'turn_switch_over'),
    _page('switch-overs/<uuid:image_id>/dismiss/',
          switch_overs.DismissView, 'dismiss_switch_over'),
    _page('<slug:row_id>/parts/', detail_views.PartsView, 'parts'),
    _page('<slug:row_id>/edit/', edit_views.EditView, 'edit'),
    _page('<slug:row_id>/launch/', launch_views.LaunchView, 'launch'),
    _page('<slug:row_id>/share/', share_views.ShareView, 'share'),
    _page('create/', create_views.CreateView, 'create'),
    _page('facts/', create_views.FactsView, 'facts'),
    _page('worker/', worker_views.WorkerView, 'worker'),
    _page('runs/', runs_views.RunsView, 'runs'),
    _page('runs/advance/', runs_views.AdvanceView, 'advance'),
    _page('runs/dismiss-all/', runs_views.DismissAllView, 'dismiss_all'),
    _page('runs/<uuid:server_id>/adopt/', runs_views.AdoptView, 'adopt'),
    _page('runs/<uuid:server_id>/cancel/', runs_views.CancelView, 'cancel'),
    _page('runs/<uuid:server_id>/dismiss/', runs_views.DismissView, 'dismiss'),
    _page('runs/<uuid:server_id>/power-on/', runs_views.PowerOnView,
          'power_on'),
    _page('runs/<uuid:server_id>/remove/', runs_views.RemoveView, 'remove'),
    _page('runs/<uuid:server_id>/retry/', runs_views.RetryView, 'retry'),
]
