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
    marked = _read_mark(directory)
    if not marked:
        return
    folder = make_folder(Path(directory, marked["folder"]))
    for name in marked["names"]:
        if Path(directory, name).exists():
            os.replace(Path(directory, name), folder / name)
    to_disk(folder)
    to_disk(directory)
    Path(directory, MARK).unlink()
    to_disk(directory)
    print(f"kept from an earlier run: {folder}", flush=True)


def left_behind(directory: str | Path) -> list[str]:
    """The names of files in `directory` that a killed run was about to put aside."""
    marked = _read_mark(directory)
    return marked["names"] if marked else []


def _read_mark(directory):
    """{"folder": name, "names": [name, ...]}, all directly in `directory`; None without a mark."""
    mark = Path(directory, MARK)
    try:
        marked = json.loads(mark.read_text(encoding="utf-8"))
        names = [marked["folder"], *marked["names"]]
        if all(name == os.path.basename(name) and name.strip(".") for name in names):
            return marked
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        pass
    raise UserError(f"{mark}: not written by this program; remove it")
