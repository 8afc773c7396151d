"""Measure NAS-FPN on this machine and write the tables for its READMEs: `make bench-nas_fpn`.

    python utils/bench/nas_fpn.py WORK TORCH_PYTHON

TORCH_PYTHON is the interpreter of an environment with PyTorch, which runs in a process of its own
and waits while MindSpore is timed. Each comparison alternates its two sides in one run, on the same
threads and with equal weights; the figures are medians. Where the two sides do not give the same,
the run ends.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import yaml
from PIL import Image

import nas_fpn_direct as direct
from measure import (
    ROUNDS,
    Torch,
    compare,
    cpp_milliseconds,
    mean_milliseconds,
    network_size,
    run,
    use_folder,
)
from work import ROOT, machine, make_work_folder, start, write_table

if TYPE_CHECKING:
    from mindspore import nn

FOLDER = ROOT / "nas_fpn"
SIZE = 640
TITLE = "RetinaNet-R50 with NAS-FPN, COCO"
REPORTED = "0.417 mAP, Ascend"


def read_config() -> SimpleNamespace:
    """The documented settings."""
    documents = yaml.safe_load_all((FOLDER / "default_config.yaml").read_text(encoding="utf-8"))
    return SimpleNamespace(**next(documents))


def build_network() -> nn.Cell:
    """The documented detector, with 81 classes, in the form that is exported."""
    from src.retinanet_nasfpn import build_network as build
    from src.retinanet_nasfpn import prepare_for_export

    return prepare_for_export(build(read_config()))


def require_equal(
    what: str, ours: Sequence[np.ndarray], other: Sequence[np.ndarray], tolerance: float
) -> None:
    """Exit where two lists of arrays differ by more than `tolerance` of the largest value."""
    for a, b in zip(ours, other):
        difference = np.abs(a - b).max() / np.abs(b).max() if a.shape == b.shape else np.inf
        if not difference <= tolerance:
            sys.exit(
                f"error: {what}: the two sides are not the same function: they differ by"
                f" {difference:.1e}"
            )


def prepare(config: SimpleNamespace, work: Path) -> nn.Cell:
    """The detector; its weights as checkpoint and .npz, images, exported files and the C++
    program, in `work`.
    """
    import mindspore as ms

    from src.retinanet_nasfpn import build_network as build

    (work / "images").mkdir(parents=True)
    ms.set_seed(1)
    network, random = build(config), np.random.RandomState(0)
    for parameter in network.get_parameters():
        # As they start, many scales are 0, and an error behind them would not be seen.
        if parameter.ndim == 1:
            parameter.set_data(
                ms.Tensor(random.uniform(0.5, 1.5, parameter.shape).astype(np.float32))
            )
    ms.save_checkpoint(network, str(work / "nas_fpn.ckpt"))
    np.savez(
        work / "weights.npz",
        **{
            parameter.name[len("network.") :]: parameter.asnumpy()
            for parameter in network.get_parameters()
        },
    )
    np.save(work / "image.npy", random.randn(1, 3, SIZE, SIZE).astype(np.float32))
    # Not JPEG, the decoding of which would take part of the cores meanwhile.
    for number in range(3):
        Image.fromarray(random.randint(0, 256, (SIZE, SIZE, 3), np.uint8)).save(
            work / f"images/{number}.bmp"
        )
    for file_format in ("MINDIR", "ONNX"):
        run(
            [
                sys.executable,
                FOLDER / "export.py",
                "--device_target",
                "CPU",
                "--checkpoint_path",
                "nas_fpn.ckpt",
                "--file_format",
                file_format,
            ],
            work,
        )
    run(
        [
            sys.executable,
            ROOT / "utils/cpp_infer/lower_mindir.py",
            "retinanet_nasfpn.mindir",
            "lowered.mindir",
        ],
        work,
    )
    run(["bash", FOLDER / "ascend310_infer/build.sh"], work)
    return network.network


def compare_encoding(config: SimpleNamespace) -> list[str]:
    """Targets of 20 boxes: a row of the table."""
    from src.box_utils import AnchorEncoder, default_boxes, default_boxes_ltrb

    random = np.random.RandomState(0)
    # from small to most of the image
    centres, sides = random.rand(20, 2), 0.03 * 20 ** random.rand(20, 2)
    boxes = np.concatenate([centres - sides / 2, centres + sides / 2], axis=1).clip(0, 1)
    boxes = np.float32(
        np.concatenate([boxes, random.randint(1, config.num_classes, (20, 1))], axis=1)
    )
    encoder, anchors, corners = (
        AnchorEncoder(config),
        default_boxes(config),
        default_boxes_ltrb(config),
    )
    require_equal(
        "encoding",
        encoder(boxes),
        direct.encode(boxes, anchors, corners, config.match_thershold),
        1e-6,
    )
    return compare(
        "targets of 20 boxes at 640: here / all anchors with each box",
        lambda: mean_milliseconds(lambda: encoder(boxes), 20),
        lambda: mean_milliseconds(
            lambda: direct.encode(boxes, anchors, corners, config.match_thershold), 5
        ),
    )


def compare_post_processing(config: SimpleNamespace) -> list[str]:
    """100 candidates in each of 80 classes, few of them in each other's way: a row of the table."""
    from src.coco_eval import detect

    random, shape = np.random.RandomState(0), np.float32([480, 640])
    centres, sides = (
        random.rand(config.num_retinanet_boxes, 2),
        0.02 + 0.1 * random.rand(config.num_retinanet_boxes, 2),
    )
    boxes = np.float32(
        np.concatenate([centres - sides / 2, centres + sides / 2], axis=1).clip(0, 1)
    )
    scores = np.float32(0.05 * random.rand(len(boxes), config.num_classes))
    for label in range(1, config.num_classes):
        scores[random.choice(len(boxes), 100, replace=False), label] = 0.11 + 0.89 * random.rand(
            100
        )
    ours, other = detect(boxes, scores, shape, config), direct.detect(boxes, scores, shape, config)
    require_equal("post-processing", ours, other, 0)
    return compare(
        "post-processing of 80 x 100 candidates: here / one box after the other",
        lambda: mean_milliseconds(lambda: detect(boxes, scores, shape, config), 10),
        lambda: mean_milliseconds(lambda: direct.detect(boxes, scores, shape, config), 3),
    )


