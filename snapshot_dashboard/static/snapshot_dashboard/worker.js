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

/* Whether a worker goes on when the user leaves the page. */
horizon.snapshotDashboard.worker = {
  /* Ask for one; once a minute at the most. */
  ask: function ($where) {
    var $worker = $where.find('[data-snapshot-worker]');
    var now = Date.now();
    if (!$worker.length || now - ($worker.data('asked') || 0) < 60000) {
      return;
    }
    $worker.data('asked', now);
    horizon.snapshotDashboard.worker.hear($worker, $.post(
      $worker.attr('data-url'), $worker.find('input').serialize()));
  },

  /* Say nothing of it any more. */
  forget: function ($where) {
    $where.find('[data-snapshot-worker]').removeData('asked')
      .find('[data-worker-says]').empty();
  },

  hear: function ($worker, answer) {
    answer.done(function (said) {
      $worker.attr('data-state', said.state);
      if (said.state === 'asked') {
        setTimeout(function () {
          horizon.snapshotDashboard.worker.hear($worker, $.get(
            $worker.attr('data-url'), {asked: said.asked}));
        }, 1000);
      } else {
        $worker.find('[data-worker-says]').text(said.text);
      }
    }).fail(function () {
      $worker.attr('data-state', 'silent').find('[data-worker-says]').text(
        gettext('Keep Compute > Snapshots open until the snapshot is ' +
                'finished: it could not be checked whether a background ' +
                'worker is available.'));
    });
  }
};
