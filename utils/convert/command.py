"""How the commands here speak: arguments, and one line where something is wrong."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn


class Failure(Exception):
    """What ends the program: one line that says what is wrong, where, and what to do."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, too."""

    def error(self, message: str) -> NoReturn:
        raise Failure(f"{message}; --help says more")


def printable(text: str) -> str:
    """`text` without what moves the cursor, begins a line or cannot be encoded."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def check_target(target: Path, source: Path, suffixes: tuple[str, ...]) -> None:
    """Raise Failure where `target`, to be written from `source`, is no place for a file called
    *`suffixes`.
    """
    if not source.exists():
        raise Failure(f"{source}: no such file; give the one to convert")
    if target.suffix not in suffixes or target.is_dir() or not target.resolve().parent.is_dir():
        wanted = " or ".join(suffixes)
        raise Failure(f"{target}: expected a name ending in {wanted}, in a folder that exists")
    if target.exists() and target.samefile(source):
        raise Failure(f"{target}: it is the file to read, too; give another name")


def run(main: Callable[[], None]) -> None:
    """Call `main`, and end in one line where that fails."""
    try:
        main()
    except Failure as error:
        sys.exit(f"error: {printable(str(error))[:500]}")
    except ModuleNotFoundError as error:
        package = error.name.split(".")[0]
        sys.exit(f"error: the package {package} is missing; run: pip install {package}")
    except ImportError as error:
        sys.exit(f"error: {' '.join(str(error).split())}; install the package again")
    except MemoryError:
        sys.exit("error: out of memory; end other programs and try again")
    except KeyboardInterrupt:
        print("error: interrupted; nothing was written", file=sys.stderr)
        sys.exit(130)
