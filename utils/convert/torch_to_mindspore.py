"""Turn weights published for PyTorch into a checkpoint of one of the folders.

    python utils/convert/torch_to_mindspore.py resnest resnest50-528c19ca.pth resnest50.ckpt

Reads .safetensors (package safetensors) and what torch.save writes (package torch), never code in
it. `names/` says which parameter takes which tensor; what the network must be told to be the same
function is printed.
"""

import argparse
import difflib
import json
import os
import sys
from pathlib import Path

import numpy as np

NAMES = Path(__file__).resolve().parent / "names"
FOLDERS = ("fishnet99", "resnest", "mnasnet", "mobilenetv1")


def read_weights(path):
    """{name: array} of the file `path`, without the prefix that DataParallel gives.

    Exits if it cannot be read.
    """
    try:
        if path.suffix == ".safetensors":
            from safetensors.numpy import load_file

            return load_file(path)
        import torch

        loaded = torch.load(path, map_location="cpu", weights_only=True)
        tensors = loaded.get("state_dict", loaded)
        return {name.replace("module.", "", 1): tensor.numpy() for name, tensor in tensors.items()}
    except ImportError as error:
        sys.exit(f"error: {path}: {error.name} is needed to read it; pip install {error.name}")
    except Exception as error:
        # Each format has exceptions of its own, with only this class in common.
        reason = str(error).splitlines()[0][:150] if str(error) else type(error).__name__
        sys.exit(f"error: {path}: not a whole file of weights ({reason})")


def choose_names(folder, weights, path):
    """The table in names/ that fits `weights`. Exits with the nearest names if none does."""
    tables = [json.loads(file.read_text()) for file in sorted(NAMES.glob(f"{folder}*.json"))]
    missing = [[name for _, name, *_ in table["names"] if name not in weights] for table in tables]
    best = min(range(len(tables)), key=lambda i: len(missing[i]))
    if not missing[best]:
        return tables[best]
    name, nearest = (
        missing[best][0],
        difflib.get_close_matches(missing[best][0], weights, n=2, cutoff=0.0),
    )
    sys.exit(
        f"error: {path}: no tensor '{name}' (nearest: {', '.join(nearest) or 'none'}); expected the"
        " weights of " + " or ".join(table["source"] for table in tables)
    )


def convert(weights, table):
    """{parameter: float32 array}: tensors renamed, and changed as the folder's form of the
    network asks.
    """
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


def main():
    """Read, convert, write whole."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", choices=FOLDERS)
    parser.add_argument("weights", type=Path, help="the published file")
    parser.add_argument("checkpoint", type=Path, help="the .ckpt file to write")
    arguments = parser.parse_args()
    if not arguments.weights.is_file():
        sys.exit(f"error: {arguments.weights}: no such file")
    if arguments.checkpoint.suffix != ".ckpt" or not arguments.checkpoint.resolve().parent.is_dir():
        sys.exit(
            f"error: {arguments.checkpoint}: expected a name ending in .ckpt, in a folder that"
            " exists"
        )
    weights = read_weights(arguments.weights)
    table = choose_names(arguments.folder, weights, arguments.weights)
    parameters = convert(weights, table)
    import mindspore as ms

    beside = arguments.checkpoint.with_name(f".{arguments.checkpoint.name}")
    try:
        ms.save_checkpoint(
            [{"name": name, "data": ms.Tensor(value)} for name, value in parameters.items()],
            str(beside),
        )
        os.replace(beside, arguments.checkpoint)
    except (OSError, RuntimeError) as error:
        beside.unlink(missing_ok=True)
        sys.exit(f"error: {arguments.checkpoint}: cannot be written ({str(error).splitlines()[0]})")
    print(
        f"{arguments.checkpoint}: {len(parameters)} parameters from {table['source']};"
        f" {table['use']}"
    )


if __name__ == "__main__":
    main()
