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

import logging

from django.core import exceptions as django_exceptions
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from horizon import forms
from horizon import workflows
from horizon.utils import memoized

from snapshot_dashboard import settings
from snapshot_dashboard.cloud import errors
from snapshot_dashboard.cloud import ids
from snapshot_dashboard.cloud import types
from snapshot_dashboard.content.compute_snapshots import connect
from snapshot_dashboard.content.compute_snapshots import rights
from snapshot_dashboard.content.compute_snapshots import wizard_wording
from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.runs import advance
from snapshot_dashboard.runs import journal
from snapshot_dashboard.runs import preflight

LOG = logging.getLogger(__name__)
#: Instances offered for choice; any other can be given by its id.
_CHOICES = 1000
#: What to do with an instance that had to be powered off by force.
_GO_ON, _STOP = 'go-on', 'stop'


def default_name(server: types.Server) -> str:
    """The instance's name and the minute, within Glance's 255 characters."""
    stamp = timezone.localtime().strftime('-%Y-%m-%d-%H%M')
    return (server.name or server.id)[:255 - len(stamp)] + stamp


def shutdown_timeout(facts: preflight.Facts) -> int:
    """Seconds that the guest of an instance has to shut down."""
    return (settings.get('SHUTDOWN_TIMEOUT')
            if facts.shutdown_timeout is None else facts.shutdown_timeout)


@memoized.memoized
def _facts(request, server_id: str) -> preflight.Facts:
    """Looked up once per request, whichever step asks."""
    return preflight.look(connect.cloud(request), server_id)


def obstacles(request, facts: preflight.Facts, chosen=()) -> list[str]:
    """All that is in the way of a snapshot, in words.

    :param chosen: the ids of the attached volumes to be captured with it.
    """
    found = [wizard_wording.obstacle(obstacle)
             for obstacle in preflight.obstacles(facts, chosen)]
    if not (rights.can_create(request, facts.server.volume_backed)
            and rights.can_record(request)
            and (not chosen or rights.can_snapshot_volumes(request))):
        found.append(_("You are not allowed to take a snapshot of this "
                       "instance. Ask an administrator of the project for "
                       "the role of a member."))
    return found


