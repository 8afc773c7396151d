"""What the benchmarks have to know of fishnet99: `make bench-fishnet99`, `make count`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mindspore import nn

SIZE = 224
TITLE = "FishNet99, ImageNet"
REPORTED = "78.24 % top-1, Ascend"
BATCHES, STEP_BATCH = (1, 16), 8  # of predictions, of a training step
# Flags of all scripts, and those of train.py besides.
NETWORK = ("--device_target", "CPU", "--pool_padding", "symmetric")  # as PyTorch pads
TRAINING = ("--dataset_path", "data", "--batch_size", 8)
EXPORT_BATCH = "--batch_size"  # of export.py
HAS_INT8 = True  # whether export.py has


def build_network() -> nn.Cell:
    """The documented network, with 1000 classes."""
    from src.fishnet import fish99

    return fish99()
