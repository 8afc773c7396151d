"""The documented network on eight tiles of aerial photos, in which every tree is boxed: it must
learn them by heart.

    python utils/smoke/by_heart.py CACHE WORK

Exit code 1 where the detector finds less than 80 % of the eight tiles' trees (AP at IoU 0.50), or
where the four ways to evaluate disagree. It says that the network, its loss and its data can learn,
not what it would find in another photo.
"""

import sys
from pathlib import Path

import nas_fpn
from steps import Steps
from work import start

TILE = 128  # pixels of the photos, in which a tree has 36
SETTINGS = {
    **nas_fpn.SHORT,
    "num_classes": 2,
    "coco_classes": ["background", "tree"],
    "batch_size": 4,
    "lr": 0.01,
    "epoch_size": 200,
    "warmup_epochs5": 10,
}
WANTED = 0.8


def main(cache: str, work: str) -> None:
    """Train, evaluate, check."""
    cache, steps = Path(cache).resolve(), Steps(work)
    detector = nas_fpn.Detector(steps, SETTINGS, nas_fpn.TREES, cache, size=TILE, only=8)
    checkpoint = detector.train()
    found = {**detector.evaluate(checkpoint), **detector.evaluate_exports(checkpoint)}
    nas_fpn.require_agreement(found)
    first, last = detector.losses()
    figures = found["checkpoint"]
    print(f"loss {first:.2f} to {last:.2f}, mAP {figures['mAP']:.4f}, AP50 {figures['AP50']:.4f}")
    if figures["AP50"] < WANTED:
        sys.exit(
            f"error: on the eight tiles it was trained on, AP at IoU 0.50 is {figures['AP50']},"
            f" under {WANTED}"
        )


if __name__ == "__main__":
    start(main)
