"""Rewrite a MindIR of a current MindSpore for runtimes that read only its version 1, such as MindSpore Lite 2.0.

    python lower_mindir.py mobilenetv1.mindir mobilenetv1_v1.mindir

Weights are copied byte for byte. What version 1 cannot express is refused by operator and node, and nothing is
written. Needs Python 3.8 or newer and nothing else: neither MindSpore nor protobuf.
"""
import argparse
import mmap
import os
import shutil
import sys
import tempfile

from lowering import lower, mindir, wire

BUFFER = 4 << 20


def load(path):
    """The parsed top level of the model at `path`, as views into the mapped file. Raises OSError, wire.Damaged."""
    if os.path.isdir(path):
        raise IsADirectoryError(f"{path} is a directory; give a MindIR file")
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            raise wire.Damaged("the file is empty")
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    model = wire.parse(memoryview(mapped))
    version = wire.one(model, mindir.MODEL_IR_VERSION)
    if isinstance(version, int) or wire.one(model, mindir.MODEL_GRAPH) is None:
        raise wire.Damaged("this is no MindIR (ONNX and AIR files look like this)")
    return model, mapped


def write(path, pieces, mapped):
    """Write `pieces` to `path`, which appears whole or not at all."""
    folder = os.path.dirname(os.path.abspath(path))
    handle, temporary = tempfile.mkstemp(prefix=".lower_mindir_", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            for piece in pieces:
                for start in range(0, len(piece), BUFFER):
                    file.write(piece[start:start + BUFFER])
                    if len(piece) > BUFFER:
                        mapped.madvise(mmap.MADV_DONTNEED)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", help="MindIR file written by MindSpore 2.2 to 2.10")
    parser.add_argument("output", help="where the version 1 file goes")
    arguments = parser.parse_args()
    try:
        model, mapped = load(arguments.input)
        version = lower.version_of(model)
        if version <= 1:
            shutil.copyfile(arguments.input, arguments.output)
            print(f"{arguments.input} is of version 1 already: copied as it is")
            return 0
        fields, lowering = lower.lower(model)
        if lowering.refused:
            raise ValueError("\n".join(lowering.refused))
        write(arguments.output, wire.serialize(fields)[1], mapped)
    except (OSError, ValueError, wire.Damaged) as error:
        print(f"lower_mindir: {arguments.input}: {error}", file=sys.stderr)
        return 1
    print(f"{arguments.output}: version {version} to 1, " + ", ".join(
        f"{count} {name}" for name, count in sorted(lowering.rewritten.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
