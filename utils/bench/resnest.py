"""What the benchmarks have to know of resnest: `make bench-resnest`, `make count`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mindspore import nn

SIZE = 224
TITLE = "ResNeSt50, ImageNet"
REPORTED = "80.90 % top-1, Ascend; 81.08 %, GPU"
BATCHES, STEP_BATCH = (1, 16), 8  # of predictions, of a training step
# Flags of all scripts, and those of train.py besides.
NETWORK = ("--device_target", "CPU", "--image_size", SIZE)
TRAINING = ("--dataset_path", "data", "--batch_size", 8, "--crop_size", SIZE, "--run_eval", False)
EXPORT_BATCH = "--batch_size"  # of export.py
HAS_INT8 = True  # whether export.py has


def build_network() -> nn.Cell:
    """The documented network, with 1000 classes."""
    from src.models.resnest import resnest50

    return resnest50()