class VolumeIds(forms.Field):
    """Ids that the disk table's check boxes give."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value):
        return [text for text in value or () if ids.is_id(text)]


class WhatAction(workflows.Action):
    """Which instance; the disk table appears once it is chosen."""

    instance_id = forms.ChoiceField(label=_("Instance"))
    volumes = VolumeIds(required=False)

    class Meta:
        name = _("What")
        slug = 'what'

    def populate_instance_id_choices(self, request, context):
        # The address names it when the wizard opens, the form afterwards.
        chosen = self.data.get('instance_id') or context.get('instance_id')
        try:
            compute = connect.cloud(request).compute
            names = compute.server_names(_CHOICES)
            if chosen and chosen not in names:
                server = compute.server(chosen)
                names[server.id] = server.name
        except errors.NotFound:
            LOG.info('There is no server %s to take a snapshot of.', chosen)
        except errors.ServiceError as error:
            connect.log_out_if_expired(error)
            LOG.warning('No list of instances: %s', error)
            return [('', _("The instances could not be listed. Try again "
                           "later."))]
        if not names:
            return [('', _("This project has no instances."))]
        return [('', _("Choose an instance")),
                *((server_id, name or server_id)
                  for server_id, name in names.items())]

    def clean(self):
        cleaned = super().clean()
        server_id = cleaned.get('instance_id')
        if server_id:
            try:
                facts = _facts(self.request, server_id)
                volumes = cleaned.get('volumes') or ()
                found = obstacles(self.request, facts, volumes)
                if len(facts.taken(volumes)) < len(volumes) or (
                        volumes and not facts.can_choose_volumes):
                    found.append(_("The disks of the instance have changed. "
                                   "Look at them again."))
            except errors.ServiceError as error:
                connect.log_out_if_expired(error)
                found = [_("The instance could not be looked at. Try again "
                           "later.")]
            if found:
                # Horizon's wizard puts these into the page as they are.
                raise django_exceptions.ValidationError(
                    [format_html('{}', text) for text in found])
        return cleaned


class What(workflows.Step):
    action_class = WhatAction
    contributes = ('instance_id', 'volumes')
    template_name = 'project/compute_snapshots/_what.html'


class HowAction(workflows.Action):
    """Powered off or as it is."""

    power_off = forms.BooleanField(
        label=_("Power the instance off first"), required=False)
    power_on = forms.BooleanField(
        label=_("Power it on again afterwards"), required=False,
        initial=True)
    if_forced = forms.ChoiceField(
        label=_("If the guest does not shut down in time"), required=False,
        initial=_GO_ON, choices=[
            (_GO_ON, _("Power it off by force, and take the snapshot")),
            (_STOP, _("Power it off by force, and on again without a "
                      "snapshot"))])
    # The state that the page was made for.
    seen_status = forms.CharField(required=False,
                                  widget=forms.HiddenInput())

    class Meta:
        name = _("How")
        slug = 'how'

    def clean(self):
        cleaned = super().clean()
        server_id = self.data.get('instance_id')
        try:
            facts = _facts(self.request, server_id) if server_id else None
        except errors.ServiceError:
            facts = None  # the first step tells
        if facts is None:
            return cleaned
        seen = cleaned.get('seen_status')
        if not seen:
            raise django_exceptions.ValidationError(
                _("The page could not show the facts about the instance. Go "
                  "back to the first step and choose the instance again."))
        if seen != facts.server.status:
            raise django_exceptions.ValidationError(format_html(
                _("The instance was in the state {old} when this page was "
                  "made, and now is in the state {new}. Go back, look again "
                  "and decide anew."),
                old=seen, new=facts.server.status))
        if cleaned.get('power_off') and not (
                facts.can_power_off and rights.can_power(self.request)):
            raise django_exceptions.ValidationError(
                _("This instance cannot be powered off now."))
        return cleaned


class How(workflows.Step):
    action_class = HowAction
    contributes = ('power_off', 'power_on', 'if_forced', 'seen_status')
    template_name = 'project/compute_snapshots/_how.html'


class DetailsAction(workflows.Action):
    """Name and description, and what is going to happen."""

    name = forms.CharField(label=_("Snapshot Name"), max_length=255)
    description = forms.CharField(
        label=_("Description"), max_length=255, required=False,
        widget=forms.Textarea(attrs={'rows': 3}))

    class Meta:
        name = _("Details")
        slug = 'details'


class Details(workflows.Step):
    action_class = DetailsAction
    contributes = ('name', 'description')
    template_name = 'project/compute_snapshots/_details.html'


class CreateSnapshot(workflows.Workflow):
    """Takes a snapshot of an instance."""

    slug = 'create_snapshot'
    name = _("Create Snapshot")
    finalize_button_name = _("Create Snapshot")
    wizard = True
    default_steps = (What, How, Details)
    success_url = reverse_lazy('horizon:project:compute_snapshots:index')
    success_message = _(
        "The snapshot \"%s\" was begun. Keep this page open until it is "
        "finished. Should you leave, it goes on when you or another member "
        "of the project comes back to it.")
    failure_message = _("The snapshot \"%s\" was not begun.")

    def get_entry_point(self):
        """The first step, also where the address names the instance.

        Horizon would skip it as complete, and with it the disk table.
        """
        wrong = [step.slug for step in self.steps if step.has_errors]
        return (wrong or [self.steps[0].slug])[0]

    def format_status_message(self, message):
        return message % self.context.get('name', '')

    def handle(self, request, context):
        """Begin the run; everything was checked again by the steps."""
        cloud = connect.cloud(request)
        facts = _facts(request, context['instance_id'])
        plan = advance.new_plan(
            context['name'], context['description'],
            by=request.user.username,
            power_off=context['power_off'], power_on=context['power_on'],
            volumes=tuple(context['volumes'] or ()),
            stop_if_forced=context['if_forced'] == _STOP,
            shutdown_timeout=shutdown_timeout(facts),
            snapshot_timeout=int(settings.get('SNAPSHOT_TIMEOUT')),
            agent=facts.agent, expected=facts.expected,
            running=facts.server.status == 'ACTIVE')
        try:
            run = advance.begin(cloud, facts.server, plan)
        except advance.Busy:
            self.failure_message = _(
                "The snapshot \"%s\" was not begun: another one of this "
                "instance is under way.")
            return False
        except errors.ServiceError as error:
            connect.log_out_if_expired(error)
            LOG.warning('Run %s could not begin: %s', plan.run_id, error)
            self.failure_message = _refused(error)
            return False
        _go_on(cloud, run)
        return True


def _refused(error: errors.ServiceError) -> str:
    """A message with one place for the snapshot's name."""
    detail = error.detail.replace('%', '%%')
    return str(_("The snapshot \"%(name)s\" was not begun, and nothing was "
                 "changed. %(service)s said: %(detail)s")) % {
                     'name': '%s', 'detail': detail,
                     'service': wording.SERVICES[error.service]}


def _go_on(cloud, run: journal.Journal) -> None:
    """Take the first steps at once; the page takes the others."""
    try:
        advance.advance(cloud, run)
    except errors.ServiceError as error:
        LOG.info('Run %s goes on later: %s', run.plan.run_id, error)
