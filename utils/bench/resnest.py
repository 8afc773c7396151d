"""Measure ResNeSt-50 on this machine against PyTorch and write the tables for its READMEs: `make
bench-resnest`.

    python utils/bench/resnest.py WORK TORCH_PYTHON

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
TITLE = "ResNeSt50, ImageNet"
REPORTED = "80.90 % top-1, Ascend; 81.08 %, GPU"


def build_network() -> nn.Cell:
    """The documented network, with 1000 classes."""
    from src.models.resnest import resnest50

    return resnest50()


def main(work: str, torch_python: str) -> None:
    """Measure and write."""
    use_folder("resnest")
    import mindspore as ms

    from src.crossentropy import CrossEntropy

    ms.set_seed(1)
    network = build_network()
    optimizer = ms.nn.Momentum(network.trainable_params(), 1e-6, 0.9, weight_decay=1e-4)
    compare_with_torch(
        "resnest",
        network,
        CrossEntropy(0.1, 1000),
        optimizer,
        8,
        "ResNeSt50",
        "resnest50",
        ["--ckpt_file", CHECKPOINT, "--device_target", "CPU", "--eval_crop_size", 224],
        320,
        work,
        torch_python,
    )


if __name__ == "__main__":
    start(main)
