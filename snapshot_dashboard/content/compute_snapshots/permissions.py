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

"""What the user may do, as far as policy tells; the services decide."""

from django.http import HttpRequest

from openstack_dashboard import policy

from snapshot_dashboard import releases
from snapshot_dashboard.content.compute_snapshots import memory
from snapshot_dashboard.runs import record
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model

_KNOWS_READERS = releases.installed() >= releases.KNOWS_READERS
_CREATE_IMAGE = 'os_compute_api:servers:create_image'


def can_create(request: HttpRequest, volume_backed: bool = False) -> bool:
    """Take a snapshot of an instance of the current project."""
    rules = [("compute", _CREATE_IMAGE)]
    if volume_backed:
        rules += [("compute", f"{_CREATE_IMAGE}:allow_volume_backed"),
                  ("volume", "volume:create_snapshot")]
    return _check(request, *rules)


def can_create_any(request: HttpRequest) -> bool:
    """Take snapshots of at least one kind."""
    return can_create(request) or can_snapshot_volumes(request)


def can_snapshot_volumes(request: HttpRequest) -> bool:
    return _check(request, ("volume", "volume:create_snapshot"))


def can_power(request: HttpRequest) -> bool:
    """Power an instance off and on."""
    return _check(request,
                  ("compute", "os_compute_api:servers:stop"),
                  ("compute", "os_compute_api:servers:start"))


def can_record(request: HttpRequest) -> bool:
    """Write a run down on its instance, and take that away again."""
    return _check(request,
                  ("compute", "os_compute_api:server-metadata:create"),
                  ("compute", "os_compute_api:server-metadata:delete"),
                  ("compute", "os_compute_api:os-server-tags:update"),
                  ("compute", "os_compute_api:os-server-tags:delete"))


def can_advance(request: HttpRequest, run: record.Run | None = None) -> bool:
    """Bring a run forward, or the project's runs in general."""
    can_capture = (can_create_any if run is None
                   else can_create if run.plan.captures_image
                   else can_snapshot_volumes)
    return can_capture(request) and can_record(request) and (
        run is None or not run.plan.power_off or can_power(request))


def can_edit(request: HttpRequest, snapshot: model.Snapshot) -> bool:
    if snapshot.foreign:
        return False
    if snapshot.kind is kinds.Kind.INSTANCE:
        return _check(request, ("image", "modify_image"))
    return _check(request, ("volume", "volume:update_snapshot"),
                  ("volume", "volume:update_snapshot_metadata"))


def can_share(request: HttpRequest) -> bool:
    """Share images of the project with other projects."""
    return _check(request, ("image", "modify_image"), ("image", "add_member"),
                  ("image", "delete_member"), ("image", "get_members"))


def can_check(request: HttpRequest) -> bool:
    """Read the data of the project's images, and note what it says."""
    return _check(request, ("image", "download_image"),
                  ("image", "modify_image"))


def can_test(request: HttpRequest, snapshot: model.Snapshot) -> bool:
    """Test whether a snapshot boots, and note that on it."""
    rules = [("compute", "os_compute_api:servers:create"),
             ("compute", "os_compute_api:servers:delete"),
             ("compute", "os_compute_api:os-console-output"),
             ("compute", "os_compute_api:server-metadata:create"),
             ("image", "modify_image")]
    if snapshot.parts:
        rules.append(("compute", "os_compute_api:servers:create:attach_volume"
                      ))
    return not snapshot.foreign and _check(request, *rules)


def can_remove_tests(request: HttpRequest) -> bool:
    """Go on with boot tests that were begun, and remove their instances."""
    return _check(request, ("compute", "os_compute_api:servers:delete"),
                  ("compute", "os_compute_api:os-console-output"),
                  ("image", "modify_image"))


def can_restore(request: HttpRequest, volume_backed: bool = False) -> bool:
    """Put an instance back to a snapshot, and save its present state.

    :param volume_backed: whether its root disk is a volume.
    """
    rules = [("image", "modify_image"),
             ("compute", "os_compute_api:servers:rebuild")]
    if volume_backed:
        rules = [("image", "modify_image"), ("image", "add_image"),
                 ("image", "upload_image"), ("image", "delete_image"),
                 ("compute", "os_compute_api:os-shelve:shelve"),
                 ("compute", "os_compute_api:os-shelve:unshelve"),
                 ("volume", "volume:reimage"),
                 ("volume", "volume:reimage_reserved")]
    return (_check(request, *rules) and can_power(request)
            and can_record(request) and can_create(request, volume_backed))


