"""Turn weights published for PyTorch into a checkpoint of one of the folders.

    python utils/convert/torch_to_mindspore.py resnest resnest50-528c19ca.pth resnest50.ckpt

Reads .safetensors (package safetensors) and what torch.save writes (package torch), never code in
it. `names/` says which parameter takes which tensor; what the network must be told to be the same
function is printed.
"""

from __future__ import annotations

import argparse
import difflib
import json
import logging
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import numpy as np

NAMES = Path(__file__).resolve().parent / "names"


class Failure(Exception):
    """What ends the program: one line that says what is wrong, where, and what to do."""


def printable(text: str) -> str:
    """`text` without what moves the cursor, begins a line or cannot be encoded."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, too."""

    def error(self, message: str) -> NoReturn:
        raise Failure(f"{message}; --help says more")


def find_tables() -> dict[str, list[dict]]:
    """{folder: its tables of names, names/FOLDER.json or names/FOLDER_WHOSE.json}."""
    tables = {}
    for path in sorted(NAMES.glob("*.json")):
        table = json.loads(path.read_text(encoding="utf-8"))
        tables.setdefault(table["folder"], []).append(table)
    return tables


def choose_table(tables: list[dict], weights: dict[str, np.ndarray]) -> dict:
    """The one of `tables` whose tensors are all in `weights`.

    Raises Failure with the nearest names if there is none.
    """
    missing = [[name for _, name, *_ in table["names"] if name not in weights] for table in tables]
    best = min(range(len(tables)), key=lambda index: len(missing[index]))
    if not missing[best]:
        return tables[best]
    name = missing[best][0]
    nearest = difflib.get_close_matches(name, weights, n=2, cutoff=0.0)
    raise Failure(
        f"no tensor '{name}' (nearest: {', '.join(nearest) or 'none'}); expected the weights of "
        + " or ".join(table["source"] for table in tables)
    )


def check_tensors(weights: dict[str, np.ndarray], table: dict) -> None:
    """Raise Failure for the first tensor that does not have the values or the shape to convert."""
    import numpy as np

    rows = {}
    for name, source, *part in table["names"]:
        value = weights[source]
        if not np.isfinite(value).all():
            raise Failure(f"'{source}' has NaN or infinite values; give other weights")
        if name in table.get("centre", ()) and value.shape[2:] != (1, 1):
            raise Failure(f"'{source}' has shape {value.shape}, expected (N, C, 1, 1)")
        if part:
            rows[source] = max(part[0][1], rows.get(source, 0))
    for source, count in rows.items():
        if weights[source].shape[:1] != (count,):
            raise Failure(f"'{source}' has shape {weights[source].shape}, expected {count} rows")


def convert(weights: dict[str, np.ndarray], table: dict) -> dict[str, np.ndarray]:
    """{parameter: float32 array}: tensors renamed, and changed as the folder's form of the
    network asks.
    """
    import numpy as np

    parameters = {}
    for name, source, *rows in table["names"]:
        value = weights[source]
        if rows:  # One of the convolutions that a grouped one is split into.
            value = value[slice(*rows[0])]
        if name in table.get("centre", ()):  # A pointwise convolution where the folder's has 3x3.
            value = np.pad(value, ((0, 0), (0, 0), (1, 1), (1, 1)))
        if name in table.get("roll", ()):  # The background class, first there, is last here.
            value = np.roll(value, -1, axis=0)
        for suffix, amount in table.get("add", {}).items():
            if name.endswith(suffix):
                value = value + amount
        parameters[name] = np.ascontiguousarray(value, np.float32)
    for name in table.get("zero", ()):
        parameters[name] = np.zeros(
            parameters[name.replace(".bias", ".weight")].shape[0], np.float32
        )
    return parameters


def write_checkpoint(parameters: dict[str, np.ndarray], path: Path) -> None:
    """Write `parameters` as the checkpoint `path`: whole or not at all, readable as the umask says.

    Raises OSError or RuntimeError.
    """
    import mindspore as ms

    logging.disable()  # MindSpore logs the error that is raised, too, with the temporary name.
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".convert_") as beside:
        written = Path(beside, "whole.ckpt")
        ms.save_checkpoint(
            [{"name": name, "data": ms.Tensor(value)} for name, value in parameters.items()],
            str(written),
        )
        umask = os.umask(0)
        os.umask(umask)
        written.chmod(0o666 & ~umask)
        with written.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(written, path)


def read_arguments(tables: dict[str, list[dict]]) -> argparse.Namespace:
    """The command line's, checked before anything is read or written."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", choices=sorted(tables))
    parser.add_argument("weights", type=Path, help="the published file")
    parser.add_argument("checkpoint", type=Path, help="the .ckpt file to write")
    arguments = parser.parse_args()
    target = arguments.checkpoint
    if not arguments.weights.exists():
        raise Failure(f"{arguments.weights}: no such file; give the published one")
    if target.suffix != ".ckpt" or target.is_dir() or not target.resolve().parent.is_dir():
        raise Failure(f"{target}: expected a name ending in .ckpt, in a folder that exists")
    if target.exists() and target.samefile(arguments.weights):
        raise Failure(f"{target}: it is the file to read, too; give another name")
    return arguments


def run() -> None:
    """Read, convert, write."""
    tables = find_tables()
    arguments = read_arguments(tables)
    from read_weights import read_weights

    try:
        weights = read_weights(arguments.weights)
        table = choose_table(tables[arguments.folder], weights)
        check_tensors(weights, table)
    except (Failure, ValueError) as error:
        raise Failure(f"{arguments.weights}: {error}") from None
    except OSError as error:
        raise Failure(f"{arguments.weights}: cannot be read ({error.strerror})") from None
    parameters = convert(weights, table)
    try:
        write_checkpoint(parameters, arguments.checkpoint)
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise Failure(f"{arguments.checkpoint}: cannot be written ({reason})") from None
    written = f"{arguments.checkpoint}: {len(parameters)} parameters from {table['source']}"
    print(printable(f"{written}; {table['use']}"))


def main() -> None:
    """Run, and end in one line where that fails."""
    try:
        run()
    except Failure as error:
        sys.exit(f"error: {printable(str(error))[:500]}")
    except ModuleNotFoundError as error:
        package = error.name.split(".")[0]
        sys.exit(f"error: the package {package} is missing; run: pip install {package}")
    except ImportError as error:
        sys.exit(f"error: {' '.join(str(error).split())}; install the package again")
    except KeyboardInterrupt:
        print("error: interrupted; nothing was written", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
