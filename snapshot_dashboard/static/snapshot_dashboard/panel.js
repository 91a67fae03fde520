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

/* The panel of snapshots. One file for each part of its pages:
 *
 *   fragments.js  asks for fragments of pages, and puts them in
 *   list.js       the list, and what is loaded after it
 *   worker.js     whether a worker is there
 *   runs.js       the runs above the list
 *   wizard.js     the wizard
 *   dialogs.js    what Horizon's dialogs leave out, and the copy button
 *   start.js      begins all of it
 *
 * Templates and scripts know each other by these attributes alone.
 *
 *   data-url                    where to ask: of worker, facts, what is later
 *
 * The list:
 *   data-snapshots-list         around the table
 *     data-unnamed              "true": some names were left out, to be quick
 *   data-snapshots-filters      around the filters
 *   data-snapshots-delete       deletes those that are chosen
 *   data-snapshots-later        a part that is loaded after the page
 *   data-snapshots-more         what is loaded so is not all: how far it is
 *   data-snapshots-loading      says in it that it is being loaded
 *   data-snapshots-parts        where the parts of a row, with the names of
 *                               their volumes, are asked for once it is opened
 *   data-launch-form            a button that opens Horizon's own form, and
 *                               this page where there is no AngularJS
 *   data-snapshots-copy         a button that copies the <pre> beside it
 *
 * The runs:
 *   data-runs-url               where to look (on the section)
 *   data-advance-url            where to bring them forward
 *   data-runs-announcement      is read aloud when something has changed
 *   data-runs-content           is replaced by each answer, and holds
 *   data-runs                   all of them, with
 *     data-open                 "true": at least one goes on
 *     data-may-advance          "true": this user may bring them forward
 *     data-handed-on            "true": a worker goes on with one
 *     data-interval             milliseconds until the next look
 *     data-state                changes when the list below has changed
 *   data-run-title              the name of one
 *   data-run-now                what it is at, in words
 *   data-run-form               a button that does something about one
 *     data-confirm              what is asked before that
 *   data-runs-stale             says that it could not be brought up to date
 *
 * The worker:
 *   data-snapshot-worker        its place, with data-url and
 *     data-state                asked, alive, silent or refused
 *   data-worker-says            that in words
 *
 * The wizard:
 *   data-snapshot-facts         its first step, with data-url
 *   data-narrow                 leaves the choices that hold what is typed
 *   data-narrow-none            says that there are none
 *   data-facts                  the answer about what was chosen, with
 *     data-name                 a name for the snapshot
 *     data-possible             "false": something is in the way, and told
 *     data-status               the state that a decision rests on
 *     data-can-power-off        "true": to power off first is offered,
 *     data-suggest-power-off    and "true": ticked
 *     data-can-keep             "true": older ones may be offered afterwards
 *     data-can-date             "true": it can have a date until when it is
 *                               wanted; suggested for a change is
 *     data-change-until         this one
 *   data-for                    a part of it, for the place data-facts-...:
 *     purpose, disks, how, live, summary
 *   data-facts-folded           in the review: what a folded step says
 *   data-power-fields           the fields about powering off
 *   data-purpose                is shown for this purpose alone
 *   data-choice-off             is shown while a volume is not chosen
 *   data-if-chosen, data-unless-chosen
 *                               are shown while the volume of this id is, or
 *                               is not, chosen
 *   data-cannot-keep            says why there are no such fields
 *   data-summary-off, data-summary-live, data-summary-on,
 *   data-summary-left-off, data-summary-if-forced (for this choice),
 *   data-summary-parts (if volumes are chosen),
 *   data-summary-not-captured   what is going to happen
 */
horizon.snapshotDashboard = {};