def main(work: str, torch_python: str) -> None:
    """Measure and write."""
    use_folder("nas_fpn")
    import mindspore as ms

    work, threads, config = make_work_folder(work), os.cpu_count(), read_config()
    # before MindSpore's threads are there
    rows = [compare_encoding(config), compare_post_processing(config)]
    network = prepare(config, work)
    images = ms.Tensor(np.load(work / "image.npy"))
    torch = Torch(
        os.path.abspath(torch_python), ROOT / "utils/bench/nas_fpn_torch.py", work, threads
    )

    def forward():
        return [output.asnumpy() for output in network(images)]

    torch.ask("outputs")
    with np.load(work / "outputs.npz") as outputs:
        require_equal("prediction", forward(), [outputs[name] for name in outputs.files], 1e-4)
    rows += [
        compare(
            f"prediction, batch 1 at {SIZE}, {threads} threads: MindSpore / PyTorch",
            lambda: mean_milliseconds(forward, 2),
            lambda: float(torch.ask("forward")),
        ),
        compare(
            "the same: C++ / PyTorch",
            lambda: cpp_milliseconds(
                FOLDER / "ascend310_infer/out/main", work, work / "images", threads
            ),
            lambda: float(torch.ask("forward")),
        ),
    ]
    torch.process.stdin.close()
    write_table(
        work,
        "measured",
        ["what", "first", "second", "ratio"],
        [*rows, [f"medians of {ROUNDS}, PyTorch 2.13.0, {machine()}", "", "", ""]],
    )
    parameters, operations = network_size("nas_fpn")
    write_table(
        work,
        "size",
        ["network", "trainable parameters", f"multiply-adds at {SIZE}"],
        [["RetinaNet with NAS-FPN, 81 classes", f"{parameters:,}", f"{operations:,}"]],
    )


if __name__ == "__main__":
    start(main)
