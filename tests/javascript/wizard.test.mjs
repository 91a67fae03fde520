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

const field = (name, html) => `<div class="form-group" id="of-${name}">
  ${html}</div>`;

const wizard = ({ source = '', status = '', volumes = [] } = {}) => `
  <form>
    <div data-snapshot-facts data-url="/facts/"></div>
    <select name="source"><option value="">-</option>
      ${['a', 'b'].map(id => `<option value="${id}"
        ${id === source ? 'selected' : ''}>${id}</option>`).join('')}
    </select>
    ${field('purpose', '<select name="purpose"><option value="">-</option>' +
      '<option value="template">t</option></select>')}
    <input type="hidden" name="seen_status" value="${status}">
    ${volumes.map(id => `<input type="hidden" name="volumes"
                                value="${id}">`).join('')}
    <div data-facts-purpose></div><div data-facts-disks></div>
    <div data-power-fields>
      ${field('power_off', '<input type="checkbox" name="power_off">')}
      ${field('power_on', '<input type="checkbox" name="power_on" checked>')}
      ${field('if_forced', '<select name="if_forced"></select>')}
    </div>
    <div data-facts-how></div><div data-facts-live>live</div>
    <div data-facts-summary></div>
    <input name="name"><button type="button" class="button-next"></button>
    ${field('keep', '<select name="keep"></select>')}
  </form>`;

const facts = ({
  name = 'web-1', status = 'ACTIVE', can = true, suggest = true, keep = true
} = {}) => `
  <div data-facts data-name="${name}" data-status="${status}"
       data-can-power-off="${can}" data-suggest-power-off="${suggest}"
       data-can-keep="${keep}">
    <div data-for="purpose"><p data-purpose="template">Clean it</p></div>
    <div data-for="disks"><table><tr><td>
      <input type="checkbox" name="volumes" value="v1">
      <b data-choice-off>not captured</b></td></tr></table></div>
    <div data-for="summary">
      <p data-summary-off>off</p><p data-summary-on>on</p>
      <p data-summary-left-off>left off</p>
      <ul><li data-if-chosen="v1" class="hidden">captured</li></ul>
      <div data-summary-not-captured>
        <ul><li data-unless-chosen="v1">v1</li></ul></div></div></div>`;

function begun(options) {
  const page = open(wizard(options));
  page.panel.wizard.start(page.window.document);
  page.choose = id => page.$('[name="source"]').val(id).trigger('change');
  page.value = name => page.$(`[name="${name}"]`).val();
  page.ticked = name => page.$(`[name="${name}"]`).prop('checked');
  page.tick = (name, on) => page.$(`[name="${name}"]`)
    .prop('checked', on).trigger('change');
  page.shown = what => !page.$(what).closest('.hidden').length;
  return page;
}

function chosen(options) {
  const page = begun();
  page.choose('a');
  page.take().answer(facts(options));
  page.settle();
  return page;
}

test('the facts of what is chosen are shown, and the state remembered', () => {
  const page = chosen();
  assert.equal(page.$('table [name="volumes"]').length, 1);
  assert.equal(page.value('seen_status'), 'ACTIVE');
  assert.equal(page.value('name'), 'web-1');
  assert.ok(page.ticked('power_off'));
});

test('for a change an end is suggested, and the own one stays', () => {
  const page = open(wizard().replace(
    'value="template">t', 'value="change">c').replace(
    '<input name="name">', '<input name="name"><input name="keep_until">'));
  page.panel.wizard.start(page.window.document);
  page.$('[name="source"]').val('a').trigger('change');
  page.take().answer(facts().replace('data-facts ', `data-facts
    data-can-date="true" data-change-until="2026-12-10" `));
  page.settle();
  const day = () => page.$('[name="keep_until"]').val();
  const mean = purpose => page.$('[name="purpose"]').val(purpose)
    .trigger('change');
  mean('change');
  assert.equal(day(), '2026-12-10');
  mean('');
  assert.equal(day(), '');
  page.$('[name="keep_until"]').val('2027-01-01');
  mean('change');
  assert.equal(day(), '2027-01-01');
});

test('a step without a choice is passed by, as it was come to', () => {
  const page = open(`<form><ul class="wizard-tabs">
    ${['what', 'how', 'details'].map(step =>
    `<li><a href="#${step}">${step}</a></li>`).join('')}</ul>
    <button class="button-previous"></button>
    ${wizard().replace(/<.?form>/g, '')
    .replace('<div data-power', '<div class="tab-pane" id="how">$&')
    .replace('<div data-facts-how>', '</div><div data-facts-folded></div>' +
      '<div data-facts-how>')}</form>`);
  const went = [];
  for (const way of ['previous', 'next']) {
    page.$(`.button-${way}`).on('click', event => {
      event.preventDefault();
      went.push(way);
    });
  }
  const come = from => page.$('[href="#how"]').trigger(page.$.Event(
    'shown.bs.tab', { relatedTarget: page.$(`[href="#${from}"]`)[0] }));
  page.panel.wizard.start(page.window.document);
  const choose = can => {
    page.$('[name="source"]').val('a').trigger('change');
    page.take().answer(facts({ can }).replace(
      '<div data-for="summary">', '<p data-for="how">It is off.</p>$&'));
    page.settle();
  };
  choose(false);
  come('what');
  come('details');
  assert.deepEqual(went, ['next', 'previous']);
  assert.equal(page.$('[data-facts-folded]').text(), 'It is off.');
  assert.equal(page.$('[href="#how"]').text(), 'how (nothing to choose)');
  choose(true);
  come('what');
  assert.deepEqual(went, ['next', 'previous']);
  assert.equal(page.$('[data-facts-folded]').text(), '');
});

