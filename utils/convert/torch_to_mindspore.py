"""Turn published weights into a checkpoint of one of the folders.

    python utils/convert/torch_to_mindspore.py resnest resnest50-528c19ca.pth resnest50.ckpt

Reads .safetensors (package safetensors), Keras' .h5 (package h5py) and what torch.save writes
(package torch), never code in it. Whose weights they are, their names say: names/FOLDER.py. The
options that make the folder's network and preprocessing the same function are written into the
checkpoint, where eval.py, export.py and predict.py find them. What maps and what is left is
printed; --verify compares with the source's own network, where its package is installed.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from command import Failure, Parser, check_target, printable, run
from sources import Source, folders, tables_of

SHOWN = 5  # names of tensors that are left


def read_arguments() -> argparse.Namespace:
    """The command line's, checked before anything is read or written."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", choices=folders())
    parser.add_argument("weights", type=Path, help="the published file")
    parser.add_argument("checkpoint", type=Path, help="the .ckpt file to write")
    parser.add_argument("--ema", action="store_true", help="the averages of the weights in it")
    parser.add_argument("--class_names", type=Path, help="text file, a name a line, to record")
    parser.add_argument("--verify", action="store_true", help="compare with the source's network")
    arguments = parser.parse_args()
    check_target(arguments.checkpoint, arguments.weights, (".ckpt",))
    return arguments


def read_class_names(path: Path | None, source: Source, count: int | None) -> list[str] | None:
    """The names to record, of the file `path` or of `source`; None where nobody knows them."""
    if not path:
        return list(source.class_names) or None
    try:
        names = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        raise Failure(f"{path}: not a readable text file of class names") from None
    names = [name.strip() for name in names if name.strip()]
    if len(set(names)) != len(names) or len(names) > (count or 0):
        raise Failure(f"{path}: {len(names)} names; wanted at most {count}, each once")
    return names


def report(source: Source, left_out: str, parameters: dict, wanted: int, left: list[str]) -> None:
    """Print what maps and what is left."""
    if left_out:
        print(printable(f"names begin with '{left_out}', which is left out"))
    passed = [name for name in left if not re.search(source.left, name)]
    print(f"{source.title}: {len(parameters)} of {wanted} parameters found")
    shown = ", ".join(passed[:SHOWN]) + (", ..." if len(passed) > SHOWN else "")
    without = f", besides {len(left) - len(passed)} that have no place here" if left else ""
    print(printable(f"left of the file: {shown or 'nothing'}{without}"))


def main() -> None:
    """Read, convert, write, verify."""
    arguments = read_arguments()
    import folder
    import mapping
    from read_weights import read_weights

    folder.activate(arguments.folder)
    tables = tables_of(arguments.folder)
    try:
        weights = read_weights(arguments.weights, arguments.ema)
        weights, source, left_out = mapping.choose(weights, tables.SOURCES)
        options = options_of(source, weights)
        network, recorded = tables.build_network(options)
        wanted = {tables.PART + p.name: p.shape for p in network.get_parameters()}
        parameters, left = mapping.convert(weights, source, wanted)
    except (Failure, ValueError) as error:
        raise Failure(f"{arguments.weights}: {error}") from None
    except OSError as error:
        raise Failure(f"{arguments.weights}: cannot be read ({error.strerror})") from None
    report(source, left_out, parameters, len(wanted), left)
    count = next((options[key] for key in ("class_num", "num_classes") if key in options), None)
    record = {
        "format": 1,
        "options": recorded,
        "class_names": read_class_names(arguments.class_names, source, count),
        "source": source.title,
    }
    folder.save(parameters, arguments.checkpoint, record)
    told = ", ".join(f"{key} {value}" for key, value in options.items())
    print(printable(f"{arguments.checkpoint}: written, with its options: {told}"))
    if arguments.verify:
        import verify

        difference = verify.difference(tables, source, options, weights, network, arguments)
        print(f"largest relative difference to {source.title}: {difference:.1e}")
        if not difference <= verify.ALLOWED:
            raise Failure(f"{arguments.checkpoint}: not the same function; please report it")


def options_of(source: Source, weights: dict) -> dict:
    """The options that `source` tells from the tensors. Raises Failure where it cannot."""
    try:
        return source.options(weights)
    except KeyError as error:
        raise Failure(f"no tensor {error}; expected the weights of {source.title}") from None
    except IndexError:
        raise Failure(f"tensors of other dimensions than {source.title}'s") from None


if __name__ == "__main__":
    run(main)
