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

"""What the plugin writes on the snapshots that it makes.

These are properties of images and metadata of volume snapshots, readable by
everybody in the project and by every other tool; nothing here is secret.
"""

#: The run that made it.
RUN = 'snapshot_dashboard_run'
#: The name of the instance when it was captured.
INSTANCE_NAME = 'snapshot_dashboard_instance_name'
#: How it was taken, one of the two below.
CONSISTENCY = 'snapshot_dashboard_consistency'
#: Horizon shows and edits this property of images as their description.
DESCRIPTION = 'description'
#: Nova's own marks, which it gives image-backed snapshots only; the plugin
#: gives them to volume-backed ones, so that every tool knows those too.
INSTANCE_ID = 'instance_uuid'
IMAGE_TYPE = 'image_type'

POWERED_OFF = 'powered-off'
LIVE = 'live'
