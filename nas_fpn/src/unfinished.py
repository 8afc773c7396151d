"""Folders in which files are written before they are moved to their place."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Not on Windows: there, what a killed program left stays.
    fcntl = None

LOCK = "lock"


@contextlib.contextmanager
def unfinished_folder(folder: Path, name: str) -> Iterator[Path]:
    """A new hidden folder in `folder` for files whose names begin with `name`; removed at the end.

    The folders that killed programs left are removed first: one that lives holds a lock in its own.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    start = f".{name}.unfinished."
    with contextlib.ExitStack() as stack:
        with _lock(folder) as is_locked:  # so that none is seen before it is locked
            for path in folder.iterdir() if is_locked else ():
                if path.name.startswith(start) and len(path.name) == len(start) + 8:
                    _remove_if_left(path, name)
            unfinished = Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix=start, dir=folder))
            )
            (unfinished / LOCK).touch(exist_ok=False)
            stack.enter_context(_lock(unfinished / LOCK))
        yield unfinished


def put_in_place(path: str | Path, target: Path) -> None:
    """Move a finished file to its place, once the disk has it."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
    os.replace(path, target)


def _remove_if_left(path, name):
    """Remove the folder unless its program lives, or something is in it that it cannot have put."""
    if path.is_symlink() or not path.is_dir():
        return
    if not all(file.name == LOCK or file.name.startswith(name) for file in path.iterdir()):
        return
    if not (path / LOCK).exists():
        shutil.rmtree(path)  # killed between two steps
        return
    with _lock(path / LOCK, wait=False) as is_left:
        if is_left:
            shutil.rmtree(path)


@contextlib.contextmanager
def _lock(path, wait=True):
    """Hold the lock of the file or folder; False where it cannot be had."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        if fcntl is None:
            yield False
            return
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError:  # held by another, or a file system without locks
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