test('the review follows what is to be done with a deaf guest', () => {
  const page = begun();
  page.$('[name="if_forced"]').append(
    '<option value="go-on"></option><option value="stop"></option>');
  page.choose('a');
  page.take().answer(facts().replace('<p data-summary-on>', `
    <p data-summary-if-forced="go-on">taken</p>
    <p data-summary-if-forced="stop">not taken</p>$&`));
  page.settle();
  assert.ok(page.shown('[data-summary-if-forced="go-on"]'));
  page.$('[name="if_forced"]').val('stop').trigger('change');
  assert.ok(!page.shown('[data-summary-if-forced="go-on"]'));
  assert.ok(page.shown('[data-summary-if-forced="stop"]'));
  page.tick('power_off', false);
  assert.ok(!page.shown('[data-summary-if-forced="stop"]'));
});

test('one cannot go on where something is in the way', () => {
  const page = begun();
  page.choose('a');
  page.take().answer(facts().replace(
    'data-facts ', 'data-facts data-possible="false" '));
  page.settle();
  assert.ok(page.$('.button-next').prop('disabled'));
  page.choose('b');
  assert.ok(!page.$('.button-next').prop('disabled'));
});

test('what is typed leaves the choices that hold it', () => {
  const page = open(wizard().replace(
    '<select name="source">', '<input data-narrow><i data-narrow-none ' +
      'class="hidden"></i><select name="source">'));
  page.panel.wizard.start(page.window.document);
  const type = text => page.$('[data-narrow]').val(text).trigger('input');
  const left = () => page.$('[name="source"] option').filter(function () {
    return !this.disabled;
  }).map(function () { return this.value; }).get().join();
  type('B');
  assert.equal(left(), ',b');
  page.$('[data-narrow]').trigger(page.$.Event('keydown', { key: 'Enter' }));
  assert.equal(page.$('[name="source"]').val(), 'b');
  type('');
  assert.equal(left(), ',a,b');
  /* Who looks for another one does not mean the one before. */
  type('zzz');
  assert.equal(page.$('[name="source"]').val(), '');
  assert.ok(!page.$('[data-narrow-none]').hasClass('hidden'));
  type('a');
  assert.ok(page.$('[data-narrow-none]').hasClass('hidden'));
});

test('facts that come late are not shown for another choice', () => {
  const page = begun();
  page.choose('a');
  page.choose('b');
  const [first, second] = [page.take(), page.take()];
  second.answer(facts({ name: 'second' }));
  first.answer(facts({ name: 'first' }));
  page.settle();
  assert.equal(page.value('name'), 'second');
});

test('facts that fail leave nothing that could be decided on', () => {
  const page = chosen();
  page.choose('b');
  assert.equal(page.value('seen_status'), '');
  page.take().fail(503);
  page.settle();
  assert.equal(page.value('seen_status'), '');
  assert.match(page.$('[data-facts-disks]').text(), /could not be loaded/);
});

test('a name that the user has written stays', () => {
  const page = chosen();
  page.choose('b');
  page.take().answer(facts({ name: 'web-2' }));
  page.settle();
  assert.equal(page.value('name'), 'web-2');
  page.$('[name="name"]').val('mine');
  page.choose('a');
  page.take().answer(facts());
  page.settle();
  assert.equal(page.value('name'), 'mine');
});

test('a form that comes back keeps what was decided, and on what', () => {
  const page = begun({ source: 'a', status: 'SHUTOFF', volumes: ['v1'] });
  page.take().answer(facts());
  page.settle();
  assert.equal(page.value('seen_status'), 'SHUTOFF');
  assert.ok(page.ticked('volumes'));
  assert.ok(!page.ticked('power_off'));
});

test('what cannot be powered off is not offered, nor asked for', () => {
  const page = chosen({ can: false });
  assert.ok(!page.shown('[name="power_off"]'));
  assert.ok(!page.ticked('power_off'));
  assert.ok(!page.shown('[data-facts-live]'));
});

test('what is going to happen follows the choices', () => {
  const page = chosen();
  assert.ok(page.shown('[data-summary-off]'));
  assert.ok(page.shown('[data-summary-on]'));
  page.tick('power_on', false);
  assert.ok(page.shown('[data-summary-left-off]'));
  assert.ok(!page.shown('[data-summary-on]'));
  page.tick('power_off', false);
  assert.ok(!page.shown('[data-summary-off]'));
  assert.ok(!page.shown('#of-power_on') && page.shown('[data-facts-live]'));
});

test('a volume that is chosen is no more among what is not captured', () => {
  const page = chosen();
  assert.ok(page.shown('[data-summary-not-captured]'));
  page.tick('volumes', true);
  assert.ok(page.shown('[data-if-chosen]'));
  assert.ok(!page.shown('[data-unless-chosen]'));
  assert.ok(!page.shown('[data-summary-not-captured]'));
  assert.ok(!page.shown('[data-choice-off]'));
});

test('advice is shown for its purpose alone', () => {
  const page = chosen();
  assert.ok(page.shown('#of-purpose') && !page.shown('[data-purpose]'));
  page.$('[name="purpose"]').val('template').trigger('change');
  assert.ok(page.shown('[data-purpose]'));
});

test('older ones are offered where the record can hold that', () => {
  assert.ok(chosen().shown('#of-keep'));
  assert.ok(!chosen({ keep: false }).shown('#of-keep'));
});
