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

const list = (rows, unnamed = false) => `
  <div data-snapshots-list data-unnamed="${unnamed}">
    <table class="datatable"><thead><tr><th>Name</th></tr></thead>
      <tbody>${rows}</tbody><tfoot></tfoot></table></div>`;

const row = (id, text, moving = false) => `
  <tr id="${id}" class="${moving ? 'warning ajax-update' : ''}">
    <td>${text}</td></tr>`;

const texts = page => [...page.$('tbody td')].map(cell => cell.textContent);

function refreshed(old, fresh) {
  const page = open(list(old));
  page.panel.list.refresh();
  page.take().answer(`<html><body>${list(fresh)}</body></html>`);
  return page;
}

test('names that were left out are asked for at once', () => {
  const page = open(list('', true));
  page.panel.list.start();
  assert.match(page.take().options.url, /\?names=1$/);
  const whole = open(list(''));
  whole.panel.list.start();
  assert.equal(whole.requests.length, 0);
});

test('the names of a set\'s volumes are asked for once it is opened', () => {
  const page = open(list(`<tr><td><details data-snapshots-parts="/parts/">
    <summary>with 1</summary><ul><li>one</li></ul></details></td></tr>`));
  page.panel.list.start();
  const details = page.$('details')[0];
  const turn = open => {
    details.open = open;
    details.dispatchEvent(new page.window.Event('toggle'));
  };
  turn(true);
  assert.equal(page.requests[0].options.url, '/parts/');
  page.take().answer('<ul><li>one of web-data</li></ul>');
  page.settle();
  assert.equal(page.$('details li').text(), 'one of web-data');
  turn(false);
  turn(true);
  assert.equal(page.requests.length, 0);
});

test('rows are exchanged without the page around them', () => {
  const page = refreshed(row('a', 'old'), row('a', 'new') + row('b', 'more'));
  assert.deepEqual(texts(page), ['new', 'more']);
  assert.deepEqual(page.asked,
    ['recompile', 'checkboxes', 'datatables.update']);
});

test('a page without AngularJS is refreshed as well', () => {
  const page = open(list(row('a', 'old')));
  delete page.window.recompileAngularContent;
  page.panel.list.refresh();
  page.take().answer(list(row('a', 'new')));
  assert.deepEqual(texts(page), ['new']);
  assert.deepEqual(page.asked, ['checkboxes', 'datatables.update']);
});

test('without AngularJS our own form launches', () => {
  const page = open(list(row('a', '<a data-launch-form="/a/launch/"></a>')));
  const went = [];
  page.panel.list.go = address => went.push(address);
  page.panel.list.start();
  page.window.angular = {};
  page.$('[data-launch-form]').trigger('click');
  assert.deepEqual(went, []);
  delete page.window.angular;
  page.$('[data-launch-form]').trigger('click');
  assert.deepEqual(went, ['/a/launch/']);
});

test('a row that Horizon is asking for is left alone', () => {
  const page = refreshed(row('a', 'here', true) + row('b', 'old'),
    row('a', 'there') + row('b', 'new'));
  assert.deepEqual(texts(page), ['here', 'new']);
  assert.deepEqual(page.asked, ['recompile', 'checkboxes']);
});

test('a page without a list changes nothing', () => {
  const page = open(list(row('a', 'old')));
  page.panel.list.refresh();
  page.take().answer('<html><body>Sign in</body></html>');
  assert.deepEqual(texts(page), ['old']);
});

test('what is loaded later is put in, or said not to be had', () => {
  const page = open(`<div data-snapshots-later data-url="/overview/">
    <p data-snapshots-loading>Loading</p></div>`.repeat(2));
  page.panel.list.start();
  page.take().answer('<b>usage</b>');
  page.take().fail(503);
  page.settle();
  const [first, second] = page.$('[data-snapshots-later]').get();
  assert.equal(first.textContent, 'usage');
  assert.match(second.textContent, /could not be loaded/);
});

test('what is not all yet is asked for again, until it is or fails', () => {
  const page = open('<div data-snapshots-later data-url="/overview/"></div>');
  const more = '<span data-snapshots-more="PLACE">Looking</span>';
  page.panel.list.start();
  page.take().answer(`<b>1</b>${more}`);
  page.settle();
  page.take().answer(`<b>2</b>${more.replace('PLACE', 'further')}`);
  page.settle();
  assert.match(page.$('[data-snapshots-later]').text(), /^2/);
  assert.equal(page.$('[aria-busy=true]').length, 1);
  page.take().fail(503);
  page.settle();
  assert.equal(page.$('[data-snapshots-later]').text(), '2');
  assert.equal(page.$('[aria-busy=true]').length, 0);
});

test('what gets no further is asked for no more, and says so no more', () => {
  const page = open('<div data-snapshots-later data-url="/overview/"></div>');
  page.panel.list.start();
  for (const number of [1, 2]) {
    page.take().answer(
      `<b>${number}</b><span data-snapshots-more="here">Looking</span>`);
    page.settle();
  }
  assert.equal(page.$('[data-snapshots-later]').text(), '2');
  assert.equal(page.take(), undefined);
});

test('who asks anew ends what was asked for before', () => {
  const page = open('<div data-snapshots-later data-url="/overview/"></div>');
  page.panel.list.later();
  page.panel.list.later();
  page.take().answer('<span data-snapshots-more="1">old</span>');
  page.settle();
  assert.equal(page.$('[data-snapshots-later]').text(), '');
  page.take().answer('new');
  page.settle();
  assert.equal(page.$('[data-snapshots-later]').text(), 'new');
  assert.equal(page.take(), undefined);
});

test('what is loaded again is folded as it was, and keeps the focus', () => {
  const folded = (name, open) => `<details class="${name}" ${open}>` +
    `<summary tabindex="0">${name}</summary></details>`;
  const page = open('<div data-snapshots-later data-url="/overview/">' +
    folded('health', 'open') + folded('offered', '') + '</div>');
  page.$('.offered summary').trigger('focus');
  page.panel.list.later();
  page.take().answer(folded('health', '') + folded('offered', 'open') +
    folded('new', 'open'));
  page.settle();
  assert.equal(page.$('details').map((_, one) => one.open).get().join(),
    'true,false,true');
  assert.ok(page.$('.offered summary').is(':focus'));
});

test('the first one of a project brings what a list needs', () => {
  const page = open(list('').replace('data-snapshots-list',
    'data-snapshots-list class="snapshot-list-empty"') +
    '<div data-snapshots-filters class="hidden"></div>');
  page.panel.list.refresh();
  page.take().answer(list(row('a', '<a class="snapshot-name">a</a>')));
  assert.equal(page.$('.snapshot-list-empty, .hidden').length, 0);
});

test('nothing can be deleted while nothing is chosen', () => {
  const page = open(list(row('a', '<input type="checkbox" ' +
    'class="table-row-multi-select">')) +
    '<button data-snapshots-delete></button>');
  page.panel.list.start();
  const off = () => page.$('[data-snapshots-delete]').prop('disabled');
  assert.ok(off());
  page.$('[type=checkbox]').prop('checked', true).trigger('change');
  page.settle();
  assert.ok(!off());
  page.$('[type=checkbox]').prop('checked', false).trigger('change');
  page.settle();
  assert.ok(off());
});