def can_swap(request: HttpRequest) -> bool:
    """Exchange a volume of an instance for one made from its snapshot."""
    return _check(
        request, ("volume", "volume:create"), ("image", "add_image"),
        ("image", "upload_image"), ("image", "modify_image"),
        ("image", "delete_image"),
        ("compute", "os_compute_api:os-volumes-attachments:create"),
        ("compute", "os_compute_api:os-volumes-attachments:delete")
    ) and can_power(request) and can_record(request)


def can_switch_over(request: HttpRequest) -> bool:
    """Let an instance take the addresses of another over."""
    return _check(
        request, ("compute", "os_compute_api:os-attach-interfaces:create"),
        ("compute", "os_compute_api:os-attach-interfaces:delete"),
        ("compute", "os_compute_api:os-server-tags:update"),
        ("compute", "os_compute_api:os-server-tags:delete"),
        ("network", "create_port"), ("network", "create_port:mac_address"),
        ("network", "create_port:fixed_ips"),
        ("network", "update_floatingip"),
        ("image", "modify_image")) and can_power(request)


def can_restore_any(request: HttpRequest) -> bool:
    """Bring restores of at least one kind forward."""
    return can_restore(request) or can_swap(request)


def can_go_back(request: HttpRequest, snapshot: model.Snapshot) -> bool:
    """Put an instance back to a snapshot, or a volume of it."""
    if snapshot.kind is kinds.Kind.VOLUME:
        return can_swap(request)
    return can_restore(request, snapshot.volume_backed) and (
        not snapshot.parts or snapshot.volume_backed or can_swap(request))


def can_answer(request: HttpRequest) -> bool:
    """Accept or decline what other projects share."""
    return _check(request, ("image", "modify_member"))


def can_delete(request: HttpRequest, snapshot: model.Snapshot) -> bool:
    if snapshot.kind is kinds.Kind.VOLUME:
        return _check(request, ("volume", "volume:delete_snapshot"))
    rules = [("image", "delete_image")]
    if snapshot.parts:
        rules.append(("volume", "volume:delete_snapshot"))
    return _check(request, *rules)


def can_delete_any(request: HttpRequest) -> bool:
    """Delete snapshots of at least one kind."""
    return _check(request, ("image", "delete_image")) or _check(
        request, ("volume", "volume:delete_snapshot"))


def only_looks(request: HttpRequest) -> bool:
    """Whether the user may do nothing with any snapshot."""
    return not (can_create_any(request) or can_delete_any(request)
                or can_launch(request) or can_create_volume(request)
                or _check(request, ("image", "modify_image"))
                or _check(request, ("volume", "volume:update_snapshot")))


def can_launch(request: HttpRequest) -> bool:
    return _check(request, ("compute", "os_compute_api:servers:create"))


def can_create_volume(request: HttpRequest) -> bool:
    return _check(request, ("volume", "volume:create"))


def _check(request: HttpRequest, *rules: tuple[str, str]) -> bool:
    """Asked once per request: the buttons of all rows ask the same."""
    project = request.user.tenant_id
    # Nova and Cinder call it project_id, Glance owner, or member_id; of ports
    # those of the project's own networks are meant.
    target = {'project_id': project, 'owner': project, 'tenant_id': project,
              'member_id': project, 'network:project_id': project,
              'network:tenant_id': project}
    return bool(memory.once_per_request(
        request, ('policy', rules),
        lambda: policy.check(rules, request, target)
        and not _only_reads(request)))


def _only_reads(request: HttpRequest) -> bool:
    """Whether a user's role leaves nothing to do, which Horizon's policy does
    not know before 27: it asks by what the services had as defaults before
    they knew readers, and offers them every button.
    """
    return not _KNOWS_READERS and {
        str(role.get('name')).lower() for role in request.user.roles
    } == {'reader'}
