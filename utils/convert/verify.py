"""A converted network against the source's own, on the same images."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from sources import Source

if TYPE_CHECKING:
    from mindspore import nn

ALLOWED = 1e-4  # largest difference of outputs, relative to the largest output
SIDE = 224


def difference(
    tables: ModuleType,
    source: Source,
    options: dict,
    weights: dict,
    network: nn.Cell,
    arguments: argparse.Namespace,
) -> float:
    """The largest difference of the outputs of `network`, with the checkpoint loaded, to those of
    the source's, relative to the largest of them; nan where they are no numbers.
    """
    import mindspore as ms

    from src.vendored.device import set_up_device
    from src.vendored.loading import load_file

    set_up_device("CPU", 0)
    loaded = load_file(arguments.checkpoint)
    for parameter in network.get_parameters():
        parameter.set_data(loaded[tables.PART + parameter.name])
    side = options.get("height", SIDE)
    images = np.random.default_rng(0).standard_normal((2, 3, side, side), np.float32)
    ours = network(ms.Tensor(images))
    ours = (ours[-1] if isinstance(ours, tuple) else ours).asnumpy()
    theirs = network_of(source, options, weights, arguments)(images)
    if source.rolled:
        ours = np.roll(ours, 1, axis=1)
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def network_of(
    source: Source, options: dict, weights: dict, arguments: argparse.Namespace
) -> Callable[[np.ndarray], np.ndarray]:
    """The source's network with `weights`, as a function of images (N, 3, H, W)."""
    if source.layout == "keras":
        return keras_function(source.build(options), arguments.weights)
    return torch_function(source.build(options), weights)


def torch_function(network: Any, weights: dict) -> Callable[[np.ndarray], np.ndarray]:
    """`network`, a torch.nn.Module, with `weights`, as above."""
    import torch

    state = network.state_dict()
    own = {name for name in state if not name.endswith("num_batches_tracked")}
    for name in own:
        state[name] = torch.from_numpy(np.array(weights[name]))
    network.load_state_dict(state)
    network.eval()

    def predict(images):
        with torch.inference_mode():
            found = network(torch.from_numpy(images))
        return getattr(found, "logits", found).numpy()

    return predict


def keras_function(network: Any, path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """The Keras model `network` with the weights of the file `path`, as above."""
    network.load_weights(path)
    return lambda images: np.asarray(network.predict(images.transpose(0, 2, 3, 1), verbose=0))


# Keras runs on whichever of its back ends is there.
os.environ.setdefault("KERAS_BACKEND", "torch")
