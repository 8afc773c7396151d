# Copied from utils/vendored/listing.py by `make vendor`: change it there.
"""Which files of a folder are images, and which folders in it may be classes."""

import os
import time
from pathlib import Path

from .launch import printable

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")  # in any letter case
PATIENCE = 2.0  # seconds without a word


def contents(folder: str | Path) -> tuple[list[str], list[str]]:
    """The sorted names in `folder` that have an image's suffix, as the C++ programs list them, and
    those of the folders in it; hidden ones are in neither.

    Links to nothing and pipes count as images: they cannot be read, and that is said.
    """
    images, folders = [], []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if _is_folder(entry):
                folders.append(entry.name)
            elif entry.name.lower().endswith(SUFFIXES):
                images.append(entry.name)
    return sorted(images), sorted(folders)


def _is_folder(entry):
    try:
        return entry.is_dir()
    except OSError:  # such as a link to itself
        return False


class Progress:
    """Says what takes long, after PATIENCE seconds and then ever more rarely."""

    def __init__(self, doing: str):
        self.doing, self.started, self.wait = doing, time.monotonic(), PATIENCE

    def at(self, done: int, whole: int, what: str) -> None:
        """`done` of `whole` are finished; `what` they are, in the plural."""
        if time.monotonic() - self.started > self.wait:
            self.wait *= 3
            print(f"{printable(self.doing)}: {done} of {whole} {what} ...", flush=True)
