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

"""The catalogues that translators start from: ``python -m tests.catalogue``.

They hold every marked text of the package. Translations of them are in
``snapshot_dashboard/locale/<language>/LC_MESSAGES``; texts that are new are
empty there, and those that are gone are left out.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from tests import provide

ROOT = pathlib.Path(__file__).resolve().parents[1]
HOME = ROOT / 'snapshot_dashboard' / 'locale'
DOMAINS = ('django', 'djangojs')
_HEADER = '''\
# Messages of snapshot-dashboard, to be translated.
# This file is distributed under the same license as snapshot-dashboard.
#
msgid ""
msgstr ""
"Project-Id-Version: snapshot-dashboard\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
'''


def extract(domain: str) -> str:
    """The catalogue of all texts that are marked in the package now."""
    provide.program('xgettext', 'gettext')
    with tempfile.TemporaryDirectory() as scratch:
        package = pathlib.Path(scratch) / 'snapshot_dashboard'
        shutil.copytree(ROOT / 'snapshot_dashboard', package,
                        ignore=shutil.ignore_patterns('locale', '*.pyc'))
        (package / 'locale').mkdir()
        subprocess.run(
            [sys.executable, '-m', 'django', 'makemessages', '-d', domain,
             '--keep-pot', '-l', 'en', '--no-location', '--no-wrap'],
            cwd=package, check=True, stdout=subprocess.DEVNULL,
            env={key: value for key, value in os.environ.items()
                 if key != 'DJANGO_SETTINGS_MODULE'})
        text = (package / 'locale' / f'{domain}.pot').read_text()
    # Without the date, so that only a changed text changes the file.
    return _HEADER + text[text.index('\n\n'):]


def texts(catalogue: str) -> set[str]:
    return set(re.findall(r'^msgid(?:_plural)? (".*(?:\n".*)*)', catalogue,
                          re.MULTILINE))


def main() -> None:
    HOME.mkdir(exist_ok=True)
    for domain in DOMAINS:
        catalogue = HOME / f'{domain}.pot'
        catalogue.write_text(extract(domain))
        for translation in HOME.glob(f'*/LC_MESSAGES/{domain}.po'):
            subprocess.run(
                [provide.program('msgmerge', 'gettext'), '--quiet',
                 '--no-fuzzy-matching', '--no-wrap', '--output-file',
                 translation, translation, catalogue], check=True)
            subprocess.run(
                [provide.program('msgattrib', 'gettext'), '--no-obsolete',
                 '--no-wrap', '--output-file', translation, translation],
                check=True)


if __name__ == '__main__':
    main()
