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

/* The runs above the list: brought forward, or looked at, again and again. */
horizon.snapshotDashboard.runs = {
  /* Answers that fail in a row until it is left to the user. */
  MOST_FAILURES: 30,

  start: function () {
    var $section = $('.snapshot-runs');
    if (!$section.length) { return; }
    $section.on('submit', '[data-run-form]', function (event) {
      var $form = $(this);
      var question = $form.attr('data-confirm');
      event.preventDefault();
      if (question) {
        horizon.snapshotDashboard.dialogs.ask(
          $form.find('button').text().trim(), question, function () {
            horizon.snapshotDashboard.runs.press($section, $form);
          });
      } else {
        horizon.snapshotDashboard.runs.press($section, $form);
      }
    });
    horizon.snapshotDashboard.runs.schedule($section);
  },

  /* Do what a button says, and show that it was pressed. */
  press: function ($section, $form) {
    var $button = $form.find('button');
    $section.data('clicked', $button.attr('id'));
    $button.prop('disabled', true).prepend(
      '<span class="fa fa-refresh fa-spin" aria-hidden="true"></span> ');
    horizon.snapshotDashboard.runs.request($section, 'POST',
                                           $form.attr('action'));
  },

  schedule: function ($section) {
    var $runs = $section.find('[data-runs]');
    clearTimeout($section.data('timer'));
    if ($runs.attr('data-handed-on') === 'true') {
      horizon.snapshotDashboard.worker.ask($section);
    } else {
      horizon.snapshotDashboard.worker.forget($section);
    }
    if ($runs.attr('data-open') !== 'true') { return; }
    $section.data('timer', setTimeout(function () {
      var may = $runs.attr('data-may-advance') === 'true';
      horizon.snapshotDashboard.runs.request(
        $section, may ? 'POST' : 'GET',
        $section.attr(may ? 'data-advance-url' : 'data-runs-url'));
    }, Number($runs.attr('data-interval'))));
  },

  request: function ($section, method, url) {
    var $runs = $section.find('[data-runs]');
    clearTimeout($section.data('timer'));
    horizon.snapshotDashboard.fragments.ask(
      method, url, $runs.find(method === 'POST' ? 'input' : '[name=refused]')
        .serialize()
    ).done(function (nodes) {
      horizon.snapshotDashboard.runs.show($section, $runs, nodes);
      $section.data('failed', 0);
    }).fail(function (answer) {
      /* Signed out, or signed in anew: Horizon's own page knows the way. */
      if (answer.status === 401) { location.reload(); }
      /* Rights were taken away: this page looks on from here. */
      if (answer.status === 403) { $runs.attr('data-may-advance', 'false'); }
      horizon.snapshotDashboard.runs.fail($section, $runs);
    }).always(function () {
      if ($section.data('failed') <
          horizon.snapshotDashboard.runs.MOST_FAILURES) {
        horizon.snapshotDashboard.runs.schedule($section);
      }
    });
  },

  /* The page itself could not be had; what it shows may be old. */
  fail: function ($section, $runs) {
    var text = gettext('This page could not be updated. Reload it to see ' +
                       'the current state of the snapshots.');
    $section.data('failed', ($section.data('failed') || 0) + 1);
    $runs.find('button').prop('disabled', false)
      .children('.fa-spin').remove();
    if (!$runs.find('[data-runs-stale]').length) {
      $('<div class="alert alert-warning" data-runs-stale></div>')
        .text(text).prependTo($runs);
      $section.find('[data-runs-announcement]').text(text);
    }
  },

  show: function ($section, $runs, nodes) {
    var before = horizon.snapshotDashboard.runs.spoken($runs);
    var focused = $section.data('clicked') ||
      (document.activeElement && document.activeElement.id);
    var hadFocus = $section.data('clicked') ||
      $.contains($section[0], document.activeElement);
    var $content = $section.find('[data-runs-content]');
    horizon.snapshotDashboard.fragments.put($content[0], nodes);
    var $new = $content.find('[data-runs]');
    var now = horizon.snapshotDashboard.runs.spoken($new)
      .filter(function (text) { return before.indexOf(text) === -1; });
    $section.removeData('clicked');
    if (hadFocus) {
      /* What had the focus, else the run it was in, else the section. */
      var $target = $(document.getElementById(focused || ''));
      ($target.length ? $target : $section).trigger('focus');
    }
    if (now.length) {
      $section.find('[data-runs-announcement]').text(now.join('. '));
    }
    if ($new.attr('data-state') !== $runs.attr('data-state')) {
      horizon.snapshotDashboard.list.refresh();
      horizon.snapshotDashboard.list.later();
    }
  },

  /* What a screen reader says of each. */
  spoken: function ($runs) {
    return $runs.find('article').map(function () {
      return $(this).find('[data-run-title]').text().trim() + ': ' +
        $(this).find('[data-run-now]').attr('data-run-now');
    }).get();
  }
};
