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

const runs = ({
  may = true, going = true, state = '', now = 'Saving', id = 'cancel'
} = {}) => `
  <div data-runs data-open="${going}" data-may-advance="${may}"
       data-interval="2000" data-state="${state}">
    <input name="csrfmiddlewaretoken" value="token">
    <article><b data-run-title>web</b><i data-run-now="${now}"></i>
      <form data-run-form action="/cancel/" data-confirm="">
        <button id="${id}">Cancel</button></form>
    </article></div>`;

const section = options => `
  <section class="snapshot-runs" tabindex="-1" data-runs-url="/runs/"
           data-advance-url="/advance/">
    <p data-runs-announcement></p>
    <div data-runs-content>${runs(options)}</div></section>`;

function started(options) {
  const page = open(section(options));
  page.panel.runs.start();
  page.section = page.$('.snapshot-runs');
  page.said = () => page.section.find('[data-runs-announcement]').text();
  return page;
}

function look(page) {
  const [which, [what, after]] = [...page.timers].at(-1);
  assert.equal(after, 2000);
  page.timers.delete(which);
  what();
  return page.take();
}

test('who may brings the runs forward, and others only look', () => {
  const { options } = look(started());
  assert.deepEqual([options.type, options.url, options.data],
    ['POST', '/advance/', 'csrfmiddlewaretoken=token']);
  const other = look(started({ may: false })).options;
  assert.deepEqual([other.type, other.url], ['GET', '/runs/']);
});

test('no run that goes on, no look', () => {
  assert.equal(started({ going: false }).timers.size, 0);
});

test('an answer is put in, and the next look waits for it', () => {
  const page = started();
  const request = look(page);
  assert.equal(page.timers.size, 0);
  request.answer(runs({ now: 'Done', going: false }));
  page.settle();
  assert.equal(page.$('[data-run-now]').attr('data-run-now'), 'Done');
  assert.equal(page.said(), 'web: Done');
  assert.equal(page.timers.size, 0);
});

test('nothing is read aloud when nothing has changed', () => {
  const page = started();
  look(page).answer(runs());
  page.settle();
  assert.equal(page.said(), '');
});

test('an answer that is not ours is not put in, and that is said once', () => {
  const page = started();
  for (let time = 0; time < 2; time += 1) {
    look(page).answer('<b id="stranger"></b>', { ours: false });
    page.settle();
  }
  assert.equal(page.$('#stranger').length, 0);
  assert.equal(page.$('[data-runs-stale]').length, 1);
});

test('a page that fails is asked for again, but not for ever', () => {
  const page = started();
  for (let time = 0; time < page.panel.runs.MOST_FAILURES; time += 1) {
    look(page).fail(503);
    page.settle();
  }
  assert.equal(page.timers.size, 0);
});

test('who may no longer bring the runs forward looks on', () => {
  const page = started();
  look(page).fail(403);
  page.settle();
  const { options } = look(page);
  assert.deepEqual([options.type, options.url], ['GET', '/runs/']);
});

test('what was refused is remembered by who only looks, too', () => {
  const page = started({ may: false });
  page.section.find('[data-runs]').prepend(
    '<input type="hidden" name="refused" value="a compute 2">');
  assert.equal(look(page).options.data, 'refused=a%20compute%202');
});

test('one answer in between begins the count anew', () => {
  const page = started();
  for (let time = 0; time < page.panel.runs.MOST_FAILURES * 2; time += 1) {
    const request = look(page);
    if (time % 2) { request.answer(runs()); } else { request.fail(503); }
    page.settle();
  }
  assert.equal(page.timers.size, 1);
});

test('the list is fetched anew when a snapshot has come about', () => {
  const page = started({ state: 'one' });
  look(page).answer(runs({ state: 'one' }));
  page.settle();
  assert.equal(page.requests.length, 0);
  look(page).answer(runs({ state: 'two' }));
  page.settle();
  assert.equal(page.take().options.url,
    'https://cloud.example/project/compute_snapshots/?names=1');
});

test('a button is pressed once, and keeps the focus', () => {
  const page = started();
  page.$('form').trigger('submit');
  assert.ok(page.$('button').prop('disabled'));
  const request = page.take();
  assert.equal(request.options.url, '/cancel/');
  request.answer(runs());
  page.settle();
  assert.equal(page.window.document.activeElement.id, 'cancel');
});

test('a button that is gone leaves the focus to the section', () => {
  const page = started();
  page.$('form').trigger('submit');
  page.take().answer(runs({ id: 'other' }));
  page.settle();
  assert.equal(page.window.document.activeElement, page.section[0]);
});

test('who has the focus elsewhere keeps it there', () => {
  const page = started();
  look(page).answer(runs());
  page.settle();
  assert.equal(page.window.document.activeElement, page.window.document.body);
});

test('what is asked before is done once it is confirmed', () => {
  const page = started();
  page.$('form').attr('data-confirm', 'Really?');
  page.$('form').trigger('submit');
  assert.equal(page.requests.length, 0);
  assert.match(page.dialog.text(), /Really\?/);
  page.dialog.find('.btn-primary').trigger('click');
  assert.equal(page.take().options.url, '/cancel/');
});

test('what is asked before and answered with no is not done', () => {
  const page = started();
  page.$('form').attr('data-confirm', '<b id="markup">Really?</b>');
  page.$('form').trigger('submit');
  assert.equal(page.$('#markup').length, 0);
  page.dialog.find('.cancel').trigger('click');
  assert.equal(page.requests.length, 0);
});

test('only what has changed is read aloud', () => {
  const page = started();
  const two = now => `<div data-runs data-open="true" data-interval="2000"
      data-state="">
    <article><b data-run-title>web</b><i data-run-now="Saving"></i></article>
    <article><b data-run-title>db</b><i data-run-now="${now}"></i></article>
    </div>`;
  look(page).answer(two('Powering off'));
  page.settle();
  assert.equal(page.said(), 'db: Powering off');
  page.section.find('[data-runs]').attr('data-may-advance', 'true');
  look(page).answer(two('Failed'));
  page.settle();
  assert.equal(page.said(), 'db: Failed');
});
