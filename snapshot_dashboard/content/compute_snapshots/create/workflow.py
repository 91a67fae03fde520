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

"""The wizard's steps: what, how, details."""

from collections.abc import Callable
from collections.abc import Mapping
import contextlib
import datetime
import logging
from typing import Any

from django.core import exceptions as django_exceptions
from django.http import HttpRequest
from django.utils import text as lazy
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from horizon import forms
from horizon import workflows

from snapshot_dashboard import notices
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import ids
from snapshot_dashboard.cloud import texts
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots import fields
from snapshot_dashboard.content.compute_snapshots import permissions
from snapshot_dashboard.content.compute_snapshots import redirects
from snapshot_dashboard.content.compute_snapshots import states
from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.content.compute_snapshots.create import sources
from snapshot_dashboard.content.compute_snapshots.create import (
    wording as create_wording,
)
from snapshot_dashboard.content.compute_snapshots.worker import handoff
from snapshot_dashboard.runs import lifecycle
from snapshot_dashboard.runs import record
from snapshot_dashboard.snapshots import kinds
from snapshot_dashboard.snapshots import model

LOG = logging.getLogger(__name__)
#: Instances and volumes offered for choice; others can be given by address.
_CHOICES = 1000
#: In a session: what a snapshot was taken of last.
LAST_SOURCE = 'snapshot_dashboard_source'
#: Horizon's wizard sends it with each step that it wants to be checked.
_VALIDATES = 'HTTP_X_HORIZON_VALIDATE_STEP_START'
#: Choices that can be taken in at a glance.
_FEW = 10
#: How many snapshots of an instance its owner may want to keep.
_KEEP = (1, 3, 5, 10)


