"""What the benchmarks have to know of nas_fpn: `make bench-nas_fpn`, `make count`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import yaml

import nas_fpn_direct as direct
from answering import mean_milliseconds
from measure import compare, run, use_folder
from work import ROOT

if TYPE_CHECKING:
    from mindspore import nn

FOLDER = ROOT / "nas_fpn"
SIZE = 640
TITLE = "RetinaNet-R50 with NAS-FPN, COCO"
REPORTED = "0.417 mAP, Ascend"
BATCHES, STEP_BATCH = (1,), 1  # of predictions, of a training step
# Flags of all scripts, and those of train.py besides.
NETWORK = ("--device_target", "CPU")
TRAINING = (
    *("--distribute", False, "--mindrecord_dir", "records", "--batch_size", STEP_BATCH),
    *("--coco_root", "coco"),
)
EXPORT_BATCH = "--export_batch_size"  # of export.py
HAS_INT8 = False  # whether export.py has


def read_config() -> SimpleNamespace:
    """The documented settings."""
    documents = yaml.safe_load_all((FOLDER / "default_config.yaml").read_text(encoding="utf-8"))
    return SimpleNamespace(**next(documents))


def build_network() -> nn.Cell:
    """The documented detector, with 81 classes, in the form that is exported."""
    from src.retinanet_nasfpn import build_network as build
    from src.retinanet_nasfpn import prepare_for_export

    return prepare_for_export(build(read_config()))


def make_data(cache: Path, work: Path) -> None:
    """Digits on photos, under the names of COCO's categories, as MindRecord files."""
    digits = ROOT / "utils/smoke/digits_coco.py"
    sizes = ("--size", SIZE, "--training", 64, "--validation", 12)
    run([sys.executable, digits, cache, work / "coco", *sizes], work)
    names = read_config().coco_classes[1:]
    for split in ("train", "val"):
        path = work / f"coco/annotations/instances_{split}2017.json"
        content = json.loads(path.read_text())
        content["categories"] = [{"id": i, "name": name} for i, name in enumerate(names, 1)]
        path.write_text(json.dumps(content))
    for prefix, is_training in (
        ("retinanet.mindrecord", True),
        ("retinanet_eval.mindrecord", False),
    ):
        flags = ["--create_dataset", "coco", "--prefix", prefix, "--is_training", is_training]
        places = ["--coco_root", "coco", "--mindrecord_dir", "records"]
        run([sys.executable, FOLDER / "create_data.py", *flags, *places], work)


def targets(config: SimpleNamespace, count: int) -> list[np.ndarray]:
    """What the loss takes of `count` images, of 20 boxes each; anchors.npy for the others."""
    from src.box_utils import AnchorEncoder, default_boxes

    np.save("anchors.npy", default_boxes(config))
    encoder, random = AnchorEncoder(config), np.random.RandomState(0)
    rows = [encoder(draw_boxes(random, config)) for _ in range(count)]
    return [np.stack(column) for column in zip(*rows)]


def draw_boxes(random: np.random.RandomState, config: SimpleNamespace) -> np.ndarray:
    """20 rows [y1, x1, y2, x2, label], from small to most of the image."""
    centres, sides = random.rand(20, 2), 0.03 * 20 ** random.rand(20, 2)
    boxes = np.concatenate([centres - sides / 2, centres + sides / 2], axis=1).clip(0, 1)
    labels = random.randint(1, config.num_classes, (20, 1))
    return np.float32(np.concatenate([boxes, labels], axis=1))


def require_equal(
    what: str, ours: Sequence[np.ndarray], other: Sequence[np.ndarray], tolerance: float
) -> None:
    """Exit where two lists of arrays differ by more than `tolerance` of the largest value."""
    for a, b in zip(ours, other):
        difference = np.abs(a - b).max() / np.abs(b).max() if a.shape == b.shape else np.inf
        if not difference <= tolerance:
            sys.exit(f"error: {what}: the two forms differ by {difference:.1e}")


def compare_encoding(config: SimpleNamespace) -> list[str]:
    """Targets of 20 boxes: a row of the table."""
    from src.box_utils import AnchorEncoder, default_boxes, default_boxes_ltrb

    boxes = draw_boxes(np.random.RandomState(0), config)
    encoder, anchors, corners = (
        AnchorEncoder(config),
        default_boxes(config),
        default_boxes_ltrb(config),
    )

    def other():
        return direct.encode(boxes, anchors, corners, config.match_thershold)

    require_equal("encoding", encoder(boxes), other(), 1e-6)
    return compare(
        "targets of 20 boxes at 640: here / all anchors with each box",
        lambda: mean_milliseconds(lambda: encoder(boxes), 20),
        lambda: mean_milliseconds(other, 5),
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


def particular(work: Path, quick: bool) -> list[list[str]]:
    """Rows about what only this folder has."""
    del work, quick
    use_folder("nas_fpn")
    config = read_config()
    return [compare_encoding(config), compare_post_processing(config)]
