# Copied from utils/vendored/files.py by `make vendor`: change it there.
"""Files that appear whole or not at all, whatever ends the program, and how others are read."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .launch import UserError


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A path beside `path` to write to: at the end of the block it takes the place of `path`.

    It is new, of an unpredictable name, and gone if the block fails; the content reaches the disk
    before the name does. Permissions are those of any new file (umask). Raises UserError naming
    `path` where the disk is full or cannot be written.
    """
    path = Path(path)
    beside = None
    try:
        handle, name = tempfile.mkstemp(prefix=".unfinished_", suffix=path.suffix, dir=path.parent)
        os.close(handle)
        beside = Path(name)
        yield beside
        beside.chmod(0o666 & ~_umask())
        to_disk(beside)
        os.replace(beside, path)
        beside = None
        to_disk(path.parent)
    except OSError as error:
        raise UserError(
            f"{path}: cannot be written ({error.strerror}); make room or choose another folder,"
            " what was there is whole"
        ) from None
    finally:
        if beside is not None:
            # MindSpore writes to a file of another suffix first.
            for left in path.parent.glob(f"{beside.stem}.*"):
                left.unlink(missing_ok=True)


def atomic_write(path: str | Path, content: str | bytes) -> None:
    """Write `content` (text or bytes) to `path`: after a crash there is the old file or the new."""
    with replacing(path) as beside:
        beside.write_bytes(content.encode() if isinstance(content, str) else content)


def read_file(path: str | Path) -> bytes:
    """The bytes of the file `path`. Raises OSError where it is none: a pipe would be waited for."""
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is no file", str(path))
        return file.read()


def make_folder(path: str | Path) -> Path:
    """The folder `path` as a Path, made if need be. Raises UserError where it cannot be made."""
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise UserError(f"{path}: cannot make this folder ({error.strerror})") from None
    return Path(path)


def remove_unfinished(folder: str | Path) -> None:
    """Remove what a killed run of this program left half-written in `folder`."""
    for path in Path(folder).glob(".unfinished_*"):
        if path.is_file() and not path.is_symlink() and path.stat().st_uid == os.geteuid():
            path.unlink(missing_ok=True)


def to_disk(path: str | Path) -> None:
    """Wait until the file or folder `path` is on the disk: a rename counts only then."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask():
    mask = os.umask(0o077)  # There is no call that only reads it.
    os.umask(mask)
    return mask
