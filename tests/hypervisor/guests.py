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

"""Guests that write all the time and know what they wrote.

A kernel of Debian's for clouds, busybox and a script (``guest/init``): 256
MiB of memory, and up in some seconds even where the processor is emulated.
"""

import dataclasses
import hashlib
import pathlib
import shutil
import subprocess

from tests.cloud import site

_HERE = pathlib.Path(__file__).parent / 'guest'
#: What the kernel needs to find its disks, its power button and its agent.
_MODULES = ('virtio_pci', 'virtio_blk', 'virtio_console', 'button', 'evdev')
#: Stands on the ephemeral disk and nowhere else.
EPHEMERAL_MARK = b'this-was-on-the-ephemeral-disk-and-nowhere-else'
_ROOT_MIB, _DATA_MIB = 96, 64


@dataclasses.dataclass(frozen=True)
class Files:
    """What the images and the data volume of guests are made from."""

    kernel: pathlib.Path
    initrd: pathlib.Path
    root: pathlib.Path
    data: pathlib.Path


def made() -> Files:
    """The files, made when they are not there.

    :raises CloudError: when a program or package is missing.
    """
    digest = hashlib.sha256()
    for path in (pathlib.Path(__file__), *sorted(_HERE.iterdir())):
        digest.update(path.read_bytes())
    home = site.HOME / f'guests-{digest.hexdigest()[:16]}'
    found = Files(*(home / name for name in (
        'kernel', 'initrd', 'root', 'data')))
    with site.alone():
        if not home.exists():
            new = home.with_suffix('.new')
            shutil.rmtree(new, ignore_errors=True)
            new.mkdir(parents=True)
            _make(new)
            new.rename(home)
    return found


def _make(home: pathlib.Path) -> None:
    kernel = _kernel(home / 'package')
    shutil.copy(next(kernel.glob('boot/vmlinuz-*')), home / 'kernel')
    _initrd(home / 'early', next(kernel.glob('lib/modules/*')),
            home / 'initrd')
    _root(home / 'tree')
    _file_system(home / 'root', _ROOT_MIB, home / 'tree')
    (home / 'volume').mkdir()
    (home / 'volume' / 'data').touch()
    _file_system(home / 'data', _DATA_MIB, home / 'volume')
    for folder in ('package', 'early', 'tree', 'volume'):
        shutil.rmtree(home / folder)


def _run(*command: object, cwd: pathlib.Path | None = None,
         stdin: bytes = b'') -> bytes:
    done = subprocess.run([*map(str, command)], cwd=cwd, input=stdin,
                          capture_output=True)
    if done.returncode:
        raise site.CloudError(
            f'{" ".join(map(str, command))} failed: '
            f'{done.stderr.decode(errors="replace")[-500:]}')
    return done.stdout


def _kernel(place: pathlib.Path) -> pathlib.Path:
    """Debian's kernel for clouds, unpacked and not installed."""
    place.mkdir()
    depends = _run('apt-cache', 'depends', 'linux-image-cloud-amd64').decode()
    package = depends.partition('Depends:')[2].split()[0]
    _run('apt-get', 'download', '-q', package, cwd=place)
    _run('dpkg-deb', '-x', next(place.glob('*.deb')), place / 'unpacked')
    return place / 'unpacked'


def _initrd(tree: pathlib.Path, modules: pathlib.Path,
            target: pathlib.Path) -> None:
    (tree / 'bin').mkdir(parents=True)
    for name in ('proc', 'dev', 'root', 'modules', 'lib', 'lib64'):
        (tree / name).mkdir()
    shutil.copy(shutil.which('busybox'), tree / 'bin' / 'busybox')
    _program('e2fsck', tree, 'lib')
    wanted = []
    # The package holds no modules.dep; it is made on installation.
    _run('depmod', '-b', modules.parents[2], modules.name)
    needs = dict(line.split(':', 1) for line in (
        modules / 'modules.dep').read_text().splitlines())
    for module in _MODULES:
        (path,) = [path for path in needs if path.endswith(f'/{module}.ko')]
        # Each after those that it needs, which stand last first.
        for one in [*reversed(needs[path].split()), path]:
            if one not in wanted:
                wanted.append(one)
    for path in wanted:
        shutil.copy(modules / path, tree / 'modules')
    (tree / 'modules.list').write_text(''.join(
        f'/modules/{pathlib.Path(path).name}\n' for path in wanted))
    _script('early-init', tree / 'init')
    names = '\n'.join(str(path.relative_to(tree))
                      for path in sorted(tree.rglob('*'))).encode()
    target.write_bytes(_run('cpio', '-o', '-H', 'newc', cwd=tree,
                            stdin=names))


def _root(tree: pathlib.Path) -> None:
    for name in ('bin', 'sbin', 'lib/programs', 'lib64', 'proc', 'sys', 'dev',
                 'etc', 'run', 'disks', 'var/run'):
        (tree / name).mkdir(parents=True)
    busybox = tree / 'bin' / 'busybox'
    shutil.copy(shutil.which('busybox'), busybox)
    for applet in _run(busybox, '--list').decode().split():
        if applet != 'busybox':
            (tree / 'bin' / applet).symlink_to('busybox')
    for program in ('qemu-ga', 'debugfs'):
        _program(program, tree, 'lib/programs')
    (tree / 'ephemeral-mark').write_bytes(EPHEMERAL_MARK[::-1])
    _script('init', tree / 'sbin' / 'init')


def _program(name: str, tree: pathlib.Path, libraries: str) -> None:
    """A program of this machine, and the libraries that it needs."""
    program = shutil.which(name)
    shutil.copy(program, tree / 'bin')
    for word in _run('ldd', program).decode().split():
        if word.startswith('/'):
            shutil.copy(word, tree / (
                'lib64' if 'ld-linux' in word else libraries))


def _script(name: str, target: pathlib.Path) -> None:
    shutil.copy(_HERE / name, target)
    target.chmod(0o755)


def _file_system(target: pathlib.Path, mib: int, tree: pathlib.Path) -> None:
    _run('mke2fs', '-q', '-t', 'ext4', '-d', tree, target, f'{mib}M')
