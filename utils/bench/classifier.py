"""Measure a classifier of a folder against the same function in PyTorch: prediction, C++
program, training step.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from measure import (
    ROUNDS,
    Torch,
    compare,
    cpp_milliseconds,
    mean_milliseconds,
    network_size,
    run,
)
from work import ROOT, machine, make_work_folder, write_table

if TYPE_CHECKING:
    from mindspore import nn

SIZE = 224
# in the folder where everything is prepared; the flags of an export name it
CHECKPOINT = "network.ckpt"


def prepare(
    folder: str, network: nn.Cell, work: Path, exported: str, export_flags: list, image_side: int
) -> np.ndarray:
    """Weights as checkpoint and .npz, an image, exported files and the C++ program, in `work`.

    Returns the image.
    """
    import mindspore as ms

    (work / "images/class").mkdir(parents=True)
    ms.save_checkpoint(network, str(work / CHECKPOINT))
    np.savez(work / "weights.npz", **{p.name: p.asnumpy() for p in network.get_parameters()})
    image = np.random.RandomState(0).randn(1, 3, SIZE, SIZE).astype(np.float32)
    np.save(work / "image.npy", image)
    pixels = np.random.RandomState(0).randint(0, 256, (image_side, image_side, 3), np.uint8)
    # Not JPEG, the decoding of which would take part of the cores meanwhile.
    for number in range(40):
        Image.fromarray(pixels).save(work / f"images/class/{number}.bmp")
    for file_format in ("MINDIR", "ONNX"):
        run(
            [
                sys.executable,
                ROOT / folder / "export.py",
                *export_flags,
                "--file_format",
                file_format,
            ],
            work,
        )
    run(
        [
            sys.executable,
            ROOT / "utils/cpp_infer/lower_mindir.py",
            f"{exported}.mindir",
            "lowered.mindir",
        ],
        work,
    )
    run(["bash", ROOT / folder / "ascend310_infer/build.sh"], work)
    return image


def create_forward(
    network: nn.Cell, image: np.ndarray
) -> tuple[Callable[[], float], Callable[[], np.ndarray]]:
    """Milliseconds of a prediction of `image`, and the prediction, as functions."""
    import mindspore as ms

    images = ms.Tensor(image)

    def forward():
        return network(images).asnumpy()

    def milliseconds():
        network.set_train(False)  # It walks through all cells, so it stays out of what is timed.
        return mean_milliseconds(forward, 20)

    return milliseconds, forward


def create_step(
    network: nn.Cell, loss: nn.Cell, optimizer: nn.Optimizer, image: np.ndarray, batch_size: int
) -> Callable[[], float]:
    """Milliseconds of a training step on copies of `image`, as a function."""
    import mindspore as ms

    images, labels = (
        ms.Tensor(image.repeat(batch_size, 0)),
        ms.Tensor(np.arange(batch_size), ms.int32),
    )
    step = ms.nn.TrainOneStepCell(ms.nn.WithLossCell(network, loss), optimizer)

    def milliseconds():
        step.set_train()
        return mean_milliseconds(lambda: step(images, labels).asnumpy(), 3)

    return milliseconds


def compare_with_torch(
    folder: str,
    network: nn.Cell,
    loss: nn.Cell,
    optimizer: nn.Optimizer,
    batch_size: int,
    title: str,
    exported: str,
    export_flags: list,
    image_side: int,
    work: str,
    torch_python: str,
) -> None:
    """Time `network` and utils/bench/`folder`_torch.py in turns and write the tables for
    the folder's READMEs.

    Args:
        loss, optimizer, batch_size: of the training step. title: the network in the table of its
        size.
        exported: what the folder's export.py calls its files, without suffix. export_flags: for
        CHECKPOINT, at 224.
        image_side: of the photos, from which the C++ program makes 224 x 224.
        work: folder to make. torch_python: interpreter of an environment with PyTorch.
    """
    work, threads = make_work_folder(work), os.cpu_count()
    image = prepare(folder, network.set_train(False), work, exported, export_flags, image_side)
    torch = Torch(
        os.path.abspath(torch_python), ROOT / f"utils/bench/{folder}_torch.py", work, threads
    )
    torch.ask("logits")
    forward, predict = create_forward(network, image)
    logits, expected = predict(), np.load(work / "logits.npy")
    difference = np.abs(logits - expected).max() / np.abs(expected).max()
    if not difference <= 1e-4:
        sys.exit(
            "error: the two sides are not the same function: their logits differ by"
            f" {difference:.1e}"
        )
    program = ROOT / folder / "ascend310_infer/out/main"
    rows = [
        compare(
            f"prediction, batch 1 at {SIZE}, {threads} threads: MindSpore / PyTorch",
            forward,
            lambda: float(torch.ask("forward")),
        ),
        compare(
            "the same: C++ / PyTorch",
            lambda: cpp_milliseconds(program, work, work / "images", threads),
            lambda: float(torch.ask("forward")),
        ),
        compare(
            f"training step, batch {batch_size} at {SIZE}: MindSpore / PyTorch",
            create_step(network, loss, optimizer, image, batch_size),
            lambda: float(torch.ask("step")),
        ),
    ]
    torch.process.stdin.close()
    write_table(
        work,
        "measured",
        ["what", "first", "second", "ratio"],
        [*rows, [f"medians of {ROUNDS}, PyTorch 2.13.0, {machine()}", "", "", ""]],
    )
    parameters, operations = network_size(folder)
    write_table(
        work,
        "size",
        ["network", "trainable parameters", f"multiply-adds at {SIZE}"],
        [[f"{title}, 1000 classes", f"{parameters:,}", f"{operations:,}"]],
    )
