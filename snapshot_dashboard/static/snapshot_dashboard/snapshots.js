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

/* The panel of snapshots: runs above the list, and the wizard. */
horizon.snapshotDashboard = {
  /* The nodes of an answer that is a fragment of ours; of any other, none.
   * Unlike jQuery this runs no script that may be in it. */
  nodes: function (html, status, answer) {
    if (answer.getResponseHeader('X-Snapshot-Dashboard') !== 'fragment') {
      throw new Error('not a fragment of the snapshots panel');
    }
    return Array.from(new DOMParser().parseFromString(html, 'text/html')
      .body.childNodes);
  },

  /* While a run is open, bring it forward (or look at it) again and again. */
  initRuns: function () {
    var $section = $('.snapshot-runs');
    if (!$section.length) { return; }
    $section.on('submit', '[data-run-form]', function (event) {
      var question = $(this).attr('data-confirm');
      event.preventDefault();
      if (question && !window.confirm(question)) { return; }
      $section.data('clicked', $(this).find('button').attr('id'));
      $(this).find('button').prop('disabled', true);
      horizon.snapshotDashboard.request($section, 'POST',
                                        $(this).attr('action'));
    });
    horizon.snapshotDashboard.schedule($section);
  },

  /* Whether anybody goes on when the user leaves; asked once a minute. */
  askWorker: function ($where) {
    var $worker = $where.find('[data-snapshot-worker]');
    var now = Date.now();
    if (!$worker.length || now - ($worker.data('asked') || 0) < 60000) {
      return;
    }
    $worker.data('asked', now);
    horizon.snapshotDashboard.hearWorker($worker, $.post(
      $worker.attr('data-url'), $worker.find('input').serialize()));
  },

  hearWorker: function ($worker, answer) {
    answer.done(function (said) {
      $worker.attr('data-state', said.state);
      if (said.state === 'asked') {
        setTimeout(function () {
          horizon.snapshotDashboard.hearWorker($worker, $.get(
            $worker.attr('data-url'), {asked: said.asked}));
        }, 1000);
      } else {
        $worker.find('[data-worker-says]').text(said.text);
      }
    }).fail(function () {
      $worker.attr('data-state', 'silent').find('[data-worker-says]').text(
        gettext('Keep this page open until the snapshot is finished: ' +
                'whether it is seen through without you could not be ' +
                'found out.'));
    });
  },

  schedule: function ($section) {
    var $runs = $section.find('[data-runs]');
    clearTimeout($section.data('timer'));
    if ($runs.attr('data-handed-on') === 'true') {
      horizon.snapshotDashboard.askWorker($section);
    } else {
      $section.find('[data-snapshot-worker]').removeData('asked')
        .find('[data-worker-says]').empty();
    }
    if ($runs.attr('data-open') !== 'true') { return; }
    $section.data('timer', setTimeout(function () {
      var may = $runs.attr('data-may-advance') === 'true';
      horizon.snapshotDashboard.request(
        $section, may ? 'POST' : 'GET',
        $section.attr(may ? 'data-advance-url' : 'data-runs-url'));
    }, Number($runs.attr('data-interval'))));
  },

  request: function ($section, method, url) {
    var $runs = $section.find('[data-runs]');
    clearTimeout($section.data('timer'));
    $.ajax({
      type: method,
      url: url,
      data: method === 'POST' ? $runs.find('input').serialize() : {}
    }).then(horizon.snapshotDashboard.nodes).done(function (nodes) {
      horizon.snapshotDashboard.show($section, $runs, nodes);
      $section.data('failed', 0);
    }).fail(function (answer) {
      /* Signed out, or signed in anew: Horizon's own page knows the way. */
      if (answer.status === 401) { location.reload(); }
      horizon.snapshotDashboard.fail($section, $runs);
    }).always(function () {
      if ($section.data('failed') < 30) {
        horizon.snapshotDashboard.schedule($section);
      }
    });
  },

  /* The page itself could not be had; what it shows may be old. */
  fail: function ($section, $runs) {
    var text = gettext('This page could not be brought up to date. Reload ' +
                       'it to see how the snapshots stand.');
    $section.data('failed', ($section.data('failed') || 0) + 1);
    $runs.find('button').prop('disabled', false);
    if (!$runs.find('[data-runs-stale]').length) {
      $('<div class="alert alert-warning" data-runs-stale></div>')
        .text(text).prependTo($runs);
      $section.find('[data-runs-announcement]').text(text);
    }
  },

  show: function ($section, $runs, nodes) {
    var before = horizon.snapshotDashboard.spoken($runs);
    var focused = $section.data('clicked') ||
      (document.activeElement && document.activeElement.id);
    var hadFocus = $section.data('clicked') ||
      $.contains($section[0], document.activeElement);
    var $content = $section.find('[data-runs-content]');
    $content[0].replaceChildren.apply($content[0], nodes);
    var $new = $content.find('[data-runs]');
    var now = horizon.snapshotDashboard.spoken($new);
    $section.removeData('clicked');
    if (hadFocus) {
      /* What had the focus, else the run it was in, else the section. */
      var $target = $(document.getElementById(focused || ''));
      ($target.length ? $target : $section).trigger('focus');
    }
    if (now !== before) {
      $section.find('[data-runs-announcement]').text(now);
    }
    if ($new.attr('data-state') !== $runs.attr('data-state')) {
      horizon.snapshotDashboard.refreshList();
    }
  },

  spoken: function ($runs) {
    return $runs.find('article').map(function () {
      return $(this).find('[data-run-title]').text().trim() + ': ' +
        $(this).find('[data-run-now]').attr('data-run-now');
    }).get().join('. ');
  },

  /* The page left out some names to be quick: ask for them now. */
  initList: function () {
    if ($('[data-snapshots-list]').attr('data-unnamed') === 'true') {
      horizon.snapshotDashboard.refreshList();
    }
    $('[data-snapshots-later]').each(function () {
      var $later = $(this);
      $.get(
        $later.attr('data-url')
      ).then(horizon.snapshotDashboard.nodes).done(function (nodes) {
        $later[0].replaceChildren.apply($later[0], nodes);
      }).fail(function () {
        $later.find('[data-snapshots-loading]').text(
          gettext('This could not be found out now. Reload the page later.'));
      });
    });
  },

  /* Copy the command beside a button; where that is not allowed, mark it. */
  initCopy: function () {
    $(document).on('click', '[data-snapshots-copy]', function () {
      var $button = $(this);
      var text = $button.siblings('pre')[0];
      window.getSelection().selectAllChildren(text);
      if (!navigator.clipboard) { return; }
      navigator.clipboard.writeText(text.textContent).then(function () {
        $button.text(gettext('Copied'));
      }, function () {});
    });
  },

  /* Fetch the list anew, without the page around it, and with all names. */
  refreshList: function () {
    var address = new URL(location.href);
    address.searchParams.set('names', '1');
    $.get(address.href).done(function (html) {
      var page = new DOMParser().parseFromString(html, 'text/html');
      var $old = $('[data-snapshots-list] table.datatable');
      var $new = $(page).find('[data-snapshots-list] table.datatable');
      if ($old.length && $new.length) {
        horizon.snapshotDashboard.mergeRows($old, $new);
      }
    });
  },

  mergeRows: function ($old, $new) {
    var moving = 'tr.warning.ajax-update';
    var polling = $old.find(moving).length > 0;
    var $rows = $new.find('tbody').first().children().map(function () {
      /* Horizon may just be asking for a row in motion: leave that one. */
      var there = this.id && document.getElementById(this.id);
      return there && $(there).is(moving) ? there : this;
    });
    var body = $old.find('tbody')[0];
    body.replaceChildren.apply(body, $rows.get());
    $old.children('thead, tfoot').each(function () {
      this.replaceChildren.apply(
        this, $new.children(this.tagName).contents().get());
    });
    recompileAngularContent($old);
    if (!polling) { horizon.datatables.update(); }
  },

  /* What Horizon's dialogs leave out for those who do not see them. */
  initDialog: function (modal) {
    $(modal).find('a.close').attr('aria-label', gettext('Close'));
    $(modal).find('.wizard-tabs > li').attr('role', 'presentation')
      .children('a').attr('role', 'tab');
  },

  /* The wizard: what the page says of what is chosen. */
  initWizard: function (modal) {
    var $wizard = $(modal).find('[data-snapshot-facts]').closest('form');
    if (!$wizard.length) { return; }
    horizon.snapshotDashboard.askWorker($wizard);
    var $source = $wizard.find('[name="source"]');
    $source.on('change', function () {
      horizon.snapshotDashboard.loadFacts($wizard, $source.val());
    });
    $wizard.on('change', '[name="power_off"], [name="power_on"], ' +
               '[name="volumes"], [name="purpose"]', function () {
                 horizon.snapshotDashboard.showChoice($wizard);
               });
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

  loadFacts: function ($wizard, sourceId) {
    var $facts = $wizard.find('[data-snapshot-facts]');
    $wizard.data('facts', sourceId);
    /* Nothing of another one stays, should this one not be had. */
    $wizard.find('[name="seen_status"]').val('');
    $wizard.find('[data-power-fields] .form-group').addClass('hidden');
    $wizard.find('[data-facts-purpose], [data-facts-disks], ' +
                 '[data-facts-how], [data-facts-live], ' +
                 '[data-facts-summary]').empty();
    if (!sourceId) { return; }
    $wizard.find('[data-facts-disks]').text(gettext('Looking…'));
    $.get(
      $facts.attr('data-url'), {source: sourceId}
    ).then(horizon.snapshotDashboard.nodes).done(function (nodes) {
      if ($wizard.data('facts') === sourceId) {
        horizon.snapshotDashboard.showFacts($wizard, $(nodes));
      }
    }).fail(function () {
      if ($wizard.data('facts') === sourceId) {
        $wizard.find('[data-facts-disks]').text(
          gettext('This cannot be looked at now. Try again later.'));
      }
    });
  },

  showFacts: function ($wizard, $nodes) {
    var $facts = $nodes.filter('[data-facts]');
    var kept = $wizard.data('kept');
    $wizard.removeData('kept');
    $wizard.find('[data-facts-disks]').empty();
    $nodes.find('[data-for]').addBack('[data-for]').each(function () {
      var place = $wizard.find(
        '[data-facts-' + $(this).attr('data-for') + ']')[0];
      if (place) {
        place.replaceChildren.apply(place, $(this).contents().get());
      }
    });
    if (!$facts.length) { return; }
    var canPowerOff = $facts.attr('data-can-power-off') === 'true';
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
    /* A locked instance's record does not hold it. */
    $wizard.data('can-keep', $facts.attr('data-can-keep') === 'true');
    horizon.snapshotDashboard.showChoice($wizard);
  },

  showChoice: function ($wizard) {
    var can = $wizard.data('can-power-off') || false;
    var ofInstance = $wizard.find('[data-purpose]').length > 0;
    $wizard.find('[name="purpose"]').closest('.form-group')
      .toggleClass('hidden', !ofInstance);
    $wizard.find('[name="keep"]').closest('.form-group')
      .toggleClass('hidden', !$wizard.data('can-keep'));
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
    $wizard.find('[data-summary-on]').toggleClass('hidden', !on);
    $wizard.find('[data-summary-left-off]').toggleClass('hidden', !off || on);
  }
};

horizon.addInitFunction(function () {
  horizon.snapshotDashboard.initRuns();
  horizon.snapshotDashboard.initList();
  horizon.snapshotDashboard.initCopy();
  horizon.snapshotDashboard.initWizard(document);
  horizon.modals.addModalInitFunction(horizon.snapshotDashboard.initDialog);
  horizon.modals.addModalInitFunction(horizon.snapshotDashboard.initWizard);
});
