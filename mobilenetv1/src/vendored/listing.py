# Copied from utils/vendored/listing.py by `make vendor`: change it there.
"""Which files of a folder are images, and which folders in it may be classes."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .launch import printable

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")  # in any letter case
# Photos that are not read.
OTHER_SUFFIXES = (".webp", ".gif", ".tif", ".tiff", ".heic", ".heif", ".avif", ".jxl", ".jp2",
                  ".jfif", ".jpe")  # fmt: skip
# What storage servers and archives leave behind.
STRAY = {
    "#recycle",
    "lost+found",
    "__macosx",
    "@eadir",
    "$recycle.bin",
    "system volume information",
}
PATIENCE = 2.0  # seconds without a word


class Contents(NamedTuple):
    """Sorted names in a folder; hidden ones are in none of the lists."""

    images: list[str]
    folders: list[str]
    others: list[str]  # photos of formats that are not read


def contents(folder: str | Path) -> Contents:
    """What `folder` has by the names: images are as the C++ programs list them.

    Links to nothing and pipes count as images: they cannot be read, and that is said.
    """
    images, folders, others = [], [], []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if _is_folder(entry):
                folders.append(entry.name)
            elif entry.name.lower().endswith(SUFFIXES):
                images.append(entry.name)
            elif entry.name.lower().endswith(OTHER_SUFFIXES):
                others.append(entry.name)
    return Contents(sorted(images), sorted(folders), sorted(others))


def contents_below(folder: str, above: tuple = ()) -> Iterator[tuple[str, Contents]]:
    """(folder, its Contents) of `folder` and of those in it, however deep, as the C++ program of a
    detector lists them; STRAY ones are left out, and links that lead up again.
    """
    above = (*above, os.path.realpath(folder))
    found = contents(folder)
    yield folder, found
    for name in found.folders:
        path = os.path.join(folder, name)
        if name.lower() not in STRAY and os.path.realpath(path) not in above:
            yield from contents_below(path, above)


def files_called(folder: str | Path, suffix: str) -> list[Path]:
    """Sorted paths of what `folder` has with the `suffix`, such as '.onnx', in any letter case.

    Hidden ones are left out: macOS leaves ._NAME beside what it copies.
    """
    names = os.listdir(folder)
    return sorted(
        Path(folder, name)
        for name in names
        if not name.startswith(".") and name.lower().endswith(suffix)
    )


def note_others(folder: str | Path, others: list[str]) -> None:
    """Say which photos, `others`, in `folder` are not read, if any."""
    if others:
        print(
            f"note: {printable(str(folder))}: {len(others)} photos that are neither JPEG, PNG nor"
            f" BMP by their names are left out, such as {printable(others[0])}",
            flush=True,
        )


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