class VolumeIds(forms.Field):
    """Ids that the disk table's check boxes give."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[str]:
        return [text for text in value or () if ids.is_id(text)]


class WhatAction(workflows.Action):
    """Of what; the facts appear once it is chosen."""

    source = forms.ChoiceField(label=_("Instance or Volume"))
    purpose = forms.ChoiceField(
        label=_("Purpose"), required=False,
        choices=[('', _("Not specified")), *wording.PURPOSES.items()])
    volumes = VolumeIds(required=False)

    class Meta:
        name = _("1. Source")
        slug = 'what'

    def populate_source_choices(self, request: HttpRequest,
                                context: dict[str, Any]) -> list[
                                    tuple[Any, Any]]:
        # The address names it when the wizard opens, the form afterwards.
        chosen = self.data.get('source') or context.get('source') or ''
        if _VALIDATES in request.META:  # a step is checked, and not shown
            return [('', ''), (chosen, chosen)]
        cloud = connect.cloud(request)
        instances, volumes = cloud.gather(
            lambda: [server for server in cloud.compute.servers(_CHOICES)
                     if record.TEST_TAG not in server.tags],
            lambda: cloud.volumes.volumes(_CHOICES))
        if instances == [] and (volumes == [] or not cloud.has('volume')):
            return [('', _("This project has no instances or volumes."))]
        names = {server.id: server.name or server.id for server in instances
                 } if isinstance(instances, list) else {}
        groups = []
        if permissions.can_create(request):
            groups.append(_group(
                kinds.Kind.INSTANCE, _texts(
                    instances, create_wording.instance_choice),
                chosen, _("Instances"),
                _("The instances could not be listed. Try again later.")))
        if cloud.has('volume') and permissions.can_snapshot_volumes(request):
            groups.append(_group(
                kinds.Kind.VOLUME, _texts(
                    volumes, lambda volume: create_wording.volume_choice(
                        volume, names)), chosen, _("Volumes"),
                _("The volumes could not be listed. Try again later.")))
        last = request.session.get(LAST_SOURCE)
        again = [(value, text) for _label, choices in groups
                 for value, text in choices if value == last]
        if again:
            # Offered and not chosen: another one is shut down by mistake.
            groups = [(_("Used last"), again), *(
                (label, [choice for choice in choices if choice[0] != last])
                for label, choices in groups)]
        return [('', _("Choose an instance or a volume")), *groups]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        source_id = cleaned.get('source')
        if source_id:
            chosen = cleaned.get('volumes') or ()
            try:
                source = sources.find(self.request, source_id)
                found = source.obstacles(
                    chosen, power_off=bool(self.data.get('power_off')))
                source.find_again()
                if not source.can_choose(chosen):
                    found.append(_("The disks of the instance have changed. "
                                   "Check them again."))
            except errors.ServiceError:
                found = [_("The details could not be loaded. Try again "
                           "later.")]
            if found:
                # Horizon's wizard puts these into the page as they are.
                raise django_exceptions.ValidationError(
                    [format_html('{}', text) for text in found])
        return cleaned


def _texts(found: list[Any] | errors.ServiceError,
           text: Callable[[Any], str]
           ) -> dict[str, str] | errors.ServiceError:
    """What is said of instances or volumes, by their ids, in its order."""
    if isinstance(found, errors.ServiceError):
        return found
    texts_by_id = {one.id: str(text(one)) for one in found}
    return dict(sorted(texts_by_id.items(),
                       key=lambda choice: choice[1].casefold()))


def _group(kind: kinds.Kind, names: Mapping[str, str] | errors.ServiceError,
           chosen: str, label: Any,
           problem: Any) -> tuple[Any, list[tuple[str, str]]]:
    """Choices of one kind; that which is chosen is among them."""
    if isinstance(names, errors.ServiceError):
        LOG.warning('Listing choices for the wizard failed: %s', names)
        label, names = problem, {}
    choices = {model.row_id(kind, service_id): name or service_id
               for service_id, name in names.items()}
    with contextlib.suppress(ValueError):
        chosen_kind, service_id = model.parse_row_id(chosen)
        if chosen_kind is kind:
            choices.setdefault(chosen, service_id)
    return label, list(choices.items())


class What(workflows.Step):
    action_class = WhatAction
    contributes = ('source', 'purpose', 'volumes')
    template_name = 'project/compute_snapshots/create/_what.html'

    def many(self) -> bool:
        """Whether there are so many choices that one looks for one."""
        return sum(len(group) for _label, group
                   in self.action.fields['source'].choices[1:]) > _FEW

    def operators_words(self) -> dict[str, Any]:
        """For the template."""
        return wording.operators_words(self.workflow.request, notices.WIZARD)


class HowAction(workflows.Action):
    """Powered off or as it is."""

    power_off = forms.BooleanField(
        label=_("Power the instance off first"), required=False)
    power_on = forms.BooleanField(
        label=_("Power it on again afterwards"), required=False,
        initial=True)
    if_forced = forms.ChoiceField(
        label=_("If the guest does not shut down in time"), required=False,
        initial=sources.GO_ON, choices=[
            (sources.GO_ON, _("Force it off and take the snapshot")),
            (sources.STOP, _("Force it off and take no snapshot"))])
    # The state that the page was made for.
    seen_status = forms.CharField(required=False,
                                  widget=forms.HiddenInput())

    class Meta:
        name = _("2. Power")
        slug = 'how'

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        source_id = self.data.get('source')
        try:
            source = sources.find(self.request, source_id or '')
        except errors.ServiceError:
            return cleaned  # the first step tells
        seen = cleaned.get('seen_status')
        if not seen:
            raise django_exceptions.ValidationError(
                _("The details could not be shown. Go back to the first step "
                  "and choose again."))
        if seen != source.state:
            raise django_exceptions.ValidationError(format_html(
                _("The status of the instance or volume has changed from "
                  "{old} to {new} since this page was loaded. Go back and "
                  "check the details again."),
                old=states.status(seen), new=states.status(source.state)))
        if cleaned.get('power_off') and not source.can_power_off:
            raise django_exceptions.ValidationError(
                _("This instance cannot be powered off now."))
        return cleaned


class How(workflows.Step):
    action_class = HowAction
    contributes = ('power_off', 'power_on', 'if_forced', 'seen_status')
    template_name = 'project/compute_snapshots/create/_how.html'


class DetailsAction(workflows.Action):
    """Name and description, and what is going to happen."""

    name = forms.CharField(label=_("Snapshot Name"), max_length=255)
    description = forms.CharField(
        label=_("Description"), max_length=255, required=False,
        widget=forms.Textarea(attrs={'rows': 3}))
    keep_until = fields.keep_until()
    protect = forms.BooleanField(
        label=_("Protect the snapshot"), required=False,
        help_text=_("It cannot be deleted while it is protected."))
    keep = forms.ChoiceField(
        label=_("Older Snapshots of This Instance"), required=False,
        choices=[('', _("Keep all")), *(
            (str(number), lazy.format_lazy(_(
                "Offer to delete all but the newest {number}, including this "
                "one"),
                number=number)) for number in _KEEP)],
        help_text=_("When this snapshot is finished, a link above the list "
                    "lets you review and delete the older ones. Nothing is "
                    "deleted automatically."))

    class Meta:
        name = _("3. Name and Review")
        slug = 'details'

    def clean_name(self) -> str:
        return fields.usable(self.cleaned_data['name'])

    def clean_description(self) -> str:
        return fields.usable(texts.one_line(
            self.cleaned_data['description']))

    def clean_keep_until(self) -> datetime.date | None:
        day = self.cleaned_data['keep_until']
        if day is not None and day < timezone.localdate():
            raise django_exceptions.ValidationError(
                _("This day has passed."))
        return day

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        try:
            source = sources.find(self.request,
                                  self.data.get('source') or '')
        except errors.ServiceError:
            return cleaned  # the first step tells
        if not source.remembers:
            if cleaned.get('keep_until') or cleaned.get('protect'):
                raise django_exceptions.ValidationError(_(
                    "An end date and protection cannot be noted for this "
                    "instance before the snapshot exists. Edit the snapshot "
                    "afterwards."))
        if len(cleaned.get('name') or '') > source.name_length:
            self.add_error('name', ngettext(
                "The name is too long: at most %d character is allowed.",
                "The name is too long: at most %d characters are allowed.",
                source.name_length) % source.name_length)
        return cleaned


class Details(workflows.Step):
    action_class = DetailsAction
    contributes = ('name', 'description', 'keep_until', 'protect', 'keep')
    template_name = 'project/compute_snapshots/create/_details.html'

    def worker_url(self) -> str:
        return handoff.address(self.workflow.request)


class CreateSnapshot(workflows.Workflow):
    """Takes a snapshot of an instance or of a volume."""

    slug = 'create_snapshot'
    name = _("Create Snapshot")
    finalize_button_name = _("Create Snapshot")
    wizard = True
    default_steps = (What, How, Details)
    failure_message = _('Snapshot "%s" was not started.')

    def get_success_url(self) -> str:
        return redirects.list_address(self.request)

    def get_entry_point(self) -> str:
        """The first step, also where the address names what to capture.

        Horizon would skip it as complete, and with it the disk table.
        """
        wrong = [step.slug for step in self.steps if step.has_errors]
        return (wrong or [self.steps[0].slug])[0]

    def format_status_message(self, message: str) -> str:
        return message % self.context.get('name', '')

    def handle(self, request: HttpRequest, context: dict[str, Any]) -> bool:
        """Begin it; everything was checked again by the steps."""
        try:
            self.success_message = sources.find(
                request, context['source']).begin(context)
            request.session[LAST_SOURCE] = context['source']
        except lifecycle.Busy:
            self.failure_message = _(
                'Snapshot "%s" was not started: another snapshot of this '
                "instance is in progress.")
            return False
        except lifecycle.Unclear as unclear:
            LOG.warning('Whether a snapshot was begun is not known: %s',
                        unclear)
            self.failure_message = _not_known(unclear.error)
            return False
        except errors.ServiceError as error:
            LOG.warning('A snapshot was not begun: %s', error)
            self.failure_message = _refused(error)
            return False
        return True


def _not_known(error: errors.ServiceError) -> str:
    """That the snapshot may have been started, with a ``%s`` for its name."""
    return str(_('It is not known whether snapshot "%(name)s" was started: no '
                 "usable answer from %(service)s. Check the list when the "
                 "service works again.")) % {
                     'name': '%s', 'service': wording.SERVICES[error.service]}


def _refused(error: errors.ServiceError) -> str:
    """That a service refused the snapshot, with a ``%s`` for its name.

    ``format_status_message`` fills that in.
    """
    detail = error.detail.replace('%', '%%')
    return str(_('Snapshot "%(name)s" was not started, and nothing was '
                 "changed. Error from %(service)s: %(detail)s")) % {
                     'name': '%s', 'detail': detail,
                     'service': wording.SERVICES[error.service]}
