"""Convert every network that published weights are for, with weights by chance, there and back, and
compare: `make weights`.

    python utils/convert/published.py WORK [FOLDER ...]

Writes WORK/FOLDER/tables/weights.md, which `make tables` puts into the READMEs. Exit code 1 where a
network differs by more than 1e-4, or a way back changes a tensor.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
# Last: they have a resnest.py of their own.
sys.path += [str(HERE.parent / "smoke"), str(HERE.parent / "bench")]

import verify  # noqa: E402  first: it says what Keras runs on
from read_weights import read_weights  # noqa: E402
from sources import Published, folders, tables_of  # noqa: E402
from work import write_table  # noqa: E402

HEADER = ["weights", "file", "top-1, % (reported)", "top-5, % (reported)", "reported by",
          "largest difference to the source's network", "there and back"]  # fmt: skip
SIDE, BATCH = 224, 4
# Of the squared mean that is added to a variance: without it, features that hardly vary would be
# divided by next to nothing, and rounding would grow with them.
LEAST_VARIANCE = 0.1
# The last batch norm of a residual branch, and its share of the others' scale: with branches as
# large as what they are added to, rounding alone makes 3e-4 of ResNeSt200 (float32 to float64).
LAST, BRANCH = "bn3", 0.2


def main() -> None:
    """All rows of the folders asked for, one after the other."""
    work, *names = sys.argv[1:] or sys.exit(f"error: expected: {sys.argv[0]} WORK [FOLDER ...]")
    unknown = set(names) - set(folders())
    if unknown:
        sys.exit(f"error: no weights for {', '.join(unknown)}; there are {', '.join(folders())}")
    failed = [name for folder in names or folders() for name in compare_all(folder, Path(work))]
    if failed:
        sys.exit(f"error: not the same function: {'; '.join(failed)}; see the tables")


def compare_all(folder: str, work: Path) -> list[str]:
    """Write the folder's table, anew after each row, and return the names of those that differ."""
    rows, failed = [], []
    for published in tables_of(folder).PUBLISHED:
        scores = [f"{s:.2f}" if s else "-" for s in (published.top1, published.top5)]
        told = [published.name, f"`{published.file}`", *scores, published.reported_by]
        rows.append([*told, "not compared", "not compared"])
    for row, published in zip(rows, tables_of(folder).PUBLISHED):
        with tempfile.TemporaryDirectory() as beside:
            difference, same = compare(folder, published, Path(beside))
        row[-2:] = f"{difference:.1e}", "equal" if same else "not equal"
        if not (difference <= verify.ALLOWED and same):
            failed.append(published.name)
        write_table(work / folder, "weights", HEADER, rows)
    return failed


def compare(folder: str, published: Published, beside: Path) -> tuple[float, bool]:
    """(largest relative difference of the outputs, whether the way back gives the same tensors) of
    the network of `published`; files go to `beside`.
    """
    keras = published.source.layout == "keras"
    file = beside / ("weights.h5" if keras else "weights.pth")
    save = save_keras if keras else save_torch
    save(published.build(), file)
    there = call("torch_to_mindspore.py", folder, file, beside / "x.ckpt", "--verify")
    print(f"{published.name}: {there.strip().splitlines()[-1]}", flush=True)
    back = beside / ("back.h5" if keras else "back.safetensors")
    call("mindspore_to_torch.py", folder, beside / "x.ckpt", back)
    before, after = read_weights(file), read_weights(back)
    left = re.compile(published.source.left)
    kept = {name for name in before if not left.search(name)}
    same = kept == set(after) and all(np.array_equal(before[n], after[n]) for n in kept)
    return float(re.search(r"largest relative difference .*: (\S+)", there)[1]), same


def call(script: str, *arguments: object) -> str:
    """What the script prints. Exits with its error."""
    command = [sys.executable, HERE / script, *arguments]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode:
        print(done.stdout, done.stderr.strip(), sep="\n")
    if not re.search("largest relative|tensors for", done.stdout):
        sys.exit(1)
    return done.stdout


def save_torch(network: Any, path: Path) -> None:
    """Weights by chance for the torch.nn.Module `network`, whose batch norms have the statistics
    of noise, as torch.save writes them.
    """
    import torch

    torch.manual_seed(0)
    norms = {n: m for n, m in network.named_modules() if isinstance(m, torch.nn.BatchNorm2d)}
    for name, norm in norms.items():
        scale = BRANCH if name.endswith(LAST) else 1
        torch.nn.init.uniform_(norm.weight, 0.5 * scale, 1.5 * scale)
        torch.nn.init.normal_(norm.bias, 0, 0.2)
        norm.momentum = 1.0
    network.train()
    with torch.no_grad():
        network(torch.randn(BATCH, 3, SIDE, SIDE))
        for norm in norms.values():
            norm.running_var += LEAST_VARIANCE * norm.running_mean**2 + 1e-3
    torch.save(network.state_dict(), path)


def save_keras(network: Any, path: Path) -> None:
    """As save_torch, for the Keras model `network`, in the form of Keras' published files."""
    import keras

    from write_weights import KERAS_ORDER, write_hdf5

    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    norms = [x for x in network.layers if isinstance(x, keras.layers.BatchNormalization)]
    for norm in norms:
        norm.momentum = 0.0
        norm.gamma.assign(random.uniform(0.5, 1.5, norm.gamma.shape))
        norm.beta.assign(random.normal(0, 0.2, norm.beta.shape))
    network(random.standard_normal((BATCH, SIDE, SIDE, 3)).astype(np.float32), training=True)
    tensors = {}
    for layer in network.layers:
        for weight in layer.weights:
            is_depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
            leaf = "depthwise_kernel" if is_depthwise else weight.name
            if leaf in KERAS_ORDER:  # not what counts random draws
                value = np.asarray(keras.ops.convert_to_numpy(weight))
                tensors[f"{layer.name}/{leaf}"] = value
    write_hdf5(tensors, path)


if __name__ == "__main__":
    main()
