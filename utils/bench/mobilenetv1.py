"""What the benchmarks have to know of mobilenetv1: `make bench-mobilenetv1`, `make count`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from engines import Engine, medians, take_turns

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


def particular(work: Path, quick: bool) -> list[list[str]]:
    """What the folders' ONEDNN_MAX_CPU_ISA brings: a row of the table."""
    command = [sys.executable, Path(__file__).with_name("mindspore_side.py"), "mobilenetv1", "step"]
    engines = {isa: Engine(f"isa {isa}", command, work, isa) for isa in ("AVX2", "ALL")}
    for engine in engines.values():
        engine.ask("outputs", "step", f"{engine.file}.step")
    found = medians(take_turns(engines, "step", quick), "ALL")
    for engine in engines.values():
        engine.stop()
    times = [f"{found[isa]['ms']:.2f} ms" for isa in engines]
    what = f"training step, batch {STEP_BATCH}: as set here / ONEDNN_MAX_CPU_ISA left alone"
    return [[what, *times, f"{found['AVX2']['ratio']:.2f}"]]
