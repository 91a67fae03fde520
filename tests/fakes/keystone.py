# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Trusts."""

import uuid

from tests.fakes import common


class Keystone(common.Service):

    def answer(self, method, path, query, body):
        if path.startswith('/v3/projects/'):
            return self._project(path.rpartition('/')[2])
        trust_id = path.removeprefix('/v3/OS-TRUST/trusts').strip('/')
        if method == 'POST':
            wanted = body['trust']
            if any(all(there[name] == wanted[name] for name in (
                    'trustor_user_id', 'trustee_user_id', 'project_id',
                    'expires_at')) for there in self._all.trusts.values()):
                return 409
            trust = {**wanted, 'id': uuid.uuid4().hex, 'deleted_at': None}
            self._all.trusts[trust['id']] = trust
            return 201, {'trust': trust}
        if not trust_id:
            return 200, {'trusts': [
                trust for trust in self._all.trusts.values()
                if trust['trustee_user_id'] == query['trustee_user_id']]}
        trust = self._all.trusts.get(trust_id)
        if trust is None or trust['remaining_uses'] == 0:
            return 404
        if method == 'DELETE':
            del self._all.trusts[trust_id]
            return 204, None
        return 200, {'trust': trust}

    def _project(self, project_id):
        """Members may look up their own alone."""
        name = self._all.projects.get(project_id)
        if name is None:
            return 403 if self._all.keeps_projects_secret else 404
        return 200, {'project': {'id': project_id, 'name': name}}
