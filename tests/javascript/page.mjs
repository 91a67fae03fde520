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

/* A page with our scripts, Horizon's own stubbed, and answers by hand. */

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { JSDOM } from 'jsdom';

const HERE = dirname(fileURLToPath(import.meta.url));
const STATIC = join(HERE, '../..',
  'snapshot_dashboard/static/snapshot_dashboard');
const JQUERY = createRequire(import.meta.url).resolve('jquery');
const SCRIPTS = ['panel', 'fragments', 'worker', 'list', 'runs', 'wizard',
  'dialogs'];

/* A page that holds some HTML.
 *
 * `requests` are those that were sent and not answered yet: each has its
 * `options`, and `answer(html, {ours, status})` and `fail(status)`.
 * `timers` are those that wait, by their number: [what, milliseconds].
 * `asked` is what was asked of Horizon, `dialog` what it shows.
 */
export function open(html) {
  const dom = new JSDOM(`<body>${html}</body>`, {
    url: 'https://cloud.example/project/compute_snapshots/',
    runScripts: 'outside-only'
  });
  const window = dom.window;
  const page = {
    window, requests: [], timers: new Map(), asked: [], now: 0
  };
  window.eval(readFileSync(JQUERY, 'utf8'));
  const $ = page.$ = window.jQuery;
  window.gettext = text => text;
  $.fn.modal = function () { return this; };
  window.horizon = {
    modals: {
      create: (title, body, confirm) => (page.dialog = $(
        `<div><h3>${title}</h3><p class="modal-body">${body}</p>` +
        '<a class="cancel"></a>' +
        `<a class="btn-primary">${confirm}</a></div>`).appendTo('body'))
    },
    datatables: {
      add_table_checkboxes: () => page.asked.push('checkboxes'),
      update: () => page.asked.push('datatables.update')
    }
  };
  window.recompileAngularContent = () => page.asked.push('recompile');
  let number = 0;
  window.setTimeout = (what, after) => {
    page.timers.set(++number, [what, after]);
    return number;
  };
  window.clearTimeout = which => page.timers.delete(which);
  window.Date.now = () => page.now;
  $.ajax = (options, more) => {
    const sent = typeof options === 'string'
      ? { ...more, url: options } : options;
    const request = $.Deferred();
    page.requests.push({
      options: sent,
      answer: (body, { ours = true, status = 200 } = {}) => request.resolve(
        body, 'success', {
          status,
          getResponseHeader: () => (ours ? 'fragment' : null)
        }),
      fail: status => request.reject({ status }, 'error', 'no')
    });
    return request.promise();
  };
  for (const method of ['get', 'post']) {
    $[method] = (url, data) => $.ajax(
      { type: method.toUpperCase(), url, data });
  }
  for (const name of SCRIPTS) {
    window.eval(readFileSync(join(STATIC, `${name}.js`), 'utf8'));
  }
  page.panel = window.horizon.snapshotDashboard;
  /* Let what waits for answers happen: jQuery does it by a timer. */
  page.settle = () => {
    for (const [which, [what, after]] of [...page.timers]) {
      if (!after) {
        page.timers.delete(which);
        what();
        page.settle();
      }
    }
  };
  page.take = () => page.requests.shift();
  return page;
}
