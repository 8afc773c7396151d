"""The longer run on digits placed on photos: train a detector, judge it on held-out images in all
four ways, draw what it finds.

    python utils/smoke/demo_nas_fpn.py CACHE WORK       # from the first seed
    python utils/smoke/demo_nas_fpn.py CACHE WORK 2     # from another one: other images, weights

Exit code 1 where AP at IoU 0.50 is under 0.80, or where the four ways disagree. The backbone learns
to name digits first, as the documented one has learnt ImageNet's classes. Training and validation
images share neither digits nor photos. WORK gets the table for the READMEs, the curve
(curves.png), and validation images with what was found in them (sheet.png; annotated boxes are
dashed).
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np

import nas_fpn
from smoke import WAYS
from steps import Steps
from work import machine, start, write_table

BACKBONE = {"steps": 6000, "batch_size": 8, "lr": 0.003}  # of digit_backbone.py
SETTINGS = {
    **nas_fpn.SMALL,
    "batch_size": 4,
    "weight_decay": 0.05,
    "epoch_size": 5,
    "run_eval": True,
    "min_score": 0.05,
    "scores_by_size": True,
}
IMAGES = {"size": 256, "training": 12000, "validation": 300}
WANTED = 0.8
COLUMNS, ROWS = 6, 4  # of the sheet


def draw_sheet(pictures: Path, path: Path) -> None:
    """PNG `path` of some of the folder's `pictures`, evenly apart, which are all of one size."""
    paths = sorted(pictures.glob("*.jpg"))
    chosen = [paths[n] for n in np.linspace(0, len(paths) - 1, COLUMNS * ROWS).astype(int)]
    tiles = [
        cv2.copyMakeBorder(cv2.imread(str(one)), *[2] * 4, cv2.BORDER_CONSTANT, value=[255] * 3)
        for one in chosen
    ]
    rows = [np.hstack(tiles[first : first + COLUMNS]) for first in range(0, len(tiles), COLUMNS)]
    cv2.imwrite(str(path), np.vstack(rows))


def by_class(log: str) -> list[list[str]]:
    """Rows [class, AP, AP50] of the table that the evaluation's output `log` ends in."""
    table = log.split("AP   AP50\n")[-1]
    return [list(row) for row in re.findall(r"^(\d) +([0-9.-]+) +([0-9.-]+)$", table, re.MULTILINE)]


def curve(metrics: Path) -> str:
    """The AP50 of each epoch that has one in a metrics.csv."""
    with metrics.open() as file:
        rows = [row for row in csv.DictReader(file) if row["AP50"]]
    return ", ".join(f"{row['epoch']}: {float(row['AP50']):.2f}" for row in rows)


def main(cache: str, work: str, seed: str = "1") -> None:
    """Train, evaluate, draw, write the tables, check."""
    steps, settings = Steps(work), {**SETTINGS, "seed": int(seed)}
    images = {**IMAGES, "seed": seed}
    detector = nas_fpn.Detector(steps, settings, nas_fpn.DIGITS, Path(cache).resolve(), **images)
    backbone, named = detector.train_backbone(BACKBONE)
    checkpoint = detector.train(pre_trained=backbone)
    found = detector.evaluate(checkpoint, per_class=True, visualize_score=0.5)
    found.update(detector.evaluate_exports(checkpoint))
    results = steps.work / "LOG0/ckpt"
    shutil.copy(results / "curves.png", steps.work)
    draw_sheet(steps.work / "evalcoco/pictures", steps.work / "sheet.png")
    first, last = detector.losses()
    rows = [
        ["held-out digits that the backbone names at first, by level", named.replace(" ", ", ")],
        ["training loss, first and last epoch", f"{first:.3f}, {last:.3f}"],
        *([f"AP50 and mAP, {way}", "{AP50:.3f}, {mAP:.4f}".format(**found[way])] for way in WAYS),
        ["AP50 by epoch", curve(results / "metrics.csv")],
        [
            f"minutes for everything (cores: {len(os.sched_getaffinity(0))})",
            f"{sum(steps.seconds.values()) / 60:.0f}",
        ],
        ["seed", seed],
        ["machine", machine()],
    ]
    write_table(steps.work, "demo", ["", "measured"], rows)
    log = (steps.work / "evalcoco/eval.log").read_text()
    write_table(steps.work, "classes", ["digit", "AP", "AP50"], by_class(log))
    print(f"{steps.work / 'curves.png'}\n{steps.work / 'sheet.png'}")
    nas_fpn.require_agreement(found)
    least = min(figures["AP50"] for figures in found.values())
    if least < WANTED:
        sys.exit(f"error: on held-out images AP at IoU 0.50 is {least}, under {WANTED}")


if __name__ == "__main__":
    start(main)
