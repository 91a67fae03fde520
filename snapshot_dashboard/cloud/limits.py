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

"""Numbers of the services that several of our modules must agree on."""

#: Seconds that one call may take at the most. A run gives a write up for lost
#: after a while, so none may be under way for longer.
LONGEST_CALL = 15
#: Characters of a metadata value of a server, and of a property of an image
#: that Nova makes (Compute API, Create Server Metadata; Create Image).
VALUE_LENGTH = 255
#: Ids that have room in one such value.
IDS_PER_VALUE = 6
#: Characters of a tag, and tags of a server (Compute API, Server tags).
TAG_LENGTH, MOST_TAGS = 60, 50
