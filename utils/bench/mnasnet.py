"""Measure MnasNet on this machine against PyTorch and write the tables of its READMEs: `make
bench-mnasnet`.

    python utils/bench/mnasnet.py WORK TORCH_PYTHON

TORCH_PYTHON is the interpreter of an environment with PyTorch, which runs in a process of its own
and waits while MindSpore is timed. Each comparison alternates its two sides in one run, on the same
threads, as the same function (equal weights); the figures are medians.
"""

import sys

from classifier import CHECKPOINT, compare_with_torch, use_folder


def main(work, torch_python):
    """Measure and write."""
    use_folder("mnasnet")
    import mindspore as ms

    from src.loss import CrossEntropySmooth
    from src.models.mnasnet import Mnasnet

    ms.set_seed(1)
    network = Mnasnet()
    optimizer = ms.nn.RMSProp(
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
    main(*sys.argv[1:])
