"""What the benchmarks have to know of mnasnet: `make bench-mnasnet`, `make count`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mindspore import nn

SIZE = 224
TITLE = "MnasNet, ImageNet"
REPORTED = "74.12 % top-1, Ascend"
BATCHES, STEP_BATCH = (1, 16), 16  # of predictions, of a training step
# Flags of all scripts, and those of train.py besides.
NETWORK = ("--device_target", "CPU")
TRAINING = ("--dataset_path", "data", "--batch_size", 16)
EXPORT_BATCH = "--batch_size"  # of export.py
HAS_INT8 = True  # whether export.py has


def build_network() -> nn.Cell:
    """The documented network, with 1000 classes."""
    from src.models.mnasnet import Mnasnet

    return Mnasnet()
