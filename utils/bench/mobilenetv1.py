"""Measure MobileNetV1 on this machine and write the tables for its READMEs: `make
bench-mobilenetv1`.

Each comparison alternates its two sides in one run; the figures are medians.
"""

from __future__ import annotations

import csv
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from measure import ROUNDS, compare, cpp_milliseconds, network_size, onnx_milliseconds, run
from work import ROOT, machine, make_work_folder, start, write_table

if TYPE_CHECKING:
    from mindspore import nn

FOLDER = ROOT / "mobilenetv1"
SIZE = 224
TITLE = "MobileNetV1, ImageNet and CIFAR-10"
REPORTED = "71.28 % top-1, Ascend; 71.29 %, GPU"


def build_network() -> nn.Cell:
    """The documented network, with 1000 classes."""
    from src.mobilenet_v1_fpn import mobilenet_v1

    return mobilenet_v1(class_num=1000)


def prepare(cache: Path, work: Path) -> None:
    """Photos, and a 1000-class network exported for batch size 1 at 224 as MINDIR, ONNX and
    lowered MINDIR.
    """
    run([sys.executable, ROOT / "utils/smoke/photos.py", cache, work / "photos"], work)
    # Read as they are, so that no decoding takes part of the cores meanwhile.
    (work / "tensors").mkdir()
    image = np.random.RandomState(0).randn(1, 3, 224, 224).astype(np.float32)
    for number in range(100):
        image.tofile(work / "tensors" / f"{number}.bin")
    common = ["--device_target", "CPU", "--dataset", "imagenet2012", "--class_num", 1000]
    run(
        [
            sys.executable,
            FOLDER / "train.py",
            *common,
            "--dataset_path",
            work / "photos",
            "--epoch_size",
            1,
            "--batch_size",
            10,
        ],
        work,
    )
    for file_format in ("MINDIR", "ONNX"):
        run(
            [
                sys.executable,
                FOLDER / "export.py",
                *common,
                "--ckpt_file",
                work / "ckpt_0/mobilenetv1-1_2.ckpt",
                "--batch_size",
                1,
                "--file_format",
                file_format,
            ],
            work,
        )
    run(
        [
            sys.executable,
            ROOT / "utils/cpp_infer/lower_mindir.py",
            "mobilenetv1.mindir",
            "lowered.mindir",
        ],
        work,
    )
    run(["bash", FOLDER / "ascend310_infer/build.sh"], work)


def step_milliseconds(cache: Path, work: Path, **environment: str) -> float:
    """Training step of batch 32 at 64x64 on the digits: the second of two epochs, data pipeline
    included.
    """
    digits = work / "digits"
    if not digits.exists():
        run([sys.executable, ROOT / "utils/smoke/digits.py", cache, digits], work)
    run(
        [
            sys.executable,
            FOLDER / "train.py",
            "--device_target",
            "CPU",
            "--dataset_path",
            digits / "val",
            "--epoch_size",
            2,
            "--image_size",
            64,
            "--save_checkpoint_path",
            "steps",
            "--warmup_epochs",
            1,
        ],
        work,
        **environment,
    )
    last = list(csv.DictReader((work / "steps/ckpt_0/metrics.csv").read_text().splitlines()))[-1]
    return 32 * 1000 / float(last["images_per_second"])


def main(cache: str, work: str) -> None:
    """Measure and write."""
    cache, work, threads = Path(cache).resolve(), make_work_folder(work), os.cpu_count()
    prepare(cache, work)
    rows = [
        compare(
            f"C++ prediction / onnxruntime, batch 1 at 224, {threads} threads",
            lambda: cpp_milliseconds(
                FOLDER / "ascend310_infer/out/main",
                work,
                work / "tensors",
                threads,
                "--dataset_name=cifar10",
            ),
            lambda: onnx_milliseconds(work / "mobilenetv1.onnx", (1, 3, 224, 224), threads),
        ),
        compare(
            "training step, batch 32 at 64: as set here / ONEDNN_MAX_CPU_ISA left alone",
            lambda: step_milliseconds(cache, work),
            lambda: step_milliseconds(cache, work, ONEDNN_MAX_CPU_ISA="ALL"),
        ),
    ]
    write_table(
        work,
        "measured",
        ["what", "first", "second", "ratio"],
        [*rows, [f"medians of {ROUNDS}, {machine()}", "", "", ""]],
    )
    parameters, operations = network_size("mobilenetv1")
    write_table(
        work,
        "size",
        ["network", "trainable parameters", "multiply-adds at 224"],
        [["MobileNetV1 1.0, 1000 classes", f"{parameters:,}", f"{operations:,}"]],
    )


if __name__ == "__main__":
    start(main)
