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

import { createRequire } from 'node:module';
import globals from 'globals';
import unsanitized from 'eslint-plugin-no-unsanitized';

// It comes with ESLint, and its version with ESLint's.
const { configs } = createRequire(
  createRequire(import.meta.url).resolve('eslint'))('@eslint/js');

export default [
  configs.recommended,
  unsanitized.configs.recommended,
  {
    files: ['**/*.js'],
    languageOptions: {
      sourceType: 'script',
      globals: {
        ...globals.browser, ...globals.jquery,
        gettext: 'readonly', horizon: 'readonly',
        recompileAngularContent: 'readonly'
      }
    }
  },
  {
    files: ['**/*.mjs'],
    languageOptions: { globals: globals.node }
  },
  {
    rules: {
      'eqeqeq': 'error',
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'no-new-func': 'error',
      'no-script-url': 'error',
      'no-unused-vars': 'error',
      'max-len': ['error', 79],
      'no-restricted-syntax': ['error', {
        selector: 'CallExpression[callee.property.name=' +
          '/^(html|parseHTML|globalEval|getScript)$/][arguments.length>0]',
        message: 'It would run what is in it: put in nodes or text.'
      }]
    }
  }
];
