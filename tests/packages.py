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

"""Make the packages, and a bill of what an install of them brings.

``python3 -m tests packaging`` puts all of it into ``dist``. Whoever makes them
of the same commit gets the same bytes.
"""

import gzip
import hashlib
import io
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

_ROOT = pathlib.Path(__file__).resolve().parents[1]
_DIST = _ROOT / 'dist'
_VERSIONS = _ROOT / 'tests' / 'requirements' / 'test.txt'


def build(source: pathlib.Path, out: pathlib.Path,
          moment: int) -> tuple[pathlib.Path, pathlib.Path]:
    """Build the sdist, and the wheel of it.

    :param moment: what stands as the time of all files in both, in seconds
        since the epoch.
    """
    sdist = build_sdist(source, out, moment)
    with tempfile.TemporaryDirectory() as place:
        with tarfile.open(sdist) as archive:
            archive.extractall(place, filter='data')
        _build('--wheel', *pathlib.Path(place).iterdir(), out, moment)
    (wheel,) = out.glob('*.whl')
    return sdist, wheel


def build_sdist(source: pathlib.Path, out: pathlib.Path,
                moment: int) -> pathlib.Path:
    """Build the sdist alone, likewise."""
    _build('--sdist', source, out, moment)
    (sdist,) = out.glob('*.tar.gz')
    _normalize(sdist, moment)
    return sdist


def _build(kind: str, source: pathlib.Path, out: pathlib.Path,
           moment: int) -> None:
    subprocess.run(
        [sys.executable, '-m', 'build', '--no-isolation', kind,
         '--outdir', out, source], check=True, umask=0o022,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        env={**os.environ, 'SOURCE_DATE_EPOCH': str(moment)})


def _normalize(sdist: pathlib.Path, moment: int) -> None:
    """Take what tells of the machine out of an archive: setuptools leaves
    times, users and modes as they were on the disk.
    """
    with tarfile.open(sdist) as archive:
        files = {info.name: archive.extractfile(info).read()
                 for info in archive.getmembers() if info.isfile()}
    with (open(sdist, 'wb') as raw,
          gzip.GzipFile('', 'wb', fileobj=raw, mtime=moment) as packed,
          tarfile.open(fileobj=packed, mode='w',
                       format=tarfile.PAX_FORMAT) as archive):
        for name, content in sorted(files.items()):
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode = len(content), moment, 0o644
            archive.addfile(info, io.BytesIO(content))


def _committed_at() -> int:
    """When this commit was made, in seconds since the epoch."""
    return int(subprocess.run(
        ['git', 'log', '-1', '--format=%ct'], cwd=_ROOT, check=True,
        stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout)


def main() -> int:
    tools = pathlib.Path(sys.executable).parent

    def run(tool: str, *arguments: object) -> None:
        subprocess.run([tools / tool, *map(str, arguments)], cwd=_ROOT,
                       check=True, stdin=subprocess.DEVNULL)
    shutil.rmtree(_DIST, ignore_errors=True)
    made = build(_ROOT, _DIST, _committed_at())
    run('twine', 'check', '--strict', *made)
    _, wheel = made
    with tempfile.TemporaryDirectory() as venv:
        run('uv', 'venv', '--quiet', venv)
        run('uv', 'pip', 'install', '--quiet', '--python', venv,
            '--constraints', _VERSIONS, f'{wheel}[worker]')
        run('cyclonedx-py', 'environment', '--output-reproducible',
            '--output-file', wheel.with_suffix('.cdx.json'), venv)
    (_DIST / 'SHA256SUMS').write_text(''.join(
        f'{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n'
        for path in made))
    return 0


if __name__ == '__main__':
    sys.exit(main())
