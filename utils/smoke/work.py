"""What smoke runs, demonstrations and benchmarks share: the model folders that there are, a work
folder of one's own, and the tables that a run leaves in it.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MARK = ".work_folder"  # in every work folder, so that nothing else is ever emptied


def start(main: Callable[..., None]) -> None:
    """Call `main` with the arguments of the command line.

    Exits with one line where they do not fit it, and with 130 on Ctrl-C.
    """
    try:
        inspect.signature(main).bind(*sys.argv[1:])
    except TypeError:
        # Without the types, which are for readers of the code.
        names = (
            parameter.replace(annotation=inspect.Parameter.empty)
            for parameter in inspect.signature(main).parameters.values()
        )
        wanted = " ".join(str(name).upper() for name in names)
        sys.exit(f"error: {len(sys.argv) - 1} arguments given; expected: {sys.argv[0]} {wanted}")
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        print("error: interrupted; what was done so far is no whole run", file=sys.stderr)
        sys.exit(130)


def find_folders() -> list[str]:
    """Names of the model folders: all that have a train.py, in alphabetical order."""
    return sorted(path.parent.name for path in ROOT.glob("*/train.py"))


def make_work_folder(path: str | Path) -> Path:
    """An empty folder `path`, in place of the one that an earlier run made. Returns it, absolute.

    Exits with one line if something else is there, or it cannot be made.
    """
    path = Path(path).resolve()
    try:
        if path.exists() and not (path / MARK).is_file() and any(path.iterdir()):
            sys.exit(f"error: {path}: not a work folder; remove it, or name another")
        if path.exists():
            shutil.rmtree(path)
        path.mkdir(parents=True)
        (path / MARK).touch()
    except OSError as error:
        sys.exit(f"error: {path}: {error.strerror}; name a work folder that can be made")
    return path


@contextlib.contextmanager
def whole_folder(path: str | Path) -> Iterator[Path]:
    """A folder to fill, which becomes `path` when the block ends, or is removed where it fails.

    Exits with one line if `path` is there already or cannot be made.
    """
    if os.path.lexists(path):
        sys.exit(f"error: {path}: it is there already; remove it to make it anew")
    try:
        # Of an unpredictable name, for its owner only; the folder in it is as the umask says.
        with tempfile.TemporaryDirectory(dir=Path(path).absolute().parent, prefix=".") as beside:
            folder = Path(beside, "folder")
            folder.mkdir()
            yield folder
            os.rename(folder, path)
    except OSError as error:
        sys.exit(f"error: {path}: {error.strerror}; is its parent there, and room on disk?")


def write_table(work: str | Path, name: str, header: list[str], rows: list[list]) -> None:
    """Print a table, and write it to tables/`name`.md in `work`, for `make tables` to find."""
    table = "\n".join(
        "| " + " | ".join(map(str, row)) + " |" for row in [header, ["---"] * len(header), *rows]
    )
    path = Path(work, "tables", f"{name}.md")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{table}\n", encoding="utf-8")
    print(f"{table}\n{path}")


def rows_of_page(page: str | Path, name: str) -> list[list[str]]:
    """The rows of the table `name` in a page of docs, as an earlier run left them."""
    text = Path(page).read_text(encoding="utf-8")
    table = re.search(rf"<!-- {re.escape(name)} -->\n(.*?)<!-- /{re.escape(name)} -->", text, re.S)
    lines = table[1].splitlines()[2:] if table else []
    return [line.strip("| ").split(" | ") for line in lines]


def machine() -> str:
    """The machine and the versions that a figure holds for."""
    model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    flags = Path("/proc/cpuinfo").read_text()
    vectors = "AVX-512" if "avx512f" in flags else "no AVX-512"
    vectors += " and AMX" if "amx_bf16" in flags else ""
    return (
        f"{os.cpu_count()} cores of {model[1].strip() if model else platform.machine()}"
        f", {vectors}; MindSpore {version('mindspore')}, "
        f"onnxruntime {version('onnxruntime')}, Python {platform.python_version()}"
    )
