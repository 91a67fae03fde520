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

from django.urls import path

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
from snapshot_dashboard.content.compute_snapshots.index import (
    views as index_views,
)
from snapshot_dashboard.content.compute_snapshots.launch import (
    views as launch_views,
)
from snapshot_dashboard.content.compute_snapshots.runs import (
    views as runs_views,
)
from snapshot_dashboard.content.compute_snapshots.share import (
    views as share_views,
)
from snapshot_dashboard.content.compute_snapshots.worker import (
    views as worker_views,
)

urlpatterns = [
    path('', index_views.IndexView.as_view(), name='index'),
    path('<str:row_id>/answer/', share_views.AnswerView.as_view(),
         name='answer'),
    path('delete/', delete_views.DeleteView.as_view(), name='delete'),
    path('instances/<uuid:server_id>/older/',
         delete_views.OlderView.as_view(), name='older'),
    path('overview/', index_views.OverviewView.as_view(), name='overview'),
    path('<slug:row_id>/detail/', detail_views.DetailView.as_view(),
         name='detail'),
    path('<slug:row_id>/dependants/',
         detail_views.DependantsView.as_view(), name='dependants'),
    path('<slug:row_id>/history/', detail_views.HistoryView.as_view(),
         name='history'),
    path('<slug:row_id>/edit/', edit_views.EditView.as_view(), name='edit'),
    path('<slug:row_id>/launch/', launch_views.LaunchView.as_view(),
         name='launch'),
    path('<slug:row_id>/share/', share_views.ShareView.as_view(),
         name='share'),
    path('create/', create_views.CreateView.as_view(), name='create'),
    path('facts/', create_views.FactsView.as_view(), name='facts'),
    path('worker/', worker_views.WorkerView.as_view(), name='worker'),
    path('runs/', runs_views.RunsView.as_view(), name='runs'),
    path('runs/advance/', runs_views.AdvanceView.as_view(), name='advance'),
    path('runs/<uuid:server_id>/adopt/', runs_views.AdoptView.as_view(),
         name='adopt'),
    path('runs/<uuid:server_id>/cancel/', runs_views.CancelView.as_view(),
         name='cancel'),
    path('runs/<uuid:server_id>/dismiss/', runs_views.DismissView.as_view(),
         name='dismiss'),
    path('runs/<uuid:server_id>/power-on/', runs_views.PowerOnView.as_view(),
         name='power_on'),
    path('runs/<uuid:server_id>/remove/', runs_views.RemoveView.as_view(),
         name='remove'),
    path('runs/<uuid:server_id>/retry/', runs_views.RetryView.as_view(),
         name='retry'),
]
