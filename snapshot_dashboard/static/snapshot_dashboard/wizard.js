/*
 * Licensed under the Apache License, Version 2.0 (the "License"); you may
 * not use this file except in compliance with the License. You may obtain
 * a copy of the License at
 *
 *     http://www.apache.org/licenses/LICENSE-2.0
 *
 * Unless required by applicable law or agreed to in writing, software
 * distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
 * WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
 * License for the specific language governing permissions and limitations
 * under the License.
 */

/* The wizard: what its page says of what is chosen. */
horizon.snapshotDashboard.wizard = {
  start: function (modal) {
    var $wizard = $(modal).find('[data-snapshot-facts]').closest('form');
    if (!$wizard.length) { return; }
    $wizard.addClass('snapshot-wizard');
    horizon.snapshotDashboard.worker.ask($wizard);
    var $source = $wizard.find('[name="source"]');
    $wizard.find('[data-narrow]').on('input', function () {
      var found = horizon.snapshotDashboard.wizard.narrow($source, this.value);
      $wizard.find('[data-narrow-none]').toggleClass('hidden', found);
    }).on('keydown', function (event) {
      /* Enter chooses the first one, and does not send the form. */
      if (event.key !== 'Enter') { return; }
      event.preventDefault();
      var text = this.value;
      var first = $source.find('option').filter(function () {
        return this.value &&
          horizon.snapshotDashboard.wizard.holds(this, text);
      })[0];
      if (first) { $source.val(first.value).trigger('change'); }
    });
    $source.on('change', function () {
      horizon.snapshotDashboard.wizard.load($wizard, $source.val());
    });
    $wizard.on('change', '[name="power_off"], [name="power_on"], ' +
               '[name="if_forced"], [name="volumes"], [name="purpose"]',
               function () {
                 horizon.snapshotDashboard.wizard.choose($wizard);
               });
    $wizard.on('shown.bs.tab', '.wizard-tabs a',
               horizon.snapshotDashboard.wizard.pass);
    $wizard.find('[data-power-fields] .form-group').addClass('hidden');
    /* A form that came back with an error keeps what the user had chosen. */
    if ($wizard.find('[name="seen_status"]').val()) {
      $wizard.data('kept', {
        status: $wizard.find('[name="seen_status"]').val(),
        volumes: $wizard.find('input[type="hidden"][name="volumes"]')
          .map(function () { return this.value; }).get()
      });
    }
    $wizard.find('input[type="hidden"][name="volumes"]').remove();
    if ($source.val()) { $source.trigger('change'); }
  },

  load: function ($wizard, sourceId) {
    var $facts = $wizard.find('[data-snapshot-facts]');
    $wizard.data('facts', sourceId);
    horizon.snapshotDashboard.wizard.allow($wizard, true);
    horizon.snapshotDashboard.wizard.fold($wizard, false);
    /* Nothing of another one stays, should this one not be had. */
    $wizard.find('[name="seen_status"]').val('');
    $wizard.find('[data-power-fields] .form-group').addClass('hidden');
    $wizard.find('[data-facts-purpose], [data-facts-disks], ' +
                 '[data-facts-how], [data-facts-live], ' +
                 '[data-facts-summary]').empty();
    if (!sourceId) { return; }
    $wizard.find('[data-facts-disks]').text(gettext('Loading…'));
    horizon.snapshotDashboard.fragments.ask(
      'GET', $facts.attr('data-url'), {source: sourceId}
    ).done(function (nodes) {
      if ($wizard.data('facts') === sourceId) {
        horizon.snapshotDashboard.wizard.show($wizard, $(nodes));
      }
    }).fail(function () {
      if ($wizard.data('facts') === sourceId) {
        $wizard.find('[data-facts-disks]').text(
          gettext('The details could not be loaded. Try again later.'));
      }
    });
  },

  show: function ($wizard, $nodes) {
    var $facts = $nodes.filter('[data-facts]');
    var kept = $wizard.data('kept');
    $wizard.removeData('kept');
    $wizard.find('[data-facts-disks]').empty();
    $nodes.find('[data-for]').addBack('[data-for]').each(function () {
      var place = $wizard.find(
        '[data-facts-' + $(this).attr('data-for') + ']')[0];
      if (place) {
        horizon.snapshotDashboard.fragments.put(
          place, $(this).contents().get());
      }
    });
    if (!$facts.length) { return; }
    var canPowerOff = $facts.attr('data-can-power-off') === 'true';
    horizon.snapshotDashboard.wizard.allow(
      $wizard, $facts.attr('data-possible') !== 'false');
    var $name = $wizard.find('[name="name"]');
    /* The state that was decided on, not the one of now. */
    $wizard.find('[name="seen_status"]').val(
      kept ? kept.status : $facts.attr('data-status'));
    /* The fields alone: what is wrong with them stands beside them. */
    $wizard.find('[data-power-fields] .form-group')
      .toggleClass('hidden', !canPowerOff);
    if (kept) {
      $wizard.find('[name="volumes"]').each(function () {
        $(this).prop('checked', kept.volumes.indexOf(this.value) !== -1);
      });
    } else {
      $wizard.find('[name="power_off"]').prop(
        'checked',
        canPowerOff && $facts.attr('data-suggest-power-off') === 'true');
    }
    if (!canPowerOff) {
      $wizard.find('[name="power_off"]').prop('checked', false);
    }
    /* A name that the user has not touched follows what is chosen. */
    if (!$name.val() || $name.val() === $wizard.data('default-name')) {
      $name.val($facts.attr('data-name'));
    }
    $wizard.data('default-name', $facts.attr('data-name'));
    $wizard.data('can-power-off', canPowerOff);
    horizon.snapshotDashboard.wizard.fold($wizard, !canPowerOff);
    /* A locked instance's record does not hold it. */
    $wizard.data('can-keep', $facts.attr('data-can-keep') === 'true');
    $wizard.data('can-date', $facts.attr('data-can-date') === 'true');
    $wizard.data('change-until', $facts.attr('data-change-until'));
    horizon.snapshotDashboard.wizard.choose($wizard);
  },

  /* Whether one can go on: not where what is in the way is told already. */
  allow: function ($wizard, may) {
    $wizard.find('.button-next').prop('disabled', !may);
  },

  /* Fold the step about power where there is nothing to choose: it is passed
   * by, and what it says stands in the review. */
  fold: function ($wizard, folded) {
    $wizard.find('[data-facts-folded]').empty().append(
      folded ? $wizard.find('[data-facts-how]').contents().clone() : []);
    var step = $wizard.find('[data-power-fields]').closest('.tab-pane')
      .attr('id');
    var $tab = $wizard.find('.wizard-tabs a[href="#' + step + '"]');
    $tab.parent().toggleClass('snapshot-folded', folded);
    $tab.find('.snapshot-folded-why').remove();
    if (folded) {
      $('<span class="snapshot-folded-why"></span>')
        .text(' ' + gettext('(nothing to choose)')).appendTo($tab);
    }
  },

  /* Leave a folded step as it was come to: forward or back. */
  pass: function (event) {
    var $step = $(event.target).parent('.snapshot-folded');
    if (!$step.length) { return; }
    var back = event.relatedTarget &&
      $(event.relatedTarget).parent().index() > $step.index();
    $step.closest('form').find(back ? '.button-previous' : '.button-next')
      .trigger('click');
  },

  /* Whether what was typed is in the words of a choice. */
  holds: function (option, text) {
    return option.textContent.toLowerCase()
      .indexOf(text.trim().toLowerCase()) !== -1;
  },

  /* Leave those choices whose words hold what was typed; whether there are
   * any. What was chosen before and is none of them is not meant any more. */
  narrow: function ($source, text) {
    var found = false;
    $source.find('option').each(function () {
      var shown = !this.value ||
        horizon.snapshotDashboard.wizard.holds(this, text);
      found = found || Boolean(this.value) && shown;
      if (!shown && this.selected) { $source.val('').trigger('change'); }
      $(this).prop('hidden', !shown).prop('disabled', !shown);
    });
    return found;
  },

  /* Suggest an end for what is to go back to after a change; the user's own
   * date stays. */
  date: function ($wizard) {
    var $day = $wizard.find('[name="keep_until"]');
    var suggested = $wizard.data('suggested-day') || '';
    var wanted = $wizard.find('[name="purpose"]').val() === 'change' &&
      $wizard.data('can-date') ? $wizard.data('change-until') : '';
    if ($day.val() === suggested) { $day.val(wanted); }
    $wizard.data('suggested-day', wanted);
  },

  choose: function ($wizard) {
    var can = $wizard.data('can-power-off') || false;
    var ofInstance = $wizard.find('[data-purpose]').length > 0;
    /* A volume is no machine that could be a template. */
    if (!ofInstance && $wizard.find('[name="purpose"]').val() ===
        'template') {
      $wizard.find('[name="purpose"]').val('');
    }
    $wizard.find('[name="purpose"] option[value="template"]')
      .prop('hidden', !ofInstance).prop('disabled', !ofInstance);
    $wizard.find('[name="keep"]').closest('.form-group')
      .toggleClass('hidden', !$wizard.data('can-keep'));
    $wizard.find('[name="keep_until"]').closest('.form-group')
      .toggleClass('hidden', !$wizard.data('can-date'));
    $wizard.find('[name="protect"]').closest('.form-group')
      .toggleClass('hidden', !$wizard.data('can-keep'));
    $wizard.find('[data-cannot-keep]').toggleClass(
      'hidden', !ofInstance || Boolean($wizard.data('can-keep')));
    /* What cannot be seen is not asked for. */
    if (!$wizard.data('can-date')) {
      $wizard.find('[name="keep_until"]').val('');
    }
    if (!$wizard.data('can-keep')) {
      $wizard.find('[name="protect"]').prop('checked', false);
    }
    horizon.snapshotDashboard.wizard.date($wizard);
    $wizard.find('[data-purpose]').each(function () {
      $(this).toggleClass('hidden', $(this).attr('data-purpose') !==
                          $wizard.find('[name="purpose"]').val());
    });
    var off = can && $wizard.find('[name="power_off"]').prop('checked');
    var on = off && $wizard.find('[name="power_on"]').prop('checked');
    $wizard.find('[name="power_on"], [name="if_forced"]')
      .closest('.form-group').toggleClass('hidden', !off);
    $wizard.find('[name="volumes"]').each(function () {
      var chosen = this.checked;
      $(this).closest('td').find('[data-choice-off]')
        .toggleClass('hidden', chosen);
      $wizard.find('[data-if-chosen="' + this.value + '"]')
        .toggleClass('hidden', !chosen);
      $wizard.find('[data-unless-chosen="' + this.value + '"]')
        .toggleClass('hidden', chosen);
    });
    $wizard.find('[data-summary-not-captured]').each(function () {
      $(this).toggleClass('hidden',
                          !$(this).find('li').not('.hidden').length);
    });
    $wizard.find('[data-facts-live]').toggleClass('hidden', off || !can);
    $wizard.find('[data-summary-off]').toggleClass('hidden', !off);
    var forced = $wizard.find('[name="if_forced"]').val();
    $wizard.find('[data-summary-if-forced]').each(function () {
      $(this).toggleClass('hidden', !off ||
        $(this).attr('data-summary-if-forced') !== forced);
    });
    $wizard.find('[data-summary-parts]').toggleClass(
      'hidden', !$wizard.find('[name="volumes"]:checked').length);
    $wizard.find('[data-summary-live]').toggleClass('hidden', off);
    $wizard.find('[data-summary-on]').toggleClass('hidden', !on);
    $wizard.find('[data-summary-left-off]').toggleClass('hidden', !off || on);
  }
};
