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

/* Fragments of pages: asked for, and put in. */
horizon.snapshotDashboard.fragments = {
  /* The nodes of an answer that is a fragment of ours; of any other, none.
   * Unlike jQuery this runs no script that may be in it. */
  nodes: function (html, status, answer) {
    if (answer.getResponseHeader('X-Snapshot-Dashboard') !== 'fragment') {
      throw new Error('not a fragment of the snapshots panel');
    }
    return Array.from(new DOMParser().parseFromString(html, 'text/html')
      .body.childNodes);
  },

  /* Ask for one: a promise of its nodes. */
  ask: function (method, url, data) {
    return $.ajax({type: method, url: url, data: data || {}})
      .then(horizon.snapshotDashboard.fragments.nodes);
  },

  /* Put nodes in the place of what an element holds. */
  put: function (element, nodes) {
    element.replaceChildren.apply(element, nodes);
  }
};
