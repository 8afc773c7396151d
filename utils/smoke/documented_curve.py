"""How far the documented network of NAS-FPN gets on digits placed on photos, and how long it takes:
its curve beside that of demo_nas_fpn.py, on fewer images.

    python utils/smoke/documented_curve.py CACHE WORK

It is trained as that one, but from random weights, as there is no backbone of ImageNet here.
WORK/nas_fpn gets the table for the READMEs, WORK/documented_curve the rest.
"""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path

import nas_fpn
from demo_nas_fpn import IMAGES, SETTINGS
from steps import Steps
from work import machine, start, write_table

TRAINING, EPOCHS = 250, 4
# Of the demonstration: what is not the network's.
SAME = ("optimizer", "lr", "weight_decay", "batch_size", "initial_weights", "num_classes")
CHOSEN = {
    **nas_fpn.SHORT,
    **{key: SETTINGS[key] for key in (*SAME, "coco_classes", "warmup_epochs5")},
    "epoch_size": EPOCHS,
    "run_eval": True,
    "scores_by_size": True,
}


def main(cache: str, work: str) -> None:
    """Train, write the table."""
    steps = Steps(Path(work, "documented_curve"))
    flags = {**IMAGES, "training": TRAINING, "validation": 50}
    detector = nas_fpn.Detector(steps, CHOSEN, nas_fpn.DIGITS, Path(cache).resolve(), **flags)
    detector.train()
    results = steps.work / "LOG0/ckpt"
    shutil.copy(results / "curves.png", steps.work)
    with (results / "metrics.csv").open() as file:
        epochs = list(csv.DictReader(file))
    first, last = detector.losses()
    rate = max(float(epoch["images_per_second"]) for epoch in epochs)
    images = IMAGES["training"]
    seen = (f"{int(epoch['epoch']) * TRAINING}: {float(epoch['AP50']):.3f}" for epoch in epochs)
    rows = [
        ["AP50 by training images seen", ", ".join(seen)],
        ["training loss, first and last epoch", f"{first:.3f}, {last:.3f}"],
        ["seconds of training an image", f"{1 / rate:.2f}"],
        [f"minutes for each of {images:,} images once", f"{images / rate / 60:.0f}"],
        ["cores", str(len(os.sched_getaffinity(0)))],
        ["machine", machine()],
    ]
    write_table(Path(work, "nas_fpn"), "documented", ["", "measured"], rows)


if __name__ == "__main__":
    start(main)
