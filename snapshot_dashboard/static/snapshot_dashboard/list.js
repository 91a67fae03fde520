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

/* The list, and what is loaded after it. */
horizon.snapshotDashboard.list = {
  start: function () {
    /* The page left out some names to be quick: ask for them now. */
    if ($('[data-snapshots-list]').attr('data-unnamed') === 'true') {
      horizon.snapshotDashboard.list.refresh();
    }
    horizon.snapshotDashboard.list.later();
    $(document).on('change', '[data-snapshots-list] [type=checkbox]',
                   function () {
                     /* All of them may be about to be ticked by one. */
                     setTimeout(horizon.snapshotDashboard.list.arm, 0);
                   });
    horizon.snapshotDashboard.list.arm();
    $(document).on('click', '[data-launch-form]', function (event) {
      if (window.angular) { return; }  /* it opens Horizon's own form */
      event.preventDefault();
      horizon.snapshotDashboard.list.go($(this).attr('data-launch-form'));
    });
    /* This event stays where it happens, so that it is caught on its way. */
    document.addEventListener(
      'toggle', horizon.snapshotDashboard.list.name, true);
  },

  go: function (address) { location.assign(address); },

  /* Say of what volumes a set's parts are, once somebody looks. */
  name: function (event) {
    var details = event.target;
    var url = details.getAttribute('data-snapshots-parts');
    if (!url || !details.open) { return; }
    horizon.snapshotDashboard.fragments.ask('GET', url).done(function (nodes) {
      details.removeAttribute('data-snapshots-parts');
      $(details).children('ul').replaceWith(nodes);
    });
  },

  /* Nothing can be deleted while nothing is chosen. */
  arm: function () {
    $('[data-snapshots-list] table.datatable')
      .attr('aria-label', gettext('Snapshots'));
    $('[data-snapshots-list] .multi-select-header')
      .attr('aria-label', gettext('Select all snapshots'));
    $('[data-snapshots-delete]').prop('disabled', !$(
      '[data-snapshots-list] .table-row-multi-select:checked').length);
  },

  /* Load, or load again, what the page left for later. */
  later: function () {
    $('[data-snapshots-later]').each(function () {
      var number = ($(this).data('asked') || 0) + 1;
      horizon.snapshotDashboard.list.load(
        $(this).data('asked', number), number, null);
    });
  },

  /* What says that there is more is asked for again, as long as it gets
   * further and nobody has asked anew. It is read aloud when it is whole. */
  load: function ($later, number, before) {
    horizon.snapshotDashboard.fragments.ask(
      'GET', $later.attr('data-url')
    ).done(function (nodes) {
      if ($later.data('asked') !== number) { return; }
      horizon.snapshotDashboard.list.putLater($later, nodes);
      var $more = $later.find('[data-snapshots-more]');
      var place = $more.attr('data-snapshots-more');
      $later.attr('aria-busy', $more.length > 0 && place !== before);
      if ($more.length && place !== before) {
        horizon.snapshotDashboard.list.load($later, number, place);
      } else {
        $more.remove();
      }
    }).fail(function () {
      $later.find('[data-snapshots-loading]').text(
        gettext('This part of the page could not be loaded. Reload the ' +
                'page later.'));
      $later.attr('aria-busy', false)
        .find('[data-snapshots-more]').remove();
    });
  },

  /* Put it in, folded as it was, and with the focus where it was. */
  putLater: function ($later, nodes) {
    var before = $later.children('details');
    var open = before.map(function () { return this.open; }).get();
    var names = before.map(function () { return this.className; }).get();
    var focused = names.indexOf($(document.activeElement)
      .closest('details').filter(before).attr('class'));
    horizon.snapshotDashboard.fragments.put($later[0], nodes);
    $later.children('details').each(function () {
      var number = names.indexOf(this.className);
      if (number >= 0) { this.open = open[number]; }
      if (number >= 0 && number === focused) {
        $(this).children('summary').trigger('focus');
      }
    });
  },

  /* Fetch the list anew, without the page around it, and with all names. */
  refresh: function () {
    var address = new URL(location.href);
    address.searchParams.set('names', '1');
    $.get(address.href).done(function (html) {
      var page = new DOMParser().parseFromString(html, 'text/html');
      var $old = $('[data-snapshots-list] table.datatable');
      var $new = $(page).find('[data-snapshots-list] table.datatable');
      if ($old.length && $new.length) {
        horizon.snapshotDashboard.list.merge($old, $new);
      }
    });
  },

  merge: function ($old, $new) {
    var moving = 'tr.warning.ajax-update';
    var polling = $old.find(moving).length > 0;
    var $rows = $new.find('tbody').first().children().map(function () {
      /* Horizon may just be asking for a row in motion: leave that one. */
      var there = this.id && document.getElementById(this.id);
      return there && $(there).is(moving) ? there : this;
    });
    horizon.snapshotDashboard.fragments.put($old.find('tbody')[0],
                                            $rows.get());
    $old.children('thead, tfoot').each(function () {
      horizon.snapshotDashboard.fragments.put(
        this, $new.children(this.tagName).contents().get());
    });
    /* The first one of a project has come. */
    if ($old.find('.table-row-multi-select, .snapshot-name').length) {
      $('[data-snapshots-list]').removeClass('snapshot-list-empty');
      $('[data-snapshots-filters]').removeClass('hidden');
    }
    if (window.recompileAngularContent) {  /* AngularJS will go */
      recompileAngularContent($old);
    }
    horizon.datatables.add_table_checkboxes($old.parent());
    horizon.snapshotDashboard.list.arm();
    if (!polling) { horizon.datatables.update(); }
  }
};
