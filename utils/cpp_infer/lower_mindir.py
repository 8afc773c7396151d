"""Rewrite a MindIR of a current MindSpore for runtimes that read only its version 1, such as
MindSpore Lite 2.0, or 2.

    python lower_mindir.py mobilenetv1.mindir mobilenetv1_lite.mindir
    python lower_mindir.py --check mobilenetv1.mindir   # only say what could not be expressed
    python lower_mindir.py --operators                  # what is known

Weights are copied byte for byte. What version 1 cannot express is refused by operator and node, and
nothing is written. Needs Python 3.9 or newer on Linux and nothing else: neither MindSpore nor
protobuf.
"""

from __future__ import annotations

import argparse
import mmap
import os
import signal
import stat
import struct
import sys
import textwrap
from typing import NoReturn

from lowering import lite, lower, mindir, relabel, wire
from lowering.output import hand_on_record, printable, whole_file
from lowering.report import reasons, summary
from lowering.rules import RULES

BUFFER = 4 << 20
NEWEST_VERSION = 3
MOST_LINES = 100  # of one run; a file can hold any number of operators that nobody knows


class Failure(Exception):
    """One line for the user, about `path`, or else the input."""

    def __init__(self, reason: str, path: str | None = None):
        super().__init__(reason)
        self.path = path


def load(path: str) -> tuple[wire.Message, mmap.mmap]:
    """(parsed top level of the model at `path`, as views into the mapped file; the map).

    Raises OSError, Failure.
    """
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode):
        raise Failure(
            "is a folder; give a MindIR file" if stat.S_ISDIR(mode) else "is not a regular file"
        )
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            raise Failure("the file is empty; export the model again")
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        model = wire.parse(memoryview(mapped))
    except wire.Damaged as error:
        raise Failure(
            f"is not a MindIR file, or truncated, damaged or encrypted ({error})"
        ) from None
    if isinstance(wire.one(model, 1), int):
        raise Failure("is an ONNX file; export with file_format='MINDIR'")
    if isinstance(wire.one(model, 2), int):
        raise Failure("is an AIR file; export with file_format='MINDIR'")
    if wire.one(model, mindir.MODEL_GRAPH) is None:
        raise Failure("is not a MindIR file (it holds no graph); export with file_format='MINDIR'")
    return model, mapped


def convert(
    model: wire.Message, target: int
) -> tuple[int, wire.Message | None, lower.Lowering | None]:
    """(version of `model`, fields of its version `target` or None if it is that or below, the
    Lowering if the operators are rewritten).

    Raises Failure.
    """
    try:
        version = lower.version_of(model)
        if version > NEWEST_VERSION:
            raise Failure(
                f"is of MindIR version {version}; this tool knows versions up to {NEWEST_VERSION}"
            )
        if version <= target:
            return version, None, None
        if target == 2:
            return version, relabel.as_version_2(model), None
        return version, *lower.lower(model)
    except mindir.Refused as reason:
        raise Failure(f"cannot be written as version {target}: it {reason}") from None
    except (
        wire.Damaged,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        ArithmeticError,
        struct.error,
        RecursionError,
    ) as error:
        raise Failure(
            f"is damaged: its graph makes no sense ({type(error).__name__}: {error})"
        ) from None


def check_weights(model: wire.Message, source: str, target: str) -> None:
    """The new file must find a large model's weights, which lie in a folder beside the old."""
    apart = any(
        wire.one(parameter, mindir.TENSOR_EXTERNAL) is not None
        for parameter in map(
            wire.parse,
            wire.values(wire.parse(wire.one(model, mindir.MODEL_GRAPH)), mindir.GRAPH_PARAMETER),
        )
    )
    if apart and os.path.realpath(os.path.dirname(source)) != os.path.realpath(
        os.path.dirname(target)
    ):
        raise Failure("keeps its weights in a folder beside it: give an output in the same folder")


