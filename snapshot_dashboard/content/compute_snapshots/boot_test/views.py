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

"""Start a boot test, watch it, and stop it."""

from typing import Any

from django.core import exceptions as django_exceptions
from django.http import Http404
from django.http import HttpRequest
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views import generic

from horizon import forms
from horizon import messages
from horizon.utils import memoized

from snapshot_dashboard import settings
from snapshot_dashboard.boot_tests import boot_test
from snapshot_dashboard.boot_tests import testing
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import types
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots import fragments
from snapshot_dashboard.content.compute_snapshots import permissions
from snapshot_dashboard.content.compute_snapshots import redirects
from snapshot_dashboard.content.compute_snapshots import refusals
from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.content.compute_snapshots.boot_test import (
    forms as boot_test_forms,
)
from snapshot_dashboard.content.compute_snapshots.boot_test import under_way
from snapshot_dashboard.content.compute_snapshots.boot_test import (
    wording as boot_test_wording,
)
from snapshot_dashboard.content.compute_snapshots.launch import (
    wording as launch_wording,
)
from snapshot_dashboard.inspection import boot_reports
from snapshot_dashboard.snapshots import details
from snapshot_dashboard.snapshots import fetch
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import launch
from snapshot_dashboard.snapshots import model


class BootTestView(forms.ModalFormView):
    """The form, with what is in the way."""

    form_class = boot_test_forms.BootTestForm
    form_id = 'boot_test'
    page_title = _("Test Whether It Boots")
    submit_label = _("Start Test")
    template_name = 'project/compute_snapshots/boot_test/boot_test.html'

    def dispatch(self, request: HttpRequest, *args: Any,
                 **kwargs: Any) -> HttpResponse:
        with redirects.to_index_on_error(request):
            self.found = details.get(connect.cloud(request), kwargs['row_id'])
        if not self.found.boots_from:
            raise Http404
        if not permissions.can_test(request, self.found.snapshot):
            raise django_exceptions.PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get_success_url(self) -> str:
        return reverse('horizon:project:compute_snapshots:detail',
                       args=[self.kwargs['row_id']])

    @memoized.memoized_method
    def get_initial(self) -> dict[str, Any]:
        options = launch.fetch_options(
            connect.cloud(self.request), bool(self.found.snapshot.parts),
            isolated=True)
        flavor = testing.smallest_flavor(self.found, options)
        return {'details': self.found, 'options': options,
                'flavor': flavor.name if flavor else ''}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        options = self.get_initial()['options']
        return {
            **super().get_context_data(**kwargs),
            'snapshot': self.found.snapshot,
            'minutes': -(-settings.get('BOOT_TEST_TIMEOUT') // 60),
            'obstacles': [
                launch_wording.obstacle(obstacle)
                for obstacle in launch.obstacles(self.found, options,
                                                 with_parts=True)],
            'unknown': [wording.SERVICES[error.service]
                        for error in options.problems],
            'cancel_url': self.get_success_url(),
            'submit_url': reverse(
                'horizon:project:compute_snapshots:boot_test',
                args=[self.kwargs['row_id']])}


class ProgressView(generic.View):
    """What is known of a snapshot's boot; by a POST its tests go on.

    While one goes on the snapshot itself is not asked for.
    """

    http_method_names = ['get', 'post']

    def get(self, request: HttpRequest, row_id: str) -> HttpResponse:
        return self._show(request, row_id, advances=False)

    def post(self, request: HttpRequest, row_id: str) -> HttpResponse:
        if not permissions.can_remove_tests(request):
            raise django_exceptions.PermissionDenied
        return self._show(request, row_id, advances=True)

    def _show(self, request: HttpRequest, row_id: str,
              advances: bool) -> HttpResponse:
        cloud = connect.cloud(request)
        problem: Any = ''
        left: list[boot_test.BootTest] = []
        noted = None
        refused = refusals.Refusals((request.POST or request.GET).getlist(
            refusals.FIELD))
        image_id = _image_id(row_id)
        try:
            tests = left = [test for test in testing.find(cloud)
                            if test.plan.image_id == image_id]
            if advances:
                left, problems = testing.advance_all(
                    cloud, tests, connect.seal())
                if problems:
                    problem = boot_test_wording.trouble(problems[0])
                denied = list(filter(errors.lacks_rights, problems))
                refused.note([refusals.TESTS], {
                    refusals.TESTS: denied[0]} if denied else {})
        except errors.ServiceError as error:
            problem = boot_test_wording.trouble(error)
        try:
            image = None if left else fetch.entry(cloud, row_id)
            if isinstance(image, types.Image):
                noted = boot_reports.read(image)
        except errors.NotFound:
            raise Http404 from None
        except errors.ServiceError as error:
            problem = problem or boot_test_wording.trouble(error)
        return fragments.render(
            request, 'project/compute_snapshots/boot_test/_progress.html', {
                **under_way.context(request, left),
                'refused': refused.fields,
                'believed': refused.believed(refusals.TESTS),
                'tested': noted, 'problem': problem,
                'verdict': noted and boot_test_wording.VERDICTS[noted.verdict],
                'before': noted and noted.before and (
                    boot_test_wording.VERDICTS[noted.before.verdict]),
                'poll_interval_ms': int(settings.get('POLL_INTERVAL') * 2000)})


def _image_id(row_id: str) -> str:
    """The image of a row, which Glance may not know.

    :raises Http404: for a row that is none of an image.
    """
    try:
        kind, image_id = model.parse_row_id(row_id)
    except ValueError:
        raise Http404 from None
    if kind is not kinds.Kind.INSTANCE:
        raise Http404
    return image_id


class StopView(generic.View):
    """Removes the instance of a test, at a user's wish."""

    http_method_names = ['post']

    def post(self, request: HttpRequest, server_id: str) -> HttpResponse:
        if not permissions.can_remove_tests(request):
            raise django_exceptions.PermissionDenied
        cloud = connect.cloud(request)
        test = None
        try:
            test = boot_test.read(cloud.compute.server(str(server_id)))
            if test is None or not testing.approves(connect.seal(), test):
                raise Http404
            cloud.compute.delete_server(test.server.id)
            messages.success(request, _(
                "The test instance is being removed. No verdict was noted."))
        except errors.NotFound:
            messages.info(request, _("The test is over."))
        except errors.ServiceError as error:
            messages.error(request, boot_test_wording.not_removed(error))
        if test is None:
            return redirect(redirects.INDEX)
        return redirect(
            'horizon:project:compute_snapshots:detail',
            model.row_id(kinds.Kind.INSTANCE, test.plan.image_id))
