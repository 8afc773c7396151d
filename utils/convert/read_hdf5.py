"""Keras' weights in HDF5 as arrays; no Keras is needed."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

DAMAGED = "not a whole HDF5 file of weights ({reason}); download it again"
LARGEST = 1 << 31  # bytes of an array


def read_hdf5(path: Path) -> dict[str, np.ndarray]:
    """{LAYER/WEIGHT: array}, such as conv1/kernel, of what Keras saved as .h5: weights, or a model.

    Raises ValueError that says why it cannot be read and what to do.
    """
    import h5py

    tensors = {}

    def take(name, item):
        if not isinstance(item, h5py.Dataset) or item.dtype.kind != "f":
            return
        if item.external is not None or item.is_virtual:
            raise ValueError(f"'{name}' lies in another file; give one file that holds all weights")
        if item.nbytes > LARGEST:
            raise ValueError(f"'{name}' has {item.nbytes} bytes; not the weights of such a network")
        *layers, leaf = name.removesuffix(":0").split("/")
        if leaf == "kernel" and re.search("_dw_|depthwise", layers[-1] if layers else ""):
            leaf = "depthwise_kernel"  # Keras 3 calls it as all others.
        if layers:
            tensors[f"{layers[-1]}/{leaf}"] = item[()].astype(np.float32)

    try:
        with h5py.File(path, "r") as file:
            # A trained model has its optimiser beside them.
            file.get("model_weights", file).visititems(take)
    except ValueError:
        raise
    except (OSError, RuntimeError, KeyError, TypeError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(DAMAGED.format(reason=reason[:120])) from None
    if not tensors:
        raise ValueError("an HDF5 file without weights by layer; give what Keras saved as .h5")
    return tensors
