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

/* What Horizon's dialogs leave out, and the button that copies a command. */
horizon.snapshotDashboard.dialogs = {
  /* The forms of this panel, on whichever page they open. */
  OURS: 'form[action*="/compute_snapshots/"]',

  start: function () {
    $(document).on('click', '[data-snapshots-copy]',
                   horizon.snapshotDashboard.dialogs.copy);
    /* What opened a dialog has the focus again when it is closed. */
    $(document).on('click', '.ajax-modal[href*="/compute_snapshots/"]',
                   function () {
                     horizon.snapshotDashboard.dialogs.opener = this;
                   });
    $(document).on('hidden.bs.modal', '.modal', function () {
      horizon.snapshotDashboard.dialogs.replace();
      var opener = horizon.snapshotDashboard.dialogs.opener;
      horizon.snapshotDashboard.dialogs.opener = null;
      if (document.activeElement === document.body) {
        $(opener).filter(':visible').trigger('focus');
      }
    });
    /* A dialog is read from its title on, a step from its first field on. */
    $(document).on('shown.bs.modal', '.modal', function () {
      if (!$(this).has(horizon.snapshotDashboard.dialogs.OURS).length) {
        return;
      }
      horizon.snapshotDashboard.dialogs.replace();
      /* Else Bootstrap can neither keep the focus in it nor hear Escape. */
      $(this).attr('tabindex', -1);
      if (!this.contains(document.activeElement)) {
        $(this).find('.modal-title').attr('tabindex', -1).trigger('focus');
      }
    });
    /* After it was sent, the page is read from the snapshots in progress on.
     */
    $(document).on('submit', horizon.snapshotDashboard.dialogs.OURS +
                   '.snapshot-wizard', function () {
      horizon.snapshotDashboard.dialogs.remember(true);
    });
    if (horizon.snapshotDashboard.dialogs.remember(false) &&
        $('.alert-success').length) {
      $('.snapshot-runs').trigger('focus');
    }
    $(document).on('shown.bs.tab', horizon.snapshotDashboard.dialogs.OURS +
                   ' .wizard-tabs a', horizon.snapshotDashboard.dialogs.enter);
  },

  /* A form that comes back stands in a dialog of its own. The one that it was
   * sent from is not wanted again, nor are its ids. */
  replace: function () {
    var $ours = $('#modal_wrapper > .modal')
      .has(horizon.snapshotDashboard.dialogs.OURS);
    $ours.not(':last').filter(':hidden').remove();
  },

  /* Whether the page before this one sent the wizard; a browser may keep
   * nothing. */
  remember: function (sent) {
    var before = null;
    try {
      before = sessionStorage.getItem('snapshot-submitted');
      sessionStorage[sent ? 'setItem' : 'removeItem'](
        'snapshot-submitted', 'true');
    } catch { return false; }
    return before === 'true';
  },

  enter: function (event) {
    var $step = $($(event.target).attr('href'));
    var $first = $step.find('input, select, textarea')
      .filter(':visible').first();
    ($first.length ? $first : $step.attr('tabindex', -1)).trigger('focus');
  },

  /* Copy the command beside a button; where that is not allowed, mark it. */
  copy: function () {
    var $button = $(this);
    var text = $button.siblings('pre')[0];
    window.getSelection().selectAllChildren(text);
    if (!navigator.clipboard) { return; }
    navigator.clipboard.writeText(text.textContent).then(function () {
      $button.text(gettext('Copied'));
    }, function () {});
  },

  /* Ask before something is done that cannot be undone. */
  ask: function (title, question, done) {
    var before = document.activeElement;
    var $modal = horizon.modals.create(title, '', title);
    $modal.find('.modal-body').text(question);
    $modal.on('click', '.btn-primary', function (event) {
      event.preventDefault();
      $modal.modal('hide');
      done();
    }).on('hidden.bs.modal', function () {
      $modal.remove();
      $(before).trigger('focus');
    });
    horizon.snapshotDashboard.dialogs.label($modal);
    $modal.modal();
    $modal.find('.cancel').trigger('focus');
  },

  /* For those who do not see a dialog. */
  label: function (modal) {
    $(modal).find('a.close').attr('aria-label', gettext('Close'));
    $(modal).find('.wizard-tabs > li').attr('role', 'presentation')
      .children('a').attr('role', 'tab');
  }
};