def write(path: str, pieces: list[bytes | memoryview], mapped: mmap.mmap) -> None:
    """Write `pieces` to `path`, which appears whole or not at all. Raises Failure."""
    if os.path.isdir(path):
        raise Failure("is a folder; give the name of a file to write", path)
    try:
        with whole_file(path) as file:
            written = 0
            for piece in pieces:
                for start in range(0, len(piece), BUFFER):
                    written += file.write(piece[start : start + BUFFER])
                    if written >= BUFFER:
                        mapped.madvise(mmap.MADV_DONTNEED)
                        written = 0
    except OSError as error:
        raise Failure(f"cannot be written: {error.strerror}; give another place", path) from None


def show(*lines: str) -> None:
    """Print the lines on stdout, of very many the first. Raises Failure."""
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], f"... and {len(lines) - MOST_LINES} more lines"]
    try:
        print(*map(printable, lines), sep="\n", flush=True)
    except OSError as error:
        # What is still to be written would be tried again, and fail, when the program ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise Failure(f"cannot be written: {error.strerror}", "stdout") from None


def list_operators() -> None:
    """Print what is known, by what happens to it."""
    moved = {name for name, entry in lower.OPERATORS.items() if "arguments" in entry} - set(RULES)
    for title, names in (
        ("Attributes moved back", moved),
        ("Written in the operators of MindSpore 2.0", RULES),
        ("Known to MindSpore 2.0 as they are", lower.UNCHANGED - set(RULES)),
        (
            "Not run by MindSpore Lite 2.0.0 on CPU in some or any form (measured)",
            lite.MEASURED["faults"],
        ),
    ):
        print(f"{title} ({len(names)}):")
        text = ", ".join(sorted(names))
        print(textwrap.fill(text, 118, initial_indent="  ", subsequent_indent="  "))


def run(arguments: argparse.Namespace) -> None:
    """Do what the command line says. Raises OSError, Failure."""
    model, mapped = load(arguments.input)
    version, fields, lowering = convert(model, arguments.target)
    found = {}
    if lowering:
        found = {**lowering.refused, **({} if arguments.ascend else lowering.wrong)}
    refused = reasons(found)
    if refused and arguments.check:
        show(*refused)
        raise Failure(f"cannot be lowered, for the {len(refused)} reasons listed")
    if refused:
        more = f"; --check lists {len(refused) - 1} more reasons" if len(refused) > 1 else ""
        raise Failure(f"cannot be lowered: {refused[0]}{more}")
    about = arguments.output or arguments.input
    done = f"MindIR version {version} to {arguments.target}, operators as they are"
    if fields is None:
        done = f"version {version} already{', copied' if arguments.output else ''}"
    if arguments.output:
        check_weights(model, arguments.input, arguments.output)
        pieces = wire.serialize(fields)[1] if fields else [memoryview(mapped)]
        write(arguments.output, pieces, mapped)
        hand_on_record(arguments.input, arguments.output)
    first, *rest = summary(version, lowering, arguments.ascend) if lowering else [done]
    show(f"{about}: {first}", *rest)


class Parser(argparse.ArgumentParser):
    """A wrong command line ends as other wrong input does."""

    def error(self, message: str) -> NoReturn:
        print(f"error: {printable(message)}; see --help", file=sys.stderr)
        sys.exit(1)


def main(argv: list[str] | None = None) -> int:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", nargs="?", help="MindIR file written by MindSpore 2.5 to 2.10")
    parser.add_argument(
        "output", nargs="?", help="where the version 1 file goes; an existing file is replaced"
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 if anything would be refused"
    )
    parser.add_argument(
        "--target",
        type=int,
        choices=(1, 2),
        default=1,
        help="MindIR version to write: 2 leaves operators as they are (default: 1)",
    )
    parser.add_argument(
        "--operators", action="store_true", help="list the operators known and what becomes of them"
    )
    parser.add_argument(
        "--ascend",
        action="store_true",
        help="for Ascend: only note what MindSpore Lite would compute wrongly on CPU",
    )
    arguments = parser.parse_args(argv)
    if arguments.operators:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # So that `| head` ends it in silence.
        list_operators()
        return 0
    if not arguments.input or bool(arguments.output) == arguments.check:
        parser.error("give an input and an output, or --check and an input")
    try:
        run(arguments)
    except (OSError, Failure) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        path = getattr(error, "path", None) or arguments.input
        print(printable(f"error: {path}: {reason}"), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # Names that the locale cannot spell.
    sys.exit(main())
