# Copied from utils/vendored/earlier.py by `make vendor`: change it there.
"""What an earlier run left in a folder is put aside: all of it, even if that is interrupted."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

from .files import atomic_write, make_folder, to_disk
from .launch import UserError

MARK = ".put_aside.json"  # says what is being put aside, and where to


def put_aside(directory: str | Path, names: list[str]) -> None:
    """Move the files `names` of `directory` to earlier.1, or 2, ..., in it.

    Interrupted, they count as moved (see left_behind); finish_putting_aside moves the rest.
    """
    names = [name for name in names if Path(directory, name).exists()]
    if names:
        numbers = itertools.count(1)
        free = next(f"earlier.{n}" for n in numbers if not Path(directory, f"earlier.{n}").exists())
        atomic_write(Path(directory, MARK), json.dumps({"folder": free, "names": names}))
        finish_putting_aside(directory)


def finish_putting_aside(directory: str | Path) -> None:
    """Move what a run that was killed meanwhile has not moved yet."""
    mark = Path(directory, MARK)
    names, folder = left_behind(directory), None
    if not mark.exists():
        return
    folder = make_folder(Path(directory, json.loads(mark.read_text())["folder"]))
    for name in names:
        if Path(directory, name).exists():
            os.replace(Path(directory, name), folder / name)
    to_disk(folder)
    to_disk(directory)
    mark.unlink()
    to_disk(directory)
    print(f"kept from an earlier run: {folder}", flush=True)


def left_behind(directory: str | Path) -> list[str]:
    """The names of files in `directory` that a killed run was about to put aside."""
    mark = Path(directory, MARK)
    try:
        return json.loads(mark.read_text(encoding="utf-8"))["names"]
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{mark}: not written by this program; remove it") from None
