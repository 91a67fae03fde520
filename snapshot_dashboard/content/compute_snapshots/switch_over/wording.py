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

"""What the pages say of instances that take addresses over."""

import datetime
from typing import Any

from django.utils import formats
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from snapshot_dashboard.cloud import errors
from snapshot_dashboard.content.compute_snapshots import states
from snapshot_dashboard.content.compute_snapshots import wording
from snapshot_dashboard.switch_overs import choices
from snapshot_dashboard.switch_overs import course
from snapshot_dashboard.switch_overs import switch_over

#: Days for which the old instance should be kept.
KEEP_DAYS = 14
CONFIRM_TURN = _(
    "Both instances are powered off while addresses move. Then the instance "
    "that has them is powered on, if one of them ran when the switch-over was "
    "begun. The other one stays as it is then.")
CONFIRM_DISMISS = _(
    "Both instances stay as they are, but there is no button to switch back "
    "any more.")
_NOW = {
    course.Do.STOP: _("Powering off"),
    course.Do.DETACH: _("Moving the addresses"),
    course.Do.CREATE: _("Moving the addresses"),
    course.Do.ATTACH: _("Moving the addresses"),
    course.Do.ASSOCIATE: _("Moving the floating addresses"),
    course.Do.START: _("Powering on"),
}
_OBSTACLES = {
    choices.Code.SOURCE_GONE: _(
        "The instance that it was taken of does not exist any more, or is not "
        "known. Its addresses went with it."),
    choices.Code.NO_NETWORKS: _("This cloud has no networks."),
    choices.Code.NO_COPY: _(
        "No instance of this project was launched from this snapshot. Launch "
        "one, see that it works, then come back."),
    choices.Code.NO_PORTS: _(
        "The old instance has no network cards of this project."),
    choices.Code.TOO_MANY: _(
        "The old instance has more network cards, or larger ones, than can be "
        "recorded."),
    choices.Code.LOCKED: _(
        "The instance %(instance)s is locked. Unlock it under Compute > "
        "Instances first."),
    choices.Code.UNDER_WAY: _(
        "A snapshot of the instance %(instance)s is in progress, or it is "
        "going back, or its addresses are moving. Wait until that is "
        "finished."),
    choices.Code.RECORDED: _(
        "An earlier switch-over from this snapshot is shown above the list of "
        "snapshots. Go on with that, or dismiss it first."),
    choices.Code.QOS: _(
        "The port with the address %(address)s has a QoS policy, which may "
        "not be yours to give to the port that is created anew. Remove it "
        "from the port first."),
    choices.Code.NETWORK: _(
        "The address %(address)s would be lost: Nova may delete its port when "
        "it is detached, and only the project that owns the network can "
        "create it anew with the same address."),
    choices.Code.HARDWARE: _(
        "The network card with the address %(address)s is a part of a host, "
        "or a trunk, and cannot move."),
    choices.Code.TAGS: _(
        "The instance %(instance)s has no room for more tags: Nova allows 50. "
        "Remove some."),
    choices.Code.PROPERTIES: _(
        "The snapshot has no room to record it: Glance allows %(limit)d "
        "properties. Remove some that are not needed."),
}
_HELD = {
    switch_over.Held.RUN: _(
        "It waits until what is under way at “%s” is finished."),
    switch_over.Held.STATE: _(
        "It waits for “%s”: its status does not allow to move addresses. It "
        "has to be active or shut off."),
    switch_over.Held.TAKEN: _(
        "It waits for the port with the address %s, which belongs to another "
        "instance, or to one that was deleted. Detach it there."),
}
_FAILURES = {
    switch_over.Failure.INSTANCE_GONE: _(
        "“%s” was deleted. The ports with its addresses are kept, attached to "
        "nothing. If the other instance is still there, it can have them."),
    switch_over.Failure.NOT_ALL: _(
        "“%s” has what could be moved, but not all: compare its addresses "
        "with those below."),
    switch_over.Failure.START_FAILED: _(
        "“%s” has the addresses, but does not run. Power it on under Compute "
        "> Instances."),
}


def obstacle(found: choices.Obstacle) -> str:
    """What is in the way, and what to do about it."""
    facts = found.facts
    if found.code is choices.Code.STATE:
        return _("The status of the instance %(instance)s is %(status)s. It "
                 "has to be active or shut off.") % {
                     **facts, 'status': states.status(facts['status'])}
    if found.code is choices.Code.BUSY:
        return _("The instance %(instance)s is busy (%(task)s). Wait until "
                 "that is finished, then try again.") % {
                     **facts, 'task': states.task(facts['task'])}
    return str(_OBSTACLES[found.code]) % facts


def now(found: switch_over.SwitchOver) -> str:
    """What a switch-over is at, or what came of it."""
    if not found.open:
        return str(_("Failed") if found.progress.failure else _("Finished"))
    if found.progress.held:
        return str(_("Waiting"))
    word = found.progress.asked.partition(' ')[0]
    try:
        return str(_NOW[course.Do(word)])
    except (ValueError, KeyError):
        return str(_("Preparing"))


def title(found: switch_over.SwitchOver) -> str:
    """Who takes the addresses of whom."""
    plan, side = found.plan, found.taker
    return _("Switching over: %(giver)s to %(taker)s") % {
        'giver': plan.instance_name(side.other),
        'taker': plan.instance_name(side)}


def outcome(found: switch_over.SwitchOver) -> str:
    """What one that is over has led to."""
    plan, side = found.plan, found.taker
    name = plan.instance_name(side)
    if found.progress.failure:
        try:
            failure = switch_over.Failure(found.progress.failure)
            said = str(_FAILURES[failure]) % name
            if found.progress.hindrance:
                said += f' {wording.service_said(found.progress.hindrance)}'
            return said
        except ValueError:
            return str(_("It failed for a reason that is not known."))
    return _("“%(taker)s” has got the addresses %(addresses)s. “%(giver)s” "
             "keeps its disks.") % {
                 'taker': name, 'giver': plan.instance_name(side.other),
                 'addresses': addresses(found)}


def kept(found: switch_over.SwitchOver) -> str:
    """Until when the old instance should be kept."""
    if found.open or found.progress.failure or (
            found.taker is not switch_over.Side.COPY):
        return ''
    until = datetime.datetime.fromtimestamp(
        found.progress.ended_at, datetime.UTC) + datetime.timedelta(
            days=KEEP_DAYS)
    return _("Keep “%(name)s” until you are sure, for instance until "
             "%(date)s. Nothing is deleted by itself.") % {
                 'name': found.plan.instance_name(switch_over.Side.ORIGINAL),
                 'date': formats.date_format(timezone.localtime(until))}


def addresses(found: switch_over.SwitchOver) -> str:
    return ', '.join(address for card in found.plan.cards
                     for address in card.fixed)


def hindrance(found: switch_over.SwitchOver, at: int) -> str:
    """What is in the way now."""
    progress = found.progress
    if not found.open:
        return ''
    code, _space, detail = progress.held.partition(' ')
    if code:
        try:
            return str(_HELD[switch_over.Held(code)]) % detail
        except ValueError:
            return ''
    if progress.not_before > at and progress.hindrance:
        return wording.repeated(progress.hindrance, progress.not_before - at)
    return ''


def not_begun(error: errors.ServiceError) -> Any:
    return _("Nothing was moved. Whether it was begun is shown above the list "
             "of snapshots. Error from %(service)s: %(detail)s"
             ) % wording.said(error)
