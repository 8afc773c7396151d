"""Measure MnasNet on this machine against PyTorch and write the tables for its READMEs: `make
bench-mnasnet`.

    python utils/bench/mnasnet.py WORK TORCH_PYTHON

TORCH_PYTHON is the interpreter of an environment with PyTorch, which runs in a process of its own
and waits while MindSpore is timed. Each comparison alternates its two sides in one run, on the same
threads, as the same function (equal weights); the figures are medians.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from classifier import CHECKPOINT, compare_with_torch
from measure import use_folder
from work import start

if TYPE_CHECKING:
    from mindspore import nn

SIZE = 224
TITLE = "MnasNet, ImageNet"
REPORTED = "74.12 % top-1, Ascend"


def build_network() -> nn.Cell:
    """The documented network, with 1000 classes."""
    from src.models.mnasnet import Mnasnet

    return Mnasnet()


def main(work: str, torch_python: str) -> None:
    """Measure and write."""
    use_folder("mnasnet")
    import mindspore as ms

    from src.loss import CrossEntropySmooth
    from src.rmsprop import RMSProp

    ms.set_seed(1)
    network = build_network()
    optimizer = RMSProp(
        network.trainable_params(), 1e-6, decay=0.9, momentum=0.9, epsilon=0.001, weight_decay=1e-5
    )
    compare_with_torch(
        "mnasnet",
        network,
        CrossEntropySmooth(smooth_factor=0.1),
        optimizer,
        16,
        "MnasNet",
        "MNasNet",
        ["--checkpoint_path", CHECKPOINT],
        255,
        work,
        torch_python,
    )


if __name__ == "__main__":
    start(main)
