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

# The slug of the panel to be added to HORIZON_CONFIG. Required.
PANEL = 'compute_snapshots'
# The slug of the dashboard the PANEL associated with. Required.
PANEL_DASHBOARD = 'project'
# The slug of the panel group the PANEL is associated with.
PANEL_GROUP = 'compute'
# Python panel class of the PANEL to be added.
ADD_PANEL = ('snapshot_dashboard.content.compute_snapshots.panel.'
             'ComputeSnapshots')
# Applications to be prepended to INSTALLED_APPS: translations, templates and
# static files.
ADD_INSTALLED_APPS = ['snapshot_dashboard']
# A tab on the page of an instance, and the place of Horizon's own tab on that
# of a volume.
EXTRA_TABS = {
    'openstack_dashboard.dashboards.project.instances.tabs.'
    'InstanceDetailTabs': (
        'snapshot_dashboard.content.compute_snapshots.horizon_pages.'
        'instance_tab.SnapshotsTab',),
    'openstack_dashboard.dashboards.project.volumes.tabs.VolumeDetailTabs': (
        'snapshot_dashboard.content.compute_snapshots.horizon_pages.'
        'volume_tab.SnapshotsTab',)}
# JavaScript and SCSS of the panel.
ADD_JS_FILES = [
    f'snapshot_dashboard/{name}.js' for name in (
        'panel', 'fragments', 'worker', 'list', 'runs', 'wizard', 'dialogs',
        'start')]
ADD_SCSS_FILES = ['snapshot_dashboard/snapshots.scss']
