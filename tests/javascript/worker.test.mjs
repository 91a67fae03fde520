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

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { open } from './page.mjs';

const PLACE = `<div id="place"><div data-snapshot-worker data-url="/worker/">
  <input name="csrfmiddlewaretoken" value="token">
  <p data-worker-says></p></div></div>`;

function asked(place = PLACE) {
  const page = open(place);
  page.now = 100000;
  page.place = page.$('#place');
  page.panel.worker.ask(page.place);
  page.says = () => page.$('[data-worker-says]').text();
  page.state = () => page.$('[data-snapshot-worker]').attr('data-state');
  return page;
}

test('where the cloud has no worker none is asked for', () => {
  assert.equal(asked('<div id="place"></div>').requests.length, 0);
});

test('a worker is asked for by POST, once a minute at the most', () => {
  const page = asked();
  assert.equal(page.take().options.type, 'POST');
  page.now += 59000;
  page.panel.worker.ask(page.place);
  assert.equal(page.requests.length, 0);
  page.now += 1000;
  page.panel.worker.ask(page.place);
  assert.equal(page.requests.length, 1);
});

test('a question that is open is looked at again until it is answered', () => {
  const page = asked();
  page.take().answer({ state: 'asked', asked: 'signed' });
  assert.deepEqual([page.state(), page.says()], ['asked', '']);
  const [[which, [what, after]]] = page.timers;
  assert.equal(after, 1000);
  page.timers.delete(which);
  what();
  const request = page.take();
  assert.equal(request.options.data.asked, 'signed');
  request.answer({ state: 'alive', text: 'You may leave.' });
  assert.deepEqual([page.state(), page.says()], ['alive', 'You may leave.']);
});

test('no answer is said to be none', () => {
  const page = asked();
  page.take().fail(502);
  assert.equal(page.state(), 'silent');
  assert.match(page.says(), /^Keep Compute > Snapshots open/);
});

test('what was said is forgotten with the run that it was about', () => {
  const page = asked();
  page.take().answer({ state: 'alive', text: 'You may leave.' });
  page.panel.worker.forget(page.place);
  assert.equal(page.says(), '');
  page.panel.worker.ask(page.place);
  assert.equal(page.requests.length, 1);
});
