"""Rewrite a MindIR of a current MindSpore for runtimes that read only its version 1, such as
MindSpore Lite 2.0.

    python lower_mindir.py mobilenetv1.mindir mobilenetv1_lite.mindir python lower_mindir.py --check
    mobilenetv1.mindir          # only say what could not be expressed python lower_mindir.py
    --operators                         # what is known

Weights are copied byte for byte. What version 1 cannot express is refused by operator and node, and
nothing is written. Needs Python 3.9 or newer on Linux and nothing else: neither MindSpore nor
protobuf.
"""

import argparse
import mmap
import os
import signal
import stat
import struct
import sys
import tempfile
import textwrap

from lowering import lower, mindir, wire
from lowering.rules import RULES

BUFFER = 4 << 20
NEWEST_VERSION = 3


class Failure(Exception):
    """One line for the user."""


def load(path):
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


def convert(model):
    """(version of `model`, fields of its version 1 or None if it is that, the Lowering).

    Raises Failure.
    """
    try:
        version = lower.version_of(model)
        if version > NEWEST_VERSION:
            raise Failure(
                f"is of MindIR version {version}; this tool knows versions up to {NEWEST_VERSION}"
            )
        return version, *(lower.lower(model) if version > 1 else (None, None))
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


def check_weights(model, source, target):
    """A large model's weights lie in a folder beside it, which the new file must be able to
    find.
    """
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


def write(path, pieces, mapped):
    """Write `pieces` to `path`, which appears whole or not at all. Raises Failure."""
    temporary = None
    try:
        if os.path.isdir(path):
            raise Failure(f"cannot write {path}: it is a folder; give a file name")
        handle, temporary = tempfile.mkstemp(
            prefix=".lower_mindir_", dir=os.path.dirname(os.path.abspath(path))
        )
        with os.fdopen(handle, "wb") as file:
            written = 0
            for piece in pieces:
                for start in range(0, len(piece), BUFFER):
                    written += file.write(piece[start : start + BUFFER])
                    if written >= BUFFER:
                        mapped.madvise(mmap.MADV_DONTNEED)
                        written = 0
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
        temporary = None
    except OSError as error:
        raise Failure(f"cannot write {path}: {error.strerror}") from None
    finally:
        if temporary:
            os.unlink(temporary)


def summary(version, lowering):
    """What was rewritten, and what will not run everywhere."""
    counts = ", ".join(f"{count} {name}" for name, count in sorted(lowering.rewritten.items()))
    text = (
        f"MindIR version {version} to 1, {sum(lowering.rewritten.values())} operators rewritten"
        f" ({counts})"
    )
    missing = sorted(lowering.operators & lower.WITHOUT_CPU_KERNEL)
    return text + (
        f"\nnote: MindSpore Lite 2.0.0 has no CPU kernel for {', '.join(missing)}"
        if missing
        else ""
    )


def list_operators():
    """Print what is known, by what happens to it."""
    moved = {name for name, entry in lower.OPERATORS.items() if "arguments" in entry} - set(RULES)
    for title, names in (
        ("Attributes moved back", moved),
        ("Written in the operators of MindSpore 2.0", RULES),
        ("Known to MindSpore 2.0 as they are", lower.UNCHANGED - set(RULES)),
        ("Without a CPU kernel in MindSpore Lite 2.0.0 (measured)", lower.WITHOUT_CPU_KERNEL),
    ):
        print(f"{title} ({len(names)}):")
        print(
            textwrap.fill(
                ", ".join(sorted(names)), 118, initial_indent="  ", subsequent_indent="  "
            )
        )


def run(arguments):
    """Do what the command line says. Raises OSError, Failure."""
    model, mapped = load(arguments.input)
    version, fields, lowering = convert(model)
    if lowering and lowering.refused:
        raise Failure(f"\nlower_mindir: {arguments.input}: ".join(lowering.refused))
    if arguments.check:
        print(
            f"{arguments.input}: "
            + (summary(version, lowering) if lowering else "version 1 already")
        )
        return
    check_weights(model, arguments.input, arguments.output)
    write(arguments.output, wire.serialize(fields)[1] if fields else [memoryview(mapped)], mapped)
    print(
        f"{arguments.output}: "
        + (summary(version, lowering) if lowering else "version 1 already, copied")
    )


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("input", nargs="?", help="MindIR file written by MindSpore 2.7 to 2.10")
    parser.add_argument(
        "output", nargs="?", help="where the version 1 file goes; an existing file is replaced"
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 if anything would be refused"
    )
    parser.add_argument(
        "--operators", action="store_true", help="list the operators known and what becomes of them"
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
        print(f"lower_mindir: {arguments.input}: {reason}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
