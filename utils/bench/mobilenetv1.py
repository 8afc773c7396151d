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
    """What the CPU kernels bring, and the folders' ONEDNN_MAX_CPU_ISA without them: two rows."""
    kernels = [sys.executable, Path(__file__).with_name("mindspore_side.py"), "mobilenetv1", "step"]
    without = ["env", f"CPP_INFER_CACHE={work / 'none'}", *kernels]
    sides = {
        "CPU kernels / MindSpore's own": ((kernels, "AVX2"), (without, "AVX2")),
        "own, ONEDNN_MAX_CPU_ISA as set / left alone": ((without, "AVX2"), (without, "ALL")),
    }
    rows = []
    for what, pair in sides.items():
        columns = zip(("first", "second"), pair)
        engines = {name: Engine(name, command, work, isa) for name, (command, isa) in columns}
        for engine in engines.values():
            engine.ask("outputs", "step", f"{engine.file}.step")
        found = medians(take_turns(engines, "step", quick), "second")
        for engine in engines.values():
            engine.stop()
        times = [f"{found[name]['ms']:.2f} ms" for name in engines]
        rows.append([f"step, batch {STEP_BATCH}: {what}", *times, f"{found['first']['ratio']:.2f}"])
    return rows
