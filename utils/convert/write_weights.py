"""Arrays as files of weights that other programs load."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from command import Failure

# As Keras has them in a layer.
KERAS_ORDER = ("kernel", "depthwise_kernel", "bias", "gamma", "beta", "moving_mean",
               "moving_variance")  # fmt: skip


def write_weights(tensors: dict[str, np.ndarray], path: Path) -> None:
    """Write {name: array} as .safetensors, .pth or .h5, by the name of `path`, whole or not at
    all. Raises Failure.
    """
    from src.vendored.files import replacing

    write = {".safetensors": _write_safetensors, ".pth": _write_torch, ".h5": write_hdf5}
    try:
        with replacing(path) as beside:
            write[path.suffix](tensors, str(beside))
    except ValueError as error:  # the folder's own line
        raise Failure(str(error)) from None
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or (str(error).splitlines() or ["?"])[0]
        raise Failure(f"{path}: cannot be written ({reason})") from None


def _write_safetensors(tensors, path):
    from safetensors.numpy import save_file

    save_file(tensors, path)


def _write_torch(tensors, path):
    import torch

    torch.save({name: torch.from_numpy(value) for name, value in tensors.items()}, path)


def write_hdf5(tensors: dict[str, np.ndarray], path: str | Path) -> None:
    """Write {LAYER/WEIGHT: array} as Keras' own weights: a group a layer, whose names and order
    stand in attributes.
    """
    import h5py

    layers = {}
    for name, value in tensors.items():
        layer, leaf = name.split("/")
        layers.setdefault(layer, {})[leaf] = value
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.encode() for layer in layers]
        for layer, weights in layers.items():
            group = file.create_group(layer)
            leaves = sorted(weights, key=KERAS_ORDER.index)
            group.attrs["weight_names"] = [f"{layer}/{leaf}:0".encode() for leaf in leaves]
            for leaf in leaves:
                group.create_dataset(f"{layer}/{leaf}:0", data=weights[leaf])
