"""Measure FishNet99 on this machine against PyTorch and write the tables for its READMEs: `make
bench-fishnet99`.

    python utils/bench/fishnet99.py WORK TORCH_PYTHON

TORCH_PYTHON is the interpreter of an environment with PyTorch, which runs in a process of its own
and waits while MindSpore is timed. Each comparison alternates its two sides in one run, on the same
threads, as the same function (pool_padding symmetric, equal weights); the figures are medians.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from classifier import CHECKPOINT, compare_with_torch
from measure import use_folder
from work import start

if TYPE_CHECKING:
    from mindspore import nn

SIZE = 224
TITLE = "FishNet99, ImageNet"
REPORTED = "78.24 % top-1, Ascend"


def build_network() -> nn.Cell:
    """The documented network, with 1000 classes."""
    from src.fishnet import fish99

    return fish99()


def main(work: str, torch_python: str) -> None:
    """Measure and write."""
    use_folder("fishnet99")
    import mindspore as ms

    from src.fishnet import fish99
    from src.loss import smoothed_cross_entropy

    ms.set_seed(1)
    # PyTorch pads its pools symmetrically.
    network = fish99(pool_padding="symmetric")
    optimizer = ms.nn.Momentum(network.trainable_params(), 1e-6, 0.9, weight_decay=1e-4)
    compare_with_torch(
        "fishnet99",
        network,
        smoothed_cross_entropy(1000, 0.1),
        optimizer,
        8,
        "FishNet99",
        "FishNet99",
        ["--ckpt_file", CHECKPOINT, "--pool_padding", "symmetric"],
        256,
        work,
        torch_python,
    )


if __name__ == "__main__":
    start(main)
