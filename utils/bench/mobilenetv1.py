"""What the benchmarks have to know of mobilenetv1: `make bench-mobilenetv1`, `make count`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mindspore import nn

SIZE = 224
TITLE = "MobileNetV1, ImageNet and CIFAR-10"
REPORTED = "71.28 % top-1, Ascend; 71.29 %, GPU"
BATCHES, STEP_BATCH = (1, 16), 16  # of predictions, of a training step
# Flags of all scripts, and those of train.py besides.
NETWORK = (
    *("--device_target", "CPU", "--dataset", "imagenet2012", "--class_num", 1000),
    *("--padding", "symmetric"),  # as PyTorch pads
)
TRAINING = ("--dataset_path", "data", "--batch_size", 16, "--use_label_smooth", True)
EXPORT_BATCH = "--batch_size"  # of export.py
HAS_INT8 = True  # whether export.py has


def build_network() -> nn.Cell:
    """The documented network, with 1000 classes."""
    from src.mobilenet_v1_fpn import mobilenet_v1

    return mobilenet_v1(class_num=1000)
