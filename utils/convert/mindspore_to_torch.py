"""Turn a checkpoint of one of the folders into weights for the network that others have of it.

    python utils/convert/mindspore_to_torch.py mnasnet mnasnet.ckpt mnasnet.safetensors

The inverse of torch_to_mindspore.py, to the bit. Writes .safetensors, .pth or, for Keras, .h5.
Whose names the tensors get, the checkpoint knows if it was converted; else --source says it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from command import Failure, Parser, check_target, printable, run
from sources import Source, folders, tables_of

SUFFIXES = {"torch": (".safetensors", ".pth"), "keras": (".h5",)}


def read_arguments() -> argparse.Namespace:
    """The command line's, checked before anything is read or written."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", choices=folders())
    parser.add_argument("checkpoint", type=Path, help="the .ckpt file")
    parser.add_argument("weights", type=Path, help="the file to write")
    parser.add_argument("--source", default="", help="whose names, such as timm")
    arguments = parser.parse_args()
    suffixes = tuple(suffix for kind in SUFFIXES.values() for suffix in kind)
    check_target(arguments.weights, arguments.checkpoint, suffixes)
    return arguments


def find_source(sources: tuple[Source, ...], wanted: str, suffix: str) -> Source:
    """The one of `sources` that `wanted` is part of the title of. Raises Failure."""
    found = [source for source in sources if wanted.lower() in source.title.lower()]
    if len(found) != 1:
        titles = "; ".join(source.title for source in sources)
        raise Failure(f"--source {wanted or '?'}: whose names? one of: {titles}")
    suffixes = SUFFIXES[found[0].layout]
    if suffix not in suffixes:
        raise Failure(f"{found[0].title} wants a name ending in {' or '.join(suffixes)}")
    return found[0]


def main() -> None:
    """Read, convert, write."""
    arguments = read_arguments()
    import folder
    import mapping
    from write_weights import write_weights

    folder.activate(arguments.folder)
    from src.vendored.checkpoints import read_weights
    from src.vendored.record import read_record

    tables = tables_of(arguments.folder)
    try:
        values = read_weights(arguments.checkpoint)
        recorded = read_record(arguments.checkpoint)[0].get("source", "")
    except ValueError as error:
        raise Failure(str(error)) from None
    source = find_source(tables.SOURCES, arguments.source or recorded, arguments.weights.suffix)
    parameters = {
        name.removeprefix("network.") if tables.PART else name: value.asnumpy()
        for name, value in values.items()
    }
    wanted = {name: value for name, value in parameters.items() if name.startswith(tables.PART)}
    if not wanted:
        raise Failure(f"{arguments.checkpoint}: no parameter's name begins with {tables.PART}")
    tensors = mapping.convert_back(wanted, source)
    write_weights(tensors, arguments.weights)
    left = len(parameters) - len(wanted)
    print(printable(f"{arguments.weights}: {len(tensors)} tensors for {source.title}"))
    print(f"left of the checkpoint: {left or 'nothing'}")


if __name__ == "__main__":
    run(main)
